"""What a registry holds: projects, their releases and files, and where in the stages a release stands.

For: every other module of the registry, and whoever asks one. Frozen data, no input or output.

Source: the glossary of the Python Packaging User Guide (project, release, index, yank); PEP 592 (yank), PEP 700
(sizes, upload times), PEP 714 (metadata files), PEP 740 (provenance), PEP 792 (project status).
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Literal

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from modelwright.spec.evaluation import Evaluation
from modelwright.spec.struct import Frozen

Kind = Literal["model", "weights", "library"]
"""What a project is: a model package, the weights of one in a wheel of their own, or any other Python distribution."""

Status = Literal["active", "archived", "quarantined", "deprecated"]
"""PEP 792: ``archived`` takes no uploads; ``quarantined`` offers no files at all; ``deprecated`` is a warning."""

PackageType = Literal["bdist_wheel", "sdist"]


class StoredFile(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One file of a release.

    Attributes:
        filename: Its name, as it was uploaded; unique in the registry for ever.
        sha256: Digest of its bytes, 64 hexadecimal digits; what everything is bound to.
        size: Size, bytes.
        packagetype: Wheel or sdist.
        uploaded: When, RFC 3339 UTC.
        publisher: Who.
        requires_python: ``Requires-Python`` of its metadata; empty: any.
        tags: Compatibility tags of a wheel, sorted (``cp311-none-any``).
        metadata_sha256: Digest of its METADATA, served as ``FILENAME.metadata`` (PEP 714); empty for an sdist.
        provenance: Whether attestations were uploaded with it (PEP 740).
    """

    filename: str
    sha256: str
    size: int
    packagetype: PackageType
    uploaded: str
    publisher: str
    requires_python: str = ""
    tags: tuple[str, ...] = ()
    metadata_sha256: str = ""
    provenance: bool = False


