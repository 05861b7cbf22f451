"""Bring judged values into the form that a contract's workers take.

Called by :mod:`.judging` and :mod:`.shortcut`. It judges nothing: what is missing in a block of floats is NaN, for it
was judged before whether it may be.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from modelwright.serving.contract import Contract
from modelwright.serving.inference import Table


def table(contract: Contract, columns: Sequence[Any], size: int) -> Table:
    """Return judged columns as a table.

    Args:
        contract: Whose form it is to have.
        columns: Values in normal form per field, in order.
        size: Number of rows.
    """
    if contract.blocked:
        return Table(size, block=block(zip(*columns, strict=True), len(columns)))
    return Table(size, columns=dict(zip(contract.fields, columns, strict=True)))


def block(rows: Iterable[Sequence[Any]], width: int) -> bytes:
    """Return rows of numbers as float64 in native byte order, row by row.

    Example:
        >>> len(block([(1.0, None), (2, 3.5)], 2))
        32
    """
    pack = _packer(width)
    rows = list(rows)
    try:
        return b"".join([pack(*row) for row in rows])
    except struct.error:
        return b"".join([pack(*(math.nan if value is None else value for value in row)) for row in rows])


@lru_cache(maxsize=64)
def _packer(width: int) -> Callable[..., bytes]:
    return struct.Struct(f"{width}d").pack
