"""The package as it is installed: nothing needed but Python, nothing written, nothing shared between two of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from model_folders import write_doubler

BARE = Path(sys._base_executable).resolve()  # type: ignore[attr-defined]


def run(code: str, where: Path, *flags: str, python: Path = BARE) -> str:
    """Run code in a Python that knows only the standard library and the folder."""
    command = [str(python), "-I", "-S", *flags, "-c", f"import sys; sys.path.insert(0, {str(where)!r})\n{code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_standard_library_is_enough(tmp_path: Path) -> None:
    write_doubler(tmp_path)
    assert run("import churn; print(churn.predict([{'x': 4}]))", tmp_path) == "[{'y': 8.0}]\n"
    assert run("from churn import predict_proba; print(predict_proba({'x': [4]}))", tmp_path).startswith("{'proba")
    assert run("import churn; print(churn.manifest()['version'])", tmp_path) == "1.3.0\n"


def test_importing_it_loads_nothing_heavy(tmp_path: Path) -> None:
    write_doubler(tmp_path)
    code = "before = set(sys.modules)\nimport churn\nprint(sorted(set(sys.modules) - before - {'__future__'}))"
    assert run(code, tmp_path) == "['churn', 'churn.model']\n"


def test_an_absent_method_is_named_and_known_ones_are_listed(tmp_path: Path) -> None:
    write_doubler(tmp_path)
    code = "import churn\ntry: churn.transform\nexcept AttributeError as error: print(error)\nprint(dir(churn))"
    said = run(code, tmp_path)
    assert "has no attribute 'transform'; this model has predict, predict_proba" in said
    assert "'predict_proba'" in said.splitlines()[1]


def test_the_model_is_loaded_once_by_however_many_threads(tmp_path: Path) -> None:
    loader = """
import time
def audit(*a): return []
def load(*a):
    print("loading", flush=True); time.sleep(0.2)
    return lambda rows: [row["x"] for row in rows]
"""
    write_doubler(tmp_path, loader=loader, methods=("predict",))
    code = """
from concurrent.futures import ThreadPoolExecutor
import churn
with ThreadPoolExecutor(8) as pool:
    print(len({id(model) for model in pool.map(lambda _: churn.load(), range(8))}))
"""
    assert run(code, tmp_path) == "loading\n1\n"


def test_two_packages_keep_their_own_runtime(tmp_path: Path) -> None:
    write_doubler(tmp_path, name="old")
    write_doubler(tmp_path, name="new")
    runtime = tmp_path / "old" / "model" / "_runtime" / "model.py"
    runtime.write_text(runtime.read_text().replace("class Model:", "class Model:\n    marker = 'ancient'\n"))
    code = """
import old, new
print(getattr(old.load(), "marker", None), "marker" in dir(type(new.load())))
print(old.predict([{"x": 1}]), new.predict([{"x": 2}]))
print(type(old.load()).__module__, type(new.load()).__module__)
"""
    assert run(code, tmp_path).splitlines() == [
        "ancient False",
        "[{'y': 2.0}] [{'y': 4.0}]",
        "old.model._runtime.model new.model._runtime.model",
    ]


def test_nothing_is_written_into_the_package(tmp_path: Path) -> None:
    write_doubler(tmp_path)
    (tmp_path / "rows.csv").write_text("x\n1\n")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for arguments in (["info"], ["predict", "rows.csv"], ["selftest"]):
        command = [str(BARE), "-B", "-m", "churn.model", *arguments]
        assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_pytest_runs_a_test_per_scenario_from_read_only_site_packages(tmp_path: Path) -> None:
    site, elsewhere = tmp_path / "site-packages", tmp_path / "elsewhere"
    folder = write_doubler(site)
    elsewhere.mkdir()
    shutil.rmtree(folder / "__pycache__", ignore_errors=True)
    for path in [site, *site.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = set(site.rglob("*"))
    environment = os.environ | {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "--pyargs", "churn", "-v", "-p", "no:hypothesispytest"]
    done = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False)
    for path in [site, *site.rglob("*")]:
        path.chmod(0o755)
    assert "test_scenario[twice] PASSED" in done.stdout
    assert "3 passed" in done.stdout
    assert set(site.rglob("*")) == before


@pytest.mark.parametrize("expected", [[2.0, 5.0], [2.0, 6.0]])
def test_pytest_fails_where_a_scenario_does_not_hold(tmp_path: Path, expected: list[float]) -> None:
    scenarios = [{"kind": "example", "name": "twice", "inputs": [{"x": 1}, {"x": 2.5}], "expected": {"y": expected}}]
    write_doubler(tmp_path, scenarios=scenarios)
    command = [sys.executable, "-m", "pytest", "-q", "--pyargs", "churn", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == (0 if expected == [2.0, 5.0] else 1)
    assert ("y is 5.0; 6.0 is expected" in done.stdout) == (expected == [2.0, 6.0])


def test_the_runtime_imports_only_the_standard_library(tmp_path: Path) -> None:
    folder = write_doubler(tmp_path)
    modules = [path.stem for path in (folder / "_runtime").glob("*.py") if path.stem != "__init__"]
    code = f"""
import importlib
for name in {modules!r}:
    importlib.import_module("churn.model._runtime." + name)
roots = {{name.partition(".")[0] for name in sys.modules}} - set(sys.stdlib_module_names) - {{"__main__"}}
print(sorted(roots))
"""
    assert run(code, tmp_path) == "['churn']\n"


def test_the_manifest_is_plain_data(tmp_path: Path) -> None:
    folder = write_doubler(tmp_path)
    said = run("import json, churn; print(json.dumps(churn.manifest()))", tmp_path)
    assert json.loads(said) == json.loads((folder / "manifest.json").read_text())
