"""Capture is all or nothing: killed at any moment, or out of disk, it leaves the old folder or the new one."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from plain_models import doubled

from modelwright.capturing.capture import capture
from modelwright.errors import LockError
from modelwright.package import open_folder

OLD, NEW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 2, tzinfo=UTC)
SAMPLE = [{"x": 1.0}, {"x": 2.0}]
AGAIN = """
import sys
from datetime import datetime
sys.path.insert(0, sys.argv[2])
from plain_models import doubled
from modelwright.capturing.capture import capture
from modelwright.errors import StorageError
print("ready", flush=True)
try:
    capture(doubled, [{"x": 3.0}], name="twice", version="1.0", to=sys.argv[1],
            created=datetime.fromisoformat("2026-02-02T00:00:00+00:00"))
except StorageError as error:
    print(error)
"""


def state(models: Path) -> dict[str, bytes]:
    folder = models / "twice-1.0"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_kill_minus_nine_leaves_the_old_folder_or_the_new_one(tmp_path: Path) -> None:
    capture(doubled, SAMPLE, name="twice", version="1.0", to=tmp_path, created=OLD)
    old = state(tmp_path)
    command = [sys.executable, "-c", AGAIN, str(tmp_path), str(Path(__file__).parent)]
    for delay_s in (0.02, 0.2, 0.5, 0.9):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if state(tmp_path) != old:
            assert set(state(tmp_path)) == set(old)
            assert open_folder(tmp_path / "twice-1.0").manifest.created == NEW.isoformat()
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    assert finished.stdout == "ready\n"
    assert open_folder(tmp_path / "twice-1.0").manifest.created == NEW.isoformat()
    assert [path.name for path in tmp_path.iterdir()] == ["twice-1.0"], "what the killed processes left is cleared"


def test_a_full_disk_is_an_error_and_the_old_folder_stays(tmp_path: Path) -> None:
    """RLIMIT_FSIZE makes the kernel refuse a real write, as a full disk does."""
    capture(doubled, SAMPLE, name="twice", version="1.0", to=tmp_path, created=OLD)
    old = state(tmp_path)
    limit = textwrap.dedent(
        """
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
        """
    )
    command = [sys.executable, "-B", "-c", limit + AGAIN, str(tmp_path), str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "MW702: The disk is full." in done.stdout
    assert "What was there before is untouched." in done.stdout
    assert state(tmp_path) == old
    assert [path.name for path in tmp_path.iterdir()] == ["twice-1.0"]


def test_without_uv_nothing_is_left_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise FileNotFoundError("no uv here")

    monkeypatch.setattr("modelwright.capturing.locking.uv.find_uv_bin", missing)
    with pytest.raises(LockError, match="uv program is not there"):
        capture(doubled, SAMPLE, name="twice", version="1.0", to=tmp_path, created=OLD)
    gc.collect()  # a process that is still running, or a pipe to it, would be a warning, and that an error
    assert list(tmp_path.iterdir()) == []
