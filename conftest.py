"""Examples are tests: docstrings of the library, and the code blocks of README and the documentation.

In Markdown, the blocks of a page run in order, in a folder of the page's own:

- ```` ```python title="train.py" ```` writes the file, and so does ```` ```toml title="registry.toml" ````;
- ```` ```python ```` is executed, the names it defines are kept for the next block;
- ```` ```console ```` runs each line that begins with ``$`` and compares what it prints (``...`` stands for anything);
  ``exit=4`` says that the last one must end with that code, otherwise all must end with 0.

A page that contains ``<!-- begins with: captured -->`` finds the model folder ``models/tumour-1.0.0`` of
``docs/train.py`` in its folder; with ``built``, its wheel too. Both are made once per process.
"""

from __future__ import annotations

import atexit
import contextlib
import doctest
import functools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sybil import Document, Example, Region, Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.rest import DocTestParser

ROOT = Path(__file__).parent
FENCE = re.compile(r"^```(python|console|toml)\b([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMPARE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
TIMEOUT_S = 180


@functools.cache
def workshop() -> Path:
    """Make the model folder and the wheel that pages may begin with."""
    folder = Path(tempfile.mkdtemp(prefix="modelwright-docs-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    shutil.copy(ROOT / "docs" / "train.py", folder)
    for command in ("python train.py", "modelwright build models/tumour-1.0.0"):
        done = shell(command, folder)
        assert done.returncode == 0, done.stdout
    return folder


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a reader would, in an environment where modelwright is installed."""
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "110", "VIRTUAL_ENV": sys.prefix}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
    )


def blocks(document: Document) -> Iterable[Region]:
    """Find the code blocks of a page."""
    for match in FENCE.finditer(document.text):
        language, info, body = match.groups()
        evaluator = {"python": run_python, "console": run_console, "toml": write_titled}[language]
        attributes = dict(word.split("=", 1) for word in shlex.split(info) if "=" in word)
        yield Region(match.start(), match.end(), (attributes, body), evaluator)


def write_titled(example: Example) -> None:
    """Write the block to its file, if it names one."""
    attributes, body = example.parsed
    if "title" in attributes:
        target = place(example) / attributes["title"]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(body, encoding="utf-8")


def run_python(example: Example) -> None:
    """Write the block to its file, or execute it."""
    attributes, body = example.parsed
    folder = place(example)
    if "title" in attributes:
        write_titled(example)
        return
    code = compile("\n" * example.line + body, example.path, "exec")
    with contextlib.chdir(folder):
        exec(code, example.namespace)  # noqa: S102 - examples are there to be executed


def run_console(example: Example) -> str | None:
    """Run the commands of the block and compare what they print."""
    attributes, body = example.parsed
    sessions = re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]
    for position, session in enumerate(sessions):
        command, _, expected = re.sub(r"\\\n\s*", "", session).partition("\n")
        done = shell(command, place(example))
        wanted = int(attributes.get("exit", 0)) if position == len(sessions) - 1 else 0
        if done.returncode != wanted:
            return f"$ {command}\nended with {done.returncode} instead of {wanted}:\n{done.stdout}"
        if expected and not doctest.OutputChecker().check_output(expected, done.stdout, COMPARE):
            return f"$ {command}\nshould print:\n{expected}\nprinted:\n{done.stdout}"
    return None


def place(example: Example) -> Path:
    """Return the folder of the page, made when its first block runs."""
    namespace: dict[str, Any] = example.namespace
    if "_folder" not in namespace:
        folder = Path(tempfile.mkdtemp(prefix="modelwright-page-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        begins = re.search(r"<!-- begins with: (captured|built) -->", example.document.text)
        for name in {None: (), "captured": ("models",), "built": ("models", "dist")}[begins and begins[1]]:
            shutil.copytree(workshop() / name, folder / name)
        if begins:
            for file in workshop().glob("*.*"):
                shutil.copy(file, folder)
        namespace["_folder"] = folder
    return namespace["_folder"]


collect_ignore = ["tests/formats/apart"]
"""Each folder in it runs in an environment of its own: ``tests/formats/test_formats_apart.py``."""

docstrings = Sybil(
    parsers=[DocTestParser()],
    patterns=["src/modelwright/*.py", "src/modelwright/*/*.py", "src/modelwright/*/*/*.py"],
    excludes=[
        "src/modelwright/capturing/templates/*.py",
        "src/modelwright/project/templates/*.py",
        "src/modelwright/cli/demo_story/scripts/*.py",
    ],
    document_types={".py": PythonDocStringDocument},
)
pages = Sybil(parsers=[blocks], patterns=["README.md", "docs/*.md", "docs/**/*.md"])
pytest_collect_file = (docstrings + pages).pytest()
