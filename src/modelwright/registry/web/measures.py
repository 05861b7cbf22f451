"""Arrange metrics to be looked at: one group per metric and data set, its slices below the whole, each with a bar."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from modelwright.registry.web.charts import bar, scale
from modelwright.spec.evaluation import Evaluation, Importance
from modelwright.spec.struct import Frozen

MOST_SLICES = 40
MOST_FIELDS = 30


class Measure(Frozen, frozen=True, kw_only=True):
    """One number.

    Attributes:
        evaluation: The number, and where it was measured.
        drawn: The same as a bar.
    """

    evaluation: Evaluation
    drawn: Markup


class Measured(Frozen, frozen=True, kw_only=True):
    """One metric on one data set.

    Attributes:
        metric: Name of the metric.
        dataset: Name of the data set.
        better: Which direction is better; empty when nobody said so.
        rows: The whole first, then slices.
        more: How many slices are not shown.
    """

    metric: str
    dataset: str
    better: str
    rows: tuple[Measure, ...]
    more: int


class RankedField(Frozen, frozen=True, kw_only=True):
    """How much a field matters.

    Attributes:
        importance: The number.
        drawn: The same as a bar.
    """

    importance: Importance
    drawn: Markup


def measured(evaluations: Iterable[Evaluation]) -> tuple[Measured, ...]:
    """Group evaluations by metric and data set, in the order in which they come; the whole before its slices.

    Example:
        >>> first, = measured([Evaluation(metric="rmse", value=2.0, dataset="test", slice="a"),
        ...                    Evaluation(metric="rmse", value=1.5, dataset="test", better="lower")])
        >>> [row.evaluation.slice for row in first.rows], first.better
        (['', 'a'], 'lower')
    """
    groups: dict[tuple[str, str], list[Evaluation]] = {}
    for one in evaluations:
        groups.setdefault((one.metric, one.dataset), []).append(one)
    return tuple(_group(metric, dataset, found) for (metric, dataset), found in groups.items())


def _group(metric: str, dataset: str, found: list[Evaluation]) -> Measured:
    ordered = sorted(found, key=lambda one: bool(one.slice))
    most = scale(one.value for one in ordered)
    return Measured(
        metric=metric,
        dataset=dataset,
        better=next((one.better for one in ordered if one.better), ""),
        rows=tuple(Measure(evaluation=one, drawn=bar(one.value, most)) for one in ordered[:MOST_SLICES]),
        more=max(0, len(ordered) - MOST_SLICES),
    )


def ranked(importance: Iterable[Importance]) -> tuple[RankedField, ...]:
    """Draw the fields that matter most; the first one fills the width."""
    shown = list(importance)[:MOST_FIELDS]
    most = max((one.mean for one in shown), default=0.0)
    return tuple(RankedField(importance=one, drawn=bar(one.mean, most)) for one in shown)
