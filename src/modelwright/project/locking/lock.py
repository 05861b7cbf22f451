"""Lock a project, or export the lock of a package: the one entry to this folder.

Called by ``modelwright lock``. It decides what is made, kept, compared and written; how is decided beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from modelwright.errors import LockError, StorageError
from modelwright.inspecting.read import Reference
from modelwright.package import Package
from modelwright.project.locking.asking import PYLOCK, REQUIREMENTS, Wanted
from modelwright.project.locking.comparing import as_pylock, check_pylock, differences, versions
from modelwright.project.locking.making import Content, carried, made
from modelwright.project.locking.sources import Project, find
from modelwright.project.locking.writing import texts, write
from modelwright.spec.struct import Frozen
from modelwright.steps import Listener, ignore, timed

_ASKED = Wanted()


class Locked(Frozen, frozen=True, kw_only=True):
    """What was locked.

    Attributes:
        name: Name of the project or the package.
        python: Oldest Python that the lock is for, major and minor.
        packages: Version of each locked distribution, by name; where platforms differ, the first.
        files: Paths of the files that the lock consists of.
        differences: How they differ from what was there before, one sentence each; empty: they are up to date.
        note: What the reader of the lock has to know; empty if there is nothing.
    """

    name: str
    python: str
    packages: dict[str, str]
    files: tuple[str, ...]
    differences: tuple[str, ...] = ()
    note: str = ""


class Prepared(NamedTuple):
    """A lock that is not written yet.

    Attributes:
        locked: What was locked.
        texts: The text of each file, by path.
    """

    locked: Locked
    texts: dict[Path, str]


def lock(
    target: Reference = ".", *, into: Path | str | None = None, wanted: Wanted = _ASKED, listener: Listener = ignore
) -> Locked:
    """Lock a project, or export the lock of a package, and write the files.

    Args:
        target: A project (its folder), whose dependencies are locked together with those of the model captured into
            it; or a package (a model folder, a wheel, an installed name, a URL), whose own lock is taken as it is.
        into: Folder for the files; by default the project's, for a package the current one.
        wanted: Which files, for which Python, with which extras and groups.
        listener: Told about each finished step.

    Raises:
        UnknownPackageError: The target is neither a project nor a package.
        ProjectError: The project cannot be read, contradicts its model, or has no such extra or group.
        LockError: The requirements cannot be resolved, or not for this Python.
        StorageError: The files cannot be written, or one was written by somebody else; nothing was changed.
    """
    prepared = prepare(target, into=into, wanted=wanted, listener=listener)
    with timed("write", listener) as note:
        write(prepared.texts)
        note.detail = ", ".join(path.name for path in prepared.texts)
    return prepared.locked


def prepare(
    target: Reference = ".", *, into: Path | str | None = None, wanted: Wanted = _ASKED, listener: Listener = ignore
) -> Prepared:
    """Make a lock and compare it with what is there, without writing; see :func:`lock`."""
    found = find(target)
    folder = Path(into) if into is not None else found.root if isinstance(found, Project) else Path()
    with timed("lock", listener) as note:
        content = _content(found, folder, wanted)
        packages = versions(content.pylock)
        note.detail = f"{len(packages)} distributions with hashes" + f"; {content.note}".rstrip("; ")
    name = found.name if isinstance(found, Project) else found.manifest.name
    made = {folder / file: text for file, text in texts(content, wanted.files, name=name).items()}
    locked = Locked(
        name=name,
        python=content.python,
        packages=packages,
        files=tuple(map(str, made)),
        differences=tuple(dict.fromkeys(one for path in made for one in _differences(path, made[path]))),
        note=content.note,
    )
    return Prepared(locked, made)


def _content(found: Project | Package, folder: Path, wanted: Wanted) -> Content:
    if isinstance(found, Project):
        return made(found, wanted, kept=_kept(folder) if wanted.versions == "keep" else "")
    if wanted.resolves:
        raise LockError(
            f"The lock of a package is taken as it is; it has no {wanted.resolves[0]} to choose.",
            where=found.files.where,
            hint="Give the folder of a project to lock anew.",
        )
    return carried(found)


def _kept(folder: Path) -> str:
    """Return the lock that is there, whichever file says it; empty: there is none."""
    text = _text(folder / PYLOCK)
    return check_pylock(text, str(folder / PYLOCK)) if text else as_pylock(_text(folder / REQUIREMENTS) or "")


def _differences(path: Path, new: str) -> list[str]:
    return differences(path.name, _text(path), new)


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError("The lock that is there cannot be read.", where=str(path), why=str(error)) from error
