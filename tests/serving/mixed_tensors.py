"""Two rows of the honest plane's model ``mixed`` as tensors: every kind of field."""

from __future__ import annotations

from typing import Any

import numpy

MIXED_TENSORS: list[tuple[str, str, Any]] = [
    ("città", "BYTES", numpy.array(["Köln", ""], dtype=object)),
    ("seats", "INT64", numpy.array([2, -3])),
    ("price", "FP32", numpy.array([1.5, 2.25], dtype="float32")),
    ("member", "BOOL", numpy.array([True, False])),
    ("since", "BYTES", numpy.array(["2026-11-20", "1999-01-01"], dtype=object)),
    ("at", "BYTES", numpy.array(["2026-11-20T13:45:00", "1999-01-01T00:00:00.5"], dtype=object)),
    ("took", "FP64", numpy.array([90.0, 0.5])),
    ("token", "BYTES", numpy.array([b"\0\1\2", b"\xff"], dtype=object)),
    ("extra", "BYTES", numpy.array(['{"a": [1]}', "null"], dtype=object)),
    ("place", "FP64", numpy.array([[1.0, 2.0], [3.0, 4.0]])),
]
"""Name, datatype of the protocol, and values."""
