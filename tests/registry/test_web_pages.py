"""Pages as they are made, from a real registry: what they show, that they are sound HTML, and that nothing acts."""

from __future__ import annotations

import gzip
import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import html5lib
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_house import HOSTILE, PLOT, House, signature

from modelwright.errors import LoginError, ModelwrightError, RequestError, UnknownReleaseError
from modelwright.inspecting.diff import diff
from modelwright.registry.operating.local import LocalService
from modelwright.registry.operating.opening import open_local
from modelwright.registry.people import NOBODY, Principal
from modelwright.registry.service import Selection
from modelwright.registry.web import assets, log, models, project, rendering, routes
from modelwright.registry.web.login import login_refused, own_path
from modelwright.registry.web.markdown import card_html
from modelwright.registry.web.refusals import refusal
from modelwright.registry.web.requests import Page, Request, Site

ANN = Principal(user="ann", scopes=("publish", "promote", "admin"))
SITE_LINKS = ("/", "#", "?")
WHOLE = {
    "models": "/",
    "found": "/?q=churn",
    "login": "/login?next=/models/churn",
    "project": "/models/churn",
    "library": "/models/teamtools",
    "version": "/models/churn/1.0.0",
    "yanked": "/models/churn/1.1.0",
    "library version": "/models/teamtools/1.0",
    "comparison": "/models/churn/compare?old=1.0.0&new=1.1.0",
    "breaking comparison": "/models/churn/compare?old=1.1.0&new=2.0.0",
    "promote": "/models/churn/promote?version=2.0.0&to=production",
    "promote freely": "/models/churn/promote?version=2.0.0&to=staging",
    "override": "/models/churn/override?version=2.0.0&to=production",
    "approve": "/models/churn/approve?version=2.0.0&to=production",
    "rollback": "/models/churn/rollback?stage=dev",
    "rollback, choosing": "/models/churn/rollback",
    "yank": "/models/churn/2.0.0/yank",
    "unyank": "/models/churn/1.1.0/unyank",
    "log": "/audit",
    "log, filtered": "/audit?project=churn&outcome=denied",
    "log, verified": "/audit/verify",
}
"""Every page that somebody can look at, by what it is."""


class Visitor:
    """Asks for pages as the application would, without HTTP."""

    def __init__(self, service: LocalService, principal: Principal = ANN) -> None:
        self.service = service.acting_for(principal)
        self.site = Site(settings=service.settings)
        self.principal = principal

    def get(self, address: str) -> str:
        page = self.ask("GET", address, {})
        assert page.status == 200
        return page.body.decode()

    def post(self, address: str, **form: str) -> Page:
        return self.ask("POST", address, form)

    def ask(self, method: str, address: str, form: dict[str, str]) -> Page:
        path, _, query = address.partition("?")
        request = Request(
            path=path,
            query=dict(pair.split("=", 1) for pair in query.split("&") if pair),
            form=form,
            principal=self.principal,
            csrf="a token for forms",
            base_url="http://models.internal/",
        )
        for route in routes.ROUTES:
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path)
            if route.method == method and (found := re.fullmatch(pattern, path)):
                return route.answer(self.site, self.service, replace(request, parts=found.groupdict()))
        raise AssertionError(f"no page at {address}")


@pytest.fixture
def ann(furnished: LocalService) -> Visitor:
    """Somebody who may do everything, looking at the furnished registry."""
    return Visitor(furnished)


@pytest.fixture
def own(own_house: House):
    """Somebody who may do everything, with a furnished registry of their own."""
    service = open_local(own_house.folder, user="ann")
    yield Visitor(service)
    service.close()


def elements(html: str) -> list[Any]:
    """Parse a page, refusing what HTML does not allow, and return all its elements."""
    tree = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), strict=True, namespaceHTMLElements=False)
    return list(tree.parse(html).iter())


def words(html: str) -> str:
    """Return the text of a page on one line, cells and paragraphs apart."""
    parted = re.sub(r"</(td|th|dt|dd|li|p|h\d|caption|summary)>", r" </\1>", html)
    body = html5lib.HTMLParser(namespaceHTMLElements=False).parse(parted).find("body")
    return " ".join("".join(body.itertext()).split())


# Every page.


