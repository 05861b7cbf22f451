"""The audit page: the log with a filter, and whether its chain of hashes holds."""

from __future__ import annotations

from typing import get_args

from modelwright.errors import LoginError, NotAllowedError, RequestError
from modelwright.registry.audit import Action, AuditReport, Entry, Head, Outcome
from modelwright.registry.rollouts import measures_told
from modelwright.registry.service import Selection, Service
from modelwright.registry.web.asking import number, one_of, word
from modelwright.registry.web.formatting import value
from modelwright.registry.web.rendering import render
from modelwright.registry.web.requests import Page, Request, Site
from modelwright.spec.struct import Frozen

EACH = 50
"""Entries on one page."""
LONGEST_DETAIL = 2000
"""Characters of one fact, as of a reason; the whole of it is in ``modelwright history --json``."""
_HEX = frozenset("0123456789abcdef")
_TOLD = frozenset(("replaced", "broke_glass"))
"""Details that are told in the sentence about an entry."""


class EntryView(Frozen, frozen=True, kw_only=True):
    """One entry.

    Attributes:
        entry: The entry.
        details: What else it says, in words, by name; a list line by line.
    """

    entry: Entry
    details: dict[str, str]


class LogView(Frozen, frozen=True, kw_only=True):
    """What the page shows.

    Attributes:
        selection: The filter.
        actions: What can be filtered for.
        outcomes: What can be filtered for.
        stages: What can be filtered for.
        entries: Entries, newest first.
        older: Path of the next page; empty: these are the oldest.
        newest: Path of the first page; empty: this is it.
        head: The end of the log; ``None``: the visitor may not see all of it.
        expected: Exported head that was typed (``17:ab12…``).
        report: Whether the log holds; ``None``: nobody asked.
    """

    selection: Selection
    actions: tuple[str, ...]
    outcomes: tuple[str, ...]
    stages: tuple[str, ...]
    entries: tuple[EntryView, ...]
    older: str
    newest: str
    head: Head | None
    expected: str
    report: AuditReport | None


def log_page(site: Site, service: Service, request: Request) -> Page:
    """Show the log."""
    return render("log.html", site, request, _view(service, request, None))


def verified_page(site: Site, service: Service, request: Request) -> Page:
    """Check the whole log, and show the result above it."""
    report = service.check_audit(_head(word(request.query, "head")))
    return render("log.html", site, request, _view(service, request, report))


def _view(service: Service, request: Request, report: AuditReport | None) -> LogView:
    selection = _selection(service, request)
    found = list(service.history(selection))
    shown, more = found[:EACH], len(found) > EACH
    kept = {name: text for name, text in request.query.items() if name not in ("before", "head")}
    return LogView(
        selection=selection,
        actions=get_args(Action),
        outcomes=get_args(Outcome),
        stages=service.stages,
        entries=tuple(EntryView(entry=one, details=_details(one)) for one in shown),
        older=request.link("audit", **{**kept, "before": shown[-1].sequence}) if more else "",
        newest=request.link("audit", **kept) if selection.before else "",
        head=_end(service),
        expected=word(request.query, "head"),
        report=report,
    )


def _selection(service: Service, request: Request) -> Selection:
    query = request.query
    return Selection(
        project=word(query, "project"),
        version=word(query, "version"),
        actor=word(query, "actor"),
        action=one_of(query, "action", get_args(Action), what="action"),
        stage=one_of(query, "stage", service.stages, what="stage"),
        outcome=one_of(query, "outcome", get_args(Outcome), what="outcome"),
        before=number(query, "before"),
        limit=EACH + 1,
        newest_first=True,
    )


def _details(entry: Entry) -> dict[str, str]:
    told = _TOLD | {"what"} if entry.outcome == "denied" else _TOLD
    said = {**entry.detail, "measures": measures_told(entry.detail)}
    return {name.replace("_", " "): _said(one) for name, one in said.items() if name not in told and one}


def _said(content: object) -> str:
    """Write one fact; sentences and lists of them are shown as far as they fit, because no other page has the rest."""
    listed = content if isinstance(content, list | tuple) else (content,)
    if not all(isinstance(one, str) for one in listed):
        return value(content)
    text = "\n".join(listed)
    return text if len(text) <= LONGEST_DETAIL else text[: LONGEST_DETAIL - 1] + "…"


def _end(service: Service) -> Head | None:
    try:
        return service.head()
    except (LoginError, NotAllowedError):
        return None


def _head(text: str) -> Head | None:
    """Read an exported head, ``SEQUENCE:HASH``; nothing is none.

    Raises:
        RequestError: It is something else.
    """
    if not text:
        return None
    sequence, _, digest = text.partition(":")
    digest = digest.strip().lower()
    if not sequence.strip().isdecimal() or len(sequence) > 18 or len(digest) != 64 or not _HEX.issuperset(digest):
        raise RequestError("This is no exported head.", hint="modelwright audit --head prints one: 17:ab12…")
    return Head(sequence=int(sequence), hash=digest)
