"""Find plug-ins by entry-point group and name; ours are found exactly as a third party's.

Called by capturing (formats) and, later, scoring (engines), registry (stores) and exchange. It does not know
what a plug-in does: each group has its own protocol, beside the code that calls it.
"""

from __future__ import annotations

import difflib
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Any

from modelwright.errors import MissingExtraError, UnknownPluginError


@cache
def _found(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=group), key=lambda point: point.name)}


def available(group: str) -> tuple[str, ...]:
    """List the names registered in a group, sorted, without importing any of them.

    Example:
        >>> {"joblib", "skops"} <= {*available("modelwright.formats")}
        True
    """
    return tuple(_found(group))


def find(group: str, name: str) -> Any:
    """Import and return the plug-in registered under a name.

    Args:
        group: Entry-point group, for example ``modelwright.formats``.
        name: The registered name.

    Raises:
        UnknownPluginError: Nothing is registered under the name; the message lists what is.
        MissingExtraError: The plug-in is there but its library is not installed.
    """
    point = _found(group).get(name)
    if point is None:
        names = ", ".join(available(group)) or "none"
        close = difflib.get_close_matches(name, available(group), n=1)
        raise UnknownPluginError(
            f"There is no plug-in {name!r} in {group}.",
            why=f"Available: {names}.",
            hint=f"Did you mean {close[0]!r}?" if close else "Install the distribution that provides it.",
        )
    try:
        return point.load()
    except ModuleNotFoundError as error:
        extra = getattr(point.dist, "name", None) or "modelwright"
        raise MissingExtraError(
            f"The plug-in {name!r} needs the library {error.name!r}, which is not installed.",
            hint=f'pip install "{extra}[{name}]"',
        ) from error


def need(extra: str, *modules: str) -> None:
    """Check that the libraries of one of our own extras are installed, without importing them.

    Args:
        extra: The extra that brings them (``project``).
        modules: Names of top-level modules.

    Raises:
        MissingExtraError: One of them is not installed; one line installs it.

    Example:
        >>> need("project", "json")
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"This needs {', '.join(missing)}: not installed.", hint=f'pip install "modelwright[{extra}]"'
        )
