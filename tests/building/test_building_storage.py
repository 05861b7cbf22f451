"""A disk that is full for real, and folders that cannot be written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from building_models import write_model

from modelwright.building.build import build
from modelwright.errors import StorageError

BUILD = """
import resource, sys
from modelwright.building.build import build
from modelwright.building.sdist import build_sdist
from modelwright.errors import StorageError
limit = int(sys.argv[3])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
for make in (build, build_sdist):
    try:
        make(sys.argv[1], sys.argv[2])
    except StorageError as error:
        print(error)
"""
TMPFS = 'mount -t tmpfs -o size=1m tmpfs "$2" && echo old > "$2/old" && {python} "$0" "$1" "$2" 0 && ls -A "$2"'


def full_disk(script: Path, package: Path, into: Path) -> list[str]:
    """The command that builds into a file system of 1 MiB; without the right to mount one, under a file size limit."""
    unshare = shutil.which("unshare")
    if unshare and subprocess.run([unshare, "-rm", "true"], capture_output=True, check=False).returncode == 0:
        return [unshare, "-rm", "sh", "-c", TMPFS.format(python=sys.executable), str(script), str(package), str(into)]
    return [sys.executable, str(script), str(package), str(into), "1000000"]


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "build.py"
    path.write_text(BUILD)
    return path


def test_a_full_disk_is_reported_with_numbers_and_leaves_nothing_behind(tmp_path: Path, script: Path) -> None:
    package = write_model(tmp_path / "m", weights=b"w" * 3_000_000)
    into = tmp_path / "dist"
    into.mkdir()
    done = subprocess.run(full_disk(script, package, into), capture_output=True, text=True, check=True)
    assert done.stdout.count("MW702") == 2, done.stderr
    assert "are needed" in done.stdout
    assert "are free" in done.stdout
    assert ".modelwright-partial" not in done.stdout.splitlines()[-1]
    assert list(into.iterdir()) == []


def test_a_limit_on_file_sizes_keeps_the_old_wheel(tmp_path: Path, script: Path) -> None:
    package = write_model(tmp_path / "m", weights=b"w" * 3_000_000)
    wheel = build(package, tmp_path / "dist")
    before = wheel.read_bytes()
    done = subprocess.run(
        [sys.executable, script, package, wheel.parent, "1000000"], capture_output=True, text=True, check=True
    )
    assert "MW702" in done.stdout
    assert wheel.read_bytes() == before
    assert list(wheel.parent.iterdir()) == [wheel]


def test_a_target_that_is_no_folder_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "dist").write_text("a file")
    with pytest.raises(StorageError, match="cannot be written"):
        build(write_model(tmp_path / "m"), tmp_path / "dist")


def test_building_large_weights_takes_little_memory(tmp_path: Path) -> None:
    package = write_model(tmp_path / "m", weights=b"w" * 150_000_000)
    code = (
        "import resource, sys; from modelwright.building.build import build; from modelwright.building.sdist import "
        "build_sdist; build(*sys.argv[1:]); "
        "build_sdist(*sys.argv[1:]); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    # Through a shell: Linux counts the memory of the process that forked into the first program that runs after it.
    command = ["sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-c", code, package, tmp_path / "dist"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2): kilobytes on Linux, bytes on macOS
    assert int(done.stdout) * unit < 100_000_000
