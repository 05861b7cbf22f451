"""Write a bundle: one archive that installs a release, with everything that it needs, on a machine without a network.

Called by ``modelwright bundle``. It asks a registry, wherever that is, and fetches what the registry does not have from
where the model's lock says; see :mod:`.gathering` for what that means. Nothing of a package is executed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from packaging.metadata import Metadata
from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename

from modelwright.building.archive import Entry, write_zip
from modelwright.errors import BundleError, PackageError, StorageError
from modelwright.inspecting.agreement import FileName, dist_info, parse_file_name
from modelwright.inspecting.lock import unmet
from modelwright.inspecting.record import document
from modelwright.inspecting.wheel import sha256_of
from modelwright.package import WheelFiles, open_wheel
from modelwright.registry.asking.reading import open_release
from modelwright.registry.audit import Entry as LogEntry
from modelwright.registry.bundling import describing
from modelwright.registry.bundling.bundle import (
    DOCUMENT,
    FORMAT_VERSION,
    WHEELS,
    Bundle,
    BundledFile,
    Role,
    dump_bundle,
)
from modelwright.registry.bundling.closure import closure
from modelwright.registry.bundling.gathering import REGISTRY, find_project, gather, take
from modelwright.registry.bundling.target import Target, target
from modelwright.registry.projects import Project, Release, StoredFile
from modelwright.registry.references import find_release, parse_reference, unknown_project
from modelwright.registry.service import Selection, Service
from modelwright.spec.struct import Frozen
from modelwright.spec.weights import weights_file_name, weights_name
from modelwright.steps import Listener, ignore, timed


class WrittenBundle(Frozen, frozen=True, kw_only=True):
    """A bundle that was written.

    Attributes:
        path: Where it is.
        sha256: Its digest.
        size: Its size, bytes.
        bundle: What is in it.
    """

    path: str
    sha256: str
    size: int
    bundle: Bundle


class _Part(NamedTuple):
    file: BundledFile
    path: Path
    metadata: bytes


def write_bundle(
    service: Service,
    reference: str,
    to: Path | str,
    *,
    python: str = "",
    platform: str = "",
    listener: Listener = ignore,
) -> WrittenBundle:
    """Write the bundle of a release; the same release and log give the same bytes.

    Args:
        service: The registry.
        reference: ``name==1.3.0``, ``name@production``, or ``name`` for the highest final version.
        to: The archive (``.zip``), or a folder for it, made if it is not there.
        python: Version of Python it is for; empty: the one that the model was captured on.
        platform: Platform tag it is for; empty: this machine's.
        listener: Told about each step.

    Raises:
        UnknownReleaseError: There is no such release.
        RequestError: No such Python or platform.
        BundleError: The release is no model, was not verified on that Python, or something that it needs has no
            wheel, or is nowhere.
        DamageError: What the registry stores is not what was published.
        UnavailableError: The registry or an index does not answer.
        StorageError: The archive cannot be written; what was there before is untouched.
    """
    project, release = _find(service, reference)
    if project.kind != "model":
        raise BundleError(
            f"{project.name} is no model: it is a {project.kind}.", hint="Bundle the model it belongs to."
        )
    with tempfile.TemporaryDirectory(prefix="modelwright-bundle-") as temporary:
        folder = Path(temporary)
        package = open_release(service, project, release)
        goal = target(python or package.manifest.environment.python, platform=platform)
        try:
            with timed("gather", listener) as note:
                parts = list(_parts(service, project, release, goal, folder))
                note.detail = f"{len(parts)} wheels, {sum(part.file.size for part in parts):,} bytes"
        except OSError as error:
            raise StorageError("The files cannot be gathered.", where=str(folder), why=str(error)) from error
        _check_complete(parts, goal)
        bundle = _bundle(service, project, release, parts, goal)
        path = _path(Path(to), bundle)
        with timed("write", listener) as note:
            digest = _write(path, bundle, parts, module=package.import_name)
            note.detail = path.name
    return WrittenBundle(path=str(path), sha256=digest, size=path.stat().st_size, bundle=bundle)


def _find(service: Service, reference: str) -> tuple[Project, Release]:
    parsed = parse_reference(reference)
    project = find_project(service, parsed.name)
    if project is None:
        raise unknown_project(parsed.name, [one.name for one in service.projects()])
    return project, find_release(project, parsed, service.stages if parsed.stage else ())


def _parts(service: Service, project: Project, release: Release, goal: Target, folder: Path) -> Iterator[_Part]:
    """Yield the model, its weights, and the libraries of its lock, by name."""
    model = _fitting(project, release, goal)
    path = take(service, model, folder)
    yield _part(path, "model", REGISTRY)
    opened = open_wheel(path)
    if opened.manifest.weights:
        weights = _weights(service, project.name, opened.manifest.weights)
        yield _part(take(service, weights, folder), "weights", REGISTRY)
    for wanted in closure(opened.lock, goal, where=f"{model.filename}: pylock.toml"):
        library, source = gather(service, wanted, folder)
        yield _part(library, "library", source)


def _fitting(project: Project, release: Release, goal: Target) -> StoredFile:
    """Return the wheel of a release that a target would install."""
    ranks = {tag: rank for rank, tag in enumerate(goal.tags)}
    fitting = []
    for file in release.wheels:
        found = [ranks[tag] for tag in parse_wheel_filename(file.filename)[3] if tag in ranks]
        # A portable model names the oldest Python it was verified on in Requires-Python alone.
        if found and SpecifierSet(file.requires_python).contains(goal.markers["python_full_version"]):
            fitting.append((min(found), file.filename, file))
    if not fitting:
        raise BundleError(
            f"{project.name} {release.version} has no wheel for Python {goal.python} on {goal.platform}.",
            why=f"It has {', '.join(file.filename for file in release.wheels) or 'none'}.",
            hint="modelwright verify WHEEL --python VERSION proves it on another Python.",
        )
    return min(fitting)[2]


def _weights(service: Service, model: str, version: str) -> StoredFile:
    found = find_project(service, weights_name(model))
    release = found.release(version) if found else None
    for file in release.files if release else ():
        if file.filename == weights_file_name(model, version):
            return file
    raise BundleError(
        f"The registry has no {weights_name(model)} {version}, which holds the weights.",
        hint=f"Publish it: modelwright publish {weights_file_name(model, version)}",
    )


def _part(path: Path, role: Role, source: str) -> _Part:
    named = parse_file_name(path.name, where=source)
    metadata, parsed = _metadata(path, named)
    file = BundledFile(
        filename=path.name,
        project=named.name,
        version=str(named.version),
        role=role,
        sha256=sha256_of(path),
        size=path.stat().st_size,
        requires_python=str(parsed.requires_python or ""),
        metadata_sha256=sha256(metadata).hexdigest(),
        source=source,
    )
    return _Part(file, path, metadata)


def _metadata(path: Path, named: FileName) -> tuple[bytes, Metadata]:
    files = WheelFiles(path)
    with files.archive:
        content = document(files, f"{dist_info(files, named)}/METADATA")
    if content is None:
        raise PackageError(f"{path.name} has no METADATA.")
    return content, Metadata.from_email(content, validate=False)


def _check_complete(parts: list[_Part], goal: Target) -> None:
    """Refuse a bundle in which something requires what is not in it: a lock that was never proved."""
    required = {
        part.file.project: [str(one) for one in Metadata.from_email(part.metadata, validate=False).requires_dist or ()]
        for part in parts
    }
    missing = unmet(
        required,
        {part.file.project: part.file.version for part in parts},
        markers={name: str(value) for name, value in goal.markers.items()},
    )
    if missing:
        raise BundleError(
            "The lock of the model does not hold everything that is required.",
            why="\n".join(missing),
            hint="modelwright verify finds this, too. Capture the model again, and build it.",
        )


def _bundle(service: Service, project: Project, release: Release, parts: list[_Part], goal: Target) -> Bundle:
    model = parts[0].file
    selection = Selection(project=project.name, version=release.version)
    history: tuple[LogEntry, ...] = tuple(service.history(selection))
    return Bundle(
        format_version=FORMAT_VERSION,
        name=project.name,
        version=release.version,
        created=release.created,
        python=goal.python,
        platform=goal.platform,
        files=tuple(part.file for part in parts),
        evidence=service.evidence(model.sha256),
        history=history,
    )


def _path(to: Path, bundle: Bundle) -> Path:
    return to if to.suffix == ".zip" and not to.is_dir() else to / f"{bundle.root}-{bundle.platform}.zip"


def _write(path: Path, bundle: Bundle, parts: list[_Part], *, module: str) -> str:
    """Write the archive and return its digest; a file that changed since it was gathered undoes everything."""
    texts: dict[str, bytes] = {
        "README.md": describing.readme(bundle, module=module).encode(),
        DOCUMENT: dump_bundle(bundle),
        "pylock.toml": describing.pylock(bundle).encode(),
        "requirements.txt": describing.requirements(bundle).encode(),
        **{f"simple/{name}": content for name, content in sorted(describing.index(bundle).items())},
        **{f"{WHEELS}/{part.file.filename}.metadata": part.metadata for part in parts},
    }
    entries = [Entry(f"{bundle.root}/{name}", content) for name, content in texts.items()]
    entries += [Entry(bundle.path(part.file), part.path) for part in parts]
    try:
        write_zip(path, entries, epoch=int(datetime.fromisoformat(bundle.created).timestamp()))
        return sha256_of(path)
    except OSError as error:
        raise StorageError(
            "The bundle cannot be written.", where=str(path), why=error.strerror or str(error), hint="Make room."
        ) from error
