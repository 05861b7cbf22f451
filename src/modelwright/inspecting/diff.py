"""Say what differs between two versions of a model, and which version step that asks for.

Called by ``modelwright diff``. Both packages are only read; their models run, each in a process and an environment
of its own, only when that is asked for (``behaviour="run"``).

It does not: decide anything itself; :mod:`~modelwright.inspecting.compatibility`,
:mod:`~modelwright.inspecting.documents`, :mod:`~modelwright.inspecting.behaviour` and
:mod:`~modelwright.inspecting.changes` do, in pure code.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from modelwright.inspecting.behaviour import Answers, Behaviour, ask, behaviour_changes, compare_answers, questions
from modelwright.inspecting.changes import Change, Verdict, judge
from modelwright.inspecting.compatibility import compare_signatures
from modelwright.inspecting.documents import (
    FileChange,
    MetricChange,
    Values,
    compare_data,
    compare_files,
    compare_metrics,
    compare_values,
    document_changes,
    pins,
)
from modelwright.inspecting.installers import InstallerName, choose
from modelwright.inspecting.lock import locked
from modelwright.inspecting.obtain import obtain
from modelwright.inspecting.read import Reference, read
from modelwright.inspecting.saving import save_report
from modelwright.inspecting.wheel import sha256_of
from modelwright.package import Package, WheelFiles
from modelwright.spec.struct import Frozen
from modelwright.steps import Listener, ignore, timed

BehaviourMode = Literal["run", "skip"]


class Side(Frozen, frozen=True, kw_only=True):
    """One of the two packages.

    Attributes:
        name: Distribution name.
        version: Version.
        where: Where it is.
        size: Size of its artifacts and code, bytes.
        sha256: Digest of its wheel; empty: it is none.
    """

    name: str
    version: str
    where: str
    size: int
    sha256: str = ""


class DiffReport(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What differs between two versions.

    Attributes:
        old: The old version.
        new: The new version.
        verdict: The version step that the changes ask for.
        changes: Every change that has a level, most serious first.
        metrics: Metrics of both, paired.
        pins: Direct requirements that differ.
        lock: Distributions of the whole environment that differ, versions by name.
        files: Artifacts and code files that differ.
        data: Data references that differ.
        hyperparameters: Hyperparameters that differ.
        behaviour: How answers differ; ``None``: the models were not run.
    """

    old: Side
    new: Side
    verdict: Verdict
    changes: tuple[Change, ...] = ()
    metrics: tuple[MetricChange, ...] = ()
    pins: dict[str, Values] = {}
    lock: dict[str, Values] = {}
    files: tuple[FileChange, ...] = ()
    data: dict[str, Values] = {}
    hyperparameters: dict[str, Values] = {}
    behaviour: Behaviour | None = None

    def save(self, path: Path | str) -> Path:
        """Write the report as JSON, atomically; return where it is.

        Raises:
            StorageError: It cannot be written.
        """
        return save_report(self, path)


