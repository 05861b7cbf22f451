"""Read Jupyter's own files (``.ipynb``).

Called by reading. Format 4 is read with msgspec: importing nbformat takes seconds where jsonschema finds its optional
format checkers (one of them compiles a grammar when it is imported), and validates much that is not needed here. Older
formats are upgraded by nbformat, which is imported for them only.

Source: the notebook file format, version 4 (nbformat documentation, "The Notebook file format").
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import msgspec

from modelwright import plugins
from modelwright.errors import NotebookError
from modelwright.project.notebook.cells import Cell, Notebook

FORMAT = 4
"""Major version of the format that is read without help; there is no newer one."""


class _Cell(msgspec.Struct):
    cell_type: str
    source: str | list[str] = ""
    metadata: dict[str, Any] = {}
    execution_count: int | None = None


class _Document(msgspec.Struct):
    cells: list[_Cell]
    metadata: dict[str, Any] = {}


def read(text: str, *, path: Path, sha256: str) -> Notebook:
    """Read the text of an ``.ipynb`` file.

    Args:
        text: Its content.
        path: Where it came from.
        sha256: Digest of the file.

    Raises:
        NotebookError: Not JSON, JSON without cells, malformed cells, or a format that is not known.
    """
    content = decode(text, path)
    notes = []
    version = content.get("nbformat", FORMAT if "cells" in content else 3)
    if version != FORMAT:
        content = upgraded(text, version, path)
        notes.append(f"The file is in notebook format {version} and was read as format {FORMAT}.")
    try:
        document = msgspec.convert(content, _Document)
    except msgspec.ValidationError as error:
        raise NotebookError("The notebook is malformed.", where=str(path), why=f"{error}.", hint=_SAVE_AGAIN) from error
    python = _python(document.metadata)
    if python.startswith("2"):
        notes.append(f"It was last executed with Python {python}; its cells are read as Python 3.")
    return Notebook(
        name=path.stem,
        path=str(path),
        sha256=sha256,
        cells=tuple(_cell(number, cell) for number, cell in enumerate(document.cells, start=1)),
        kernel=_kernel(document.metadata),
        python=python,
        form="ipynb",
        notes=tuple(notes),
    )


def decode(text: str, path: Path) -> dict[str, Any]:
    """Return the JSON object of a notebook.

    Raises:
        NotebookError: Not JSON, or JSON without cells.
    """
    if not text.strip():
        raise NotebookError("The notebook is empty.", where=str(path), why="The file has no content.")
    try:
        content = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        begin = text.strip().partition("\n")[0][:60]
        raise NotebookError(
            f"{path.name} is not a notebook.",
            where=f"{path}: {begin}",
            why=f"An .ipynb file is JSON, and this is not: {error}.",
            hint=_SAVE_AGAIN,
        ) from error
    if not isinstance(content, dict) or not {"cells", "worksheets"} & content.keys():
        raise NotebookError(
            f"{path.name} is JSON, but not a notebook.", where=str(path), why="There are no cells in it."
        )
    return content


def upgraded(text: str, version: Any, path: Path) -> dict[str, Any]:
    """Return the content of a notebook in an older format as format 4.

    Raises:
        NotebookError: There is no such format, or the file does not follow it.
        MissingExtraError: nbformat is not installed.
    """
    if not isinstance(version, int) or not 1 <= version < FORMAT:
        raise NotebookError(
            f"{path.name} is in notebook format {version!r}.", where=str(path), why=f"Formats 1 to {FORMAT} are known."
        )
    plugins.need("project", "nbformat")
    nbformat: Any = importlib.import_module("nbformat")  # takes seconds: see the module's docstring

    try:
        return dict(nbformat.convert(nbformat.reader.reads(text), FORMAT))
    except Exception as error:  # nbformat raises what its attribute accesses happen to raise
        raise NotebookError(
            f"{path.name} says that it is in notebook format {version}, but does not follow it.",
            where=str(path),
            why=f"{type(error).__name__}: {error}",
            hint=_SAVE_AGAIN,
        ) from error


def _cell(number: int, cell: _Cell) -> Cell:
    source = cell.source if isinstance(cell.source, str) else "".join(cell.source)
    tags = cell.metadata.get("tags")
    return Cell(
        number=number,
        kind="code" if cell.cell_type == "code" else "markdown",
        source=source.replace("\r\n", "\n").replace("\r", "\n"),
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        execution_count=cell.execution_count,
    )


def _kernel(metadata: dict[str, Any]) -> str:
    spec, info = _object(metadata, "kernelspec"), _object(metadata, "language_info")
    named = spec.get("language") or info.get("name") or metadata.get("language") or spec.get("name") or "python"
    return str(named).lower().partition("-")[0]


def _python(metadata: dict[str, Any]) -> str:
    version = _object(metadata, "language_info").get("version")
    if isinstance(version, str):
        return version
    return "2" if _object(metadata, "kernelspec").get("name") == "python2" else ""


def _object(metadata: dict[str, Any], key: str) -> dict[str, Any]:
    value = metadata.get(key)
    return value if isinstance(value, dict) else {}


_SAVE_AGAIN = "Open it in Jupyter and save it again."
