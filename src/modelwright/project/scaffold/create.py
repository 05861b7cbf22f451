"""Create a model project: rendered beside its place, then put there at once, or not at all.

Called by ``modelwright new`` and, with the files that a notebook became, by the conversion of notebooks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from modelwright.capturing.folders import replacing
from modelwright.errors import ScaffoldError
from modelwright.project.scaffold.answers import Answers, Size, check_answers
from modelwright.project.scaffold.machine import FOLDER, machine_facts, write_facts
from modelwright.project.scaffold.render import TEMPLATES, files_below, render
from modelwright.spec.struct import Frozen
from modelwright.steps import Listener, ignore, timed


class Created(Frozen, frozen=True, kw_only=True):
    """A project that was created, or would be.

    Attributes:
        name: Distribution name.
        module: What is imported.
        path: Its folder.
        size: How much is laid out.
        task: What kind of model the example is.
        files: Its files, relative to the folder, sorted; facts about this machine are not among them.
        notes: What the user should know, one sentence each.
    """

    name: str
    module: str
    path: str
    size: Size
    task: str
    files: tuple[str, ...]
    notes: tuple[str, ...] = ()


def keep(folder: Path) -> None:
    """Leave what the template wrote as it is."""


def create(
    answers: Answers,
    into: Path,
    *,
    extra: Mapping[str, str | bytes] | None = None,
    finish: Callable[[Path], None] = keep,
    templates: Path = TEMPLATES,
    listener: Listener = ignore,
) -> Created:
    """Create a project in ``into/NAME``.

    Args:
        answers: What the template is asked.
        into: Folder that shall hold the project's folder.
        extra: More files by path relative to the project, or other content for files of the template.
        finish: Called with the folder before it is put in place, to change what the template wrote.
        templates: Folder that holds the versions of the template.
        listener: Told about each finished step.

    Raises:
        NameVersionError: The name is one that an index would refuse, a keyword, or hides a standard module.
        ScaffoldError: The folder exists and is not empty, or an answer or a path is not one that can be used.
        StorageError: The disk is full, or the place may not be written; nothing was left behind.
    """
    answers = check_answers(answers)
    target = into / answers.name
    check_free(target)
    with timed("project", listener) as note, replacing(target) as folder:
        files = _write(answers, folder, extra or {}, templates)
        finish(folder)
        note.detail = f"{len(files)} files in {target}"
    return _created(answers, target, files)


def preview(
    answers: Answers, into: Path, *, extra: Mapping[str, str | bytes] | None = None, templates: Path = TEMPLATES
) -> Created:
    """Say what :func:`create` would create, for the same reasons refusing; nothing is left on disk."""
    answers = check_answers(answers)
    check_free(into / answers.name)
    with TemporaryDirectory() as folder:
        files = _write(answers, Path(folder), extra or {}, templates)
    return _created(answers, into / answers.name, files)


def check_free(target: Path) -> None:
    """Refuse a place where something is already; an empty folder is free.

    Raises:
        ScaffoldError: There is a file, or a folder that is not empty.
    """
    if target.is_symlink() or (target.exists() and not (target.is_dir() and not any(target.iterdir()))):
        raise ScaffoldError(
            f"{target.name} exists already.",
            where=str(target.absolute()),
            why="What is there may be somebody's work; it is never overwritten.",
            hint="Choose another name or folder (--into). To bring a project up to date: modelwright new --update",
        )


def today() -> str:
    """Return the day, ISO 8601, for projects that are created now."""
    return date.today().isoformat()


def _write(answers: Answers, folder: Path, extra: Mapping[str, str | bytes], templates: Path) -> tuple[str, ...]:
    render(answers, folder, templates=templates)
    for name, text in extra.items():
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise ScaffoldError(f"The file {name!r} would lie outside of the project.", where=str(folder))
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    files = files_below(folder)
    write_facts(folder, machine_facts())
    return files


def _created(answers: Answers, target: Path, files: tuple[str, ...]) -> Created:
    return Created(
        name=answers.name,
        module=answers.module,
        path=str(target),
        size=answers.size,
        task=answers.task,
        files=tuple(name for name in files if not name.startswith(f"{FOLDER}/")),
    )
