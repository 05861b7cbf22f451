"""Take an Arrow table that already is what the model was trained on.

Called by shortcuts.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .blocks import is_bounded
from .conversion import pyarrow_type
from .values import family_of


class ArrowShortcut:
    """Takes Arrow tables and record batches for a model trained on a table.

    Args:
        signature: The signature, as it stands in the manifest.
    """

    def __init__(self, signature: dict[str, Any]) -> None:
        self._fields = signature["inputs"]
        self._names = [field["name"] for field in self._fields]
        self._types: list[Any] = []

    def take(self, rows: Any) -> Any:
        """Return a table, its columns in order, if types and values are surely fine."""
        if not self._types:
            self._types = [pyarrow_type(field) for field in self._fields]
        names = rows.schema.names
        if len(names) != len(self._names) or {*names} != {*self._names}:
            return None
        columns = [rows.column(name) for name in self._names]
        if [column.type for column in columns] != self._types:
            return None
        if not all(map(self._holds, self._fields, columns)):
            return None
        return import_module("pyarrow").table(columns, names=self._names)

    def _holds(self, field: dict[str, Any], column: Any) -> bool:
        if is_bounded(field) or (not field.get("nullable") and column.null_count):
            return False
        if family_of(field["datatype"]) != "float":
            return True
        compute = import_module("pyarrow.compute")
        return compute.all(compute.is_finite(column), min_count=0).as_py() is not False
