"""A folder is replaced whole or not at all, whatever happens in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from modelwright.capturing.folders import recover, replacing
from modelwright.errors import StorageError

WRITER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from modelwright.capturing.folders import replacing

    target = Path(sys.argv[1])
    print("ready", flush=True)
    for round in range(1_000_000):
        with replacing(target) as new:
            for part in range(20):
                (new / f"part-{part}").write_text(str(round))
    """
)


def contents(folder: Path) -> set[str]:
    return {path.read_text() for path in folder.iterdir()}


def test_a_new_folder_appears_with_its_parents(tmp_path: Path) -> None:
    target = tmp_path / "models" / "churn"
    with replacing(target) as new:
        (new / "a").write_text("1")
        assert not target.exists()
    assert contents(target) == {"1"}
    assert list(target.parent.iterdir()) == [target]


def test_an_old_folder_is_replaced_and_nothing_is_left_behind(tmp_path: Path) -> None:
    target = tmp_path / "churn"
    for content in ("1", "2"):
        with replacing(target) as new:
            (new / content).write_text(content)
    assert contents(target) == {"2"}
    assert list(tmp_path.iterdir()) == [target]


def test_an_error_in_the_block_leaves_the_old_folder(tmp_path: Path) -> None:
    target = tmp_path / "churn"
    with replacing(target) as new:
        (new / "a").write_text("old")

    def fail() -> None:
        with replacing(target) as new:
            (new / "a").write_text("new")
            raise KeyError("model")

    with pytest.raises(KeyError):
        fail()
    assert contents(target) == {"old"}
    assert list(tmp_path.iterdir()) == [target]


def test_kill_minus_nine_leaves_an_old_or_a_new_folder(tmp_path: Path) -> None:
    target = tmp_path / "churn"
    with replacing(target) as new:
        for part in range(20):
            (new / f"part-{part}").write_text("first")
    for attempt in range(6):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(target)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.05 + 0.037 * attempt)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        recover(target)
        assert len(contents(target)) == 1
        assert len(list(target.iterdir())) == 20
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_said_and_the_old_folder_stays(tmp_path: Path) -> None:
    """RLIMIT_FSIZE gives a real error of the kernel for a write that does not fit."""
    target = tmp_path / "churn"
    with replacing(target) as new:
        (new / "a").write_text("old")
    script = textwrap.dedent(
        """
        import resource, signal, sys
        from pathlib import Path
        from modelwright.capturing.folders import replacing
        from modelwright.errors import StorageError

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            with replacing(Path(sys.argv[1])) as new:
                (new / "a").write_bytes(b"x" * 10_000)
        except StorageError as error:
            print(error)
        """
    )
    done = subprocess.run([sys.executable, "-c", script, str(target)], capture_output=True, text=True, check=True)
    assert "MW702: The disk is full." in done.stdout
    assert contents(target) == {"old"}
    assert list(tmp_path.iterdir()) == [target]


def test_a_place_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("")
    with pytest.raises(StorageError, match="cannot be written"), replacing(tmp_path / "models" / "churn"):
        pass


def test_the_old_folder_is_put_back_when_two_renames_were_interrupted(tmp_path: Path) -> None:
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    old = tmp_path / f".churn.{dead.stdout.strip()}-00000000.old"
    old.mkdir()
    (old / "a").write_text("old")
    recover(tmp_path / "churn")
    assert contents(tmp_path / "churn") == {"old"}


def test_the_work_of_a_living_process_is_not_cleared(tmp_path: Path) -> None:
    mine = tmp_path / f".churn.{os.getpid()}-00000000.tmp"
    mine.mkdir()
    recover(tmp_path / "churn")
    assert mine.is_dir()
