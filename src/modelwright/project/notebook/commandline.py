"""Answer for a script's command line: a project has settings, so every option has its default.

Called by convert. ``parse_args()`` is asked about no arguments at all; the defaults of the options become settings like
every other literal. An option without a default is refused, because nothing says what it should be.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from modelwright.project.notebook.cells import cell_error
from modelwright.project.notebook.effects import dotted, last_name
from modelwright.project.notebook.statements import CodeCell

_PARSING = frozenset(["parse_args", "parse_known_args"])
_NO_ARGUMENTS = "[]"


def without_command_line(cells: Sequence[CodeCell]) -> tuple[CodeCell, ...]:
    r"""Return the cells as if the script were called without arguments.

    Args:
        cells: The code cells.

    Raises:
        CellError: An option has to be given; the cell that adds it is named.

    Example:
        >>> cell = CodeCell(1, "parser = argparse.ArgumentParser()\nargs = parser.parse_args()\n")
        >>> print(without_command_line([cell])[0].code.splitlines()[1])
        args = parser.parse_args([])
    """
    text = "\n".join(cell.code for cell in cells)
    if "ArgumentParser" in text:
        for cell in cells:
            _check_options(cell)
    elif "sys.argv" not in text:
        return tuple(cells)
    return tuple(replace(cell, code=_answered(cell.code)) for cell in cells)


def _check_options(cell: CodeCell) -> None:
    for call in _calls(cell.code, "add_argument"):
        option = option_of(call)
        given = {one.arg: one.value for one in call.keywords}
        optional = isinstance(given.get("nargs"), ast.Constant) and given["nargs"].value in ("?", "*")  # type: ignore[attr-defined]
        required = getattr(given.get("required"), "value", False) is True
        if option and (required or (not option.startswith("-") and not optional)):
            raise cell_error(
                cell.number,
                call.lineno,
                cell.code.split("\n")[call.lineno - 1],
                what=f"Cell {cell.number} asks for {option} on the command line.",
                why="A project has settings in place of a command line, and nothing says what this one should be.",
                hint=f"Give it a default: add_argument({option!r}, default=…), without required=True.",
            )


def _answered(code: str) -> str:
    """Return code that asks about no arguments; positions of a syntax tree count bytes."""
    lines = [line.encode() for line in code.split("\n")]
    places = [
        ((call.end_lineno or 0), (call.end_col_offset or 0) - 1, (call.end_col_offset or 0) - 1, _NO_ARGUMENTS)
        for name in _PARSING
        for call in _calls(code, name)
        if not call.args and not call.keywords
    ]
    places += [
        (node.lineno, node.col_offset, node.end_col_offset or 0, '["script"]')
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Attribute) and dotted(node) == "sys.argv" and isinstance(node.ctx, ast.Load)
    ]
    for line, start, end, text in sorted(places, reverse=True):
        lines[line - 1] = lines[line - 1][:start] + text.encode() + lines[line - 1][end:]
    return b"\n".join(lines).decode()


def _calls(code: str, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and last_name(node.func) == name:
            yield node


def option_of(call: ast.Call) -> str:
    """Return the option that a call of ``add_argument`` adds, as it is written on a command line.

    Example:
        >>> option_of(ast.parse("parser.add_argument('-t', '--test-size', default=0.2)", mode="eval").body)
        '--test-size'
    """
    names = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return next((name for name in names if name.startswith("--")), names[0] if names else "")


def attribute_of(call: ast.Call) -> str:
    """Return the attribute that holds the value of an option.

    Example:
        >>> attribute_of(ast.parse("parser.add_argument('--test-size', default=0.2)", mode="eval").body)
        'test_size'
    """
    named = next((one.value for one in call.keywords if one.arg == "dest"), None)
    if isinstance(named, ast.Constant) and isinstance(named.value, str):
        return named.value
    return option_of(call).lstrip("-").replace("-", "_")
