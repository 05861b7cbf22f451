"""Say whether a file may come into its project, as far as the project alone decides that. Pure.

Called when a file is published, in the transaction that inserts it, and by ``publish --dry-run`` beforehand.
"""

from __future__ import annotations

from typing import NamedTuple

from packaging.utils import canonicalize_name

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
    """Return what all spellings of a file name share.

    Example:
        >>> slot_of("Churn.Model-1.0-py3-none-any.whl")
        'churn_model-1.0-py3-none-any.whl'
    """
    name, dash, rest = filename.lower().partition("-")
    return canonicalize_name(name).replace("-", "_") + dash + rest


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
        TakenError: Its name is taken by other bytes, or by a file that was deleted.
    """
    slot = slot_of(filename)
    for name in project.deleted:
        if slot_of(name) == slot:
            raise TakenError(
                f"{name} was deleted, and its name never comes back.", where=project.name, hint="Raise the version."
            )
    for release in project.releases:
        for file in release.files:
            if slot_of(file.filename) == slot:
                return There(release.version, _same(file, filename, sha256))
    return None


def _same(file: StoredFile, filename: str, sha256: str) -> StoredFile:
    if (file.filename, file.sha256) != (filename, sha256):
        raise TakenError(
            f"{file.filename} is already there, with other bytes.",
            where=filename,
            why=f"It has sha256 {file.sha256[:12]}…, this file {sha256[:12]}….",
            hint="Raise the version. The same input gives the same bytes only if SOURCE_DATE_EPOCH is the same.",
        )
    return file
