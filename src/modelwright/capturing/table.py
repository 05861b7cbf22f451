"""Any sample as typed columns: pandas, polars, PyArrow, NumPy, a list of dicts, one dict of columns.

For: everything in capture that looks at data. A :class:`Table` reads the sample once; :meth:`Table.take` and its
relatives give rows back in the container they came in, because that is what the live model wants.

It does not: change the sample, import a frame library, or decide what a column means (see
:mod:`modelwright.capturing.signature`).
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt

from modelwright.capturing import rows
from modelwright.capturing.column import Column, column_of_array, column_of_objects
from modelwright.capturing.frames import container_of, frame_columns, raw_names
from modelwright.errors import SampleError
from modelwright.spec.signature import Container, Field

Indices = npt.NDArray[np.intp]

TENSOR_NAME = "inputs"
"""Name of the one field of a NumPy array with more than two axes."""
_BIDI = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that reorder the text around them; a name that looks like another one is a trap."""


class Table:
    """A sample, read once.

    Attributes:
        data: The sample as it was given.
        container: What holds the rows.
        columns: The columns, in order.
        n_rows: Number of rows, at least 1.

    Example:
        >>> table = Table.of([{"age": 41, "plan": "basic"}, {"age": 35}])
        >>> table.names, table.n_rows, table.column("age").datatype
        (('age', 'plan'), 2, 'int64')
        >>> table.rows([1])
        [{'age': 35, 'plan': None}]
    """

    def __init__(self, data: Any, *, container: Container, columns: tuple[Column, ...], n_rows: int) -> None:
        self.data = data
        self.container: Container = container
        self.columns = columns
        self.n_rows = n_rows

    @classmethod
    def of(cls, data: Any) -> Table:
        """Read a sample.

        Raises:
            SampleError: It is empty, or a name or column of it can be no field; see the hint.
        """
        container = container_of(data)
        if container is not None:
            _check_names(raw_names(data, container))
            n_rows = int(data.shape[0])
            _check_rows(n_rows)
            return cls(data, container=container, columns=frame_columns(data, container), n_rows=n_rows)
        if isinstance(data, np.ndarray):
            return _of_array(data)
        if isinstance(data, Mapping):
            return _of_columns(data)
        if isinstance(data, Sequence) and not isinstance(data, str | bytes):
            return _of_records(data)
        raise _not_tabular(data)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(self._by_name)

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    def column(self, name: str) -> Column:
        """Return a column by its name.

        Raises:
            KeyError: There is none.
        """
        return self._by_name[name]

    @property
    def array_dtype(self) -> str:
        """The dtype of a NumPy sample (``float64``); empty for every other container."""
        return str(self.data.dtype) if self.container == "numpy" else ""

    def take(self, indices: Sequence[int] | Indices) -> Any:
        """Return some rows, in this order, in the sample's own container."""
        return rows.take(self.data, self.container, np.asarray(indices, dtype=np.intp))

    def mixed(self, indices: Mapping[str, Indices]) -> Any:
        """Return rows put together from several: per column, which row each of its values is taken from.

        Args:
            indices: For every column name (or :data:`TENSOR_NAME`), row positions; all of one length.
        """
        return rows.mixed(self.data, self.container, [indices[name] for name in self.names])

    def as_columns(self) -> dict[str, Any] | None:
        """Return a frame as one dict of columns, which needs no library of frames; ``None`` for what is no such frame.

        Numbers are arrays, text and columns with nulls are lists. Times belong to the frame that they came in.
        """
        if self.container not in ("pandas", "polars", "pyarrow"):
            return None
        if any(column.datatype in ("date", "datetime", "duration") for column in self.columns):
            return None
        return {column.name: _plain(column) for column in self.columns}

    def with_values(self, row: int, values: Mapping[str, Any]) -> Any:
        """Return one row, in the sample's own container, with some values replaced.

        A value that the column's dtype has no place for (an unknown level of a categorical) becomes missing there,
        as it would when somebody converts new data to that dtype.
        """
        changed = self.take([row])
        positions = {name: position for position, name in enumerate(self.names)}
        for name, value in values.items():
            changed = rows.with_value(changed, self.container, name=name, position=positions[name], value=value)
        return changed

    def rows(self, indices: Sequence[int] | Indices, fields: Sequence[Field] = ()) -> list[dict[str, Any]]:
        """Return some rows as JSON data, in the encoding of scenarios.

        Args:
            indices: Positions of the rows.
            fields: Which columns, in which order; empty: all.
        """
        columns = [self._by_name[field.name] for field in fields] if fields else self.columns
        return [{column.name: column.cell(int(row)) for column in columns} for row in indices]


def _plain(column: Column) -> Any:
    if column.values.dtype.kind == "f" or (column.values.dtype.kind in "iub" and not column.nulls.any()):
        return column.values
    return [None if null else value for value, null in zip(column.values.tolist(), column.nulls.tolist(), strict=True)]


