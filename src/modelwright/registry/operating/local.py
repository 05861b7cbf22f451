"""A registry on this machine's database and files: the verbs, bound to who asks.

Called by ``mw.Registry`` for folders and by the application, which binds it to the principal of each request. Each verb
lives in a module of its own beside this one; here stands only what they have in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from modelwright.errors import UnavailableError, UnknownReleaseError
from modelwright.registry.admitting.admit import Announced
from modelwright.registry.audit import AuditReport, Entry, Head
from modelwright.registry.evidence import Evidence, EvidenceKind
from modelwright.registry.gates import GateResult
from modelwright.registry.index.pages import ProjectPage
from modelwright.registry.operating import (
    checking,
    evidencing,
    promoting,
    publishing,
    remembering,
    reporting,
    statics,
    tokens,
    withdrawing,
)
from modelwright.registry.operating.checking import CheckReport
from modelwright.registry.operating.desk import Desk, normal_name
from modelwright.registry.operating.views import page_of
from modelwright.registry.people import Principal, Scope, Token
from modelwright.registry.projects import Project, ProjectSummary, Status
from modelwright.registry.rollouts import RolloutEvent
from modelwright.registry.service import EVERYTHING, NewToken, Promotion, Publication, Selection
from modelwright.registry.settings import Settings
from modelwright.registry.state.listing import matching
from modelwright.registry.state.queries import Found, find_file, load_project, names_in, serial_of
from modelwright.registry.storing.store import Key
from modelwright.steps import Listener, ignore


class LocalService:
    """A registry on this machine; see :class:`modelwright.registry.service.Service`.

    Args:
        desk: Database, files, settings, and who asks.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def acting_for(self, principal: Principal) -> LocalService:
        """Return the same registry, asked by somebody else."""
        return LocalService(replace(self.desk, principal=principal))

    def close(self) -> None:
        """Close the database."""
        self.desk.state.close()

    @property
    def settings(self) -> Settings:
        """What the registry is configured to be."""
        return self.desk.settings

    @property
    def principal(self) -> Principal:
        """Who asks."""
        return self.desk.principal

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages, first to last."""
        return tuple(stage.name for stage in self.desk.settings.stages)

    # What is there.

    def projects(self, search: str = "") -> tuple[ProjectSummary, ...]:
        """List projects, by name."""
        self.desk.allow("read", "")
        bound = self.desk.principal.projects
        with self.desk.state.read() as connection:
            found = matching(self.desk.listing.all(connection, self.stages), search)
        return tuple(summary for summary in found if not bound or summary.name in bound)

    def project(self, name: str) -> Project:
        """Return a project."""
        self.desk.allow("read", normal_name(name))
        with self.desk.state.read() as connection:
            return self.desk.project(connection, name)

    def page(self, name: str, stage: str = "") -> ProjectPage | None:
        """Return a project's page in a view; ``None``: the view does not show it."""
        self.desk.allow("read", name)
        with self.desk.state.read() as connection:
            project = load_project(connection, name)
        if project is None:
            return None
        return page_of(project, stage, alternates=self.settings.alternate_locations)

    def names(self, stage: str = "") -> tuple[str, ...]:
        """List the names that a view shows."""
        self.desk.allow("read", "")
        bound = self.desk.principal.projects
        with self.desk.state.read() as connection:
            found = names_in(connection, stage)
        return tuple(name for name in found if not bound or name in bound)

    def serial(self, name: str = "") -> int | None:
        """Return the number of the last change to a project, or to anything; ``None``: there never was such."""
        with self.desk.state.read() as connection:
            return serial_of(connection, name)

    def find(self, sha256: str) -> Found:
        """Return a stored file by its digest."""
        with self.desk.state.read() as connection:
            found = find_file(connection, sha256)
        if found is None:
            raise UnknownReleaseError("There is no file with this digest.", where=sha256[:64])
        self.desk.allow("read", found.project)
        return found

    def open_file(self, sha256: str) -> BinaryIO:
        """Open a stored file as a seekable stream."""
        return self.desk.store.open(Key(sha256, self.find(sha256).file.filename))

    # Publishing.

    def has(self, filename: str, sha256: str) -> bool:
        """Say whether the registry has exactly this file."""
        return publishing.has(self.desk, filename, sha256)

    def upload(self, path: Path, *, attestations: Iterable[Any] = ()) -> Publication:
        """Publish one file, of which a copy is taken."""
        received = publishing.receive(self.desk, path)
        try:
            return self.take(received, filename=path.name, attestations=attestations)
        finally:
            received.unlink(missing_ok=True)

    def take(
        self,
        received: Path,
        *,
        filename: str,
        announced: Announced = publishing.NOT_ANNOUNCED,
        attestations: Iterable[Any] = (),
    ) -> Publication:
        """Publish a file that lies in the folder for uploads under way, which it is moved out of."""
        published = publishing.publish(
            self.desk, received, filename=filename, announced=announced, attestations=attestations
        )
        self._refresh()
        return published

    def evidence(self, sha256: str) -> tuple[Evidence, ...]:
        """List the evidence about a wheel, oldest first."""
        return evidencing.list_evidence(self.desk, sha256)

    def attach(self, sha256: str, kind: EvidenceKind, content: Any) -> Evidence:
        """Attach evidence to a wheel."""
        return evidencing.attach(self.desk, sha256, kind, content)

    def approve(self, name: str, version: str, *, stage: str, reason: str) -> tuple[Evidence, ...]:
        """Approve a release, with the wheels it has now, for a stage."""
        return evidencing.approve(self.desk, name, version, stage=stage, reason=reason)

    # Moving.

    def gates(self, name: str, version: str, *, to: str) -> tuple[GateResult, ...]:
        """Say what each gate of a stage says of a release now."""
        return promoting.gates(self.desk, name, version, to=to)

    def promote(
        self, name: str, version: str, *, to: str, reason: str, expected: str | None = None, break_glass: bool = False
    ) -> Promotion:
        """Make a release what a stage runs."""
        moved = promoting.promote(
            self.desk, name, version, to=to, reason=reason, expected=expected, break_glass=break_glass
        )
        self._refresh()
        return moved

    def rollback(self, name: str, *, stage: str, reason: str, expected: str | None = None) -> Promotion:
        """Return a stage to what it ran before."""
        moved = promoting.rollback(self.desk, name, stage=stage, reason=reason, expected=expected)
        self._refresh()
        return moved

    def report_rollout(self, name: str, version: str, *, event: RolloutEvent, stage: str = "", reason: str) -> Entry:
        """Write into the log what happened to a rollout that a server conducts."""
        entry = reporting.report_rollout(self.desk, name, version, event=event, stage=stage, reason=reason)
        self._refresh()
        return entry

    # Taking back.

    def yank(self, name: str, version: str, *, reason: str) -> Project:
        """Keep installers from choosing a release by themselves."""
        return self._changed(withdrawing.yank(self.desk, name, version, reason=reason))

    def unyank(self, name: str, version: str, *, reason: str = "") -> Project:
        """Take back a yank."""
        return self._changed(withdrawing.unyank(self.desk, name, version, reason=reason))

    def delete(self, name: str, version: str, *, reason: str) -> Project:
        """Delete a release for ever."""
        return self._changed(withdrawing.delete(self.desk, name, version, reason=reason))

    def set_status(self, name: str, status: Status, *, reason: str) -> Project:
        """Set the status of a project."""
        return self._changed(withdrawing.set_status(self.desk, name, status, reason=reason))

    def set_owners(self, name: str, owners: Iterable[str]) -> Project:
        """Say who owns a project."""
        return self._changed(withdrawing.set_owners(self.desk, name, owners))

    # People.

    def tokens(self) -> tuple[Token, ...]:
        """List every token, without secrets."""
        return tokens.list_tokens(self.desk)

    def add_token(
        self,
        user: str,
        *,
        scopes: Iterable[Scope],
        projects: Iterable[str] = (),
        days: float | None = None,
        note: str = "",
    ) -> NewToken:
        """Make a token."""
        return tokens.add_token(self.desk, user, scopes=tuple(scopes), projects=projects, days=days, note=note)

    def revoke_token(self, token: str) -> Token:
        """Revoke a token, by its public part, at once."""
        return tokens.revoke_token(self.desk, token)

    def recognise(self, secret: str) -> Principal:
        """Return who a token's secret belongs to."""
        return tokens.principal_of(self.desk.state, secret)

    def recognise_id(self, identity: str) -> Principal:
        """Return who holds the token with a public part, for a session that was opened with it."""
        return tokens.principal_by_id(self.desk.state, identity)

    # The memory.

    def history(self, selection: Selection = EVERYTHING) -> Iterator[Entry]:
        """Read the log."""
        return remembering.history(self.desk, selection)

    def head(self) -> Head:
        """Return the end of the log."""
        return remembering.head(self.desk)

    def check_audit(self, expected: Head | None = None) -> AuditReport:
        """Check the whole log."""
        return remembering.check_audit(self.desk, expected)

    def check(self, *, listener: Listener = ignore) -> CheckReport:
        """Re-hash everything."""
        return checking.check(self.desk, listener=listener)

    def repair(self, *, listener: Listener = ignore) -> CheckReport:
        """Re-hash everything, and remove what belongs to nobody."""
        return checking.repair(self.desk, listener=listener)

    def _changed(self, project: Project) -> Project:
        self._refresh()
        return project

    def _refresh(self) -> None:
        """Bring the static index up to date, after a change.

        Raises:
            UnavailableError: It cannot be written. The change itself is made; the pages stay marked as stale.
        """
        try:
            statics.refresh(self.desk)
        except UnavailableError as error:
            raise UnavailableError(
                "It is done and in the log, but the static index still shows what was before.",
                where=str(self.desk.root),
                why=error.why,
                hint="Make room, or let this user write there; then: modelwright registry check",
            ) from error
