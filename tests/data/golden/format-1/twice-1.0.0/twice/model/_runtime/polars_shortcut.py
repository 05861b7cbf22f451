"""Take a polars frame that already is what the model was trained on.

Called by shortcuts.
"""

from __future__ import annotations

from typing import Any

from .blocks import is_bounded
from .conversion import polars_dtype
from .values import family_of


class PolarsShortcut:
    """Takes polars frames for a model trained on one.

    Args:
        signature: The signature, as it stands in the manifest.
    """

    def __init__(self, signature: dict[str, Any]) -> None:
        self._fields = signature["inputs"]
        self._names = [field["name"] for field in self._fields]
        self._dtypes: list[Any] = []

    def take(self, rows: Any) -> Any:
        """Return the frame, its columns in order, if dtypes and values are surely fine."""
        if not self._dtypes:
            self._dtypes = [polars_dtype(field) for field in self._fields]
        if rows.columns != self._names:
            if len(rows.columns) != len(self._names) or {*rows.columns} != {*self._names}:
                return None
            rows = rows.select(self._names)
        if rows.dtypes != self._dtypes:
            return None
        columns = zip(self._fields, rows.get_columns(), strict=True)
        return rows if all(self._holds(field, column) for field, column in columns) else None

    def _holds(self, field: dict[str, Any], column: Any) -> bool:
        if is_bounded(field) or (not field.get("nullable") and column.null_count()):
            return False
        return family_of(field["datatype"]) != "float" or bool(column.is_finite().all())
