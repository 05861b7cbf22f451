"""Keep the compare links at the bottom of a changelog up to date. Pure.

Called by :mod:`~modelwright.project.releasing.changelog`. Links are moved on where there are some; none is made up,
because which host a project is on is written nowhere else in the file.
Source: Keep a Changelog 1.1.0, the links at the end of its own changelog.
"""

from __future__ import annotations

import re

_DEFINITION = re.compile(r"^\[(?P<name>[^\]]+)\]:[ \t]*(?P<url>\S+)[ \t]*$")
_COMPARE = re.compile(r"^(?P<base>.+/)(?P<old>[^/]+?)(?P<dots>\.{2,3})(?P<new>[^/]+)$")


def move_links(lines: list[str], *, version: str, previous: str) -> list[str]:
    r"""Return link definitions with one for a new version; ``Unreleased`` compares with it from now on.

    Args:
        lines: The definitions, one a line; empty lines may stand between them.
        version: The version that is released.
        previous: The release before it; empty: there is none.

    Example:
        >>> before = ["[unreleased]: https://example.org/x/compare/v1.0.0...HEAD"]
        >>> print("\n".join(move_links(before, version="1.1.0", previous="1.0.0")))
        [unreleased]: https://example.org/x/compare/v1.1.0...HEAD
        [1.1.0]: https://example.org/x/compare/v1.0.0...v1.1.0
    """
    found = [_DEFINITION.match(line) for line in lines]
    names = [match["name"].lower() if match else "" for match in found]
    if version in names:
        return lines
    for place, match in enumerate(found):
        compare = _COMPARE.match(match["url"]) if match else None
        if match and compare and names[place] == "unreleased":
            tag = _tag(compare["old"], version)
            ahead = f"[{match['name']}]: {compare['base']}{tag}{compare['dots']}{compare['new']}"
            own = f"[{version}]: {compare['base']}{compare['old']}{compare['dots']}{tag}"
            return [*lines[:place], ahead, own, *lines[place + 1 :]]
    return _after_a_release(lines, found, version=version, previous=previous)


def _after_a_release(lines: list[str], found: list[re.Match[str] | None], *, version: str, previous: str) -> list[str]:
    """Add a link like the one of the release before it, where ``Unreleased`` has none."""
    for place, match in enumerate(found):
        if match is None or not previous or match["name"] != previous or previous not in match["url"]:
            continue
        compare = _COMPARE.match(match["url"])
        if compare:
            url = f"{compare['base']}{compare['new']}{compare['dots']}{_tag(compare['new'], version)}"
        else:
            url = match["url"].replace(previous, version)
        return [*lines[:place], f"[{version}]: {url}", *lines[place:]]
    return lines


def _tag(like: str, version: str) -> str:
    """Return the tag of a version, named as another tag is (``v1.0.0``, ``churn-1.0.0``).

    Example:
        >>> _tag("churn-v1.0.0", "1.1.0"), _tag("main", "1.1.0")
        ('churn-v1.1.0', 'v1.1.0')
    """
    match = re.match(r"^(?P<prefix>.*?)\d+(\.\w+)*$", like)
    return f"{match['prefix'] if match else 'v'}{version}"
