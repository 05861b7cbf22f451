"""Find out which model a notebook is about, and on which rows it was trained and tried.

Called by plan. The evidence is what is done with a value: it is fitted, asked, measured, saved. When several models
remain, the order of preference is written down here, once, and what was chosen is said.
"""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from modelwright.errors import ConversionError
from modelwright.project.notebook import vocabulary
from modelwright.project.notebook.effects import last_name, root
from modelwright.project.notebook.evidence import Evidence, definition_of, find_evidence, given_to, no_model
from modelwright.project.notebook.flow import Flow, Value

_FINAL = re.compile(r"(^|_)(best|final|chosen|winner|production|champion|tuned)(_|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Expression:
    """A piece of the notebook's code, where its names mean what they mean.

    Attributes:
        text: The code.
        values: What each name in it stands for.
        index: The statement it stands in.
        node: Its syntax tree.
    """

    text: str
    values: dict[str, Value]
    index: int
    node: ast.expr

    @property
    def name(self) -> str:
        """The name that it is; empty if it is more than a name."""
        return self.text if self.text in self.values else ""

    def data(self) -> set[Value]:
        """Return the values in it that are neither modules nor functions."""
        return {value for value in self.values.values() if value.kind == "data"}


@dataclass(frozen=True)
class Target:
    """The model, and the rows that belong to it.

    Attributes:
        model: The value that is the model.
        trained_on: Inputs it was fitted on.
        truth: Targets it was fitted on.
        tried_on: Inputs it was tried on.
        tried_truth: Their targets.
        asked: What the model itself is asked about: these inputs behind the transformers.
        before: Fitted transformers between these inputs and what the model itself was given, first to last.
        others: Other models of the notebook that were not chosen.
        notes: How the choice was made.
    """

    model: Value
    trained_on: Expression
    truth: Expression | None = None
    tried_on: Expression | None = None
    tried_truth: Expression | None = None
    asked: Expression | None = None
    before: tuple[Value, ...] = ()
    others: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def rows(self) -> dict[str, Expression]:
        """Return the rows and their targets, by what the project calls them; those there are."""
        tried = self.tried_on is not None and self.tried_truth is not None
        found = {
            "rows": self.trained_on,
            "truth": self.truth,
            "test_rows": self.tried_on if tried else None,
            "test_truth": self.tried_truth if tried else None,
            "asked": self.asked,
        }
        return {name: rows for name, rows in found.items() if rows is not None}


def find_target(flow: Flow, *, model: str = "") -> Target:
    """Find the model.

    Args:
        flow: The graph.
        model: Name of the model, if the caller knows it.

    Raises:
        ConversionError: Nothing is fitted, no such model, or the rows that it is trained on cannot be told.
    """
    found = find_evidence(flow)
    candidates = [one for one in found if not one.transforms and (one.asked or one.constructed)]
    fitted = [one for one in candidates if one.fitted or one.asked]
    if not fitted:
        where, why = no_model(flow, found)
        raise ConversionError(
            "No cell fits a model.",
            where=where,
            why=why,
            hint="Fit a model in the notebook; or capture a plain function: modelwright new NAME --task function.",
        )
    chosen, why, target = _first_with_rows(flow, fitted, model)
    names = {one.value.name for one in fitted if one is not chosen}
    return replace(target, others=tuple(sorted(names - {chosen.value.name})), notes=(why, *target.notes))


def _first_with_rows(flow: Flow, fitted: list[Evidence], asked: str) -> tuple[Evidence, str, Target]:
    """Choose the model; one whose rows cannot be told gives way to the next, unless it was asked for by name."""
    chosen, why = _choose(fitted, asked)
    try:
        return chosen, why, _rows(flow, chosen)
    except ConversionError as error:
        left = [one for one in fitted if one is not chosen]
        while left and not asked:
            other, _ = _choose(left, "")
            with contextlib.suppress(ConversionError):
                said = f"the model is {other.value.name!r}: the rows of {chosen.value.name!r} cannot be told"
                return other, said, _rows(flow, other)
            left = [one for one in left if one is not other]
        raise error


def _choose(found: list[Evidence], asked: str) -> tuple[Evidence, str]:
    by_last = sorted(found, key=lambda one: one.last)
    if asked:
        named = [one for one in by_last if one.value.name == asked]
        if not named:
            names = ", ".join(sorted({one.value.name for one in found}))
            raise ConversionError(f"The notebook has no model {asked!r}.", why=f"Its models are: {names}.")
        return named[-1], f"the model is {asked!r}, as asked for"
    for reason, chosen in (
        ("it is saved in the notebook", [one for one in by_last if one.saved]),
        ("its name says that it is the chosen one", [one for one in by_last if _FINAL.search(one.value.name)]),
        ("it is the last one that is fitted or asked", by_last),
    ):
        if chosen:
            single = len({one.value for one in found}) == 1
            return chosen[-1], f"the model is {chosen[-1].value.name!r}" + ("" if single else f": {reason}")
    raise AssertionError("found is not empty")


@dataclass(frozen=True)
class _Call:
    """A call of a method of the model, and what it was given."""

    method: str
    index: int
    arguments: tuple[ast.expr, ...]


def _calls(flow: Flow, value: Value) -> list[_Call]:
    """Return every call of a method of an object, through whatever name, in order."""
    related = flow.together[value]
    found = []
    for index, statement in enumerate(flow.statements):
        if statement.defines:
            continue
        touch = flow.touches[index]
        names = {name for name, one in touch.reads.items() if one in related}
        names |= {made.name for made in touch.makes if made in related}
        for child in ast.walk(statement.node):
            if not isinstance(child, ast.Call):
                continue
            if isinstance(child.func, ast.Attribute):
                owner = child.func.value
                chained = value in touch.makes and isinstance(owner, ast.Call)
                if root(owner) in names or chained:
                    found.append(_Call(child.func.attr, index, _arguments(child)))
            found += _inside(flow, child, names, index)
    return found


def _arguments(call: ast.Call) -> tuple[ast.expr, ...]:
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    return (*call.args, *(named[key] for key in ("X", "y") if key in named))


def _inside(flow: Flow, call: ast.Call, names: set[str], index: int) -> Iterator[_Call]:
    """Return calls that a function of the notebook makes on the model it is given, in the caller's words."""
    given = given_to(flow, call)
    mine = {name for name, argument in given.items() if isinstance(argument, ast.Name) and argument.id in names}
    definition = definition_of(flow, last_name(call.func)) if given else None
    for child in ast.walk(definition) if definition is not None else ():
        if isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute):
            owner = root(child.func.value)
            if owner in mine or (not mine and child.func.attr == "fit" and owner not in given):
                words = [given.get(one.id, one) if isinstance(one, ast.Name) else one for one in _arguments(child)]
                yield _Call(child.func.attr, index, tuple(words))


