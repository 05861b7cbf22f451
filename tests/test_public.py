"""What is public is listed, documented, small and cheap to import."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest

import modelwright

SOURCE = Path(modelwright.__file__).parent
MODULES = sorted(path for path in SOURCE.rglob("*.py"))
HEAVY = {"numpy", "pandas", "polars", "pyarrow", "sklearn", "scipy", "skops", "joblib", "matplotlib"} | {
    *("narwhals", "msgspec", "rich", "cyclopts", "cyclonedx", "packaging", "httpx2", "tomlkit", "asyncio")
}


def relative(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def test_there_are_few_public_names():
    assert len(modelwright.__all__) <= 25


@pytest.mark.parametrize("name", [name for name in modelwright.__all__ if name != "__version__"])
def test_every_public_name_is_importable_documented_and_its_own(name):
    value = getattr(modelwright, name)
    assert value.__name__ == name
    assert (inspect.getdoc(value) or "").strip()
    assert value.__module__.startswith("modelwright.")


def test_public_names_are_what_dir_and_the_type_checker_see():
    assert sorted(modelwright.__all__) == dir(modelwright) == sorted({"__version__", *modelwright._HOMES})
    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    for_types = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.If)
        for child in node.body
        if isinstance(child, ast.ImportFrom)
        for alias in child.names
    }
    assert for_types == set(modelwright._HOMES)


def test_unknown_name_is_an_attribute_error_that_names_it():
    with pytest.raises(AttributeError, match="has no attribute 'captur'"):
        modelwright.captur  # noqa: B018


def test_public_names_are_in_the_reference():
    page = (SOURCE.parents[1] / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    assert [name for name in modelwright.__all__ if f"`{name}" not in page] == []


@pytest.mark.parametrize("arguments", [["-c", "import modelwright"], ["-m", "modelwright", "--help"]], ids=str)
def test_import_and_front_page_load_nothing_heavy(arguments):
    script = ["-X", "importtime", *arguments]
    done = subprocess.run([sys.executable, *script], capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "modelwright" in loaded
    assert sorted(loaded & HEAVY) == []


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_every_module_says_what_it_is_for(path):
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring
    assert docstring.splitlines()[0].endswith((".", ":", "?"))


def test_no_module_is_a_drawer_for_odds_and_ends():
    drawers = {"utils", "util", "helpers", "common", "misc", "base", "core", "manager"}
    assert [relative(path) for path in MODULES if {path.stem, *path.relative_to(SOURCE).parts} & drawers] == []


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_no_module_is_long(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", [path for path in MODULES if not path.is_relative_to(SOURCE / "cli")], ids=relative)
def test_library_code_neither_prints_nor_exits_nor_reads_the_environment(path):
    if path.is_relative_to(SOURCE / "runtime") and path.name == "cli.py":
        return  # the command line of a packaged model
    if {path.name, path.parent.name} & EDGES or "templates" in path.parts:
        return
    forbidden = {("os", "environ"), ("os", "getenv"), ("sys", "exit"), ("sys", "argv")}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    library = [node for statement in tree.body if not is_entry(statement) for node in ast.walk(statement)]
    used = {
        (node.value.id, node.attr)
        for node in library
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    printed = [node for node in library if isinstance(node, ast.Name) and node.id == "print"]
    assert used & forbidden == set()
    assert printed == []


def is_entry(statement: ast.stmt) -> bool:
    """Say whether a statement runs only where its module is run as a program, as that of a worker is."""
    return isinstance(statement, ast.If) and ast.unparse(statement.test) == "__name__ == '__main__'"


EDGES = {"__main__.py", "backend.py", "processes.py", "digests.py", "lineage.py", "testing.py"} | {
    *("notebook_child.py", "project_child.py", "catboost_loader.py", "keras_loader", "onnx_loader.py")
}
"""Where the environment may be read: entries that a program calls (turned into arguments there), the place that
decides what a child process inherits, the location of the user's cache folder, the one variable by which a notebook
says which file it is, and loaders whose library is told through it by whoever runs the model: how many threads it may
have (a convention that these do not follow themselves), and which backend Keras has."""


def test_the_core_requires_few_distributions():
    core = [requirement for requirement in requires("modelwright") or [] if "extra ==" not in requirement]
    assert len(core) <= 8
