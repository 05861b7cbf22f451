"""A notebook and a project are really run, in environments of their own, and compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelwright.errors import ProofError
from modelwright.project.notebook.proving import ProofReport, prove

PIPELINE = """
def run(settings=None, *, observe):
    table = [float(line) for line in open("data/numbers.txt")]
    observe("load", table=table)
    total = sum(table) {change}
    observe("evaluate", total=total, measured={{"total": total}})
    return type("Results", (), {{"asked": None}})()
"""
CELLS = [
    (1, "import random\ntable = [float(line) for line in open('numbers.txt')]\n__mw_note__('load.table', table)\n"),
    (3, "total = sum(table)\n__mw_note__('measured.total', total)\n__mw_note__('evaluate.total', total)\n"),
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


def proof(folder: Path, cache: Path, *, cells: list[tuple[int, str]] = CELLS, change: str = "") -> ProofReport:
    project, inputs = folder / "project", folder / "notebook"
    package = project / "src" / "numbers_model"
    (project / "data").mkdir(parents=True)
    package.mkdir(parents=True)
    inputs.mkdir()
    for place in (project / "data", inputs):
        (place / "numbers.txt").write_text("1.5\n2.5\n")
    (package / "__init__.py").write_text("")
    (package / "pipeline.py").write_text(PIPELINE.format(change=change))
    return prove(
        cells, project=project, package="numbers_model", requirements=[], inputs=inputs, timeout_s=60.0, cache=cache
    )


def test_the_same_computation_is_equal(tmp_path: Path, cache: Path) -> None:
    report = proof(tmp_path, cache)
    assert report.verdict == "equal"
    assert report.holds
    assert [one.key for one in report.compared] == ["measured.total", "load.table", "evaluate.total"]


def test_another_computation_is_named_with_its_cell(tmp_path: Path, cache: Path) -> None:
    report = proof(tmp_path, cache, change="+ 1")
    assert report.verdict == "different"
    assert report.parted.startswith("cell 3: ")
    assert "4.0, in the project 5.0" in report.parted


def test_neither_side_writes_into_the_folders_of_the_user(tmp_path: Path, cache: Path) -> None:
    writes = [*CELLS, (5, "open('left_behind.txt', 'w').write('x')\n")]
    proof(tmp_path, cache, cells=writes)
    assert not list(tmp_path.rglob("left_behind.txt"))


def test_a_project_that_does_not_run_is_named_with_file_and_line(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(ProofError, match="project made from it does not") as failure:
        proof(tmp_path, cache, change="+ nothing_of_that_name")
    assert "pipeline.py:" in str(failure.value)
    assert "nothing_of_that_name" in str(failure.value)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("open('numbers_2.txt')", "Cell 5 reads 'numbers_2.txt', which is not there"),
        ("1 / 0", "ZeroDivisionError"),
        ("import os; os._exit(3)", "died in cell 5"),
    ],
)
def test_a_notebook_that_does_not_run_is_named_with_its_cell(tmp_path: Path, cache: Path, code: str, said: str) -> None:
    with pytest.raises(ProofError) as failure:
        proof(tmp_path, cache, cells=[*CELLS, (5, code)])
    assert said in str(failure.value)
    assert "ell 5" in str(failure.value)
