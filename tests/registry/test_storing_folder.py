"""What a folder does beyond what every store does: modes, links, strangers, full and read-only disks."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelwright.errors import DamageError, UnavailableError, UnknownReleaseError
from modelwright.registry.settings import Settings
from modelwright.registry.storing.folder import INCOMING, SETTLED_S, FolderStore
from modelwright.registry.storing.opening import open_store
from modelwright.registry.storing.store import Key

CONTENT = b"the bytes of a wheel"
KEY = Key(hashlib.sha256(CONTENT).hexdigest(), "churn-1.0-py3-none-any.whl")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "registry").mkdir()
    return tmp_path / "registry"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "given.part"
    path.write_bytes(CONTENT)
    path.chmod(0o600)
    return path


def files_below(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() or path.is_symlink())


def test_a_file_of_the_same_disk_is_moved_not_copied(root, source):
    inode = source.stat().st_ino
    FolderStore(root).keep(KEY, source)
    kept = root / KEY.path
    assert kept.stat().st_ino == inode
    assert kept.stat().st_nlink == 1
    assert not source.exists()


def test_a_file_of_another_disk_is_copied_and_nothing_is_left(root):
    source = Path("/dev/shm") / f"modelwright-{os.getpid()}.part"
    source.write_bytes(CONTENT)
    try:
        assert source.stat().st_dev != root.stat().st_dev, "this test needs two file systems"
        FolderStore(root).keep(KEY, source)
    finally:
        source.unlink(missing_ok=True)
    assert files_below(root) == [KEY.path]


def test_a_web_server_may_read_what_is_stored_and_not_what_is_being_written(root, source):
    before = os.umask(0o077)
    try:
        store = FolderStore(root)
        store.keep(KEY, source)
        store.put(Key(KEY.sha256, f"{KEY.name}.metadata"), b"Name: churn\n")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in root.rglob("*")}
    assert modes[KEY.name] == modes[f"{KEY.name}.metadata"] == 0o644
    assert modes["files"] == modes[KEY.sha256[:2]] == modes[KEY.sha256] == 0o755
    assert modes[INCOMING] == 0o700


def test_a_link_is_no_file(root, source, tmp_path):
    (root / KEY.path).parent.mkdir(parents=True)
    (root / KEY.path).symlink_to("/etc/passwd")
    store = FolderStore(root)
    assert store.size(KEY) is None
    assert store.path(KEY) is None
    assert list(store.keys()) == []
    with pytest.raises(UnknownReleaseError):
        store.open(KEY)
    with pytest.raises(DamageError, match="not what was published"):
        store.keep(KEY, source)
    assert source.exists()


def test_a_folder_where_a_file_should_be_is_no_file(root, source):
    (root / KEY.path).mkdir(parents=True)
    store = FolderStore(root)
    assert store.size(KEY) is None
    assert list(store.keys()) == []
    with pytest.raises(UnknownReleaseError):
        store.open(KEY)
    with pytest.raises(DamageError):
        store.keep(KEY, source)


def test_folders_behind_links_are_not_listed(root, source, tmp_path):
    FolderStore(root).keep(KEY, source)
    other = tmp_path / "other"
    (other / "files").mkdir(parents=True)
    (other / "files" / KEY.sha256[:2]).symlink_to(root / "files" / KEY.sha256[:2])
    assert list(FolderStore(other).keys()) == []


def test_only_a_regular_file_is_taken_in(root, source, tmp_path):
    (tmp_path / "link.part").symlink_to(source)
    os.mkfifo(tmp_path / "pipe.part")
    for name in ("link.part", "no.part"):
        with pytest.raises(UnavailableError):
            FolderStore(root).keep(KEY, tmp_path / name)
    assert files_below(root) == []
    assert source.read_bytes() == CONTENT


def test_what_a_dead_process_left_is_swept_and_what_a_living_one_writes_is_not(root):
    incoming = root / "files" / INCOMING
    incoming.mkdir(parents=True)
    for name, age in (("dead", SETTLED_S + 60), ("alive", SETTLED_S - 60)):
        (incoming / name).write_bytes(b"x")
        os.utime(incoming / name, (time.time() - age,) * 2)
    open_store(Settings(), root)
    assert [path.name for path in incoming.iterdir()] == ["alive"]


def test_files_may_lie_in_another_folder(root, source, tmp_path):
    store = open_store(Settings(files=str(tmp_path / "disk" / "models")), root)
    store.keep(KEY, source)
    assert (tmp_path / "disk" / "models" / KEY.path).read_bytes() == CONTENT
    assert files_below(root) == []


def test_a_folder_that_cannot_be_made_is_said_to_be(root):
    (root / "taken").write_bytes(b"")
    with pytest.raises(UnavailableError, match="cannot be made"):
        open_store(Settings(files="taken/models"), root)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB; mounting needs root."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_full_disk_is_said_with_what_is_free_and_leaves_nothing(small_disk, tmp_path):
    store = FolderStore(small_disk)
    (tmp_path / "big.part").write_bytes(b"x" * 2**21)
    with pytest.raises(UnavailableError, match=r"No space left on device; \d\.\d MiB are free"):
        store.keep(KEY, tmp_path / "big.part")
    with pytest.raises(UnavailableError, match="MiB are free"):
        store.put(KEY, b"x" * 2**21)
    assert files_below(small_disk) == []
    store.put(KEY, b"x" * 2**19)
    assert store.size(KEY) == 2**19


def test_a_disk_that_is_read_only_is_said_to_be(small_disk, source):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    store = FolderStore(small_disk)
    for change in (lambda: store.keep(KEY, source), lambda: store.put(KEY, b"x")):
        with pytest.raises(UnavailableError) as caught:
            change()
        assert "Read-only file system" in caught.value.why
        assert "read-only" in caught.value.hint
    assert source.read_bytes() == CONTENT
