"""Name a wheel: the interpreters it was verified on, as PEP 425 tags, and the file name that follows from them.

Called by :mod:`modelwright.building.distinfo` and :mod:`modelwright.building.build`. ``Requires-Python`` alone
would not do: uv ignores its upper bound, while both pip and uv obey the tag.
Source: PEP 425 (compatibility tags); PyPA "Binary distribution format", "File name convention".
"""

from __future__ import annotations

import re
from typing import NamedTuple

from packaging.specifiers import SpecifierSet

from modelwright.errors import ManifestError
from modelwright.spec.environment import Environment
from modelwright.spec.manifest import Manifest

_INTERPRETER = re.compile(r"(?P<implementation>[a-z]{2})(?P<major>[1-9])(?P<minor>\d+)")
_ANYWHERE = "py3"


class Interpreter(NamedTuple):
    """One interpreter, ordered by version.

    Attributes:
        major: ``3``.
        minor: ``11``.
        tag: PEP 425 python tag (``cp311``).
    """

    major: int
    minor: int
    tag: str


def interpreters(environment: Environment) -> tuple[Interpreter, ...]:
    """Return the interpreters that a package was verified on, ascending, each once.

    Raises:
        ManifestError: There is none, or a tag is malformed.
    """
    found = set()
    for tag in environment.interpreters:
        match = _INTERPRETER.fullmatch(tag)
        if not match:
            raise ManifestError(
                f"{tag!r} is no interpreter tag.",
                where="manifest.json: environment.interpreters",
                hint="Interpreters are written as PEP 425 python tags, for example 'cp311'.",
            )
        found.add(Interpreter(int(match["major"]), int(match["minor"]), tag))
    if not found:
        raise ManifestError(
            "The manifest names no interpreter that the model was verified on.",
            where="manifest.json: environment.interpreters",
            hint="Capture the model again.",
        )
    return tuple(sorted(found))


def wheel_tags(environment: Environment) -> tuple[str, ...]:
    """Return the tags of the wheel, one for each interpreter, as the ``WHEEL`` file lists them.

    Example:
        >>> environment = Environment(python="3.11.7", interpreters=("cp312", "cp311"), dependencies=())
        >>> wheel_tags(environment)
        ('cp311-none-any', 'cp312-none-any')
    """
    if environment.portable:
        return (f"{_ANYWHERE}-none-any",)
    return tuple(f"{interpreter.tag}-none-any" for interpreter in interpreters(environment))


def requires_python(environment: Environment) -> SpecifierSet:
    """Return the ``Requires-Python`` that says the same as the tags, for people and for pip.

    A portable artifact has only a lower bound: the oldest interpreter that it was verified on.

    Example:
        >>> environment = Environment(python="3.11.7", interpreters=("cp311", "cp313"), dependencies=())
        >>> sorted(map(str, requires_python(environment)))
        ['!=3.12.*', '<3.14', '>=3.11']
    """
    found = interpreters(environment)
    lowest, highest = found[0], found[-1]
    bounds = [f">={lowest.major}.{lowest.minor}"]
    if not environment.portable:
        known = {(interpreter.major, interpreter.minor) for interpreter in found}
        between = range(lowest.minor, highest.minor) if lowest.major == highest.major else range(0)
        bounds += [f"!={lowest.major}.{minor}.*" for minor in between if (lowest.major, minor) not in known]
        bounds.append(f"<{highest.major}.{highest.minor + 1}")
    return SpecifierSet(",".join(bounds))


def stem(manifest: Manifest) -> str:
    """Return ``NAME-VERSION`` in the spelling of file names: the normalised name with ``_`` for ``-``."""
    return f"{manifest.name.replace('-', '_')}-{manifest.version}"


def wheel_name(manifest: Manifest) -> str:
    """Return the file name of the wheel, with compressed tags (``churn-1.3.0-cp311.cp312-none-any.whl``)."""
    pythons = ".".join(tag.partition("-")[0] for tag in wheel_tags(manifest.environment))
    return f"{stem(manifest)}-{pythons}-none-any.whl"
