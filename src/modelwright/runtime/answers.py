"""Check what the model answered, and take it apart into outputs.

Called by model. It does not call the model; :mod:`.returning` puts the outputs into the caller's kind of container.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Any

from .errors import OutputError, Problem
from .values import is_missing

LIMIT = 1000
"""At most so many problems are collected."""


class Outputs:
    """The outputs of one method of a model.

    Args:
        method: Name of the method.
        outputs: Its outputs in the signature; a method without any answers what it likes.
        model: What to call the model in a message.

    Attributes:
        fields: The outputs.
        names: Their names.
        single: Whether there is exactly one, so that the model's answer is it.
    """

    def __init__(self, method: str, outputs: list[dict[str, Any]], model: str) -> None:
        self.fields = outputs or [{"name": method, "datatype": "json"}]
        self.names = [output["name"] for output in self.fields]
        self.single = len(self.fields) == 1
        self._said = f"{method} of {model} answered"
        self._finite = [not (output.get("nullable") and output.get("infinite")) for output in self.fields]

    def check(self, answer: Any, rows: int) -> Any:
        """Return the answer if it is one that the signature allows.

        Raises:
            OutputError: Another number of rows, or values that are missing or infinite where none may be.
        """
        if self.single and is_array(answer) and answer.ndim:
            self._check_count(answer, rows)
            self._check_array(self.fields[0], answer, finite=self._finite[0])
            return answer
        for output, finite, column in zip(self.fields, self._finite, self.split(answer), strict=True):
            self._check_count(column, rows)
            if is_array(column):
                self._check_array(output, column, finite=finite)
            else:
                self._check_values(output, column)
        return answer

    def _check_count(self, column: Any, rows: int) -> None:
        if len(column) != rows:
            raise OutputError(
                f"{self._said} {len(column)} values for {rows} rows.",
                hint="The model must answer every row by itself; look at what it does with several rows.",
            )

    def _check_array(self, output: dict[str, Any], column: Any, *, finite: bool) -> None:
        kind = column.dtype.kind
        if (kind == "f" and finite and not sys.modules["numpy"].isfinite(column).all()) or kind in "OMm":
            self._check_values(output, column.tolist())

    def _check_values(self, output: dict[str, Any], column: Any) -> None:
        if output["datatype"] == "json":
            return
        problems: list[Problem] = []
        for row, value in enumerate(column):
            found = next(filter(None, (_flaw(output, leaf) for leaf in _leaves(value))), "")
            if found:
                problems.append(Problem(row, output["name"], found))
            if len(problems) >= LIMIT:
                break
        if problems:
            raise OutputError(
                f"{self._said} what its signature does not allow.",
                problems=problems,
                hint="Leave these rows out, or look at how they differ from the training data.",
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
        if isinstance(answer, list | tuple) and answer and all(isinstance(row, dict) for row in answer):
            return self._split_records(answer)
        if self.single:
            return [self._column(answer)]
        if isinstance(answer, list | tuple) and len(answer) == len(self.names):
            return [self._column(column) for column in answer]
        if getattr(answer, "ndim", 0) == 2 and answer.shape[1] == len(self.names):
            return [answer[:, place] for place in range(len(self.names))]
        raise OutputError(f"{self._said} a {type(answer).__name__} without {', '.join(self.names)}.")

    def _part(self, answer: dict[str, Any], name: str) -> Any:
        if name not in answer:
            raise OutputError(f"{self._said} without the output {name!r}.")
        return answer[name]

    def _split_records(self, answer: Any) -> list[Any]:
        if self.single and self.fields[0]["datatype"] == "json" and self.names[0] not in answer[0]:
            return [answer]
        return [[self._part(row, name) for row in answer] for name in self.names]

    def _split_frame(self, answer: Any) -> list[Any]:
        sent = [str(name) for name in getattr(answer, "column_names", None) or answer.columns]
        if self.single and self.names[0] not in sent:
            return [answer.to_numpy()]
        if set(self.names) - set(sent):
            raise OutputError(f"{self._said} the columns {sent}, not {self.names}.")
        return [_bare(answer[name]) for name in self.names]

    def _column(self, answer: Any) -> Any:
        if isinstance(answer, str | bytes) or not hasattr(answer, "__len__"):
            raise OutputError(
                f"{self._said} a {type(answer).__name__}, not one value per row.",
                hint="The function takes all rows and returns a list or an array.",
            )
        return _bare(answer)

    def lists(self, answer: Any) -> dict[str, list[Any]]:
        """Return one list of plain Python values per output; a row of several numbers is a list."""
        return {name: as_list(column) for name, column in zip(self.names, self.split(answer), strict=True)}


def _flaw(output: dict[str, Any], value: Any) -> str:
    if is_missing(value):
        return "" if output.get("nullable") else "the answer is missing (NaN or null)"
    if isinstance(value, float) and math.isinf(value) and not output.get("infinite"):
        return "the answer is infinite"
    return ""


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple) or (is_array(value) and value.ndim):
        for element in value:
            yield from _leaves(element)
    else:
        yield value


def is_array(value: Any) -> bool:
    """Say whether a value is a NumPy array, without importing NumPy."""
    return type(value).__module__ == "numpy" and hasattr(value, "ndim")


def _bare(column: Any) -> Any:
    """Return a column without the index or the library around it, if it has one."""
    return column.to_numpy() if not is_array(column) and hasattr(column, "to_numpy") else column


def as_list(column: Any) -> list[Any]:
    """Return a column as a list of plain Python values."""
    if hasattr(column, "tolist"):
        return list(column.tolist())
    return [value.tolist() if type(value).__module__ == "numpy" else value for value in column]
