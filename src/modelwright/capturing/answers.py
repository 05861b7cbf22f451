"""Call the live model and read what it answered as typed outputs.

For: capture calls the model through :func:`answer` only, so that its signature, scenarios, profile and evaluation
all see the same answers.

It does not: decide which rows are asked, or write anything.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from modelwright.capturing.column import Column, column_of_array, column_of_objects
from modelwright.capturing.frames import container_of
from modelwright.capturing.table import Table
from modelwright.errors import ModelMismatchError, SampleError
from modelwright.spec.manifest import Task
from modelwright.spec.signature import Output, Scalar

Labels = tuple[Scalar, ...]

OUTPUT_NAMES = {
    "predict": "prediction",
    "predict_proba": "probability",
    "decision_function": "score",
    "transform": "transformed",
}
"""What the answer of a method is called; an unknown method's output is called like the method."""
FLOAT_RTOL = 1e-9
"""Default relative tolerance of floating-point outputs: other CPUs and BLAS builds sum in another order, so bit
equality across machines is not promised; integers and text are compared exactly."""
FLOAT_ATOL = 1e-12
"""Default absolute tolerance of floating-point outputs."""
SINGLE_RTOL = 1e-4
"""Default tolerance of 32-bit outputs, relative to the answer and to the size of a typical answer: each operation
rounds by 6e-8, a network adds up thousands, in an order that depends on how many rows come at once, and what nearly
cancels out keeps the rounding of what it came from."""
_SHOWN_ROWS = 10


@dataclass(frozen=True, eq=False, slots=True)
class Answer:
    """One output of the model, for every row that it was asked about.

    Attributes:
        output: Its place in the signature.
        column: Its values, ``[n_rows, *output.shape]``.
    """

    output: Output
    column: Column


def methods_of(model: object) -> tuple[str, ...]:
    """Choose the methods whose answers belong to the signature.

    ``predict`` with ``predict_proba``, or with ``decision_function`` where there are no probabilities; ``transform``
    for what has no ``predict``; a plain function is asked through ``predict``.

    Raises:
        ModelMismatchError: The object answers to none of them.

    Example:
        >>> methods_of(lambda rows: rows)
        ('predict',)
    """
    if hasattr(model, "predict"):
        second = next((name for name in ("predict_proba", "decision_function") if hasattr(model, name)), None)
        return ("predict", second) if second else ("predict",)
    if hasattr(model, "transform"):
        return ("transform",)
    if callable(model) and not isinstance(model, type):
        return ("predict",)
    raise ModelMismatchError(
        f"A {type(model).__qualname__} has neither predict nor transform.",
        hint="Give a fitted estimator, a function of rows, or an object with a predict method.",
    )


def labels_of(model: object) -> Labels | None:
    """Return the class labels of a fitted classifier in the model's own order; ``None`` without any.

    Raises:
        ModelMismatchError: One list of labels per target, which one probability output cannot carry.
    """
    classes = getattr(model, "classes_", None)
    if classes is None:
        return None
    if isinstance(classes, list) and any(isinstance(part, np.ndarray) for part in classes):
        return None
    values = np.asarray(classes)
    return tuple(values.tolist()) if values.ndim == 1 else None


def task_of(model: object, outputs: Sequence[Output]) -> Task:
    """Say what kind of model it is, from what the model and its outputs say of themselves."""
    tags = getattr(model, "__sklearn_tags__", None)
    kind = getattr(tags(), "estimator_type", None) if callable(tags) else getattr(model, "_estimator_type", None)
    tasks: dict[Any, Task] = {
        "classifier": "classification",
        "regressor": "regression",
        "clusterer": "clustering",
        "outlier_detector": "anomaly-detection",
        "transformer": "transformation",
    }
    if kind in tasks:
        return tasks[kind]
    if any(output.labels for output in outputs):
        return "classification"
    return "transformation" if hasattr(model, "transform") and not hasattr(model, "predict") else "function"


