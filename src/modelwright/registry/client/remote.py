"""A registry behind a URL: every verb of :class:`~modelwright.registry.service.Service`, over HTTP.

For: :class:`modelwright.registry.registry.Registry`. Which route a verb has stands in
:mod:`modelwright.registry.protocol`. Files are read by ranges and sent from disk in pieces, so that no wheel is in
memory; bytes that the registry has already are not sent again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import httpx2
import msgspec
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from modelwright.errors import UploadError
from modelwright.inspecting.ranges import BLOCK
from modelwright.inspecting.remote import RemoteStream, spooled
from modelwright.registry import protocol
from modelwright.registry.audit import AuditReport, Entry, Head
from modelwright.registry.client.connection import ADMISSION_TIMEOUT, Connection
from modelwright.registry.client.transfers import WatchedFile, Watcher, unwatched
from modelwright.registry.evidence import Evidence, EvidenceKind
from modelwright.registry.gates import GateResult
from modelwright.registry.people import Scope, Token
from modelwright.registry.projects import Project, ProjectSummary, Status
from modelwright.registry.rollouts import RolloutEvent
from modelwright.registry.service import EVERYTHING, NewToken, Promotion, Publication, Selection

T = TypeVar("T")


class RemoteService:
    """A registry behind a URL.

    Args:
        url: Address of the registry (``http://models.internal:8080``).
        token: Secret of a token; empty: ask without one.
        watcher: Told how far an upload is.

    Raises:
        RequestError: The address is none, or holds a password.
    """

    def __init__(self, url: str, token: str = "", *, watcher: Watcher = unwatched) -> None:
        self.connection = Connection(url, token)
        self._watcher = watcher

    def __repr__(self) -> str:
        """Show where it leads, and not with which token."""
        return f"<RemoteService at {self.connection.url}>"

    def whoami(self) -> protocol.Welcome:
        """Ask who we are to the registry, and what it is.

        Raises:
            LoginError: The token is unknown, expired or revoked.
        """
        return self._ask("whoami", protocol.Welcome)

    @cached_property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages, first to last; asked once."""
        return self.whoami().stages

    def projects(self, search: str = "") -> tuple[ProjectSummary, ...]:
        """List projects, by name; ``search`` is looked for in names and summaries."""
        return self._ask("projects", tuple[ProjectSummary, ...], query={"search": search} if search else None)

    def project(self, name: str) -> Project:
        """Return a project."""
        return self._ask("project", Project, name=name)

    def open_file(self, sha256: str) -> BinaryIO:
        """Open a stored file as a seekable stream; only what is read is moved."""
        path = protocol.path_of("open_file", sha256=sha256)
        client = self.connection.client()
        try:
            with client.stream("GET", path, headers={"Range": f"bytes=-{BLOCK}", "Accept": "*/*"}) as response:
                self.connection.check(response)
                if response.status_code == httpx2.codes.PARTIAL_CONTENT:
                    return cast(BinaryIO, RemoteStream(client, self.connection.url + path, first=response))
                whole = spooled(response, self.connection.url + path)
        except httpx2.HTTPError as error:
            client.close()
            raise self.connection.unreachable(error, changing=False) from error
        except BaseException:
            client.close()
            raise
        client.close()
        return whole

    def has(self, filename: str, sha256: str) -> bool:
        """Say whether the registry has exactly this file, so that it need not be uploaded."""
        return self._ask("has", protocol.Known, query={"filename": filename}, sha256=sha256).known

    def upload(self, path: Path, *, attestations: Iterable[Any] = ()) -> Publication:
        """Publish one file, sent from disk in pieces.

        Raises:
            UploadError: Its name is that of no wheel or source archive, or the registry does not take it.
            TakenError: Its name is taken by other bytes, or was deleted.
            VersionStepError: Its version promises more compatibility than the change allows.
        """
        form = _form(path, tuple(attestations))
        with self.connection.client() as client, WatchedFile(path, self._watcher) as stream:
            content = (path.name, cast(BinaryIO, stream), "application/octet-stream")
            try:
                response = client.post(
                    protocol.UPLOAD, data=form, files={"content": content}, timeout=ADMISSION_TIMEOUT
                )
            except httpx2.HTTPError as error:
                raise self.connection.unreachable(error, changing=True) from error
        return self.connection.answer(response, Publication)

    def evidence(self, sha256: str) -> tuple[Evidence, ...]:
        """List the evidence about a wheel, oldest first."""
        return self._ask("evidence", tuple[Evidence, ...], sha256=sha256)

    def attach(self, sha256: str, kind: EvidenceKind, content: Any) -> Evidence:
        """Attach evidence to a wheel."""
        body = protocol.EvidenceRequest(kind=kind, content=content)
        return self._ask("attach", Evidence, body=body, sha256=sha256)

    def approve(self, name: str, version: str, *, stage: str, reason: str) -> tuple[Evidence, ...]:
        """Approve a release, with the wheels it has now, for a stage."""
        body = protocol.ApprovalRequest(version=version, stage=stage, reason=reason)
        return self._ask("approve", tuple[Evidence, ...], body=body, name=name)

    def gates(self, name: str, version: str, *, to: str) -> tuple[GateResult, ...]:
        """Say what each gate of a stage says of a release now."""
        return self._ask("gates", tuple[GateResult, ...], query={"version": version, "to": to}, name=name)

    def promote(
        self, name: str, version: str, *, to: str, reason: str, expected: str | None = None, break_glass: bool = False
    ) -> Promotion:
        """Make a release what a stage runs; see :meth:`Service.promote`."""
        body = protocol.PromotionRequest(
            version=version, to=to, reason=reason, expected=expected, break_glass=break_glass
        )
        return self._ask("promote", Promotion, body=body, name=name)

    def rollback(self, name: str, *, stage: str, reason: str, expected: str | None = None) -> Promotion:
        """Return a stage to what it ran before."""
        body = protocol.RollbackRequest(stage=stage, reason=reason, expected=expected)
        return self._ask("rollback", Promotion, body=body, name=name)

    def yank(self, name: str, version: str, *, reason: str) -> Project:
        """Keep installers from choosing a release by themselves (PEP 592)."""
        body = protocol.ReleaseRequest(version=version, reason=reason)
        return self._ask("yank", Project, body=body, name=name)

    def unyank(self, name: str, version: str, *, reason: str = "") -> Project:
        """Take back a yank."""
        body = protocol.ReleaseRequest(version=version, reason=reason)
        return self._ask("unyank", Project, body=body, name=name)

    def delete(self, name: str, version: str, *, reason: str) -> Project:
        """Delete a release for ever."""
        body = protocol.ReleaseRequest(version=version, reason=reason)
        return self._ask("delete", Project, body=body, name=name)

    def report_rollout(self, name: str, version: str, *, event: RolloutEvent, stage: str = "", reason: str) -> Entry:
        """Write into the log what happened to a rollout that a server conducts."""
        body = protocol.RolloutReport(version=version, event=event, stage=stage, reason=reason)
        return self._ask("report_rollout", Entry, body=body, name=name)

    def set_status(self, name: str, status: Status, *, reason: str) -> Project:
        """Set the status of a project (PEP 792)."""
        body = protocol.StatusRequest(status=status, reason=reason)
        return self._ask("set_status", Project, body=body, name=name)

    def set_owners(self, name: str, owners: Iterable[str]) -> Project:
        """Say who owns a project."""
        body = protocol.OwnersRequest(owners=tuple(owners))
        return self._ask("set_owners", Project, body=body, name=name)

    def tokens(self) -> tuple[Token, ...]:
        """List every token, without secrets."""
        return self._ask("tokens", tuple[Token, ...])

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
        body = protocol.TokenRequest(user=user, scopes=tuple(scopes), projects=tuple(projects), days=days, note=note)
        return self._ask("add_token", NewToken, body=body)

    def revoke_token(self, token: str) -> Token:
        """Revoke a token, by its public part, at once."""
        return self._ask("revoke_token", Token, token=token)

    def history(self, selection: Selection = EVERYTHING) -> Iterator[Entry]:
        """Read the log, a page at a time."""
        left = selection.limit
        while left > 0:
            page = msgspec.structs.replace(selection, limit=min(left, protocol.PAGE))
            entries = self._ask("history", tuple[Entry, ...], query=_query(page))
            yield from entries
            left -= len(entries)
            if len(entries) < page.limit:
                return
            last = entries[-1].sequence
            selection = msgspec.structs.replace(
                selection, **({"before": last} if selection.newest_first else {"after": last})
            )

    def head(self) -> Head:
        """Return the end of the log."""
        return self._ask("head", Head)

    def check_audit(self, expected: Head | None = None) -> AuditReport:
        """Let the registry check the whole log, against an exported head if one is given."""
        query = {"sequence": str(expected.sequence), "hash": expected.hash} if expected else None
        return self._ask("check_audit", AuditReport, query=query)

    def _ask(
        self, verb: str, kind: type[T], *, query: dict[str, str] | None = None, body: Any = None, **names: str
    ) -> T:
        method, path = protocol.ROUTES[verb][0], protocol.path_of(verb, **names)
        return self.connection.ask(method, path, kind, query=query, body=body)


def _query(selection: Selection) -> dict[str, str]:
    """Return a selection as query parameters, defaults left out."""
    said: dict[str, Any] = msgspec.to_builtins(selection)
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in said.items()}


def _form(path: Path, attestations: tuple[Any, ...]) -> dict[str, str]:
    """Return the fields that go with an upload.

    Source: PyPI documentation, "Upload API" (the legacy one, which every publishing tool speaks).
    """
    try:
        if path.suffix == ".whl":
            name, version, _, tags = parse_wheel_filename(path.name)
            kind, python = "bdist_wheel", ".".join(sorted({tag.interpreter for tag in tags}))
        else:
            name, version = parse_sdist_filename(path.name)
            kind, python = "sdist", "source"
    except (InvalidWheelFilename, InvalidSdistFilename) as error:
        raise UploadError("This is the name of no wheel or source archive.", where=str(path), why=str(error)) from error
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    form = {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.4",
        "name": name,
        "version": str(version),
        "filetype": kind,
        "pyversion": python,
        "sha256_digest": digest,
    }
    return form | ({"attestations": msgspec.json.encode(attestations).decode()} if attestations else {})