@pytest.mark.parametrize("address", WHOLE.values(), ids=WHOLE)
def test_every_page_is_sound_html_in_which_nothing_acts(ann: Visitor, address: str) -> None:
    listed = elements(ann.get(address))
    for element in listed:
        assert not [name for name in element.attrib if name.startswith("on") or name == "style"], element.attrib
        assert element.tag not in ("style", "iframe", "object", "embed", "base"), element.tag
        assert element.tag != "script" or (element.get("src", "").startswith("/static/") and not element.text)
        for name in ("href", "src", "action"):
            value = element.get(name, "/")
            assert value.startswith((*SITE_LINKS, "https://example.org", "data:image/svg+xml,")), value
    ids = [element.get("id") for element in listed if element.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("address", WHOLE.values(), ids=WHOLE)
def test_every_page_can_be_found_one_s_way_in_without_seeing_it(ann: Visitor, address: str) -> None:
    listed = elements(ann.get(address))
    assert [element.tag for element in listed].count("h1") == 1
    assert [element.get("id") for element in listed if element.tag == "main"] == ["main"]
    labels = {element.get("for") for element in listed if element.tag == "label"}
    shown = [e for e in listed if e.tag in ("input", "select", "textarea")]
    hidden = [e for e in shown if e.get("type") == "hidden" or e.get("hidden") is not None]
    assert {e.get("id") for e in shown if e not in hidden} == labels
    for table in (element for element in listed if element.tag == "table"):
        inside = list(table.iter())
        assert any(e.tag == "caption" for e in inside) or "Table of the card" in str(_around(listed, table))
        assert all(e.get("scope") for e in inside if e.tag == "th") or "Table of the card" in str(
            _around(listed, table)
        )


def _around(listed: list[Any], child: Any) -> dict[str, str]:
    return next(element.attrib for element in listed if child in list(element))


@pytest.mark.parametrize("address", [address for address in WHOLE.values() if address.startswith("/models/churn")])
def test_what_changes_something_is_posted_with_the_token_of_the_session(ann: Visitor, address: str) -> None:
    for form in (element for element in elements(ann.get(address)) if element.tag == "form"):
        inputs = {element.get("name"): element.get("value") for element in form.iter("input")}
        assert (form.get("method") == "post") == (inputs.get("csrf") == "a token for forms")
        assert form.get("method") in ("get", "post")


def test_times_are_said_to_machines_too(ann: Visitor) -> None:
    times = [element for element in elements(ann.get("/models/churn")) if element.tag == "time"]
    assert len(times) > 10
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time.get("datetime")) for time in times)


@pytest.mark.parametrize("address", ["/models/churn", "/models/churn/1.0.0", "/audit?project=churn", "/"])
def test_text_that_somebody_chose_is_shown_as_text(ann: Visitor, address: str) -> None:
    assert "<script>window.pwned=1</script><img src=x onerror=window.pwned=1>" in words(ann.get(address))


def test_templates_are_not_rendered_twice(ann: Visitor) -> None:
    page = words(ann.get("/models/churn/1.0.0"))
    assert "{{7*7}}" in page
    assert "49" not in re.sub(r"[0-9a-f]{12,}", "", page).split()


def test_a_template_that_names_what_is_not_there_is_an_error() -> None:
    template = rendering._environment().from_string("{{ view.nothing.at_all }}")
    with pytest.raises(Exception, match="nothing"):
        template.render(view={})


# Assets.


def test_assets_have_names_of_their_bytes_and_fetch_nothing() -> None:
    for plain in ("pages.css", "pages.js", "htmx.min.js", "icon.svg"):
        asset = assets.find_asset(assets.asset_name(plain))
        assert asset is not None
        assert assets.find_asset(plain) is None, "a name without digest could be cached for ever by mistake"
        text = asset.body.decode()
        assert not re.search(r"@import|url\(|//cdn|sourceMappingURL", text)
    licences = Path(assets.__file__).with_name("static").glob("*LICENSE*")
    assert [path.name for path in licences] == ["htmx.LICENSE.txt"]


# Models.


def test_the_first_page_says_what_each_stage_runs(ann: Visitor) -> None:
    texts = [words(f"<table>{row}</table>") for row in re.findall("<tr>.*?</tr>", ann.get("/"), re.DOTALL)]
    assert [text.split()[0] for text in texts] == ["Model", "churn", "demand", "Package", "teamtools"]
    assert texts[0] == "Model dev staging production Latest Owner Last change"
    assert " 1.1.0 1.0.0 1.0.0 2.0.0 " in texts[1]
    assert "ann, ben" in texts[1]


