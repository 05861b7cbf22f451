"""Make the plan of an estimator whose kernels take arrays of numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .planning import ARRAY, Function, Given, Plan
from .tables import array_maker, has_names


def over_arrays(
    step: Any, given: Given, methods: dict[str, Function], *, gives: Given = ARRAY, sparse: bool = False
) -> Plan | None:
    """Return the plan of a step that takes arrays of numbers; ``None`` if it gets something else.

    Args:
        step: The fitted estimator.
        given: What it gets.
        methods: A function per method, from an array.
        gives: What ``transform`` gives.
        sparse: Whether the functions take CSR matrices as well.
    """
    if not has_names(step, given) or (given.form == "sparse" and not sparse):
        return None
    if given.form == "objects":
        return None
    if given.form != "frame":
        return Plan(methods, gives)
    array = array_maker(given)
    if array is None:
        return None
    return Plan({name: _after(array, method) for name, method in methods.items()}, gives)


def _after(first: Function, second: Function) -> Function:
    return lambda rows: second(first(rows))


def labelled(classes: Any, scores: Callable[[Any], Any]) -> Function:
    """Return a function that answers the class with the highest score, the first of equals."""
    take = classes.take
    return lambda rows: take(scores(rows).argmax(axis=1), axis=0)
