"""Read a plain script as a notebook: each block between blank lines is a cell.

Called by reading and percent. Comments stay with the block they stand before. A file with a syntax error is one cell,
so that the error is about that cell.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from pathlib import Path

from modelwright.project.notebook.cells import Cell, Kind, Notebook


def read(text: str, *, path: Path, sha256: str) -> Notebook:
    """Read the text of a script.

    Args:
        text: Its content.
        path: Where it came from.
        sha256: Digest of the file.
    """
    cells = [Cell(number=number, kind=kind, source=source) for number, (kind, source) in enumerate(blocks(text), 1)]
    return Notebook(name=path.stem, path=str(path), sha256=sha256, cells=tuple(cells), form="script")


def blocks(text: str) -> Iterator[tuple[Kind, str]]:
    r"""Yield kind and text of each block; one of comments only is for people, not for Python.

    Example:
        >>> list(blocks("# Title\n\nx = 1\ny = 2\n\n# sum\nx + y\n"))
        [('markdown', 'Title'), ('code', 'x = 1\ny = 2'), ('code', '# sum\nx + y')]
    """
    inside = _inside(text)
    block: list[str] = []
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        if line.strip() or number in inside:
            block.append(line)
        elif block:
            yield _block(block)
            block = []


def _block(lines: list[str]) -> tuple[Kind, str]:
    if all(line.startswith("#") for line in lines):
        return "markdown", "\n".join(line[1:].removeprefix(" ") for line in lines)
    return "code", "\n".join(lines)


def _inside(text: str) -> set[int]:
    """Return the lines within statements of several lines, where a blank line separates nothing."""
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return set(range(1, text.count("\n") + 2))
    return {line for statement in tree.body for line in range(statement.lineno, (statement.end_lineno or 0) + 1)}
