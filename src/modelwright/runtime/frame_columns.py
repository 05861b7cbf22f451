"""Give the columns of a pandas frame that fits, for a faster form of a model that takes columns.

Called by shortcuts. It does not judge: the frame has passed the shortcut of its kind.
"""

from __future__ import annotations

import re
from typing import Any

from .containers import without_nan

_NUMBER = re.compile(r"(u?int(8|16|32|64)|float(32|64)|bool)$")
_TEXT = ("str", "object", "category")


class FrameColumns:
    """Splits frames of one signature.

    Args:
        signature: The signature, as it stands in the manifest.

    Attributes:
        usable: Whether every column is one of numbers, truth values or text, whose values need no change.
        one_block: Whether all are ``float64``, which a frame holds in one block.
    """

    def __init__(self, signature: dict[str, Any]) -> None:
        self._fields = [(field["name"], field.get("native", "")) for field in signature["inputs"]]
        self.usable = signature["container"] == "pandas" and all(map(_is_plain, signature["inputs"]))
        self.one_block = all(native == "float64" for _, native in self._fields)

    def of(self, frame: Any) -> dict[str, Any]:
        """Return an array per column of numbers, in which a missing value is NaN, and a list per column of text."""
        if self.one_block:
            block = frame.to_numpy()
            return {name: block[:, place] for place, (name, _) in enumerate(self._fields)}
        return {name: _values(frame[name], native) for name, native in self._fields}


def _is_plain(field: dict[str, Any]) -> bool:
    native, text = field.get("native", ""), field["datatype"] == "string"
    return not field.get("shape") and bool(_NUMBER.match(native) or (native in _TEXT and text))


def _values(column: Any, native: str) -> Any:
    return column.to_numpy() if _NUMBER.match(native) else without_nan(column.tolist())
