"""Take a pandas frame that already is, or nearly is, what the model was trained on.

Columns are put in order, a column of another dtype is converted by itself, and the rest is passed as it is.

Called by shortcuts.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .blocks import Finiteness, is_bounded
from .containers import without_nan
from .conversion import pandas_category_dtype, pandas_column
from .values import FieldJudge


class PandasShortcut:
    """Takes pandas frames for a model trained on one.

    What does not change between calls is worked out once, when the first frame comes; the last frame's columns and
    dtypes are remembered by identity, because comparing them costs more than everything else.

    Args:
        signature: The signature, as it stands in the manifest.
    """

    def __init__(self, signature: dict[str, Any]) -> None:
        self._fields = signature["inputs"]
        self._names = [field["name"] for field in self._fields]
        self._judges = [FieldJudge(field) for field in self._fields]
        self._index: Any = None
        self._dtypes: list[Any] = []
        self._seen_columns: Any = None
        self._seen_dtypes: list[Any] = []
        self._floats: list[int] = []
        self._finiteness = Finiteness([])
        self._one_block = False
        self._never_missing: list[str] = []
        self._listed: list[FieldJudge] = []

    def take(self, rows: Any) -> Any:
        """Return the frame if it is surely fine, as it is where it can be."""
        if self._index is None:
            self._prepare()
        rows = self._in_order(rows)
        if rows is None:
            return None
        if self._one_block and (block := _single_block(rows)) is not None:
            return rows if self._finiteness.holds(block) else None
        dtypes = rows.dtypes.tolist()
        if dtypes != self._seen_dtypes:
            if dtypes != self._dtypes:
                rows = self._converted(rows, dtypes)
                return rows if rows is not None and self._holds(rows) else None
            self._seen_dtypes = dtypes
        return rows if self._holds(rows) else None

    def _prepare(self) -> None:
        """Work out what is wanted of each column, and which must be looked at."""
        pandas = import_module("pandas")
        self._dtypes = [self._dtype(pandas, field) for field in self._fields]
        self._floats = [i for i, dtype in enumerate(self._dtypes) if _is_float(dtype)]
        self._finiteness = Finiteness([self._fields[i] for i in self._floats])
        for field, dtype, judge in zip(self._fields, self._dtypes, self._judges, strict=True):
            if is_bounded(field) or str(dtype) == "object" or str(dtype).startswith("Float"):
                self._listed.append(judge)
            elif not _is_number(dtype) and not field.get("nullable"):
                self._never_missing.append(judge.name)
        same = len(set(map(str, self._dtypes))) == 1 and len(self._dtypes) > 1
        self._one_block = same and str(self._dtypes[0]) == "float64" and not self._listed
        self._index = pandas.Index(self._names)

    def _dtype(self, pandas: Any, field: dict[str, Any]) -> Any:
        if field.get("native") == "category":
            return pandas_category_dtype(field)
        return pandas.api.types.pandas_dtype(field.get("native") or pandas_column([], field).dtype)

    def _in_order(self, rows: Any) -> Any:
        columns = rows.columns
        if columns is self._seen_columns:
            return rows
        if columns.equals(self._index):
            self._seen_columns = columns
            return rows
        names = columns.tolist()
        if len(names) == len(self._names) and {*names} == {*self._names}:
            return rows[self._names]
        return None

    def _converted(self, rows: Any, dtypes: list[Any]) -> Any:
        """Return the frame with every column of another dtype converted; ``None`` if one is not surely fine."""
        rows = rows.copy(deep=False)
        for place, (found, wanted) in enumerate(zip(dtypes, self._dtypes, strict=True)):
            if found == wanted:
                continue
            column = rows.iloc[:, place]
            if _is_number(found) and found.kind in "fiu" and _is_float(wanted):
                rows[self._names[place]] = column.astype(wanted)
                continue
            values = self._judges[place].quick(without_nan(column.tolist()))
            if values is None:
                return None
            rows[self._names[place]] = pandas_column(values, self._fields[place]).array
        return rows

    def _holds(self, rows: Any) -> bool:
        """Say whether the values of a frame of the right dtypes are surely fine."""
        if self._floats and not self._finiteness.holds(rows.take(self._floats, axis=1).to_numpy()):
            return False
        if any(rows[name].array.isna().any() for name in self._never_missing):
            return False
        return all(judge.quick(without_nan(rows[judge.name].tolist())) is not None for judge in self._listed)


def _single_block(rows: Any) -> Any:
    """Return the values of a frame whose columns are all ``float64`` in one block; ``None`` if it may be otherwise.

    Asking a frame for its dtypes costs as much as all else here. Only one block gives the same memory when asked for
    its values twice; columns of several dtypes are copied into a new array each time.
    """
    block, again = rows.to_numpy(), rows.to_numpy()
    one = block.dtype == "float64" and block.ctypes.data == again.ctypes.data
    return block if one else None


def _is_number(dtype: Any) -> bool:
    """Say whether a dtype is NumPy's own, for numbers or truth values: such a column holds nothing missing but NaN."""
    return type(dtype).__module__ in ("numpy", "numpy.dtypes") and dtype.kind in "fiub"


def _is_float(dtype: Any) -> bool:
    return _is_number(dtype) and dtype.kind == "f"
