"""List the files of the package that go into a wheel, and compare them with the manifest.

Called by build and sdist. What the manifest lists has to be there, unchanged; what nobody meant to ship (byte code,
hidden files, what editors leave behind) is left out; what an installer would misuse is refused.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from modelwright.building.archive import Check, Digest, Entry
from modelwright.building.project import Project
from modelwright.errors import IntegrityError, PackageError
from modelwright.package import MODEL_FOLDER
from modelwright.spec.manifest import File
from modelwright.spec.weights import weights_folder

LEFTOVERS = ("*~", "#*#", "*.orig", "*.rej", "*.pyc", "*.pyo", "__pycache__", ".*")
"""Files and folders that nobody means to ship."""


def package_entries(project: Project) -> list[Entry]:
    """Return the files of the import package, names relative to the root of the wheel.

    Only names and sizes are compared with the manifest here; digests are compared while the files are written
    (:func:`digest_check`), so that nothing is read twice.

    Raises:
        PackageError: A symbolic link leads elsewhere, or a name is one that a wheel cannot hold.
        IntegrityError: A file that the manifest lists is missing or has another size, or one in the artifacts
            folder is not listed.
    """
    folder = project.source / project.package.import_name
    entries = [Entry(path.relative_to(project.source).as_posix(), path) for path in sorted(_walk(folder, project))]
    entries += _separate(project)
    for entry in entries:
        _check_name(entry.name, project)
    _check_complete(project, entries)
    return entries


def _separate(project: Project) -> Iterator[Entry]:
    """Yield the artifacts of an installed or unpacked package that lie beside it, under the names they had."""
    if not project.manifest.weights:
        return
    weights = project.source / weights_folder(project.manifest.name) / "artifacts"
    for path in sorted(_walk(weights, project)) if weights.is_dir() else ():
        name = path.relative_to(weights).as_posix()
        yield Entry(f"{project.package.import_name}/{MODEL_FOLDER}/artifacts/{name}", path)


def _walk(folder: Path, project: Project) -> Iterator[Path]:
    for path in folder.iterdir():
        if any(fnmatchcase(path.name, pattern) for pattern in LEFTOVERS):
            continue
        if path.is_symlink() and (path.is_dir() or not path.resolve().is_relative_to(project.source)):
            raise PackageError(
                "The package contains a symbolic link that a wheel cannot hold.",
                where=str(path),
                why="It would ship files from outside the package, and a ZIP archive knows no links to folders.",
                hint="Replace it by the file that it points to, or remove it.",
            )
        if path.is_dir():
            yield from _walk(path, project)
        elif path.is_file():
            yield path
        else:
            raise PackageError("The package contains something that is no file.", where=str(path), hint="Remove it.")


def _check_name(name: str, project: Project) -> None:
    if name.endswith(".pth"):
        raise PackageError(
            f"The package contains {name!r}.",
            where=str(project.source),
            why="Python runs code in .pth files at every start; no model needs one.",
            hint="Remove it.",
        )
    if "\\" in name or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        raise PackageError(
            f"The package contains {name!r}, a name that not every system can hold.",
            where=str(project.source),
            hint="Rename it without backslashes and control characters.",
        )


def _listed(project: Project) -> dict[str, File]:
    """Return what the manifest says about files, by name in the wheel."""
    package, manifest = project.package.import_name, project.manifest
    listed = {f"{package}/{MODEL_FOLDER}/artifacts/{file.path}": file for file in manifest.artifacts}
    return listed | {f"{package}/{file.path}": file for file in manifest.code}


def _check_complete(project: Project, entries: list[Entry]) -> None:
    listed = _listed(project)
    sizes = {entry.name: entry.source.stat().st_size for entry in entries if isinstance(entry.source, Path)}
    for name, file in listed.items():
        if name not in sizes:
            raise _changed(project, name, "is missing")
        if sizes[name] != file.size:
            raise _changed(project, name, f"has {sizes[name]} bytes, not {file.size}")
    artifacts = f"{project.package.import_name}/{MODEL_FOLDER}/artifacts/"
    for name in sorted(set(sizes) - set(listed)):
        if name.startswith(artifacts):
            raise _changed(project, name, "is not in the manifest")


def expected_digests(project: Project) -> dict[str, str]:
    """Return the sha256 that the manifest says, by name in the wheel."""
    return {name: file.sha256 for name, file in _listed(project).items()}


def digest_check(project: Project) -> Check:
    """Return a check that compares what is written with the manifest; it raises IntegrityError."""
    manifest, expected = project.manifest, expected_digests(project)
    expected |= {f"{weights_folder(manifest.name)}/artifacts/{file.path}": file.sha256 for file in manifest.artifacts}

    def check(digest: Digest) -> None:
        wanted = expected.get(digest.name)
        if wanted is not None and wanted != digest.sha256:
            raise _changed(project, digest.name, f"has the digest {digest.sha256[:12]}…, not {wanted[:12]}…")

    return check


def _changed(project: Project, name: str, how: str) -> IntegrityError:
    return IntegrityError(
        f"{name!r} {how}: it is not the file that was captured.",
        where=str(project.source),
        why="The scenarios, metrics and digests in the package belong to the files as they were captured.",
        hint="Capture the model again, or restore the file.",
    )
