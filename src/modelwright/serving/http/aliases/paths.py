"""What a path of an alias names."""

from __future__ import annotations

from typing import NamedTuple


class Names(NamedTuple):
    """What a path names.

    Attributes:
        model: Name of the model; empty if it names none.
        version: Its version; empty: whichever the router chooses.
    """

    model: str = ""
    version: str = ""
