"""Look into an uploaded wheel: what kind it is, and everything that is wrong with it at once. Nothing is executed.

Called by :mod:`modelwright.registry.admitting.admit`, after :mod:`.zips` found that the archive has one meaning.
The checks are those that ``verify`` makes (:mod:`modelwright.inspecting.wheel`), and a few that only an index needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from pathlib import Path
from typing import NamedTuple

import msgspec
from packaging.metadata import Metadata

from modelwright.errors import ModelwrightError, Problem, UploadError
from modelwright.inspecting.agreement import FileName, dist_info, read_metadata
from modelwright.inspecting.library import library_problems, top_level
from modelwright.inspecting.lock import locked
from modelwright.inspecting.record import Digest, captured, compare_files, document, problem
from modelwright.inspecting.scan import scan, scan_weights
from modelwright.inspecting.weights import captured_weights, holds_weights, weights_problems
from modelwright.inspecting.wheel import contradictions
from modelwright.package import MODEL_FOLDER, Files, Package, WheelFiles, open_wheel
from modelwright.registry.admitting.filenames import Named
from modelwright.registry.projects import Kind
from modelwright.spec.manifest import Manifest

LARGEST_DOCUMENT = 64 * 2**20
"""Largest file that is read whole, bytes: metadata, manifest, card."""
LARGEST_CODE = 4 * 2**20
"""Largest Python file of a model, bytes; the scan parses each."""
_COMPILED = (".pyc", ".pyo")


class WheelContents(NamedTuple):
    """What a wheel contains.

    Attributes:
        kind: Model, weights or library.
        metadata: Its METADATA.
        document: METADATA, byte for byte.
        top_level: Modules and packages that it adds to what can be imported.
        manifest: The model's manifest; ``None``: there is no model in it.
        card: The model's card; empty without one.
        scan: What the scan of a model or of weights found, JSON-able; ``None``: it is a library.
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


def kind_of(files: Files, said: FileName) -> Kind:
    """Say what kind of wheel this is: by what is in it, never by what somebody says of it."""
    suffix = f"/{MODEL_FOLDER}/manifest.json"
    if any(name.endswith(suffix) and name.count("/") == 2 for name in files.names()):
        return "model"
    return "weights" if holds_weights(files, said) else "library"


def _contents(path: Path, named: Named) -> WheelContents:
    # Its own name, not that of the temporary file, stands in messages and in the scan.
    files = WheelFiles(path, where=named.filename)
    with files.archive:
        said = FileName(named.project, named.version, named.tags)
        folder = dist_info(files, said)
        if problems := list(_too_large(files)):
            raise _error(named, problems)
        kind = kind_of(files, said)
        if kind == "model":
            return _model(files, folder, said, named, path)
        if kind == "weights":
            return _weights(files, folder, said, named)
        return _complete(files, folder, named, library_problems(files, folder, said), {})


def _model(files: Files, folder: str, said: FileName, named: Named, path: Path) -> WheelContents:
    package = open_wheel(path, where=named.filename)
    with package.files.archive:  # type: ignore[attr-defined]
        problems = [*contradictions(package, folder, said), *_unfit(package), *_unreadable(package)]
        found = _complete(files, folder, named, problems, captured(package))
        # Without its path, so that nothing beside the upload is looked for: weights are looked into when they come in.
        report = msgspec.to_builtins(scan(Package(package.files, package.import_name)))
        return found._replace(kind="model", manifest=package.manifest, card=package.card, scan=report)


def _weights(files: Files, folder: str, said: FileName, named: Named) -> WheelContents:
    weights, problems = weights_problems(files, folder, said)
    if weights is None:
        raise _error(named, problems)
    found = _complete(files, folder, named, problems, captured_weights(weights))
    return found._replace(kind="weights", scan=msgspec.to_builtins(scan_weights(files, weights)))


def _complete(
    files: Files, folder: str, named: Named, problems: list[Problem], wanted: dict[str, Digest]
) -> WheelContents:
    """Compare every file with RECORD and with what was captured; return what every kind of wheel tells."""
    different = compare_files(files, folder, wanted)
    problems = [
        *problems,
        *_installers_own(files, folder),
        *_commands(files, folder),
        *different.integrity,
        *different.record,
    ]
    metadata, _ = read_metadata(files, folder)
    if problems or metadata is None:
        raise _error(named, problems)
    content = document(files, f"{folder}/METADATA") or b""
    return WheelContents("library", metadata, content, top_level(files, folder))


def _unreadable(package: Package) -> Iterator[Problem]:
    """List documents of a model that nobody could read: diff, pages and verify would stumble over them later."""

    def lock() -> object:
        return locked(package.lock, markers={}, where="pylock.toml")

    documents: dict[str, Callable[[], object]] = {
        "scenarios.jsonl": lambda: package.scenarios,
        "profile.json": lambda: package.profile,
        "card.md": lambda: package.card,
        "pylock.toml": lock,
    }
    for name, read in documents.items():
        try:
            read()
        except ModelwrightError as error:
            yield problem(name, error.why or error.what)
        except UnicodeDecodeError as error:
            yield problem(name, f"is not UTF-8: {error}")


def _error(named: Named, problems: list[Problem]) -> UploadError:
    return UploadError(
        "The wheel is not one that an index may carry.",
        where=named.filename,
        why="Installers would take it all the same; nothing was stored, and nothing in it was executed.",
        hint="Build it again, and upload the file as it was built.",
        problems=problems,
    )


def _installers_own(files: Files, folder: str) -> Iterator[Problem]:
    """List files that installers write beside the others, and that would speak for them.

    Source: PyPA "Recording installed projects" (INSTALLER, REQUESTED), PEP 610 (direct_url.json).
    """
    for name in ("INSTALLER", "REQUESTED", "direct_url.json"):
        if f"{folder}/{name}" in files.names():
            yield problem(f"{folder}/{name}", "is written by installers, and no wheel brings it along")


def _commands(files: Files, folder: str) -> Iterator[Problem]:
    """List commands whose name is a path: installers write a script where it leads.

    Source: PyPA "Entry points specification" (the file is read by ``configparser``, names are case-sensitive).
    """
    where = f"{folder}/entry_points.txt"
    content = document(files, where)
    parser = ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string((content or b"").decode("utf-8"))
    except (ConfigParserError, UnicodeDecodeError) as error:
        yield problem(where, f"cannot be read: {' '.join(str(error).split())[:200]}")
        return
    for group in ("console_scripts", "gui_scripts"):
        for name in parser[group] if parser.has_section(group) else ():
            if {"/", "\\", ":"} & set(name) or name in (".", "..") or not name.isprintable():
                yield problem(where, f"has the command {name[:100]!r}, which is a path and no name")


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
