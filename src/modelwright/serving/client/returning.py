"""Answers of a server as the model itself gives them: in the kind of container that the rows came in.

The same code that gives a model's answers back in process (:mod:`modelwright.runtime.returning`) builds the
containers here; this module brings what came over the wire into the form that it takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from modelwright.runtime.answers import Outputs, as_list
from modelwright.runtime.conversion import numpy_column
from modelwright.runtime.encoding import decoder
from modelwright.runtime.returning import Returner, flat_names
from modelwright.runtime.values import FieldJudge, family_of

_TIMES = ("datetime", "date", "duration")


class Returning:
    """Gives answers of one method back.

    Args:
        method: Name of the method.
        signature: Signature of the model, as its server says it.
        title: What to call the model in messages.
    """

    def __init__(self, method: str, signature: dict[str, Any], title: str) -> None:
        said = [output for output in signature.get("outputs", ()) if output.get("method", "predict") == method]
        self._outputs = Outputs(method, said, title)
        self._returner = Returner(self._outputs)
        self._fields = [field for output in self._outputs.fields for field in _flat(output)]
        self._flat = Returner(Outputs(method, self._fields, title))

    @property
    def columns(self) -> list[str]:
        """Names of the columns that a frame gets."""
        return self._returner.columns

    def nothing(self, kind: str, index: Any) -> Any:
        """Return the answer to no rows."""
        return self._returner.give_nothing(kind, index)

    def records(self, predictions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return an answer of one object per row."""
        readers = [(output["name"], _reader(output)) for output in self._outputs.fields]
        return [{name: read(row[name]) for name, read in readers} for row in predictions]

    def table(self, columns: Sequence[dict[str, Any]], kind: str, index: Any) -> Any:
        """Return an answer of columns.

        Args:
            columns: The columns that a frame gets, by name; one such table per slice of the rows.
            kind: The kind of container.
            index: The index of the rows, for pandas.
        """
        whole = {field["name"]: _joined([table[field["name"]] for table in columns], field) for field in self._fields}
        if kind == "columns":
            return {name: as_list(column) for name, column in whole.items()}
        answer = self._flat.give(
            {field["name"]: _typed(whole[field["name"]], field) for field in self._fields}, kind, index
        )
        shape = self._outputs.fields[0].get("shape") if self._outputs.single else None
        return answer.reshape(len(answer), *shape) if kind == "numpy" and shape else answer


def _flat(output: dict[str, Any]) -> list[dict[str, Any]]:
    names = flat_names(output)
    if names == [output["name"]]:
        return [output]
    inner = {key: value for key, value in output.items() if key not in ("labels", "shape")}
    return [inner | {"name": name} for name in names]


def _reader(output: dict[str, Any]) -> Any:
    """Return what brings one JSON value of an output back."""
    read, labels = _value_reader(output), output.get("labels")
    if not labels or len(output.get("shape", ())) != 1:
        return read
    return lambda value: dict(zip(labels, map(read, value.values()), strict=True))


def _value_reader(field: dict[str, Any]) -> Any:
    read = decoder(field)
    if family_of(field["datatype"]) not in _TIMES:
        return read
    judge = FieldJudge(field | {"nullable": True})
    return lambda value: None if value is None else judge.accept(value)


def _joined(parts: list[Any], field: dict[str, Any]) -> Any:
    """Return the values of a column, whose parts are lists of JSON values or arrays."""
    if len(parts) == 1 and hasattr(parts[0], "dtype"):
        return parts[0]
    read = _value_reader(field)
    return [read(value) for part in parts for value in as_list(part)]


def _typed(column: Any, field: dict[str, Any]) -> Any:
    """Return a column as the array that the model gives; a model that gives lists gives a list."""
    native = field.get("native")
    if not native:
        return as_list(column)
    try:
        numpy = import_module("numpy")
        dtype = numpy.dtype(native)
        if dtype.kind in "US":
            return _text(numpy, as_list(column), dtype)
        return column.astype(dtype, copy=False) if hasattr(column, "dtype") else numpy_column(column, dtype)
    except (TypeError, ValueError, ModuleNotFoundError):  # a type of another library, or a value that it has none for
        return column


def _text(numpy: Any, values: list[Any], dtype: Any) -> Any:
    """Return texts as an array that is as wide as the model's own, or wider: none is cut; one may be missing."""
    if None in values:
        return numpy_column(values, object)
    array = numpy.array(values, dtype=dtype.kind)
    return array.astype(dtype) if array.itemsize < dtype.itemsize else array
