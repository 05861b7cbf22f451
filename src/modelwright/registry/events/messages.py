"""What a webhook is told, signed so that its receiver can tell that it comes from this registry.

Called by :mod:`modelwright.registry.events.webhooks`. Pure functions: no clock, no socket.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote

from modelwright.registry.audit import Entry, canonical

SIGNATURE = "X-Modelwright-Signature"
TIMESTAMP = "X-Modelwright-Timestamp"
DELIVERY = "X-Modelwright-Delivery"
EVENT = "X-Modelwright-Event"


def payload(entry: Entry) -> bytes:
    """Return the JSON that tells of an entry of the log: the entry itself, and where more is to be found.

    The same entry gives the same bytes, whenever and how often it is sent. Links are paths: what the registry is
    called from where the receiver stands, the receiver knows best.

    Example:
        >>> entry = Entry(sequence=7, time="2026-11-20T08:30:00.000000Z", actor="ann", action="promote",
        ...               outcome="done", project="churn", version="1.3.0", stage="production", previous="0" * 64)
        >>> b'"index":"/production/simple/churn/"' in payload(entry)
        True
    """
    return canonical({"entry": entry, "links": links(entry)})


def links(entry: Entry) -> dict[str, str]:
    """Return the paths of the pages that an entry is about."""
    found = {"log": f"/audit?project={quote(entry.project)}" if entry.project else "/audit"}
    if entry.project:
        found["project"] = f"/models/{quote(entry.project)}"
        found["index"] = f"/{quote(entry.stage)}/simple/{quote(entry.project)}/".replace("//", "/")
    if entry.project and entry.version:
        found["release"] = f"/models/{quote(entry.project)}/{quote(entry.version)}"
    return found


def signature(secret: bytes, timestamp: int, body: bytes) -> str:
    """Return what a receiver computes, too, to know that it was this registry, and when.

    The time is signed with the body, so that what was recorded cannot be sent again later.
    Source: RFC 2104 (HMAC) with SHA-256.

    Args:
        secret: What only the registry and the receiver know.
        timestamp: Seconds since 1970.
        body: What is sent.

    Example:
        >>> signature(b"secret", 1_795_000_000, b"{}")[:15]
        'sha256=6b4c7e66'
    """
    return "sha256=" + hmac.new(secret, b"%d." % timestamp + body, hashlib.sha256).hexdigest()


def headers(entry: Entry, *, delivery: int, timestamp: int, body: bytes, secret: bytes) -> dict[str, str]:
    """Return the headers of one attempt; the delivery's name stays the same when it is tried again."""
    return {
        "Content-Type": "application/json",
        EVENT: entry.action,
        DELIVERY: f"{entry.hash[:16]}-{delivery}",
        TIMESTAMP: str(timestamp),
        SIGNATURE: signature(secret, timestamp, body),
    }
