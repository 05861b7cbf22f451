"""Bodies that need a library to be written: found by entry point, ours exactly as a third party's.

A plug-in of the group ``modelwright.bodies`` writes answers of the kind that it reads
(:class:`modelwright.serving.intake.bodies.BodyReader`).

Called by :mod:`.writer`.
"""

from __future__ import annotations

from typing import Any, Protocol

from modelwright.plugins import find, need

GROUP = "modelwright.bodies"


class BodyWriter(Protocol):
    """Writes one kind of body."""

    @property
    def media_type(self) -> str:
        """What is written, for the header Content-Type."""
        ...

    def write(self, columns: dict[str, list[Any]], outputs: list[dict[str, Any]]) -> bytes:
        """Return columns as a body.

        Args:
            columns: Values per column.
            outputs: For each column, what its values are, as in the signature.
        """
        ...


def writer_of(kind: str) -> BodyWriter:
    """Return what writes a kind of body.

    Raises:
        UnknownPluginError: Nothing writes it.
        MissingExtraError: Its library is not installed.
    """
    need("serve", "pyarrow", "numpy")
    found: BodyWriter = find(GROUP, kind)
    return found