def _rows(flow: Flow, chosen: Evidence) -> Target:
    calls = _calls(flow, chosen.value)
    fits = [call for call in calls if call.method in ("fit", "fit_predict", "fit_transform") and call.arguments]
    fits = [call for call in fits if _expression(flow, call.arguments[0], call.index)] or fits
    asks = [call for call in calls if call.method in ("predict", "predict_proba", "score") and call.arguments]
    fit = fits[-1] if fits else None
    trained_on = _expression(flow, fit.arguments[0], fit.index) if fit else None
    truth = _expression(flow, fit.arguments[1], fit.index) if fit and len(fit.arguments) > 1 else None
    tried = [call for call in asks if _expression(flow, call.arguments[0], call.index)]
    if trained_on is None and tried:
        trained_on = _expression(flow, tried[0].arguments[0], tried[0].index)
    if trained_on is None:
        raise ConversionError(
            f"It cannot be told which rows {chosen.value.name!r} is trained on.",
            where=f"cell {flow.statements[chosen.value.made].cell.number}",
            why="Types, ranges and scenarios are learned from the training inputs.",
            hint="Call fit(X, y) on names of the notebook's own scope.",
        )
    tried_on, tried_truth = _held_out(flow, trained_on, truth, tried)
    target = Target(chosen.value, trained_on, truth, tried_on, tried_truth, asked=tried_on or trained_on)
    return _with_transformers(flow, target)


