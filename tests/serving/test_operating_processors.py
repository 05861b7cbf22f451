"""How many threads a model's libraries get where a server may not use the whole machine."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from modelwright.serving.deployment import Limits
from modelwright.serving.operating.conducting import threads_of
from modelwright.serving.operating.processors import processors, quota


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "self"
    file.write_text("0::/pods/one\n")
    (tmp_path / "groups" / "pods" / "one").mkdir(parents=True)
    return file


def test_a_process_bound_to_one_processor_has_one() -> None:
    script = "import os; os.sched_setaffinity(0, {0}); from modelwright.serving.operating.processors import processors"
    found = subprocess.run(
        [sys.executable, "-c", f"{script}; print(processors())"], capture_output=True, text=True, check=True
    )
    assert found.stdout == "1\n"


@pytest.mark.parametrize(
    ("limits", "share"),
    [
        ({}, math.inf),
        ({"pods/one": "max 100000"}, math.inf),
        ({"pods/one": "150000 100000"}, 1.5),
        ({"pods": "50000 100000", "pods/one": "400000 100000"}, 0.5),
        ({"": "200000 100000"}, 2.0),
        ({"pods/one": "nonsense"}, math.inf),
    ],
)
def test_the_narrowest_control_group_counts(tmp_path: Path, own: Path, limits: dict[str, str], share: float) -> None:
    for folder, text in limits.items():
        (tmp_path / "groups" / folder / "cpu.max").write_text(text)
    assert quota(tmp_path / "groups", own) == share


def test_control_groups_of_the_first_version_count_as_well(tmp_path: Path) -> None:
    (folder := tmp_path / "cpu").mkdir()
    (folder / "cpu.cfs_quota_us").write_text("250000\n")
    (folder / "cpu.cfs_period_us").write_text("100000\n")
    assert quota(tmp_path, tmp_path / "none") == 2.5
    (folder / "cpu.cfs_quota_us").write_text("-1\n")
    assert quota(tmp_path, tmp_path / "none") == math.inf


def test_workers_share_the_processors_and_each_has_at_least_one() -> None:
    assert threads_of(Limits()) == processors()
    assert threads_of(Limits(workers=1000)) == 1
    assert threads_of(Limits(workers=4, threads=3)) == 3
