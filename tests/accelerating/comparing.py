"""Compare a fast form with its original: the same type, shape and bytes, for every method, on rows of many sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from modelwright.adapters.accelerators.exact import METHODS, Exact, accelerate
from modelwright.runtime.conversion import build

SIZES = (1, 2, 3, 7, 100, 1000)


def signature_of(rows: Any) -> dict[str, Any]:
    """Describe rows as capture does."""
    if isinstance(rows, np.ndarray):
        fields = [{"name": f"x{i}", "datatype": str(rows.dtype)} for i in range(rows.shape[1])]
        return {"inputs": fields, "container": "numpy", "array_dtype": str(rows.dtype)}
    return {"inputs": [_field(rows[name]) for name in rows], "container": "pandas"}


def _field(series: pd.Series) -> dict[str, Any]:
    native = str(series.dtype)
    described: dict[str, Any] = {"name": series.name, "native": native, "datatype": native}
    if native in ("str", "object", "category"):
        described["datatype"] = "string"
    if native == "category":
        described["categories"] = series.cat.categories.tolist()
    if series.isna().any():
        described["nullable"] = True
    return described


def columns_of(frame: pd.DataFrame) -> dict[str, Any]:
    """Take a frame apart as the runtime does: numbers are arrays, everything else is a list with ``None``."""
    return {
        name: frame[name].to_numpy()
        if isinstance(frame[name].dtype, np.dtype) and frame[name].dtype.kind in "fiu"
        else [None if pd.isna(value) else value for value in frame[name].tolist()]
        for name in frame
    }


def accelerated(model: Any, rows: Any) -> Exact:
    """Return the fast form of a model fitted on such rows, and say if there is none."""
    exact = accelerate(model, signature_of(rows), METHODS, build)
    assert exact is not None, f"{model} is not accelerated"
    return exact


def without_falling_back(exact: Exact, method: str, rows: Any) -> Any:
    """Answer by kernels alone: whatever they raise is raised."""
    quick = getattr(exact, method).args[0]
    return quick(rows if exact.container == "numpy" else list(rows.values()))


def same(first: Any, second: Any) -> bool:
    """Say whether two answers are of the same type, shape and bytes."""
    if isinstance(first, list):
        return isinstance(second, list) and all(map(same, first, second, strict=True))
    if sparse.issparse(first):
        parts = ("data", "indices", "indptr")
        return type(first) is type(second) and all(same(getattr(first, one), getattr(second, one)) for one in parts)
    if type(first) is not type(second) or first.dtype != second.dtype or first.shape != second.shape:
        return False
    if first.dtype.kind == "O":
        return first.tolist() == second.tolist()
    return first.tobytes() == second.tobytes()


def asked(exact: Exact, part: Any, rows: Any) -> tuple[Any, Any]:
    """Return rows as the model itself gets them and as its fast form does.

    A frame is made of its columns, as the runtime makes it: how numbers lie in memory decides the last bits of sums.
    """
    if exact.container == "numpy":
        return part, part
    given = columns_of(part)
    return build(dict(given), len(part), signature_of(rows)), given


def assert_exact(model: Any, rows: Any, sizes: tuple[int, ...] = SIZES) -> Exact:
    """Compare every method that is accelerated on rows of many sizes; nothing may have been asked of the original."""
    exact = accelerated(model, rows)
    taken = [name for name in METHODS if hasattr(model, name)]
    missing = set(taken) - set(exact.methods)
    assert not missing, f"{model} has {missing} as well"
    for size in sizes:
        part, given = asked(exact, rows[:size], rows)
        for method in exact.methods:
            original, ours = getattr(model, method)(part), without_falling_back(exact, method, given)
            assert same(original, ours), f"{type(model).__name__}.{method} differs for {size} rows"
    return exact
