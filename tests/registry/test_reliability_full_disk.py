"""A disk with little room: done, or refused with nothing half there; with room again everything works.

Real file systems (tmpfs) of which a few kilobytes are free. Where none can be mounted, these tests fail.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from powercut import verbs
from registry_wheels import CARD, model_wheel

FULL = Path(__file__).parent / "powercut" / "full.py"
LONG_CARD = CARD + "Many words about churn.\n" * 30_000
"""Makes a wheel of 1.7 MB: where the room ends, the copy, the metadata or the database is what does not fit."""


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with wheels, a registry to begin with and somewhere to mount a file system."""
    scratch = tmp_path_factory.mktemp("full")
    (scratch / "wheels").mkdir()
    for version in verbs.VERSIONS:
        model_wheel(scratch / "wheels", version, card=LONG_CARD if version == verbs.VERSIONS[-1] else CARD)
    verbs.prepare(scratch / "base")
    (scratch / "disk").mkdir()
    return scratch


def attempts(scratch: Path, verb: str, sizes_kb: list[int]) -> list[dict[str, Any]]:
    """Do a verb with so much room, each on a new file system."""
    sizes = [str(size * 1024) for size in sizes_kb]
    command = ["unshare", "-rm", sys.executable, str(FULL), str(scratch), str(scratch / "disk"), verb, *sizes]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("verb", "sizes_kb"),
    [
        ("publish", [64, 512, 1024, 1750, 2048, 2400, 2560, 2624, 3072, 8192]),
        ("promote", [32, 48, 64, 72, 80, 88, 96, 256, 8192]),
    ],
)
def test_what_does_not_fit_is_refused_and_done_once_there_is_room(
    scratch: Path, verb: str, sizes_kb: list[int]
) -> None:
    got = attempts(scratch, verb, sizes_kb)
    assert [one["free"] // 1024 for one in got] == sizes_kb
    for one in got:
        # What is refused changed nothing, unless it says that it is done and only the static index is not.
        assert one["acknowledged"] == (one["error"] == "")
        assert one["changed"] == (one["acknowledged"] or "It is done" in one["error"]), one
        assert one["left"] == []
        assert one["added"] == [[verb, "done"]], one
    assert not got[0]["acknowledged"]
    assert got[-1]["acknowledged"]
