"""Plans of dummies, which answer the same for every row."""

from __future__ import annotations

from typing import Any

import numpy as np

from .planning import Function, Given, Plan, Planner


def _count(given: Given) -> Function:
    if given.form in ("frame", "objects"):
        return lambda columns: len(columns[0])
    return lambda rows: rows.shape[0]


def dummy_classifier(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a classifier that answers the most frequent class, or the prior."""
    if step.n_outputs_ != 1 or step.strategy not in ("most_frequent", "prior") or step.sparse_output_:
        return None
    count, prior = _count(given), step.class_prior_
    best = step.classes_[prior.argmax()]
    first = np.zeros((1, step.n_classes_))
    first[:, prior.argmax()] = 1.0
    chances = np.ones((1, 1)) * prior if step.strategy == "prior" else first
    return Plan(
        {
            "predict": lambda rows: np.ravel(np.tile([best], [count(rows), 1])),
            "predict_proba": lambda rows: chances.repeat(count(rows), axis=0),
        }
    )


def dummy_regressor(step: Any, given: Given, planner: Planner, path: str) -> Plan | None:
    """Plan a regressor that answers a constant."""
    count, constant, outputs = _count(given), step.constant_, step.n_outputs_
    dtype = np.array(constant).dtype

    def predict(rows: Any) -> Any:
        found = np.full((count(rows), outputs), constant, dtype=dtype)
        return np.ravel(found) if outputs == 1 else found

    return Plan({"predict": predict})
