"""Say what loading a package would do, without doing any of it.

Called by ``modelwright scan``. It looks into every artifact by content and into every Python file of the package, and
tells what it found, how seriously. The decision is the reader's.

It does not: execute, import or deserialise anything, or call a package safe: no finding means that none of the known
ways to run code was found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

import modelwright.capturing
import modelwright.runtime
from modelwright.capturing import accelerating, formats
from modelwright.capturing.saved import reviewed
from modelwright.errors import MissingExtraError, PackageError, UnknownPluginError
from modelwright.inspecting.content import Content, Kind, look_into
from modelwright.inspecting.read import Reference, read
from modelwright.inspecting.suspicion import Severity, judge_name, suspicious_calls
from modelwright.inspecting.weights import weights_files
from modelwright.package import MAX_DOCUMENT, MODEL_FOLDER, Files, Package
from modelwright.plugins import available, find
from modelwright.spec.struct import Frozen
from modelwright.spec.weights import Weights, weights_folder, weights_requirement

_CODE = (".py", ".pyw", ".pyi")
_COMPILED = (".pyc", ".pyo", ".so", ".pyd", ".dll", ".dylib")


class Finding(Frozen, frozen=True, kw_only=True):
    """One thing that a reader should know.

    Attributes:
        severity: ``info``: for the record; ``warning``: look at it; ``danger``: do not load it.
        file: Where it is, below the root of the package.
        what: What it is, a sentence without a full stop.
    """

    severity: Severity
    file: str
    what: str


class ScannedArtifact(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One artifact.

    Attributes:
        path: Below the root of the package.
        size: Size, bytes.
        kind: What it is by its content.
        constructs: Types and functions that loading it would construct or call.
        executes_code: Whether its format lets the file name any function to be called.
    """

    path: str
    size: int
    kind: Kind
    constructs: tuple[str, ...] = ()
    executes_code: bool = False


