"""Scripts: the entry point's body becomes steps, the command line becomes settings; what is not sound is refused."""

from __future__ import annotations

import ast

import pytest

from modelwright.errors import CellError
from modelwright.project.notebook.commandline import without_command_line
from modelwright.project.notebook.convert import Converted, convert_notebook
from modelwright.project.notebook.entry import enter
from modelwright.project.notebook.reading import read_notebook
from modelwright.project.notebook.statements import CodeCell

SCRIPT = '''
"""Train a model."""
import argparse
import sys

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split


def load(path):
    return pd.read_csv(path)


def main():
    """Do everything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--test-size", type=float, default=0.25)
    parser.add_argument("--data", default="rows.csv")
    args = parser.parse_args()

    df = load(args.data)
    # what is known, and what is asked
    X, y = df.drop(columns="y"), df["y"]
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=args.test_size, random_state=1)
    model = LogisticRegression(C=2.0)
    model.fit(X_train, y_train)
    print(model.score(X_test, y_test))
    return 0


if __name__ == "__main__":
    sys.exit(main())
'''


@pytest.fixture
def converted(tmp_path) -> Converted:
    (tmp_path / "rows.csv").write_text("a,y\n1,0\n2,1\n3,0\n4,1\n")
    (tmp_path / "train.py").write_text(SCRIPT)
    return convert_notebook(read_notebook(tmp_path / "train.py"))


def one_cell(code: str) -> CodeCell:
    return CodeCell(1, code)


def entered(code: str) -> str:
    return enter([one_cell(code)]).cells[0].code


def obstacle(code: str) -> str:
    found = enter([one_cell(code)])
    assert found.cells[0].code == code, "what is not sound stays as it is"
    return found.obstacles[0].why


def test_a_script_with_main_becomes_stages(converted):
    functions = {node.name for text in converted.modules.values() for node in ast.walk(ast.parse(text))
                 if isinstance(node, ast.FunctionDef)}  # fmt: skip
    assert {"split_data", "define_models", "train_models"} <= functions
    assert "main" not in functions
    assert converted.plan.target.model.name == "model"


def test_the_comments_of_main_stay(converted):
    assert any("# what is known, and what is asked" in text for text in converted.modules.values())


def test_options_of_a_script_become_settings(converted):
    assert "test_size = 0.25" in converted.config
    assert 'data = "data/rows.csv"' in converted.config
    assert list(converted.data.copied) == ["data/rows.csv"]


def test_what_was_unrolled_is_reported_with_the_cell_that_defines_it(converted):
    assert any("main()" in one.what and one.cell for one in converted.reported)


def test_a_guard_around_steps_is_taken_away():
    assert entered("if '__main__' == __name__:\n    # fit\n    model.fit(X)\n") == "# fit\nmodel.fit(X)\n"


def test_another_question_about_the_name_stays():
    code = "if __name__ != '__main__':\n    model.fit(X)\n"
    assert entered(code) == code


def test_arguments_and_defaults_become_names():
    text = entered("def run(path, k=3):\n    model = make(k).fit(path)\nrun('a.csv')\n")
    assert text == "path = 'a.csv'\nk = 3\nmodel = make(k).fit(path)\n"


def test_a_result_that_is_used_is_bound():
    text = entered("def run():\n    model = make()\n    model.fit(X)\n    return model, 3\nbest, k = run()\n")
    assert text.endswith("model.fit(X)\n(best, k) = (model, 3)\n")


def test_functions_of_functions_are_entered_until_something_is_fitted():
    text = entered("def inner():\n    model.fit(X)\ndef main():\n    inner()\nmain()\n")
    assert text == "model.fit(X)\n"


def test_several_statements_on_the_line_of_the_call_stay():
    assert entered("def main():\n    m.fit(X)\nx = 1; main(); y = 2\n") == "x = 1\nm.fit(X)\ny = 2\n"


def test_what_the_notebook_fits_itself_keeps_its_functions():
    code = "def main():\n    m.fit(X)\nmodel.fit(X)\nmain()\n"
    assert entered(code) == code


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("    if not X:\n        return\n    m.fit(X)\n", "before its end"),
        ("    m.fit(X)\n    yield 1\n", "in turns"),
        ("    x = 1\n    m.fit(x)\n", "'x' inside it is something else"),
    ],
)
def test_a_body_that_cannot_run_in_the_open_stays(body, said):
    assert said in obstacle(f"x = 2\ndef main():\n{body}main()\nprint(x)\n")


def test_a_function_that_is_called_twice_stays():
    assert "more than once" in obstacle("def main(k=1):\n    m.fit(k)\nmain()\nmain(2)\n")


def test_a_model_hidden_in_a_function_is_refused_with_its_cell(tmp_path):
    (tmp_path / "a.py").write_text(
        "x = 1\n\ndef main():\n    x = 2\n    Model().fit(x)\n\nfrom lib import Model\n\nmain()\n\nprint(x)\n"
    )
    with pytest.raises(CellError, match=r"Cell 2 fits the model inside main\(\)") as refused:
        convert_notebook(read_notebook(tmp_path / "a.py"))
    assert "'x'" in str(refused.value)


@pytest.mark.parametrize(
    ("code", "answered"),
    [
        ("p = argparse.ArgumentParser()\né = 'ü'; a = p.parse_args()", "é = 'ü'; a = p.parse_args([])"),
        (
            "a, _ = argparse.ArgumentParser().parse_known_args()",
            "a, _ = argparse.ArgumentParser().parse_known_args([])",
        ),
        ("import sys; n = len(sys.argv)", 'import sys; n = len(["script"])'),
        ("x = parse_args()", "x = parse_args()"),
    ],
)
def test_the_command_line_is_empty(code, answered):
    assert without_command_line([one_cell(code)])[0].code.splitlines()[-1] == answered


@pytest.mark.parametrize("option", ["'--data', required=True", "'data'"])
def test_an_option_without_a_default_is_refused_with_its_line(option):
    code = f"p = argparse.ArgumentParser()\np.add_argument({option})\nargs = p.parse_args()"
    with pytest.raises(CellError, match="on the command line") as refused:
        without_command_line([one_cell(code)])
    assert "cell 1, line 2" in str(refused.value)


def test_an_argument_that_may_be_left_out_is_taken():
    code = "p = argparse.ArgumentParser()\np.add_argument('data', nargs='?')\np.parse_args([])"
    assert without_command_line([one_cell(code)])[0].code == code
