"""The memory: entries of the log, each of which contains the hash of the one before it.

For: state (which appends entries in the transaction of the change they tell of), ``modelwright audit`` and whoever
verifies an exported log without the registry. Pure functions; it does not decide what is logged.

An entry cannot be altered, removed or inserted without changing every hash after it, so that one exported head hash
fixes the whole past. Cutting off the end is found by comparing with an exported head.
Source: RFC 6962 section 2 has the same goal with trees; a chain is enough for one writer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from modelwright.spec.struct import Frozen

Action = Literal[
    "publish",
    "promote",
    "rollback",
    "yank",
    "unyank",
    "rollout",
    "delete",
    "evidence",
    "approve",
    "owners",
    "status",
    "token",
    "revoke",
    "configure",
    "login",
]
Outcome = Literal["done", "denied"]

GENESIS = "0" * 64
"""What the first entry names as the hash before it."""


class Entry(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was done, or that was tried and refused.

    Attributes:
        sequence: 1, 2, 3, … without gaps; the order of events, whatever clocks say.
        time: When, RFC 3339 UTC, as the registry's clock said.
        actor: Who.
        action: What.
        outcome: Whether it was done or denied.
        project: Name of the project, if it is about one.
        version: Version, if it is about one.
        stage: Stage, if it is about one.
        sha256: Digest of the wheel or release, if it is about one.
        reason: What the actor said.
        detail: Everything else: gates with values, the digest replaced, the refusal's code.
        previous: Hash of the entry before, 64 hexadecimal digits.
        hash: Hash of this entry; see :func:`entry_hash`.
    """

    sequence: int
    time: str
    actor: str
    action: Action
    outcome: Outcome
    project: str = ""
    version: str = ""
    stage: str = ""
    sha256: str = ""
    reason: str = ""
    detail: dict[str, Any] = {}
    previous: str
    hash: str = ""


class Head(Frozen, frozen=True, kw_only=True):
    """The end of the log: keep it elsewhere, and the whole past is fixed.

    Attributes:
        sequence: Number of the last entry; 0: the log is empty.
        hash: Its hash.
    """

    sequence: int
    hash: str


class AuditReport(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """Whether the log holds.

    Attributes:
        holds: Whether every entry is what it was when it was written.
        entries: How many were checked.
        head: The end of the log.
        problems: What is wrong, a sentence each, the first one nearest to the cause.
    """

    holds: bool
    entries: int
    head: Head
    problems: tuple[str, ...] = ()


def canonical(value: Any) -> bytes:
    """Return the one JSON of a value: keys sorted, no spaces, defaults left out.

    Example:
        >>> canonical({"b": 1, "a": 2})
        b'{"a":2,"b":1}'
    """
    return msgspec.json.encode(value, order="sorted")


def entry_hash(entry: Entry) -> str:
    """Return the hash of an entry: sha256 of its canonical JSON without the field ``hash``, hexadecimal.

    Example:
        >>> entry = Entry(sequence=1, time="2026-01-01T00:00:00Z", actor="ann", action="publish", outcome="done",
        ...               previous=GENESIS)
        >>> entry_hash(entry) == entry_hash(msgspec.structs.replace(entry, hash="f" * 64))
        True
    """
    return hashlib.sha256(canonical(msgspec.structs.replace(entry, hash=""))).hexdigest()


def chained(entry: Entry, head: Head) -> Entry:
    """Return an entry that follows a head: its sequence number, the hash before it and its own hash are set."""
    following = msgspec.structs.replace(entry, sequence=head.sequence + 1, previous=head.hash)
    return msgspec.structs.replace(following, hash=entry_hash(following))


def check_chain(entries: Iterable[Entry], *, expected: Head | None = None) -> AuditReport:
    """Check a whole log, first entry first, in constant memory.

    Args:
        entries: Every entry.
        expected: A head that was exported earlier; the log must still contain it.
    """
    head = Head(sequence=0, hash=GENESIS)
    problems: list[str] = []
    found = expected is None or expected.sequence == 0
    count = 0
    for entry in entries:
        count += 1
        if entry.sequence != head.sequence + 1:
            problems.append(f"entry {head.sequence + 1} is missing; {entry.sequence} follows {head.sequence}")
        elif entry.previous != head.hash:
            problems.append(f"entry {entry.sequence} does not follow the entry before it")
        if entry_hash(entry) != entry.hash:
            problems.append(f"entry {entry.sequence} was altered: {entry.action} by {entry.actor} at {entry.time}")
        head = Head(sequence=entry.sequence, hash=entry.hash)
        if expected is not None and entry.sequence == expected.sequence:
            found = True
            if entry.hash != expected.hash:
                problems.append(f"entry {entry.sequence} is not the one whose hash was exported")
    if not found and expected is not None:
        problems.append(f"the log ends at entry {head.sequence}; entry {expected.sequence} was exported, so it was cut")
    return AuditReport(holds=not problems, entries=count, head=head, problems=tuple(problems))
