"""Find which names of the notebook's own scope a statement reads, binds and defers to its callers.

Called by :mod:`~modelwright.project.notebook.statements`. Python's scoping rules, over :mod:`ast`, with the position of
every occurrence, because a name may have to be written differently later.

It does not: know what a call does to an object; :mod:`~modelwright.project.notebook.effects` does.

Source: Python language reference, 4.2 "Naming and binding".
"""

# ruff: noqa: N802, N815 - the names of ast.NodeVisitor's protocol

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Context = Literal["load", "store", "delete"]


@dataclass(frozen=True)
class Occurrence:
    """A name of the notebook's own scope, where it stands in a statement.

    Attributes:
        name: The name.
        context: Whether it is read, bound or deleted.
        line: Line in the statement's code, from 1.
        column: Column, UTF-8 bytes from 0.
        deferred: Whether it stands in the body of a function, which runs when that is called.
        certain: Whether the statement always reaches it; a branch or the body of a loop may not.
    """

    name: str
    context: Context
    line: int
    column: int
    deferred: bool = False
    certain: bool = True


@dataclass
class _Scope:
    """One scope inside the notebook's own."""

    names: set[str]
    is_class: bool = False
    is_function: bool = False


@dataclass
class _Walk:
    found: list[Occurrence] = field(default_factory=list)
    scopes: list[_Scope] = field(default_factory=list)
    branches: int = 0
    deferred: int = 0

    def outer(self, name: str) -> bool:
        """Say whether a name, here, is one of the notebook's own scope."""
        for depth, scope in enumerate(reversed(self.scopes)):
            if scope.is_class and depth:
                continue
            if name in scope.names:
                return False
        return True

    def note(self, name: str, context: Context, node: ast.AST) -> None:
        if self.outer(name):
            line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
            certain = not self.branches
            self.found.append(Occurrence(name, context, line, column, self.deferred > 0, certain))

    def visit(self, node: ast.AST) -> None:
        method = getattr(self, f"visit_{type(node).__name__}", None)
        if method is not None:
            method(node)
        else:
            self.children(node)

    def children(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            self.visit(child)

    def visit_Name(self, node: ast.Name) -> None:
        kinds: dict[type, Context] = {ast.Load: "load", ast.Store: "store", ast.Del: "delete"}
        self.note(node.id, kinds[type(node.ctx)], node)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self.note(node.target.id, "load", node.target)
        self.visit(node.target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)
        self.visit(node.annotation)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.note(alias.asname or alias.name.partition(".")[0], "store", node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            self.note(alias.asname or alias.name, "store", node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in (*node.decorator_list, *_defaults(node.args), *_annotations(node)):
            self.visit(part)
        self.note(node.name, "store", node)
        self._body(_parameters(node.args) | _bound(node.body), node.body, _declared_global(node.body))

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for part in _defaults(node.args):
            self.visit(part)
        self.scopes.append(_Scope(_parameters(node.args), is_function=True))
        self.visit(node.body)
        self.scopes.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self.visit(part)
        self.note(node.name, "store", node)
        self.scopes.append(_Scope(_bound(node.body), is_class=True))
        for statement in node.body:
            self.visit(statement)
        self.scopes.pop()

    def _body(self, names: set[str], body: list[ast.stmt], global_names: set[str]) -> None:
        self.scopes.append(_Scope(names - global_names, is_function=True))
        self.deferred += 1
        for statement in body:
            self.visit(statement)
        self.deferred -= 1
        self.scopes.pop()

    def _comprehension(self, generators: list[ast.comprehension], *values: ast.expr) -> None:
        self.visit(generators[0].iter)
        names = {name for generator in generators for name in _stored(generator.target)}
        self.scopes.append(_Scope(names))
        for position, generator in enumerate(generators):
            if position:
                self.visit(generator.iter)
            for condition in generator.ifs:
                self.visit(condition)
        for value in values:
            self.visit(value)
        self.scopes.pop()

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> None:
        self._comprehension(node.generators, node.elt)

    visit_SetComp = visit_GeneratorExp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node.generators, node.key, node.value)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        # The name of a caught exception is gone when the handler ends, so it never leaves the statement.
        if node.type is not None:
            self.visit(node.type)
        self.scopes.append(_Scope({node.name} if node.name else set()))
        for statement in node.body:
            self.visit(statement)
        self.scopes.pop()

    def _branching(self, node: ast.AST) -> None:
        self.branches += 1
        self.children(node)
        self.branches -= 1

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self.branches += 1
        for statement in (*node.body, *node.orelse):
            self.visit(statement)
        self.branches -= 1

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        # A loop that runs not even once leaves its target as it was; nobody writes one, and then relies on that.
        self.visit(node.iter)
        self.visit(node.target)
        self.branches += 1
        for part in (*node.body, *node.orelse):
            self.visit(part)
        self.branches -= 1

    visit_AsyncFor = visit_For
    visit_While = visit_Try = visit_TryStar = visit_Match = _branching


def occurrences(statement: ast.stmt) -> tuple[Occurrence, ...]:
    """Return every occurrence of a name of the notebook's own scope in a statement, in order of execution.

    Example:
        >>> tree = ast.parse("y = [f(x) for x in rows]")
        >>> [(found.name, found.context) for found in occurrences(tree.body[0])]
        [('rows', 'load'), ('f', 'load'), ('y', 'store')]
    """
    walk = _Walk()
    walk.visit(statement)
    return tuple(walk.found)


def _parameters(arguments: ast.arguments) -> set[str]:
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return {argument.arg for argument in every if argument is not None}


def _defaults(arguments: ast.arguments) -> list[ast.expr]:
    return [value for value in (*arguments.defaults, *arguments.kw_defaults) if value is not None]


def _annotations(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
    found = [argument.annotation for argument in every if argument is not None and argument.annotation is not None]
    return found + ([node.returns] if node.returns is not None else [])


def _stored(node: ast.AST) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id


def _own(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Walk a body without the scopes inside it."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _bound(body: list[ast.stmt]) -> set[str]:
    """Return the names that a function's or class's body binds."""
    names: set[str] = set()
    for node in _own(body):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        elif (isinstance(node, ast.ExceptHandler) and node.name) or (
            isinstance(node, ast.MatchAs | ast.MatchStar) and node.name
        ):
            names.add(node.name)
    return names


def _declared_global(body: list[ast.stmt]) -> set[str]:
    return {name for node in _own(body) if isinstance(node, ast.Global) for name in node.names}
