"""Check a wheel to the last byte before anyone installs it. pip and uv check none of this.

Called by verify first of all, and by whoever received a wheel. Every file is read once, in pieces, so memory stays
constant. Nothing is executed.

Source: Binary distribution format (RECORD, WHEEL, file name convention); PEP 427; Core metadata.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from modelwright.building.tags import wheel_tags
from modelwright.errors import Problem, WheelError
from modelwright.inspecting.agreement import (
    FileName,
    dist_info,
    metadata_problems,
    parse_file_name,
    read_metadata,
    read_wheel,
    wheel_problems,
)
from modelwright.inspecting.record import check_files, problem
from modelwright.package import Package, open_wheel
from modelwright.spec.struct import Frozen
from modelwright.spec.weights import weights_requirement


class WheelReport(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What a wheel is, once everything in it agreed.

    Attributes:
        file: File name.
        name: Distribution name, PEP 503 normalised.
        version: Version, PEP 440.
        sha256: Digest of the whole file.
        size: Size of the whole file, bytes.
        files: Number of files in it.
        tags: Compatibility tags, sorted (``cp311-none-any``).
    """

    file: str
    name: str
    version: str
    sha256: str
    size: int
    files: int
    tags: tuple[str, ...]


def check_wheel(path: Path | str) -> WheelReport:
    """Check that a wheel is complete, unaltered and consistent, and say what it is.

    RECORD and the files agree both ways; name, version and tags agree in file name, METADATA, WHEEL and manifest;
    artifacts and code have the digests of the manifest; nothing but the model's own package would be installed.

    Args:
        path: The wheel.

    Raises:
        UnknownPackageError: There is no such file.
        WheelError: Truncated, no model in it, or parts that contradict one another; every problem is listed.
        IntegrityError: A file is not the file that was captured.
        RecordError: RECORD and the files disagree.
        ManifestError: The manifest does not follow its schema.
        FormatVersionError: It was written by a newer modelwright.
    """
    path = Path(path)
    package = open_wheel(path)
    with package.files.archive:  # type: ignore[attr-defined]
        named = parse_file_name(path.name, where=str(path))
        folder = dist_info(package.files, named)
        problems = contradictions(package, folder, named)
        if problems:
            raise WheelError("The parts of the wheel contradict one another.", where=str(path), problems=problems)
        check_files(package, folder)
        return WheelReport(
            file=path.name,
            name=named.name,
            version=str(named.version),
            sha256=sha256_of(path),
            size=path.stat().st_size,
            files=len(package.files.names()),
            tags=tuple(sorted(map(str, named.tags))),
        )


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, hexadecimal, in constant memory."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def contradictions(package: Package, folder: str, named: FileName) -> list[Problem]:
    """Compare file name, METADATA, WHEEL and manifest, and list what would be installed elsewhere.

    Args:
        package: The package in the wheel.
        folder: Name of its ``.dist-info`` folder.
        named: What the file name says.
    """
    manifest, problems = package.manifest, []
    expected = {"name": named.name, "version": str(named.version)}
    for key, value in (("name", canonicalize_name(manifest.name)), ("version", str(Version(manifest.version)))):
        if value != expected[key]:
            problems.append(problem("manifest.json", f"says {key} {value!r}, the file name says {expected[key]!r}"))
    if manifest.import_name != package.import_name:
        problems.append(problem("manifest.json", f"says import package {manifest.import_name!r}"))
    if {str(tag) for tag in named.tags} != set(wheel_tags(manifest.environment)):
        problems.append(
            problem("manifest.json", f"says interpreters {list(manifest.environment.interpreters)}, the name does not")
        )
    problems += _metadata_problems(package, folder, named)
    headers = read_wheel(package.files, folder)
    problems += wheel_problems(headers, named)
    if headers is not None and str(headers.get("Root-Is-Purelib", "")).strip() != "true":
        problems.append(problem("WHEEL", "does not say Root-Is-Purelib: true"))
    return problems + _strangers(package, folder)


def _metadata_problems(package: Package, folder: str, named: FileName) -> list[Problem]:
    metadata, problems = read_metadata(package.files, folder)
    if metadata is None:
        return problems
    problems = metadata_problems(metadata, named)
    required = {_normal(requirement) for requirement in metadata.requires_dist or ()}
    weights = weights_requirement(package.manifest)
    for pin in (*package.manifest.environment.dependencies, *([weights] if weights else [])):
        try:
            if _normal(Requirement(pin)) not in required:
                problems.append(problem("METADATA", f"does not require {pin!r} as the manifest does"))
        except InvalidRequirement as error:
            problems.append(problem("manifest.json", f"has the invalid requirement {pin!r}: {error}"))
    return problems


def _normal(requirement: Requirement) -> tuple[str, frozenset[str], str]:
    return canonicalize_name(requirement.name), frozenset(requirement.extras), str(requirement.specifier)


def _strangers(package: Package, folder: str) -> list[Problem]:
    """List files that would be installed outside the model's own package."""
    own = {package.import_name, folder}
    problems = []
    for name in package.files.names():
        top = name.partition("/")[0]
        if name.endswith(".pth") and "/" not in name:
            problems.append(problem(name, "would run code at every start of Python"))
        elif top not in own:
            problems.append(problem(name, f"lies outside the package {package.import_name!r}"))
    return problems
