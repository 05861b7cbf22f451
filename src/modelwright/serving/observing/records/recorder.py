"""What the record log asks of a file format; found by entry point, ours as a third party's.

Called by the record log and outcomes. The one we bring is :mod:`modelwright.adapters.recorders.parquet`.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

from modelwright.plugins import find, need
from modelwright.serving.inference import Values
from modelwright.spec.record import RecordColumn

GROUP = "modelwright.recorders"
Data: TypeAlias = "list[Any] | array[float] | array[int] | Values"
"""Values of one column: a list in normal form with ``None`` for missing, or an array of numbers."""


class Recorder(Protocol):
    """Writes typed columns to files."""

    @property
    def suffix(self) -> str:
        """How the files' names end (``.parquet``)."""
        ...

    def batch(self, columns: Sequence[RecordColumn], data: Mapping[str, Data]) -> Any:
        """Return some rows in the form of the library, small in memory.

        Args:
            columns: The columns, none of them dropped.
            data: Their values, by the column's name, all of the same number.

        Raises:
            ValueError: A value is not of its column's type; also TypeError, NotImplementedError, OverflowError.
        """
        ...

    def write(
        self, path: Path, *, columns: Sequence[RecordColumn], batches: Sequence[Any], note: Mapping[str, str]
    ) -> None:
        """Write a file.

        Args:
            path: Which file; it is not there yet.
            columns: The columns.
            batches: What :meth:`batch` returned, in order.
            note: Key and text to put into the file's metadata.

        Raises:
            OSError: It cannot be written.
        """
        ...


def recorder(name: str = "parquet") -> Recorder:
    """Return the recorder of a name.

    Raises:
        UnknownPluginError: There is none of that name.
        MissingExtraError: Its library is not installed.
    """
    if name == "parquet":
        need("serve", "pyarrow")
    return cast(Recorder, find(GROUP, name))
