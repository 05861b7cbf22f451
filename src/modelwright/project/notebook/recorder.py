"""Take the fingerprint of a value while a notebook or a pipeline runs: enough to say whether two runs agree.

Copied into the two processes of a proof, which know nothing of modelwright. Standard library only; numpy, pandas and
the like are used through the values themselves. A fingerprint is one line of JSON: what kind of thing, its shape, names
and types, a sha256 of its content, and up to a thousand of its numbers for comparing within a tolerance.

It does not: change a value, consume an iterator, draw random numbers, or fail. What it does not understand is
``not comparable``.
"""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

NUMBERS = 1000
"""Numbers that are kept of a value, spread evenly over it."""
DEPTH = 6
"""How deep lists, dictionaries and models are looked into."""
ELEMENTS = 20_000_000
"""Elements of arrays that are read of one value; more is not comparable."""
_TREES = ("children_left", "children_right", "feature", "threshold", "value")


class NotComparable(Exception):
    """The value has no content that two runs share."""


class Recorder:
    """Writes fingerprints to a file, one line each, as they are made.

    Args:
        path: The file.
        cells: Numbers of the cells in the order in which they will run; none: there are no cells.
    """

    def __init__(self, path: str, cells: Iterable[int] = ()) -> None:
        self.path = path
        self.cells = iter(cells)
        self.cell = 0

    def begin(self, *_: Any) -> None:
        """Take note that the next cell begins; IPython calls it."""
        self.cell = next(self.cells, 0)

    def note(self, key: str, value: Any) -> None:
        """Write down a value under a key."""
        line = {"key": key, "cell": self.cell, **fingerprint(value)}
        with open(self.path, "a", encoding="utf-8") as stream:  # noqa: PTH123 - nothing but what every Python has
            stream.write(json.dumps(line) + "\n")


def fingerprint(value: Any) -> dict[str, Any]:
    """Return the fingerprint of a value.

    Example:
        >>> fingerprint(0.5)["kind"], fingerprint(0.5)["numbers"]
        ('number', ['0.5'])
        >>> fingerprint(print)["kind"]
        'not comparable'
    """
    reader = _Reader()
    try:
        kind = reader.read(value, DEPTH)
    except Exception as error:  # whatever a foreign object raises when it is looked at must not stop the notebook
        return {
            "kind": "not comparable",
            "type": type(value).__name__,
            "text": f"{type(error).__name__}: {error}"[:200],
        }
    return {
        "kind": kind,
        "type": type(value).__name__,
        "text": repr(value)[:80] if kind in ("number", "text", "nothing") else "",
        "shape": reader.shape,
        "names": reader.names,
        "types": reader.types,
        "sha256": reader.digest.hexdigest(),
        "numbers": [repr(number) for number in thinned(reader.numbers)],
    }


