"""``mw.Registry``: a registry by its address, whether that is a folder or a URL.

For: Python, and every command of the command line that asks a registry. It finds the right
:class:`~modelwright.registry.service.Service` for an address, and adds what is the same for both: references, files
gathered from folders, bytes that are not sent twice, promotion by compare-and-swap. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from modelwright.errors import UnavailableError, UnknownReleaseError
from modelwright.package import Package
from modelwright.plugins import need
from modelwright.registry.asking import reading
from modelwright.registry.asking.addressing import EXTRA, open_existing, open_or_make, parse_address
from modelwright.registry.asking.parcels import gather, pack
from modelwright.registry.asking.reading import ReleaseReport
from modelwright.registry.asking.sending import Published, send
from modelwright.registry.audit import AuditReport, Entry, Head
from modelwright.registry.evidence import Evidence
from modelwright.registry.gates import GateResult
from modelwright.registry.people import Scope, Token
from modelwright.registry.projects import Project, ProjectSummary, Release, Status
from modelwright.registry.references import check_stage, find_release, parse_reference, unknown_project
from modelwright.registry.rollouts import RolloutEvent
from modelwright.registry.service import EVERYTHING, NewToken, Promotion, Publication, Selection, Service
from modelwright.steps import Listener, ignore

if TYPE_CHECKING:
    from modelwright.registry.bundling.importing import Imported, Libraries
    from modelwright.registry.bundling.writing import WrittenBundle
    from modelwright.registry.client.transfers import Watcher
    from modelwright.registry.index.install import InstallLines
    from modelwright.registry.operating.checking import CheckReport
    from modelwright.registry.operating.local import LocalService


class Registry:
    """A registry: a Python package index with stages and a memory.

    Args:
        place: A folder, which becomes a registry when something is published to it, its ``file:`` URL, or the
            ``http:`` or ``https:`` URL of a registry's server.
        token: Secret of a token, for a server; ``None``: ask without one.
        watcher: Told how far an upload to a server is.

    Raises:
        RequestError: A URL that is none, or that holds a password.
        MissingExtraError: The libraries of a registry are not installed.

    Example:
        >>> Registry("./registry")
        <Registry at registry>
    """

    def __init__(self, place: Path | str, *, token: str | None = None, watcher: Watcher | None = None) -> None:
        self.url, self.folder = parse_address(place)
        self._token, self._watcher = token or "", watcher
        if self.url:
            self.create()  # a malformed address is refused at once; nothing is asked yet

    def __repr__(self) -> str:
        """Show where it is, and not with which token."""
        return f"<Registry at {self.url or self.folder}>"

    @cached_property
    def service(self) -> Service:
        """What everything is asked of; a folder must be a registry already.

        Raises:
            UnavailableError: The folder is no registry, or cannot be used.
            SettingsError: Its ``registry.toml`` says something that cannot be honoured.
        """
        if self.folder is None:
            need("remote", "httpx2")
            from modelwright.registry.client.remote import RemoteService
            from modelwright.registry.client.transfers import unwatched

            return RemoteService(self.url, self._token, watcher=self._watcher or unwatched)
        return open_existing(self.folder)

    def create(self) -> Service:
        """Make the folder a registry if it is none yet; of a server nothing is made."""
        if self.folder is not None and "service" not in vars(self):
            self.__dict__["service"] = open_or_make(self.folder)
        return self.service

    def close(self) -> None:
        """Close the database of a folder; of a server nothing is kept open."""
        if self.folder is not None and "service" in vars(self):
            self.local().close()
            del self.__dict__["service"]

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages, first to last."""
        return self.service.stages

    def list(self, search: str = "") -> tuple[ProjectSummary, ...]:
        """List the projects, by name; ``search`` is looked for in names and summaries."""
        return self.service.projects(search)

    def project(self, name: str) -> Project:
        """Return a project with everything that can be seen of it.

        Raises:
            UnknownReleaseError: There is no such project; the nearest name is suggested.
        """
        wanted = parse_reference(name).name
        try:
            return self.service.project(wanted)
        except UnknownReleaseError as error:
            raise unknown_project(wanted, [one.name for one in self.service.projects()]) from error

    def find(self, reference: str) -> tuple[Project, Release]:
        """Return the release that a reference means, with its project.

        Args:
            reference: ``name`` (the highest final version), ``name==1.3.0`` or ``name@production``.

        Raises:
            UnknownReleaseError: There is no such project, version or stage; the nearest one is suggested.
        """
        parsed = parse_reference(reference)
        project = self.project(parsed.name)
        return project, find_release(project, parsed, self.stages if parsed.stage else ())

    def show(self, reference: str) -> ReleaseReport:
        """Return what is known of a release: files, stages, evidence, where it came from.

        Raises:
            UnknownReleaseError: There is no such release.
        """
        return reading.report(self.service, *self.find(reference))

    def read(self, reference: str) -> Package:
        """Open the model of a release, executing nothing; of a server, only what is looked at is moved.

        Raises:
            UnknownReleaseError: There is no such release, or it has no wheel.
            WheelError: It is no model.
        """
        return reading.open_release(self.service, *self.find(reference))

    def download(self, reference: str, folder: Path | str, *, listener: Listener = ignore) -> tuple[Path, ...]:
        """Copy every file of a release, and its weights, into a folder; each is checked against its digest.

        Raises:
            UnknownReleaseError: There is no such release.
            DamageError: What came is not what was published; it is not kept.
            StorageError: The folder cannot be written.
        """
        return reading.fetch(self.service, *self.find(reference), Path(folder), listener=listener)

    def install(self, reference: str) -> InstallLines:
        """Return the lines that install a release from here, and nobody else's package of that name.

        Raises:
            UnknownReleaseError: There is no such release.
        """
        base = self.url or self.local().desk.root.as_uri()
        return reading.install(self.service, base, *self.find(reference), stage=parse_reference(reference).stage)

    def bundle(
        self, reference: str, to: Path | str, *, python: str = "", platform: str = "", listener: Listener = ignore
    ) -> WrittenBundle:
        """Write one archive with a release and everything it needs, which installs without a network.

        Args:
            reference: ``name``, ``name==1.3.0`` or ``name@production``.
            to: The archive, or a folder for it.
            python: Version of Python it is for; empty: the one that the model was captured on.
            platform: Platform tag it is for; empty: this machine's.
            listener: Told about each step.

        Raises:
            UnknownReleaseError: There is no such release.
            BundleError: Something that it needs has no wheel for that Python and platform.
        """
        from modelwright.registry.bundling.writing import write_bundle

        return write_bundle(self.service, reference, to, python=python, platform=platform, listener=listener)

    def publish(
        self,
        *places: Path | str,
        evidence: Iterable[Path | str] = (),
        sign: Path | str | None = None,
        listener: Listener = ignore,
    ) -> Published:
        """Publish wheels and source archives; what the registry has already is not sent again.

        An attestation in a file ``NAME.whl.publish.attestation`` beside a wheel goes with it (PEP 740).

        Args:
            places: Files, or folders of which every wheel and source archive is published; none to attach evidence
                to what is there.
            evidence: Files with reports of ``modelwright verify`` or ``diff``, or lists of evaluations.
            sign: Private key (Ed25519, PEM) to sign every wheel with.
            listener: Told about each file.

        Raises:
            UnknownPackageError: There is no such file, or nothing to be published.
            UploadError: A file is not one that an index may carry; every problem is listed.
            TakenError: Its name is taken by other bytes.
            VersionStepError: Its version promises more compatibility than the change allows.
            EvidenceError: A document is no evidence, or about another wheel.
        """
        parcel = pack(places, evidence=evidence, sign=sign)
        return send(self.create(), parcel, listener=listener)

    def take_in(self, bundle: Path | str, *, libraries: Libraries = "skip", listener: Listener = ignore) -> Imported:
        """Publish what is in a bundle; every byte of it is checked first, and a second time changes nothing.

        Args:
            bundle: The archive.
            libraries: Whether the libraries of the model become projects of the registry, too.
            listener: Told about each file.

        Raises:
            BundleError: It is no bundle, or a file in it is not the one that it lists.
            UploadError: A wheel is not one that an index may carry.
        """
        from modelwright.registry.bundling.importing import import_bundle

        return import_bundle(bundle, self.create(), libraries=libraries, listener=listener)

    def rehearse(self, *places: Path | str, listener: Listener = ignore) -> tuple[Publication, ...]:
        """Say what would become of files if they were published; every check is made, nothing is stored or logged.

        Raises:
            UnknownPackageError: There is no such file, or nothing to be published.
            UploadError: A file is not one that an index may carry; every problem is listed.
            TakenError: Its name is taken by other bytes.
            VersionStepError: Its version promises more compatibility than the change allows.
        """
        need("registry", *EXTRA)
        from modelwright.registry.asking.rehearsing import rehearse

        service = self.service if self.url or (self.folder and self.folder.exists()) else None
        return tuple(rehearse(service, path, listener=listener) for path in gather(places))

    def gates(self, name: str, version: str, *, to: str) -> tuple[GateResult, ...]:
        """Say what each gate of a stage says of a release now; nothing is moved or logged."""
        project, release = self._release(name, version, to)
        return self.service.gates(project.name, release.version, to=to)

    def promote(
        self,
        name: str,
        version: str,
        *,
        to: str,
        reason: str = "",
        break_glass: bool = False,
        expected: str | None = None,
    ) -> Promotion:
        """Make a release what a stage runs.

        Args:
            name: Name of the project.
            version: The release.
            to: Name of the stage.
            reason: Why; needed for ``break_glass``.
            break_glass: Override gates that do not pass; recorded loudly.
            expected: Digest of what the stage is thought to run; ``None``: what it runs when this is called, so that
                somebody else's promotion in between is never undone unseen.

        Raises:
            UnknownReleaseError: There is no such project, release or stage.
            GateError: Gates do not pass; every gate is listed.
            StaleError: The stage runs something else than ``expected``.
        """
        project, release = self._release(name, version, to)
        seen = project.digest_in(to) if expected is None else expected
        return self.service.promote(
            project.name, release.version, to=to, reason=reason, expected=seen, break_glass=break_glass
        )

    def rollback(self, name: str, *, stage: str, reason: str, expected: str | None = None) -> Promotion:
        """Return a stage to what it ran before; no gate is asked.

        ``expected`` is as for :meth:`promote`: two who roll back at once go back once.

        Raises:
            UnknownReleaseError: There is no such project or stage, or nothing to go back to.
            StaleError: The stage runs something else than ``expected``.
        """
        check_stage(stage, self.stages)
        project = self.project(name)
        seen = project.digest_in(stage) if expected is None else expected
        return self.service.rollback(project.name, stage=stage, reason=reason, expected=seen)

    def approve(self, name: str, version: str, *, stage: str, reason: str) -> tuple[Evidence, ...]:
        """Approve a release, with the wheels it has now, for a stage."""
        project, release = self._release(name, version, stage)
        return self.service.approve(project.name, release.version, stage=stage, reason=reason)

    def _release(self, name: str, version: str, stage: str) -> tuple[Project, Release]:
        check_stage(stage, self.stages)
        return self.find(f"{name}=={version}")

    def yank(self, name: str, version: str, *, reason: str) -> Project:
        """Keep installers from choosing a release by themselves; exact pins go on working (PEP 592)."""
        project, release = self.find(f"{name}=={version}")
        return self.service.yank(project.name, release.version, reason=reason)

    def unyank(self, name: str, version: str, *, reason: str = "") -> Project:
        """Take back a yank."""
        project, release = self.find(f"{name}=={version}")
        return self.service.unyank(project.name, release.version, reason=reason)

    def delete(self, name: str, version: str, *, reason: str) -> Project:
        """Delete a release for ever; its file names never come back, and the log remembers it."""
        project, release = self.find(f"{name}=={version}")
        return self.service.delete(project.name, release.version, reason=reason)

    def report_rollout(self, name: str, version: str, *, event: RolloutEvent, stage: str = "", reason: str) -> Entry:
        """Write into the log what happened to a rollout that a server conducts; see :meth:`Service.report_rollout`."""
        return self.service.report_rollout(name, version, event=event, stage=stage, reason=reason)

    def set_status(self, name: str, status: Status, *, reason: str) -> Project:
        """Set the status of a project (PEP 792)."""
        return self.service.set_status(self.project(name).name, status, reason=reason)

    def set_owners(self, name: str, owners: Iterable[str]) -> Project:
        """Say who owns a project."""
        return self.service.set_owners(self.project(name).name, owners)

    def history(self, name: str = "", *, selection: Selection = EVERYTHING) -> tuple[Entry, ...]:
        """Return the log, oldest entry first unless the selection says otherwise.

        Args:
            name: Name of a project; empty: of all.
            selection: What else must match.
        """
        from msgspec.structs import replace

        wanted = replace(selection, project=parse_reference(name).name) if name else selection
        return tuple(self.service.history(wanted))

    def head(self) -> Head:
        """Return the end of the log; kept elsewhere, it fixes the whole past."""
        return self.service.head()

    def check_audit(self, expected: Head | None = None) -> AuditReport:
        """Check the whole log, against an exported head if one is given."""
        return self.service.check_audit(expected)

    def tokens(self) -> tuple[Token, ...]:
        """List every token, without secrets."""
        return self.service.tokens()

    def add_token(
        self,
        user: str,
        *,
        scopes: Iterable[Scope],
        projects: Iterable[str] = (),
        days: float | None = None,
        note: str = "",
    ) -> NewToken:
        """Make a token, whose secret is returned this once; ``days`` is how long it holds, ``None`` for ever."""
        return self.create().add_token(user, scopes=scopes, projects=projects, days=days, note=note)

    def revoke_token(self, token: str) -> Token:
        """Revoke a token, by its public part, at once."""
        return self.service.revoke_token(token)

    def check(self, *, listener: Listener = ignore) -> CheckReport:
        """Hash every stored file again, check the log, and bring the static index up to date.

        Raises:
            UnavailableError: The registry is not a folder on this machine.
        """
        return self.local().check(listener=listener)

    def repair(self, *, listener: Listener = ignore) -> CheckReport:
        """Do the same, and remove stored files that belong to no release."""
        return self.local().repair(listener=listener)

    def local(self) -> LocalService:
        """Return the registry as it is on this machine.

        Raises:
            UnavailableError: It is a server, or the folder is no registry.
        """
        if self.folder is None:
            raise UnavailableError(
                "This is done where the registry's folder is.",
                where=self.url,
                why="A server does not let others look into its files.",
                hint="Run it on the server's machine, with the folder's path.",
            )
        return cast("LocalService", self.service)
