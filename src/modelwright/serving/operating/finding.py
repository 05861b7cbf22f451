"""What a reference in a deployment means: a package that lies here, or a release in the registry.

Called by preparing. It executes nothing of a package.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from modelwright.errors import DeploymentError, RequestError, UnknownPackageError
from modelwright.inspecting.read import read
from modelwright.package import Package
from modelwright.registry.references import Reference, parse_reference
from modelwright.registry.registry import Registry
from modelwright.runtime.integrity import sha256


def release_of(reference: str) -> Reference | None:
    """Return the release that a reference can mean; ``None``: it is a path or a URL.

    Example:
        >>> release_of("churn@production").stage, release_of("./dist/churn-1.0-py3-none-any.whl")
        ('production', None)
    """
    if "/" in reference or "\\" in reference or reference.endswith(".whl") or Path(reference).exists():
        return None
    try:
        return parse_reference(reference)
    except RequestError:
        return None


def find(reference: str, registry: Registry | None) -> Package:
    """Open the package of a reference.

    Args:
        reference: A wheel, its URL, a model folder, an installed name, ``name==version``, ``name@stage``.
        registry: Where releases are looked for; ``None``: only here.

    Raises:
        DeploymentError: It names a stage, and there is no registry.
        UnknownReleaseError: The registry has no such release.
        UnknownPackageError: It leads to no package.
    """
    release = release_of(reference)
    if release is None:
        return read(reference)
    if registry is None and release.stage:
        raise DeploymentError(
            f"{reference} names a stage, and no registry is named.",
            hint="Give --registry, or registry = … in the deployment file.",
        )
    if not release.stage and _installed(release):
        return read(reference)
    if registry is None:
        try:
            return read(reference)
        except UnknownPackageError as error:
            raise UnknownPackageError(
                f"There is no package {reference!r} here, and no registry is named.",
                why="It is no file or folder, and not installed.",
                hint=f"Name a wheel (dist/{release.name}-….whl), or serve with --registry FOLDER_OR_URL.",
            ) from error
    return registry.read(str(release))


def digest_of(package: Package) -> str:
    """Return the sha256 of a package's wheel; empty for a folder, of which no wheel was made yet."""
    if package.sha256 or package.path is None or not package.path.is_file():
        return package.sha256
    return sha256(package.path)


def _installed(release: Reference) -> bool:
    try:
        return distribution(release.name).version == release.version
    except PackageNotFoundError:
        return False
