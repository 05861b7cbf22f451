"""Scripts and projects as users write them, and helpers to run them in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

COLLECT = """
import json as _json, sys as _sys
from modelwright.capturing.code import collect as _collect
from modelwright.errors import ModelwrightError as _Error

def report(model, *, package="churn", modules=(), root=None):
    try:
        found = _collect(model, package=package, modules=modules)
    except _Error as error:
        answer = {"error": type(error).__name__, "what": error.what, "hint": error.hint}
    else:
        answer = {"files": found.files, "lifted": found.lifted, "modules": found.modules,
                  "imports": [i.module for i in found.imports], "data": [p.name for p in found.data_files],
                  "variables": found.variables, "model_modules": found.model_modules}
        if root:
            import pathlib, joblib
            folder = pathlib.Path(root) / package
            folder.mkdir(parents=True)
            (folder / "__init__.py").write_text("")
            found.write(folder)
            with found.rehomed():
                joblib.dump(model, pathlib.Path(root) / (package + ".joblib"))
    print(_json.dumps(answer))
"""


def run(folder: Path, script: str, *, name: str = "train.py") -> dict[str, Any]:
    """Run a script file in its folder, the way ``python train.py`` does; return what it reported."""
    (folder / "code_report.py").write_text(COLLECT)
    (folder / name).write_text(textwrap.dedent(script))
    return _answer([sys.executable, "-B", str(folder / name)], folder)


def run_command(folder: Path, script: str) -> dict[str, Any]:
    """Run a script with ``python -c``."""
    (folder / "code_report.py").write_text(COLLECT)
    return _answer([sys.executable, "-B", "-c", textwrap.dedent(script)], folder)


def run_cells(folder: Path, *cells: str) -> dict[str, Any]:
    """Run notebook cells the way IPython does: compiled one by one, their text put into ``linecache``."""
    (folder / "code_report.py").write_text(COLLECT)
    runner = """
        import json, linecache, sys, time
        sys.argv = sys.argv[:1]
        del globals()["__file__"]
        for number, cell in enumerate(json.load(open("cells.json"))):
            name = f"<ipython-input-{number + 1}-0123abcd>"
            linecache.cache[name] = (len(cell), time.time(), [line + "\\n" for line in cell.splitlines()], name)
            exec(compile(cell, name, "exec"), globals())
    """
    (folder / "cells.json").write_text(json.dumps([textwrap.dedent(cell) for cell in cells]))
    (folder / "kernel.py").write_text(textwrap.dedent(runner))
    return _answer([sys.executable, "-B", "kernel.py"], folder)


def run_in(folder: Path, code: str) -> str:
    """Run code with only ``folder`` importable; return what it printed."""
    code = f"import sys; sys.path.insert(0, {str(folder)!r})\n{textwrap.dedent(code)}"
    done = subprocess.run(
        [sys.executable, "-E", "-P", "-B", "-c", code], cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _answer(command: list[str], folder: Path) -> dict[str, Any]:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
