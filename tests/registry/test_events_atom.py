"""The feed: valid XML whatever is in the log, ids that stay, order and times that readers understand."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelwright.registry.audit import Action, Entry, Head, chained
from modelwright.registry.events.atom import NAMESPACE, NEVER, feed

ATOM = f"{{{NAMESPACE}}}"
BASE = "https://models.example:8443"


def entry(**changes: object) -> Entry:
    fields = {"actor": "ann", "action": "publish", "outcome": "done", "project": "churn", "version": "1.0.0"}
    stamped = {"sequence": 0, "previous": "", "time": "2026-11-20T08:30:00.000000Z"}
    return chained(Entry(**(stamped | fields | changes)), Head(sequence=6, hash="ab" * 32))


def parsed(*entries: Entry, path: str = "/feed.atom") -> ElementTree.Element:
    return ElementTree.fromstring(feed(entries, title="Models", base_url=BASE, path=path))


def test_a_feed_has_what_rfc_4287_asks_of_it() -> None:
    newest = entry(action="promote", stage="production", reason="better <b>&", time="2026-11-21T09:00:00.000000Z")
    document = parsed(newest, entry())
    assert document.tag == f"{ATOM}feed"
    assert document.findtext(f"{ATOM}id") == "tag:models.example,2026:/feed.atom"
    assert document.findtext(f"{ATOM}updated") == newest.time
    assert document.findtext(f"{ATOM}author/{ATOM}name") == "Models"
    links = {link.get("rel"): link.get("href") for link in document.findall(f"{ATOM}link")}
    assert links == {"self": f"{BASE}/feed.atom", "alternate": f"{BASE}/"}
    first, second = document.findall(f"{ATOM}entry")
    assert first.findtext(f"{ATOM}id") == f"tag:models.example,2026-11-21:entry/7/{newest.hash[:16]}"
    assert first.findtext(f"{ATOM}title") == "ann promoted churn 1.0.0 to production"
    assert first.findtext(f"{ATOM}summary") == "better <b>&"
    assert second.find(f"{ATOM}link").get("href") == f"{BASE}/models/churn/1.0.0"
    assert second.find(f"{ATOM}category").get("term") == "publish"


def test_an_empty_feed_is_a_feed() -> None:
    document = parsed()
    assert document.findtext(f"{ATOM}updated") == NEVER
    assert document.findall(f"{ATOM}entry") == []


def test_ids_stay_the_same_and_no_two_are_alike() -> None:
    entries = [entry(), entry(reason="other"), entry(project="other")]
    once, again = ([one.findtext(f"{ATOM}id") for one in parsed(*entries).findall(f"{ATOM}entry")] for _ in range(2))
    assert once == again
    assert len(set(once)) == 3
    assert parsed(path="/models/churn/feed.atom").findtext(f"{ATOM}id") != parsed().findtext(f"{ATOM}id")


@pytest.mark.parametrize("action", Action.__args__)
def test_every_action_has_a_sentence_and_what_was_refused_says_so(action: str) -> None:
    done, denied = parsed(entry(action=action), entry(action=action, outcome="denied")).findall(f"{ATOM}entry")
    title = done.findtext(f"{ATOM}title")
    assert title is not None
    assert title.startswith("ann ")
    assert denied.findtext(f"{ATOM}title") == f"refused: {title}"


def test_a_canary_that_was_withdrawn_is_told_with_its_shares() -> None:
    detail = {"step": "rolled back", "kind": "canary", "before": 0.25, "after": 0.0}
    (told,) = parsed(entry(action="rollout", stage="production", detail=detail)).findall(f"{ATOM}entry")
    assert told.findtext(f"{ATOM}title") == "ann withdrew the canary of churn 1.0.0 in production (25 % → 0 %)"


TEXT = st.text(st.characters(codec="utf-8"))


@given(reason=TEXT, actor=TEXT, project=TEXT, version=TEXT, stage=TEXT)
def test_whatever_is_in_the_log_the_feed_is_xml(
    reason: str, actor: str, project: str, version: str, stage: str
) -> None:
    made = entry(reason=reason, actor=actor, project=project, version=version, stage=stage)
    (one,) = parsed(made).findall(f"{ATOM}entry")
    assert len(one.findtext(f"{ATOM}summary") or "") == len(reason)
