"""Choose the number of the next version. Pure.

Called by :mod:`~modelwright.project.releasing.bump`. Which step the changes ask for was decided before, by ``diff``;
here a step becomes a number.

Source: Semantic Versioning 2.0.0, items 4 (below 1.0.0 anything may change, so a MINOR step may break), 8 and 11
(a pre-release comes before its release); PEP 440 (epochs, pre-, post- and development releases).
"""

from __future__ import annotations

import difflib

from packaging.version import Version

from modelwright.errors import NameVersionError, ReleaseError
from modelwright.inspecting.changes import Verdict
from modelwright.spec.naming import check_version

PARTS = ("auto", "major", "minor", "patch")
"""What may be asked for instead of a version."""


def check_part(part: str) -> str:
    """Return one of :data:`PARTS`, or the normal form of a version.

    Raises:
        NameVersionError: Neither.

    Example:
        >>> check_part("minor"), check_part("2.0.0-rc1")
        ('minor', '2.0.0rc1')
    """
    if part in PARTS:
        return part
    try:
        return check_version(part)
    except NameVersionError as error:
        close = difflib.get_close_matches(part.lower(), PARTS, n=1)
        if not close:
            raise
        hint = f"Did you mean {close[0]!r}?"
        raise NameVersionError(f"{part!r} is no version step.", why=error.why, hint=hint) from error


def step(version: str, part: str) -> str:
    """Return the version that a step leads to; a pre-release of that very step becomes final instead.

    Args:
        version: Where the project is, PEP 440.
        part: ``major``, ``minor`` or ``patch``.

    Example:
        >>> step("1.2.3", "major"), step("1.2.3", "minor"), step("1.2.3.post1", "patch")
        ('2.0.0', '1.3.0', '1.2.4')
        >>> step("1.2.0rc1", "minor"), step("1.2.0rc1", "major"), step("1!0.9", "patch")
        ('1.2.0', '2.0.0', '1!0.9.1')
    """
    parsed = Version(version)
    major, minor, patch = parsed.major, parsed.minor, parsed.micro
    kept = parsed.is_prerelease
    if part == "major":
        numbers = (major if kept and minor == patch == 0 else major + 1, 0, 0)
    elif part == "minor":
        numbers = (major, minor if kept and patch == 0 else minor + 1, 0)
    else:
        numbers = (major, minor, patch if kept else patch + 1)
    return _number(parsed, numbers)


def follow(version: str, verdict: Verdict | None, *, changed: bool) -> str:
    """Return the version that a verdict asks for: as high as needed, never lower than where the project is.

    Args:
        version: Where the project is.
        verdict: What ``diff`` found, compared with the newest release; ``None``: nothing was released yet.
        changed: Whether anything changed since that release.

    Example:
        >>> verdict = Verdict(level="MINOR", reasons=(), honoured=False, expected="1.4.0")
        >>> follow("1.3.0", verdict, changed=True), follow("1.5.0rc2", verdict, changed=True)
        ('1.4.0', '1.5.0')
        >>> follow("1.3.0", None, changed=True)
        '1.3.0'
    """
    if verdict is None or not changed:
        return version
    parsed = Version(version)
    final = _number(parsed, (parsed.major, parsed.minor, parsed.micro)) if parsed.is_prerelease else version
    return max(final, verdict.expected, key=Version)


def check_direction(target: str, *, current: str, released: str) -> None:
    """Refuse a version that goes down, or that does not follow the release it is compared with.

    Args:
        target: The version to be.
        current: Where the project is.
        released: The release compared with; empty: none.

    Raises:
        ReleaseError: It is lower.
    """
    if Version(target) < Version(current):
        raise ReleaseError(
            f"{target} is lower than {current}, the version the project has.",
            why="Installers choose the highest version, so a release that goes down is found by nobody.",
            hint="Give a higher version; to take a release back, yank it on the index.",
        )
    if released and Version(target) < Version(released):
        raise ReleaseError(
            f"{target} is lower than {released}, the release it is compared with.",
            hint=f"Give a version above {released}, or compare with an older release: --against.",
        )


def _number(version: Version, numbers: tuple[int, int, int]) -> str:
    epoch = f"{version.epoch}!" if version.epoch else ""
    return epoch + ".".join(map(str, numbers))
