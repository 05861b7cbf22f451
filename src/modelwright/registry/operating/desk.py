"""What every verb works with: database, files, settings, and who asks.

For: the verbs beside this module, each a function of a desk, and :class:`~.local.LocalService`, which binds them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version
from sqlalchemy import Connection

from modelwright.errors import LoginError, ModelwrightError, RequestError, UnavailableError, UnknownReleaseError
from modelwright.registry.audit import Action, Entry
from modelwright.registry.deciding.access import Deed, allowed
from modelwright.registry.people import Principal
from modelwright.registry.projects import Project, Release
from modelwright.registry.references import deleted_version
from modelwright.registry.settings import PRIVATE, Settings, Stage
from modelwright.registry.state.database import State, Transaction
from modelwright.registry.state.listing import Listing
from modelwright.registry.state.queries import find_file, load_project, names_like, version_like
from modelwright.registry.state.tables import outbox, projects, stale
from modelwright.registry.storing.store import Store
from modelwright.runtime.suggestions import nearest

LONGEST_NAME = 200
"""Characters of a project's name."""
LONGEST_REASON = 2000
"""Characters."""


@dataclass(frozen=True)
class Desk:
    """What a verb works with.

    Attributes:
        state: The database.
        store: The files.
        settings: What the registry is configured to be.
        root: Folder of the registry, for what is private to it and for the static index.
        principal: Who asks.
        listing: Every project on one line, kept between changes, whoever asks.
    """

    state: State
    store: Store
    settings: Settings
    root: Path
    principal: Principal
    listing: Listing = field(default_factory=Listing)

    @property
    def incoming(self) -> Path:
        """Folder for uploads under way, on the same file system as the registry's folder."""
        return self.root / PRIVATE / "incoming"

    def stage(self, name: str) -> Stage:
        """Return a stage.

        Raises:
            UnknownReleaseError: There is no such stage.
        """
        stage = self.settings.stage(name)
        if stage is None:
            names = [one.name for one in self.settings.stages]
            raise UnknownReleaseError(
                f"There is no stage {name!r}.",
                why=f"The stages are {', '.join(names)}.",
                hint=did_you_mean(name, names),
            )
        return stage

    def project(self, connection: Connection, name: str) -> Project:
        """Return a project.

        Raises:
            RequestError: Not a name that a project could have.
            UnknownReleaseError: There is no such project.
        """
        normal = normal_name(name)
        project = load_project(connection, normal)
        if project is None:
            names = names_like(connection, normal)
            seen = [name for name in names if not self.principal.projects or name in self.principal.projects]
            raise UnknownReleaseError(
                f"There is no project {normal!r} in this registry.", hint=did_you_mean(normal, seen)
            )
        # Where it stood in a stage that there is no more stands in the log only.
        stages = {one.name for one in self.settings.stages}
        return replace(project, placements=tuple(one for one in project.placements if one.stage in stages))

    @contextmanager
    def judged(self, entry: Entry) -> Iterator[None]:
        """Log what is refused inside this block, then refuse it.

        What nobody in particular tried is not logged: a client that sends its token only when asked begins so. Nor is
        what could not be done: nobody denied it.

        Args:
            entry: What to log; its outcome becomes ``denied``.
        """
        try:
            yield
        except (LoginError, UnavailableError):
            raise
        except ModelwrightError as error:
            self.deny(entry, error)
            raise

    def deny(self, entry: Entry, error: ModelwrightError) -> None:
        """Log an attempt that was refused, in a transaction of its own."""
        detail: dict[str, Any] = {**entry.detail, "code": error.code, "what": error.what}
        if error.problems:
            detail["problems"] = [str(problem) for problem in error.problems[:100]]
        tried = replace(
            entry,
            outcome="denied",
            detail=detail,
            project=_storable(entry.project[:LONGEST_NAME]),
            version=_storable(entry.version[:100]),
            stage=_storable(entry.stage[:40]),
            reason=_storable(entry.reason[:LONGEST_REASON]),
        )
        with self.state.write() as transaction:
            transaction.log(_named(transaction.connection, tried))

    def allow(self, deed: Deed, project: str, *, known: Project | None = None) -> None:
        """Refuse what the principal may not do.

        Raises:
            NotAllowedError: They may not.
        """
        refusal = allowed(
            self.principal,
            deed,
            project=project,
            owners=known.owners if known else None,
            anonymous_read=self.settings.anonymous_read,
        )
        if refusal is not None:
            raise refusal

    def entry(self, action: Action, **fields: Any) -> Entry:
        """Return what is to be logged, by this principal; number, time and hashes come with the transaction."""
        return Entry(
            sequence=0, time="", actor=self.principal.user, action=action, outcome="done", previous="", **fields
        )

    def record(self, transaction: Transaction, entry: Entry) -> Entry:
        """Log a change and mark what it makes stale: the project's pages, and whoever wants to be told."""
        logged = transaction.log(entry)
        if logged.project:
            _renew(transaction, logged)
            transaction.connection.execute(stale.delete().where(stale.c.project == logged.project))
            transaction.connection.execute(stale.insert().values(project=logged.project))
        for webhook in self.settings.webhooks:
            if logged.action in webhook.events:
                transaction.connection.execute(
                    outbox.insert().values(
                        sequence=logged.sequence,
                        url=webhook.url,
                        attempts=0,
                        due=transaction.moment.timestamp(),
                        done=False,
                        problem="",
                    )
                )
        return logged