def thinned(numbers: list[float]) -> list[float]:
    """Return at most a thousand numbers, spread evenly."""
    step = max(1, -(-len(numbers) // NUMBERS))
    return numbers[::step]


class _Reader:
    """Reads one value: its content into a digest, its outside into lists."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.numbers: list[float] = []
        self.shape: list[int] = []
        self.names: list[str] = []
        self.types: list[str] = []
        self.elements = 0

    def read(self, value: Any, depth: int) -> str:
        """Read a value and return its kind.

        Raises:
            NotComparable: It has no content to compare, or too much of it.
        """
        if depth < 0:
            raise NotComparable("too deep")
        for applies, kind, method in self._kinds():
            if applies(value):
                self._feed(kind)
                method(value, depth)
                return kind
        raise NotComparable(type(value).__name__)

    def _kinds(self) -> tuple[tuple[Callable[[Any], bool], str, Callable[[Any, int], None]], ...]:
        return (
            (lambda value: value is None, "nothing", self._text),
            (_is_number, "number", self._number),
            (lambda value: isinstance(value, str | bytes) or _is_time(value), "text", self._text),
            (lambda value: _is(value, "ndarray", "numpy"), "array", self._array),
            (lambda value: _is(value, "DataFrame", "pandas"), "table", self._pandas_table),
            (lambda value: _is(value, "Series", "pandas") or _is_index(value), "column", self._pandas_column),
            (lambda value: _is(value, "DataFrame", "polars"), "table", self._polars_table),
            (lambda value: _is(value, "Series", "polars"), "column", self._polars_column),
            (lambda value: _module(value) == "scipy" and hasattr(value, "tocsr"), "sparse matrix", self._sparse),
            (lambda value: isinstance(value, Mapping), "dictionary", self._mapping),
            (lambda value: isinstance(value, list | tuple | range), "list", self._list),
            (lambda value: isinstance(value, set | frozenset), "set", self._set),
            (lambda value: all(hasattr(value, name) for name in _TREES), "tree", self._tree),
            (_is_model, "model", self._model),
        )

    def _feed(self, text: str) -> None:
        self.digest.update(text.encode("utf-8", "surrogatepass") + b"\0")

    def _text(self, value: Any, _depth: int) -> None:
        self._feed(repr(value))

    def _number(self, value: Any, _depth: int) -> None:
        plain = value.item() if hasattr(value, "item") else value
        self._feed(repr(plain))
        if isinstance(plain, bool | int | float):
            self.numbers.append(float(plain))

    def _array(self, value: Any, depth: int) -> None:
        self.shape = self.shape or list(value.shape)
        self.types = self.types or [str(value.dtype)]
        self._feed(f"{value.shape} {value.dtype}")
        self.elements += value.size
        if self.elements > ELEMENTS:
            raise NotComparable("too large")
        if value.dtype.kind in "OV":
            for one in value.ravel().tolist():
                self._element(one, depth)
            return
        if value.dtype.kind in "fc":
            value = value.copy()
            value[value != value] = float("nan")  # all kinds of NaN become one
        self.digest.update(value.tobytes())
        if value.dtype.kind in "biuf" and value.size:
            flat = value.ravel()
            step = max(1, -(-flat.size // NUMBERS))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a sum beyond the largest number is still the same on both sides
                total = float(flat.sum())
            self.numbers += [total, *(float(one) for one in flat[::step].tolist())]

    def _element(self, value: Any, depth: int) -> None:
        """Read an element of an array of objects, which may be anything that has a stable ``repr``."""
        plain = value is None or isinstance(value, str | bytes | bool | int | float | complex)
        if plain or _is_time(value) or _module(value) in ("pandas", "decimal", "fractions"):
            self._feed(repr(value))
        else:
            self.read(value, depth - 1)

    def _pandas_table(self, value: Any, depth: int) -> None:
        self.shape, self.names = list(value.shape), [str(name) for name in value.columns]
        self.types = [str(kind) for kind in value.dtypes]
        self._feed(repr(self.names))
        self._pandas_values(value.index, depth)
        for position in range(value.shape[1]):
            self._pandas_values(value.iloc[:, position], depth)

    def _pandas_column(self, value: Any, depth: int) -> None:
        self.shape, self.names, self.types = [len(value)], [str(value.name)], [str(value.dtype)]
        if hasattr(value, "index"):
            self._pandas_values(value.index, depth)
        self._pandas_values(value, depth)

    def _pandas_values(self, value: Any, depth: int) -> None:
        self._feed(str(value.dtype))
        simple = getattr(value.dtype, "kind", "O") in "biufcmM" and not hasattr(value.dtype, "pyarrow_dtype")
        content = value.to_numpy() if simple else value.to_numpy(dtype=object)
        self._array(content.view("int64") if content.dtype.kind in "mM" else content, depth)

    def _polars_table(self, value: Any, depth: int) -> None:
        self.shape, self.names = list(value.shape), list(value.columns)
        self.types = [str(kind) for kind in value.dtypes]
        for name in value.columns:
            self._polars_values(value[name], depth)

    def _polars_column(self, value: Any, depth: int) -> None:
        self.shape, self.names, self.types = [len(value)], [value.name], [str(value.dtype)]
        self._polars_values(value, depth)

    def _polars_values(self, value: Any, depth: int) -> None:
        self._feed(f"{value.name} {value.dtype}")
        self._list(value.to_list(), depth)

    def _sparse(self, value: Any, depth: int) -> None:
        rows = value.tocsr().copy()
        rows.sum_duplicates()
        shape, self.types = list(rows.shape), [str(rows.dtype)]
        self._feed(repr(shape))
        for part in (rows.data, rows.indices.astype("int64"), rows.indptr.astype("int64")):
            self._array(part, depth)
        self.shape = shape

    def _mapping(self, value: Any, depth: int) -> None:
        self.shape = self.shape or [len(value)]
        for key, one in value.items():
            if "time" not in str(key):
                self._feed(repr(key))
                self.read(one, depth - 1)

    def _list(self, value: Any, depth: int) -> None:
        self.shape = self.shape or [len(value)]
        self._feed(str(len(value)))
        self.elements += len(value)
        if self.elements > ELEMENTS:
            raise NotComparable("too large")
        for one in value:
            self.read(one, depth - 1)

    def _set(self, value: Any, depth: int) -> None:
        self._list(sorted(value, key=repr), depth)

    def _tree(self, value: Any, depth: int) -> None:
        for name in _TREES:
            self._array(getattr(value, name), depth)

    def _model(self, value: Any, depth: int) -> None:
        """Read what a model learned: attributes that end with an underscore, and the models in it."""
        self._feed(type(value).__name__)
        for name, one in sorted(vars(value).items()):
            learned = name.endswith("_") and not name.startswith("_") and "time" not in name
            if learned or _is_model(one) or name == "steps":
                self._feed(name)
                self._learned(one, depth - 1)

    def _learned(self, value: Any, depth: int) -> None:
        try:
            self.read(value, depth)
        except NotComparable:
            self._feed(type(value).__name__)  # a function, a random generator: no content of its own


def _module(value: Any) -> str:
    return type(value).__module__.partition(".")[0]


def _is(value: Any, name: str, module: str) -> bool:
    return any(kind.__name__ == name and kind.__module__.partition(".")[0] == module for kind in type(value).__mro__)


def _is_index(value: Any) -> bool:
    return _is(value, "Index", "pandas")


def _is_number(value: Any) -> bool:
    if isinstance(value, bool | int | float | complex):
        return True
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.number | numpy.bool_)


def _is_time(value: Any) -> bool:
    kinds = {"datetime", "date", "time", "timedelta", "Timestamp", "Timedelta", "datetime64", "timedelta64"}
    return type(value).__name__ in kinds and _module(value) in ("datetime", "pandas", "numpy")


def _is_model(value: Any) -> bool:
    return callable(getattr(value, "get_params", None)) and hasattr(value, "__dict__") and not isinstance(value, type)
