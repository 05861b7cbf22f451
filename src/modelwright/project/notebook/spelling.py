"""Spell a statement of the notebook as a statement of the project: other names, settings, paths; comments stay.

Called by writing. The text is edited in place, from the last position to the first, so that everything nobody decided
about stays as the author wrote it.
"""

# ruff: noqa: N802, ARG002 - the names and arguments of libcst.CSTTransformer's protocol

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import libcst as cst

from modelwright.project.notebook.knobs import Knobs
from modelwright.project.notebook.plan import Plan


@dataclass(frozen=True)
class _Edit:
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Speller:
    """Spells statements.

    Attributes:
        plan: The plan.
        knobs: Literals and names that are settings.
        paths: How literal paths are written in the project.
    """

    plan: Plan
    knobs: Knobs
    paths: Mapping[str, str]

    def statement(self, index: int, names: Mapping[str, str] | None = None) -> str:
        """Return the text of a statement.

        Args:
            index: Which.
            names: How to write a name where the plan says nothing about it.
        """
        statement = self.plan.flow.statements[index]
        return self._edited(index, statement.code, names or {})

    def expression(self, index: int, node: ast.expr, names: Mapping[str, str] | None = None) -> str:
        """Return the text of an expression inside a statement."""
        statement = self.plan.flow.statements[index]
        if any(isinstance(parent, ast.JoinedStr) and _inside(node, parent) for parent in ast.walk(statement.node)):
            return self._in_words(index, ast.unparse(node), names or {})
        lines = _Lines(statement.code)
        start, end = lines.span(node)
        whole = statement.code.encode()
        edits = [edit for edit in self._edits(index, lines, names or {}) if start <= edit.start and edit.end <= end]
        return _apply(whole, edits)[start : end + _growth(edits)].decode()

    def words(self, text: str, meaning: Mapping[str, str]) -> str:
        """Return code with names written differently, found as whole words outside of texts and attributes."""
        return _renamed(text, meaning)

    def _in_words(self, index: int, text: str, names: Mapping[str, str]) -> str:
        return _renamed(text, {**self._meaning(index), **names, **self.knobs.names})

    def _meaning(self, index: int) -> dict[str, str]:
        touch = self.plan.flow.touches[index]
        values = {value.name: value for value in touch.makes} | touch.reads
        return {name: self.plan.names.get(value, name) for name, value in values.items() if value.kind == "data"}

    def _edited(self, index: int, code: str, names: Mapping[str, str]) -> str:
        lines = _Lines(code)
        text = _apply(code.encode(), list(self._edits(index, lines, names))).decode()
        changes = {**self._meaning(index), **names, **self.knobs.names}
        inside = _names_in_formatted(self.plan.flow.statements[index].node)
        changes = {name: new for name, new in changes.items() if name != new and name in inside}
        return _in_formatted(text, changes) if changes else text

    def _edits(self, index: int, lines: _Lines, names: Mapping[str, str]) -> Iterator[_Edit]:
        statement = self.plan.flow.statements[index]
        touch = self.plan.flow.touches[index]
        made = {value.name: value for value in (*touch.changes, *touch.makes)}
        replaced = self.knobs.replaced.get(index, [])
        formatted = [child for child in ast.walk(statement.node) if isinstance(child, ast.JoinedStr)]
        for one in statement.occurrences:
            if one.deferred or statement.is_import or statement.defines == one.name:
                continue
            value = (touch.reads.get(one.name) or made.get(one.name)) if one.context == "load" else made.get(one.name)
            new = names.get(one.name) or (self.plan.names.get(value, one.name) if value is not None else one.name)
            if one.context == "load":
                new = self.knobs.names.get(one.name, new)
            start = lines.offset(one.line, one.column)
            end = start + len(one.name.encode())
            inside = any(_covers(lines, node, start) for node in formatted)
            if new != one.name and not inside and lines.content[start:end] == one.name.encode():
                yield _Edit(start, end, new)
        for node, text in replaced:
            yield _Edit(*lines.span(node), text)
        covered = [node for node, _ in replaced]
        for child in ast.walk(statement.node):
            if isinstance(child, ast.Constant) and isinstance(child.value, str) and child.value in self.paths:
                spelled = self.paths[child.value]
                if child not in covered and spelled != child.value and not any(_inside(child, n) for n in formatted):
                    yield _Edit(*lines.span(child), repr(spelled).replace("'", '"'))


class _Lines:
    """Byte offsets of the lines of a text."""

    def __init__(self, code: str) -> None:
        self.content = code.encode()
        self._starts = [0]
        for line in self.content.split(b"\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)

    def offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column

    def span(self, node: ast.expr) -> tuple[int, int]:
        return (
            self.offset(node.lineno, node.col_offset),
            self.offset(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset),
        )


def _covers(lines: _Lines, node: ast.expr, offset: int) -> bool:
    start, end = lines.span(node)
    return start <= offset < end


def _inside(node: ast.AST, parent: ast.AST) -> bool:
    return any(child is node for child in ast.walk(parent))


def _apply(content: bytes, edits: list[_Edit]) -> bytes:
    for edit in sorted(edits, key=lambda one: one.start, reverse=True):
        content = content[: edit.start] + edit.text.encode() + content[edit.end :]
    return content


def _growth(edits: list[_Edit]) -> int:
    return sum(len(edit.text.encode()) - (edit.end - edit.start) for edit in edits)


_WORD = re.compile(r"(?<![\w.'\"])([A-Za-z_]\w*)(?![\w'\"])(?!\s*=[^=])")


def _renamed(text: str, meaning: Mapping[str, str]) -> str:
    return _WORD.sub(lambda found: meaning.get(found.group(1), found.group(1)), text)


class _InFormatted(cst.CSTTransformer):
    """Writes names inside f-strings differently; attributes and names of arguments stay."""

    def __init__(self, meaning: Mapping[str, str]) -> None:
        super().__init__()
        self.meaning = meaning
        self.depth = 0

    def visit_FormattedStringExpression(self, node: cst.FormattedStringExpression) -> None:
        self.depth += 1

    def leave_FormattedStringExpression(
        self, original_node: cst.FormattedStringExpression, updated_node: cst.FormattedStringExpression
    ) -> cst.FormattedStringExpression:
        self.depth -= 1
        return updated_node

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        new = self.meaning.get(original_node.value) if self.depth else None
        return cst.parse_expression(new) if new else updated_node


def _names_in_formatted(node: ast.AST) -> set[str]:
    formatted = (child for child in ast.walk(node) if isinstance(child, ast.JoinedStr))
    return {child.id for one in formatted for child in ast.walk(one) if isinstance(child, ast.Name)}


def _in_formatted(text: str, meaning: Mapping[str, str]) -> str:
    r"""Rename inside f-strings, whose parts have no positions of their own before Python 3.12.

    Example:
        >>> print(_in_formatted("print(f'{acc * 100:.{digits}f}% acc', acc=1)", {"acc": "accuracy"}))
        print(f'{accuracy * 100:.{digits}f}% acc', acc=1)
    """
    return cst.parse_module(text).visit(_InFormatted(meaning)).code
