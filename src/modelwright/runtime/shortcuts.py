"""The ways past judging value by value, for rows that are surely fine when looked at as a whole.

A shortcut returns the rows as the model wants them, or ``None``: then the exact way decides, and names what is wrong.
So a shortcut may be cautious, but must never accept what the exact way would refuse.

Called by model. It raises no errors of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from .arrow_shortcut import ArrowShortcut
from .blocks import FloatBlock, TensorBlock
from .containers import SMALL
from .frame_columns import FrameColumns
from .pandas_shortcut import PandasShortcut
from .polars_shortcut import PolarsShortcut

Take = Callable[[Any], Any]


def shortcuts_of(signature: dict[str, Any], *, wanted: str = "") -> dict[str, Take]:
    """Return the shortcuts of a signature, by the kind of container that rows come in.

    Args:
        signature: The signature, as it stands in the manifest.
        wanted: The container that is asked for; by default the one that the model was trained on. A faster form of a
            model that was trained on a frame takes ``columns``.
    """
    if wanted == "columns" != signature["container"]:
        split = FrameColumns(signature)
        found = shortcuts_of(signature) if split.usable else {}
        least = 0 if split.one_block else SMALL + 1
        return {kind: partial(_split, take, split, least) for kind, take in found.items()}
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


def _split(take: Take, split: FrameColumns, least: int, rows: Any) -> Any:
    """Take rows as the model itself would get them, and give their columns; few rows are sooner taken apart."""
    taken = take(rows) if len(rows) >= least else None
    return None if taken is None else split.of(taken)
