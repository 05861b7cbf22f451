"""Scenarios that a person writes: examples, and behavioural rules in the CheckList sense.

For: users, as ``mw.example``, ``mw.minimum``, ``mw.invariance`` and ``mw.direction``, in ``capture(scenarios=[…])``.
They are only specifications here; :mod:`modelwright.capturing.resolving` turns them into scenarios of one signature.

Source: Ribeiro et al. 2020, "Beyond Accuracy: Behavioral Testing of NLP Models with CheckList".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from modelwright.spec.scenario import Tolerance

Tolerances = Mapping[str, Tolerance | float] | Tolerance | float
"""Per output or for all: a :class:`Tolerance`, or a number that is the absolute tolerance."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExampleRule:
    """Rows, with the answers that are expected; see :func:`example`."""

    rows: Any
    expected: Any = None
    name: str = ""
    reason: str = ""
    tolerance: Tolerances | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MinimumRule:
    """An obvious case; see :func:`minimum`."""

    rows: Any
    name: str = ""
    reason: str = ""
    output: str = ""
    label: Any = None
    equals: Any = None
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InvarianceRule:
    """A change that changes nothing; see :func:`invariance`."""

    change: Mapping[str, Any]
    rows: Any = None
    name: str = ""
    reason: str = ""
    tolerance: Tolerances | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DirectionRule:
    """A change with a known direction; see :func:`direction`."""

    field: str
    add: float
    rows: Any = None
    name: str = ""
    reason: str = ""
    output: str = ""
    label: Any = None
    never: Literal["lower", "higher"] = "lower"


Rule = ExampleRule | MinimumRule | InvarianceRule | DirectionRule


def example(
    rows: Any, expected: Any = None, *, name: str = "", reason: str = "", tolerance: Tolerances | None = None
) -> ExampleRule:
    """Keep these rows and the model's answers to them, or the answers you expect.

    Args:
        rows: Any table, or a list of dicts.
        expected: Per output name, one value per row; a bare list is the first output; ``None``: what the model answers.
        name: Name of the scenario.
        reason: Why these rows, a sentence for people.
        tolerance: How far an answer may lie from the expected one, for all outputs or per output name.

    Example:
        >>> example([{"age": 41}], [0.25], name="middle-aged", tolerance=0.01).expected
        [0.25]
    """
    return ExampleRule(rows=rows, expected=expected, name=name, reason=reason, tolerance=tolerance)


def minimum(
    rows: Any,
    *,
    name: str = "",
    reason: str = "",
    output: str = "",
    label: Any = None,
    equals: Any = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> MinimumRule:
    """Demand that an obvious case is answered right.

    Args:
        rows: Any table, or a list of dicts; the rule must hold for each row.
        name: Name of the scenario.
        reason: Why, a sentence for people.
        output: The output that is judged; empty: the first, or with ``label`` the first that has class labels.
        label: The class whose value is judged.
        equals: The answer must be this value.
        at_least: The answer must not be below this.
        at_most: The answer must not be above this.

    Example:
        >>> minimum([{"debt": 0}], output="probability", label="yes", at_most=0.5).at_most
        0.5
    """
    return MinimumRule(
        rows=rows,
        name=name,
        reason=reason,
        output=output,
        label=label,
        equals=equals,
        at_least=at_least,
        at_most=at_most,
    )


def invariance(
    rows: Any = None,
    *,
    change: Mapping[str, Any],
    name: str = "",
    reason: str = "",
    tolerance: Tolerances | None = None,
) -> InvarianceRule:
    """Demand that changing some fields changes nothing.

    Args:
        rows: Any table, or a list of dicts; ``None``: typical rows of the sample.
        change: Per field, the value every row is given instead of its own.
        name: Name of the scenario.
        reason: Why, a sentence for people.
        tolerance: How far the answers may lie apart, for all outputs or per output name.

    Example:
        >>> invariance(change={"customer_id": "C-0"}).change
        {'customer_id': 'C-0'}
    """
    return InvarianceRule(change=dict(change), rows=rows, name=name, reason=reason, tolerance=tolerance)


def direction(
    field: str,
    *,
    add: float,
    never: Literal["lower", "higher"] = "lower",
    rows: Any = None,
    output: str = "",
    label: Any = None,
    name: str = "",
    reason: str = "",
) -> DirectionRule:
    """Demand that moving a number never moves the answer the wrong way.

    Args:
        field: The numeric field that is moved.
        add: What is added to it, in the field's unit; may be negative.
        never: The answer must never become ``lower``, or never ``higher``.
        rows: Any table, or a list of dicts; ``None``: typical rows of the sample.
        output: The output that is judged; empty: the first, or with ``label`` the first that has class labels.
        label: The class whose value is judged.
        name: Name of the scenario.
        reason: Why, a sentence for people.

    Example:
        >>> direction("income", add=1000, output="probability", label="approved").never
        'lower'
    """
    return DirectionRule(
        field=field, add=add, never=never, rows=rows, output=output, label=label, name=name, reason=reason
    )


def is_rule(value: object) -> bool:
    """Say whether something was made with one of the four functions of this module.

    Example:
        >>> is_rule(direction("age", add=1)), is_rule({"age": 1})
        (True, False)
    """
    return isinstance(value, ExampleRule | MinimumRule | InvarianceRule | DirectionRule)
