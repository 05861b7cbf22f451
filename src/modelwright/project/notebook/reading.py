"""Read a notebook from any of the files it may be kept in.

Called by convert. It tells the forms apart and reads the bytes; each form has a module of its own. Nothing is
executed, and nothing of IPython or marimo is needed.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from modelwright.errors import NotebookError
from modelwright.project.notebook import ipynb, marimo, percent, scripts
from modelwright.project.notebook.cells import Notebook

_LANGUAGES = {".r": "R", ".rmd": "R", ".qmd": "Quarto", ".jl": "Julia", ".scala": "Scala", ".sql": "SQL"}
_KERNELS = {"r": "R", "ir": "R", "julia": "Julia", "scala": "Scala", "javascript": "JavaScript", "sos": "SoS"}
_MARIMO = re.compile(r"^(import marimo\b|from marimo\b)", re.MULTILINE)


def read_notebook(path: str | Path) -> Notebook:
    """Read a notebook: ``.ipynb``, a marimo file, a percent or jupytext file, or a plain script.

    Args:
        path: The file.

    Raises:
        NotebookError: It is not there, cannot be read, is no notebook, has no code, or is not for Python.
    """
    path = Path(path)
    content = _content(path)
    text = _text(content, path)
    sha256 = hashlib.sha256(content).hexdigest()
    if path.suffix.lower() == ".ipynb":
        notebook = ipynb.read(text, path=path, sha256=sha256)
    elif _MARIMO.search(text) and marimo.APP in text:
        notebook = marimo.read(text, path=path, sha256=sha256)
    elif percent.has_markers(text):
        notebook = percent.read(text, path=path, sha256=sha256)
    else:
        notebook = scripts.read(text, path=path, sha256=sha256)
    _check(notebook)
    return notebook


def _content(path: Path) -> bytes:
    if path.is_dir():
        notebooks = sorted(item.name for item in path.glob("*.ipynb"))
        hint = f"Give the file: {path / notebooks[0]}" if notebooks else "Give the notebook's file."
        raise NotebookError(f"{path} is a folder, not a notebook.", where=str(path), hint=hint)
    suffix = path.suffix.lower()
    if suffix in _LANGUAGES:
        raise NotebookError(f"{path.name} is written in {_LANGUAGES[suffix]}.", where=str(path), why=_ONLY_PYTHON)
    if suffix not in (".ipynb", ".py"):
        raise NotebookError(
            f"{path.name} is not a kind of notebook that is known.",
            where=str(path),
            why="Read are .ipynb, and .py with cells (percent, jupytext, marimo) or without.",
            hint=f"jupytext --to ipynb {path.name}" if suffix == ".md" else "Save it as .ipynb.",
        )
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotebookError(f"There is no file {path}.", where=str(path.absolute())) from error
    except OSError as error:
        raise NotebookError(f"{path} cannot be read.", where=str(path), why=str(error.strerror or error)) from error


def _text(content: bytes, path: Path) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotebookError(
            f"{path.name} is not a text file in UTF-8.", where=f"{path}, byte {error.start}", why="It is no notebook."
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _check(notebook: Notebook) -> None:
    kernel = notebook.kernel
    if not kernel.startswith(("python", "ipython", "xpython")):
        raise NotebookError(
            f"The notebook is written for a kernel of {_KERNELS.get(kernel, kernel)}.",
            where=notebook.path,
            why=_ONLY_PYTHON,
        )
    if not any(cell.kind == "code" and cell.source.strip() for cell in notebook.cells):
        why = f"It has {len(notebook.cells)} cells, none with code." if notebook.cells else "It has no cells."
        raise NotebookError("The notebook is empty.", where=notebook.path, why=why)


_ONLY_PYTHON = "Only Python becomes a Python package."
