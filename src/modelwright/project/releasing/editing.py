"""Work out what every file of a project says at the next version. Nothing is written here.

Called by :mod:`~modelwright.project.releasing.bump`, which writes all of it or nothing.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from modelwright.errors import ReleaseError
from modelwright.project.releasing.changelog import release
from modelwright.project.releasing.comparing import Comparison
from modelwright.project.releasing.entries import Entry, entries, first_release
from modelwright.project.releasing.holders import rewritten
from modelwright.project.releasing.releasable import Releasable
from modelwright.project.releasing.stamping import stamped

CHANGELOG = "CHANGELOG.md"
OTHER_CHANGELOGS = ("CHANGELOG", "CHANGELOG.rst", "CHANGELOG.txt", "CHANGES*", "HISTORY*", "NEWS*")
"""Files that hold the changes of projects that do not keep a changelog as we do."""


def edits(
    found: Releasable, target: str, comparison: Comparison, *, reason: str, today: date
) -> tuple[dict[Path, bytes], str]:
    """Return the new content of every file that says the version, and the section of the changelog.

    Args:
        found: The project.
        target: The version to be.
        comparison: What changed since the last release.
        reason: Why the version promises less than changed.
        today: Date of the release.

    Raises:
        ReleaseError: The changelog is in another style.
    """
    released = target == comparison.version and not comparison.changed
    contents = rewritten(found.holders, target)
    if released and found.package.manifest.version == target:
        return contents, ""
    inside = {path: content for path, content in contents.items() if path.is_relative_to(found.folder)}
    contents |= stamped(
        found.package.manifest,
        found.folder,
        version=target,
        parent="" if released else comparison.old,
        code_files=inside,
    )
    if released:
        return contents, ""
    path = _changelog(found.root)
    lines: tuple[Entry, ...] = entries(comparison.report) if comparison.report else first_release()
    verdict = comparison.verdict(target)
    told = reason
    if reason and verdict is not None and not verdict.honoured:
        told = f"This is {target} although the changes ask for {verdict.expected}: {reason}"
    text, section = release(
        _read(path),
        lines,
        version=target,
        today=today,
        previous=comparison.version,
        reason=told,
        where=str(path),
    )
    return contents | {path: text.encode("utf-8")}, section


def _changelog(root: Path) -> Path:
    """Return the changelog of a project, in whatever case its name is; one of another style is not joined by ours."""
    for path in sorted(root.iterdir()):
        if path.name.lower() == CHANGELOG.lower():
            return path
    others = [path for pattern in OTHER_CHANGELOGS for path in sorted(root.glob(pattern)) if path.is_file()]
    if others:
        raise ReleaseError(
            f"The changelog is {others[0].name}, and only {CHANGELOG} can be continued.",
            where=str(others[0]),
            hint=f"Rename it to {CHANGELOG} in the style of keepachangelog.com, or write the version by hand.",
        )
    return root / CHANGELOG


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig") if path.is_file() else ""
    except UnicodeDecodeError as error:
        raise ReleaseError(
            "The changelog is not UTF-8.", where=str(path), why=str(error), hint="Save it as UTF-8."
        ) from error
