"""What a change between two versions means to whoever uses the model, and the version number it asks for. Pure.

Called by diff and by compatibility. A change has one of three levels, in the words of Semantic Versioning for models:
MAJOR: rows or code that worked with the old version no longer do; MINOR: retrained, so answers differ, or able to do
more; PATCH: the same behaviour.

Source: Semantic Versioning 2.0.0 (item 4: below 1.0.0 a MINOR step may break); PEP 440 (release segments).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from packaging.version import Version

from modelwright.spec.struct import Frozen

Level = Literal["MAJOR", "MINOR", "PATCH"]
_ORDER: tuple[Level, ...] = ("PATCH", "MINOR", "MAJOR")


class Change(Frozen, frozen=True, kw_only=True):
    """One thing that differs.

    Attributes:
        level: What it means to whoever uses the model.
        about: What part of the package it is in (``signature``, ``behaviour``, ``pins`` …).
        what: The change as a sentence without a full stop (``field 'tenure' is now required``).
        how: Whether something came, went, or is another than it was.
    """

    level: Level
    about: str
    what: str
    how: Literal["added", "changed", "removed"] = "changed"


class Verdict(Frozen, frozen=True, kw_only=True):
    """The version step that the changes ask for.

    Attributes:
        level: The highest level of any change.
        reasons: What makes it that level, sentences; empty: nothing changed.
        honoured: Whether the new version number is at least that much higher than the old one.
        expected: The smallest version that honours it.
    """

    level: Level
    reasons: tuple[str, ...]
    honoured: bool
    expected: str

    def __str__(self) -> str:
        """Give the level and its reasons on one line."""
        return f"{self.level}: {'; '.join(self.reasons) or 'nothing changed'}"


def judge(changes: Iterable[Change], *, old: str, new: str) -> Verdict:
    """Return the version step that changes ask for, and whether the new version number honours it.

    Args:
        changes: What differs.
        old: Version of the old package, PEP 440.
        new: Version of the new package.

    Example:
        >>> print(judge([Change(level="MAJOR", about="signature", what="field 'tenure' is now required")],
        ...             old="1.2.0", new="1.3.0"))
        MAJOR: field 'tenure' is now required
    """
    listed = tuple(changes)
    level: Level = max((change.level for change in listed), key=_ORDER.index, default="PATCH")
    expected = next_version(old, level) if listed else old
    return Verdict(
        level=level,
        reasons=tuple(change.what for change in listed if change.level == level),
        honoured=_honours(Version(old), Version(new), Version(expected)),
        expected=expected,
    )


def _honours(old: Version, new: Version, expected: Version) -> bool:
    """Pre-releases of a version count as that version: 2.0.0rc1 honours a MAJOR change of 1.3.0."""
    return new >= expected or (new > old and new.is_prerelease and Version(new.base_version) >= expected)


def next_version(version: str, level: Level) -> str:
    """Return the smallest version that is a step of a level above another one.

    Below 1.0.0 a MAJOR change asks for a MINOR step only: such versions promise nothing yet.

    Example:
        >>> next_version("1.3.0", "MAJOR"), next_version("1.3.0", "MINOR"), next_version("0.3.1", "MAJOR")
        ('2.0.0', '1.4.0', '0.4.0')
    """
    parsed = Version(version)
    major, minor, patch = parsed.major, parsed.minor, parsed.micro
    if parsed.is_prerelease and level == "PATCH":
        step = (major, minor, patch)
    elif level == "PATCH":
        step = (major, minor, patch + 1)
    elif level == "MINOR" or major == 0:
        step = (major, minor + 1, 0)
    else:
        step = (major + 1, 0, 0)
    epoch = f"{parsed.epoch}!" if parsed.epoch else ""
    return epoch + ".".join(map(str, step))
