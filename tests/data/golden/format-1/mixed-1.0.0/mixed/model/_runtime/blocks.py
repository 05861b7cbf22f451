"""Judge numbers as one block: tables of nothing but floats, and tensors.

Called by shortcuts, for models that were trained on an array or on a frame of floats.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from .values import family_of

Fields = list[dict[str, Any]]


class Finiteness:
    """Knows in which columns of a block a value may be missing or infinite.

    Args:
        fields: The fields of the columns, all floats.
    """

    def __init__(self, fields: Fields) -> None:
        self._nullable = [field.get("nullable", False) for field in fields]
        self._infinite = [field.get("infinite", False) for field in fields]
        self._strict = not any(self._nullable) and not any(self._infinite)

    def holds(self, block: Any) -> bool:
        """Say whether a block ``[n_rows, n_fields]`` has missing and infinite values only where they may be."""
        numpy = sys.modules["numpy"]
        if numpy.isfinite(block).all():
            return True
        if self._strict:
            return False
        nan, infinite = numpy.isnan(block).any(axis=0), numpy.isinf(block).any(axis=0)
        return not (nan & ~numpy.array(self._nullable)).any() and not (infinite & ~numpy.array(self._infinite)).any()


def is_bounded(field: dict[str, Any]) -> bool:
    """Say whether the signature refuses some levels or ranges of a field, so that its values must be looked at."""
    return field.get("on_unknown") == "error" or field.get("on_out_of_range") == "error"


class FloatBlock:
    """Takes tables of nothing but floats, for a model trained on an array or on a frame of ``float64``.

    Args:
        signature: The signature, as it stands in the manifest.

    Attributes:
        usable: Whether the signature is of this kind.
    """

    def __init__(self, signature: dict[str, Any]) -> None:
        fields, self._framed = signature["inputs"], signature["container"] == "pandas"
        self._dtype = "float64" if self._framed else signature.get("array_dtype") or "float64"
        self.usable = bool(fields) and signature["container"] in ("numpy", "pandas") and all(map(self._suits, fields))
        self._names = [field["name"] for field in fields]
        self._finiteness = Finiteness(fields)
        self._index: Any = None

    def _suits(self, field: dict[str, Any]) -> bool:
        plain = not field.get("shape") and not is_bounded(field) and family_of(field["datatype"]) == "float"
        native = field.get("native") == "float64" if self._framed else self._dtype.startswith("float")
        return plain and native

    def taker(self, kind: str) -> Callable[[Any], Any]:
        """Return what takes rows of one kind of container."""
        gather: Callable[[Any], Any] = getattr(self, f"_from_{kind}")
        order = "F" if self._framed else "K" if kind == "numpy" else "C"

        def take(rows: Any) -> Any:
            block = gather(rows)
            return None if block is None else self._finished(block, order)

        return take

    def _finished(self, block: Any, order: str) -> Any:
        """Return a block as the model wants it, if its values are fine.

        Frames are laid out column by column, arrays row by row (one that was given stays as it is): sums over rows
        of another order differ in the last bit, and answers must not depend on the container the rows came in.
        """
        block = sys.modules["numpy"].asarray(block, order=order)
        if block.dtype != self._dtype:
            with sys.modules["numpy"].errstate(over="ignore"):
                block = block.astype(self._dtype)
        if not self._finiteness.holds(block):
            return None
        if not self._framed:
            return block
        pandas = import_module("pandas")
        if self._index is None:
            self._index = pandas.Index(self._names)
        return pandas.DataFrame(block, columns=self._index)

    def _from_numpy(self, rows: Any) -> Any:
        fits = rows.ndim == 2 and rows.shape[1] == len(self._names) and rows.dtype.kind in "fiu"
        return rows if fits else None

    def _from_pandas(self, rows: Any) -> Any:
        numpy = import_module("numpy")
        columns = rows.columns.tolist()
        if columns != self._names:
            if len(columns) != len(self._names) or {*columns} != {*self._names}:
                return None
            rows = rows[self._names]
        if all(isinstance(dtype, numpy.dtype) and dtype.kind in "fiu" for dtype in rows.dtypes.tolist()):
            return rows.to_numpy(dtype=self._dtype)
        return None

    def _from_polars(self, rows: Any) -> Any:
        if len(rows.columns) != len(self._names) or {*rows.columns} != {*self._names}:
            return None
        chosen = rows.select(self._names)
        floats = all(dtype.is_float() or dtype.is_integer() for dtype in chosen.dtypes)
        return chosen.to_numpy() if floats else None

    def _from_pyarrow(self, rows: Any) -> Any:
        types, numpy = import_module("pyarrow").types, import_module("numpy")
        if len(rows.schema.names) != len(self._names) or {*rows.schema.names} != {*self._names}:
            return None
        columns = [rows.column(name) for name in self._names]
        if all(types.is_floating(column.type) or types.is_integer(column.type) for column in columns):
            arrays = [column.to_numpy(zero_copy_only=False) for column in columns]
            return numpy.array(arrays, dtype=self._dtype).T
        return None


class TensorBlock:
    """Takes an array that already is what a model of one tensor was trained on.

    Args:
        signature: The signature, as it stands in the manifest.
    """

    def __init__(self, signature: dict[str, Any]) -> None:
        field = signature["inputs"][0]
        self._dtype = signature.get("array_dtype") or "float64"
        self._shape = tuple(field.get("shape", ()))

    @staticmethod
    def usable(signature: dict[str, Any]) -> bool:
        """Say whether a signature is of this kind."""
        fields = signature["inputs"]
        if signature["container"] != "numpy" or len(fields) != 1 or is_bounded(fields[0]):
            return False
        same = fields[0]["datatype"] == (signature.get("array_dtype") or "float64")
        return bool(fields[0].get("shape")) and same and family_of(fields[0]["datatype"]) in ("int", "float", "bool")

    def take(self, rows: Any) -> Any:
        """Return the array unchanged if its dtype, shape and values are surely fine."""
        sizes = zip(rows.shape[1:], self._shape, strict=False)
        if rows.dtype != self._dtype or rows.ndim != 1 + len(self._shape):
            return None
        if not all(wanted in (-1, size) for size, wanted in sizes):
            return None
        return rows if rows.dtype.kind != "f" or sys.modules["numpy"].isfinite(rows).all() else None
