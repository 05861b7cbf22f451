"""What can be asked of a registry: the one interface behind the command line, Python, HTTP and the pages.

Two things implement it: :class:`modelwright.registry.operating.local.LocalService`, on a database and files, and
:class:`modelwright.registry.client.remote.RemoteService`, over HTTP. Both raise the same errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from modelwright.registry.audit import AuditReport, Entry, Head
from modelwright.registry.evidence import Evidence, EvidenceKind
from modelwright.registry.gates import GateResult
from modelwright.registry.people import Scope, Token
from modelwright.registry.projects import Placement, Project, ProjectSummary, Status, StoredFile
from modelwright.registry.rollouts import RolloutEvent
from modelwright.spec.struct import Frozen


class Publication(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a file that was published.

    Attributes:
        project: Name, normalised.
        version: Version.
        file: The file as the registry keeps it.
        new: Whether it was not there before; identical bytes again are no error.
        verdict: SemVer step that the changes since the release before ask for; empty for a first one or no model.
        reasons: Why.
    """

    project: str
    version: str
    file: StoredFile
    new: bool
    verdict: str = ""
    reasons: tuple[str, ...] = ()


class Promotion(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What a promotion or rollback did.

    Attributes:
        placement: What the stage runs now.
        replaced: Version it ran before; empty: nothing.
        gates: Every gate of the stage with what was found.
        changed: Whether anything was moved; a release that the stage runs already stays.
        broke_glass: Whether gates were overridden.
    """

    placement: Placement
    replaced: str = ""
    gates: tuple[GateResult, ...] = ()
    changed: bool = True
    broke_glass: bool = False


class NewToken(Frozen, frozen=True, kw_only=True):
    """A token with its secret, which is shown this once and kept nowhere.

    Attributes:
        token: What is kept.
        secret: The whole text to be used as password; begins with ``mw_``.
    """

    token: Token
    secret: str


class Selection(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """Which entries of the log are meant; everything that is given must match.

    Attributes:
        project: Name of a project.
        version: A version.
        actor: Who.
        action: What.
        stage: A stage.
        outcome: ``done`` or ``denied``.
        after: Only entries with a greater sequence number.
        before: Only entries with a smaller one; 0: no limit.
        limit: At most so many.
        newest_first: Order.
    """

    project: str = ""
    version: str = ""
    actor: str = ""
    action: str = ""
    stage: str = ""
    outcome: str = ""
    after: int = 0
    before: int = 0
    limit: int = 1000
    newest_first: bool = False


EVERYTHING = Selection()


class Service(Protocol):
    """What can be asked of a registry.

    Every verb may raise ``NotAllowedError``, ``LoginError``, ``UnavailableError`` and ``RequestError``.
    """

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages, first to last."""
        ...

    def projects(self, search: str = "") -> tuple[ProjectSummary, ...]:
        """List projects, by name; ``search`` is looked for in names and summaries."""
        ...

    def project(self, name: str) -> Project:
        """Return a project.

        Raises:
            UnknownReleaseError: There is no such project.
        """
        ...

    def open_file(self, sha256: str) -> BinaryIO:
        """Open a stored file as a seekable stream, of which only what is read is moved.

        Raises:
            UnknownReleaseError: There is no such file.
        """
        ...

    def has(self, filename: str, sha256: str) -> bool:
        """Say whether the registry has exactly this file, so that it need not be uploaded."""
        ...

    def upload(self, path: Path, *, attestations: Iterable[Any] = ()) -> Publication:
        """Publish one file.

        Raises:
            UploadError: It is not one that an index may carry.
            TakenError: Its name is taken by other bytes, or was deleted.
            VersionStepError: Its version promises more compatibility than the change allows.
        """
        ...

    def evidence(self, sha256: str) -> tuple[Evidence, ...]:
        """List the evidence about a wheel, oldest first."""
        ...

    def attach(self, sha256: str, kind: EvidenceKind, content: Any) -> Evidence:
        """Attach evidence to a wheel.

        Raises:
            UnknownReleaseError: There is no such wheel.
            EvidenceError: It is malformed, or about another wheel.
        """
        ...

    def approve(self, name: str, version: str, *, stage: str, reason: str) -> tuple[Evidence, ...]:
        """Approve a release, with the wheels it has now, for a stage."""
        ...

    def gates(self, name: str, version: str, *, to: str) -> tuple[GateResult, ...]:
        """Say what each gate of a stage says of a release now; nothing is moved or logged."""
        ...

    def promote(
        self, name: str, version: str, *, to: str, reason: str, expected: str | None = None, break_glass: bool = False
    ) -> Promotion:
        """Make a release what a stage runs.

        Args:
            name: Name of the project.
            version: The release.
            to: Name of the stage.
            reason: Why; needed for ``break_glass``.
            expected: Digest of what the stage is thought to run now; empty: nothing; ``None``: whatever it runs.
            break_glass: Override gates that do not pass; recorded loudly.

        Raises:
            UnknownReleaseError: There is no such project, release or stage.
            GateError: Gates do not pass.
            StaleError: The stage runs something else than ``expected``.
        """
        ...

    def rollback(self, name: str, *, stage: str, reason: str, expected: str | None = None) -> Promotion:
        """Return a stage to what it ran before; no gate is asked.

        Args:
            name: Name of the project.
            stage: Name of the stage.
            reason: Why.
            expected: Digest of what the stage is thought to run now; ``None``: whatever it runs.

        Raises:
            UnknownReleaseError: There is no such project or stage, or nothing to go back to.
            StaleError: The stage runs something else than ``expected``.
        """
        ...

    def yank(self, name: str, version: str, *, reason: str) -> Project:
        """Keep installers from choosing a release by themselves; exact pins go on working (PEP 592)."""
        ...

    def unyank(self, name: str, version: str, *, reason: str = "") -> Project:
        """Take back a yank."""
        ...

    def delete(self, name: str, version: str, *, reason: str) -> Project:
        """Delete a release for ever; its file names never come back, and the log remembers it."""
        ...

    def report_rollout(self, name: str, version: str, *, event: RolloutEvent, stage: str = "", reason: str) -> Entry:
        """Write into the log what happened to a rollout that a server conducts; no stage moves.

        The same report of the same release again is no second entry, so that it can be sent until it is answered.

        Args:
            name: Name of the project.
            version: The release that is tried.
            event: What happened.
            stage: Stage whose requests it is tried on; empty: none.
            reason: Why.

        Returns:
            The entry of the log.

        Raises:
            UnknownReleaseError: There is no such project, release or stage.
            EvidenceError: The wheel that is tried is not the one that the registry has.
        """
        ...

    def set_status(self, name: str, status: Status, *, reason: str) -> Project:
        """Set the status of a project (PEP 792)."""
        ...

    def set_owners(self, name: str, owners: Iterable[str]) -> Project:
        """Say who owns a project."""
        ...

    def tokens(self) -> tuple[Token, ...]:
        """List every token, without secrets."""
        ...

    def add_token(
        self,
        user: str,
        *,
        scopes: Iterable[Scope],
        projects: Iterable[str] = (),
        days: float | None = None,
        note: str = "",
    ) -> NewToken:
        """Make a token; ``days`` is how long it holds, ``None`` for ever."""
        ...

    def revoke_token(self, token: str) -> Token:
        """Revoke a token, by its public part, at once."""
        ...

    def history(self, selection: Selection = EVERYTHING) -> Iterator[Entry]:
        """Read the log."""
        ...

    def head(self) -> Head:
        """Return the end of the log."""
        ...

    def check_audit(self, expected: Head | None = None) -> AuditReport:
        """Check the whole log, against an exported head if one is given."""
        ...
