"""Recognise what rows came in, and take them apart into columns of Python values.

Libraries are recognised by the names of types, never imported: whoever holds a polars frame has imported polars.

Called by model and shortcuts. It does not judge values (:mod:`.values`) or build containers (:mod:`.conversion`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .errors import ContainerError, Problem, SignatureError
from .suggestions import column_problems

Columns = dict[str, list[Any]]

_KINDS = {
    ("pandas", "DataFrame"): "pandas",
    ("polars", "DataFrame"): "polars",
    ("pyarrow", "Table"): "pyarrow",
    ("pyarrow", "RecordBatch"): "pyarrow",
    ("numpy", "ndarray"): "numpy",
}
_known: dict[type, str] = {}
"""Types of tables that were recognised before."""
_NEARLY = {
    ("pandas", "Series"): "one column; pass series.to_frame()",
    ("polars", "Series"): "one column; pass series.to_frame()",
    ("polars", "LazyFrame"): "not computed yet; pass frame.collect()",
    ("pyarrow", "RecordBatchReader"): "a stream; pass reader.read_all()",
}


class Apart(NamedTuple):
    """Rows taken apart.

    Attributes:
        columns: Values per column, in the order of the fields.
        rows: Number of rows.
        problems: What is wrong with the shape of the table: columns missing, unexpected, repeated, of unequal length.
    """

    columns: Columns
    rows: int
    problems: list[Problem]


def kind_of(rows: object) -> str:
    """Say what holds the rows: ``pandas``, ``polars``, ``pyarrow``, ``numpy``, ``records`` or ``columns``.

    Raises:
        ContainerError: Not understood; the hint names the fix for what is nearly right.

    Example:
        >>> kind_of([{"a": 1}]), kind_of({"a": [1, 2]})
        ('records', 'columns')
    """
    known = _known.get(type(rows))
    if known is not None:
        return known
    if isinstance(rows, list | tuple):
        return _records(rows)
    if isinstance(rows, dict):
        return _columns(rows)
    for base in type(rows).__mro__:
        origin = (base.__module__.partition(".")[0], base.__name__)
        if origin in _KINDS:
            return _known.setdefault(type(rows), _KINDS[origin])
        if origin in _NEARLY:
            raise ContainerError(f"A {origin[0]} {origin[1]} is no table of rows.", hint=f"It is {_NEARLY[origin]}.")
    raise ContainerError(
        f"Rows cannot be read from a {type(rows).__module__}.{type(rows).__qualname__}.", hint=_UNDERSTOOD
    )


_UNDERSTOOD = (
    "Pass a pandas, polars or PyArrow table, a two-dimensional NumPy array, a list of dicts (one per row), "
    "or a dict of columns."
)


def _records(rows: list[Any] | tuple[Any, ...]) -> str:
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise ContainerError(
                f"Row {number} of the list is a {type(row).__name__}, not a dict.",
                hint="Pass one dict per row, or numpy.array(rows) for plain rows of numbers.",
            )
    return "records"


def _columns(rows: dict[Any, Any]) -> str:
    for name, values in rows.items():
        if isinstance(values, str | bytes | dict) or not (hasattr(values, "__len__") and hasattr(values, "__iter__")):
            raise ContainerError(
                f"The dict holds one value under {name!r}, not a column of values.",
                hint="A single row goes into a list: predict([row]).",
            )
    return "columns"


def count_rows(rows: Any, kind: str) -> int:
    """Return the number of rows in a container."""
    if kind in ("polars", "pandas"):
        return int(rows.shape[0])
    if kind == "pyarrow":
        return int(rows.num_rows)
    if kind == "columns":
        return max((len(values) for values in rows.values()), default=0)
    return len(rows)


def take_apart(rows: Any, kind: str, names: tuple[str, ...]) -> Apart:
    """Take rows apart into one list of values per field.

    Args:
        rows: The rows.
        kind: What :func:`kind_of` said.
        names: Names of the fields.

    Raises:
        ContainerError: A NumPy array of another dimension than a table has.
        SignatureError: A NumPy array of another width than the model needs.
    """
    return _READERS[kind](rows, names)


def _chosen(sent: list[str], names: tuple[str, ...], count: int, column: Callable[[int], list[Any]]) -> Apart:
    problems = column_problems(sent, names) if tuple(sent) != names or len({*sent}) != len(sent) else []
    place = {name: position for position, name in enumerate(sent)}
    return Apart({name: column(place[name]) for name in names if name in place}, count, problems)


SMALL = 64
"""A pandas frame of at most so many rows is taken apart whole: asking for its columns one by one costs more."""


def _from_pandas(rows: Any, names: tuple[str, ...]) -> Apart:
    sent = [str(name) for name in rows.columns]
    if len(rows) <= SMALL:
        lists = rows.to_numpy(dtype=object).T.tolist()
        return _chosen(sent, names, len(rows), lambda position: without_nan(lists[position]))
    return _chosen(sent, names, len(rows), lambda position: without_nan(rows.iloc[:, position].tolist()))


def _from_polars(rows: Any, names: tuple[str, ...]) -> Apart:
    return _chosen(list(rows.columns), names, rows.height, lambda position: rows.to_series(position).to_list())


def _from_pyarrow(rows: Any, names: tuple[str, ...]) -> Apart:
    sent = list(rows.schema.names)
    return _chosen(sent, names, rows.num_rows, lambda position: rows.column(position).to_pylist())


def _from_numpy(rows: Any, names: tuple[str, ...]) -> Apart:
    if rows.dtype.names:
        return _chosen(
            list(rows.dtype.names), names, len(rows), lambda position: _array_values(rows[rows.dtype.names[position]])
        )
    if rows.ndim >= 2 and len(names) == 1 and (rows.ndim > 2 or rows.shape[1] != 1):
        return Apart({names[0]: list(rows)}, len(rows), [])
    if rows.ndim != 2:
        raise ContainerError(
            f"The array has {rows.ndim} dimension{'s' * (rows.ndim != 1)}; [n_rows, {len(names)}] is needed.",
            hint="One row is array.reshape(1, -1); one column is array.reshape(-1, 1).",
        )
    if rows.shape[1] != len(names):
        raise SignatureError(
            f"The array has {rows.shape[1]} columns; the model needs {len(names)}.",
            why=f"Columns of an array are taken in this order: {_listed(names)}.",
            hint="Select those columns in this order, or send a table with named columns.",
        )
    return Apart({name: _array_values(rows[:, place]) for place, name in enumerate(names)}, len(rows), [])


def _array_values(column: Any) -> list[Any]:
    if column.dtype.kind in "mM":  # finer than microseconds, tolist() would give bare numbers
        column = column.astype("datetime64[us]" if column.dtype.kind == "M" else "timedelta64[us]")
    return list(column) if column.ndim > 1 else without_nan(column.tolist())


def without_nan(values: list[Any]) -> list[Any]:
    """Return values with ``None`` for NaN, which in pandas and NumPy is how a missing value is written."""
    if all(value == value for value in values if type(value) is float):
        return values
    return [None if type(value) is float and value != value else value for value in values]


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:10]) + (", …" if len(names) > 10 else "")


def _from_records(rows: list[dict[str, Any]], names: tuple[str, ...]) -> Apart:
    width = len(names)
    try:
        if all(len(row) == width for row in rows):
            return Apart({name: [row[name] for row in rows] for name in names}, len(rows), [])
    except KeyError:
        pass
    return _from_ragged(rows, names)


def _from_ragged(rows: list[dict[str, Any]], names: tuple[str, ...]) -> Apart:
    """Take apart records whose keys are not those of the fields: some or all rows lack or add a key."""
    sent = dict.fromkeys(str(key) for row in rows for key in row)
    problems = column_problems(sent, names)
    columns: Columns = {}
    for name in names:
        if name not in sent:
            continue
        columns[name] = [row.get(name) for row in rows]
        problems += [
            Problem(number, name, "has no entry", "write null where a value is missing")
            for number, row in enumerate(rows)
            if name not in row
        ]
    return Apart(columns, len(rows), problems)


def _from_columns(rows: dict[str, Any], names: tuple[str, ...]) -> Apart:
    lengths = {str(name): len(values) for name, values in rows.items()}
    count = max(lengths.values(), default=0)
    values = list(rows.values())
    apart = _chosen(list(lengths), names, count, lambda position: _as_list(values[position]))
    uneven = [
        Problem(None, name, f"has {length} values where other columns have {count}")
        for name, length in lengths.items()
        if length != count
    ]
    return Apart(apart.columns, count, apart.problems + uneven)


def _as_list(values: Any) -> list[Any]:
    for way in ("to_list", "to_pylist", "tolist"):
        if hasattr(values, way):
            return list(getattr(values, way)())
    return list(values)


_READERS: dict[str, Callable[[Any, tuple[str, ...]], Apart]] = {
    "pandas": _from_pandas,
    "polars": _from_polars,
    "pyarrow": _from_pyarrow,
    "numpy": _from_numpy,
    "records": _from_records,
    "columns": _from_columns,
}
