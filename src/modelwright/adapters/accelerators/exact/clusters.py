"""The plan of k-means: the nearest centre, or the distances to all."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from .arrays import F64, Odd, finite, floats, shaped
from .kernels import over_arrays
from .planning import Given, Plan, Planner

SMALL = 1000
"""So many products of centres and features at most are left to BLAS without limiting its threads; it uses one then."""


def k_means(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan k-means."""
    from sklearn.cluster import _kmeans

    width, centers = step.n_features_in_, step.cluster_centers_
    small = centers.size <= SMALL
    labels = partial(
        _kmeans._labels_inertia if small else _kmeans._labels_inertia_threadpool_limit,
        centers=centers,
        n_threads=1 if small else step._n_threads,
        return_inertia=False,
    )
    norms = np.einsum("ij,ij->i", centers, centers)[None, :]

    def rows_of(rows: Any) -> Any:
        return np.ascontiguousarray(floats(finite(shaped(rows, width))))

    def predict(rows: Any) -> Any:
        rows = rows_of(rows)
        return labels(rows, np.ones(rows.shape[0], dtype=rows.dtype))

    def transform(rows: Any) -> Any:
        rows = rows_of(rows)
        if rows.dtype != F64 or centers.dtype != F64:
            raise Odd
        distances = -2 * (rows @ centers.T)
        distances += np.einsum("ij,ij->i", rows, rows)[:, None]
        distances += norms
        np.maximum(distances, 0.0, out=distances)
        return np.sqrt(distances, out=distances)

    return over_arrays(step, given, {"predict": predict, "transform": transform})
