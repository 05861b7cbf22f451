"""Answers of a model's process as the model itself gives them: in the kind of container that the rows came in.

Called by :mod:`.model`. Numbers stay in the memory that they were received in. The containers are built by the code
that builds them in process, :mod:`modelwright.runtime.returning`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from modelwright.errors import WorkerError
from modelwright.runtime.answers import Outputs
from modelwright.runtime.conversion import polars_dtype, pyarrow_type
from modelwright.runtime.encoding import decoder
from modelwright.runtime.returning import Returner
from modelwright.runtime.values import FieldJudge, Refused, family_of
from modelwright.serving.answering.outputs import lists
from modelwright.serving.contract import Contract
from modelwright.serving.inference import Values
from modelwright.serving.isolated.rows import Fitted

Output = dict[str, Any]
_TIMES = ("datetime", "date", "duration")


class Returning:
    """Gives answers of one method back.

    Args:
        method: Name of the method.
        contract: What its package promises.
    """

    def __init__(self, method: str, contract: Contract) -> None:
        self._title = contract.title
        self._outputs = Outputs(method, list(contract.outputs[method]), contract.title)
        self._returner = Returner(self._outputs)

    def nothing(self, kind: str, index: Any) -> Any:
        """Return the answer to no rows."""
        return self._returner.give_nothing(kind, index)

    def give(self, values: dict[str, Values], fitted: Fitted) -> Any:
        """Return what was answered.

        Args:
            values: What the process sent, per output.
            fitted: The rows.

        Raises:
            WorkerError: An output is not there.
        """
        missing = [name for name in self._outputs.names if name not in values]
        if missing:
            raise WorkerError(f"The process of {self._title} answered without {', '.join(missing)}.")
        columns = {
            output["name"]: _column(values[output["name"]], output, fitted.kind) for output in self._outputs.fields
        }
        only = columns[self._outputs.names[0]]
        answer = only if self._outputs.single and type(only).__module__ == "numpy" else columns
        return self._returner.give(answer, fitted.kind, fitted.index)


def _column(values: Values, output: Output, kind: str) -> Any:
    if isinstance(values.data, list):
        return _restored(values.data, output, kind)
    if kind in ("records", "columns"):
        return lists(values)
    try:
        numpy = import_module("numpy")
    except ModuleNotFoundError:  # polars and PyArrow do without
        return _without_numpy(values, kind)
    column = numpy.require(numpy.frombuffer(values.data, dtype=values.dtype), requirements="A")
    column = column.reshape(-1, *values.shape) if values.shape else column
    native = output.get("native") or values.dtype
    return column.astype(native) if native == "float16" else column  # halves travel as singles


def _without_numpy(values: Values, kind: str) -> Any:
    listed, field = lists(values), {"datatype": values.dtype}
    if values.shape:
        return listed
    if kind == "polars":
        return import_module("polars").Series(listed, dtype=polars_dtype(field))
    return import_module("pyarrow").array(listed, type=pyarrow_type(field))


def _restored(values: list[Any], output: Output, kind: str) -> Any:
    """Return a column of JSON values as what the model answered: Python's own objects, or an array of its dtype."""
    read = _reader(output)
    found = values if read is None else [_each(read, value) for value in values]
    native = output.get("native")
    if not native or kind in ("records", "columns"):
        return found
    try:
        numpy = import_module("numpy")
        if native != "object" or output.get("shape"):
            dtype = numpy.dtype(native)
            array = numpy.array(found, dtype=dtype.kind if dtype.kind in "US" else dtype)
            return array.astype(dtype) if array.itemsize < dtype.itemsize else array  # text may be longer than it was
        column = numpy.empty(len(found), dtype=object)
        column[:] = found
    except (TypeError, ValueError, ModuleNotFoundError):  # a type of another library, or a value that it has none for
        return found
    return column


def _reader(output: Output) -> Callable[[Any], Any] | None:
    family = family_of(output["datatype"])
    if family in ("float", "bytes"):
        return decoder(output)
    if family not in _TIMES:
        return None
    judge = FieldJudge({"name": output["name"], "datatype": output["datatype"], "nullable": True})

    def read(value: Any) -> Any:
        try:
            return judge.accept(value)
        except Refused:  # with a time zone, or finer than Python's own types: left as it came
            return value

    return read


def _each(read: Callable[[Any], Any], value: Any) -> Any:
    return [_each(read, element) for element in value] if isinstance(value, list) else read(value)