def diff(
    old: Reference,
    new: Reference,
    *,
    behaviour: BehaviourMode = "skip",
    python: str | None = None,
    offline: bool = False,
    installer: InstallerName = "auto",
    trust: Iterable[str] = (),
    cache: Path | None = None,
    listener: Listener = ignore,
) -> DiffReport:
    """Say what differs between two versions of a model, and which version step that asks for.

    Args:
        old: The version that is in use.
        new: The version that shall follow it.
        behaviour: ``run``: both models answer the scenarios of both, each in its own environment; ``skip``:
            nothing is executed, and artifacts or code that differ count as another behaviour.
        python: Version or path of the Python that both run on; by default one that each was verified on.
        offline: Whether only the installer's cache may be used.
        installer: ``uv``, ``pip``, or ``auto``: uv where it runs, else pip.
        trust: Types in the artifacts that the caller vouches for.
        cache: Folder of kept environments; by default one in the user's cache folder.
        listener: Told about each step.

    Raises:
        UnknownPackageError: A reference leads to no package.
        PackageError: A package cannot be read.
        IntegrityError: Before a model is run: a file is not the file that was captured.
        EnvironmentBuildError: An environment cannot be made.
        ModelwrightError: A model does not run in its environment.
    """
    before, after = read(old), read(new)
    if behaviour == "skip":
        for package in (before, after):
            _learn_digest(package, package.path)
        return compare(before, after, None)
    asked = questions(before, after)
    chosen = choose(installer, offline=offline)
    answers: list[Answers] = []
    for package in (before, after):
        with tempfile.TemporaryDirectory(prefix="modelwright-diff-") as folder, timed("ask", listener) as note:
            wheel = obtain(package, Path(folder))
            _learn_digest(package, wheel)
            answers.append(ask(wheel, asked, python=python, installer=chosen, trust=trust, cache=cache))
            note.detail = f"{package.manifest.version} answered {len(asked)} scenarios"
    compared = compare_answers(asked, *answers, outputs=before.manifest.signature.outputs)
    return compare(before, after, compared)


def _learn_digest(package: Package, wheel: Path | None) -> None:
    """Know the digest of a package that is a wheel, once the whole of it is on this machine."""
    if not package.sha256 and isinstance(package.files, WheelFiles) and wheel is not None:
        package.sha256 = sha256_of(wheel)


def compare(old: Package, new: Package, behaviour: Behaviour | None) -> DiffReport:
    """Compare two packages by their documents, and by their behaviour if that is known. Nothing is executed."""
    was, now = old.manifest, new.manifest
    files = compare_files(was, now)
    found = sorted(_changes(old, new, files, behaviour), key=lambda one: ("MAJOR", "MINOR", "PATCH").index(one.level))
    return DiffReport(
        old=_side(old),
        new=_side(new),
        verdict=judge(found, old=was.version, new=now.version),
        changes=tuple(found),
        metrics=compare_metrics(was, now),
        pins=compare_values(pins(was), pins(now)),
        lock=compare_values(_locked(old), _locked(new)),
        files=files,
        data=compare_data(was, now),
        hyperparameters=compare_values(was.hyperparameters, now.hyperparameters),
        behaviour=behaviour,
    )


def _changes(
    old: Package, new: Package, files: tuple[FileChange, ...], behaviour: Behaviour | None
) -> Iterator[Change]:
    was, now = old.manifest, new.manifest
    yield from compare_signatures(was.signature, now.signature)
    yield from document_changes(was, now)
    artifacts = any(file.path.startswith("model/artifacts/") for file in files)
    code = len(files) > sum(file.path.startswith("model/artifacts/") for file in files)
    if behaviour is not None:
        yield from behaviour_changes(behaviour)
    level: Literal["MINOR", "PATCH"] = "PATCH" if behaviour is not None else "MINOR"
    told = "" if behaviour is not None else ", and the answers were not compared"
    if artifacts:
        yield Change(level=level, about="artifacts", what=f"the model was trained or saved again{told}")
    if code:
        yield Change(level=level, about="code", what=f"its code changed{told}")
    if was.hyperparameters != now.hyperparameters:
        yield Change(level="PATCH", about="hyperparameters", what="hyperparameters changed")
    if _locked(old) != _locked(new):
        yield Change(level="PATCH", about="lock", what="the locked environment changed")
    if was.lineage.data != now.lineage.data:
        yield Change(level="PATCH", about="data", what="it was trained or measured on other data")
    if was.evaluations != now.evaluations:
        yield Change(level="PATCH", about="metrics", what="metrics changed")


def _side(package: Package) -> Side:
    manifest = package.manifest
    return Side(
        name=manifest.name,
        version=manifest.version,
        where=package.files.where,
        size=sum(file.size for file in (*manifest.artifacts, *manifest.code)),
        sha256=package.sha256,
    )


def _locked(package: Package) -> dict[str, str]:
    return locked(package.lock, markers={}, where=f"{package.files.where}: pylock.toml")
