"""The writer of wheels and sdists, by itself: bytes, order, atomicity."""

from __future__ import annotations

import gzip
import hashlib
import os
import signal
import stat
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from installer.sources import WheelFile

from modelwright.building import archive
from modelwright.building.archive import Digest, Entry, replacing, write_sdist, write_wheel

DIST_INFO = "toy-1.0.dist-info"
WHEEL = Entry(f"{DIST_INFO}/WHEEL", b"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
METADATA = Entry(f"{DIST_INFO}/METADATA", b"Metadata-Version: 2.4\nName: toy\nVersion: 1.0\n")
EPOCH = 1_790_000_001


def write(folder: Path, *entries: Entry, epoch: int = EPOCH) -> Path:
    wheel = folder / "toy-1.0-py3-none-any.whl"
    write_wheel(wheel, [WHEEL, METADATA, *entries], dist_info=DIST_INFO, epoch=epoch)
    return wheel


names = st.from_regex(r"[a-zé,\" ]{1,12}", fullmatch=True).map(lambda text: f"toy/{text}.py")


@given(files=st.dictionaries(names, st.binary(max_size=200), max_size=5), order=st.randoms())
@settings(max_examples=15, deadline=None)
def test_the_order_of_entries_does_not_matter_and_record_is_valid(tmp_path_factory, files, order) -> None:
    entries = [Entry(name, content) for name, content in files.items()]
    shuffled = list(entries)
    order.shuffle(shuffled)
    first = write(tmp_path_factory.mktemp("a"), *entries)
    second = write(tmp_path_factory.mktemp("b"), *shuffled)
    assert first.read_bytes() == second.read_bytes()
    with WheelFile.open(first) as wheel:
        wheel.validate_record()
    with zipfile.ZipFile(first) as wheel:
        assert {name: wheel.read(name) for name in files} == files


def test_every_entry_is_stored_with_fixed_mode_system_and_date(tmp_path: Path) -> None:
    source = tmp_path / "tool.sh"
    source.write_bytes(b"#!/bin/sh\n")
    source.chmod(0o700)
    with zipfile.ZipFile(write(tmp_path, Entry("toy/tool.sh", source))) as wheel:
        for info in wheel.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            assert info.create_system == 3
            assert info.external_attr >> 16 == stat.S_IFREG | 0o644
            assert info.date_time == (2026, 9, 21, 14, 13, 20)  # ZIP counts in steps of two seconds
            assert info.extra == b""
            assert info.flag_bits == 0


def test_dist_info_comes_last_and_record_at_the_very_end(tmp_path: Path) -> None:
    with zipfile.ZipFile(write(tmp_path, Entry("zoo/a.py", b""), Entry("Toy/b.py", b""))) as wheel:
        assert wheel.namelist() == ["Toy/b.py", "zoo/a.py", METADATA.name, WHEEL.name, f"{DIST_INFO}/RECORD"]


@pytest.mark.parametrize(("epoch", "year"), [(0, 1980), (-5, 1980), (2**40, 2107)])
def test_a_date_that_zip_cannot_hold_is_brought_into_its_range(tmp_path: Path, epoch: int, year: int) -> None:
    with zipfile.ZipFile(write(tmp_path, epoch=epoch)) as wheel:
        assert {info.date_time[0] for info in wheel.infolist()} == {year}


def test_only_big_entries_get_zip64_fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)
    wheel = write(tmp_path, Entry("toy/big.bin", b"w" * 1500), Entry("toy/a.bin", b"w" * 200))
    with zipfile.ZipFile(wheel) as opened:
        assert opened.read("toy/big.bin") == b"w" * 1500
        assert opened.getinfo("toy/big.bin").extra[:2] == b"\x01\x00"
        assert opened.getinfo("toy/a.bin").extra == b""
    assert subprocess.run(["unzip", "-tqq", wheel], check=False).returncode == 0


def test_a_file_larger_than_the_buffers_arrives_whole_and_hashed(tmp_path: Path) -> None:
    source = tmp_path / "weights.bin"
    source.write_bytes(os.urandom(3 * archive.CHUNK + 17))
    digests: list[Digest] = []
    wheel = tmp_path / "toy-1.0-py3-none-any.whl"
    entries = [WHEEL, METADATA, Entry("toy/weights.bin", source)]
    write_wheel(wheel, entries, dist_info=DIST_INFO, epoch=EPOCH, check=digests.append)
    content = source.read_bytes()
    assert Digest("toy/weights.bin", hashlib.sha256(content).hexdigest(), len(content)) in digests
    with zipfile.ZipFile(wheel) as opened:
        assert opened.read("toy/weights.bin") == content
    with WheelFile.open(wheel) as opened:
        opened.validate_record()


