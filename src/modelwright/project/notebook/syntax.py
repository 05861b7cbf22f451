"""Parse a cell, and say what is wrong with it in the words of someone who wrote it years ago.

Called by magics and marimo. It does not know IPython's commands: they are taken out before.
"""

from __future__ import annotations

import ast
import re
import warnings

from modelwright.errors import CellError
from modelwright.project.notebook.cells import cell_error

_PYTHON_2 = (
    (re.compile(r"^\s*print\s+(?![=(\[.])\S"), "print is a statement"),
    (re.compile(r"^\s*except\s+[\w.()]+\s*,\s*\w+\s*:"), "an exception is caught with a comma"),
    (re.compile(r"^\s*raise\s+[\w.]+\s*,"), "an exception is raised with a comma"),
    (re.compile(r"^\s*exec\s+[^(=\s]"), "exec is a statement"),
    (re.compile(r"`[^`]+`"), "backticks stand for repr()"),
    (re.compile(r"<>"), "'<>' stands for '!='"),
    (re.compile(r"\b\d+[lL]\b"), "a whole number ends with L"),
    (re.compile(r"(?<![\w.])0\d+\b"), "an octal number begins with 0"),
    (re.compile(r"\bur[\"']"), "a string begins with ur"),
)


def parse(code: str, *, number: int) -> ast.Module:
    """Return the syntax tree of a cell without IPython's commands.

    Args:
        code: Its text.
        number: Number of the cell, for the error.

    Raises:
        CellError: It is no Python 3; one that is written for Python 2 is called so.

    Example:
        >>> parse("x = 1", number=3).body[0].targets[0].id
        'x'
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # "\\d" in a string is the author's business
            compile(code, f"<cell {number}>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise _refusal(error, code, number) from error


def dedented(code: str) -> str:
    r"""Return a cell without the indentation that all of it has, as IPython takes it away before it runs one.

    Example:
        >>> dedented("  x = 1\n  if x:\n    y = 2")
        'x = 1\nif x:\n  y = 2'
    """
    lines = code.split("\n")
    first = next((line for line in lines if line.strip()), "")
    space = first[: len(first) - len(first.lstrip(" \t"))]
    return "\n".join(line.removeprefix(space) for line in lines) if space else code


def _refusal(error: SyntaxError | ValueError | RecursionError, code: str, number: int) -> CellError:
    line = (getattr(error, "lineno", 0) or 0) if isinstance(error, SyntaxError) else 0
    lines = code.split("\n")
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    old = _python_2(text)
    if old:
        return cell_error(
            number,
            line,
            text,
            what=f"Cell {number} is written for Python 2.",
            why=f"In it {old}; Python 3 does not know that.",
            hint="Translate the cell to Python 3, run the notebook once, and convert it then.",
        )
    reason = error.msg if isinstance(error, SyntaxError) else str(error)
    return cell_error(
        number, line, text, what=f"Cell {number} is not valid Python.", why=f"{reason}.", hint="Correct or remove it."
    )


def _python_2(text: str) -> str:
    return next((meaning for pattern, meaning in _PYTHON_2 if pattern.search(text)), "")
