"""Ship the artifacts of a model in a wheel of their own, once for all releases that share them.

Called by :mod:`modelwright.building.build`. It decides which version of the weights a release needs, and lists the
files of both wheels; writing them is build's business. All artifacts go together or stay together: a loader is given
one folder.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import msgspec
from packaging.version import Version

from modelwright.building.archive import Entry
from modelwright.building.distinfo import weights_dist_info
from modelwright.building.project import Project, check_dynamic
from modelwright.errors import ManifestError, PackageError, ProjectError, UnknownPackageError, WheelError
from modelwright.package import MODEL_FOLDER, Package, WheelFiles, open_wheel
from modelwright.spec.manifest import Manifest, dump_manifest
from modelwright.spec.weights import (
    DOCUMENT,
    FORMAT_VERSION,
    Weights,
    dump_weights,
    parse_weights,
    weights_folder,
    weights_name,
)

TOGETHER = 2**63
"""A threshold that no artifacts reach: the wheel carries them itself."""
_SIZE = re.compile(r"(?P<number>[0-9]{1,15})\s?(?P<unit>[A-Za-z]{1,3})?")
_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


class Parts(NamedTuple):
    """What a build writes.

    Attributes:
        project: The project, whose manifest says where the artifacts are.
        model: Files of the model's import package.
        weights: Files of the weights' import package; empty: no such wheel is written.
    """

    project: Project
    model: list[Entry]
    weights: list[Entry]


class _Shipped(Package):
    """A package whose manifest says that the artifacts are elsewhere."""

    def __init__(self, package: Package, weights: str) -> None:
        super().__init__(package.files, package.import_name, path=package.path)
        self._captured, self._weights = package, weights

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest as it is shipped."""
        return msgspec.structs.replace(self._captured.manifest, weights=self._weights)


def part(
    project: Project, entries: list[Entry], *, threshold: int | None, previous: Package | Path | str | None
) -> Parts:
    """Decide where the artifacts go, and list the files of the wheels.

    Args:
        project: What is built.
        entries: The files of its import package, artifacts included.
        threshold: Size from which on the artifacts go into a wheel of their own, bytes; ``None``: as the project says.
        previous: Where the weights of earlier releases are; see :func:`introduced`.

    Raises:
        ProjectError: ``[tool.modelwright] weights`` is no size.
        PackageError: The model was captured by a modelwright whose runtime would not find the weights.
        UnknownPackageError: ``previous`` leads to nothing, or to another model.
    """
    manifest = project.manifest
    threshold = configured(project) if threshold is None else threshold
    if not manifest.artifacts or sum(file.size for file in manifest.artifacts) < threshold:
        return _parted(project, entries, "")
    package = project.package.import_name
    if all(entry.name != f"{package}/{MODEL_FOLDER}/_runtime/weights.py" for entry in entries):
        raise PackageError(
            "The runtime in this model folder does not know weights in a wheel of their own.",
            where=project.package.files.where,
            why="It was captured by an older modelwright.",
            hint="Capture the model again, or build it without splitting off the weights.",
        )
    check_dynamic(project)
    known = introduced(manifest, previous) if previous is not None else None
    return _parted(project, entries, known or manifest.version)


def configured(project: Project) -> int:
    """Return the size from which on the project wants its artifacts in a wheel of their own, bytes.

    Raises:
        ProjectError: It is no size.
    """
    said = project.tool.get("weights")
    if said is None:
        return TOGETHER
    try:
        return parse_size(str(said)) if not isinstance(said, bool) else parse_size("")
    except ValueError as error:
        raise ProjectError(
            f"{said!r} is no size.", where=f"{project.where}: tool.modelwright.weights", hint=str(error)
        ) from error


