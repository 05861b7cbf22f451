"""Rows of any kind as the body of a request.

Frames go as an Arrow stream where the library for it is installed, everything else as JSON. Nothing is judged here
but the form of the table: the server knows the signature, and names every problem.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple, Protocol

import msgspec

from modelwright import plugins
from modelwright.errors import MissingExtraError, UnknownPluginError
from modelwright.runtime.containers import count_rows, kind_of, take_apart
from modelwright.runtime.encoding import encode
from modelwright.runtime.validation import refusal
from modelwright.serving.telling import WHICH_COLUMNS

GROUP = "modelwright.frames"
"""Entry-point group of what turns frames into bytes."""
JSON = "application/json"


class Frames(Protocol):
    """Turns frames into bytes, and an answer's bytes into columns; see :mod:`modelwright.adapters.frames.arrow`."""

    media_type: str

    def encode(self, rows: Any, kind: str, names: tuple[str, ...]) -> bytes | None:
        """Return a table as bytes; ``None``: it cannot be one."""
        ...

    def decode(self, body: bytes) -> dict[str, Any]:
        """Return the columns of an answer."""
        ...


class Rows(NamedTuple):
    """Rows, recognised.

    Attributes:
        held: What holds them.
        kind: What it is, as :func:`~modelwright.runtime.containers.kind_of` says.
        size: Number of rows.
        index: Their index, for pandas.
    """

    held: Any
    kind: str
    size: int
    index: Any = None

    def part(self, start: int, stop: int) -> Rows:
        """Return some of the rows, as the same kind."""
        return recognised(_SLICERS.get(self.kind, _sliced)(self.held, start, stop))


class Body(NamedTuple):
    """Body of a request.

    Attributes:
        content: Its bytes.
        media_type: What they are.
        frames: What understands an answer of the same type; ``None``: it is JSON.
    """

    content: bytes
    media_type: str = JSON
    frames: Frames | None = None


def recognised(held: Any) -> Rows:
    """Recognise rows.

    Raises:
        ContainerError: They are in no container that is understood.
    """
    kind = kind_of(held)
    return Rows(held, kind, count_rows(held, kind), held.index if kind == "pandas" else None)


def body(rows: Rows, fields: tuple[str, ...], *, unit: str, title: str, frames: Frames | None) -> Body:
    """Return the body that carries rows.

    Args:
        rows: The rows.
        fields: Names of the model's inputs: an array has no names of its own.
        unit: What the request is about; empty: it does not say.
        title: What to call the model in messages.
        frames: What turns frames into bytes; ``None``: nothing does, they go as JSON.

    Raises:
        ContainerError: An array of another dimension than a table has.
        SignatureError: An array of another width than the model needs, or columns that make no table.
    """
    if frames is not None and _is_frame(rows, fields):
        content = frames.encode(rows.held, rows.kind, fields)
        if content is not None:
            return Body(content, frames.media_type, frames)
    said = {"unit": unit} if unit else {}
    if rows.kind == "records":
        return Body(msgspec.json.encode({"rows": encode(rows.held)} | said))
    names = _names(rows, fields)
    apart = take_apart(rows.held, rows.kind, names)
    if apart.problems:
        raise refusal(apart.problems, model=title, hint=WHICH_COLUMNS)
    return Body(msgspec.json.encode({"columns": encode(apart.columns)} | said))


def _is_frame(rows: Rows, fields: tuple[str, ...]) -> bool:
    if rows.kind == "numpy":
        return bool(rows.held.dtype.kind in "fiub" and rows.held.ndim == 2 and rows.held.shape[1] == len(fields))
    return rows.kind in ("pandas", "polars", "pyarrow")


def _names(rows: Rows, fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of all columns that were given, so that the server sees what is too much, too."""
    if rows.kind == "numpy":
        return tuple(rows.held.dtype.names or fields)
    if rows.kind == "pyarrow":
        return tuple(rows.held.schema.names)
    return tuple(str(name) for name in (rows.held if rows.kind == "columns" else rows.held.columns))


@cache
def arrow() -> Frames | None:
    """Return what turns frames into an Arrow stream; ``None`` where the library for it is not installed."""
    try:
        found: Frames = plugins.find(GROUP, "arrow")
    except (MissingExtraError, UnknownPluginError):
        return None
    return found


def _sliced(held: Any, start: int, stop: int) -> Any:
    return held[start:stop]


def _sliced_arrow(held: Any, start: int, stop: int) -> Any:
    return held.slice(start, stop - start)


_SLICERS: dict[str, Any] = {
    "columns": lambda held, start, stop: {name: values[start:stop] for name, values in held.items()},
    "pandas": lambda held, start, stop: held.iloc[start:stop],
    "polars": _sliced_arrow,
    "pyarrow": _sliced_arrow,
}
