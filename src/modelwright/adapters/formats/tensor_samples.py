"""Give a sample the dtypes that a model of tensors declares, in the container that it came in.

For: the formats of libraries whose models take tensors by name. A table read from CSV holds 64-bit numbers; a network
that takes 32-bit ones has a signature of 32-bit fields. Whole numbers become floating ones where the model takes those;
never the other way round, and text stays text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np


def declare(sample: Any, dtypes: Mapping[str, str]) -> Any:
    """Return a sample in the dtypes of a model's inputs; what is no number, and rows as dicts, stay as they are.

    Args:
        sample: Rows in any container that capture takes.
        dtypes: NumPy dtype of each input, by name; with one input, it is that of every column.

    Example:
        >>> declare(np.array([[1, 2]]), {"x": "float32"}).dtype
        dtype('float32')
        >>> declare({"age": [41], "plan": ["basic"]}, {"age": "float32", "plan": "string"})["age"]
        array([41.], dtype=float32)
    """
    one = next(iter(dtypes.values())) if len(dtypes) == 1 else ""
    if isinstance(sample, np.ndarray):
        return sample.astype(one) if _fits(sample.dtype, one) else sample
    if isinstance(sample, Mapping):
        return {name: _column(values, one or dtypes.get(name, "")) for name, values in sample.items()}
    if sample is None or isinstance(sample, list):
        return sample
    frame = nw.from_native(sample, eager_only=True, pass_through=True)
    if not isinstance(frame, nw.DataFrame):
        return sample
    wanted = {name: _narwhals(kind, one or dtypes.get(name, "")) for name, kind in frame.schema.items()}
    return frame.with_columns([nw.col(name).cast(kind) for name, kind in wanted.items() if kind]).to_native()


def _column(values: Any, dtype: str) -> Any:
    try:
        array = np.asarray(values)
    except ValueError:  # lists of different lengths
        return values
    return array.astype(dtype) if _fits(array.dtype, dtype) else values


def _fits(have: np.dtype[Any], want: str) -> bool:
    """Whether numbers may be written in another dtype: not text, and nothing with decimals as whole numbers."""
    kinds = {"f": "iuf", "i": "iu", "u": "iu"}
    return bool(want) and want != "string" and have.kind in kinds.get(np.dtype(want).kind, "")


def _narwhals(have: Any, want: str) -> Any:
    if not want or want == "string" or not have.is_numeric() or (have.is_float() and not want.startswith("float")):
        return None
    return getattr(
        nw, np.dtype(want).name.replace("uint", "UInt").replace("int", "Int").replace("float", "Float"), None
    )
