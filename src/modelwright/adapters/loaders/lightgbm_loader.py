"""Load a ``model.txt`` artifact into a booster that answers rows as its estimator did, without scikit-learn.

For: the runtime, which carries a copy of this file in every package stored in the lightgbm format; capture asks the
live model through the same classes. The text holds numbers and names only, so there is nothing to vouch for.

It does not set a number of threads: whoever serves the model decides (``OMP_NUM_THREADS``).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

ARTIFACT = "model.txt"
_HEAD = b"tree\nversion=v"


def audit(artifacts: Path, options: dict[str, Any], package: str) -> list[str]:
    """Name the artifact if it is no text of LightGBM; what is has no types."""
    with (artifacts / ARTIFACT).open("rb") as stream:
        return [] if stream.read(len(_HEAD)) == _HEAD else [f"{ARTIFACT}, which is no model of LightGBM"]


def load(artifacts: Path, options: dict[str, Any], package: str, trusted: Iterable[str]) -> object:
    """Construct the booster, and what answers rows with it."""
    import lightgbm

    if named := audit(artifacts, options, package):
        raise ValueError(named[0])
    return answering(lightgbm.Booster(model_file=str(artifacts / ARTIFACT)), options)


def answering(booster: Any, options: dict[str, Any]) -> Boosted:
    """Return what answers rows with a booster.

    Args:
        booster: A ``lightgbm.Booster``.
        options: ``kind`` (``booster``, ``regressor``, ``ranker``, ``classifier``), ``names`` of the features (empty:
            the model has none), ``levels`` (categories by feature, in the order of their codes), and for a classifier
            ``classes`` and ``dtype``: its labels.
    """
    return (BoostedClassifier if options["kind"] == "classifier" else Boosted)(booster, options)


class Boosted:
    """A booster that answers rows in any container, its columns found by name.

    Attributes:
        booster: The ``lightgbm.Booster``.
        options: See :func:`answering`.
        n_features_in_: Number of features.
        feature_names_in_: Their names; absent if the model has none.
        categories_: Per feature its categories, empty for numbers.
    """

    def __init__(self, booster: Any, options: dict[str, Any]) -> None:
        self.booster = booster
        self.options = options
        self.n_features_in_: int = booster.num_feature()
        self._names: list[str] = list(options["names"])
        if self._names:
            self.feature_names_in_ = self._names
        known = options["levels"]
        levels = [known.get(str(place), []) for place in range(self.n_features_in_)]
        self.categories_: list[list[Any]] = levels
        self._codes = {
            place: {level: float(code) for code, level in enumerate(each)} for place, each in enumerate(levels) if each
        }
        self._estimator_type = options["kind"]

    def predict(self, rows: Any) -> Any:
        """Return what the booster predicts: ``[n_rows]``, or ``[n_rows, n_outputs]``."""
        return self.booster.predict(self._matrix(rows))

    def _matrix(self, rows: Any) -> Any:
        """Return rows as numbers ``[n_rows, n_features]``."""
        import numpy

        if isinstance(rows, numpy.ndarray):
            return rows if rows.dtype in ("float32", "float64") else rows.astype("float64")
        if not self._codes and hasattr(rows, "iloc") and list(rows.columns) == self._names:
            return rows.to_numpy(dtype="float64", na_value=numpy.nan)  # in one piece: many columns cost as few do
        count, columns = _columns(rows)
        if absent := [name for name in self._names if name not in columns] or (not self._names and ["names"]):
            raise ValueError(f"The rows lack {', '.join(absent)}.")
        matrix = numpy.empty((count, len(self._names)), "float64")
        for place, name in enumerate(self._names):
            matrix[:, place] = _numbers(columns[name], self._codes.get(place))
        return matrix


class BoostedClassifier(Boosted):
    """A booster that answers labels and probabilities, as ``lightgbm.LGBMClassifier`` makes them of its numbers.

    Source: lightgbm.sklearn, ``LGBMClassifier.predict`` and ``LGBMClassifier.predict_proba``.

    Attributes:
        classes_: The labels ``[n_labels]``.
    """

    def __init__(self, booster: Any, options: dict[str, Any]) -> None:
        import numpy

        super().__init__(booster, options)
        self.classes_ = numpy.array(options["classes"], dtype=options["dtype"])

    def predict(self, rows: Any) -> Any:
        """Return the labels ``[n_rows]``."""
        return self.classes_[self.predict_proba(rows).argmax(axis=1)]

    def predict_proba(self, rows: Any) -> Any:
        """Return probabilities ``[n_rows, n_labels]``."""
        import numpy

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
        return column.to_numpy(dtype="float64", na_value=numpy.nan)
    if hasattr(column, "to_numpy"):
        column = column.to_numpy()
    return numpy.asarray(column, dtype="float64")


def _codes(column: Any, code_of: dict[Any, float]) -> Any:
    """Return the codes of categories; one that training had not is missing, as it is to LightGBM."""
    import numpy

    nan = numpy.nan
    if hasattr(column, "cat") and hasattr(column, "array"):  # pandas
        codes = [code_of.get(level, nan) for level in column.cat.categories.tolist()]
        return numpy.array([*codes, nan])[column.cat.codes.to_numpy()]  # the last is that of code -1: missing
    ways = ("to_list", "to_pylist", "tolist")
    values = next((getattr(column, way)() for way in ways if hasattr(column, way)), column)
    return [code_of.get(value, nan) for value in values]
