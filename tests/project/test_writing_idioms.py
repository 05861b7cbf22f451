"""Idioms of books and tutorials: old guards, globals set in functions, indented cells, models without rows."""

from __future__ import annotations

import ast

import pytest

from modelwright.errors import CellError
from modelwright.project.notebook.cells import Cell, Notebook
from modelwright.project.notebook.convert import Converted, convert_notebook

FIT = "from lib import Model, load\nX, y = load()\nmodel = Model().fit(X, y)\nmodel.predict(X)"


def converted(*cells: str) -> Converted:
    numbered = tuple(Cell(number=number, kind="code", source=source) for number, source in enumerate(cells, 1))
    found = convert_notebook(Notebook(name="n", path="n.ipynb", sha256="", cells=numbered))
    for text in found.modules.values():
        ast.parse(text)
    return found


def test_a_builtin_of_python_2_behind_a_question_about_the_version_is_no_hidden_state():
    cell = "import sys\ntext = 'a'\nif sys.version_info < (3, 0):\n    text = unicode(text)\nprint(text)"
    assert converted(cell, FIT).plan.target.model.name == "model"


def test_a_builtin_of_python_2_that_is_always_read_is_refused():
    with pytest.raises(CellError, match="Cell 1 uses 'unicode'"):
        converted("text = unicode('a')\nprint(text)", FIT)


def test_a_global_that_a_function_sets_for_itself_is_no_hidden_state():
    hook = "def hook(count):\n    global start\n    if not count:\n        start = 1\n    print(start)\nhook(0)"
    assert converted(hook, FIT).plan.target.model.name == "model"


def test_a_method_that_may_never_be_called_may_name_what_nobody_defines():
    owner = "class Scale:\n    def used(self, X):\n        return X\n    def never(self, X):\n        return missing(X)"
    assert converted(owner, FIT.replace("load()\n", "load()\nX = Scale().used(X)\n")).modules


def test_a_function_that_reads_what_nobody_defines_is_refused():
    with pytest.raises(CellError, match=r"'missing' \(through clean\(\)\)"):
        converted("def clean(X):\n    return missing(X)", FIT.replace("load()\n", "load()\nX = clean(X)\n"))


def test_a_cell_that_is_indented_as_a_whole_is_read_as_ipython_reads_it():
    indented = "\n".join(f"  {line}" for line in FIT.splitlines())
    assert converted(f"\n{indented}").plan.target.model.name == "model"


def test_a_model_whose_rows_cannot_be_told_gives_way_to_one_whose_can():
    loop = "for fold in folds(X):\n    other.fit(X[fold], y[fold])\n    print(other.predict(X[fold]))"
    found = converted(FIT.replace("Model, load", "Model, folds, load"), f"other = Model()\n{loop}")
    assert found.plan.target.model.name == "model"
    assert any("the rows of 'other' cannot be told" in one.what for one in found.reported)


def test_rows_that_are_unpacked_into_a_call_are_not_taken_for_a_name():
    found = converted(FIT, "from lib import resample\nspread = [model.fit(*resample(X, y)).coef_ for i in range(9)]")
    assert found.plan.target.trained_on.text == "X"


def test_a_function_returns_names_in_the_order_in_which_the_notebook_binds_them():
    split = "from sklearn.model_selection import train_test_split\nX_train, X_test, b, a = train_test_split(X, y)"
    fit = "model.fit(X_train, b)\nmodel.score(X_test, a)"
    texts = converted(FIT, split, fit).modules
    assert "return X_train, X_test, b, a" in texts["splitting.py"]
    assert "X_train, X_test, b, a = split_data(" in texts["pipeline.py"]
