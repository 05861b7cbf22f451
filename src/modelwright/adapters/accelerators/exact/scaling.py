"""Plans of transformers that scale numbers, each column by itself or each row by itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import finite, own_floats, shaped, without_infinity
from .kernels import over_arrays
from .planning import SPARSE, Function, Given, Plan, Planner
from .releases import release


def standard_scaler(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan ``(x - mean) / scale``."""
    width, mean, scale = step.n_features_in_, step.mean_, step.scale_
    with_mean, with_std = step.with_mean, step.with_std
    narrows = release() >= (1, 8)  # single numbers were subtracted from in double precision before
    if given.form == "sparse":
        return _scaled_sparse(step, given, 1 / scale if with_std else None) if not with_mean else None

    def transform(rows: Any) -> Any:
        rows = own_floats(without_infinity(shaped(rows, width)))
        if with_mean:
            rows -= mean.astype(rows.dtype, copy=False) if narrows else mean
        if with_std:
            rows /= scale.astype(rows.dtype, copy=False) if narrows else scale
        return rows

    return over_arrays(step, given, {"transform": transform})


def min_max_scaler(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan ``x * scale + min``, clipped if so set."""
    width, scale, least = step.n_features_in_, step.scale_, step.min_
    low, high = step.feature_range
    clip = step.clip

    def transform(rows: Any) -> Any:
        rows = own_floats(without_infinity(shaped(rows, width)))
        rows *= scale
        rows += least
        if clip:
            np.clip(rows, rows.dtype.type(low), rows.dtype.type(high), out=rows)
        return rows

    return over_arrays(step, given, {"transform": transform})


def max_abs_scaler(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan ``x / scale``."""
    width, scale = step.n_features_in_, step.scale_
    clip = getattr(step, "clip", False)
    if given.form == "sparse":
        return None if clip else _scaled_sparse(step, given, 1.0 / scale)

    def transform(rows: Any) -> Any:
        rows = own_floats(without_infinity(shaped(rows, width)))
        rows /= scale
        if clip:
            np.clip(rows, rows.dtype.type(-1.0), rows.dtype.type(1.0), out=rows)
        return rows

    return over_arrays(step, given, {"transform": transform})


def robust_scaler(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan ``(x - center) / scale``."""
    width = step.n_features_in_
    center = step.center_ if step.with_centering else None
    scale = step.scale_ if step.with_scaling else None
    if given.form == "sparse":
        return _scaled_sparse(step, given, None if scale is None else 1.0 / scale)

    def transform(rows: Any) -> Any:
        rows = own_floats(without_infinity(shaped(rows, width)))
        if center is not None:
            rows -= center
        if scale is not None:
            rows /= scale
        return rows

    return over_arrays(step, given, {"transform": transform})


def _scaled_sparse(step: Any, given: Given, scale: Any) -> Plan | None:
    """Plan the multiplication of the columns of CSR matrices, as ``inplace_csr_column_scale`` does it."""
    width = step.n_features_in_

    def transform(rows: Any) -> Any:
        rows = rows.copy()
        without_infinity(rows.data)
        rows.data = own_floats(rows.data)
        if scale is not None:
            rows.data *= scale.take(rows.indices, mode="clip")
        return rows

    return over_arrays(step, given, {"transform": transform}, gives=SPARSE, sparse=True) if width else None


def normalizer(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan the division of every row by its norm."""
    width, norm = step.n_features_in_, _NORMS[step.norm]

    def transform(rows: Any) -> Any:
        rows = own_floats(finite(shaped(rows, width)))
        norms = norm(rows)
        small = norms < 10 * np.finfo(norms.dtype).eps
        if small.any():
            norms[small] = 1.0
        rows /= norms[:, None]
        return rows

    return over_arrays(step, given, {"transform": transform})


_NORMS: dict[str, Function] = {
    "l1": lambda rows: np.sum(np.abs(rows), axis=1),
    "l2": lambda rows: np.sqrt(np.einsum("ij,ij->i", rows, rows)),
    "max": lambda rows: np.max(np.abs(rows), axis=1),
}


def binarizer(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan 1 above a threshold and 0 elsewhere."""
    width, threshold = step.n_features_in_, step.threshold

    def transform(rows: Any) -> Any:
        rows = finite(shaped(rows, width))
        if rows.dtype.kind != "f":
            return _binary(rows.copy(order="K"), rows > threshold)
        return _binary(rows.copy(order="K"), rows > threshold)

    return over_arrays(step, given, {"transform": transform})


def _binary(rows: Any, above: Any) -> Any:
    rows[above] = 1
    rows[~above] = 0
    return rows
