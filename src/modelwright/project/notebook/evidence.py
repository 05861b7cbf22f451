"""Collect what is done with each value of a notebook that could be a model: it is made, fitted, asked, saved.

Called by target, which chooses among them. It also says what there is instead where nothing is a model.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from modelwright.project.notebook import vocabulary
from modelwright.project.notebook.effects import last_name
from modelwright.project.notebook.flow import Flow, Value
from modelwright.project.notebook.roles import constructs_model

_FITTING = ("fit", "fit_predict", "partial_fit")


@dataclass
class Evidence:
    """What speaks for a value being a model.

    Attributes:
        value: The value.
        constructed: Whether its class has the name of a model.
        asked: Statements that use what only a model has (``predict``).
        fitted: Statements that fit it.
        saved: Whether it is stored in a file.
        transforms: Whether it changes data.
    """

    value: Value
    constructed: bool = False
    asked: list[int] = field(default_factory=list)
    fitted: list[int] = field(default_factory=list)
    saved: bool = False
    transforms: bool = False

    @property
    def last(self) -> int:
        """Index of the last statement that fits or asks it."""
        return max([*self.asked, *self.fitted], default=-1)


def find_evidence(flow: Flow) -> list[Evidence]:
    """Return what is done with each value of the notebook's own scope, in the order in which they are made."""
    found: dict[Value, Evidence] = {}
    for index, statement in enumerate(flow.statements):
        if statement.defines or statement.is_import:
            continue
        for made in flow.touches[index].makes:
            found[made] = Evidence(made)
            value = getattr(statement.node, "value", None)
            if isinstance(value, ast.Call):
                found[made].constructed = any(
                    constructs_model(last_name(call.func)) for call in _chain(value)
                ) and not isinstance(statement.node, ast.For)
                found[made].transforms = any(last_name(call.func) in vocabulary.TRANSFORMERS for call in _chain(value))
                if found[made].constructed and "fit" in statement.effects.calls:
                    found[made].fitted.append(index)
        known = {made.name: made for made in flow.touches[index].makes} | flow.touches[index].reads
        for name, attribute in _uses(flow, statement.node):
            evidence = found.get(known[name]) if name in known else None
            if evidence is None:
                continue
            if attribute in _FITTING:
                evidence.fitted.append(index)
            elif attribute in vocabulary.MODEL_USES:
                evidence.asked.append(index)
            elif attribute in ("fit_transform", "transform", "inverse_transform"):
                evidence.transforms = True
            elif attribute == "(saved)":
                evidence.saved = True
    return [one for one in found.values() if one.value.kind == "data"]


def _chain(call: ast.Call) -> Iterator[ast.Call]:
    """Return the calls of a chain such as ``Model(…).fit(…)``."""
    node: ast.expr = call
    while isinstance(node, ast.Call | ast.Attribute):
        if isinstance(node, ast.Call):
            yield node
            node = node.func
        else:
            node = node.value


def _uses(flow: Flow, node: ast.AST) -> Iterator[tuple[str, str]]:
    """Return which attribute of which name is used, also by a function of the notebook that it is given to."""
    for child in ast.walk(node):
        if isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name):
            yield child.value.id, child.attr
        elif isinstance(child, ast.Call):
            if last_name(child.func) in vocabulary.MODEL_SAVERS:
                yield from ((argument.id, "(saved)") for argument in child.args if isinstance(argument, ast.Name))
            for name, argument in given_to(flow, child).items():
                if isinstance(argument, ast.Name):
                    yield from ((argument.id, attribute) for attribute in _uses_of_parameter(flow, child, name))


def definition_of(flow: Flow, name: str) -> ast.AST | None:
    """Return where the notebook defines a function; ``None`` if it does not."""
    return next((one.node for one in flow.statements if one.defines == name), None)


def given_to(flow: Flow, call: ast.Call) -> dict[str, ast.expr]:
    """Return what a call of a function of the notebook gives for each parameter."""
    function = flow.functions.get(last_name(call.func)) if isinstance(call.func, ast.Name) else None
    return function.arguments(call) if function else {}


def _uses_of_parameter(flow: Flow, call: ast.Call, parameter: str) -> Iterator[str]:
    definition = definition_of(flow, last_name(call.func))
    for child in ast.walk(definition) if definition else ():
        if isinstance(child, ast.Attribute) and isinstance(child.value, ast.Name) and child.value.id == parameter:
            yield child.attr


def no_model(flow: Flow, found: list[Evidence]) -> tuple[str, str]:
    """Say where a notebook comes nearest to a model, and why that is none: place, and reason."""
    for told in (
        _unfitted(flow, found),
        [*_unasked(flow, found), *_inside_functions(flow)],
        _transforming(flow, found),
    ):
        if told:
            cells, reasons = zip(*told, strict=True)
            return f"cell {', '.join(map(str, sorted(set(cells))))}", " ".join(dict.fromkeys(reasons))
    return "", "There is no call of fit(), and nothing that has predict()."


def _unfitted(flow: Flow, found: list[Evidence]) -> list[tuple[int, str]]:
    made = [one for one in found if one.constructed and not one.transforms]
    return [(_cell(flow, one), f"{one.value.name!r} is made, but fit() is never called on it.") for one in made]


def _unasked(flow: Flow, found: list[Evidence]) -> list[tuple[int, str]]:
    fitted = [one for one in found if one.fitted and not one.transforms]
    return [
        (_cell(flow, one), f"{one.value.name!r} is fitted, but never asked: predict() or score().") for one in fitted
    ]


def _transforming(flow: Flow, found: list[Evidence]) -> list[tuple[int, str]]:
    transforming = [one for one in found if one.transforms]
    return [(_cell(flow, one), f"{one.value.name!r} only transforms data; nothing predicts.") for one in transforming]


def _inside_functions(flow: Flow) -> list[tuple[int, str]]:
    told = []
    for statement in flow.statements:
        calls = (node for node in ast.walk(statement.node) if isinstance(node, ast.Call))
        if statement.defines and any(
            isinstance(one.func, ast.Attribute) and one.func.attr in _FITTING for one in calls
        ):
            why = f"{statement.defines}() fits a model, but no cell keeps that model under a name and asks it."
            told.append((statement.cell.number, why))
    return told


def _cell(flow: Flow, one: Evidence) -> int:
    return flow.statements[one.value.made].cell.number
