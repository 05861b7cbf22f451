"""Move releases through the stages: promote, roll back, and what the gates say.

Called by :class:`~.local.LocalService`. What gates say is decided in :mod:`modelwright.registry.deciding.gates`; here
the facts are collected, in the same transaction in which the pointer is swapped.
"""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from msgspec.structs import replace
from sqlalchemy import Connection, update

from modelwright.errors import GateError, Problem, SettingsError, StaleError, UnknownReleaseError
from modelwright.registry.audit import Entry
from modelwright.registry.deciding.facts import weights_version
from modelwright.registry.deciding.gates import Facts, judge
from modelwright.registry.gates import GateResult, Signed
from modelwright.registry.operating.desk import Desk, checked_reason, need_reason, the_release
from modelwright.registry.operating.opened import card_of
from modelwright.registry.projects import Placement, Project, Release
from modelwright.registry.references import nothing_to_return_to
from modelwright.registry.service import Promotion
from modelwright.registry.settings import Stage
from modelwright.registry.state.database import Transaction
from modelwright.registry.state.queries import load_evidence, load_project
from modelwright.registry.state.tables import placements
from modelwright.spec.weights import weights_name


def gates(desk: Desk, name: str, version: str, *, to: str) -> tuple[GateResult, ...]:
    """Say what each gate of a stage says of a release now; nothing is moved or logged."""
    stage = desk.stage(to)
    with desk.state.read() as connection:
        desk.allow("read", name)
        project = desk.project(connection, name)
        release = _promotable(project, the_release(project, version))
        return judge(stage.gates, _facts(desk, connection, project, release, stage))


def promote(
    desk: Desk, name: str, version: str, *, to: str, reason: str, expected: str | None, break_glass: bool
) -> Promotion:
    """Make a release what a stage runs; see :meth:`modelwright.registry.service.Service.promote`."""
    attempt = desk.entry("promote", project=name, version=version, stage=to, reason=reason.strip())
    with desk.judged(attempt):
        stage = desk.stage(to)
        checked_reason(reason)
        if break_glass:
            need_reason(reason, "Breaking the glass")
        with desk.state.write() as transaction:
            project = desk.project(transaction.connection, name)
            desk.allow("promote", project.name, known=project)
            release = _promotable(project, the_release(project, version))
            return _move(desk, transaction, project, release, stage, attempt, expected, break_glass)


def _move(
    desk: Desk,
    transaction: Transaction,
    project: Project,
    release: Release,
    stage: Stage,
    attempt: Entry,
    expected: str | None,
    break_glass: bool,
) -> Promotion:
    current = project.current(stage.name)
    _check_expected(project, stage.name, current, expected)
    if current is not None and current.digest == release.digest:
        return Promotion(placement=current, replaced=current.version, changed=False)
    facts = _facts(desk, transaction.connection, project, release, stage)
    _check_weights(project, release, facts)
    judged = judge(stage.gates, facts)
    failed = [result for result in judged if not result.passed]
    if failed and not break_glass:
        raise _refusal(project, release, stage, judged)
    entry = desk.record(
        transaction,
        replace(
            attempt,
            project=project.name,
            version=release.version,
            sha256=release.digest,
            detail={
                "replaced": current.version if current else "",
                "replaced_digest": current.digest if current else "",
                "gates": judged,
                "broke_glass": bool(failed),
            },
        ),
    )
    placement = Placement(
        stage=stage.name,
        project=project.name,
        version=release.version,
        digest=release.digest,
        files=tuple(file.sha256 for file in release.wheels),
        sequence=entry.sequence,
        since=entry.time,
        actor=entry.actor,
    )
    _put(transaction, placement)
    return Promotion(
        placement=placement, replaced=current.version if current else "", gates=judged, broke_glass=bool(failed)
    )


def _check_expected(project: Project, stage: str, current: Placement | None, expected: str | None) -> None:
    """Refuse to move what somebody else moved meanwhile: two rollbacks at once are one."""
    if expected is not None and expected != (current.digest if current else ""):
        raise StaleError(
            f"{stage} does not run what it was thought to run.",
            where=f"{project.name} in {stage}",
            why=f"It runs {current.version if current else 'nothing'} now; somebody else was faster.",
            hint=f"Look again: modelwright show {project.name}",
        )


def _check_weights(project: Project, release: Release, facts: Facts) -> None:
    """Refuse a release whose weights are not here: whoever installed it from the stage would find none."""
    version = weights_version(project.name, release.requires)
    if version and not facts.weights:
        name = weights_name(project.name)
        raise UnknownReleaseError(
            f"The weights of {project.name} {release.version} are not in this registry.",
            where=f"{project.name} {release.version} → {facts.stage}",
            why=f"It requires {name}=={version}.",
            hint=f"modelwright publish {name.replace('-', '_')}-{version}-*.whl",
        )


def _put(transaction: Transaction, placement: Placement) -> None:
    columns = placements.c
    here = (columns.stage == placement.stage) & (columns.project == placement.project)
    transaction.connection.execute(update(placements).where(here, columns.current).values(current=False))
    row = {name: getattr(placement, name) for name in Placement.__struct_fields__}
    transaction.connection.execute(placements.insert().values(row | {"files": list(placement.files)}))


