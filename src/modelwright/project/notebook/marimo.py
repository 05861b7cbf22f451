r"""Read marimo notebooks: Python files in which each cell is a function.

Called by reading. The file is parsed, never imported. The order of the file is kept; marimo's own order is that of the
data flow, which whoever converts the notebook finds out anyway.

Source: marimo documentation, "File format": ``@app.cell``, ``@app.function``, ``@app.class_definition``,
``with app.setup``.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from modelwright.project.notebook.cells import Cell, Kind, Notebook
from modelwright.project.notebook.syntax import parse

APP = "App("
_WHOLE = {"function", "class_definition"}
_MARKDOWN = re.compile(r"\w+\.md")


def read(text: str, *, path: Path, sha256: str) -> Notebook:
    """Read the text of a marimo file.

    Args:
        text: Its content.
        path: Where it came from.
        sha256: Digest of the file.

    Raises:
        CellError: The file is no Python.
    """
    lines = text.split("\n")
    found = [cell for node in parse(text, number=1).body for cell in _cells(node, lines)]
    cells = [Cell(number=number, kind=kind, source=source) for number, (kind, source) in enumerate(found, start=1)]
    return Notebook(name=path.stem, path=str(path), sha256=sha256, cells=tuple(cells), form="marimo")


def _cells(node: ast.stmt, lines: list[str]) -> Iterator[tuple[Kind, str]]:
    if isinstance(node, ast.With | ast.AsyncWith):
        if any(_app_attribute(item.context_expr) == "setup" for item in node.items):
            yield "code", _body(node, lines)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        kinds = {_app_attribute(decorator) for decorator in node.decorator_list}
        if kinds & _WHOLE:
            yield "code", "\n".join(lines[node.lineno - 1 : node.end_lineno])
        elif "cell" in kinds and not isinstance(node, ast.ClassDef):
            prose = _prose(node)
            yield ("markdown", prose) if prose is not None else ("code", _body(node, lines))


def _app_attribute(node: ast.expr) -> str:
    """Return ``cell`` for ``app.cell`` and ``app.cell(hide_code=True)``."""
    node = node.func if isinstance(node, ast.Call) else node
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "app":
        return node.attr
    return ""


def _prose(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    """Return the text of a cell that does nothing but show Markdown."""
    body = [statement for statement in node.body if not isinstance(statement, ast.Return)]
    if len(body) != 1 or not isinstance(body[0], ast.Expr) or not isinstance(body[0].value, ast.Call):
        return None
    call = body[0].value
    if not _MARKDOWN.fullmatch(ast.unparse(call.func)) or len(call.args) != 1:
        return None
    text = call.args[0]
    if isinstance(text, ast.Constant) and isinstance(text.value, str):
        return inspect.cleandoc(text.value)
    return ast.unparse(text)


def _body(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.With | ast.AsyncWith, lines: list[str]) -> str:
    """Return the body of a block as a text of its own, without the ``return`` that marimo writes at its end."""
    first = node.lineno
    while not lines[first - 1].partition("  #")[0].rstrip().endswith(":"):
        first += 1
    last = node.end_lineno or first
    if isinstance(node.body[-1], ast.Return):
        last = node.body[-1].lineno - 1
    indent = " " * node.body[0].col_offset
    fixed = _within_strings(node)
    kept = [
        line if number in fixed else line.removeprefix(indent)
        for number, line in enumerate(lines[first:last], start=first + 1)
    ]
    return "\n".join(kept).strip("\n")


def _within_strings(node: ast.AST) -> set[int]:
    """Return the lines that begin inside a string, whose indentation is content."""
    strings = [n for n in ast.walk(node) if isinstance(n, ast.JoinedStr | ast.Constant)]
    return {line for one in strings for line in range(one.lineno + 1, (one.end_lineno or 0) + 1)}