def _expression(flow: Flow, node: ast.expr, index: int) -> Expression | None:
    """Return a piece of code with what its names stand for; ``None`` if one is not of the notebook's scope."""
    names = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
    touch = flow.touches[index]
    known = {value.name: value for value in touch.makes} | touch.reads
    values = {name: known[name] for name in names if name in known}
    loops = isinstance(flow.statements[index].node, ast.For) and any(one.made == index for one in values.values())
    if len(values) < len(names) or not names or loops or isinstance(node, ast.Starred):
        return None
    return Expression(ast.unparse(node), values, index, node)


def _held_out(
    flow: Flow, trained_on: Expression, truth: Expression | None, tried: list[_Call]
) -> tuple[Expression | None, Expression | None]:
    """Find the rows that the model was tried on: the other part of the split, else what it was asked about."""
    split = _other_part(flow, trained_on), _other_part(flow, truth)
    if split[0] is not None:
        return split
    for call in reversed(tried):
        asked = _expression(flow, call.arguments[0], call.index)
        if asked is None or asked.text == trained_on.text:
            continue
        if call.method == "score" and len(call.arguments) > 1:
            return asked, _expression(flow, call.arguments[1], call.index)
        other = _truth_of(flow, call) or split[1]
        if other is not None:
            return asked, other
    return None, None


def _other_part(flow: Flow, part: Expression | None) -> Expression | None:
    """Return what train_test_split returned beside a part: the test rows for the training rows."""
    if part is None or not part.name:
        return None
    value = part.values[part.name]
    node = flow.statements[value.made].node
    if not (
        isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Tuple)
    ):
        return None
    names = [child.id for child in node.targets[0].elts if isinstance(child, ast.Name)]
    if last_name(node.value.func) != "train_test_split" or part.name not in names or len(names) % 2:
        return None
    position = names.index(part.name)
    if position % 2 or value.writers != [value.made]:
        return None
    other = next(one for one in flow.touches[value.made].makes if one.name == names[position + 1])
    return Expression(other.name, {other.name: other}, value.made, ast.Name(other.name))


def _truth_of(flow: Flow, call: _Call) -> Expression | None:
    """Return what the answers of a call are compared with by a metric."""
    answers = flow.touches[call.index].makes
    for index in range(call.index, len(flow.statements)):
        reads = flow.touches[index].reads
        for child in ast.walk(flow.statements[index].node):
            if not isinstance(child, ast.Call) or len(child.args) < 2:
                continue
            if last_name(child.func) not in vocabulary.EVALUATING:
                continue
            second = child.args[1]
            asked = isinstance(second, ast.Name) and reads.get(second.id) in answers
            if asked or (index == call.index and "predict" in ast.unparse(second)):
                return _expression(flow, child.args[0], index)
    return None


def _with_transformers(flow: Flow, target: Target) -> Target:
    """Go back from what the model was given to what a fitted transformer made it of, while that is a plain chain."""
    before: list[Value] = []
    notes: list[str] = []
    while True:
        step = _transformed(flow, target.trained_on)
        if step is None:
            break
        transformer, source, method = step
        tried = _transformed(flow, target.tried_on) if target.tried_on else None
        if method != "fit_transform" or (target.tried_on and (tried is None or tried[0] is not transformer)):
            break
        before.insert(0, transformer)
        target = replace(target, trained_on=source, tried_on=tried[1] if tried else None)
    if before:
        names = ", ".join(repr(value.name) for value in before)
        notes.append(f"{names} stands before the model, so the package takes the rows as they were before it")
    return replace(target, before=tuple(before), notes=tuple(notes))


def _transformed(flow: Flow, rows: Expression) -> tuple[Value, Expression, str] | None:
    """Return the transformer that made some rows, and of what; ``None`` if they come from elsewhere."""
    if not rows.name:
        return None
    value = rows.values[rows.name]
    node = flow.statements[value.made].node
    if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and value.writers == [value.made]):
        return None
    call = node.value
    if not (isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) and len(call.args) == 1):
        return None
    if call.func.attr not in ("fit_transform", "transform") or not isinstance(node.targets[0], ast.Name):
        return None
    transformer = flow.touches[value.made].reads.get(call.func.value.id)
    source = _expression(flow, call.args[0], value.made)
    if transformer is None or source is None or not source.name:
        return None
    fits = {"fit_transform", "fit"}
    method = call.func.attr
    if method == "transform" and fits & {one.method for one in _calls(flow, transformer)}:
        method = "fit_transform"  # fitted before, on these rows or others: what counts is that it is fitted
    return transformer, source, method
