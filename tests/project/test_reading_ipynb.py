"""Reading Jupyter's own files: what is in a notebook, and what is refused with which words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelwright.errors import NotebookError
from modelwright.project.notebook.reading import read_notebook


def written(folder: Path, *cells: dict[str, Any], **about: Any) -> Path:
    content = {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5} | about
    path = folder / "churn.ipynb"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def code(source: Any, **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None} | more


def test_cells_are_numbered_over_all_kinds(tmp_path: Path) -> None:
    prose = {"cell_type": "markdown", "source": "# Churn", "metadata": {}}
    tagged = code(["x = 1\n", "y = 2"], metadata={"tags": ["train", 3]}, execution_count=7)
    notebook = read_notebook(written(tmp_path, prose, tagged, {"cell_type": "raw", "source": "raw", "metadata": {}}))
    assert [(cell.number, cell.kind, cell.source) for cell in notebook.cells] == [
        (1, "markdown", "# Churn"),
        (2, "code", "x = 1\ny = 2"),
        (3, "markdown", "raw"),
    ]
    assert notebook.cells[1].tags == ("train",)
    assert notebook.cells[1].execution_count == 7
    assert (notebook.name, notebook.form, notebook.kernel, notebook.notes) == ("churn", "ipynb", "python", ())


def test_python_and_kernel_are_those_of_the_metadata(tmp_path: Path) -> None:
    metadata = {"kernelspec": {"name": "python3"}, "language_info": {"name": "python", "version": "3.7.3"}}
    notebook = read_notebook(written(tmp_path, code("x = 1"), metadata=metadata))
    assert (notebook.kernel, notebook.python) == ("python", "3.7.3")


def test_a_python_2_kernel_is_noted(tmp_path: Path) -> None:
    notebook = read_notebook(written(tmp_path, code("x = 1"), metadata={"kernelspec": {"name": "python2"}}))
    assert "Python 2" in notebook.notes[0]


@pytest.mark.parametrize(
    ("metadata", "language"),
    [
        ({"kernelspec": {"name": "ir", "language": "R"}}, "kernel of R"),
        ({"kernelspec": {"name": "ir"}}, "kernel of R"),
        ({"kernelspec": {"name": "julia-1.9"}}, "kernel of Julia"),
        ({"language_info": {"name": "scala"}}, "kernel of Scala"),
    ],
)
def test_another_language_is_refused_by_name(tmp_path: Path, metadata: dict[str, Any], language: str) -> None:
    with pytest.raises(NotebookError, match=language):
        read_notebook(written(tmp_path, code("x <- 1"), metadata=metadata))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "has no content"),
        ("   \n", "has no content"),
        ("<!DOCTYPE html>\n<html>", "JSON, and this is not"),
        ("import pandas as pd\n", "JSON, and this is not"),
        ('{"cells": [', "JSON, and this is not"),
        ("[1, 2]", "no cells in it"),
        ('{"name": "package", "version": "1"}', "no cells in it"),
        ('{"cells": 3, "nbformat": 4}', "malformed"),
        ('{"cells": [{"source": "x"}], "nbformat": 4}', "cell_type"),
        ('{"cells": [{"cell_type": "code", "source": 3}], "nbformat": 4}', "malformed"),
        ('{"cells": [], "nbformat": 4}', "It has no cells"),
        ('{"cells": [{"cell_type": "code", "source": " \\n"}], "nbformat": 4}', "none with code"),
        ('{"cells": [], "nbformat": 9}', "notebook format 9"),
        ('{"cells": [], "nbformat": "4"}', "notebook format '4'"),
        ('{"worksheets": 7, "nbformat": 3, "nbformat_minor": 0, "metadata": {}}', "does not follow it"),
    ],
)
def test_what_is_no_notebook_is_refused(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "broken.ipynb"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(NotebookError) as refused:
        read_notebook(path)
    assert words in str(refused.value)
    assert "broken.ipynb" in str(refused.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.ipynb"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(NotebookError, match="not a text file"):
        read_notebook(path)


def test_a_folder_names_the_notebook_in_it(tmp_path: Path) -> None:
    written(tmp_path, code("x = 1"))
    with pytest.raises(NotebookError) as refused:
        read_notebook(tmp_path)
    assert "churn.ipynb" in refused.value.hint


def test_what_is_missing_or_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match="There is no file"):
        read_notebook(tmp_path / "absent.ipynb")
    with pytest.raises(NotebookError, match="written in R"):
        read_notebook(tmp_path / "analysis.R")
    with pytest.raises(NotebookError, match="not a kind of notebook"):
        read_notebook(tmp_path / "notes.md")


def test_format_3_is_upgraded_and_noted(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "input": ["x = 1\n", "x"], "language": "python", "outputs": [], "prompt_number": 2}
    heading = {"cell_type": "heading", "level": 2, "source": "Load"}
    content = {"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": [heading, cell]}]}
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps(content), encoding="utf-8")
    notebook = read_notebook(path)
    assert [cell.source for cell in notebook.cells] == ["## Load", "x = 1\nx"]
    assert notebook.cells[1].execution_count == 2
    assert "format 3" in notebook.notes[0]


def test_reading_the_usual_format_imports_no_nbformat(tmp_path: Path) -> None:
    path = written(tmp_path, *[code(f"x{number} = {number}") for number in range(100)])
    program = (
        "import sys; from modelwright.project.notebook.reading import read_notebook as read; "
        f"print(len(read({str(path)!r}).cells), 'nbformat' in sys.modules, 'jsonschema' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["100", "False", "False"]
