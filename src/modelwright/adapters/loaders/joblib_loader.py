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


def audit(artifacts: Path, options: dict[str, Any], package: str) -> list[str]:
    """Name nothing: the types in a pickle do not tell whether it is safe."""
    return []


def load(artifacts: Path, options: dict[str, Any], package: str, trusted: Iterable[str]) -> object:
    """Unpickle the model with joblib."""
    import joblib

    return joblib.load(artifacts / ARTIFACT)
