"""Raise the version of a model project as far as its changes ask for, and write the changelog.

Called by ``modelwright bump``. What changed is what :func:`modelwright.inspecting.diff.diff` says, between the newest
release and the model that is captured in the project; here it becomes a version, written everywhere at once.

It does not: train or capture, build the wheel, push, or publish.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Literal

import msgspec
from packaging.version import Version

from modelwright.errors import Problem, ReleaseError
from modelwright.inspecting.changes import Verdict
from modelwright.inspecting.diff import BehaviourMode
from modelwright.inspecting.installers import InstallerName
from modelwright.inspecting.read import Reference
from modelwright.package import MODEL_FOLDER
from modelwright.project.releasing import git
from modelwright.project.releasing.comparing import Comparison, compare_with, find_reference
from modelwright.project.releasing.editing import edits
from modelwright.project.releasing.numbering import PARTS, check_direction, check_part, follow, step
from modelwright.project.releasing.releasable import Releasable, open_releasable
from modelwright.project.releasing.replacing import replaced
from modelwright.spec.struct import Frozen
from modelwright.steps import Listener, ignore, timed

Recording = Literal["nothing", "commit", "tag"]
"""What git is asked for: nothing, a commit, or a commit with an annotated tag."""


class Bumped(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What a bump did, or would do.

    Attributes:
        name: Distribution name.
        old: Version the project had.
        new: Version it has now; the same: nothing asked for another one.
        against: The release it was compared with (``churn==1.0.0``); empty: there is none yet.
        verdict: What the changes since then ask for; ``None``: first release.
        behaviour: Whether both models were run (``compared``), or why not.
        reason: Why the version promises less than changed, if it does.
        files: Files that changed, relative to the project.
        changelog: The section of the new version, Markdown.
        commit: Hash of the commit.
        tag: Name of the tag.
        dry_run: Whether nothing was written.
    """

    name: str
    old: str
    new: str
    against: str = ""
    verdict: Verdict | None = None
    behaviour: str = ""
    reason: str = ""
    files: tuple[str, ...] = ()
    changelog: str = ""
    commit: str = ""
    tag: str = ""
    dry_run: bool = False


def bump(
    project: Path | str = ".",
    part: str = "auto",
    *,
    against: Reference | None = None,
    reason: str = "",
    recording: Recording = "nothing",
    behaviour: BehaviourMode = "run",
    python: str | None = None,
    offline: bool = False,
    installer: InstallerName = "auto",
    trust: Iterable[str] = (),
    cache: Path | None = None,
    today: date,
    dry_run: bool = False,
    listener: Listener = ignore,
) -> Bumped:
    """Raise the version of a model project as far as its changes ask for, and write that down.

    The version is written wherever the project says one, into the manifest and the card of the captured model, and into
    CHANGELOG.md, all or nothing; ``modelwright build`` works at once.

    Args:
        project: Folder of the project, with a captured model in it.
        part: ``auto``: what the changes ask for; ``major``, ``minor``, ``patch``: that step; or a version.
        against: The release to compare with; by default the newest wheel in ``dist`` that is not above the project's
            version.
        reason: Why the version promises less than changed; stands in the changelog.
        recording: Whether to commit, and to tag.
        behaviour: ``run``: both models answer the scenarios of both; ``skip``: an artifact or code that differs counts
            as another behaviour.
        python: Python to run both on; by default one that each was verified on.
        offline: Whether only the installer's cache may be used.
        installer: What makes the environments of the models.
        trust: Types in the artifacts that the caller vouches for.
        cache: Folder of kept environments; by default one in the user's cache folder.
        today: Date of the release.
        dry_run: Find out everything and write nothing.
        listener: Told about each step.

    Raises:
        UnknownPackageError: There is no captured model, or ``against`` leads to no package.
        NameVersionError: ``part`` is neither a step nor a version.
        ReleaseError: The version would lie, go down, or exists already; or the project says several.
        ProjectError: A file of the project cannot be read.
        IntegrityError: Code or artifacts are not those that were captured.
        GitError: git cannot commit or tag here; nothing was changed.
        StorageError: A file cannot be written; nothing was changed.
    """
    part = check_part(part)
    with timed("project", listener) as note:
        found = open_releasable(Path(project))
        note.detail = f"{found.package.manifest.name} {found.version}"
    repository = git.open_repository(found.root) if recording != "nothing" else None
    with timed("compare", listener) as note:
        reference = find_reference(found.releases, against, name=found.package.manifest.name, version=found.version)
        comparison = compare_with(
            reference,
            found.package,
            version=found.version,
            behaviour=behaviour,
            python=python,
            offline=offline,
            installer=installer,
            trust=trust,
            cache=cache,
            listener=listener,
        )
        note.detail = f"with {comparison.old}" if comparison.old else "with nothing: no release in dist"
    target = _target(found, part, comparison, reason)
    contents, section = edits(found, target, comparison, reason=reason, today=today)
    files = [path for path, content in contents.items() if not path.is_file() or path.read_bytes() != content]
    bumped = Bumped(
        name=found.package.manifest.name,
        old=found.version,
        new=target,
        against=comparison.old,
        verdict=comparison.verdict(target),
        behaviour=comparison.behaviour,
        reason=reason,
        files=tuple(path.relative_to(found.root).as_posix() for path in files),
        changelog=section,
        tag=f"v{target}" if recording == "tag" else "",
        dry_run=dry_run,
    )
    changed = {path: contents[path] for path in files}
    return _written(found, bumped, changed, repository=repository, listener=listener)


