"""Plans of projections: a matrix product with what was decomposed."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import finite, floats, shaped
from .kernels import over_arrays
from .planning import Given, Plan, Planner


def pca(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan principal components; the mean is subtracted after the product."""
    width, components = step.n_features_in_, step.components_.T
    shift = np.reshape(step.mean_, (1, -1)) @ components
    scale = None
    if step.whiten:
        scale = np.sqrt(step.explained_variance_)
        scale[scale < np.finfo(scale.dtype).eps] = np.finfo(scale.dtype).eps

    def transform(rows: Any) -> Any:
        answer = finite(floats(shaped(rows, width))) @ components
        answer -= shift
        if scale is not None:
            answer /= scale
        return answer

    return over_arrays(step, given, {"transform": transform})


def truncated_svd(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan singular vectors."""
    width, components = step.n_features_in_, step.components_.T

    def transform(rows: Any) -> Any:
        if type(rows) is np.ndarray:
            return finite(shaped(rows, width)) @ components
        finite(rows.data)
        return rows @ components

    return over_arrays(step, given, {"transform": transform}, sparse=True)
