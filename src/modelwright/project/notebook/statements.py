"""Split cells into statements, each with the names and objects it touches.

Called by convert. A statement is the unit that everything later decides about; it keeps the comments above it, because
libcst splits and :mod:`ast` only looks.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst

from modelwright.project.notebook.effects import Effects, effects
from modelwright.project.notebook.names import Occurrence, occurrences


@dataclass(frozen=True)
class CodeCell:
    """A code cell without IPython's commands.

    Attributes:
        number: Its position in the notebook, from 1.
        code: Python.
        heading: Headings above it, the nearest last, lower case.
        tags: Its tags.
        execution_count: When it was last executed.
    """

    number: int
    code: str
    heading: str = ""
    tags: tuple[str, ...] = ()
    execution_count: int | None = None


@dataclass(frozen=True, eq=False)
class Statement:
    """One statement of the notebook's own scope.

    Attributes:
        cell: The cell it stands in.
        line: Its first line in the cell, from 1.
        code: Its text with the comments above it, ending with a line break.
        node: Its syntax tree; lines are those of ``code``.
        occurrences: Names of the notebook's own scope in it.
        effects: What it does to objects.
    """

    cell: CodeCell
    line: int
    code: str
    node: ast.stmt
    occurrences: tuple[Occurrence, ...]
    effects: Effects

    @property
    def is_import(self) -> bool:
        """Whether it only imports, perhaps trying one module after another."""
        return _only_imports(self.node)

    @property
    def defines(self) -> str:
        """Name of the function or class that it defines; empty for every other statement."""
        named = isinstance(self.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        return self.node.name if named else ""  # type: ignore[attr-defined]

    @cached_property
    def reads(self) -> frozenset[str]:
        """Names whose value from before it reads when it runs: not the target of a loop in the body of that loop."""
        found: set[str] = set()
        bound: set[str] = set()
        for one in self.occurrences:
            if one.deferred:
                continue
            if one.context == "load" and one.name not in bound:
                found.add(one.name)
            elif one.context == "store" and one.certain:
                bound.add(one.name)
        return frozenset(found)

    @cached_property
    def deferred(self) -> frozenset[str]:
        """Names that functions defined in it read when they are called."""
        return frozenset(one.name for one in self.occurrences if one.context == "load" and one.deferred)

    @cached_property
    def deferred_binds(self) -> frozenset[str]:
        """Names that functions defined in it bind when they are called (``global``)."""
        return frozenset(one.name for one in self.occurrences if one.context == "store" and one.deferred)

    @cached_property
    def binds(self) -> frozenset[str]:
        """Names that it always binds anew."""
        return frozenset(
            one.name for one in self.occurrences if one.context == "store" and one.certain and not one.deferred
        ) - frozenset(self._augmented())

    @cached_property
    def may_bind(self) -> frozenset[str]:
        """Names that it may bind, or changes in place of binding them anew (``+=``)."""
        stored = (one.name for one in self.occurrences if one.context == "store" and not one.deferred)
        return frozenset(stored) - self.binds

    def _augmented(self) -> Iterator[str]:
        if isinstance(self.node, ast.AugAssign) and isinstance(self.node.target, ast.Name):
            yield self.node.target.id


def _only_imports(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if not isinstance(node, ast.Try):
        return False
    inside = [*node.body, *node.orelse, *node.finalbody, *(one for handler in node.handlers for one in handler.body)]
    imports = [one for one in inside if _only_imports(one)]
    flags = [one for one in inside if isinstance(one, ast.Pass | ast.Assign | ast.Raise | ast.Expr)]
    return bool(imports) and len(imports) + len(flags) == len(inside)


def imported_modules(cells: Iterable[CodeCell]) -> dict[str, str]:
    r"""Return what each imported name of a notebook stands for.

    Example:
        >>> imported_modules([CodeCell(1, "import pandas as pd\nfrom random import shuffle")])
        {'pd': 'pandas', 'shuffle': 'random.shuffle'}
    """
    found: dict[str, str] = {}
    for cell in cells:
        for node in ast.walk(ast.parse(cell.code)):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    found[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{'.' * node.level}{node.module or ''}.{alias.name}"
    return found


def split(cell: CodeCell, modules: dict[str, str]) -> list[Statement]:
    r"""Split a cell into its statements.

    Args:
        cell: The cell.
        modules: What each imported name of the notebook stands for.

    Example:
        >>> [one.code for one in split(CodeCell(1, "# two\nx = 1; y = x"), {})]
        ['# two\nx = 1\n', 'y = x\n']
    """
    module = cst.parse_module(cell.code if cell.code.endswith("\n") else cell.code + "\n")
    statements = []
    line = 1
    for position, part in enumerate(module.body):
        above = "".join(module.code_for_node(empty) for empty in module.header) if position == 0 else ""
        for code in _separated(module, part):
            statements.append(_statement(cell, line, above + code, modules))
            above = ""
        line += (module.code_for_node(part)).count("\n")
        if position == 0:
            line += len(module.header)
    return [one for one in statements if not isinstance(one.node, ast.Pass)]


def _separated(module: cst.Module, part: cst.CSTNode) -> Iterator[str]:
    """Return the code of a statement, or of each of several on one line."""
    if not isinstance(part, cst.SimpleStatementLine) or len(part.body) < 2:
        yield module.code_for_node(part)
        return
    for position, small in enumerate(part.body):
        alone = part.with_changes(
            body=[small.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)],
            leading_lines=part.leading_lines if position == 0 else (),
        )
        yield module.code_for_node(alone)


def _statement(cell: CodeCell, line: int, code: str, modules: dict[str, str]) -> Statement:
    blank = re.match(r"(?:[ \t]*\n)*", code)
    skipped = blank.group().count("\n") if blank else 0
    text = "\n".join(code.split("\n")[skipped:])
    node = ast.parse(text).body[0]
    return Statement(cell, line + skipped, text, node, occurrences(node), effects(node, modules))