@pytest.mark.parametrize("size", [0, 1, 65_534, 65_535, 65_536, 200_000])
def test_the_stored_gzip_is_read_by_others(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    sdist = tmp_path / "toy-1.0.tar.gz"
    write_sdist(sdist, [Entry("b", content), Entry("a", b"1")], root="toy-1.0", epoch=EPOCH)
    assert subprocess.run(["gzip", "-tq", sdist], check=False).returncode == 0
    assert len(gzip.decompress(sdist.read_bytes())) < sdist.stat().st_size
    with tarfile.open(sdist) as opened:
        members = opened.getmembers()
        assert [member.name for member in members] == ["toy-1.0/a", "toy-1.0/b"]
        assert opened.extractfile("toy-1.0/b").read() == content  # type: ignore[union-attr]
    assert {(m.mode, m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(0o644, EPOCH, 0, 0, "", "")}


def test_the_copy_in_an_sdist_needs_only_the_standard_library_and_gives_the_same_bytes(
    tmp_path: Path, run, interpreters: dict[str, str]
) -> None:
    script = tmp_path / "write.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(Path(archive.__file__).parent)!r})\n"
        "from pathlib import Path; from archive import *\n"
        "folder = Path(sys.argv[1])\n"
        "entries = [Entry('toy/é.py', b'x' * 70_000), Entry('toy-1.dist-info/WHEEL', b'')]\n"
        "write_wheel(folder / 'a.whl', entries, dist_info='toy-1.dist-info', epoch=5)\n"
        "write_sdist(folder / 'a.tar.gz', entries, root='toy-1', epoch=5)\n"
    )
    written = set()
    for minor, python in interpreters.items():
        run(python, "-I", "-S", script, tmp_path / minor)
        written.add(((tmp_path / minor / "a.whl").read_bytes(), (tmp_path / minor / "a.tar.gz").read_bytes()))
    assert len(written) == 1


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    wheel = write(tmp_path)
    before = wheel.read_bytes()

    def refuse(digest: Digest) -> None:
        raise ValueError(digest.name)

    with pytest.raises(ValueError, match=r"toy/a\.py"):
        write_wheel(wheel, [Entry("toy/a.py", b"")], dist_info=DIST_INFO, epoch=EPOCH, check=refuse)
    assert wheel.read_bytes() == before
    assert list(tmp_path.iterdir()) == [wheel]


def test_a_file_that_is_longer_than_it_said_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "z.bin"
    os.mkfifo(pipe)  # says that it holds 0 bytes
    writer = threading.Thread(target=pipe.write_bytes, args=(b"more",))
    writer.start()
    with pytest.raises(OSError, match="changed while it was read"):
        write_wheel(tmp_path / "out" / "a.whl", [Entry("z.bin", pipe)], dist_info=DIST_INFO, epoch=0)
    writer.join()
    assert list((tmp_path / "out").iterdir()) == []


def test_leftovers_of_dead_processes_are_removed_and_those_of_live_ones_kept(tmp_path: Path) -> None:
    dead = tmp_path / f".a.whl.0123{archive.PARTIAL}"
    dead.write_bytes(b"half")
    other = tmp_path / ".somebody-elses"
    other.write_bytes(b"")
    with replacing(tmp_path / "live.whl") as live:
        assert not dead.exists()
        write(tmp_path)
        assert Path(live.name).exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [other.name, "live.whl", "toy-1.0-py3-none-any.whl"]


def test_a_new_file_has_the_permissions_that_the_user_asked_for(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        wheel = write(tmp_path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(wheel.stat().st_mode) == 0o640


LOOP = """
import sys
from pathlib import Path
from modelwright.building.archive import Entry, write_wheel
folder, count = Path(sys.argv[1]), 0
print("ready", flush=True)
while True:
    count += 1
    content = str(count % 10).encode() * 20_000_000
    write_wheel(folder / "a.whl", [Entry("a.bin", content)], dist_info="a-1.dist-info", epoch=0)
"""


@pytest.mark.parametrize("delay_s", [0.03, 0.11, 0.23, 0.37])
def test_kill_9_leaves_the_old_wheel_or_the_new_one_and_the_next_build_cleans_up(tmp_path: Path, delay_s) -> None:
    wheel = tmp_path / "a.whl"
    with subprocess.Popen([sys.executable, "-c", LOOP, tmp_path], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(delay_s)
        child.send_signal(signal.SIGKILL)
    if wheel.exists():
        with zipfile.ZipFile(wheel) as opened:
            content = opened.read("a.bin")
            assert len(content) == 20_000_000
            assert len(set(content)) == 1
    write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} <= {"a.whl", "toy-1.0-py3-none-any.whl"}