class ScannedCode(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One Python file.

    Attributes:
        path: Below the root of the package.
        own: Whether it is byte for byte a file that this modelwright puts into packages.
        calls: Calls worth a look, as ``line 3: os.system``.
    """

    path: str
    own: bool = False
    calls: tuple[str, ...] = ()


class ScanReport(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What loading a package, or a saved model, would do.

    Attributes:
        where: Where it is.
        name: Distribution name; empty for a saved model.
        version: Version of the package.
        format: Format that the manifest names.
        executes_code: Whether loading can run code that an artifact names; by content, whatever the manifest says.
        artifacts: The artifacts.
        code: The Python files.
        findings: What a reader should know, most serious first.
        worst: The highest severity.
    """

    where: str
    name: str = ""
    version: str = ""
    format: str = ""
    executes_code: bool
    artifacts: tuple[ScannedArtifact, ...]
    code: tuple[ScannedCode, ...] = ()
    findings: tuple[Finding, ...] = ()
    worst: Severity = "info"


def scan(reference: Reference) -> ScanReport:
    """Say what loading a package or a saved model would do, without doing any of it.

    Args:
        reference: A package (wheel, folder, installed name, URL), or the path of a saved model (``model.pkl``).

    Raises:
        UnknownPackageError: It leads to nothing.
        PackageError: The package cannot be read.
        MissingExtraError: A URL was given and the extra ``remote`` is not installed.
    """
    path = Path(str(reference)) if isinstance(reference, str | Path) else None
    if path is not None and path.is_file() and path.suffix != ".whl":
        return _scan_file(path)
    return _scan_package(read(reference))


def scan_weights(files: Files, weights: Weights) -> ScanReport:
    """Say what loading the weights of a model would do, which are in a wheel of their own.

    What format they are in, and whether it runs code, says the manifest of the model that loads them.

    Args:
        files: The files of the weights' wheel.
        weights: What it says of itself.
    """
    prefix = f"{weights_folder(weights.model)}/artifacts/"
    artifacts: list[ScannedArtifact] = []
    findings: list[Finding] = []
    for name in files.names():
        if name.startswith(prefix):
            with files.open(name) as stream:
                content = look_into(stream)
            artifacts.append(_artifact(name, files.size(name), content))
            findings += _artifact_findings(name, content, package=weights.model.replace("-", "_"))
    report = _report(files.where, artifacts, [], findings)
    return msgspec.structs.replace(report, name=weights.name, version=weights.version)


def _scan_file(path: Path) -> ScanReport:
    with path.open("rb") as stream:
        content = look_into(cast(BinaryIO, stream))
    findings = list(_artifact_findings(path.name, content, package=""))
    return _report(str(path), [_artifact(path.name, path.stat().st_size, content)], [], findings)


def _scan_package(package: Package) -> ScanReport:
    manifest = package.manifest
    artifacts: list[ScannedArtifact] = []
    code: list[ScannedCode] = []
    findings: list[Finding] = []
    ours = _our_files()
    prefix = f"{package.import_name}/{MODEL_FOLDER}/artifacts/"
    shipped, unseen = _shipped(package)
    findings += unseen
    for files, name in (
        *((package.files, name) for name in package.files.names() if name.startswith(prefix)),
        *shipped,
    ):
        with files.open(name) as stream:
            content = look_into(stream)
        artifacts.append(_artifact(name, files.size(name), content))
        findings += _artifact_findings(name, content, package=package.import_name)
    for name in package.files.names():
        if name.startswith(prefix):
            continue
        if name.endswith(_CODE):
            scanned, found = _code(package, name, ours)
            code.append(scanned)
            findings += found
        elif name.endswith(_COMPILED):
            findings.append(
                Finding(severity="warning", file=name, what="is compiled code, which cannot be looked into")
            )
    if not manifest.storage.executes_code and any(artifact.executes_code for artifact in artifacts):
        told = f"says that {manifest.storage.format!r} runs no code, but an artifact is one that can"
        findings.append(Finding(severity="danger", file="manifest.json", what=told))
    report = _report(package.files.where, artifacts, code, findings)
    return ScanReport(
        where=report.where,
        name=manifest.name,
        version=manifest.version,
        format=manifest.storage.format,
        executes_code=report.executes_code or manifest.storage.executes_code,
        artifacts=report.artifacts,
        code=report.code,
        findings=report.findings,
        worst=report.worst,
    )


def _shipped(package: Package) -> tuple[list[tuple[Files, str]], list[Finding]]:
    """Return the artifacts that lie in the weights' own distribution, or the finding that nobody looked into them."""
    requirement = weights_requirement(package.manifest)
    if not requirement:
        return [], []
    files = weights_files(package)
    if files is None:
        told = f"says that the artifacts are in {requirement}, which is not here and was not looked into"
        return [], [Finding(severity="warning", file="manifest.json", what=told)]
    prefix = f"{weights_folder(package.manifest.name)}/artifacts/"
    return [(files, name) for name in files.names() if name.startswith(prefix)], []


def _report(
    where: str, artifacts: list[ScannedArtifact], code: list[ScannedCode], findings: list[Finding]
) -> ScanReport:
    order: tuple[Severity, ...] = ("danger", "warning", "info")
    ordered = sorted(findings, key=lambda finding: (order.index(finding.severity), finding.file, finding.what))
    return ScanReport(
        where=where,
        executes_code=any(artifact.executes_code for artifact in artifacts),
        artifacts=tuple(artifacts),
        code=tuple(code),
        findings=tuple(ordered),
        worst=ordered[0].severity if ordered else "info",
    )


def _artifact(name: str, size: int, content: Content) -> ScannedArtifact:
    return ScannedArtifact(
        path=name, size=size, kind=content.kind, constructs=content.constructs, executes_code=content.executes
    )


def _artifact_findings(name: str, content: Content, *, package: str) -> Iterator[Finding]:
    harmless = _reviewed()
    if content.executes:
        told = f"{'is' if content.kind == 'pickle' else 'contains'} a pickle, which can run any code it names"
        yield Finding(
            severity="info", file=name, what=told if content.kind == "pickle" else f"contains a pickle: it {told}"
        )
    if content.kind in ("native", "script"):
        yield Finding(severity="danger", file=name, what=f"is a program ({content.kind}), not a model")
    if content.kind == "hdf5":
        yield Finding(severity="warning", file=name, what="is HDF5; a Keras model in it may contain code of its own")
    for names, verb in ((content.constructs, "constructs or calls"), (content.imports, "imports")):
        for one in names:
            severity = judge_name(one, package=package, reviewed=harmless)
            if severity:
                yield Finding(severity=severity, file=name, what=f"{verb} {one}")
    if content.problem:
        yield Finding(severity="warning", file=name, what=f"cannot be read to its end: {content.problem}")


def _reviewed() -> frozenset[str]:
    try:
        return reviewed()
    except (MissingExtraError, UnknownPluginError):
        return frozenset()


def _code(package: Package, name: str, ours: frozenset[str]) -> tuple[ScannedCode, list[Finding]]:
    if package.files.size(name) > MAX_DOCUMENT:
        raise PackageError(f"{name} is larger than {MAX_DOCUMENT} bytes.", where=package.files.where)
    with package.files.open(name) as stream:
        content = stream.read()
    if hashlib.sha256(content).hexdigest() in ours:
        return ScannedCode(path=name, own=True), []
    try:
        calls = sorted(suspicious_calls(content.decode("utf-8")))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # the parser says so of deep nesting
        found = Finding(
            severity="warning", file=name, what=f"cannot be read as Python: {error or type(error).__name__}"
        )
        return ScannedCode(path=name), [found]
    findings = [Finding(severity=how, file=name, what=f"calls {called} in line {line}") for line, called, how in calls]
    return ScannedCode(path=name, calls=tuple(f"line {line}: {called}" for line, called, _ in calls)), findings


def _our_files() -> frozenset[str]:
    """Return the digests of the files that this modelwright puts into packages: runtime, templates, loaders."""
    folders = [Path(modelwright.runtime.__file__).parent, Path(modelwright.capturing.__file__).parent / "templates"]
    files = [path for folder in folders for path in folder.glob("*.py")]
    for group in (formats.GROUP, accelerating.GROUP):
        for name in available(group):
            with suppress(MissingExtraError):
                loader: Path = find(group, name).loader
                files += loader.glob("*.py") if loader.is_dir() else [loader]
    return frozenset(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)