def rollback(desk: Desk, name: str, *, stage: str, reason: str, expected: str | None) -> Promotion:
    """Return a stage to what it ran before; see :meth:`modelwright.registry.service.Service.rollback`."""
    attempt = desk.entry("rollback", project=name, stage=stage, reason=reason.strip())
    with desk.judged(attempt):
        desk.stage(stage)
        need_reason(reason, "A rollback")
        with desk.state.write() as transaction:
            project = desk.project(transaction.connection, name)
            desk.allow("rollback", project.name, known=project)
            current, former = project.current(stage), project.former(stage)
            _check_expected(project, stage, current, expected)
            if current is None or former is None:
                raise nothing_to_return_to(project, stage)
            entry = desk.record(
                transaction,
                replace(
                    attempt,
                    project=project.name,
                    version=former.version,
                    sha256=former.digest,
                    detail={"replaced": current.version, "replaced_digest": current.digest},
                ),
            )
            returned = replace(former, current=True, sequence=entry.sequence, since=entry.time, actor=entry.actor)
            _withdraw(transaction, current, former, returned)
            return Promotion(placement=returned, replaced=current.version)


def _withdraw(transaction: Transaction, current: Placement, former: Placement, returned: Placement) -> None:
    """Take the current placement away and put the former one back, as of now: whatever soaks begins anew.

    What lies between them was passed over because it could not be installed. It is taken away as well: if its yank is
    taken back later, the next rollback still goes back.
    """
    columns = placements.c
    here = (columns.stage == current.stage) & (columns.project == current.project)
    put_back = {name: getattr(returned, name) for name in ("current", "sequence", "since", "actor")}
    taken_away = {"current": False, "withdrawn": True}
    for which, values in (
        (columns.sequence > former.sequence, taken_away),
        (columns.sequence == former.sequence, put_back),
    ):
        transaction.connection.execute(update(placements).where(here, which).values(values))


def _promotable(project: Project, release: Release) -> Release:
    """Return the release if stages are for it.

    Raises:
        UnknownReleaseError: It is no model, was yanked, or the project is closed.
    """
    where = f"{project.name} {release.version}"
    if project.kind != "model":
        raise UnknownReleaseError(
            f"{project.name} is no model, and only models have stages.",
            where=where,
            why=f"It is a {project.kind}, which every stage shows." if project.kind == "library" else "",
        )
    if release.yanked is not None:
        raise UnknownReleaseError(
            f"{project.name} {release.version} was yanked and cannot be promoted.",
            where=where,
            why=release.yanked,
            hint=f"modelwright yank {project.name} {release.version} --undo",
        )
    if not release.wheels:
        raise UnknownReleaseError(
            f"{project.name} {release.version} has no wheel, and a stage shows nothing else.",
            where=where,
            why="A source distribution runs its build backend when it is installed, which no gate can look at.",
            hint="Build the wheel from it, verify it, and publish that.",
        )
    if project.status in ("archived", "quarantined"):
        raise UnknownReleaseError(f"{project.name} is {project.status}.", where=where, why=project.status_reason)
    return release


def _facts(desk: Desk, connection: Connection, project: Project, release: Release, stage: Stage) -> Facts:
    current = project.current(stage.name)
    before = desk.settings.before(stage.name)
    incumbent = project.release(current.version) if current else None
    wheels = [file.sha256 for file in release.wheels]
    weights = _weights(connection, project, release)
    others = [file.sha256 for file in incumbent.files] if incumbent else []
    return Facts(
        stage=stage.name,
        before=before.name if before else "",
        project=project,
        release=release,
        incumbent=incumbent,
        evidence=load_evidence(connection, [*wheels, *weights]),
        incumbent_evidence=load_evidence(connection, others),
        weights=weights,
        card=card_of(desk.store, release) if stage.gates else "",
        keys=keys_of(desk, stage),
        now=desk.state.clock(),
    )


def _weights(connection: Connection, project: Project, release: Release) -> tuple[str, ...]:
    """Return the digests of the wheels that hold the weights of a release, if they are not in its own."""
    version = weights_version(project.name, release.requires)
    weights = load_project(connection, weights_name(project.name)) if version else None
    held = weights.release(version) if weights and weights.kind == "weights" else None
    return tuple(file.sha256 for file in held.wheels) if held else ()


def keys_of(desk: Desk, stage: Stage) -> dict[str, bytes]:
    """Return the public keys that gates of a stage name, PEM, by name.

    Raises:
        SettingsError: A key is not there, or no Ed25519 key: a gate that cannot be judged is never passed over.
    """
    keys: dict[str, bytes] = {}
    for gate in stage.gates:
        for name in gate.keys if isinstance(gate, Signed) else ():
            path = desk.root / name
            try:
                content = path.read_bytes()
                if not isinstance(load_pem_public_key(content), Ed25519PublicKey):
                    raise ValueError("It is no Ed25519 key.")
            except (OSError, ValueError, UnsupportedAlgorithm) as error:
                raise SettingsError(
                    f"The public key {name!r} cannot be read.", where=str(path), why=str(error)
                ) from error
            keys[name] = content
    return keys


def _refusal(project: Project, release: Release, stage: Stage, judged: tuple[GateResult, ...]) -> GateError:
    problems = [
        Problem(
            None,
            None,
            f"{'passed' if result.passed else 'FAILED'}: {result.value}; asked for: {result.threshold}",
            hint="" if result.passed else result.hint,
            item=result.gate,
        )
        for result in judged
    ]
    failed = sum(not result.passed for result in judged)
    return GateError(
        f"{failed} of {len(judged)} gates of {stage.name} {'does' if failed == 1 else 'do'} not let "
        f"{project.name} {release.version} in.",
        where=f"{project.name} {release.version} → {stage.name}",
        why="Nothing was moved; the attempt stands in the log.",
        problems=problems,
    )
