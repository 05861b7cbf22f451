"""Build a wheel from a model folder or a project; the model and its libraries are never imported.

Called as ``modelwright.build``, by ``modelwright build`` and by the PEP 517 backend: one writer, reached three ways.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from modelwright.building.archive import Entry, write_wheel
from modelwright.building.contents import digest_check, package_entries
from modelwright.building.distinfo import dist_info, dist_info_name
from modelwright.building.project import Project, open_project
from modelwright.building.tags import wheel_name
from modelwright.building.weights import Parts, part, weights_described, weights_dist_info_name
from modelwright.errors import ManifestError, StorageError
from modelwright.package import Package, open_wheel
from modelwright.spec.weights import weights_file_name
from modelwright.steps import Listener, ignore, timed


def build(
    target: Package | Path | str,
    into: Path | str = "dist",
    *,
    epoch: int | None = None,
    weights: int | None = None,
    previous: Package | Path | str | None = None,
    listener: Listener = ignore,
) -> Path:
    """Build the wheel of a model; the same inputs give the same bytes.

    Args:
        target: A captured package, or the path of a model folder, of an import package, or of a project.
        into: Folder for the wheel; made if it is not there.
        epoch: Date of everything in the wheel, seconds since 1970 UTC (SOURCE_DATE_EPOCH); by default the moment
            the model was captured.
        weights: Size from which on the artifacts go into a wheel of their own, bytes; by default what
            ``[tool.modelwright] weights`` says, else they stay in the wheel.
        previous: Where weights that were shipped before are: the release before (opened, or its wheel), its weights,
            a folder of wheels, or a registry's folder. Weights that are there already are not written again.
        listener: Told about each finished step.

    Returns:
        The path of the model's wheel; see :func:`weights_beside` for the weights. A wheel of the same name is
        replaced when the new one is complete, not before.

    Raises:
        UnknownPackageError: There is no model folder, or ``previous`` leads to nothing.
        PackageError: The files of the package cannot go into a wheel, or its documents are malformed.
        IntegrityError: A file is not the one that was captured.
        NameVersionError: Name or version are ones that an index would refuse.
        ProjectError: pyproject.toml is invalid or contradicts the manifest.
        StorageError: The wheel cannot be written; what was there before is untouched.
    """
    parts = part(*checked(target, listener), threshold=weights, previous=previous)
    project, entries = parts.project, parts.model
    with timed("metadata", listener) as note:
        epoch = moment(project) if epoch is None else epoch
        folder = dist_info_name(project)
        described = [Entry(f"{folder}/{name}", content) for name, content in dist_info(project, epoch=epoch).items()]
        note.detail = ", ".join(entry.name.partition("/")[2] for entry in described)
    if parts.weights:
        _write_weights(parts, Path(into), epoch, listener)
    wheel = Path(into) / wheel_name(project.manifest)
    with timed("write", listener) as note, storing(wheel, [*entries, *described]):
        write_wheel(wheel, [*entries, *described], dist_info=folder, epoch=epoch, check=digest_check(project))
        note.detail = f"{wheel.name}, {wheel.stat().st_size:,} bytes"
    return wheel


def _write_weights(parts: Parts, into: Path, epoch: int, listener: Listener) -> None:
    """Write the weights' wheel, before the one that requires it."""
    manifest = parts.project.manifest
    wheel = into / weights_file_name(manifest.name, manifest.weights)
    entries = [*parts.weights, *weights_described(parts.project, epoch=epoch)]
    folder = weights_dist_info_name(parts.project)
    with timed("weights", listener) as note, storing(wheel, entries):
        write_wheel(wheel, entries, dist_info=folder, epoch=epoch, check=digest_check(parts.project))
        note.detail = f"{wheel.name}, {wheel.stat().st_size:,} bytes"


def weights_beside(wheel: Path) -> Path | None:
    """Return the wheel with the weights that a model's wheel needs and that lies beside it, ``None`` if none does.

    Raises:
        WheelError: The file is no wheel with a model in it.
    """
    manifest = open_wheel(wheel).manifest
    path = wheel.with_name(weights_file_name(manifest.name, manifest.weights))
    return path if manifest.weights and path.is_file() else None


def checked(target: Package | Path | str, listener: Listener) -> tuple[Project, list[Entry]]:
    """Open what is to be built and list the files of its package: the first step of every build.

    Raises:
        ModelwrightError: For the same reasons as :func:`build`.
    """
    with timed("check", listener) as note:
        project = open_project(target)
        entries = package_entries(project)
        note.detail = f"{project.manifest.name} {project.manifest.version}, {len(entries)} files"
    return project, entries


def moment(project: Project) -> int:
    """Return the moment the model was captured, seconds since 1970 UTC.

    Raises:
        ManifestError: ``created`` is no RFC 3339 time.
    """
    try:
        created = datetime.fromisoformat(project.manifest.created)
        if created.tzinfo is None:
            raise ValueError("no time zone")
    except ValueError as error:
        raise ManifestError(
            f"{project.manifest.created!r} is no time.",
            where=f"{project.package.files.where}: manifest.json: created",
            why=f"RFC 3339 with a time zone is needed: {error}.",
        ) from error
    return int(created.timestamp())


@contextmanager
def storing(target: Path, entries: list[Entry]) -> Iterator[None]:
    """Turn what the operating system says while a file is written into one of our errors, with the numbers.

    Raises:
        StorageError: A file cannot be read, or the target cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{target.name} cannot be written.",
            where=str(error.filename or target.parent),
            why=f"{error.strerror or error}. {_room(target, entries)}",
            hint="Make room or choose another folder. What was there before is untouched.",
        ) from error


def _room(target: Path, entries: list[Entry]) -> str:
    needed = sum(_size(entry) for entry in entries)
    existing = next((folder for folder in target.absolute().parents if folder.is_dir()), None)
    free = f", {shutil.disk_usage(existing).free:,} are free" if existing else ""
    return f"About {needed:,} bytes are needed{free}."


def _size(entry: Entry) -> int:
    if isinstance(entry.source, bytes):
        return len(entry.source)
    return entry.source.stat().st_size if entry.source.exists() else 0
