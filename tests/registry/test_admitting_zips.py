"""ZIP archives that two readers would understand differently: each is refused, and for its own reason."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from archives import Entry, zip64, zipped
from hypothesis import given
from hypothesis import strategies as st

from modelwright.errors import UploadError
from modelwright.registry.admitting import zips
from modelwright.registry.admitting.zips import check_zip

FULL = 0xFFFFFFFF


def a(**changes: object) -> Entry:
    return Entry(**({"name": b"a.py", "content": b"A = 1\n"} | changes))  # type: ignore[arg-type]


def b(**changes: object) -> Entry:
    return Entry(**({"name": b"b.py", "content": b"B = 2\n" * 20} | changes))  # type: ignore[arg-type]


def check(content: bytes, folder: Path) -> None:
    path = folder / "upload.part"
    path.write_bytes(content)
    check_zip(path, "churn.whl")


@pytest.mark.parametrize(
    "content",
    [
        zipped([a(), b()]),
        zipped([a(deflated=True), b(deflated=True)]),
        zipped([Entry(b"pkg/", central={"mode": 0o040755 << 16}), Entry(b"pkg/a.py", b"x")]),
        zipped([Entry("grüße.py".encode(), b"x", local={"flags": 0x800}, central={"flags": 0x800})]),
        zipped([a()], end64={}),
        zipped([a()], end64={}, end={"count": 0xFFFF, "here": 0xFFFF, "length": FULL, "start": FULL}),
        zipped([a(local={"packed": FULL, "size": FULL, "extra": zip64(6, 6)})]),
        zipped([a(local={"extra": zip64(6, 6)}, central={"extra": zip64(6, 6)})]),
        zipped([a(content=b"")]),
        zipped([b(deflated=True, content=b"")]),
    ],
)
def test_an_archive_with_one_meaning_is_taken(content: bytes, tmp_path: Path) -> None:
    check(content, tmp_path)
    zipfile.ZipFile(tmp_path / "upload.part").testzip()


NAMES = [
    b"../a.py",
    b"/a.py",
    b"pkg/../../a.py",
    b"pkg//a.py",
    b"./a.py",
    b"C:/a.py",
    b"pkg\\a.py",
    b"a\0.py",
    b"a\n.py",
    b"a\x7f.py",
    b"",
    b"gr\xfc.py",
    b"a.py.",
    b"a.py ",
    b"pkg./a.py",
    b"x" * 1025,
    "a\u202ey.py".encode(),
    "a\u200b.py".encode(),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_could_be_another_one_is_refused(name: bytes, tmp_path: Path) -> None:
    flags = {"flags": 0x800} if b"\xe2" in name else {}
    with pytest.raises(UploadError, match="has a name"):
        check(zipped([Entry(name, b"x", local=flags, central=flags)]), tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "shorter than an empty one"),
        (b"PK", "shorter than an empty one"),
        (zipped([]), "lists 0 entries"),
        (zipped([a()])[:-1], "does not end where"),
        (zipped([a()])[:40], "does not end where"),
        (zipped([a()], after=b"x"), "does not end where"),
        (zipped([a()], after=zipped([b()])), "lies elsewhere"),
        (zipped([a()], comment=b"hello"), "does not end where"),
        (zipped([a()], before=b"#!/bin/sh\n"), "before a.py that no entry lists|lies elsewhere"),
        (zipped([a(), b(unlisted=True)]), "between its last entry and its directory"),
        (zipped([a(unlisted=True), b()]), "before b.py that no entry lists"),
        (zipped([a()], between=b"hidden"), "between its last entry and its directory"),
        (zipped([a()], gap=b"hidden"), "between its directory and its end"),
        (zipped([a(), a()]), "is there twice"),
        (zipped([a(), Entry(b"A.PY", b"x")]), "is there twice, for some systems"),
        (zipped([a(), Entry(b"a.py/b.py", b"x")]), "is a file and a folder"),
        (zipped([a(local={"name": b"z.py"})]), "says another name"),
        (zipped([a(local={"crc": 1})]), "says another crc"),
        (zipped([a(central={"crc": 1})]), "says another crc"),
        (zipped([a(local={"packed": 5, "size": 5})]), "says another packed and size"),
        (zipped([a(local={"method": 8})]), "says another method"),
        (zipped([a(local={"flags": 0x800})]), "says another flags"),
        (zipped([a(local={"flags": 8, "crc": 0, "packed": 0, "size": 0}, central={"flags": 8})]), "behind its data"),
        (zipped([a(local={"flags": 1}, central={"flags": 1})]), "encrypted"),
        (zipped([a(local={"flags": 0x2000}, central={"flags": 0x2000})]), "encrypted"),
        (zipped([a(local={"method": 12}, central={"method": 12})]), "method 12"),
        (zipped([a(central={"size": 5}, local={"size": 5})]), "stored, and says two sizes"),
        (zipped([a(central={"comment": b"x"})]), "entry with a comment"),
        (zipped([a(central={"disk": 1})]), "on another disk"),
        (zipped([a(central={"mode": 0o120777 << 16})]), "no regular file"),
        (zipped([a(central={"mode": 0o010644 << 16})]), "no regular file"),
        (zipped([a(central={"mode": 0o040755 << 16})]), "no regular file"),
        (zipped([a(central={"mode": 0o104755 << 16})]), "rights of somebody else"),
        (zipped([Entry(b"pkg/", b"x", central={"mode": 0o040755 << 16})]), "folder with content"),
        (zipped([a(central={"offset": 5})]), "has something before"),
        (zipped([a(), b(central={"offset": 0})]), "overlap"),
        (zipped([a(local={"extra": b"\x75\x70\x04\x00abcd"})]), "no wheel needs"),
        (zipped([a(central={"extra": b"\x75\x70\x04\x00abcd"})]), "no wheel needs"),
        (zipped([a(local={"extra": b"abc"})]), "malformed extra field"),
        (zipped([a(local={"extra": zip64(6, 6) * 2})]), "one twice"),
        (zipped([a(local={"extra": zip64(7, 6)})]), "something else than the entry"),
        (zipped([a(local={"packed": FULL, "extra": zip64(6, 6)})]), "something else than the entry"),
        (zipped([a(local={"packed": FULL, "size": FULL, "extra": zip64(6, 7)})]), "says another packed"),
        (zipped([a(local={"packed": FULL, "size": FULL})]), "says it is ZIP64, and is not"),
        (zipped([a(local={"extra": b"\x01\x00\x03\x00abc"})]), "malformed ZIP64 field"),
        (zipped([a()], end={"count": 2, "here": 2}), "lists 1 entries"),
        (zipped([a()], end={"here": 0}), "several disks"),
        (zipped([a()], end={"disk": 1}), "several disks"),
        (zipped([a()], end={"start": 0}), "directory that lies elsewhere"),
        (zipped([a()], end={"length": 1}), "directory that lies elsewhere"),
        (zipped([a()], end={"count": 0xFFFF, "here": 0xFFFF}), "says that it is ZIP64"),
        (zipped([a()], end64={"count": 2, "here": 2}), "one thing in its ZIP64 end and another"),
        (zipped([a()], end64={"rest": 45}), "malformed ZIP64 end"),
        (zipped([a()], end64={"locator": 3}), "points elsewhere"),
        (zipped([a()], end64={"disks": 2}), "points elsewhere"),
        (zipped([b(deflated=True, trailing=b"hidden")]), "do not end where"),
        (zipped([b(deflated=True, local={"size": 119}, central={"size": 119})]), "do not end where"),
        (zipped([b(deflated=True, local={"size": 121}, central={"size": 121})]), "do not end where"),
        (zipped([b(local={"method": 8}, central={"method": 8})]), "damaged data|do not end where"),
    ],
)
def test_an_archive_with_two_meanings_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(UploadError, match=said):
        check(content, tmp_path)


def test_a_bomb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    size = zips.ALWAYS + 1
    bomb = a(deflated=True, local={"size": size}, central={"size": size})
    with pytest.raises(UploadError, match="times larger"):
        check(zipped([bomb]), tmp_path)


def test_an_entry_that_gives_more_than_it_says_is_not_read_on(tmp_path: Path) -> None:
    content = bytes(8 * 2**20)
    liar = Entry(b"a.bin", content, local={"size": 10}, central={"size": 10}, deflated=True)
    with pytest.raises(UploadError, match="do not end where"):
        check(zipped([liar]), tmp_path)


def test_a_directory_with_too_many_entries_is_not_read(tmp_path: Path) -> None:
    count = zips.ENTRIES + 1
    with pytest.raises(UploadError, match="are the most"):
        check(zipped([a()], end64={"count": count, "here": count}, end={"count": 0xFFFF, "here": 0xFFFF}), tmp_path)


def test_every_problem_is_listed(tmp_path: Path) -> None:
    with pytest.raises(UploadError) as caught:
        check(zipped([Entry(b"../x", b"x"), a(central={"mode": 0o120777 << 16}), Entry(b"A.py", b"x")]), tmp_path)
    assert len(caught.value.problems) == 3


@given(data=st.data())
def test_no_bit_outside_the_dates_can_flip_unseen_or_crash(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Flip a bit of the framing: the archive is refused, or both readers still find the same files in it."""
    entries = [a(), b(deflated=True)]
    content = bytearray(zipped(entries))
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path_factory.mktemp("flip", numbered=True) / "x"
    path.write_bytes(content)
    try:
        check_zip(path, "x.whl")
    except UploadError:
        return
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["a.py", "b.py"]


@given(content=st.binary(max_size=300))
def test_noise_is_refused_and_never_a_crash(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("noise", numbered=True) / "x"
    path.write_bytes(content)
    with pytest.raises(UploadError):
        check_zip(path, "x.whl")