def test_searching_narrows_both_tables(ann: Visitor) -> None:
    page = words(ann.get("/?q=how much"))
    assert "1 model and 0 other packages for “how much”" in page
    assert "demand" in page
    assert "churn" not in page


def test_a_search_for_markup_is_shown_as_text(ann: Visitor) -> None:
    page = ann.ask("GET", "/", {})
    assert page.status == 200
    assert "“<b>”" in words(ann.get("/?q=<b>"))


def test_long_lists_are_paged_and_keep_the_search(ann: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelwright.registry.web.models.EACH", 1)
    first = ann.get("/?q=a")
    links = [element.get("href") for element in elements(first) if element.get("rel") == "next"]
    assert links[0] == "/?q=a&page=2"
    assert "Page 2 of" in words(ann.get("/?q=a&page=2"))
    assert "Page 2 of 2" in words(ann.get("/?q=a&page=999999")), "a page too far is the last one"


@pytest.mark.parametrize("page", ["-1", "x", "1" * 10, "²"])
def test_a_page_that_is_no_number_is_refused(ann: Visitor, page: str) -> None:
    with pytest.raises(RequestError, match="not a number"):
        ann.get(f"/?page={page}")


# A project.


def test_a_project_says_what_can_be_done_next(ann: Visitor) -> None:
    hrefs = [element.get("href") for element in elements(ann.get("/models/churn")) if element.tag == "a"]
    assert "/models/churn/promote?version=2.0.0&to=production" in hrefs
    assert "/models/churn/rollback?stage=dev" in hrefs
    assert "/models/churn/rollback?stage=staging" not in hrefs, "it ran nothing before"
    assert "/models/churn/compare?old=1.1.0&new=2.0.0" in hrefs


def test_whoever_may_not_promote_is_not_asked_to(furnished: LocalService) -> None:
    eve = Visitor(furnished, Principal(user="eve", scopes=("read",)))
    assert "promote?" not in eve.get("/models/churn")
    page = eve.get("/models/churn/promote?version=2.0.0&to=staging")
    assert "Log in with a token that may do this" in words(page)
    assert 'method="post" action="/models' not in page


def test_the_timeline_marks_what_was_denied_and_what_was_overridden(ann: Visitor) -> None:
    page = words(ann.get("/models/churn"))
    assert "denied eve tried to promote 2.0.0 to production" in page
    assert "broke the glass ann broke the glass to promote 1.1.0 to production instead of 1.0.0" in page
    assert "ann rolled back production to 1.0.0 instead of 1.1.0" in page


def test_a_canary_that_was_withdrawn_is_marked_with_its_shares_and_measures(ann: Visitor) -> None:
    told = "withdrawn by itself ann withdrew the canary of 1.1.0 in staging 10 % → 0 %"
    assert told in words(ann.get("/models/churn"))
    log = words(ann.get("/audit?action=rollout"))
    assert "ann withdrawn by itself withdrew the canary of churn 1.1.0 in staging 10 % → 0 %" in log
    assert "0.4 against 0, 0.4 worse (limit 0.005), evidence 9000 of 400 needed: WORSE" in log


def test_the_install_lines_are_those_of_the_last_stage_and_of_a_chosen_one(ann: Visitor) -> None:
    page = ann.get("/models/churn")
    assert "http://models.internal/production/simple/" in page
    assert "churn==1.0.0" in page
    chosen = ann.get("/models/churn?stage=dev")
    assert "http://models.internal/dev/simple/" in chosen
    assert "--extra-index-url http" not in page + chosen
    assert "http://models.internal/simple/" in ann.get("/models/churn?stage=any")


def test_what_was_done_is_told_only_where_it_was_done(ann: Visitor, furnished: LocalService) -> None:
    serial = furnished.project("churn").serial
    assert "Done. ann yanked 1.1.0" in words(ann.get(f"/models/churn?done={serial}"))
    assert "Done." not in words(ann.get(f"/models/demand?done={serial}"))
    assert "Done." not in words(ann.get("/models/churn?done=999999"))


def test_the_timeline_says_why_something_was_denied(ann: Visitor) -> None:
    page = words(ann.get("/models/churn"))
    assert "2 of 3 gates of production do not let churn 1.1.0 in: metric accuracy on test, approved." in page
    assert "'eve' may not promote churn." in page


def test_a_closed_project_says_so(own: Visitor) -> None:
    own.service.set_status("churn", "deprecated", reason="use demand")
    assert "This project is deprecated. use demand" in words(own.get("/models/churn"))


# A version.


def test_a_version_shows_all_that_is_known(ann: Visitor) -> None:
    page = words(ann.get("/models/churn/1.0.0"))
    for said in (
        "accuracy higher is better",
        "new customers 0.85 20",
        "1 input, given as records",
        "✓ holds on cp311, linux_x86_64, verified",
        "Captured 2026-10-01 12:00",
        "Intended use",
        "✓ holds on cp311 linux_x86_64",
        "Apache-2.0",
        "numpy 2.0.0 by another one BSD-3-Clause",
        "six 1.17.0 by another one not known",
    ):
        assert said in page, said


def test_the_release_that_it_was_retrained_from_is_a_link(ann: Visitor) -> None:
    assert '<a href="/models/churn/1.0.0">churn==1.0.0</a>' in ann.get("/models/churn/1.1.0")


def test_a_card_is_shown_without_anything_that_acts(ann: Visitor) -> None:
    card = next(e for e in elements(ann.get("/models/churn/1.0.0")) if e.get("class") == "card")
    links = [(element.get("href"), element.text) for element in card.iter("a")]
    assert links == [("https://example.org/a?b=1&c=2", "site"), (None, "file")]
    assert [element.get("src") for element in card.iter("img")] == []
    text = " ".join("".join(card.itertext()).split())
    assert "[click](javascript:alert(1))" in text
    assert "![remote]" not in text
    assert "[image: remote]" in text


def test_charts_of_the_wheel_travel_inside_the_page() -> None:
    html = str(card_html("![plot](charts/plot.svg)", {"charts/plot.svg": PLOT}))
    assert html.startswith('<p><img src="data:image/svg+xml,%3Csvg xmlns=')
    assert html5lib.parseFragment(html, namespaceHTMLElements=False).find("p/img").get("alt") == "plot"


ALLOWED = {
    "p", "h3", "h4", "h5", "h6", "a", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "br",
    "img", "div", "table", "thead", "tbody", "tr", "th", "td", "DOCUMENT_FRAGMENT",
}  # fmt: skip
MARKUP = st.text("<>\"'()[]!#`|-\n &;:/=axscriptonjdthml", max_size=80)


def test_plots_of_the_evaluation_stand_beside_its_metrics(own: Visitor, churn: Callable[..., Path]) -> None:
    own.service.acting_for(ANN).upload(churn("3.0.0", charts={"confusion.svg": PLOT, "mine.svg": PLOT}))
    page = own.get("/models/churn/3.0.0")
    metrics = page[page.index('id="metrics"') : page.index('id="signature"')]
    assert re.findall(r'<img src="data:image/svg\+xml,[^"]+" alt="([^"]+)">', metrics) == ["Confusion matrix"]


@given(MARKUP)
def test_no_card_can_put_an_element_into_the_page_that_acts(card: str) -> None:
    fragment = html5lib.parseFragment(str(card_html(card, {})), namespaceHTMLElements=False)
    for element in fragment.iter():
        assert element.tag in ALLOWED
        assert set(element.attrib) <= {
            "href",
            "rel",
            "title",
            "src",
            "alt",
            "class",
            "tabindex",
            "role",
            "aria-label",
            "start",
        }
        assert element.get("href", "https://").startswith(("https://", "http://"))


def test_a_damaged_wheel_does_not_hide_the_rest(own: Visitor, own_house: House) -> None:
    digest = own.service.project("churn").releases[0].files[0].sha256
    stored = next(own_house.folder.glob(f"files/*/{digest}/*.whl"))
    stored.chmod(0o644)
    stored.write_bytes(b"PK" + bytes(100))
    page = words(own.get("/models/churn/1.0.0"))
    assert "Its wheel cannot be read. MW103: The file is not a complete ZIP archive." in page
    assert re.search(r"verification \d+ ✓ holds", page)
    assert "They cannot be compared. MW103" in words(own.get("/models/churn/compare?old=1.0.0&new=1.1.0"))


def test_a_wheel_is_read_once(furnished: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor, opened = Visitor(furnished), []
    reading = type(visitor.service).open_file
    monkeypatch.setattr(LocalService, "open_file", lambda self, digest: opened.append(digest) or reading(self, digest))
    first = visitor.get("/models/churn/1.0.0")
    assert visitor.get("/models/churn/1.0.0") == first
    assert len(opened) == 1


def test_a_document_that_is_too_large_is_named_instead_of_shown(own: Visitor, churn: Callable[..., Path]) -> None:
    rows = [
        {"kind": "example", "name": "long", "inputs": [{"x": 1.0}], "expected": {"y": [1.0]}, "reason": "x" * 2**22}
    ]
    own.service.upload(churn("1.0.0", name="long", card="*a* <b>" * 2**17, scenarios=rows))
    page = words(own.get("/models/long/1.0.0"))
    assert "card.md is too large to be typeset; the whole of it is in the wheel" in page
    assert "scenarios.jsonl is too large to be shown; it is in the wheel" in page
    assert "*a* <b>*a* <b>" in page
    assert len(page) < 80_000


def test_the_page_of_a_model_with_a_thousand_columns_stays_small(own: Visitor, churn: Callable[..., Path]) -> None:
    names = [f"column_{number:04}" for number in range(1000)]
    rows = [
        {"kind": "example", "name": f"s{n}", "inputs": [dict.fromkeys(names, 1.0)] * 9, "expected": {"y": [1.0] * 9}}
        for n in range(100)
    ]
    columns = signature(*names)
    own.service.upload(
        churn("1.0.0", name="wide", signature=columns, scenarios=rows, card="| a |\n|-|\n" + "| b |\n" * 999)
    )
    page = own.get("/models/wide/1.0.0")
    assert "1,000 inputs" in words(page)
    assert "700 more inputs in the manifest" in words(page)
    assets_moved = sum(len(one.zipped) for one in assets._by_plain_name().values())
    assert len(gzip.compress(page.encode())) + assets_moved <= 100 * 2**10


@pytest.mark.parametrize("version", ["9.9.9", "latest", "1.0.0.0.1"])
def test_a_version_that_is_not_there_is_refused_with_those_that_are(ann: Visitor, version: str) -> None:
    with pytest.raises(UnknownReleaseError) as refused:
        ann.get(f"/models/churn/{version}")
    assert "2.0.0" in refused.value.hint


def test_another_spelling_of_a_version_leads_to_it(ann: Visitor) -> None:
    assert "churn 1.0.0" in words(ann.get("/models/churn/1.0"))


# Two versions.


def test_a_breaking_change_is_said_in_words(ann: Visitor) -> None:
    page = ann.get("/models/churn/compare?old=1.1.0&new=2.0.0")
    assert "Breaking: a MAJOR change." in words(page)
    assert "breaking MAJOR signature" in words(page)
    assert 'class="breaking"' in page


def test_rows_whose_recorded_answer_changed_are_listed(ann: Visitor) -> None:
    page = words(ann.get("/models/churn/compare?old=1.0.0&new=1.1.0"))
    assert re.search(r"\d+ of \d+ rows that both versions recorded an answer to (has|have) another one now", page)
    assert "accuracy test 0.9 0.8 −0.1 worse" in page


def test_rows_that_both_models_were_run_on_are_listed_with_who_ran_them(
    own: Visitor, churn: Callable[..., Path], tmp_path: Path
) -> None:
    ann = own.service.acting_for(ANN)
    old, new = churn("3.0.0"), churn("3.1.0", slope=5.0)
    kept = [ann.upload(one).file.sha256 for one in (old, new)]
    compare = "/models/churn/compare?old=3.0.0&new=3.1.0"
    assert "modelwright diff churn==3.0.0 churn==3.1.0 --report diff.json" in own.get(compare)
    report = diff(old, new, behaviour="run", cache=tmp_path / "environments")
    ann.attach(kept[1], "comparison", msgspec.to_builtins(report))
    page = words(own.get(compare))
    assert re.search(r"Both models were run by ann\b.{1,40}: \d+ of \d+ rows (is|are) answered differently\.", page)
    assert "old:" in page
    assert "rows get another answer" in page
    assert "the answers were not compared" not in page
    assert "compared with 3.0.0:" in words(own.get("/models/churn/3.1.0"))


def test_what_differs_by_rounding_only_is_neither_better_nor_worse(own: Visitor, churn: Callable[..., Path]) -> None:
    for version, accuracy in (("3.0.0", 0.7), ("3.0.1", 0.7 - 1.2e-16)):
        own.service.acting_for(ANN).upload(churn(version, accuracy=accuracy))
    page = words(own.get("/models/churn/compare?old=3.0.0&new=3.0.1"))
    assert "accuracy test 0.7 0.7 the same" in page
    assert "worse" not in page


def test_without_a_choice_the_two_latest_are_compared(ann: Visitor) -> None:
    assert "churn: 1.1.0 → 2.0.0" in words(ann.get("/models/churn/compare"))
    assert "Two versions are needed" in words(ann.get("/models/demand/compare"))


@pytest.mark.parametrize("query", ["old=9.9", "new=<script>", "old=../../etc"])
def test_only_releases_can_be_compared(ann: Visitor, query: str) -> None:
    with pytest.raises(UnknownReleaseError):
        ann.get(f"/models/churn/compare?{query}")


# Moving.


def test_promoting_shows_every_gate_before_it_asks(ann: Visitor) -> None:
    page = ann.get("/models/churn/promote?version=2.0.0&to=production")
    text = words(page)
    assert "verified ✗ does not pass" in text
    assert "metric accuracy on test ✓ passes 0.9 ≥ 0.85" in text
    assert "2 of 3 gates of production do not let it in" in text
    assert 'method="post" action="/models' not in page, "there is nothing to press"


def test_promoting_moves_the_stage_and_leads_to_what_was_done(own: Visitor) -> None:
    form = own.get("/models/churn/promote?version=2.0.0&to=staging")
    expected = re.search(r'name="expected" value="(\w+)"', form)
    assert expected
    done = own.post("/models/churn/promote", version="2.0.0", to="staging", reason="better", expected=expected.group(1))
    assert done.status == 303
    assert "Done. ann promoted 2.0.0 to staging instead of 1.0.0" in words(own.get(done.location))


def test_a_stage_that_changed_meanwhile_is_not_overwritten(own: Visitor) -> None:
    refused = own.post("/models/churn/promote", version="2.0.0", to="staging", reason="better", expected="")
    assert refused.status == 412
    page = refused.body.decode()
    assert "staging does not run what it was thought to run" in words(page)
    assert ">better</textarea>" in page, "what was typed is still there"
    current = own.service.project("churn").current("staging")
    assert current is not None
    assert current.version == "1.0.0"
    assert current.digest in page, "the form now knows what the stage runs"


def test_nothing_moves_without_a_reason(own: Visitor) -> None:
    serial = own.service.project("churn").serial
    assert own.post("/models/churn/promote", version="2.0.0", to="staging", reason=" ").status == 400
    assert own.post("/models/churn/rollback", stage="dev", reason="").status == 400
    assert own.post("/models/churn/2.0.0/yank", reason="").status == 400
    assert own.post("/models/churn/approve", version="2.0.0", to="staging", reason="").status == 400
    assert own.service.project("churn").serial == serial


def test_the_title_of_a_form_says_first_that_it_was_refused(own: Visitor) -> None:
    address = "/models/churn/promote"
    assert "<title>Promote churn" in own.get(f"{address}?version=2.0.0&to=dev")
    refused = own.post(address, version="2.0.0", to="dev", reason="", expected="")
    assert "<title>Refused: Promote churn" in refused.body.decode()


def test_gates_are_asked_again_when_it_is_posted(own: Visitor) -> None:
    current = own.service.project("churn").current("production")
    assert current is not None
    refused = own.post(
        "/models/churn/promote", version="2.0.0", to="production", reason="anyway", expected=current.digest
    )
    assert refused.status == 409
    assert "MW1106" in refused.body.decode()
    last = next(iter(list(own.service.history(Selection(newest_first=True, limit=1)))))
    assert (last.action, last.outcome) == ("promote", "denied")


def test_breaking_the_glass_needs_the_name_of_the_project(own: Visitor) -> None:
    current = own.service.project("churn").current("production")
    assert current is not None
    form = {"version": "2.0.0", "to": "production", "reason": "fire", "expected": current.digest}
    assert own.post("/models/churn/override", **form, confirm="Churn").status == 400
    done = own.post("/models/churn/override", **form, confirm="churn")
    assert done.status == 303
    page = words(own.get(done.location))
    assert "Done. ann broke the glass to promote 2.0.0 to production" in page


def test_an_approval_is_recorded(own: Visitor) -> None:
    done = own.post("/models/churn/approve", version="2.0.0", to="production", reason="read the card")
    assert "Done. ann approved 2.0.0 for production" in words(own.get(done.location))


def test_the_form_for_rolling_back_shows_what_the_registry_then_does(own: Visitor) -> None:
    page = words(own.get("/models/churn/rollback?stage=dev"))
    assert "It would run 1.0.0" in page
    seen = own.service.project("churn").current("dev")
    assert seen is not None
    done = own.post("/models/churn/rollback", stage="dev", reason="worse", expected=seen.digest)
    assert "ann rolled back dev to 1.0.0 instead of 1.1.0" in words(own.get(done.location))
    assert "there is nothing to go back to" in words(own.get("/models/churn/rollback?stage=dev"))
    assert own.post("/models/churn/rollback", stage="dev", reason="again", expected=seen.digest).status == 412
    now = own.service.project("churn").current("dev")
    assert now is not None
    assert own.post("/models/churn/rollback", stage="dev", reason="again", expected=now.digest).status == 409


def test_the_form_for_rolling_back_shows_what_the_gates_say_and_lets_go(own: Visitor) -> None:
    service = own.service.acting_for(ANN)
    service.promote("churn", "2.0.0", to="production", reason="now", break_glass=True)
    page = words(own.get("/models/churn/rollback?stage=production"))
    assert "Gates of production Gate Result Found Asked for verified ✓ passes" in page
    assert "Rolling back waits for no gate: this is what they would say of 1.0.0 now." in page
    assert "Roll production back to 1.0.0" in page


def test_an_approval_is_offered_only_where_one_is_missing(own: Visitor) -> None:
    address = "/models/churn/promote?version=2.0.0&to=production"
    assert "Approve it for production" in own.get(address)
    ben = own.service.acting_for(Principal(user="ben", scopes=("promote",)))
    ben.approve("churn", "2.0.0", stage="production", reason="looked at it")
    page = own.get(address)
    assert "Break the glass" in page, "another gate still does not let it in"
    assert "Approve it for production" not in page


def test_yanking_and_taking_it_back(own: Visitor) -> None:
    done = own.post("/models/churn/2.0.0/yank", reason="broken")
    assert "ann yanked 2.0.0" in words(own.get(done.location))
    assert "It is yanked already: broken" in words(own.get("/models/churn/2.0.0/yank"))
    done = own.post("/models/churn/2.0.0/unyank", reason="fine after all")
    assert "ann took back the yank of 2.0.0" in words(own.get(done.location))


@pytest.mark.parametrize("address", ["/models/churn/promote?version=1.1.0", "/models/churn/promote?to=live"])
def test_what_cannot_be_promoted_cannot_be_chosen(ann: Visitor, address: str) -> None:
    with pytest.raises(UnknownReleaseError):
        ann.get(address)


# The log.


def test_the_log_can_be_filtered(ann: Visitor) -> None:
    assert "Show everything" not in ann.get("/audit")
    assert 'href="/audit">Show everything</a>' in ann.get("/audit?stage=production")
    rows = [e for e in elements(ann.get("/audit?outcome=denied&actor=eve")) if e.tag == "tr"]
    assert len(rows) == 2
    assert rows[1].get("class") == "denied"
    assert "No entry matches" in words(ann.get("/audit?actor=nobody"))


@pytest.mark.parametrize("query", ["action=<b>", "outcome=x", "stage=../x", "before=1e3"])
def test_a_filter_that_makes_no_sense_is_refused(ann: Visitor, query: str) -> None:
    with pytest.raises((UnknownReleaseError, RequestError)):
        ann.get(f"/audit?{query}")


def test_the_log_shows_every_gate_that_was_asked_when_something_was_refused(ann: Visitor) -> None:
    page = ann.get("/audit?project=churn&outcome=denied&version=1.1.0")
    assert "do not let churn 1.1.0 in: metric accuracy on test, approved." in words(page)
    problems = page[page.index("<dt>problems</dt>") :].partition("</dd>")[0]
    assert [line.split(":")[0] for line in problems.partition("<dd>")[2].splitlines()] == [
        "verified",
        "metric accuracy on test",
        "approved",
    ]


def test_a_long_fact_of_the_log_is_cut_where_the_page_would_grow(own: Visitor) -> None:
    entry = next(iter(own.service.history(Selection(limit=1))))
    details = log._details(msgspec.structs.replace(entry, detail={"problems": ["x" * 900] * 9, "code": "MW1106"}))
    assert len(details["problems"]) == log.LONGEST_DETAIL
    assert details["problems"].endswith("…")
    assert details["code"] == "MW1106"


@pytest.mark.parametrize("address", ["/?self=1", "/audit?self=1&before=9", "/models/churn?parts=1"])
def test_no_word_of_a_query_is_taken_for_an_argument(
    ann: Visitor, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    for module in (models, project):
        monkeypatch.setattr(module, "EACH", 1)
    assert address.partition("?")[2].partition("&")[0] in ann.get(address)


def test_the_log_is_paged_without_losing_an_entry(ann: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelwright.registry.web.log.EACH", 7)
    address, seen = "/audit", []
    while address:
        listed = elements(ann.get(address))
        rows = [row for row in listed if row.tag == "tr"][1:]
        seen += [int(next(row.iter("th")).text) for row in rows]
        address = next((e.get("href") for e in listed if e.get("rel") == "next"), "")
    assert seen == list(range(seen[0], 0, -1))


def test_verifying_says_that_the_log_holds_and_what_its_end_is(ann: Visitor, furnished: LocalService) -> None:
    head = furnished.head()
    page = words(ann.get("/audit/verify"))
    assert f"The log holds. {head.sequence} entries. Head: entry {head.sequence}, {head.hash}" in page
    held = words(ann.get(f"/audit/verify?head={head.sequence}:{head.hash}"))
    assert "and the exported head is among them" in held


def test_an_altered_log_is_seen(own: Visitor, own_house: House) -> None:
    with sqlite3.connect(own_house.folder / ".registry" / "state.sqlite") as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        log = next(name for name in tables if name in ("log", "entries", "audit"))
        triggers = database.execute("select name from sqlite_master where type = 'trigger'").fetchall()
        for (trigger,) in triggers:
            database.execute(f'drop trigger "{trigger}"')
        database.execute(f"update {log} set actor = 'mallory' where sequence = 5")
    database.close()
    page = words(own.get("/audit/verify"))
    assert "The log was altered." in page
    assert "entry 5 was altered" in page


@pytest.mark.parametrize("head", ["x", "1:abc", "1", ":" + "0" * 64, "1:" + "g" * 64, "9" * 30 + ":" + "0" * 64])
def test_only_an_exported_head_can_be_compared_with(ann: Visitor, head: str) -> None:
    with pytest.raises(RequestError):
        ann.get(f"/audit/verify?head={head}")


# Who may see it, and what everyone sees.


@pytest.mark.parametrize("address", [one for one in WHOLE.values() if not one.startswith("/login")])
def test_nobody_sees_anything_without_a_token(furnished: LocalService, address: str) -> None:
    with pytest.raises(LoginError):
        Visitor(furnished, NOBODY).get(address)


def test_the_page_of_a_deleted_version_says_that_it_was_deleted(service: LocalService, churn) -> None:
    service.upload(churn("1.0.0"))
    service.delete("churn", "1.0.0", reason="personal data")
    with pytest.raises(UnknownReleaseError, match=r"churn 1\.0 was deleted"):
        Visitor(service, service.principal).get("/models/churn/1.0")


def test_a_refusal_says_code_what_why_and_what_to_do(furnished: LocalService) -> None:
    site = Site(settings=furnished.settings)
    error = UnknownReleaseError(HOSTILE, where=HOSTILE, why="It never was.", hint="modelwright list")
    page = refusal(site, Request(path="/models/x"), error, status=404)
    text = words(page.body.decode())
    assert page.status == 404
    for said in ("There is no such page", HOSTILE.split('"')[0], "MW1105", "It never was.", "modelwright list"):
        assert said in text
    elements(page.body.decode())


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 429, 500, 503])
def test_every_status_has_a_page(furnished: LocalService, status: int) -> None:
    error = ModelwrightError("Something was refused.")
    assert refusal(Site(settings=furnished.settings), Request(), error, status=status).status == status


def test_a_refused_login_does_not_show_the_token(furnished: LocalService) -> None:
    request = Request(path="/login", form={"token": "mw_abc_secret", "next": "/models/churn"})
    page = login_refused(Site(settings=furnished.settings), request, LoginError("The token is unknown."))
    assert page.status == 401
    assert b"mw_abc_secret" not in page.body
    assert b'name="next" value="/models/churn"' in page.body


@given(st.text("/\\:@.abhtps\t\n%?# ü漢", max_size=20))
def test_logging_in_leads_nowhere_else(address: str) -> None:
    path = own_path(address)
    assert path in ("", address)
    assert not path or re.match(r"/(?![/\\])", path)
    assert path.isascii(), "it can stand in a header"
    assert not re.search(r"[\\\s]", path)