def _target(found: Releasable, part: str, comparison: Comparison, reason: str) -> str:
    """Choose the version, and refuse one that would lie."""
    if part == "auto":
        target = follow(found.version, comparison.verdict(found.version), changed=comparison.changed)
    elif part in PARTS:
        target = step(found.version, part)
    else:
        target = part
    check_direction(target, current=found.version, released=comparison.version)
    verdict = comparison.verdict(target)
    if verdict is not None and not verdict.honoured and not reason:
        raise ReleaseError(
            f"{target} promises less than changed since {comparison.version}: that asks for {verdict.expected}.",
            where=comparison.old,
            problems=[Problem(None, None, told, item=verdict.level) for told in verdict.reasons],
            hint=f"modelwright bump {verdict.expected}, or say why it is {target} all the same: --reason '…'",
        )
    _check_new(found, target)
    return target


def _check_new(found: Releasable, target: str) -> None:
    """Refuse a version of which a wheel with other content exists."""
    wheel = found.releases.get(Version(target))
    if wheel is None:
        return
    existing = compare_with(wheel, found.package, version=found.version, behaviour="skip")
    if existing.changed:
        changes = existing.report.changes if existing.report else ()
        raise ReleaseError(
            f"{target} is released already, with other content.",
            where=str(wheel),
            problems=[Problem(None, None, change.what, item=change.about) for change in changes],
            hint="Choose a higher version: a release never changes. If nobody has that wheel, delete it.",
        )


def _written(
    found: Releasable,
    bumped: Bumped,
    contents: dict[Path, bytes],
    *,
    repository: git.Repository | None,
    listener: Listener,
) -> Bumped:
    """Write, commit and tag; whatever fails leaves everything as it was."""
    if repository is not None:
        code = [found.folder / file.path for file in found.package.manifest.code]
        git.check_committed(repository, [path for path in code if path not in contents])
        git.check_tag(repository, bumped.tag)
    if bumped.dry_run:
        return bumped
    commit = ""
    with replaced(contents), timed("write", listener) as note:
        if repository is not None:
            message = f"{bumped.name} {bumped.new}"
            paths = [*contents, found.folder / MODEL_FOLDER]
            commit = git.record(repository, paths, message=message, tag=bumped.tag)
        note.detail = ", ".join(bumped.files) or "nothing to write"
    return msgspec.structs.replace(bumped, commit=commit)
