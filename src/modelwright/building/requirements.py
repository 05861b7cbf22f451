"""Decide what a wheel requires: the model's pins, united with what the project says, or a refusal.

Called by :mod:`modelwright.building.metadata`. Pure: requirements in, requirements out.
Source: PEP 508 (requirements), PEP 440 (specifiers).
"""

from __future__ import annotations

from collections.abc import Iterable

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from modelwright.building.tags import Interpreter
from modelwright.errors import ManifestError, ProjectError

LATEST_PATCH = 40
"""No minor release of CPython has had more patch releases; ``X.Y.0`` to this are tried against a specifier."""


def parse_requirement(text: str, *, where: str) -> Requirement:
    """Read a requirement of the project.

    Raises:
        ProjectError: Not PEP 508.
    """
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise ProjectError(
            f"{text!r} is no requirement.", where=where, why=str(error), hint="Write it as in PEP 508: 'numpy>=2'."
        ) from error


def unite(pins: Iterable[str], wanted: Iterable[str], *, where: str = "pyproject.toml") -> tuple[Requirement, ...]:
    """Unite the pins of the model with the requirements of the project, sorted by name.

    A requirement that a pin fulfils is absorbed by it, extras kept; any other is added.

    Args:
        pins: ``manifest.environment.dependencies``.
        wanted: ``project.dependencies``.
        where: What to call the source of ``wanted`` in an error.

    Raises:
        ManifestError: A pin is malformed.
        ProjectError: A requirement is malformed, or no release fulfils both it and a pin.

    Example:
        >>> [str(each) for each in unite(["numpy==2.4.6"], ["numpy[dev]>=2", "httpx<1"])]
        ['httpx<1', 'numpy[dev]==2.4.6']
    """
    united = [_pin(pin) for pin in pins]
    for text in wanted:
        requirement = parse_requirement(text, where=where)
        same = [each for each in united if _key(each) == _key(requirement)]
        if same:
            _absorb(same[0], requirement, where)
        else:
            united.append(requirement)
    return tuple(sorted(united, key=lambda each: (canonicalize_name(each.name), str(each))))


def _pin(text: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise ManifestError(
            f"{text!r} is no requirement.",
            where="manifest.json: environment.dependencies",
            why=str(error),
            hint="Capture the model again.",
        ) from error


def _key(requirement: Requirement) -> tuple[str, str]:
    return canonicalize_name(requirement.name), str(requirement.marker or "")


def _absorb(pin: Requirement, wanted: Requirement, where: str) -> None:
    proved = [each.version for each in pin.specifier if each.operator in ("==", "~=")]
    if wanted.url or any(not wanted.specifier.contains(version, prereleases=True) for version in proved):
        raise ProjectError(
            f"The project requires {str(wanted)!r}, the model was proved with {str(pin)!r}.",
            where=where,
            why="No installation can have both, and another version may give other answers without a word.",
            hint=f"Remove {wanted.name!r} from the dependencies, or capture the model again with that version.",
        )
    pin.extras |= wanted.extras
    if not any(each.operator == "==" for each in pin.specifier):
        pin.specifier &= wanted.specifier


def narrow_python(proved: SpecifierSet, wanted: str, found: Iterable[Interpreter], *, where: str) -> SpecifierSet:
    """Intersect the interpreters of the manifest with ``requires-python`` of the project.

    Raises:
        ProjectError: Not a specifier, or it excludes an interpreter that the model was verified on.
    """
    try:
        specifier = SpecifierSet(wanted)
    except ValueError as error:
        raise ProjectError(f"{wanted!r} is no version specifier.", where=where, why=str(error)) from error
    for major, minor, tag in found:
        if not any(specifier.contains(f"{major}.{minor}.{patch}") for patch in range(LATEST_PATCH)):
            raise ProjectError(
                f"requires-python = {wanted!r} excludes {tag}, which the model was verified on.",
                where=where,
                hint="Remove requires-python: the manifest has it.",
            )
    return proved & specifier
