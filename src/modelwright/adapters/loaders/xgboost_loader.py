"""Load a ``model.ubj`` artifact into a booster that answers rows as its estimator did, without scikit-learn.

For: the runtime, which carries a copy of this file in every package stored in the xgboost format; capture asks the
live model through the same classes. UBJSON holds numbers and text only, so there is nothing to vouch for.

It does not set a number of threads: whoever serves the model decides (``OMP_NUM_THREADS``).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ARTIFACT = "model.ubj"
_HEADS = (b"{L\x00\x00\x00\x00\x00\x00\x00\x07learner{", b"{L\x00\x00\x00\x00\x00\x00\x00\x07version[")
"""What XGBoost begins its UBJSON files with."""


def audit(artifacts: Path, options: dict[str, Any], package: str) -> list[str]:
    """Name the artifact if it is no UBJSON of XGBoost; what is has no types."""
    with (artifacts / ARTIFACT).open("rb") as stream:
        return [] if stream.read(32).startswith(_HEADS) else [f"{ARTIFACT}, which is no UBJSON of XGBoost"]


def load(artifacts: Path, options: dict[str, Any], package: str, trusted: Iterable[str]) -> object:
    """Construct the booster, and what answers rows with it."""
    import xgboost

    if named := audit(artifacts, options, package):
        raise ValueError(named[0])
    booster = xgboost.Booster()
    booster.load_model(str(artifacts / ARTIFACT))
    return answering(booster, options)


def answering(booster: Any, options: dict[str, Any]) -> Boosted:
    """Return what answers rows with a booster.

    Args:
        booster: An ``xgboost.Booster``.
        options: ``kind`` (``booster``, ``regressor``, ``ranker``, ``classifier``), ``rounds`` (how many count; 0: all),
            ``classes`` (number of labels; 0: several labels per row), ``missing`` (the number that means a missing
            value; ``None``: NaN), ``objective``, ``linear``, ``levels`` (categories by feature, in the order of
            their codes).
    """
    return (BoostedClassifier if options["kind"] == "classifier" else Boosted)(booster, options)


class Boosted:
    """A booster that answers rows in any container, its columns found by name.

    Attributes:
        booster: The ``xgboost.Booster``.
        options: See :func:`answering`.
        n_features_in_: Number of features.
        feature_names_in_: Their names; absent if the model has none.
        categories_: Per feature its categories, empty for numbers.
    """

    def __init__(self, booster: Any, options: dict[str, Any]) -> None:
        self.booster = booster
        self.options = options
        self.n_features_in_: int = booster.num_features()
        self._names: list[str] = list(booster.feature_names or ())
        if self._names:
            self.feature_names_in_ = self._names
        known = options.get("levels", {})
        levels = [known.get(str(place), []) for place in range(self.n_features_in_)]
        self.categories_: list[list[Any]] = levels
        self._codes = {
            place: {level: float(code) for code, level in enumerate(each)} for place, each in enumerate(levels) if each
        }
        self._missing = float("nan") if options.get("missing") is None else options["missing"]
        self._lock = threading.Lock()
        self._estimator_type = options["kind"]

    def predict(self, rows: Any) -> Any:
        """Return what the booster predicts: ``[n_rows]``, or ``[n_rows, n_outputs]``."""
        return self._ask(rows, margin=False)

    def _ask(self, rows: Any, *, margin: bool) -> Any:
        matrix = self._matrix(rows)
        span = (0, self.options.get("rounds", 0))
        if self.options.get("linear"):
            return self._ask_linear(matrix, margin=margin)
        return self.booster.inplace_predict(
            matrix, iteration_range=span, predict_type="margin" if margin else "value", missing=self._missing
        )

    def _ask_linear(self, matrix: Any, *, margin: bool) -> Any:
        """Ask a linear booster, which has no other way, and whose answers are safe in one thread only."""
        import xgboost

        data = xgboost.DMatrix(matrix, missing=self._missing)
        with self._lock:
            return self.booster.predict(data, output_margin=margin, validate_features=False)

    def _matrix(self, rows: Any) -> Any:
        """Return rows as numbers ``[n_rows, n_features]``: single precision, in which XGBoost counts in any case."""
        import numpy

        if isinstance(rows, numpy.ndarray):
            return rows if rows.dtype.kind in "biuf" else rows.astype("float32")
        if not self._codes and hasattr(rows, "iloc") and list(rows.columns) == self._names:
            with numpy.errstate(over="ignore"):  # in one piece: many columns cost as few do
                return rows.to_numpy(dtype="float32", na_value=numpy.nan)
        count, columns = _columns(rows)
        if absent := [name for name in self._names if name not in columns] or (not self._names and ["names"]):
            raise ValueError(f"The rows lack {', '.join(absent)}.")
        matrix = numpy.empty((count, len(self._names)), "float32")
        with numpy.errstate(over="ignore"):
            for place, name in enumerate(self._names):
                matrix[:, place] = _numbers(columns[name], self._codes.get(place))
        return matrix


class BoostedClassifier(Boosted):
    """A booster that answers labels and probabilities, as ``xgboost.XGBClassifier`` makes them of its numbers.

    Source: xgboost.sklearn, ``XGBClassifier.predict``, ``XGBClassifier.predict_proba`` and ``_cls_predict_proba``.

    Attributes:
        classes_: The labels; absent if a row has several.
    """

    def __init__(self, booster: Any, options: dict[str, Any]) -> None:
        super().__init__(booster, options)
        if options["classes"]:
            self.classes_ = list(range(options["classes"]))

    def predict(self, rows: Any) -> Any:
        """Return the labels ``[n_rows]``, or zeros and ones ``[n_rows, n_labels]``."""
        import numpy

        answer = super().predict(rows)
        if self.options["objective"] == "multi:softmax":
            return answer.astype(numpy.int32)
        if answer.ndim > 1 and self.options["classes"] > 2:
            return numpy.argmax(answer, axis=1)
        if answer.ndim > 1:
            return (answer > 0.5).astype(float)
        return (answer > 0.5).astype(int)

    def predict_proba(self, rows: Any) -> Any:
        """Return probabilities ``[n_rows, n_labels]``."""
        import numpy

        if self.options["objective"] == "multi:softmax":
            margin = self._ask(rows, margin=True)
            power = numpy.exp(margin - numpy.amax(margin, axis=1, keepdims=True))
            return power / numpy.sum(power, axis=1, keepdims=True)
        answer = super().predict(rows)
        return answer if answer.ndim > 1 else numpy.vstack((1.0 - answer, answer)).transpose()


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


def _numbers(column: Any, code_of: dict[Any, float] | None) -> Any:
    """Return a column as numbers: NaN for what is missing, and the codes of categories."""
    import numpy

    if code_of is not None:
        return _codes(column, code_of)
    kind = getattr(column, "dtype", None)
    if hasattr(column, "array") and not isinstance(kind, numpy.dtype):  # pandas' own types know what is missing
        return column.to_numpy(dtype="float32", na_value=numpy.nan)
    if hasattr(column, "to_numpy"):
        column = column.to_numpy()
    return numpy.asarray(column, dtype="float32")


def _codes(column: Any, code_of: dict[Any, float]) -> Any:
    """Return the codes of categories; one that training had not is missing (XGBoost 3.2 would take another for it)."""
    import numpy

    nan = numpy.nan
    if hasattr(column, "cat") and hasattr(column, "array"):  # pandas
        codes = [code_of.get(level, nan) for level in column.cat.categories.tolist()]
        return numpy.array([*codes, nan])[column.cat.codes.to_numpy()]  # the last is that of code -1: missing
    ways = ("to_list", "to_pylist", "tolist")
    values = next((getattr(column, way)() for way in ways if hasattr(column, way)), column)
    return [code_of.get(value, nan) for value in values]
