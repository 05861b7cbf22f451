"""Faster forms of a model: what was tried, how equal it is, what it brings.

For: capture (writes it), the runtime (uses the form that is kept, reading the same JSON), the card.
"""

from __future__ import annotations

from typing import Any

from modelwright.spec.struct import Frozen


class Latency(Frozen, frozen=True, kw_only=True):
    """How long one call takes, median of interleaved calls, as a caller of the package sees it.

    Attributes:
        rows: Number of rows of the call.
        original: The model itself, seconds.
        accelerated: The form, seconds.
    """

    rows: int
    original: float
    accelerated: float


class Acceleration(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """A faster form of the model that was tried when it was captured.

    Attributes:
        kind: ``exact``: the library's own kernels; ``onnx``: another program for the same function.
        kept: Whether the package answers through it.
        why: Why it is not kept; empty if it is.
        loader: Name of the module in ``_runtime`` that makes or loads it; empty if it took the model's place.
        options: What that module needs to know.
        steps: Parts of the model that still run the library's own code.
        rows: Number of rows on which it was compared with the model: the whole sample.
        differing: Rows of these on which any output differs by a bit.
        largest_difference: Largest absolute difference of a number in any output.
        tolerance: What was allowed, absolute and relative; 0: every bit.
        latency: Calls with 1, 100 and 1,000 rows.
        size: Its own files, bytes.
        dependencies: Distributions that it needs beside the model's.
        replaces: Distributions of the model that are gone with it, where the form took its place.
    """

    kind: str
    kept: bool = False
    why: str = ""
    loader: str = ""
    options: dict[str, Any] = {}
    steps: tuple[str, ...] = ()
    rows: int = 0
    differing: int = 0
    largest_difference: float = 0.0
    tolerance: float = 0.0
    latency: tuple[Latency, ...] = ()
    size: int = 0
    dependencies: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