def parse_size(text: str) -> int:
    """Read a size in bytes.

    Raises:
        ValueError: It is none; the message says how one is written.

    Example:
        >>> parse_size("64 MiB"), parse_size("5GB"), parse_size("0")
        (67108864, 5000000000, 0)
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None or (match["unit"] or "B") not in _UNITS:
        raise ValueError("Write a number of bytes, or one with a unit: '64 MiB', '500 MB', '2 GiB'.")
    return int(match["number"]) * _UNITS[match["unit"] or "B"]


def introduced(manifest: Manifest, previous: Package | Path | str) -> str | None:
    """Return the version of the weights wheel that holds exactly these artifacts already, ``None`` if none does.

    Args:
        manifest: The manifest of the model that is built.
        previous: An earlier release or its weights (opened, or a wheel), a folder of wheels, or a registry's folder.

    Raises:
        UnknownPackageError: It leads to nothing, or to another model.
        PackageError: A wheel in question cannot be read.
    """
    found = [version for version, artifacts in _known(manifest.name, previous) if artifacts == manifest.artifacts]
    return min(found, key=Version, default=None)


def _known(model: str, previous: Package | Path | str) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Yield versions of weights that exist, and what they hold."""
    if isinstance(previous, Package):
        if previous.manifest.name != model:
            raise _another(previous.files.where, previous.manifest.name, model)
        if previous.manifest.weights:
            yield previous.manifest.weights, previous.manifest.artifacts
        return
    path = Path(previous)
    if path.is_dir():
        pattern = f"{weights_folder(model)}-*.whl"
        for wheel in (*path.glob(pattern), *path.glob(f"files/*/*/{pattern}")):
            weights = read_weights(wheel)
            yield weights.version, weights.artifacts
    elif not path.is_file():
        raise UnknownPackageError("There is no such file or folder.", where=str(path))
    elif path.name.startswith(f"{weights_folder(model)}-"):
        weights = read_weights(path)
        yield weights.version, weights.artifacts
    else:
        yield from _known(model, open_wheel(path))


def read_weights(wheel: Path) -> Weights:
    """Read what a weights wheel says of itself; its files are not looked at.

    Raises:
        WheelError: It is no weights wheel.
        ManifestError: What it says is malformed.
    """
    files = WheelFiles(wheel)
    with files.archive:
        names = [name for name in files.names() if name.count("/") == 1 and name.endswith(f"/{DOCUMENT}")]
        if len(names) != 1 or files.size(names[0]) > 2**24:
            raise WheelError(f"The wheel has no {DOCUMENT}: it holds no weights.", where=str(wheel))
        try:
            with files.open(names[0]) as stream:
                return parse_weights(stream.read(), where=f"{wheel}: {DOCUMENT}")
        except zipfile.BadZipFile as error:
            raise ManifestError(f"{DOCUMENT} is damaged.", where=str(wheel), why=str(error)) from error


def _another(where: str, found: str, wanted: str) -> UnknownPackageError:
    return UnknownPackageError(
        f"The release before is one of {found!r}, not of {wanted!r}.",
        where=where,
        hint=f"Give a wheel of {wanted}, or the folder that holds its wheels.",
    )


def _parted(project: Project, entries: list[Entry], version: str) -> Parts:
    """Put the artifacts where they belong, and say so in the manifest if it says something else."""
    package, manifest = project.package.import_name, project.manifest
    if version == manifest.weights == "":
        return Parts(project, entries, [])
    shipped = replace(project, package=_Shipped(project.package, version))
    document = f"{package}/{MODEL_FOLDER}/manifest.json"
    model = [entry for entry in entries if entry.name != document]
    model.append(Entry(document, dump_manifest(shipped.manifest)))
    if not version:
        return Parts(shipped, model, [])
    prefix = f"{package}/{MODEL_FOLDER}/artifacts/"
    weights = _weights_files(manifest, version, [entry for entry in entries if entry.name.startswith(prefix)], prefix)
    model = [entry for entry in model if not entry.name.startswith(prefix)]
    return Parts(shipped, model, weights if version == manifest.version else [])


def _weights_files(manifest: Manifest, version: str, artifacts: list[Entry], prefix: str) -> list[Entry]:
    """Return the files of the weights' import package: the artifacts, what they are, and nothing that runs."""
    folder = weights_folder(manifest.name)
    document = Weights(
        format_version=FORMAT_VERSION,
        name=weights_name(manifest.name),
        version=version,
        model=manifest.name,
        artifacts=manifest.artifacts,
    )
    return [
        Entry(f"{folder}/__init__.py", f'"""The weights of {manifest.name}; there is nothing to import."""\n'.encode()),
        Entry(f"{folder}/{DOCUMENT}", dump_weights(document)),
        *(Entry(f"{folder}/artifacts/{entry.name.removeprefix(prefix)}", entry.source) for entry in artifacts),
    ]


def weights_described(project: Project, *, epoch: int) -> list[Entry]:
    """Return the ``.dist-info`` files of the weights wheel, RECORD excepted."""
    folder = weights_dist_info_name(project)
    return [Entry(f"{folder}/{name}", content) for name, content in weights_dist_info(project, epoch=epoch).items()]


def weights_dist_info_name(project: Project) -> str:
    """Return the name of the folder, ``churn_weights-1.3.0.dist-info``."""
    return f"{weights_folder(project.manifest.name)}-{project.manifest.weights}.dist-info"
