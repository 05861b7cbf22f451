"""Bring a project up to a newer template, without losing what a person has changed.

Called by ``modelwright new --update``. Three versions of each file are compared: *base*, what the old template gives
with the answers of the project; *theirs*, what the newest gives; *ours*, what is there. What only one side changed is
taken from that side; what both changed is merged line by line, and where that is impossible marked in the file.
All changes are decided before the first is written.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

from modelwright.errors import ScaffoldError, StorageError
from modelwright.project.scaffold.answers import read_answers
from modelwright.project.scaffold.render import TEMPLATES, render, versions
from modelwright.spec.struct import Frozen
from modelwright.steps import Listener, ignore, timed

Happened = Literal["added", "replaced", "merged", "conflict", "removed", "kept"]


class Change(Frozen, frozen=True, kw_only=True):
    """What happens to one file.

    Attributes:
        path: Relative to the project.
        happened: ``added``, ``replaced``, ``removed``: nobody had changed it; ``merged``: both sides had, in different
            places; ``conflict``: in the same place, marked in the file, or written beside it as ``FILE.new`` where
            there is no git; ``kept``: a person changed or deleted what the new template changes or removes.
    """

    path: str
    happened: Happened


class Updated(Frozen, frozen=True, kw_only=True):
    """What an update did, or would do.

    Attributes:
        path: Folder of the project.
        old: Version of the template it was made from.
        new: Version it was brought to.
        changes: Files that are touched or would have been, by path.
    """

    path: str
    old: int
    new: int
    changes: tuple[Change, ...] = ()

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Files in which a person has to decide."""
        return tuple(change.path for change in self.changes if change.happened == "conflict")


class Versions(NamedTuple):
    """One file in three versions; ``None``: it is not there."""

    base: bytes | None
    theirs: bytes | None
    ours: bytes | None


class Plan(NamedTuple):
    """What an update will do.

    Attributes:
        updated: The report.
        writes: New content by path; ``None``: the file is removed.
    """

    updated: Updated
    writes: Mapping[str, bytes | None]


def plan_update(
    project: Path, *, templates: Path = TEMPLATES, git: str | None = None, listener: Listener = ignore
) -> Plan:
    """Decide what an update does; nothing is written.

    Args:
        project: Folder of a project that ``modelwright new`` made.
        templates: Folder that holds the versions of the template.
        git: Path of git, which merges lines; without it a file that both sides changed is left alone, and the new
            one is put beside it.
        listener: Told about each finished step.

    Raises:
        ScaffoldError: The folder was not made by ``modelwright new``, or by a newer modelwright.
    """
    old, answers = read_answers(project)
    newest = versions(templates)[-1]
    if old > newest:
        raise ScaffoldError(
            f"The project was made from version {old} of the template; this modelwright has {newest}.",
            where=str(project),
            hint="pip install --upgrade modelwright",
        )
    with timed("template", listener) as note, TemporaryDirectory() as base, TemporaryDirectory() as theirs:
        names = {*render(answers, Path(base), version=old, templates=templates)}
        names |= {*render(answers, Path(theirs), version=newest, templates=templates)}
        files = {
            name: Versions(*(_read(Path(root) / name) for root in (base, theirs, project))) for name in sorted(names)
        }
        note.detail = f"version {old} to {newest}, {len(files)} files"
    writes: dict[str, bytes | None] = {}
    changes = []
    for name, three in files.items():
        happened = _decide(name, three, writes, git)
        if happened:
            changes.append(Change(path=name, happened=happened))
    return Plan(Updated(path=str(project), old=old, new=newest, changes=tuple(changes)), writes)


def _decide(name: str, file: Versions, writes: dict[str, bytes | None], git: str | None) -> Happened | None:
    base, theirs, ours = file
    if theirs in (base, ours):
        return None
    if ours == base:
        writes[name] = theirs
        return "removed" if theirs is None else "added" if base is None else "replaced"
    if ours is None or theirs is None:
        return "kept"
    if git is None:
        writes[f"{name}.new"] = theirs
        return "conflict"
    writes[name], clean = merge(base or b"", theirs, ours, git=git)
    return "merged" if clean else "conflict"


def merge(base: bytes, theirs: bytes, ours: bytes, *, git: str) -> tuple[bytes, bool]:
    """Merge two changed versions of a text line by line.

    Returns:
        The text, with all three versions between markers where both changed the same lines, and whether there is
        no such place.

    Raises:
        ScaffoldError: git cannot merge the file, because it is no text.

    Source:
        git documentation, "git-merge-file": the exit status is the number of conflicts, or 255 for an error.
    """
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("ours", "base", "theirs")]
        for path, content in zip(paths, (ours, base, theirs), strict=True):
            path.write_bytes(content)
        labels = ["-L", "yours", "-L", "old template", "-L", "new template"]
        command = [git, "merge-file", "-p", "--diff3", *labels, *map(str, paths)]
        done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode >= 128:
        raise ScaffoldError("A file cannot be merged.", why=done.stderr.decode("utf-8", "replace").strip())
    return done.stdout, done.returncode == 0


def apply(project: Path, plan: Plan) -> None:
    """Write what was decided: everything, or nothing.

    Raises:
        StorageError: A file cannot be written; what was there before is as it was.
    """
    before = {name: _read(project / name) for name in plan.writes}
    staged: dict[str, Path] = {}
    try:
        for name, content in plan.writes.items():
            if content is not None:
                staged[name] = _stage(project / name, content)
        for name in plan.writes:
            _put(project / name, staged.get(name))
    except OSError as error:
        for name, content in before.items():
            if _read(project / name) != content:
                _put(project / name, _stage(project / name, content) if content is not None else None)
        raise StorageError(
            "The project cannot be updated.",
            where=str(error.filename or project),
            why=f"{error.strerror or error}. What was there before is untouched.",
        ) from error
    finally:
        for path in staged.values():
            path.unlink(missing_ok=True)


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _stage(target: Path, content: bytes) -> Path:
    """Write content beside its place, with the permissions of what it replaces."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    temporary.write_bytes(content)
    if target.exists():
        shutil.copymode(target, temporary)
    return temporary


def _put(target: Path, staged: Path | None) -> None:
    if staged is None:
        target.unlink(missing_ok=True)
    else:
        staged.replace(target)
