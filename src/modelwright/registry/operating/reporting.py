"""Write into the log what servers report of the rollouts that they conduct.

Called by :class:`~.local.LocalService`. It moves no stage: a canary that is withdrawn changes who answers requests, and
what the stage runs stays what it was.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from modelwright.errors import EvidenceError, RequestError
from modelwright.registry.audit import Entry
from modelwright.registry.operating.desk import Desk, checked_reason, the_release
from modelwright.registry.projects import Release
from modelwright.registry.rollouts import MAX_MEASURES, RolloutEvent
from modelwright.registry.state.queries import find_entry

LONGEST_WORD = 200
"""Most characters of a name in a report."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
"""Source: RFC 3339 section 5.6, UTC only."""


def report_rollout(desk: Desk, name: str, version: str, *, event: RolloutEvent, stage: str, reason: str) -> Entry:
    """Write down what happened to a rollout; see :meth:`Service.report_rollout`."""
    tried = {"step": event.step, "kind": event.kind}
    attempt = desk.entry("rollout", project=name, version=version, stage=stage, reason=reason.strip(), detail=tried)
    with desk.judged(attempt), desk.state.write() as transaction:
        desk.allow("rollout", name)
        project = desk.project(transaction.connection, name)
        desk.allow("rollout", project.name, known=project)
        if stage:
            desk.stage(stage)
        release = the_release(project, version)
        entry = replace(
            attempt,
            project=project.name,
            version=release.version,
            sha256=_tried(release, _checked(event)),
            reason=checked_reason(reason),
            detail=msgspec.to_builtins(event),
        )
        return find_entry(transaction.connection, entry) or desk.record(transaction, entry)


def _tried(release: Release, event: RolloutEvent) -> str:
    """Return the digest of the wheel that is tried.

    Raises:
        EvidenceError: It is not one of the release's.
    """
    if event.sha256 and event.sha256 not in {wheel.sha256 for wheel in release.wheels}:
        raise EvidenceError(
            f"What is tried is not the {release.version} that this registry has.",
            why=f"It has sha256 {event.sha256[:12]}…; here it is {release.digest[:12]}….",
            hint="Serve the release from this registry: modelwright serve NAME@STAGE --registry URL",
        )
    return event.sha256 or release.digest


def _checked(event: RolloutEvent) -> RolloutEvent:
    """Return a report that can stand in the log for ever.

    Raises:
        RequestError: It cannot.
    """
    problem = next(_problems(event), "")
    if problem:
        raise RequestError("This is no report of a rollout.", why=problem)
    return event


def _problems(event: RolloutEvent) -> Iterator[str]:
    if not (0 <= event.before <= 1 and 0 <= event.after <= 1):
        yield "A share of the requests is from 0 to 1."
    if not _TIME.fullmatch(event.time):
        yield "A time is RFC 3339, in UTC."
    if event.sha256 and not re.fullmatch("[0-9a-f]{64}", event.sha256):
        yield "A digest is 64 hexadecimal digits."
    if len(event.measures) > MAX_MEASURES:
        yield f"It has more than {MAX_MEASURES} measures."
    for word in (event.control, event.by, *event.measures):
        if len(word) > LONGEST_WORD or not word.isprintable():
            yield f"A name in it has more than {LONGEST_WORD} characters, or some that cannot be printed."
    for one in event.measures.values():
        if not all(map(math.isfinite, (one.tried, one.control, one.effect, one.limit, one.evidence, one.needed))):
            yield "A measure is not a number."
