"""A model that needs a library, so that an installer has something to do."""

from __future__ import annotations

from typing import Any

from packaging.version import Version


def majors(rows: list[dict[str, Any]]) -> list[int]:
    """Answer the first number of a version."""
    return [Version(row["version"]).major for row in rows]
