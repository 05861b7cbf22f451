"""Local modules come along under the package's own name, whichever way they were imported."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from code_scripts import run, run_in

from modelwright.capturing.local_modules import relative_source

UTILS = """
import json, shop.prices
import shop.prices as pp
from shop import tax as t
from shop.tax import *

try:
    import no_such_library
except ImportError:
    no_such_library = None


def price(x):
    import lazy
    return lazy.twice(x) + shop.prices.ONE + t.TAX + pp.ONE + EXTRA
"""
FILES = {
    "utils.py": UTILS,
    "lazy.py": "import os\nLEVEL = os.environ.get('SHOP_LEVEL')\n\n\ndef twice(x):\n    return 2 * x\n",
    "shop/__init__.py": "from . import prices\n",
    "shop/prices.py": "from .tax import TAX\nONE = 1\nDATA = 'rates.csv'\n",
    "shop/tax.py": "TAX = 10\nEXTRA = 100\n",
    "shop/rates.csv": "a,b\n",
    "unused.py": "",
}
SCRIPT = """
from utils import price
import utils
from code_report import report

class Model:
    def predict(self, rows):
        return [price(row) + utils.price(row) for row in rows]

report([Model(), price], package={package!r}, root={root!r})
"""


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def test_local_modules_load_elsewhere_through_relative_imports(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    found = run(tmp_path, SCRIPT.format(package="churn", root="out"))
    assert sorted(found["files"]) == [
        "features.py", "lazy.py", "shop/__init__.py", "shop/prices.py", "shop/tax.py", "utils.py",
    ]  # fmt: skip
    told = run_in(
        tmp_path / "out",
        """
        import joblib, sys
        model, price = joblib.load(sys.path[0] + "/churn.joblib")
        print(model.predict([1]), price.__module__, "utils" in sys.modules)
        """,
    )
    assert told == "[228] churn.utils False\n"


def test_data_files_and_environment_variables_are_reported(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    found = run(tmp_path, SCRIPT.format(package="churn", root="out"))
    assert found["data"] == ["rates.csv"]
    assert found["variables"] == ["SHOP_LEVEL"]
    assert "no_such_library" in found["imports"]


def test_two_models_with_a_utils_of_their_own_live_in_one_process(tmp_path: Path) -> None:
    for name, factor, out in (("one", 2, "out"), ("two", 3, "more")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "utils.py").write_text(f"def scale(x):\n    return {factor} * x\n")
        script = (
            f"import utils\nfrom code_report import report\nreport(utils.scale, package={name!r}, root='../{out}')\n"
        )
        run(folder, script)
    told = run_in(
        tmp_path / "out",
        f"""
        import joblib, sys
        sys.path.insert(0, {str(tmp_path / "more")!r})
        scales = [joblib.load(f"{tmp_path}/out/one.joblib"), joblib.load(f"{tmp_path}/more/two.joblib")]
        print([scale(1) for scale in scales], [scale.__module__ for scale in scales])
        """,
    )
    assert told == "[2, 3] ['one.utils', 'two.utils']\n"


def test_a_module_named_like_the_model_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"model.py": "def f(x):\n    return x\n"})
    found = run(tmp_path, "import model\nfrom code_report import report\nreport(model.f)\n")
    assert found["error"] == "SourceError"
    assert "'model'" in found["what"]
    assert "Rename" in found["hint"]


def test_a_project_named_like_the_package_is_nested(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "churn/__init__.py": "",
            "churn/features.py": "from .parts import f\n",
            "churn/parts.py": "def f(x):\n    return x + 1\n",
        },
    )
    found = run(tmp_path, "from churn.features import f\nfrom code_report import report\nreport(f, root='out')\n")
    assert "churn/parts.py" in found["files"]
    assert run_in(tmp_path / "out", "import joblib, sys; print(joblib.load(sys.path[0] + '/churn.joblib')(1))") == "2\n"


def test_a_module_is_a_model_with_its_neighbours(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"scorer.py": "import lazy\n\n\ndef predict(rows):\n    return [lazy.twice(row) for row in rows]\n"} | FILES,
    )
    found = run(tmp_path, "import scorer\nfrom code_report import report\nreport(scorer)\n")
    assert sorted(found["files"]) == ["lazy.py", "scorer.py"]


def test_a_local_lambda_without_a_name_is_refused_and_one_with_a_name_is_found_by_it(tmp_path: Path) -> None:
    write(tmp_path, {"tools.py": "double = lambda x: 2 * x\nmany = [lambda x: x]\n"})
    found = run(tmp_path, "import tools\nfrom code_report import report\nreport(tools.many)\n")
    assert found["error"] == "SourceError"
    run(tmp_path, "import tools\nfrom code_report import report\nreport(tools.double, root='out')\n")
    assert run_in(tmp_path / "out", "import joblib, sys; print(joblib.load(sys.path[0] + '/churn.joblib')(4))") == "8\n"


def test_modules_that_nothing_is_seen_to_import_can_be_given(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    found = run(tmp_path, "from code_report import report\nreport({}, modules=['shop.tax'])\n")
    assert found["modules"] == ["shop", "shop.prices", "shop.tax"]


def test_a_compiled_local_module_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"fast.so": ""})
    found = run(
        tmp_path,
        "from code_report import report\nimport importlib.machinery, sys, types\n"
        "m = types.ModuleType('fast'); m.__file__ = 'fast.so'; sys.modules['fast'] = m\nreport({}, modules=['fast'])\n",
    )
    assert found["error"] == "SourceError"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import json\n", "import json\n"),
        ("x = 1; import json; y = 2\n", "x = 1; import json; y = 2\n"),
        ("from json import loads\n", "from json import loads\n"),
    ],
)
def test_other_imports_stay_as_they_are(before: str, after: str) -> None:
    assert relative_source(before, parent="") == after


def test_a_local_import_in_any_position_gives_valid_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"zz_local.py": "", "zz_pack/__init__.py": "", "zz_pack/inner.py": ""})
    monkeypatch.syspath_prepend(str(tmp_path))
    source = (
        "if True: import zz_local, json\n"
        "try:\n    import zz_pack.inner, zz_local as z  # why\nexcept ImportError: pass\n"
        "é = 1; from zz_pack.inner import (\n    a,\n    b as c,\n)\n"
    )
    text = relative_source(source, parent="deep.er")
    ast.parse(text)
    assert "from ... import zz_local; import json" in text
    assert "from ... import zz_pack\n    from ...zz_pack import inner as _zz_pack_inner\n" in text
    assert "\n    from ... import zz_local as z  # why\n" in text
    assert "é = 1; from ...zz_pack.inner import a, b as c" in text
