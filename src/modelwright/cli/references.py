"""References on the command line: a package that lies here, or a release in a registry.

For: the commands that look at, prove and use packages. What lies here (a path, a URL, an installed distribution) is
left to :mod:`modelwright.inspecting.read`, which knows no registry; ``name@stage`` always means a registry.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from modelwright.cli.addresses import At, named
from modelwright.cli.output import Output
from modelwright.errors import RequestError
from modelwright.inspecting.read import Reference
from modelwright.registry.references import Reference as ReleaseReference
from modelwright.registry.references import parse_reference


def resolve(text: str, at: At, output: Output) -> Reference:
    """Return what a reference means: itself if it lies here, else the package in the registry.

    With ``--registry``, a name means the registry's, whatever is installed here.

    Raises:
        RequestError: It names a stage, and no registry is named anywhere.
        UnknownReleaseError: The registry has no such release.
    """
    release = _release(text)
    if release is None:
        return text
    if not (at.registry or release.stage) and (_installed(release) or not named(None)):
        return text
    return at.open(output).read(str(release))


def _release(text: str) -> ReleaseReference | None:
    """Return the release that a text can mean; ``None``: it is a path, a URL, or nothing that a registry knows."""
    if Path(text).exists() or "/" in text or "\\" in text or text.endswith(".whl"):
        return None
    try:
        return parse_reference(text)
    except RequestError:
        return None


def _installed(release: ReleaseReference) -> bool:
    try:
        found = distribution(release.name)
    except PackageNotFoundError:
        return False
    return release.version in ("", found.version)
