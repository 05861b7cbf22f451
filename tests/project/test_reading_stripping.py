"""The notebook as provenance: what a kernel added is gone, what a person wrote is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelwright.errors import NotebookError
from modelwright.project.notebook.reading import read_notebook
from modelwright.project.notebook.stripping import stripped

CELL = {
    "cell_type": "code",
    "source": ["x = 'é'"],
    "metadata": {"tags": ["a"], "ExecuteTime": {"end_time": "2020"}, "collapsed": True},
    "outputs": [{"output_type": "stream", "name": "stdout", "text": "SECRET"}],
    "execution_count": 7,
}


def notebook(folder: Path, *, count: int, name: str) -> Path:
    cell = CELL | {"execution_count": count}
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"widgets": {"state": "SECRET"}}, "cells": [cell]}
    path = folder / name
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_outputs_counts_and_widgets_are_gone(tmp_path: Path) -> None:
    content = stripped(notebook(tmp_path, count=7, name="a.ipynb"))
    assert b"SECRET" not in content
    cell = json.loads(content)["cells"][0]
    assert (cell["outputs"], cell["execution_count"], cell["metadata"]) == ([], None, {"tags": ["a"]})


def test_another_run_gives_the_same_bytes(tmp_path: Path) -> None:
    first = stripped(notebook(tmp_path, count=7, name="a.ipynb"))
    assert first == stripped(notebook(tmp_path, count=99, name="b.ipynb"))


def test_what_is_stripped_is_still_a_notebook_with_the_same_cells(tmp_path: Path) -> None:
    path = notebook(tmp_path, count=7, name="a.ipynb")
    again = tmp_path / "again.ipynb"
    again.write_bytes(stripped(path))
    assert read_notebook(again).cells[0].source == read_notebook(path).cells[0].source
    assert stripped(again) == again.read_bytes()


def test_format_3_keeps_its_shape(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "input": "x = 1", "outputs": ["SECRET"], "prompt_number": 2, "language": "python"}
    path = tmp_path / "old.ipynb"
    path.write_text(json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": [cell]}]}))
    again = tmp_path / "again.ipynb"
    again.write_bytes(stripped(path))
    assert b"SECRET" not in again.read_bytes()
    assert read_notebook(again).cells[0].source == "x = 1"


def test_a_python_file_is_kept_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"# %%\r\nx = 1\r\n")
    assert stripped(path) == path.read_bytes()


def test_what_is_no_notebook_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotebookError):
        stripped(tmp_path / "absent.ipynb")
    (tmp_path / "image.ipynb").write_bytes(b"\x89PNG")
    with pytest.raises(NotebookError):
        stripped(tmp_path / "image.ipynb")
