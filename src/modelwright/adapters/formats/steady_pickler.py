"""Write joblib files whose bytes depend on the model only, not on hash seeds, interning or stale memory.

Called by the joblib format. It does not read: what it writes is an ordinary joblib file.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from joblib.numpy_pickle import NumpyPickler

from modelwright.adapters.formats.padding import zero_padding


class SteadyPickler(NumpyPickler):  # type: ignore[misc]
    """joblib's pickler with sets in order, equal strings as one object, and clean padding in structured arrays."""

    dispatch = NumpyPickler.dispatch.copy()

    def __init__(self, stream: BinaryIO, protocol: int) -> None:
        super().__init__(stream, protocol=protocol)
        self._strings: dict[str, str] = {}

    def save(self, obj: Any) -> Any:
        """Save an object; text is replaced by the first equal one, because the memo works by identity."""
        if type(obj) is str:
            obj = self._strings.setdefault(obj, obj)
        elif type(obj) is np.ndarray and obj.dtype.names is not None and not obj.dtype.hasobject:
            obj = zero_padding(obj)
        return super().save(obj)

    def save_set(self, obj: set[Any]) -> None:
        """Save a set in an order of its own instead of the order of hashes."""
        self.save_reduce(set, (_ordered(obj),), obj=obj)

    dispatch[set] = save_set

    def save_frozenset(self, obj: frozenset[Any]) -> None:
        """Save a frozenset in an order of its own instead of the order of hashes."""
        self.save_reduce(frozenset, (_ordered(obj),), obj=obj)

    dispatch[frozenset] = save_frozenset


def _ordered(items: set[Any] | frozenset[Any]) -> list[Any]:
    try:
        return sorted(items)
    except TypeError:  # items that cannot be compared with each other
        return sorted(items, key=lambda item: (type(item).__qualname__, repr(item)))


def dump(model: object, stream: BinaryIO, *, protocol: int) -> None:
    """Write a joblib file, uncompressed.

    Raises:
        pickle.PicklingError: Or whatever the model's own ``__reduce__`` raises.
    """
    SteadyPickler(stream, protocol).dump(model)