class Release(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One version of a project.

    Attributes:
        version: PEP 440, normalised.
        created: When its first file was published, RFC 3339 UTC.
        publisher: Who published it.
        summary: One line.
        files: Its files, in the order they were published.
        yanked: Why installers shall no longer choose it by themselves (PEP 592); ``None``: it is not yanked.
        requires: What it requires, PEP 508, as its metadata says.
        task: What kind of model it is; empty for anything else.
        format: Format of the model; empty for anything else.
        executes_code: Whether loading the model can run code that its artifact contains.
        evaluations: Measured quality, as the manifest says.
        verdict: SemVer step that the changes since the release before ask for (``MINOR``); empty for a first one.
    """

    version: str
    created: str
    publisher: str
    summary: str = ""
    files: tuple[StoredFile, ...] = ()
    yanked: str | None = None
    requires: tuple[str, ...] = ()
    task: str = ""
    format: str = ""
    executes_code: bool = False
    evaluations: tuple[Evaluation, ...] = ()
    verdict: str = ""

    @property
    def digest(self) -> str:
        """What the release is, in one digest; see :func:`digest_of`."""
        return digest_of(file.sha256 for file in self.wheels)

    @property
    def wheels(self) -> tuple[StoredFile, ...]:
        """Its wheels: what gates look at, and what a stage shows."""
        return tuple(file for file in self.files if file.packagetype == "bdist_wheel")

    @property
    def size(self) -> int:
        """Size of all its files, bytes."""
        return sum(file.size for file in self.files)


class Placement(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """A release in a stage, with exactly the files it had when it was promoted.

    A wheel that is added to the release later is not in the stage until the release is promoted again.

    Attributes:
        stage: Name of the stage.
        project: Name of the project, normalised.
        version: The release.
        digest: Digest of the release as it was promoted; what compare-and-swap compares.
        files: sha256 of its wheels; a source distribution is in no stage.
        sequence: Sequence number of the log entry that put it there; orders placements, whatever clocks say.
        since: When, RFC 3339 UTC.
        actor: Who.
        current: Whether it is what the stage runs; older ones stay visible as yanked.
        withdrawn: Whether a rollback took it away; rollback never returns to it.
    """

    stage: str
    project: str
    version: str
    digest: str
    files: tuple[str, ...]
    sequence: int
    since: str
    actor: str
    current: bool = True
    withdrawn: bool = False


class Project(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """A project with everything that can be seen of it.

    Attributes:
        name: PEP 503 normalised.
        kind: Model, weights or library; only models have stages.
        created: When it was first published, RFC 3339 UTC.
        serial: Sequence number of the last change to it; what its pages are cached under.
        owners: Users who may publish and whose approval counts.
        releases: Lowest version first; deleted ones are not listed.
        placements: Every placement in every stage, oldest first.
        status: PEP 792.
        status_reason: Why.
        deleted: File names that were deleted and never come back.
    """

    name: str
    kind: Kind
    created: str
    serial: int
    owners: tuple[str, ...] = ()
    releases: tuple[Release, ...] = ()
    placements: tuple[Placement, ...] = ()
    status: Status = "active"
    status_reason: str = ""
    deleted: tuple[str, ...] = ()

    @property
    def latest(self) -> Release | None:
        """The release that ``name`` alone means: the highest final version that is not yanked, else the highest."""
        for wanted in (
            [one for one in self.releases if one.yanked is None and not Version(one.version).is_prerelease],
            [one for one in self.releases if one.yanked is None],
            list(self.releases),
        ):
            if wanted:
                return max(wanted, key=lambda one: Version(one.version))
        return None

    def release(self, version: str) -> Release | None:
        """Return a release by its version, ``None`` if there is none."""
        return next((one for one in self.releases if Version(one.version) == Version(version)), None)

    def was_deleted(self, version: str) -> bool:
        """Say whether there was a release of a version; its files' names tell, which never come back."""
        return any(_version_of(name) == Version(version) for name in self.deleted)

    def current(self, stage: str) -> Placement | None:
        """Return what a stage runs of this project, ``None`` if nothing."""
        return next((one for one in reversed(self.placements) if one.stage == stage and one.current), None)

    def digest_in(self, stage: str) -> str:
        """Return the digest of what a stage runs of this project; empty: nothing."""
        current = self.current(stage)
        return current.digest if current is not None else ""

    def running(self, version: str) -> tuple[str, ...]:
        """Return the stages that run a release, by its version as the registry spells it."""
        return tuple(one.stage for one in self.placements if one.current and one.version == version)

    def former(self, stage: str) -> Placement | None:
        """Return what a rollback of a stage goes back to, ``None`` if there is nothing.

        The last placement that was not rolled back, and whose files can still be installed.
        """
        for placement in reversed(self.placements):
            if placement.stage == stage and not placement.current and not placement.withdrawn:
                release = self.release(placement.version)
                there = {file.sha256 for file in release.files} if release and release.yanked is None else set()
                if there >= set(placement.files):
                    return placement
        return None


class ProjectSummary(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """A project on one line.

    Attributes:
        name: PEP 503 normalised.
        kind: Model, weights or library.
        summary: One line, of the latest release.
        latest: Highest version that is not yanked; empty if there is none.
        owners: Its owners.
        stages: Version that each stage runs, by stage.
        changed: When it last changed, RFC 3339 UTC.
        serial: Sequence number of that change.
        status: PEP 792.
    """

    name: str
    kind: Kind
    summary: str = ""
    latest: str = ""
    owners: tuple[str, ...] = ()
    stages: dict[str, str] = {}
    changed: str
    serial: int
    status: Status = "active"


def _version_of(filename: str) -> Version | None:
    parse = parse_wheel_filename if filename.endswith(".whl") else parse_sdist_filename
    try:
        return parse(filename)[1]
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None


def digest_of(wheels: Iterable[str]) -> str:
    """Return what stands for a set of wheels: the digest of the only one, else the digest of all of them, sorted.

    Args:
        wheels: sha256 of each wheel, 64 hexadecimal digits.

    Example:
        >>> digest_of(["ab" * 32]) == "ab" * 32
        True
        >>> digest_of(["cd" * 32, "ab" * 32]) == digest_of(["ab" * 32, "cd" * 32])
        True
    """
    ordered = sorted(wheels)
    if len(ordered) == 1:
        return ordered[0]
    return sha256("\n".join(ordered).encode()).hexdigest()
