"""Bring a sample to what the inputs of a graph declare: names, datatypes, lengths of axes.

Called by the onnx format, before the live graph is asked. Rows keep the container they came in, but for tensors, which
become one dict of arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from modelwright.errors import ModelMismatchError

Given = dict[str, Any]
"""An input of a graph: ``name``, ``datatype``, ``shape`` with the row axis first, ``-1`` for any length."""
_MISSING = {"NoneType", "NAType", "NaTType"}


class Rows(NamedTuple):
    """A sample as a graph takes it.

    Attributes:
        sample: The rows, in declared datatypes.
        takes: ``matrix``: all columns make one tensor; ``columns``: a column makes a tensor.
        columns: Names of the columns, in the order of the matrix or of the inputs.
        fields: What the graph declares beyond what the sample shows: axes of any length.
    """

    sample: Any
    takes: str
    columns: list[str]
    fields: dict[str, dict[str, Any]]


def declared_rows(sample: Any, inputs: list[Given]) -> Rows:
    """Return a sample in the datatypes of the inputs.

    Args:
        sample: The rows, in any container that capture takes.
        inputs: The inputs of the graph.

    Raises:
        ModelMismatchError: Other columns, another number of them, or values that the datatypes cannot hold.
    """
    if isinstance(sample, np.ndarray):
        return _of_array(sample, inputs)
    columns = _columns_of(sample)
    names = list(columns)
    if _is_matrix(inputs, columns):
        width = inputs[0]["shape"][1]
        if width not in (-1, len(names)):
            raise _width(len(names), width, inputs[0])
        one = {"name": inputs[0]["name"], "datatype": inputs[0]["datatype"], "shape": [-1]}
        return Rows(_rebuilt(sample, columns, dict.fromkeys(names, one)), "matrix", names, {})
    wanted = names if len(inputs) == len(names) == 1 else [given["name"] for given in inputs]
    _check_names(names, wanted)
    by_name = dict(zip(wanted, inputs, strict=True))
    fields = {name: {"shape": given["shape"][1:]} for name, given in by_name.items() if -1 in given["shape"][1:]}
    return Rows(_rebuilt(sample, columns, by_name), "columns", wanted, fields)


def any_rows(inputs: list[Given]) -> Rows:
    """Return a row of zeros, for a graph whose rows are made by code around it."""
    filled = {given["name"]: np.zeros([max(size, 1) for size in given["shape"]], _dtype(given)) for given in inputs}
    for values in filled.values():
        if values.dtype == object:
            values[...] = ""
    matrix = len(inputs) == 1 and len(inputs[0]["shape"]) == 2 and is_tensor(inputs[0])
    one = next(iter(filled.values()))
    if len(inputs) == 1 and (matrix or one.ndim > 2):
        columns = [f"x{place}" for place in range(inputs[0]["shape"][1])] if matrix else ["inputs"]
        return Rows(one, "matrix" if matrix else "columns", columns, {})
    flat = {
        name: values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values for name, values in filled.items()
    }
    return Rows(flat, "columns", list(filled), {})


def is_tensor(given: Given) -> bool:
    """Say whether a row of an input is more than one value."""
    return len(given["shape"]) > 1 and given["shape"][1:] != [1]


def _is_matrix(inputs: list[Given], columns: Mapping[str, Any]) -> bool:
    """Say whether all columns make one tensor: one input of two axes, and a column is not a tensor by itself."""
    if len(inputs) != 1 or len(inputs[0]["shape"]) != 2 or not is_tensor(inputs[0]):
        return False
    first = next(iter(columns.values()))
    return not (len(columns) == 1 and len(first) and np.ndim(first[0]))


def _of_array(sample: Any, inputs: list[Given]) -> Rows:
    if len(inputs) > 1:
        raise ModelMismatchError(
            f"The sample is one array, and the graph has {len(inputs)} inputs.",
            hint=f"Give a frame, or a dict of columns, with {_listed([given['name'] for given in inputs])}.",
        )
    given = inputs[0]
    shape = given["shape"]
    if sample.ndim < 2 or sample.ndim != len(shape):
        raise ModelMismatchError(
            f"The sample has {sample.ndim} axes; the graph takes {given['name']!r} of shape {shape}.",
            hint="The first axis is the rows." if len(shape) > 1 else "Give a frame with one column.",
        )
    if sample.ndim == 2 and shape[1] not in (-1, sample.shape[1]):
        raise _width(sample.shape[1], shape[1], given)
    if any(size not in (-1, here) for size, here in zip(shape[1:], sample.shape[1:], strict=True)):
        raise ModelMismatchError(f"The sample has the shape {list(sample.shape)}; the graph takes {shape}.")
    cast = _cast(sample, given, "the sample")
    if sample.ndim == 2:
        return Rows(cast, "matrix", [f"x{place}" for place in range(sample.shape[1])], {})
    return Rows(cast, "columns", ["inputs"], {"inputs": {"shape": shape[1:]}} if -1 in shape[1:] else {})


def _columns_of(sample: Any) -> dict[str, Any]:
    """Return the values of each column, as a sequence."""
    if isinstance(sample, Mapping):
        return dict(sample)
    if isinstance(sample, Sequence) and all(isinstance(row, Mapping) for row in sample):
        names = dict.fromkeys(name for row in sample for name in row)
        return {name: [row.get(name) for row in sample] for name in names}
    if isinstance(sample, Sequence):
        raise ModelMismatchError("The sample is a list of something else than dicts.", hint="Give one dict per row.")
    import narwhals as nw

    frame = nw.from_native(sample, eager_only=True)
    return {name: frame[name].to_list() if frame[name].dtype.is_nested() else frame[name] for name in frame.columns}


def _rebuilt(sample: Any, columns: dict[str, Any], inputs: Mapping[str, Given]) -> Any:
    """Return the sample with its columns in declared datatypes; tensors make a dict of arrays of any container."""
    cast = {name: _cast(columns[name], given, f"the column {name!r}") for name, given in inputs.items()}
    if any(is_tensor(given) for given in inputs.values()):
        return cast
    lists = {name: values.tolist() if values.dtype.kind == "O" else values for name, values in cast.items()}
    if isinstance(sample, Mapping):
        return lists
    if isinstance(sample, Sequence):
        return [dict(zip(cast, row, strict=True)) for row in zip(*(v.tolist() for v in cast.values()), strict=True)]
    import narwhals as nw

    frame = nw.from_native(sample, eager_only=True)
    kind = frame.implementation
    made = [
        nw.new_series(name, values, nw.String() if isinstance(values, list) else None, backend=kind)
        for name, values in lists.items()
    ]
    if hasattr(sample, "index"):
        made = [nw.from_native(nw.to_native(one).set_axis(sample.index), series_only=True) for one in made]
    return frame.with_columns(*made).select(list(cast)).to_native()


def _cast(values: Any, given: Given, what: str) -> Any:
    """Return values as an array of the datatype of an input.

    Raises:
        ModelMismatchError: It cannot hold them.
    """
    array = values.to_numpy() if hasattr(values, "to_numpy") else np.asarray(_even(values, given, what))
    if given["datatype"] == "string":
        return _text(values if array.dtype.kind != "U" else array, given, what)
    if array.dtype.kind == "O":
        array = _of_objects(array.tolist(), given, what)
    dtype = np.dtype(given["datatype"])
    if array.dtype.kind not in "biuf":
        raise _misfit(given, what, f"it holds {array.ravel()[:1].tolist()[0]!r}")
    with np.errstate(over="ignore", invalid="ignore"):
        cast = array.astype(dtype)
    lost = np.isinf(cast) & ~np.isinf(array) if dtype.kind == "f" else cast != array
    if lost.any():
        raise _misfit(given, what, f"it holds {array[lost][0]}")
    return cast


def _even(values: Any, given: Given, what: str) -> Any:
    """Return rows of lists as lists of one length."""
    shapes = {np.shape(value) for value in values} if is_tensor(given) else set()
    if len(shapes) > 1:
        raise ModelMismatchError(
            f"The rows of {what} have several lengths.",
            hint="Give a sample of one length; the captured model takes the others as well.",
        )
    return values if not hasattr(values, "to_list") else values.to_list()


def _text(values: Any, given: Given, what: str) -> Any:
    array = np.asarray(values.to_list() if hasattr(values, "to_list") else values, dtype=object)
    strangers = [value for value in array.ravel().tolist() if not isinstance(value, str)]
    if strangers:
        raise _misfit(given, what, f"it holds {strangers[0]!r}, and a graph has no missing text")
    return array


def _of_objects(values: list[Any], given: Given, what: str) -> Any:
    if wrong := next((v for v in values if isinstance(v, str | bytes)), None):
        raise _misfit(given, what, f"it holds {wrong!r}")
    try:
        return np.array([np.nan if type(value).__name__ in _MISSING else value for value in values])
    except (TypeError, ValueError) as error:
        raise _misfit(given, what, str(error)) from error


def _dtype(given: Given) -> Any:
    return object if given["datatype"] == "string" else np.dtype(given["datatype"])


def _misfit(given: Given, what: str, why: str) -> ModelMismatchError:
    return ModelMismatchError(
        f"The graph takes {given['datatype']} as {given['name']!r}, and {what} does not fit: {why}.",
        hint="Give rows as the model was trained with them, missing values filled where it has no place for them.",
    )


def _width(here: int, wanted: int, given: Given) -> ModelMismatchError:
    return ModelMismatchError(
        f"The sample has {here} columns, and the graph takes {wanted} in {given['name']!r}.",
        hint="Give the inputs only, without the target, in the order of training.",
    )


def _check_names(names: list[str], wanted: list[str]) -> None:
    missing = [name for name in wanted if name not in names]
    extra = [name for name in names if name not in wanted]
    if missing or extra:
        lacks = f"lacks {_listed(missing)}" if missing else ""
        knows = f"has {_listed(extra)}, which the graph does not know" if extra else ""
        raise ModelMismatchError(
            f"The sample {' and '.join(filter(None, [lacks, knows]))}.", hint=f"The graph takes {_listed(wanted)}."
        )


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names[:10])) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