def _of_array(data: npt.NDArray[Any]) -> Table:
    if isinstance(data, np.ma.MaskedArray):
        raise SampleError("The sample is a masked array.", hint="Fill it: array.filled(numpy.nan).")
    if data.dtype.names:
        raise SampleError("The sample is a structured array.", hint="Give a frame: pandas.DataFrame(array).")
    if data.ndim < 2:
        raise _not_tabular(data)
    _check_rows(len(data))
    if data.ndim > 2:
        column = column_of_array(TENSOR_NAME, data, nan_is_null=True, native=str(data.dtype))
        return Table(data, container="numpy", columns=(column,), n_rows=len(data))
    _check_names([f"x{position}" for position in range(data.shape[1])])
    columns = tuple(
        column_of_array(f"x{position}", data[:, position], nan_is_null=True, native=str(data.dtype))
        for position in range(data.shape[1])
    )
    return Table(data, container="numpy", columns=columns, n_rows=len(data))


def _of_records(data: Sequence[Any]) -> Table:
    _check_rows(len(data))
    if not all(isinstance(row, Mapping) for row in data):
        raise _not_tabular(data)
    names = list(dict.fromkeys(name for row in data for name in row))
    _check_names(names)
    columns = tuple(column_of_objects(name, [row.get(name) for row in data], mixed="json") for name in names)
    return Table(data, container="records", columns=columns, n_rows=len(data))


def _of_columns(data: Mapping[Any, Any]) -> Table:
    _check_names(list(data))
    if any(isinstance(value, str | bytes | Mapping) or not hasattr(value, "__len__") for value in data.values()):
        raise SampleError(
            "The sample is one row, and rows come in a list.",
            hint="Wrap it: [row]. A dict is read as one list of values per column.",
        )
    lengths = {name: len(value) for name, value in data.items()}
    if len(set(lengths.values())) > 1:
        shortest, longest = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
        raise SampleError(
            f"The columns have different lengths: {shortest!r} has {lengths[shortest]} values, "
            f"{longest!r} has {lengths[longest]}.",
            hint="Give one value per row in every column; None is missing.",
        )
    n_rows = next(iter(lengths.values()))
    _check_rows(n_rows)
    content = {name: value if isinstance(value, list | np.ndarray) else list(value) for name, value in data.items()}
    columns = tuple(
        column_of_array(name, value, nan_is_null=False, native=str(value.dtype))
        if isinstance(value, np.ndarray) and value.dtype.kind != "O"
        else column_of_objects(name, list(value), mixed="json")
        for name, value in content.items()
    )
    return Table(content, container="columns", columns=columns, n_rows=n_rows)


def _check_rows(n_rows: int) -> None:
    if n_rows == 0:
        raise SampleError(
            "The sample has no rows.",
            why="Types, ranges and missing values are learned from rows.",
            hint="Give the training data, or a part of it.",
        )


def _check_names(names: Sequence[object]) -> None:
    if not names:
        raise SampleError("The sample has no columns.", hint="Give the inputs the model was trained with.")
    if bad := [name for name in names if not isinstance(name, str)]:
        nested = isinstance(bad[0], tuple)
        raise SampleError(
            f"The column name {bad[0]!r} is a {type(bad[0]).__name__}, not text.",
            why="Rows that come as JSON or CSV have text as names.",
            hint="Flatten the header: df.columns = ['_'.join(map(str, name)) for name in df.columns]."
            if nested
            else "df.columns = df.columns.astype(str), and fit the model on that.",
        )
    texts = [name for name in names if isinstance(name, str)]
    if repeated := [name for name, count in Counter(texts).items() if count > 1]:
        raise SampleError(
            f"The column {repeated[0]!r} occurs {texts.count(repeated[0])} times.",
            why="A value could not be told from its namesake.",
            hint="Rename or drop one of them.",
        )
    if "" in texts:
        raise SampleError("A column has an empty name.", hint="Name it.")
    if hostile := next((name for name in texts if any(map(_invisible, name))), ""):
        raise SampleError(
            f"The column name {hostile!a} contains control characters.",
            why="A terminal or a CSV header would show it as something else.",
            hint="Rename the column.",
        )


def _invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in _BIDI


def _not_tabular(data: Any) -> SampleError:
    hint = "Give a pandas, polars or PyArrow table, a NumPy array [n_rows, n_features], or a list of dicts."
    if nw.dependencies.is_polars_lazyframe(data):
        hint = "Collect it first: sample.collect()."
    elif hasattr(data, "toarray"):
        hint = "Make it dense: sample.toarray()."
    elif isinstance(data, np.ndarray) or hasattr(data, "to_frame"):
        hint = (
            "Give it a row axis: array.reshape(-1, 1) for one feature, array.reshape(1, -1) for one row; for text, a "
            "frame with one column and a ColumnTransformer that names it."
        )
    elif isinstance(data, Sequence) and not isinstance(data, str | bytes):
        hint = "Give one dict per row: [{'text': value} for value in values]."
    return SampleError(f"The sample is a {type(data).__qualname__}, which has no named columns.", hint=hint)
