"""What a script or notebook defines is lifted with all it needs, or refused by name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from code_scripts import run, run_cells, run_command, run_in

# The models are plain objects, so that these processes start fast: nothing here needs a learning library.
SCRIPT = '''
from __future__ import annotations

import re
import math as m
from collections import OrderedDict, namedtuple
from functools import partial, wraps
from pathlib import Path

from code_report import report

RATE, UNUSED = 0.25, object()
WORDS = frozenset({"b", "a"})
PATTERN = re.compile(r"a+", re.IGNORECASE)
FOLDER = Path("rates/2026.csv")
Point = namedtuple("Point", "x y")
Number = int | float


def noisy(function):
    @wraps(function)
    def inner(*args):
        return function(*args)
    return inner


class Base:
    """Defined before use."""


class Scale(Base):
    class Kind:
        name = "plain"

    rate = RATE

    def predict(self, rows: OrderedDict[str, Number]) -> list[Number]:
        return [ratio(row) * self.rate for row in rows]


@noisy
def ratio(row, words=WORDS):
    UNUSED = row
    return m.sqrt(UNUSED) + later(len(words)) + len(PATTERN.pattern) + len(FOLDER.parts) + Point(1, 2).x


def later(count):
    return 0 if count == 0 else later(count - 1) + 1


def adder(step):
    def add(row):
        return row + step
    return add


def unneeded():
    return UNUSED


class Model:
    def __init__(self):
        self.parts = [Scale(), ratio, adder(3), lambda row: row * 2, partial(later, 2), Scale.Kind()]

    def predict(self, rows):
        for part in self.parts[1:4]:
            rows = [part(row) for row in rows]
        return self.parts[0].predict(rows) + [self.parts[4](), self.parts[5].name]


model = Model()
report(model, root="out")
'''


def test_a_lifted_model_loads_where_the_script_is_not(tmp_path: Path) -> None:
    found = run(tmp_path, SCRIPT)
    assert list(found["files"]) == ["features.py"]
    told = run_in(
        tmp_path / "out",
        """
        import joblib, sys
        model = joblib.load(sys.path[0] + "/churn.joblib")
        print(model.predict([4.0, 9.0]), type(model).__module__, sorted(n for n in sys.modules if "churn" in n))
        """,
    )
    assert told.endswith("2, 'plain'] churn.features ['churn', 'churn.features']\n")


def test_only_what_is_used_comes_along(tmp_path: Path) -> None:
    text = run(tmp_path, SCRIPT)["files"]["features.py"]
    assert "unneeded" not in text
    assert "UNUSED, " not in text
    assert "code_report" not in text
    assert "from collections import OrderedDict, namedtuple" in text
    assert "import math as m\n" in text
    assert "from __future__ import annotations\n" in text
    assert "RATE = 0.25\n" in text
    assert text.index("class Base") < text.index("class Scale")
    assert text.index("def noisy") < text.index("@noisy")


def test_the_lifted_module_is_one_that_ruff_accepts(tmp_path: Path) -> None:
    run(tmp_path, SCRIPT)
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E,F,I,W", "--line-length", "120"]
    ruff = Path(sys.executable).with_name("ruff")
    done = subprocess.run([str(ruff), *command[3:], "out/churn"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()


def test_everything_is_put_back_after_saving_also_after_an_error(tmp_path: Path) -> None:
    script = """
        import sys, json
        import code_report
        from modelwright.capturing.code import collect

        class Model:
            def predict(self, rows):
                return double(rows)

        def double(rows):
            return rows * 2

        import types
        sys.modules["churn"] = installed = types.ModuleType("churn")
        sys.modules["churn.old"] = types.ModuleType("churn.old")
        found = collect(Model(), package="churn")
        seen = []
        try:
            with found.rehomed():
                seen.append([Model.__module__, sys.modules["churn"] is installed, "churn.old" in sys.modules])
                raise ValueError
        except ValueError:
            pass
        seen.append([Model.__module__, sys.modules["churn"] is installed, "churn.old" in sys.modules,
                     "churn.features" in sys.modules])
        print(json.dumps({"seen": seen}))
    """
    assert run(tmp_path, script)["seen"] == [["churn.features", False, False], ["__main__", True, True, False]]


def test_cells_of_a_notebook_are_lifted_and_the_last_definition_of_a_name_counts(tmp_path: Path) -> None:
    found = run_cells(
        tmp_path,
        "import math\nSIZE = 1",
        "def grow(x):\n    return x + SIZE",
        "SIZE = 2\nclass Model:\n    kind = 'a'\n    def predict(self, rows):\n        return [grow(r) for r in rows]",
        "def grow(x):\n    return math.floor(x) + SIZE\nclass Empty(Model):\n    extra = SIZE",
        "from code_report import report\nreport(Empty(), root='out')",
    )
    text = found["files"]["features.py"]
    assert "math.floor" in text
    assert text.count("def grow") == 1
    assert "SIZE = 2" in text
    told = run_in(
        tmp_path / "out", "import joblib, sys; print(joblib.load(sys.path[0] + '/churn.joblib').predict([1.5]))"
    )
    assert told == "[3]\n"


@pytest.mark.parametrize(
    ("definition", "told"),
    [
        ("HANDLE = object()\ndef f(x):\n    return HANDLE", "uses 'HANDLE', a object that cannot be written"),
        ("from pathlib import Path\nHOME = Path('/data/x')\ndef f(x):\n    return HOME", "uses 'HOME'"),
        (
            "def make(h):\n    def f(x):\n        return h\n    return f\nf = make(object())",
            "closes over 'h', a object",
        ),
        ("exec('def f(x): return x')", "function f has no source"),
        ("f = eval('lambda x: x')", "lambda <lambda> has no source"),
    ],
)
def test_what_has_no_source_or_no_literal_form_is_refused_by_name(definition: str, told: str, tmp_path: Path) -> None:
    found = run(tmp_path, f"{definition}\nfrom code_report import report\nreport(f)\n")
    assert found["error"] == "SourceError"
    assert told in found["what"]
    assert found["hint"]


def test_python_c_has_no_source(tmp_path: Path) -> None:
    found = run_command(tmp_path, "from code_report import report\ndef f(x):\n    return x\nreport(f)\n")
    assert found["error"] == "SourceError"


def test_two_lambdas_on_one_line_are_told_apart(tmp_path: Path) -> None:
    found = run(
        tmp_path, "from code_report import report\nfs = [lambda x: x + 1, lambda x: x + 2]\nreport(fs, root='out')\n"
    )
    assert len(found["lifted"]) == 2
    told = run_in(
        tmp_path / "out", "import joblib, sys; print([f(1) for f in joblib.load(sys.path[0] + '/churn.joblib')])"
    )
    assert told == "[2, 3]\n"


def test_a_model_of_installed_types_needs_no_code(tmp_path: Path) -> None:
    found = run(
        tmp_path, "import numpy as np\nfrom code_report import report\nreport({'a': np.zeros(2), 'f': np.mean})\n"
    )
    assert found["files"] == {}
    assert {"numpy"} <= {name.partition(".")[0] for name in found["model_modules"]}
