"""Find the numbers by which a notebook judges its models, whether it keeps them or only shows them.

Called by plan. ``acc = accuracy_score(…)`` is kept under its own name; ``print("RMSE", mse(…))`` and a bare
``model.score(…)`` are kept under the name of what is called.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from modelwright.project.notebook.effects import last_name
from modelwright.project.notebook.flow import Flow
from modelwright.project.notebook.vocabulary import METRICS

SCALED = frozenset(["sqrt", "round", "float", "abs", "mean", "std", "max", "min", "item"])
"""What a metric may be wrapped in and still be that metric."""


@dataclass(frozen=True)
class Measure:
    """A number that a notebook computes to judge a model.

    Attributes:
        key: What it is called in the results; unique.
        index: The statement that computes it.
        text: The code of it; the name that it is bound to if it is kept.
        node: The expression, in the statement's syntax tree.
        kept: Whether the statement binds it to a name.
    """

    key: str
    index: int
    text: str
    node: ast.expr
    kept: bool


def find_measures(flow: Flow) -> tuple[Measure, ...]:
    """Return every measure of a notebook's own scope, in order of execution."""
    found: list[Measure] = []
    taken: set[str] = set()
    for index, statement in enumerate(flow.statements):
        node = statement.node
        if isinstance(node, ast.Assign):
            for name, value in _bound(node):
                if _is_measure(value):
                    found.append(Measure(_unique(name, taken), index, name, value, kept=True))
        elif isinstance(node, ast.Expr):
            for value in _shown(node.value):
                key = _unique(_call_name(value), taken)
                found.append(Measure(key, index, ast.unparse(value), value, kept=False))
    return tuple(found)


def _bound(node: ast.Assign) -> Iterator[tuple[str, ast.expr]]:
    """Return each name that an assignment binds with what it is bound to (``a, b = f(x), g(x)`` binds two)."""
    target = node.targets[0]
    if isinstance(target, ast.Name):
        yield target.id, node.value
    elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
        for name, value in zip(target.elts, node.value.elts, strict=False):
            if isinstance(name, ast.Name):
                yield name.id, value


def _unique(name: str, taken: set[str]) -> str:
    key, number = name, 1
    while key in taken:
        number += 1
        key = f"{name}_{number}"
    taken.add(key)
    return key


def _measured(node: ast.AST) -> ast.Call | None:
    """Return the call that measures in an expression that is nothing but a measure, or several of them combined."""
    if isinstance(node, ast.Call):
        name = last_name(node.func)
        if name in METRICS or (name == "score" and isinstance(node.func, ast.Attribute) and node.args):
            return node
        if name in SCALED:
            inner = [*node.args, *([node.func.value] if isinstance(node.func, ast.Attribute) else [])]
            return next((found for one in inner if (found := _measured(one)) is not None), None)
    if isinstance(node, ast.BinOp):
        return _measured(node.left) or _measured(node.right)
    if isinstance(node, ast.UnaryOp):
        return _measured(node.operand)
    return None


def _is_measure(node: ast.AST) -> bool:
    return _measured(node) is not None


def _call_name(node: ast.AST) -> str:
    call = _measured(node)
    return last_name(call.func) if call is not None else "measure"


def _shown(node: ast.expr) -> Iterator[ast.expr]:
    """Return the largest expressions that are measures in what is shown."""
    if _is_measure(node) and not _makes_text(node):
        yield node
    elif isinstance(node, ast.Lambda | ast.ListComp | ast.GeneratorExp | ast.DictComp | ast.SetComp):
        return
    else:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                yield from _shown(child)
            elif isinstance(child, ast.keyword):
                yield from _shown(child.value)


def _makes_text(node: ast.AST) -> bool:
    return any(
        isinstance(child, ast.JoinedStr) or (isinstance(child, ast.Constant) and isinstance(child.value, str))
        for child in ast.walk(node)
        if not isinstance(child, ast.keyword)
    ) and isinstance(node, ast.BinOp)