def _storable(text: str) -> str:
    """Return a text as a database takes it: an argument of a command may have had bytes that are no UTF-8."""
    return text.encode("utf-8", "replace").decode()


def _named(connection: Connection, tried: Entry) -> Entry:
    """Return what was tried with the names the registry has for it, so that their history tells of it, too."""
    found = find_file(connection, tried.sha256) if tried.sha256 and not tried.project else None
    if found is not None:
        return replace(tried, project=found.project, version=found.version)
    name = canonicalize_name(tried.project)
    return replace(tried, project=name, version=version_like(connection, name, tried.version))


def _renew(transaction: Transaction, logged: Entry) -> None:
    """Bring the row of a project up to date with its releases, and number it by the change."""
    project = load_project(transaction.connection, logged.project)
    latest = project.latest if project else None
    row = {
        "serial": logged.sequence,
        "changed": logged.time,
        "latest": latest.version if latest else "",
        "summary": latest.summary if latest else "",
    }
    transaction.connection.execute(projects.update().where(projects.c.name == logged.project).values(row))


def the_release(project: Project, version: str) -> Release:
    """Return a release of a project.

    Raises:
        RequestError: Not a version.
        UnknownReleaseError: There is no such release.
    """
    try:
        release = project.release(str(Version(version)))
    except InvalidVersion as error:
        raise RequestError(f"{version[:60]!r} is not a version.", why="PEP 440.") from error
    if release is None and project.was_deleted(version):
        raise deleted_version(project, str(Version(version)))
    if release is None:
        versions = [one.version for one in project.releases]
        raise UnknownReleaseError(
            f"{project.name} has no release {version}.",
            why=f"It has {', '.join(versions[-10:]) or 'none'}.",
            hint=did_you_mean(version, versions),
        )
    return release


def normal_name(name: str) -> str:
    """Return the normal form of a project's name (PEP 503).

    Raises:
        RequestError: Not a name that a project could have.

    Example:
        >>> normal_name("Churn.Model")
        'churn-model'
    """
    try:
        if len(name) > LONGEST_NAME:
            raise InvalidName
        return canonicalize_name(name, validate=True)
    except InvalidName as error:
        raise RequestError(f"{name[:60]!r} is not the name of a project.", why="PEP 508.") from error


def need_reason(reason: str, deed: str) -> str:
    """Return a reason without the space around it.

    Raises:
        RequestError: There is none.
    """
    text = checked_reason(reason)
    if not text:
        raise RequestError(f"{deed} needs a reason.", why="It stands in the log for ever.", hint='--reason "…"')
    return text


def checked_reason(reason: str) -> str:
    """Return a reason, which may be none, without the space around it.

    Raises:
        RequestError: It is too long.
    """
    text = reason.strip()
    if text != _storable(text):
        raise RequestError("The reason is no text.", why="It has bytes in it that are no UTF-8.")
    if len(text) > LONGEST_REASON:
        raise RequestError(f"The reason is longer than {LONGEST_REASON:,} characters.")
    return text


def did_you_mean(word: str, known: list[str]) -> str:
    """Return the question after the known word most like another one; empty if none is."""
    close = nearest(word, known)
    return f"Did you mean {close!r}?" if close else ""
