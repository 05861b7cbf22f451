"""What no module of the registry does at all: run a package, load a model, call a shell, unpack, backtrack."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from archives import files_of, record_again
from registry_wheels import library_wheel

from modelwright import registry
from modelwright.registry.operating.local import LocalService

ROOT = Path(registry.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
FORBIDDEN_MODULES = {
    *("subprocess", "pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "runpy", "imp", "pty"),
    *("importlib.util", "importlib.machinery", "importlib.import_module", "skops", "torch", "onnx", "onnxruntime"),
    *("modelwright.adapters", "modelwright.runtime.loading", "modelwright.inspecting.verify.verify"),
}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "extract", "extractall", "unpack_archive", "import_module"}
PATIENCE_S = 0.05
"""CPU time that no pattern needs for any text of ours, seconds; the slowest takes a fraction of it."""
FORBIDDEN_OF_OS = {"system", "popen", "startfile"}


def _refused(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{one.name}" for one in node.names]
        else:
            names = []
        yield from (
            name for name in names if any(f"{name}.".startswith(f"{forbidden}.") for forbidden in FORBIDDEN_MODULES)
        )
        if isinstance(node, ast.Call):
            called = node.func
            name = (
                called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
            )
            of = called.value.id if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) else ""
            if (name in FORBIDDEN_CALLS and of not in ("re", "func")) or any(
                one.arg == "shell" for one in node.keywords
            ):
                yield f"{name}()"
            if of == "os" and (name in FORBIDDEN_OF_OS or name.startswith(("exec", "spawn"))):
                yield f"os.{name}()"


def test_no_module_runs_loads_or_unpacks_anything() -> None:
    assert len(MODULES) > 100
    found = {path.name: names for path in MODULES if (names := list(_refused(ast.parse(path.read_text("utf-8")))))}
    assert found == {}


@pytest.mark.parametrize(
    "line",
    [
        "import subprocess",
        "from pickle import loads",
        "import os; os.system('ls')",
        "archive.extractall('x')",
        "run('ls', shell=True)",
        "eval('1')",
        "from importlib import import_module",
    ],
)
def test_what_is_looked_for_would_be_found(line: str) -> None:
    assert list(_refused(ast.parse(line)))


def test_a_package_that_acts_when_it_is_imported_is_taken_in_without_acting(
    service: LocalService, tmp_path: Path
) -> None:
    mark = tmp_path / "it acted"
    wheel = library_wheel(tmp_path, "1.0", name="acting")
    files = files_of(wheel)
    files["acting/__init__.py"] = f"open({str(mark)!r}, 'w').close()\n".encode()
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in record_again(files).items():
            archive.writestr(name, content)
    assert service.upload(wheel).new
    assert service.check().sound
    assert not mark.exists()


def _patterns() -> dict[str, re.Pattern[str]]:
    found = {}
    for module in pkgutil.walk_packages([str(ROOT)], "modelwright.registry."):
        if ".migrations." in module.name:
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            several = value if isinstance(value, dict) else {name: value}
            found |= {f"{module.name}.{key}": one for key, one in several.items() if isinstance(one, re.Pattern)}
    return found


def test_no_pattern_backtracks() -> None:
    patterns = _patterns()
    assert len(patterns) > 20
    pieces = [
        "a",
        "0",
        "A",
        ".",
        "-",
        "_",
        " ",
        "\t",
        "#",
        "\n",
        "---\n",
        "/",
        "a.",
        "1.",
        "a-",
        "<",
        "==",
        "%",
        "[",
        "é",
    ]
    slow = {
        f"{name} on {head!r} and {piece!r}": took
        for name, pattern in patterns.items()
        for piece in pieces
        for head in ("", "a", "1", "---\n", "bytes=", "/", "[", "# ", "3.1", "mw_")
        if (took := _slowest_s(pattern, head, piece)) > PATIENCE_S
    }
    assert slow == {}


def _slowest_s(pattern: re.Pattern[str], head: str, piece: str) -> float:
    """Return the CPU time of the first text that takes too long: short ones first, or an exponential one never ends."""
    took = 0.0
    for count in (12, 16, 20, 24, 300, 20_000):
        text = f"{head}{piece * count}\0"
        begun = time.process_time()
        pattern.fullmatch(text)
        pattern.match(text)
        took = time.process_time() - begun
        if took > PATIENCE_S:
            break
    return took


@pytest.mark.parametrize("pattern", [r"(a+)*b", r"(a|a)*b", r"a*a*b"])
def test_a_pattern_that_backtracks_would_be_found(pattern: str) -> None:
    assert _slowest_s(re.compile(pattern), "", "a") > PATIENCE_S
