"""Reading notebooks that are kept as Python files: percent, light, exports, marimo, scripts."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelwright.errors import CellError, NotebookError
from modelwright.project.notebook.cells import Notebook
from modelwright.project.notebook.reading import read_notebook

PERCENT = '''\
# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       format_name: percent
#   kernelspec:
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Load
#
# Some *text*.

# %% tags=["parameters", "load"]
import pandas as pd
# %matplotlib inline

x = 1

# %% [markdown]
"""
## Train
"""

# %% The model
# an ordinary comment
# !pip install xgboost
y = x
'''


def read(folder: Path, text: str) -> Notebook:
    path = folder / "analysis.py"
    path.write_text(text, encoding="utf-8")
    return read_notebook(path)


def test_percent_cells_have_kinds_tags_and_their_commands_back(tmp_path: Path) -> None:
    notebook = read(tmp_path, PERCENT)
    assert notebook.form == "percent"
    assert [(cell.kind, cell.source) for cell in notebook.cells] == [
        ("markdown", "# Load\n\nSome *text*."),
        ("code", "import pandas as pd\n%matplotlib inline\n\nx = 1"),
        ("markdown", "## Train"),
        ("code", "# an ordinary comment\n!pip install xgboost\ny = x"),
    ]
    assert notebook.cells[1].tags == ("parameters", "load")


def test_commented_commands_stay_comments_where_jupytext_did_not_write_them(tmp_path: Path) -> None:
    notebook = read(tmp_path, "# %%\n# !pip install xgboost\nx = 1\n\n#%%\ny = 2\n")
    assert [cell.source for cell in notebook.cells] == ["# !pip install xgboost\nx = 1", "y = 2"]


def test_code_before_the_first_marker_is_a_cell(tmp_path: Path) -> None:
    assert [cell.source for cell in read(tmp_path, "import os\n# %%\nx = 1\n").cells] == ["import os", "x = 1"]


def test_another_language_in_the_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match="kernel of R"):
        read(tmp_path, PERCENT.replace("language: python", "language: R"))


def test_an_exported_notebook_keeps_its_execution_counts(tmp_path: Path) -> None:
    notebook = read(
        tmp_path, "# coding: utf-8\n\n# In[1]:\n\n\nx = 1\n\n\n# In[ ]:\n\n\ny = 2\n\n\n# In[12]:\n\nz = 3\n"
    )
    assert [(cell.source, cell.execution_count) for cell in notebook.cells[1:]] == [
        ("x = 1", 1),
        ("y = 2", None),
        ("z = 3", 12),
    ]


def test_light_cells_are_blocks_unless_marked(tmp_path: Path) -> None:
    header = PERCENT[: PERCENT.index("# %% [")].replace("format_name: percent", "format_name: light")
    notebook = read(tmp_path, f"{header}# # Load\n\nx = 1\n\n# + tags=['fit']\ny = 2\n\nz = 3\n# -\n\nw = 4\n")
    assert [(cell.kind, cell.source, cell.tags) for cell in notebook.cells] == [
        ("markdown", "# Load", ()),
        ("code", "x = 1", ()),
        ("code", "y = 2\n\nz = 3", ("fit",)),
        ("code", "w = 4", ()),
    ]


MARIMO = '''\
import marimo

__generated_with = "0.17.0"
app = marimo.App(width="medium")

with app.setup:
    # shared
    import pandas as pd


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    # Churn

    Who leaves?
    """)
    return


@app.cell
def _(
    frame,
):
    # drop what is empty
    clean = frame.dropna()
    text = """
  two spaces
    four"""
    clean.head()
    return clean, text


@app.function
def ratio(a, b):
    return a / b


@app.cell
def _():
    import marimo as mo
    return (mo,)


if __name__ == "__main__":
    app.run()
'''


def test_marimo_cells_are_the_bodies_of_its_functions(tmp_path: Path) -> None:
    notebook = read(tmp_path, MARIMO)
    assert notebook.form == "marimo"
    assert [(cell.kind, cell.source) for cell in notebook.cells] == [
        ("code", "# shared\nimport pandas as pd"),
        ("markdown", "# Churn\n\nWho leaves?"),
        ("code", '# drop what is empty\nclean = frame.dropna()\ntext = """\n  two spaces\n    four"""\nclean.head()'),
        ("code", "def ratio(a, b):\n    return a / b"),
        ("code", "import marimo as mo"),
    ]


def test_a_marimo_file_with_a_syntax_error_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CellError, match="not valid Python"):
        read(tmp_path, MARIMO.replace("return a / b", "return a /"))


def test_a_script_is_split_at_blank_lines_between_statements(tmp_path: Path) -> None:
    text = "# Load the data\n\nimport os\nx = 1\n\n# a function\ndef f():\n    a = 1\n\n    return a\n\n\ny = f()\n"
    notebook = read(tmp_path, text)
    assert notebook.form == "script"
    assert [(cell.kind, cell.source) for cell in notebook.cells] == [
        ("markdown", "Load the data"),
        ("code", "import os\nx = 1"),
        ("code", "# a function\ndef f():\n    a = 1\n\n    return a"),
        ("code", "y = f()"),
    ]


def test_a_script_with_a_syntax_error_is_one_cell(tmp_path: Path) -> None:
    assert len(read(tmp_path, "x = 1\n\nprint 'two'\n\ny = 3\n").cells) == 1


def test_windows_line_ends_and_a_byte_order_mark_make_no_difference(tmp_path: Path) -> None:
    path = tmp_path / "windows.py"
    path.write_bytes(b"\xef\xbb\xbf" + PERCENT.replace("\n", "\r\n").encode())
    assert [cell.source for cell in read_notebook(path).cells] == [
        cell.source for cell in read(tmp_path, PERCENT).cells
    ]


def test_a_script_of_comments_only_has_no_code(tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match="empty"):
        read(tmp_path, "# nothing\n\n# at all\n")
