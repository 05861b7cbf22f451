"""Measure the live model on every data set whose truth is known, and draw what came out.

Called by capture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from modelwright.capturing.answers import LiveModel
from modelwright.capturing.charts import draw
from modelwright.capturing.evaluation import Slice, UserMetric, evaluate
from modelwright.capturing.importance import When
from modelwright.errors import SampleError
from modelwright.spec.evaluation import Evaluation, Importance
from modelwright.spec.manifest import Task


class Measured(NamedTuple):
    """What was measured.

    Attributes:
        evaluations: Metrics, per data set.
        importance: Permutation importance on the evaluation data; empty without them.
        charts: File name to SVG document.
        notes: What was left out and why.
    """

    evaluations: tuple[Evaluation, ...] = ()
    importance: tuple[Importance, ...] = ()
    charts: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measuring:
    """What the user wants measured; see :func:`modelwright.capture`."""

    evaluate: tuple[Any, Any] | None = None
    dataset: str = "test"
    slices: Mapping[str, Slice] = field(default_factory=dict)
    metrics: Mapping[str, UserMetric] = field(default_factory=dict)
    importance: When = "auto"

    def run(self, live: LiveModel, sample: Any, truth: Any, *, task: Task) -> Measured:
        """Measure on the training data if their truth is given, and on the evaluation data.

        Raises:
            SampleError: ``evaluate`` is no pair, or its data do not fit.
            ModelMismatchError: The model or a metric raises.
            MissingExtraError: The library of the metrics is not installed.
        """
        found = Measured()
        if truth is not None:
            seen = evaluate(
                live, sample, truth, task=task, dataset="training", metrics=self.metrics, importance="never"
            )
            found = Measured(evaluations=seen.evaluations)
        if self.evaluate is None:
            return found
        if not isinstance(self.evaluate, tuple | list) or len(self.evaluate) != 2:
            raise SampleError("evaluate is not a pair.", hint="Give evaluate=(X_test, y_test).")
        result = evaluate(
            live,
            *self.evaluate,
            task=task,
            dataset=self.dataset,
            slices=self.slices,
            metrics=self.metrics,
            importance=self.importance,
        )
        return Measured(
            evaluations=(*result.evaluations, *found.evaluations),
            importance=result.importance,
            charts=draw(result, task=task, labels=live.labels),
            notes=result.notes,
        )
