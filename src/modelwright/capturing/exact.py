"""Add floats without any rounding, at array speed.

A float is an integer times a power of two. Neighbours of equal power are added as integers, which is exact, and
Python's unbounded integers join these runs; only the final division rounds, once. The result does not depend on the
order of the values, on the CPU or on how NumPy was built, as a plain sum does.

Called by :mod:`modelwright.capturing.profile`, whose values are sorted, so that there are few runs. :func:`math.fsum`
is the oracle in its tests; it needs a Python object per value.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_MANTISSA_BITS = 52
_BIAS = 1023 + _MANTISSA_BITS
_CHUNK = 8192
"""Values per pass: the intermediate arrays stay in the cache of the CPU."""
_HALF = 26
"""Mantissas are split at this bit: both halves have at most 27 bits, so 2**36 of them add up in 64 bits."""


def exact_mean(values: npt.NDArray[np.float64]) -> float:
    """Return the arithmetic mean of finite floats, correctly rounded.

    Args:
        values: ``[n]``, finite, at least one; fast where neighbours have the same power of two.

    Example:
        >>> exact_mean(np.array([1e308, 1e308, -1e308, 1.0, 2.0])) == 1e308 / 5
        True
    """
    total, exponent = 0, 0
    for start in range(0, len(values), _CHUNK):
        part, scale = _sum(values[start : start + _CHUNK])
        lower = min(exponent, scale)
        total, exponent = (total << (exponent - lower)) + (part << (scale - lower)), lower
    return (total << max(exponent, 0)) / (len(values) << max(-exponent, 0))  # int / int rounds correctly


def _sum(values: npt.NDArray[np.float64]) -> tuple[int, int]:
    """Return the exact sum as ``integer * 2**exponent``, reading mantissa and exponent from the bits.

    Source: IEEE 754-2019, 3.4, "Binary interchange format encodings", binary64.
    """
    bits = np.ascontiguousarray(values).view(np.int64)
    power = (bits >> _MANTISSA_BITS) & 0x7FF
    mantissa = (bits & ((1 << _MANTISSA_BITS) - 1)) | ((power > 0).astype(np.int64) << _MANTISSA_BITS)
    power = np.maximum(power, 1)  # subnormal numbers have the exponent of the smallest normal one
    sign = bits >> 63  # 0 or -1; two's complement, because a branch per value costs ten times as much
    signed = (mantissa ^ sign) - sign
    starts = np.flatnonzero(np.concatenate(([True], power[1:] != power[:-1])))
    high = np.add.reduceat(signed >> _HALF, starts).tolist()
    low = np.add.reduceat(signed & ((1 << _HALF) - 1), starts).tolist()
    lowest = int(power.min())
    shifts = (power[starts] - lowest).tolist()
    total = sum(((top << _HALF) + rest) << shift for top, rest, shift in zip(high, low, shifts, strict=True))
    return total, lowest - _BIAS
