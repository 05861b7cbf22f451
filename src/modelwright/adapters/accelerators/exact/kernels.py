"""Make the plan of an estimator whose kernels take arrays of numbers."""

from __future__ import annotations

from typing import Any

from .arrays import finite
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


MOST_WIDTH = 1000
"""Wider sparse matrices are not made dense."""


def over_trees(step: Any, given: Given, methods: dict[str, Function]) -> Plan | None:
    """Return the plan of trees, which compare numbers one by one, so that sparse rows may be made dense for them.

    Args:
        step: The fitted estimator.
        given: What it gets.
        methods: A function per method, from an array.
    """
    if given.form != "sparse":
        return over_arrays(step, given, methods)
    if not has_names(step, given) or step.n_features_in_ > MOST_WIDTH:
        return None
    return Plan({name: _after(_dense, method) for name, method in methods.items()})


def _dense(rows: Any) -> Any:
    return finite(rows.toarray())


def _after(first: Function, second: Function) -> Function:
    return lambda rows: second(first(rows))
