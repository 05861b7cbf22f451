"""The ways past judging value by value, for rows that are surely fine when looked at as a whole.

A shortcut returns the rows as the model wants them, or ``None``: then the exact way decides, and names what is wrong.
So a shortcut may be cautious, but must never accept what the exact way would refuse.

Called by model. It raises no errors of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .arrow_shortcut import ArrowShortcut
from .blocks import FloatBlock, TensorBlock
from .pandas_shortcut import PandasShortcut
from .polars_shortcut import PolarsShortcut

Take = Callable[[Any], Any]


def shortcuts_of(signature: dict[str, Any]) -> dict[str, Take]:
    """Return the shortcuts of a signature, by the kind of container that rows come in.

    Args:
        signature: The signature, as it stands in the manifest.
    """
    container, found = signature["container"], dict[str, Take]()
    block = FloatBlock(signature)
    if block.usable:
        found |= {kind: block.taker(kind) for kind in ("numpy", "pandas", "polars", "pyarrow")}
    elif TensorBlock.usable(signature):
        found["numpy"] = TensorBlock(signature).take
    if container == "pandas":
        found["pandas"] = PandasShortcut(signature).take
    elif container == "polars":
        found["polars"] = PolarsShortcut(signature).take
    elif container == "pyarrow":
        found["pyarrow"] = ArrowShortcut(signature).take
    return found
