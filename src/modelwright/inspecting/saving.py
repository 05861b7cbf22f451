"""Write a report as a file, whole or not at all. Called by the reports of verify and diff."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from modelwright.building.archive import replacing
from modelwright.errors import StorageError


def save_report(report: Any, path: Path | str) -> Path:
    """Write a report as JSON, atomically; return where it is.

    Raises:
        StorageError: It cannot be written.
    """
    path = Path(path)
    try:
        with replacing(path) as stream:
            stream.write(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    except OSError as error:
        raise StorageError("The report cannot be written.", where=str(path), why=str(error)) from error
    return path
