"""The log as an Atom feed, so that any feed reader, chat or dashboard can follow a registry or one of its projects.

Called by the application. A pure function: entries in, bytes out.
Source: RFC 4287 (Atom); RFC 4151 (``tag:`` URIs); XML 1.0 section 2.2 (characters).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

from modelwright.registry.audit import Action, Entry
from modelwright.registry.events.messages import links
from modelwright.registry.rollouts import rollout_told, shares_told

NAMESPACE = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/atom+xml; charset=utf-8"
NEVER = "1970-01-01T00:00:00Z"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_VERBS: dict[Action, str] = {
    "publish": "published",
    "promote": "promoted",
    "rollback": "rolled back to",
    "yank": "yanked",
    "unyank": "took back the yank of",
    "rollout": "reported a rollout of",
    "delete": "deleted",
    "evidence": "attached evidence to",
    "approve": "approved",
    "owners": "set the owners of",
    "status": "set the status of",
    "token": "made a token",
    "revoke": "revoked a token",
    "configure": "configured the registry",
    "login": "logged in",
}


def feed(entries: Iterable[Entry], *, title: str, base_url: str, path: str) -> bytes:
    """Return an Atom document.

    Args:
        entries: Entries of the log, newest first.
        title: Of the feed.
        base_url: Where the registry is, ``https://models.example``. Ids are made of its host and the entries, so give
            one that stays the same.
        path: Where the feed is, ``/feed.atom``.

    Example:
        >>> feed([], title="Models", base_url="https://models.example", path="/feed.atom").count(b"<entry>")
        0
    """
    # Empty, it is the namespace of the whole document and not a prefix of every element.
    document = ElementTree.Element("feed", {"xmlns": NAMESPACE})
    host = urlsplit(base_url).hostname or "localhost"
    listed = list(entries)
    _text(document, "id", f"tag:{host},2026:{path}")
    _text(document, "title", title)
    _text(document, "updated", max((entry.time for entry in listed), default=NEVER))
    _text(ElementTree.SubElement(document, "author"), "name", title)
    ElementTree.SubElement(document, "link", {"rel": "self", "href": urljoin(base_url, path)})
    ElementTree.SubElement(document, "link", {"rel": "alternate", "href": urljoin(base_url, "/")})
    _text(document, "generator", "modelwright")
    for entry in listed:
        _add(document, entry, host, base_url)
    return bytes(ElementTree.tostring(document, encoding="utf-8", xml_declaration=True))


def _add(document: ElementTree.Element, entry: Entry, host: str, base_url: str) -> None:
    element = ElementTree.SubElement(document, "entry")
    # Its hash, too: a registry that was begun anew has other entries of the same numbers.
    _text(element, "id", f"tag:{host},{entry.time[:10]}:entry/{entry.sequence}/{entry.hash[:16]}")
    _text(element, "title", headline(entry))
    _text(element, "updated", entry.time)
    _text(ElementTree.SubElement(element, "author"), "name", entry.actor or "nobody")
    found = links(entry)
    about = found.get("release") or found.get("project") or found["log"]
    ElementTree.SubElement(element, "link", {"rel": "alternate", "href": urljoin(base_url, about)})
    ElementTree.SubElement(element, "category", {"term": entry.action})
    if entry.reason:
        _text(element, "summary", entry.reason)


def headline(entry: Entry) -> str:
    """Return an entry in one sentence.

    Example:
        >>> headline(Entry(sequence=1, time="", actor="ann", action="rollback", outcome="done", project="churn",
        ...                version="1.2.0", stage="production", previous=""))
        'ann rolled back to churn 1.2.0 in production'
    """
    rollout = entry.action == "rollout" and entry.outcome == "done"
    verb = rollout_told(entry.detail) if rollout else _VERBS[entry.action]
    what = " ".join(filter(None, (entry.project, entry.version)))
    place = f"{'to' if entry.action == 'promote' else 'for' if entry.action == 'approve' else 'in'} {entry.stage}"
    shares = shares_told(entry.detail) if rollout else ""
    place = place if entry.stage else ""
    sentence = " ".join(filter(None, (entry.actor or "nobody", verb, what, place, shares and f"({shares})")))
    return f"refused: {sentence}" if entry.outcome == "denied" else sentence


def _text(parent: ElementTree.Element, tag: str, text: str) -> None:
    # What XML cannot contain, escaped or not, would make the whole feed unreadable.
    ElementTree.SubElement(parent, tag).text = _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
