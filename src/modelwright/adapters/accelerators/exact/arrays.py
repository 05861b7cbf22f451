"""Check and convert arrays as scikit-learn's ``check_array`` does, and no more than that.

What the library would refuse, warn about or convert in an unusual way raises :class:`Odd`, upon which the model itself
is asked. Sparse matrices come from steps before, whose shape is sure; only their values are looked at.
"""

from __future__ import annotations

from typing import Any

import numpy as np

F32, F64 = np.dtype("float32"), np.dtype("float64")
_FLOATS = (F64, F32)
_isfinite, _isinf, _isnan = np.isfinite, np.isinf, np.isnan


class Odd(Exception):
    """What came in is not what kernels are for; the model itself is to be asked."""


def shaped(rows: Any, width: int) -> Any:
    """Return rows ``[n_rows, width]`` of numbers, at least one.

    Raises:
        Odd: They are anything else.
    """
    if rows.ndim != 2 or rows.shape[1] != width or not rows.shape[0] or rows.dtype.kind not in "fiu":
        raise Odd
    return rows


def finite(rows: Any) -> Any:
    """Return rows without NaN and infinity.

    Raises:
        Odd: There is one.
    """
    if rows.dtype.kind == "f" and b"\0" in _isfinite(rows).tobytes("A"):  # sooner than a reduction
        raise Odd
    return rows


def without_infinity(rows: Any) -> Any:
    """Return rows that may hold NaN.

    Raises:
        Odd: There is an infinity.
    """
    if rows.dtype.kind == "f" and b"\1" in _isinf(rows).tobytes("A"):
        raise Odd
    return rows


def floats(rows: Any) -> Any:
    """Return rows as ``float64`` or ``float32``, in the order in memory that they have."""
    return rows if rows.dtype in _FLOATS else rows.astype(F64)


def own_floats(rows: Any) -> Any:
    """Return a copy of rows as ``float64`` or ``float32`` that may be written to, in the order that they have."""
    return rows.astype(rows.dtype if rows.dtype in _FLOATS else F64, order="K")


def single(rows: Any) -> Any:
    """Return rows as ``float32``, in the order that they have; what does not fit becomes infinite, with a warning."""
    return rows if rows.dtype == F32 else rows.astype(F32)


def has_nan(rows: Any) -> bool:
    """Say whether there is a NaN among numbers."""
    return b"\1" in _isnan(rows).tobytes("A")
