"""The notebook's own functions and classes: what they read, change and bind outside of themselves.

Called by flow. A call stands for what the function does when it is called, so what it reads from the notebook's scope
is read by whoever calls it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, replace

from modelwright.project.notebook.effects import effects, last_name, root
from modelwright.project.notebook.statements import Statement


@dataclass(frozen=True)
class Function:
    """A function, class or method of the notebook.

    Attributes:
        name: Its name.
        parameters: Names of its parameters, in order.
        reads: Names of the notebook's scope that it, or what it calls, reads.
        changes: Names of the notebook's scope whose objects it changes, or that it binds anew.
        changes_parameters: Parameters whose objects it changes.
        changes_itself: Whether it is a method that changes its object.
    """

    name: str
    parameters: tuple[str, ...]
    reads: frozenset[str]
    changes: frozenset[str]
    changes_parameters: frozenset[str] = frozenset()
    changes_itself: bool = False

    def arguments(self, call: ast.Call) -> dict[str, ast.expr]:
        """Return what a call gives for each parameter, as far as it can be told."""
        given = dict(zip(self.parameters, call.args, strict=False))
        return given | {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}


def functions_of(statements: Iterable[Statement]) -> dict[str, Function]:
    """Return every function and class of the notebook, and every method that changes its object, by name."""
    statements = list(statements)
    found: dict[str, Function] = {}
    for statement in statements:
        if isinstance(statement.node, ast.ClassDef):
            for node in statement.node.body:
                if isinstance(node, ast.FunctionDef) and _changes_self(node):
                    found.setdefault(node.name, Function(node.name, (), frozenset(), frozenset(), changes_itself=True))
        if statement.defines:
            found[statement.defines] = _of_definition(statement)
        elif isinstance(statement.node, ast.Assign) and isinstance(statement.node.value, ast.Lambda):
            name = last_name(statement.node.targets[0])
            found[name] = Function(name, _names(statement.node.value.args), statement.reads, frozenset())
    for _ in range(len(found)):
        closed = {name: _closed(function, found, statements) for name, function in found.items()}
        if closed == found:
            break
        found = closed
    return found


def _of_definition(statement: Statement) -> Function:
    node = statement.node
    parameters = _names(node.args) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else ()
    changed = _changed_roots(node)
    return Function(
        statement.defines,
        parameters,
        reads=statement.deferred,
        changes=(changed & statement.deferred) | statement.deferred_binds,
        changes_parameters=changed & frozenset(parameters),
    )


def _names(arguments: ast.arguments) -> tuple[str, ...]:
    return tuple(one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs))


def _changed_roots(node: ast.AST) -> frozenset[str]:
    found: set[str] = set()
    for child in ast.walk(node):
        if isinstance(child, ast.stmt) and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found |= effects(child, {}).mutated
    return frozenset(found)


def _changes_self(node: ast.FunctionDef) -> bool:
    own = node.args.args[0].arg if node.args.args else ""
    stored = (child for child in ast.walk(node) if isinstance(child, ast.Attribute | ast.Subscript))
    return node.name != "__init__" and any(
        isinstance(child.ctx, ast.Store) and root(child) == own for child in stored if own
    )


def _closed(function: Function, known: dict[str, Function], statements: list[Statement]) -> Function:
    """Add what the functions that a function calls read and change."""
    called = [known[name] for name in sorted(function.reads) if name in known and name != function.name]
    definition = next((one.node for one in statements if one.defines == function.name), None)
    passed: set[str] = set()
    for call in (child for child in ast.walk(definition) if isinstance(child, ast.Call)) if definition else ():
        other = known.get(last_name(call.func))
        if other is not None:
            given = other.arguments(call)
            passed |= {root(value) for name, value in given.items() if name in other.changes_parameters}
    return replace(
        function,
        reads=function.reads.union(*(one.reads for one in called)),
        changes=function.changes.union(*(one.changes for one in called)),
        changes_parameters=function.changes_parameters | (passed & set(function.parameters)),
    )
