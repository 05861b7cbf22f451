"""Sdists, read member by member: ours are admitted; what could escape, hide, grow or contradict itself is not."""

from __future__ import annotations

import gzip
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from archives import member, tarred
from registry_wheels import model_wheel

from modelwright.building.sdist import build_sdist
from modelwright.errors import UploadError
from modelwright.registry.admitting import sdists
from modelwright.registry.admitting.admit import Admitted, admit

NAME = "churn-1.0.0.tar.gz"
INFO = b"Metadata-Version: 2.4\nName: churn\nVersion: 1.0.0\nSummary: Who leaves\nRequires-Python: >=3.11\n"
PKG_INFO = (member("churn-1.0.0/PKG-INFO"), INFO)
CODE = (member("churn-1.0.0/src/churn.py"), b"X = 1\n")


def offer(content: bytes, folder: Path, filename: str = NAME) -> Admitted:
    path = folder / "upload.part"
    path.write_bytes(content)
    return admit(path, filename)


@pytest.fixture(scope="session")
def model_sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist of a model; do not change it."""
    folder = tmp_path_factory.mktemp("sdist")
    model_wheel(folder)
    return build_sdist(next(folder.glob("source-*")), folder)


def test_the_sdist_of_a_model_is_recognised_by_its_manifest(model_sdist: Path) -> None:
    found = admit(model_sdist, model_sdist.name)
    assert (found.kind, found.packagetype, found.project, found.version) == ("model", "sdist", "churn", "1.0.0")
    assert found.manifest is not None
    assert "Who will leave" in found.card
    assert (found.metadata, found.metadata_sha256, found.tags, found.scan) == (b"", "", (), None)


@pytest.mark.parametrize("flavour", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_the_sdist_of_a_library_is_taken_in_every_usual_flavour(flavour: int, tmp_path: Path) -> None:
    long = (member(f"churn-1.0.0/{'d' * 90}/{'f' * 90}.py"), b"")
    folder = (member("churn-1.0.0", kind=tarfile.DIRTYPE, mode=0o755), b"")
    found = offer(tarred([folder, PKG_INFO, CODE, long], flavour=flavour), tmp_path)
    assert (found.kind, found.summary, found.requires_python) == ("library", "Who leaves", ">=3.11")


def test_an_sdist_of_an_older_setuptools_is_taken(tmp_path: Path) -> None:
    info, content = PKG_INFO
    older = re.sub(rb"Metadata-Version: .*", b"Metadata-Version: 2.1\nLicense-File: LICENSE", content)
    assert offer(tarred([(info, older), CODE]), tmp_path).kind == "library"


def altered(sdist: Path, change: Callable[[str, bytes], tuple[str, bytes]]) -> bytes:
    with tarfile.open(sdist) as archive:
        members = []
        for info in archive:
            stream = archive.extractfile(info)
            name, content = change(info.name, stream.read() if stream else b"")
            members.append((member(name), content))
    return tarred(members)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("line.json", b"2.0", b"3.0", "line.json: is not the file that was captured"),
        ("churn/features.py", b"LEVELS", b"LEVELZ", "features.py: is not the file that was captured"),
        ("model/manifest.json", b'"version": "1.0.0"', b'"version": "1.0.1"', "says churn 1.0.1"),
        ("model/manifest.json", b'"name": "churn"', b'"name": "chum"', "says chum 1.0.0"),
        ("model/manifest.json", b"{", b"[", "not JSON"),
        ("PKG-INFO", b"Version: 1.0.0", b"Version: 1.0.1", "says churn 1.0.1"),
    ],
)
def test_a_model_in_an_sdist_is_held_to_its_manifest(
    model_sdist: Path, tmp_path: Path, file: str, old: bytes, new: bytes, said: str
) -> None:
    def change(name: str, content: bytes) -> tuple[str, bytes]:
        if not name.endswith(file):
            return name, content
        assert old in content
        return name, content.replace(old, new)

    with pytest.raises(UploadError, match=said):
        offer(altered(model_sdist, change), tmp_path)


def link(kind: bytes, to: str) -> tuple[tarfile.TarInfo, bytes]:
    return member("churn-1.0.0/link", kind=kind, linkname=to), b""


def pax(**headers: str) -> tuple[tarfile.TarInfo, bytes]:
    return member("churn-1.0.0/x", pax_headers={name.replace("_", "."): value for name, value in headers.items()}), b"x"


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([CODE], "PKG-INFO: is missing"),
        ([], "PKG-INFO: is missing"),
        ([(member("churn-1.0.0/PKG-INFO"), INFO.replace(b"churn", b"chum"))], "says chum 1.0.0"),
        ([(member("churn-1.0.0/PKG-INFO"), INFO.replace(b"1.0.0", b"1.0"))], ""),
        ([(member("churn-1.0.0/PKG-INFO"), b"")], "PKG-INFO"),
        ([(member("churn-1.0.0/PKG-INFO"), INFO.replace(b"1.0.0", b"1" * 5000))], "PKG-INFO"),
        ([(member("churn-1.0.0/PKG-INFO"), INFO + b"Requires-Dist: a; " + b"(" * 20_000)], "nested deeper"),
        ([(member("churn-1.0.0/PKG-INFO"), INFO + b"Description-Content-Type: " + b"a;" * 20_000)], "PKG-INFO: has a"),
        ([PKG_INFO, (member("churn-1.0.0/a/model/manifest.json"), b'{"a":' * 5000)], "nested deeper"),
        ([PKG_INFO, (member("../evil.py"), b"x")], "could lead elsewhere"),
        ([PKG_INFO, (member("churn-1.0.0/../../evil.py"), b"x")], "could lead elsewhere"),
        ([PKG_INFO, (member("/etc/passwd"), b"x")], "could lead elsewhere"),
        ([PKG_INFO, (member("churn-1.0.0/a\\b.py"), b"x")], "could lead elsewhere"),
        ([PKG_INFO, (member("churn-1.0.0/a\x01.py"), b"x")], "not every system reads alike"),
        ([PKG_INFO, (member("other-1.0.0/evil.py"), b"x")], "lies outside the folder"),
        ([PKG_INFO, (member("evil.py"), b"x")], "lies outside the folder"),
        ([PKG_INFO, CODE, CODE], "is there twice"),
        ([PKG_INFO, CODE, (member("churn-1.0.0/SRC/churn.py"), b"x")], "is there twice"),
        ([PKG_INFO, CODE, (member("churn-1.0.0/src/churn.py/x"), b"x")], "is a file and a folder"),
        ([PKG_INFO, link(tarfile.SYMTYPE, "/etc/passwd")], "no regular file"),
        ([PKG_INFO, link(tarfile.SYMTYPE, "PKG-INFO")], "no regular file"),
        ([PKG_INFO, link(tarfile.LNKTYPE, "churn-1.0.0/PKG-INFO")], "no regular file"),
        ([PKG_INFO, link(tarfile.CHRTYPE, "")], "no regular file"),
        ([PKG_INFO, link(tarfile.BLKTYPE, "")], "no regular file"),
        ([PKG_INFO, link(tarfile.FIFOTYPE, "")], "no regular file"),
        ([PKG_INFO, link(tarfile.CONTTYPE, "")], "no regular file"),
        ([PKG_INFO, link(tarfile.GNUTYPE_SPARSE, "")], "no regular file"),
        ([PKG_INFO, link(b"Z", "")], "no regular file"),
        ([PKG_INFO, (member("churn-1.0.0/x", mode=0o4755), b"x")], "rights of somebody else"),
        ([PKG_INFO, pax(GNU_sparse_map="0,1", GNU_sparse_size="1")], "no regular file"),
        ([PKG_INFO, pax(size="1")], "says its size twice"),
        ([PKG_INFO, pax(comment="x" * 70_000)], "extended header"),
        ([PKG_INFO, (member("churn-1.0.0/a/model/manifest.json"), b"{}")], "format_version"),
        (
            [PKG_INFO, *((member(f"churn-1.0.0/{name}/model/manifest.json"), b"{}") for name in "ab")],
            "one manifest of several",
        ),
    ],
)
def test_an_sdist_that_could_do_harm_or_contradicts_itself_is_refused(
    members: list[Any], said: str, tmp_path: Path
) -> None:
    if not said:
        assert offer(tarred(members), tmp_path).version == "1.0.0"
        return
    with pytest.raises(UploadError, match=said):
        offer(tarred(members), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["upload.part"]


GOOD = tarred([PKG_INFO, CODE])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"noise" * 100,
        GOOD[:-20],
        GOOD[: len(GOOD) // 2],
        GOOD + b"noise",
        gzip.compress(gzip.decompress(GOOD)[:700]),
        gzip.compress(b"x" * 5000),
        tarred([PKG_INFO], after=b"hidden" + bytes(506)),
        tarred([PKG_INFO], after=gzip.decompress(tarred([CODE]))),
        GOOD + tarred([CODE]),
    ],
    ids=lambda content: f"{len(content)} bytes",
)
def test_an_sdist_that_is_damaged_or_hides_something_is_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(UploadError):
        offer(content, tmp_path)


def test_a_bomb_is_not_read_to_its_end(tmp_path: Path) -> None:
    bomb = tarred([PKG_INFO, (member("churn-1.0.0/zeros"), bytes(sdists.ALWAYS + 2**20))])
    assert len(bomb) * sdists.RATIO < sdists.ALWAYS
    with pytest.raises(UploadError, match="50 times its size"):
        offer(bomb, tmp_path)


def test_a_header_that_announces_more_than_there_is_is_refused(tmp_path: Path) -> None:
    tar = bytearray(gzip.decompress(GOOD))
    tar[124:136] = b"77777777777\0"
    tar[148:156] = b"%06o\0 " % sum(tar[:148] + b" " * 8 + tar[156:512])
    with pytest.raises(UploadError):
        offer(gzip.compress(bytes(tar)), tmp_path)
