"""Look into releases of a registry, wherever it is: their facts, their packages, their files.

For: :class:`modelwright.registry.registry.Registry`. Everything goes through a
:class:`~modelwright.registry.service.Service`; nothing of a package is executed.
"""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from packaging.tags import Tag, sys_tags
from packaging.utils import parse_wheel_filename

from modelwright.building.archive import replacing
from modelwright.errors import DamageError, PackageError, StorageError, UnknownReleaseError
from modelwright.inspecting.ranges import LARGE
from modelwright.inspecting.remote import OwnedStream
from modelwright.package import Package, open_wheel
from modelwright.registry.evidence import Evidence
from modelwright.registry.index.install import InstallLines, lines_for
from modelwright.registry.projects import Placement, Project, Release, StoredFile
from modelwright.registry.service import Service
from modelwright.spec.lineage import Lineage
from modelwright.spec.manifest import Manifest
from modelwright.spec.struct import Frozen
from modelwright.spec.weights import weights_file_name, weights_name
from modelwright.steps import Listener, timed


class ReleaseReport(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that a registry knows of one release.

    Attributes:
        project: Its project, without the other releases.
        release: The release.
        others: The project's other versions, lowest first.
        placements: Where in the stages it is and was, oldest first.
        evidence: The evidence about its wheels, oldest first.
        owners: Who is responsible for the model, as its manifest says.
        lineage: Where the model came from, as its manifest says; ``None``: it is no model.
    """

    project: Project
    release: Release
    others: tuple[str, ...] = ()
    placements: tuple[Placement, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    owners: tuple[str, ...] = ()
    lineage: Lineage | None = None


def report(service: Service, project: Project, release: Release) -> ReleaseReport:
    """Return everything that a registry knows of a release."""
    from msgspec.structs import replace

    evidence = [one for file in release.wheels for one in service.evidence(file.sha256)]
    manifest = None
    if project.kind == "model" and release.wheels:
        manifest = open_release(service, project, release).manifest
    return ReleaseReport(
        project=replace(project, releases=(), placements=()),
        release=release,
        others=tuple(one.version for one in project.releases if one.version != release.version),
        placements=tuple(one for one in project.placements if one.version == release.version),
        evidence=tuple(sorted(evidence, key=lambda one: one.id)),
        owners=manifest.owners if manifest else (),
        lineage=manifest.lineage if manifest else None,
    )


def open_release(service: Service, project: Project, release: Release) -> Package:
    """Open the model of a release: of several wheels the one that this interpreter would install.

    Raises:
        UnknownReleaseError: It has no wheel.
        WheelError: It is no model.
    """
    found = release.wheels
    if not found:
        raise UnknownReleaseError(
            f"{project.name} {release.version} has no wheel.", hint=f"modelwright show {project.name}"
        )
    ranks = {tag: rank for rank, tag in enumerate(sys_tags())}
    file = min(found, key=lambda one: _rank(one, ranks))
    # The package is the only one that reads the stream, and closes it by vanishing.
    stream = cast(BinaryIO, OwnedStream(service.open_file(file.sha256)))
    try:
        package = open_wheel(stream, where=file.filename, sha256=file.sha256)
        if package.manifest.weights:  # without the package itself, which closes its stream by vanishing
            package.open_weights = partial(_open_weights, service, package.manifest)
        return package
    except PackageError as error:
        if project.kind == "model":
            raise
        raise UnknownReleaseError(
            f"{project.name} {release.version} is no model.", why=f"It is a {project.kind}.", hint="modelwright list"
        ) from error


def _open_weights(service: Service, manifest: Manifest) -> BinaryIO:
    """Open the wheel with a model's weights, which the same registry has.

    Raises:
        UnknownReleaseError: It has not.
    """
    release = service.project(weights_name(manifest.name)).release(manifest.weights)
    name = weights_file_name(manifest.name, manifest.weights)
    for file in release.files if release else ():
        if file.filename == name:
            return cast(BinaryIO, OwnedStream(service.open_file(file.sha256)))
    raise UnknownReleaseError(f"The registry has no {name}.", hint=f"modelwright publish {name}")


def _rank(file: StoredFile, ranks: dict[Tag, int]) -> int:
    _, _, _, tags = parse_wheel_filename(file.filename)
    return min((ranks[tag] for tag in tags if tag in ranks), default=len(ranks))


def install(service: Service, base_url: str, project: Project, release: Release, *, stage: str) -> InstallLines:
    """Return the lines that install a release from a registry, and nobody else's package of that name.

    Args:
        service: The registry.
        base_url: How installers reach it; files in a folder proxy nobody.
        project: The project.
        release: The release.
        stage: The stage that is meant; empty: everything.
    """
    asked = getattr(service, "whoami", None)
    return lines_for(
        base_url,
        project,
        version=release.version,
        stage=stage,
        proxies_upstream=bool(asked and asked().proxies_upstream),
        local={one.name for one in service.projects()},
    )


def fetch(
    service: Service, project: Project, release: Release, folder: Path, *, listener: Listener
) -> tuple[Path, ...]:
    """Copy every file of a release into a folder, and the wheel with its weights if they are one of their own.

    Raises:
        DamageError: What came is not what was published; it is not kept.
        StorageError: The folder cannot be written.
    """
    files = [*release.files]
    manifest = open_release(service, project, release).manifest if project.kind == "model" and release.wheels else None
    if manifest is not None and manifest.weights:
        weights = service.project(weights_name(project.name)).release(manifest.weights)
        files += weights.files if weights else ()
    return tuple(_fetch(service, file, folder / file.filename, listener) for file in files)


def _fetch(service: Service, file: StoredFile, target: Path, listener: Listener) -> Path:
    with timed("download", listener) as note:
        note.detail = file.filename
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with service.open_file(file.sha256) as source, replacing(target) as sink:
                digest = hashlib.sha256()
                while chunk := source.read(LARGE):
                    digest.update(chunk)
                    sink.write(chunk)
                if digest.hexdigest() != file.sha256:
                    raise DamageError(
                        f"{file.filename} is not what was published; it was not kept.",
                        why=f"sha256 {digest.hexdigest()[:16]}…, published was {file.sha256[:16]}….",
                        hint="modelwright registry check",
                    )
        except OSError as error:
            raise StorageError("The file cannot be written.", where=str(target), why=str(error)) from error
    return target
