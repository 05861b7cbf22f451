"""From the sums of boosted trees to answers: what a loss of the library makes of raw scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from .planning import Function


def classifying(raw: Function, loss: Any, classes: Any, *, positive: Function) -> dict[str, Function]:
    """Return the methods of a boosted classifier.

    Args:
        raw: Scores of rows ``[n_rows, n_scores]``.
        loss: The library's loss, which has the link.
        classes: The classes.
        positive: Says of flat scores which are of the second class.
    """

    def decision_function(rows: Any) -> Any:
        scores = raw(rows)
        return scores.ravel() if scores.shape[1] == 1 else scores

    def predict(rows: Any) -> Any:
        scores = raw(rows)
        if scores.shape[1] == 1:
            return classes[positive(scores.ravel()).astype(int)]
        return classes[np.argmax(scores, axis=1)]

    return {
        "decision_function": decision_function,
        "predict": predict,
        "predict_proba": lambda rows: loss.predict_proba(raw(rows)),
    }
