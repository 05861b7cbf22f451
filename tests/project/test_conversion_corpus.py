"""Every notebook of the corpus gives a project that does the same, or a refusal that names the cell."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import modelwright as mw
from modelwright.errors import CellError, ConversionError, ModelwrightError, NotebookError, ProofError, ScaffoldError
from modelwright.project.conversion import Conversion, convert, suggested_name
from modelwright.project.notebook.convert import Converted, check_data, convert_notebook
from modelwright.project.notebook.reading import read_notebook
from modelwright.project.scaffold.answers import Answers

NOTEBOOKS = Path(__file__).parent.parent / "data" / "notebooks"
CORPUS: list[dict[str, Any]] = tomllib.loads((NOTEBOOKS / "corpus.toml").read_text("utf-8"))["notebook"]
CONVERTED = [one for one in CORPUS if one["outcome"] != "refused"]
REFUSED = [one for one in CORPUS if one["outcome"] == "refused"]


def named(entries: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("entry", entries, ids=[one["file"] for one in entries])


def converted(file: str) -> Converted:
    return convert_notebook(read_notebook(NOTEBOOKS / file))


@named(REFUSED)
def test_what_cannot_become_a_project_is_refused_with_the_cell(entry: dict[str, Any]) -> None:
    with pytest.raises(ModelwrightError) as refusal:
        check_data(converted(entry["file"]))
    assert refusal.value.code in entry["codes"]
    assert (
        f"ell {entry['cell']}" in str(refusal.value)
        if "cell" in entry
        else isinstance(refusal.value, NotebookError | ConversionError)
    )


@named(CONVERTED)
def test_every_module_is_python_and_knows_nothing_of_notebooks(entry: dict[str, Any]) -> None:
    for name, text in converted(entry["file"]).modules.items():
        compile(text, name, "exec")
        assert "get_ipython" not in text
        assert "import IPython" not in text
        assert "from IPython" not in text


@named([one for one in CONVERTED if {"out_of_order", "unused", "network", "shell"} & one.keys()])
def test_cells_that_a_person_should_look_at_are_reported(entry: dict[str, Any]) -> None:
    reported = converted(entry["file"]).reported
    words = {"unused": "not used", "network": "network", "shell": "shell", "out_of_order": "out of order"}
    for kind in words.keys() & entry.keys():
        said = [one for one in reported if words[kind] in one.what]
        for cell in entry[kind]:
            assert any(one.cell == cell or f" {cell}" in one.what for one in said), (kind, cell, said)


@named([one for one in CONVERTED if one.get("metrics")])
def test_the_numbers_that_a_notebook_is_judged_by_are_measured(entry: dict[str, Any]) -> None:
    plan = converted(entry["file"]).plan
    given = {one.key for block in plan.blocks for one in block.measures}
    given |= {value.name for block in plan.blocks for value in block.gives}
    shown = {value.name for display in plan.displays for value in (*display.makes, *display.looks_at)}
    assert set(entry["metrics"]) <= given | shown


def project_of(file: str, into: Path, **options: Any) -> Conversion:
    path = NOTEBOOKS / file
    answers = Answers(name=f"{suggested_name(path)}-model", date="2026-11-21")
    return convert(path, answers=answers, into=into, **options)


@pytest.mark.parametrize("file", ["diabetes_by_hand.ipynb", "wine_marimo.py", "bike_sharing_out_of_order.ipynb"])
def test_notebook_and_project_compute_the_same_to_the_last_bit(file: str, tmp_path: Path) -> None:
    made = project_of(file, tmp_path)
    assert made.proof is not None
    assert made.proof.verdict == "equal", made.proof.parted
    agreed = {one.key: one.agreement for one in made.proof.compared}
    assert agreed["prediction"] == "equal"
    assert any(key.startswith("measured.") for key in agreed)


def test_a_cell_that_never_ends_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProofError, match=r"Cell 2 did not end within 25 s"):
        project_of("bad/endless.ipynb", tmp_path, timeout_s=25.0)


def test_a_cell_that_fails_is_named_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(ProofError, match="ell 2"):
        project_of("bad/raises_midway.ipynb", tmp_path)


def test_missing_data_are_named_with_the_cell_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(CellError, match=r"Cell 3 reads 'data/sales_2019_final_v2\.csv'"):
        project_of("bad/missing_data.ipynb", tmp_path)
    assert not any(tmp_path.iterdir())


def test_an_existing_folder_is_never_touched(tmp_path: Path) -> None:
    mine = tmp_path / "iris-hello-world-model" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(ScaffoldError, match="exists"):
        project_of("iris_hello_world.ipynb", tmp_path, proof="skip")
    assert [path.name for path in mine.parent.iterdir()] == ["mine.txt"]


def test_a_preview_leaves_nothing(tmp_path: Path) -> None:
    made = project_of("iris_hello_world.ipynb", tmp_path, make="preview")
    assert "src/iris_hello_world_model/pipeline.py" in made.project.files
    assert made.proof is None
    assert not any(tmp_path.iterdir())


def test_the_project_of_a_text_notebook_tests_trains_and_packages_the_raw_texts(tmp_path: Path) -> None:
    made = project_of("sms_spam_text.ipynb", tmp_path, proof="skip")
    project = Path(made.project.path)
    environment = {**os.environ, "PYTHONPATH": str(project / "src"), "MPLBACKEND": "Agg"}

    def run(*command: str) -> None:
        done = subprocess.run(
            [sys.executable, *command], cwd=project, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    run("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    run("-m", "ruff", "check", ".")
    run("-m", "ruff", "format", "--check", ".")
    run("-c", "import sys; from sms_spam_text_model.cli import train; sys.exit(train(['--config', 'config.toml']))")
    package = mw.read(project)
    assert [field.datatype for field in package.manifest.signature.inputs] == ["string"]
    assert package.manifest.lineage.notebook is not None
    assert package.manifest.lineage.notebook.name == "sms_spam_text.ipynb"
    assert mw.build(package, tmp_path).suffix == ".whl"
