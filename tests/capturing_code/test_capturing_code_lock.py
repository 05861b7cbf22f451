"""The lock is the environment of the capture, with hashes, without credentials, as pylock and as requirements.

The index is a real one, served over HTTP from a folder, with wheels made on the spot.
"""

from __future__ import annotations

import hashlib
import tomllib
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from modelwright.capturing.locking import Lock, start
from modelwright.errors import LockError


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


def publish(root: Path, name: str, version: str, *, requires: str = "") -> None:
    """Put a wheel into a static index (PEP 503)."""
    folder = root / "simple" / name
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    lines = "".join(f"Requires-Dist: {line}\n" for line in requires.split(",") if line)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{lines}")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    links = "".join(
        f'<a href="{each.name}#sha256={hashlib.sha256(each.read_bytes()).hexdigest()}">{each.name}</a>\n'
        for each in sorted(folder.glob("*.whl"))
    )
    (folder / "index.html").write_text(links)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("index")
    publish(root, "toybase", "1.0")
    publish(root, "toybase", "2.0")
    publish(root, "toymodel", "1.0", requires="toybase")
    publish(root, "toybuild", "1.0", requires="toybase")
    publish(root, "toybuild", "1.0+cpu")
    publish(root, "toywindows", "1.0", requires='toybase,no-such-toy; sys_platform == "win32"')
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/simple"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_INDEX", "UV_FIND_LINKS", "UV_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))


def lock(requirements: list[str], **options: Any) -> Lock:
    return start(requirements, **options).result()


def packages(locked: Lock) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in tomllib.loads(locked.pylock)["packages"]}


def test_the_lock_keeps_to_the_builds_installed_here_where_an_index_has_them(index: str) -> None:
    locked = lock(["toybuild==1.0"], installed={"toybuild": "1.0+cpu"}, index_url=index)
    assert locked.packages == {"toybuild": "1.0+cpu"}
    assert "toybuild==1.0+cpu \\" in locked.requirements
    assert not locked.universal
    assert "builds" in locked.note
    other = lock(["toymodel==1.0"], installed={"toymodel": "1.0+gpu", "toybase": "1.0"}, index_url=index)
    assert other.packages == {"toymodel": "1.0", "toybase": "1.0"}
    assert other.universal


def test_the_lock_keeps_to_the_versions_installed_here(index: str) -> None:
    assert lock(["toymodel==1.0"], index_url=index).packages == {"toybase": "2.0", "toymodel": "1.0"}
    locked = lock(["toymodel==1.0"], installed={"toybase": "1.0", "toymodel": "1.0"}, index_url=index)
    assert locked.packages == {"toybase": "1.0", "toymodel": "1.0"}
    assert locked.universal
    assert locked.note == ""


def test_every_distribution_has_a_hash_in_both_files(index: str) -> None:
    locked = lock(["toymodel==1.0"], index_url=index)
    document = tomllib.loads(locked.pylock)
    assert document["lock-version"] == "1.0"
    for name, package in packages(locked).items():
        digest = package["wheels"][0]["hashes"]["sha256"]
        assert len(digest) == 64
        assert f"{name}=={package['version']} \\\n    --hash=sha256:{digest}\n" in locked.requirements


def test_the_same_resolution_gives_the_same_text(index: str) -> None:
    running = [start(["toymodel==1.0"], index_url=index) for _ in range(2)]
    first, second = (each.result() for each in running)
    assert first == second


def test_credentials_and_paths_of_this_machine_are_not_recorded(index: str, tmp_path: Path) -> None:
    locked = lock(["toymodel==1.0"], index_url=index.replace("://", "://anna:s3cret@"))
    assert "toymodel" in locked.packages
    for text in (locked.pylock, locked.requirements):
        assert "s3cret" not in text
        assert "anna" not in text
        assert str(Path.home()) not in text
        assert "modelwright-lock-" not in text
    with pytest.raises(LockError) as caught:
        lock(["no-such-toy==1.0"], index_url=index.replace("://", "://anna:s3cret@"))
    assert "s3cret" not in str(caught.value)


def test_a_file_from_a_folder_of_this_machine_is_named_without_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path, "toybase", "1.0")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "simple" / "toybase"))
    locked = lock(["toybase"], index_url=(tmp_path / "simple").as_uri())
    assert str(tmp_path) not in locked.pylock
    wheel, *same = packages(locked)["toybase"]["wheels"]
    assert {each["path"] for each in (wheel, *same)} == {"toybase-1.0-py3-none-any.whl"}
    assert f"--hash=sha256:{wheel['hashes']['sha256']}" in locked.requirements


@pytest.mark.parametrize("line", ["no-such-toy==1.0", "toymodel==9.9"])
def test_a_requirement_that_the_index_does_not_have_is_named(index: str, line: str) -> None:
    with pytest.raises(LockError) as caught:
        lock(["toybase==1.0", line], index_url=index)
    assert caught.value.what == f"The environment cannot be locked: {line}."
    assert caught.value.hint


def test_an_index_that_does_not_answer_is_a_typed_error() -> None:
    with pytest.raises(LockError, match="toymodel"):
        lock(["toymodel==1.0"], index_url="http://127.0.0.1:9/simple")


def test_what_holds_for_this_platform_only_says_so(index: str) -> None:
    locked = lock(["toywindows==1.0"], index_url=index)
    assert locked.packages == {"toybase": "2.0", "toywindows": "1.0"}
    assert not locked.universal
    assert "no-such-toy" in locked.note
