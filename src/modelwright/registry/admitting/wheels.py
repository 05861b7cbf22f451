"""Look into an uploaded wheel: what kind it is, and everything that is wrong with it at once. Nothing is executed.

Called by :mod:`modelwright.registry.admitting.admit`, after :mod:`.zips` found that the archive has one meaning.
The checks are those that ``verify`` makes (:mod:`modelwright.inspecting.wheel`), and a few that only an index needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from packaging.metadata import Metadata

from modelwright.errors import ModelwrightError, Problem, UploadError
from modelwright.inspecting.agreement import FileName, dist_info, read_metadata
from modelwright.inspecting.library import library_problems, top_level
from modelwright.inspecting.record import Digest, captured, compare_files, document, problem
from modelwright.inspecting.scan import scan
from modelwright.inspecting.wheel import contradictions
from modelwright.package import MODEL_FOLDER, Files, Package, WheelFiles, open_wheel
from modelwright.registry.admitting.filenames import Named
from modelwright.registry.projects import Kind
from modelwright.spec.manifest import Manifest
from modelwright.spec.naming import import_name
from modelwright.spec.weights import DOCUMENT, SUFFIX, parse_weights

LARGEST_DOCUMENT = 64 * 2**20
"""Largest file that is read whole, bytes: metadata, manifest, card."""
LARGEST_CODE = 4 * 2**20
"""Largest Python file of a model, bytes; the scan parses each."""
_COMPILED = (".pyc", ".pyo")
_CODE = (".py", ".pyi", ".pyw", ".pyc", ".pyo", ".so", ".pyd", ".dll", ".dylib", ".sh", ".exe")


class WheelContents(NamedTuple):
    """What a wheel contains.

    Attributes:
        kind: Model, weights or library.
        metadata: Its METADATA.
        document: METADATA, byte for byte.
        top_level: Modules and packages that it adds to what can be imported.
        manifest: The model's manifest; ``None``: there is no model in it.
        card: The model's card; empty without one.
        scan: What the scan found, JSON-able; ``None``: there is no model in it.
    """

    kind: Kind
    metadata: Metadata
    document: bytes
    top_level: tuple[str, ...]
    manifest: Manifest | None = None
    card: str = ""
    scan: dict[str, object] | None = None


def check_wheel_contents(path: Path, named: Named) -> WheelContents:
    """Check a wheel and return what it contains.

    Args:
        path: The file, whose archive was checked.
        named: What its file name says.

    Raises:
        UploadError: Every problem is listed.
    """
    try:
        return _contents(path, named)
    except UploadError:
        raise
    except ModelwrightError as error:
        found = error.problems or (Problem(None, None, error.what, hint=error.why),)
        raise _error(named, list(found)) from error


def kind_of(files: Files, named: Named) -> Kind:
    """Say what kind of wheel this is: by what is in it, never by what somebody says of it."""
    suffix = f"/{MODEL_FOLDER}/manifest.json"
    names = files.names()
    if any(name.endswith(suffix) and name.count("/") == 2 for name in names):
        return "model"
    if named.project.endswith(SUFFIX) and f"{import_name(named.project)}/{DOCUMENT}" in names:
        return "weights"
    return "library"


def _contents(path: Path, named: Named) -> WheelContents:
    # Its own name, not that of the temporary file, stands in messages and in the scan.
    files = WheelFiles(path, where=named.filename)
    with files.archive:
        kind = kind_of(files, named)
        package = open_wheel(path, where=named.filename) if kind == "model" else None
        said = FileName(named.project, named.version, named.tags)
        folder = dist_info(files, said)
        problems = list(_too_large(files))
        if problems:
            raise _error(named, problems)
        wanted: dict[str, Digest] = {}
        if package is not None:
            with package.files.archive:  # type: ignore[attr-defined]
                problems = contradictions(package, folder, said) + list(_unfit(package))
                wanted = captured(package)
                return _finished(files, folder, named, problems, wanted, package)
        problems = library_problems(files, folder, said)
        if kind == "weights":
            wanted = _weights(files, named, folder, problems)
        return _finished(files, folder, named, problems, wanted, None, kind=kind)


def _finished(
    files: Files,
    folder: str,
    named: Named,
    problems: list[Problem],
    wanted: dict[str, Digest],
    package: Package | None,
    *,
    kind: Kind = "model",
) -> WheelContents:
    different = compare_files(files, folder, wanted)
    problems = [*problems, *different.integrity, *different.record]
    metadata, _ = read_metadata(files, folder)
    if problems or metadata is None:
        raise _error(named, problems)
    found = WheelContents(
        kind=kind,
        metadata=metadata,
        document=document(files, f"{folder}/METADATA") or b"",
        top_level=top_level(files, folder),
    )
    if package is None:
        return found
    report = msgspec.to_builtins(scan(package))
    return found._replace(manifest=package.manifest, card=package.card, scan=report)


def _error(named: Named, problems: list[Problem]) -> UploadError:
    return UploadError(
        "The wheel is not one that an index may carry.",
        where=named.filename,
        why="Installers would take it all the same; nothing was stored, and nothing in it was executed.",
        hint="Build it again, and upload the file as it was built.",
        problems=problems,
    )


def _too_large(files: Files) -> Iterator[Problem]:
    """List documents and code that nobody should have to read whole."""
    for name in files.names():
        size = files.size(name)
        parts = name.split("/")
        whole = parts[0].endswith(".dist-info") or (len(parts) == 3 and parts[1] == MODEL_FOLDER)
        if whole and size > LARGEST_DOCUMENT:
            yield problem(name, f"has {size} bytes; {LARGEST_DOCUMENT} are the most for a document")


def _unfit(package: Package) -> Iterator[Problem]:
    """List what a model has no business to contain, whatever RECORD says of it."""
    folder = f"{package.import_name}/{MODEL_FOLDER}/artifacts/"
    listed = captured(package)
    for name in package.files.names():
        if name.startswith(folder) and name not in listed:
            yield problem(name, "lies among the artifacts, and the manifest does not list it")
        if name.endswith(_COMPILED):
            yield problem(name, "is byte code, which could differ from the code beside it")
        elif name.endswith(".pth") and "/" in name:
            yield problem(name, "is a .pth file, and no model needs one")
        elif name.endswith((".py", ".pyi", ".pyw")) and package.files.size(name) > LARGEST_CODE:
            yield problem(name, f"has more than {LARGEST_CODE} bytes of code")


def _weights(files: Files, named: Named, folder: str, problems: list[Problem]) -> dict[str, Digest]:
    """Check what a weights wheel says of itself; return the digests that its artifacts must have."""
    own = import_name(named.project)
    weights = parse_weights(document(files, f"{own}/{DOCUMENT}") or b"", where=DOCUMENT)
    if (weights.name, weights.version) != (named.project, str(named.version)):
        problems.append(problem(DOCUMENT, f"says {weights.name} {weights.version}"))
    if f"{weights.model}{SUFFIX}" != named.project:
        problems.append(problem(DOCUMENT, f"says that it is for the model {weights.model!r}"))
    wanted = {f"{own}/artifacts/{file.path}": file for file in weights.artifacts}
    for name in files.names():
        if name.startswith(f"{own}/artifacts/") and name not in wanted:
            problems.append(problem(name, f"lies among the artifacts, and {DOCUMENT} does not list it"))
        elif name.partition("/")[0] not in (own, folder):
            problems.append(problem(name, f"lies outside the package {own!r}"))
        elif name.endswith(_CODE) and name not in wanted and name != f"{own}/__init__.py":
            problems.append(problem(name, "is code, and weights have none"))
    return {name: Digest("sha256", file.sha256.lower(), file.size) for name, file in wanted.items()}
