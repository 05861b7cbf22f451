"""Load a ``model.cbm`` artifact into a CatBoost model that answers rows as its estimator did.

For: the runtime, which carries a copy of this file in every package stored in the catboost format; capture asks the
live model through the same classes. The file holds numbers and text only, so there is nothing to vouch for.

CatBoost takes every core there is unless it is told otherwise, and does not read what other libraries read. So this
loader reads it: whoever serves the model decides (``OMP_NUM_THREADS``).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ARTIFACT = "model.cbm"
_HEAD = b"CBM1"


def audit(artifacts: Path, options: dict[str, Any], package: str) -> list[str]:
    """Name the artifact if it is no file of CatBoost; what is has no types."""
    with (artifacts / ARTIFACT).open("rb") as stream:
        return [] if stream.read(len(_HEAD)) == _HEAD else [f"{ARTIFACT}, which is no model of CatBoost"]


def load(artifacts: Path, options: dict[str, Any], package: str, trusted: Iterable[str]) -> object:
    """Construct the model, and what answers rows with it."""
    import catboost

    if named := audit(artifacts, options, package):
        raise ValueError(named[0])
    model = catboost.CatBoost()
    model.load_model(str(artifacts / ARTIFACT))
    return answering(model, options)


def answering(model: Any, options: dict[str, Any]) -> Boosted:
    """Return what answers rows with a model.

    Args:
        model: A ``catboost.CatBoost``.
        options: ``kind`` (``booster``, ``regressor``, ``ranker``, ``classifier``), ``prediction`` (CatBoost's name of
            what is predicted), ``names`` of the features (empty: the model has none), ``several`` (whether a row has
            several labels).
    """
    return (BoostedClassifier if options["kind"] == "classifier" else Boosted)(model, options)


class Boosted:
    """A model that answers rows in any container, its columns found by name.

    Attributes:
        model: The ``catboost.CatBoost``.
        options: See :func:`answering`.
        n_features_in_: Number of features.
        feature_names_in_: Their names; absent if the model has none.
    """

    def __init__(self, model: Any, options: dict[str, Any]) -> None:
        self.model = model
        self.options = options
        self.n_features_in_: int = len(model.feature_names_)
        self._names: list[str] = list(options["names"])
        if self._names:
            self.feature_names_in_ = self._names
        self._words = frozenset((*model.get_cat_feature_indices(), *model.get_text_feature_indices()))
        self._estimator_type = options["kind"]
        self._threads = _threads()

    def predict(self, rows: Any) -> Any:
        """Return what the model predicts: ``[n_rows]``, or ``[n_rows, n_outputs]``."""
        return self._ask(rows, self.options["prediction"])

    def _ask(self, rows: Any, prediction: str) -> Any:
        return self.model.predict(self._data(rows), prediction_type=prediction, thread_count=self._threads)

    def _data(self, rows: Any) -> Any:
        """Return rows as an array ``[n_rows, n_features]``: of numbers, or of objects if some are words."""
        import numpy

        if isinstance(rows, numpy.ndarray):
            return rows
        if not self._words and hasattr(rows, "iloc") and list(rows.columns) == self._names:
            with numpy.errstate(over="ignore"):  # in one piece: many columns cost as few do
                return rows.to_numpy(dtype="float32", na_value=numpy.nan)
        count, columns = _columns(rows)
        if absent := [name for name in self._names if name not in columns] or (not self._names and ["names"]):
            raise ValueError(f"The rows lack {', '.join(absent)}.")
        matrix = numpy.empty((count, len(self._names)), object if self._words else "float32", order="F")
        with numpy.errstate(over="ignore"):
            for place, name in enumerate(self._names):
                as_is = place in self._words
                matrix[:, place] = _listed(columns[name]) if as_is else _numbers(columns[name])
        return matrix


class BoostedClassifier(Boosted):
    """A model that answers labels and probabilities, as ``catboost.CatBoostClassifier`` does.

    Attributes:
        classes_: The labels; absent if a row has several.
    """

    def __init__(self, model: Any, options: dict[str, Any]) -> None:
        super().__init__(model, options)
        if not options["several"]:
            self.classes_ = model.classes_

    def predict(self, rows: Any) -> Any:
        """Return the labels ``[n_rows]``, or zeros and ones ``[n_rows, n_labels]``."""
        answer = super().predict(rows)
        return answer if self.options["several"] else answer.reshape(-1)  # CatBoost has a column of more than two

    def predict_proba(self, rows: Any) -> Any:
        """Return probabilities ``[n_rows, n_labels]``."""
        return self._ask(rows, "Probability")


def _threads() -> int:
    """Return how many threads may be used; -1 is all."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return int(told) if told.isdecimal() and int(told) else -1


def _columns(rows: Any) -> tuple[int, Any]:
    """Return the number of rows, and what gives a column by its name."""
    if isinstance(rows, dict):
        return max(map(len, rows.values()), default=0), rows
    if isinstance(rows, list | tuple):
        names = dict.fromkeys(name for row in rows for name in row)
        return len(rows), {name: [row.get(name) for row in rows] for name in names}
    if hasattr(rows, "column_names"):  # PyArrow
        return rows.num_rows, {name: rows.column(name) for name in rows.column_names}
    return rows.shape[0], {str(name): rows[name] for name in rows.columns}


def _numbers(column: Any) -> Any:
    """Return a column as numbers, NaN for what is missing: single precision, in which CatBoost compares."""
    import numpy

    kind = getattr(column, "dtype", None)
    if hasattr(column, "array") and not isinstance(kind, numpy.dtype):  # pandas' own types know what is missing
        return column.to_numpy(dtype="float32", na_value=numpy.nan)
    if hasattr(column, "to_numpy"):
        column = column.to_numpy()
    return numpy.asarray(column, dtype="float32")


def _listed(column: Any) -> Any:
    ways = ("to_list", "to_pylist", "tolist")
    return next((getattr(column, way)() for way in ways if hasattr(column, way)), column)
