"""The library's functions from scores to probabilities, without its look for the kind of array."""

from __future__ import annotations

from typing import Any

import numpy as np


def softmax_in_place(scores: Any) -> Any:
    """Return the softmax of scores ``[n_rows, n_classes]``, written over them.

    Source: ``sklearn.utils.extmath.softmax``.
    """
    scores -= scores.max(axis=1).reshape(-1, 1)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=1).reshape(-1, 1)
    return scores


def two_columns(positive: Any) -> Any:
    """Return probabilities of two classes ``[n_rows, 2]`` from those of the second.

    Source: ``sklearn._loss.loss.HalfBinomialLoss.predict_proba``.
    """
    both = np.empty((positive.shape[0], 2), dtype=positive.dtype)
    both[:, 1] = positive
    both[:, 0] = 1 - positive
    return both
