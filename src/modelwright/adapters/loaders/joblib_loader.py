"""Load a ``.joblib`` artifact.

For: the runtime, which carries a copy of this file in every package stored in the joblib format. It does not audit:
a pickle can run code while it is loaded, whatever its types; the manifest says so (``executes_code``), and the
runtime has compared the file's sha256 before it calls this.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

ARTIFACT = "model.joblib"
MAPPED = 16 * 2**20
"""From this size on, bytes, the file is mapped into memory: processes that load it share one copy of its arrays."""


def audit(artifacts: Path, options: dict[str, Any], package: str) -> list[str]:
    """Name nothing: the types in a pickle do not tell whether it is safe."""
    return []


def load(artifacts: Path, options: dict[str, Any], package: str, trusted: Iterable[str]) -> object:
    """Unpickle the model with joblib; the arrays of a big file are read when they are used, and copied when written."""
    import joblib

    path = artifacts / ARTIFACT
    return joblib.load(path, mmap_mode="c" if path.stat().st_size >= MAPPED else None)