def answer(
    model: Any,
    data: Any,
    *,
    methods: Sequence[str],
    labels: Labels | None,
    n_rows: int,
    declared: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[Answer, ...]:
    """Ask the live model about rows and read every answer.

    Args:
        model: The live model, or a function of rows.
        data: The rows, in the container the model wants.
        methods: Methods to call, see :func:`methods_of`.
        labels: Class labels, see :func:`labels_of`.
        n_rows: Number of rows in ``data``.
        declared: Per output, attributes of :class:`~modelwright.spec.signature.Output` that the user knows better
            (``{"score": {"nullable": True, "rtol": 1e-6}}``).

    Raises:
        ModelMismatchError: The model raises, answers for another number of rows, or answers NaN, infinity or
            something that has no datatype.
    """
    found: list[Answer] = []
    for method in methods:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            raw = call(model, method, data)
        found += read_answer(raw, method=method, n_rows=n_rows, labels=labels, declared=declared)
    counts = Counter(item.output.name for item in found)
    if repeated := next((name for name, count in counts.items() if count > 1), None):
        raise ModelMismatchError(f"Two methods both answer an output {repeated!r}.", hint="Choose one with methods=….")
    return tuple(found)


def call(model: Any, method: str, data: Any) -> Any:
    """Call one method of the live model.

    Raises:
        ModelMismatchError: It raises; its own message is the reason.
    """
    function = model if method == "predict" and not hasattr(model, "predict") else getattr(model, method)
    try:
        return function(data)
    except Exception as error:  # whatever the user's code raises is a finding about it, not a failure of ours
        name = getattr(model, "__qualname__", type(model).__qualname__)
        raise ModelMismatchError(
            f"The model cannot answer the sample: {name}.{method} raises {type(error).__name__}.",
            why=str(error)[:2000],
            hint="Give rows as the model was trained with them; is it fitted?",
        ) from error


def read_answer(
    raw: Any,
    *,
    method: str,
    n_rows: int,
    labels: Labels | None,
    declared: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[Answer, ...]:
    """Read what one method answered: an array, a list of scalars or dicts, a frame, a series, a dict of columns.

    Raises:
        ModelMismatchError: See :func:`answer`.

    Example:
        >>> read_answer(np.array([0.1, 0.9]), method="predict", n_rows=2, labels=None)[0].output.name
        'prediction'
    """
    try:
        columns = tuple(_columns(raw, method))
    except SampleError as error:
        raise ModelMismatchError(
            f"The answer of {method} cannot be described.", why=error.what, hint=error.hint
        ) from error
    made = []
    for column in columns:
        if len(column.values) != n_rows:
            raise ModelMismatchError(
                f"{method} answered {len(column.values)} values for {n_rows} rows.",
                hint="A model answers one value, or one list of values, per row.",
            )
        output = _output(column, method=method, labels=labels, declared=(declared or {}).get(column.name, {}))
        _check_values(column, output)
        made.append(Answer(output, column))
    return tuple(made)


def _columns(raw: Any, method: str) -> Iterator[Column]:
    name = OUTPUT_NAMES.get(method, method)
    if hasattr(raw, "toarray"):
        raise SampleError("It is a sparse matrix.", hint="Let the last step give dense output: sparse_output=False.")
    if container_of(raw) is not None or isinstance(raw, Mapping):
        yield from Table.of(raw).columns
    elif isinstance(raw, list | tuple) and raw and all(isinstance(row, Mapping) for row in raw):
        yield from Table.of(list(raw)).columns
    elif isinstance(raw, list | tuple) and raw and all(isinstance(part, np.ndarray) and part.ndim == 2 for part in raw):
        raise SampleError(
            f"{method} answers one array per target.",
            hint='Leave it out with methods=["predict"], or capture one model per target.',
        )
    elif isinstance(raw, list | tuple):
        scalars = all(row is None or isinstance(row, bool | int | float | str | bytes | np.generic) for row in raw)
        stacked = None if scalars else _stack(raw)
        if stacked is not None:
            yield column_of_array(name, stacked, nan_is_null=False)
        else:
            yield column_of_objects(name, raw, mixed="json")
    else:
        array = np.asarray(raw.to_numpy() if hasattr(raw, "to_numpy") else raw)
        if array.ndim == 0:
            raise SampleError(f"It is a single {type(raw).__name__}, not one value per row.", hint="Return a list.")
        yield column_of_array(name, array, nan_is_null=False, native=str(array.dtype))


def _stack(raw: Sequence[Any]) -> np.ndarray[Any, Any] | None:
    """Return rows of equally long lists of numbers as one array."""
    try:
        stacked = np.array(raw)
    except ValueError:  # ragged
        return None
    return stacked if stacked.dtype.kind in "bif" and stacked.ndim > 1 else None


def _output(column: Column, *, method: str, labels: Labels | None, declared: Mapping[str, Any]) -> Output:
    floating = column.datatype.startswith("float")
    exact = column.datatype == "float64" or not floating
    across = labels is not None and method != "predict" and column.shape == (len(labels),)
    plain: dict[str, Any] = {
        "name": column.name,
        "datatype": column.datatype,
        "shape": column.shape,
        "nullable": bool(column.missing.any()) and not floating,
        "categories": _classes(column, labels) if method == "predict" else None,
        "native": column.native,
        "timezone": column.timezone,
        "method": method,
        "labels": labels if across else None,
        "rtol": (FLOAT_RTOL if exact else SINGLE_RTOL) if floating else 0.0,
        "atol": (FLOAT_ATOL if exact else _single_atol(column)) if floating else 0.0,
    }
    unknown = [key for key in declared if key not in Output.__struct_fields__ or key in ("name", "method", "datatype")]
    if unknown:
        raise ModelMismatchError(
            f"{unknown[0]!r} is no attribute of an output that can be declared.", where=f"output {column.name!r}"
        )
    return Output(**(plain | dict(declared)))


def _single_atol(column: Column) -> float:
    """Return the absolute tolerance of a 32-bit output, one digit: it is relative to a typical answer."""
    sizes = np.abs(column.values[np.isfinite(column.values)].astype("float64"))
    return max(FLOAT_ATOL, float(f"{SINGLE_RTOL * sizes.mean():.0e}")) if sizes.size else FLOAT_ATOL


def _classes(column: Column, labels: Labels | None) -> Labels | None:
    """Return the labels if the column holds nothing but labels."""
    if labels is None or column.shape or column.datatype == "json":
        return None
    return labels if set(column.present().tolist()) <= set(labels) else None


def _check_values(column: Column, output: Output) -> None:
    if column.values.dtype.kind != "f":
        return
    flat = column.values.reshape(len(column.values), -1)
    if not output.nullable:
        _refuse(column, np.isnan(flat).any(axis=1), output, what="NaN", attribute="nullable")
    if not output.infinite:
        _refuse(column, np.isinf(flat).any(axis=1), output, what="infinity", attribute="infinite")


def _refuse(column: Column, rows: Any, output: Output, *, what: str, attribute: str) -> None:
    if not rows.any():
        return
    positions = np.flatnonzero(rows).tolist()
    more = f" and {len(positions) - _SHOWN_ROWS} more" if len(positions) > _SHOWN_ROWS else ""
    raise ModelMismatchError(
        f"{output.method} answers {what} in {len(positions)} of {len(column.values)} rows.",
        where=f"output {output.name!r}, rows {', '.join(map(str, positions[:_SHOWN_ROWS]))}{more}",
        why="Whoever uses the answer would calculate on with it.",
        hint=f"Mend the model, or declare it: outputs={{{output.name!r}: {{{attribute!r}: True}}}}.",
    )


def values_by_name(answers: Sequence[Answer]) -> dict[str, Any]:
    """Return the values of each output, ``[n_rows, *shape]``, by its name."""
    return {item.output.name: cast(Any, item.column.values) for item in answers}


@dataclass(frozen=True, eq=False, slots=True)
class LiveModel:
    """The live model with what it takes to ask it.

    Attributes:
        model: The fitted object, or a function of rows.
        methods: Methods whose answers belong to the signature.
        labels: Class labels, in the model's order.
        declared: Per output, attributes that the user knows better.

    Example:
        >>> live = LiveModel.of(lambda rows: [row["age"] > 17 for row in rows])
        >>> live.ask([{"age": 41}], n_rows=1)[0].column.values.tolist()
        [True]
    """

    model: Any
    methods: tuple[str, ...]
    labels: Labels | None
    declared: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(
        cls,
        model: Any,
        *,
        methods: Sequence[str] = (),
        declared: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> LiveModel:
        """Look at a live model.

        Args:
            model: The fitted object, or a function of rows.
            methods: Methods to ask; empty: see :func:`methods_of`.
            declared: Per output, attributes that the user knows better.

        Raises:
            ModelMismatchError: It has no such method, or none that can be asked.
        """
        chosen = tuple(methods) or methods_of(model)
        absent = [name for name in chosen if not hasattr(model, name) and not (name == "predict" and callable(model))]
        if absent:
            usual = ", ".join(name for name in OUTPUT_NAMES if hasattr(model, name))
            raise ModelMismatchError(
                f"A {type(model).__qualname__} has no method {absent[0]!r}.",
                hint=f"It has {usual or 'none of the usual methods'}.",
            )
        return cls(model, chosen, labels_of(model), dict(declared or {}))

    def instead(self, model: Any) -> LiveModel:
        """Return the same questions to another model that answers them, with the labels of that one."""
        return LiveModel.of(model, methods=self.methods, declared=self.declared)

    def ask(self, data: Any, *, n_rows: int, methods: Sequence[str] = ()) -> tuple[Answer, ...]:
        """Ask about rows in the container the model wants; see :func:`answer`.

        Raises:
            ModelMismatchError: The model raises, or its answers break its own signature.
        """
        return answer(
            self.model,
            data,
            methods=tuple(methods) or self.methods,
            labels=self.labels,
            n_rows=n_rows,
            declared=self.declared,
        )
