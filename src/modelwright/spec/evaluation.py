"""Measured quality: a number, and where it was measured."""

from __future__ import annotations

from typing import Literal

from modelwright.spec.struct import Frozen

Direction = Literal["higher", "lower", ""]


class Evaluation(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One metric on one data set or slice of it.

    Attributes:
        metric: Name of the metric in scikit-learn's spelling (``roc_auc``, ``rmse``).
        value: The number; never NaN.
        dataset: Name of the data set (``test``).
        slice: Name of the slice (``contract=monthly``); empty: the whole data set.
        rows: Rows it was measured on.
        better: Which direction is better; empty when nobody said so.
    """

    metric: str
    value: float
    dataset: str
    slice: str = ""
    rows: int | None = None
    better: Direction = ""


class Importance(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """Permutation importance of one field: how much the metric gets worse when the column is shuffled.

    Attributes:
        field: Name of the input field.
        mean: Mean loss of the metric over the repeats, in the metric's unit; 0 is "does not matter".
        std: Standard deviation over the repeats.
        metric: The metric that was watched.

    Source: Breiman 2001, "Random Forests"; scikit-learn ``permutation_importance``.
    """

    field: str
    mean: float
    std: float
    metric: str
