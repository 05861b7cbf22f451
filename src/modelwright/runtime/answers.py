"""Check what the model answered, and give it back in the kind of container the rows came in.

A frame gets one column per output, one per class where the output has class labels (``probability_yes``); a
NumPy array is the model's own array, unchanged; records get one dict per row, with a dict from label to value where
the output has class labels; a dict of columns gets lists, named like a frame's.

Called by model. It does not call the model.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

from .errors import OutputError, Problem
from .values import family_of, is_missing

LIMIT = 1000
"""At most so many problems are collected."""


class Answers:
    """The outputs of one method.

    Args:
        method: Name of the method.
        outputs: Its outputs in the signature.
        model: What to call the model in a message.
    """

    def __init__(self, method: str, outputs: list[dict[str, Any]], model: str) -> None:
        self.method = method
        self.outputs = outputs or [{"name": method, "datatype": "json", "nullable": True, "infinite": True}]
        self.names = [output["name"] for output in self.outputs]
        self.columns = [column for output in self.outputs for column in flat_names(output)]
        self.model = model
        self._single = self.outputs[0] if len(self.outputs) == 1 else None
        self._strict = [_strict(output) for output in self.outputs]
        self._index: Any = None

    def check(self, answer: Any, count: int) -> Any:
        """Return the answer if it is one that the signature allows.

        Raises:
            OutputError: Another number of rows, or values that are missing or infinite where none may be.
        """
        if self._single is not None and type(answer).__module__ == "numpy" and answer.ndim:
            self._check_count(len(answer), count)
            if answer.dtype.kind == "f" and self._strict[0] and not _isfinite(answer):
                self._check_values(self._single, answer)
            elif answer.dtype.kind == "O":
                self._check_values(self._single, answer)
            return answer
        for output, column in zip(self.outputs, self.split(answer), strict=True):
            self._check_count(len(column), count)
            self._check_values(output, column)
        return answer

    def _check_count(self, answered: int, count: int) -> None:
        if answered != count:
            raise OutputError(
                f"{self.method} of {self.model} answered {answered} values for {count} rows.",
                hint="The model must answer every row by itself; look at what it does with several rows.",
            )

    def _check_values(self, output: dict[str, Any], column: Any) -> None:
        nullable, infinite = output.get("nullable", False), output.get("infinite", False)
        if output["datatype"] == "json" or (nullable and infinite):
            return
        problems = []
        for row, value in enumerate(column.tolist() if hasattr(column, "tolist") else column):
            for element in _leaves(value):
                if not nullable and is_missing(element):
                    problems.append(Problem(row, output["name"], "the answer is missing (NaN or null)"))
                elif not infinite and isinstance(element, float) and math.isinf(element):
                    problems.append(Problem(row, output["name"], "the answer is infinite"))
                else:
                    continue
                break
            if len(problems) >= LIMIT:
                break
        if problems:
            raise OutputError(
                f"{self.method} of {self.model} answered what its signature does not allow.",
                problems=problems,
                hint="The model cannot handle these rows; leave them out, or look at how they differ from the training data.",
            )

    def split(self, answer: Any) -> list[Any]:
        """Return one column per output, whatever the model put them in.

        Raises:
            OutputError: The answer does not have these outputs.
        """
        if isinstance(answer, dict):
            return [self._part(answer, name) for name in self.names]
        if hasattr(answer, "columns") or hasattr(answer, "column_names"):
            return self._split_frame(answer)
        if self._single is not None:
            if (
                isinstance(answer, list | tuple)
                and answer
                and all(isinstance(row, dict) and self.names[0] in row for row in answer)
            ):
                return [[row[self.names[0]] for row in answer]]
            return [self._sized(answer)]
        if isinstance(answer, list | tuple) and answer and isinstance(answer[0], dict):
            return [[self._part(row, name) for row in answer] for name in self.names]
        if isinstance(answer, list | tuple) and len(answer) == len(self.names):
            return list(answer)
        if getattr(answer, "ndim", 0) == 2 and answer.shape[1] == len(self.names):
            return [answer[:, place] for place in range(len(self.names))]
        raise OutputError(
            f"{self.method} of {self.model} answered a {type(answer).__name__}, not {', '.join(self.names)}."
        )

    def _part(self, answer: dict[str, Any], name: str) -> Any:
        if name not in answer:
            raise OutputError(f"{self.method} of {self.model} answered without the output {name!r}.")
        return answer[name]

    def _split_frame(self, answer: Any) -> list[Any]:
        sent = [str(name) for name in getattr(answer, "column_names", None) or answer.columns]
        if self._single is not None and self.names[0] not in sent:
            return [answer.to_numpy()]
        if set(self.names) - set(sent):
            raise OutputError(f"{self.method} of {self.model} answered the columns {sent}, not {self.names}.")
        return [_values(answer[name]) for name in self.names]

    def _sized(self, answer: Any) -> Any:
        if isinstance(answer, str | bytes) or not hasattr(answer, "__len__"):
            raise OutputError(
                f"{self.method} of {self.model} answered {type(answer).__name__}, not one value per row.",
                hint="predict takes all rows and returns a list or an array.",
            )
        return _values(answer)

    def lists(self, answer: Any) -> dict[str, list[Any]]:
        """Return one list of plain Python values per output; a row of several numbers is a list."""
        return {name: _as_list(column) for name, column in zip(self.names, self.split(answer), strict=True)}

    def given_back(self, answer: Any, kind: str, index: Any) -> Any:
        """Return a checked answer in the caller's kind of container.

        Args:
            answer: What the model answered.
            kind: The kind of container that the rows came in.
            index: The index of the rows, for pandas.
        """
        return _GIVERS[kind](self, answer, index)

    def _numpy(self, answer: Any, index: Any) -> Any:
        numpy = import_module("numpy")
        if self._single is not None:
            return answer if isinstance(answer, numpy.ndarray) else numpy.asarray(self.split(answer)[0])
        return numpy.column_stack([numpy.asarray(column) for column in self.split(answer)])

    def _pandas(self, answer: Any, index: Any) -> Any:
        pandas = import_module("pandas")
        if self._index is None:
            self._index = pandas.Index(self.columns)
        if self._single is not None and type(answer).__module__ == "numpy" and answer.dtype.kind in "fiub":
            block = answer.reshape(len(answer), -1)
            if block.shape[1] == len(self._index):
                return pandas.DataFrame(block, index=index, columns=self._index, copy=False)
        return pandas.DataFrame(self.flat(answer), index=index, columns=self._index)

    def _polars(self, answer: Any, index: Any) -> Any:
        return import_module("polars").DataFrame(self.flat(answer))

    def _pyarrow(self, answer: Any, index: Any) -> Any:
        return import_module("pyarrow").table({name: _arrow(values) for name, values in self.flat(answer).items()})

    def _columns(self, answer: Any, index: Any) -> dict[str, list[Any]]:
        return {name: _as_list(values) for name, values in self.flat(answer).items()}

    def _records(self, answer: Any, index: Any) -> list[dict[str, Any]]:
        columns = [
            _labelled(output, values) for output, values in zip(self.outputs, self.lists(answer).values(), strict=True)
        ]
        return [dict(zip(self.names, row, strict=True)) for row in zip(*columns, strict=True)]

    def flat(self, answer: Any) -> dict[str, Any]:
        """Return one column per output, and per class where the output has class labels."""
        flat: dict[str, Any] = {}
        for output, column in zip(self.outputs, self.split(answer), strict=True):
            names = flat_names(output)
            if names == [output["name"]]:
                flat[names[0]] = _as_list(column) if getattr(column, "ndim", 1) > 1 else column
            elif hasattr(column, "ndim"):
                flat |= {name: column[:, place] for place, name in enumerate(names)}
            else:
                flat |= {name: [row[place] for row in column] for place, name in enumerate(names)}
        return flat

    def empty(self, kind: str, index: Any) -> Any:
        """Return the answer to no rows, without asking the model."""
        if kind == "numpy":
            numpy = import_module("numpy")
            shapes = [tuple(max(size, 0) for size in output.get("shape", ())) for output in self.outputs]
            shape = (0, *shapes[0]) if self._single is not None else (0, len(self.columns))
            dtype = self.outputs[0]["datatype"]
            return numpy.empty(shape, dtype=dtype if family_of(dtype) in ("int", "float", "bool") else object)
        if kind == "records":
            return []
        nothing: dict[str, list[Any]] = {name: [] for name in self.columns}
        if kind == "columns":
            return nothing
        if kind == "pandas":
            return import_module("pandas").DataFrame(nothing, index=index, columns=self.columns)
        if kind == "polars":
            return import_module("polars").DataFrame(nothing)
        return import_module("pyarrow").table(nothing)


_GIVERS: dict[str, Callable[[Answers, Any, Any], Any]] = {
    "columns": Answers._columns,
    "numpy": Answers._numpy,
    "pandas": Answers._pandas,
    "polars": Answers._polars,
    "pyarrow": Answers._pyarrow,
    "records": Answers._records,
}


def flat_names(output: dict[str, Any]) -> list[str]:
    """Return the names of the flat columns of an output.

    Example:
        >>> flat_names({"name": "probability", "shape": [2], "labels": ["no", "yes"]})
        ['probability_no', 'probability_yes']
        >>> flat_names({"name": "position", "shape": [2]}), flat_names({"name": "churn"})
        (['position_0', 'position_1'], ['churn'])
    """
    labels, shape = output.get("labels"), output.get("shape", ())
    if labels and len(shape) == 1:
        return [f"{output['name']}_{label}" for label in labels]
    if len(shape) == 1 and shape[0] > 0:
        return [f"{output['name']}_{place}" for place in range(shape[0])]
    return [output["name"]]


def _strict(output: dict[str, Any]) -> bool:
    return not (output.get("nullable") and output.get("infinite"))


def _isfinite(answer: Any) -> bool:
    return bool(import_module("numpy").isfinite(answer).all())


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return [leaf for element in value for leaf in _leaves(element)]
    return [value]


def _labelled(output: dict[str, Any], values: list[Any]) -> list[Any]:
    labels = output.get("labels")
    if not labels or len(output.get("shape", ())) != 1:
        return values
    return [dict(zip(labels, row, strict=True)) for row in values]


def _values(column: Any) -> Any:
    """Return a column without the index or the library around it, if it has one."""
    if hasattr(column, "ndim") and type(column).__module__ == "numpy":
        return column
    return column.to_numpy() if hasattr(column, "to_numpy") else column


def _as_list(column: Any) -> list[Any]:
    return list(column.tolist()) if hasattr(column, "tolist") else [_plain(value) for value in column]


def _plain(value: Any) -> Any:
    return value.tolist() if type(value).__module__ == "numpy" else value


def _arrow(values: Any) -> Any:
    return values.tolist() if getattr(values, "dtype", None) is not None and values.dtype.kind in "OU" else values
