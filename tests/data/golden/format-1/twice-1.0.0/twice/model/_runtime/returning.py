"""Give outputs back in the kind of container that the rows came in.

A frame gets one column per output, one per class where the output has class labels (``probability_yes``); a
NumPy array is the model's own array, unchanged; records get one dict per row, with a dict from label to value where
the output has class labels; a dict of columns gets lists, named like a frame's columns.

Called by model, with answers that were checked. A library is imported only if the rows came from it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .answers import Outputs, as_list
from .values import family_of

Columns = dict[str, Any]


def flat_names(output: dict[str, Any]) -> list[str]:
    """Return the names of the flat columns of an output.

    Example:
        >>> flat_names({"name": "probability", "shape": [2], "labels": ["no", "yes"]})
        ['probability_no', 'probability_yes']
        >>> flat_names({"name": "position", "shape": [2]}), flat_names({"name": "churn"})
        (['position_0', 'position_1'], ['churn'])
    """
    labels, shape = output.get("labels"), output.get("shape", ())
    if len(shape) != 1 or (shape[0] < 1 and not labels):
        return [output["name"]]
    return [f"{output['name']}_{label}" for label in labels or range(shape[0])]


def flat_columns(outputs: Outputs, answer: Any) -> Columns:
    """Return one column per output, and per class where the output has class labels."""
    flat: Columns = {}
    for output, column in zip(outputs.fields, outputs.split(answer), strict=True):
        names, array = flat_names(output), hasattr(column, "ndim")
        if names == [output["name"]]:
            flat[names[0]] = as_list(column) if array and column.ndim > 1 else column
        else:
            flat |= {name: column[:, i] if array else [row[i] for row in column] for i, name in enumerate(names)}
    return flat


class Returner:
    """Puts the answers of one method into containers.

    Args:
        outputs: The outputs of the method.
    """

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs
        self.columns = [name for output in outputs.fields for name in flat_names(output)]
        self._index: Any = None

    def give(self, answer: Any, kind: str, index: Any) -> Any:
        """Return a checked answer.

        Args:
            answer: What the model answered.
            kind: The kind of container that the rows came in.
            index: The index of the rows, for pandas.
        """
        if kind == "numpy":
            return self._array(answer)
        if kind == "pandas":
            return self._pandas(answer, index)
        if kind == "records":
            return self._records(answer)
        flat = flat_columns(self._outputs, answer)
        if kind == "columns":
            return {name: as_list(column) for name, column in flat.items()}
        if kind == "polars":
            return import_module("polars").DataFrame(flat)
        return import_module("pyarrow").table({name: _for_arrow(column) for name, column in flat.items()})

    def _array(self, answer: Any) -> Any:
        numpy = import_module("numpy")
        if self._outputs.single:
            return answer if isinstance(answer, numpy.ndarray) else numpy.asarray(self._outputs.split(answer)[0])
        return numpy.column_stack([numpy.asarray(column) for column in self._outputs.split(answer)])

    def _pandas(self, answer: Any, index: Any) -> Any:
        pandas = import_module("pandas")
        if self._index is None:
            self._index = pandas.Index(self.columns)
        if self._outputs.single and type(answer).__module__ == "numpy" and answer.dtype.kind in "fiub":
            block = answer.reshape(len(answer), -1)
            if block.shape[1] == len(self.columns):
                return pandas.DataFrame(block, index=index, columns=self._index, copy=False)
        flat = flat_columns(self._outputs, answer)
        return pandas.DataFrame(
            {name: pandas.Series(column, index=index) for name, column in flat.items()}, index=index
        )

    def _records(self, answer: Any) -> list[dict[str, Any]]:
        lists = self._outputs.lists(answer)
        columns = [_labelled(output, lists[output["name"]]) for output in self._outputs.fields]
        return [dict(zip(lists, row, strict=True)) for row in zip(*columns, strict=True)]

    def give_nothing(self, kind: str, index: Any) -> Any:
        """Return the answer to no rows, which no model need be asked for."""
        if kind == "numpy":
            return self._empty_array()
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

    def _empty_array(self) -> Any:
        output = self._outputs.fields[0]
        shape = [max(size, 0) for size in output.get("shape", ())] if self._outputs.single else [len(self.columns)]
        number = family_of(output["datatype"]) in ("int", "float", "bool")
        return import_module("numpy").empty((0, *shape), dtype=output["datatype"] if number else object)


def _labelled(output: dict[str, Any], values: list[Any]) -> list[Any]:
    labels = output.get("labels")
    if not labels or len(output.get("shape", ())) != 1:
        return values
    return [dict(zip(labels, row, strict=True)) for row in values]


def _for_arrow(column: Any) -> Any:
    return column.tolist() if getattr(getattr(column, "dtype", None), "kind", "") in ("O", "U") else column
