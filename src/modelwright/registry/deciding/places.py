"""Say whether a file may come into its project, as far as the project alone decides that. Pure.

Called when a file is published, in the transaction that inserts it, and by ``publish --dry-run`` beforehand.
"""

from __future__ import annotations

from typing import NamedTuple

from packaging.utils import canonicalize_name, canonicalize_version

from modelwright.errors import NotAllowedError, TakenError
from modelwright.registry.projects import Kind, Project, StoredFile


class There(NamedTuple):
    """A file that is there already.

    Attributes:
        version: Its release.
        file: The file.
    """

    version: str
    file: StoredFile


def slot_of(filename: str) -> str:
    """Return what all spellings of a file name share: installers take them for one file.

    Example:
        >>> slot_of("Churn.Model-1.0.0-py3-none-any.whl")
        'churn_model-1-py3-none-any.whl'
    """
    name, version, rest = _parts(filename)
    return f"{canonicalize_name(name).replace('-', '_')}-{version}{rest}"


def _parts(filename: str) -> tuple[str, str, str]:
    """Return name, version in its shortest form, and the rest of the name of a wheel or an sdist, in lower case."""
    name, _, rest = filename.lower().partition("-")
    ending = ".tar.gz"
    version, dash, rest = (rest.removesuffix(ending), "", ending) if rest.endswith(ending) else rest.partition("-")
    return name, canonicalize_version(version), dash + rest


def check_open(project: Project, kind: Kind, filename: str) -> None:
    """Refuse a file for a project that takes none, or none of this kind.

    Raises:
        NotAllowedError: The project is archived or quarantined (PEP 792).
        TakenError: The project is of another kind.
    """
    if project.status in ("archived", "quarantined"):
        raise NotAllowedError(
            f"{project.name} is {project.status} and takes no files.", why=project.status_reason or "PEP 792."
        )
    if project.kind != kind:
        raise TakenError(
            f"{project.name} is a {project.kind}, and this file is a {kind}.",
            where=filename,
            why="Whoever installs the project would get something of another kind.",
            hint="Choose another name.",
        )


def there_already(project: Project, filename: str, sha256: str) -> There | None:
    """Return a file that is there already with the same bytes; ``None``: its name is free.

    Raises:
        TakenError: Its name is taken by other bytes, or its version by a release that was deleted.
    """
    slot, (_, version, _) = slot_of(filename), _parts(filename)
    for name in project.deleted:
        if _parts(name)[1] == version:
            raise TakenError(
                f"{name} was deleted, and its version never comes back.",
                where=filename,
                why="A pin on it would install something else than it did.",
                hint="Raise the version.",
            )
    for release in project.releases:
        for file in release.files:
            if slot_of(file.filename) == slot:
                return There(release.version, _same(file, filename, sha256))
    return None


def _same(file: StoredFile, filename: str, sha256: str) -> StoredFile:
    if file.sha256 == sha256 and file.filename != filename:
        raise TakenError(
            f"{file.filename} is already there, under another name.",
            where=filename,
            why="The bytes are the same, and installers take both names for one file.",
            hint="Nothing has to be done.",
        )
    if file.sha256 != sha256:
        raise TakenError(
            f"{file.filename} is already there, with other bytes.",
            where=filename,
            why=f"It has sha256 {file.sha256[:12]}…, this file {sha256[:12]}….",
            hint="Raise the version. The same input gives the same bytes only if SOURCE_DATE_EPOCH is the same.",
        )
    return file
