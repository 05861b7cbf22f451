"""Make the bytes between the fields of structured arrays zero; they hold whatever memory held before.

Called by the formats that promise the same bytes for the same model. scikit-learn's trees and neighbour searches
store such arrays.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np


def zero_padding(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    r"""Return a copy of a structured array, same order in memory, with nothing in its padding.

    Example:
        >>> record = np.dtype({"names": ["a"], "formats": ["u1"], "offsets": [0], "itemsize": 4})
        >>> zero_padding(np.frombuffer(b"abcd", record)).tobytes()
        b'a\x00\x00\x00'
    """
    # np.zeros asks for cleared memory; zeros_like would fill by value and leave the padding as it was.
    order: Literal["F", "C"] = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
    clean: np.ndarray[Any, Any] = np.zeros(array.shape, array.dtype, order)
    for name in array.dtype.names or ():
        clean[name] = array[name]
    return clean
