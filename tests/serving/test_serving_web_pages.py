"""Pages of a server as they are made: what they show, that they are sound HTML, that nothing acts; forms and rows."""

from __future__ import annotations

import hashlib
import json
import re
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from web_models import DIGEST, EVERYTHING_INPUTS, EVERYTHING_ROW, churn_contract, contract, everything_contract
from web_server import MODELS, WAITING, answer_to, shown

from modelwright.runtime.encoding import encode
from modelwright.serving.contract import Contract
from modelwright.serving.web import assets, pages
from modelwright.serving.web.controls import controls_of
from modelwright.serving.web.forms import parse_form, prefilled, text_of, value_of
from modelwright.serving.web.views import ModelView, Refusal, ServerView, VariantView

CHURN, EVERYTHING, FREE = MODELS


def elements(page: bytes) -> list[Any]:
    """Parse a page, refusing what HTML does not allow, and return all its elements."""
    tree = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), strict=True, namespaceHTMLElements=False)
    return list(tree.parse(page.decode()).iter())


def words(page: bytes) -> str:
    """Return the text of a page on one line, pieces apart."""
    body = html5lib.HTMLParser(namespaceHTMLElements=False).parse(page.decode()).find("body")
    return " ".join(" ".join(body.itertext()).split())


def form(of: Contract, /, **changes: str | None) -> bytes:
    """Return the form of a contract as a browser sends it after somebody changed some fields."""
    filled: dict[str, str | None] = {
        control.name: control.value
        for control in controls_of(of, prefilled(of, of.methods[0]))
        if control.kind != "checkbox" or control.value == "true"
    }
    filled |= {f"row.{name}": text for name, text in changes.items()}
    return urlencode({name: text for name, text in filled.items() if text is not None}).encode()


def asked(**changes: str | None) -> bytes:
    """Return the page of churn after its form was sent."""
    sent = parse_form(churn_contract(), form(churn_contract(), **changes))
    if sent.problems:
        return pages.model_page(shown(), CHURN, sent=sent)
    return pages.model_page(shown(), CHURN, sent=sent, answer=answer_to(churn_contract(), sent.method, list(sent.rows)))


PAGES = {
    "front": lambda: pages.front_page(shown()),
    "nothing": lambda: pages.front_page(ServerView()),
    "churn": lambda: pages.model_page(shown(), CHURN),
    "everything": lambda: pages.model_page(shown(), EVERYTHING),
    "free": lambda: pages.model_page(shown(), FREE),
    "waiting": lambda: pages.model_page(shown(), WAITING),
    "answered": asked,
    "wrong": lambda: asked(age="7", contract="monthy", since="x"),
    "refused": lambda: pages.model_page(
        shown(), CHURN, sent=parse_form(churn_contract(), form(churn_contract())), refusal=Refusal(error="Too late.")
    ),
    "docs": lambda: pages.docs_page(shown()),
    "docs of a model": lambda: pages.docs_page(shown(), model="churn"),
    "problem": lambda: pages.problem_page(shown(), Refusal(error="There is no model 'x'.", code="MW1202")),
}

# Every page.


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_sound_html_with_one_heading_and_ids_of_their_own(name: str) -> None:
    found = elements(PAGES[name]())
    ids = [element.get("id") for element in found if element.get("id")]
    assert len(ids) == len(set(ids))
    assert len([element for element in found if element.tag == "h1"]) == 1
    labels = {element.get("for") for element in found if element.tag == "label"}
    for element in found:
        if element.tag in ("input", "select", "textarea"):
            assert element.get("id") in labels


@pytest.mark.parametrize("name", PAGES)
def test_no_page_refers_to_anything_elsewhere_or_holds_anything_inline(name: str) -> None:
    for element in elements(PAGES[name]()):
        for attribute in ("src", "href", "action", "data-url"):
            address = element.get(attribute)
            assert address is None or address.startswith(("/", "#")), address
            assert address is None or not address.startswith("//")
        assert element.get("style") is None
        assert element.tag != "style"
        assert not [key for key in element.attrib if str(key).startswith("on")]
        if element.tag == "script":
            assert not element.text


@pytest.mark.parametrize("name", PAGES)
def test_every_asset_that_a_page_names_is_there(name: str) -> None:
    named = re.findall(r'"/static/([^"]+)"', PAGES[name]().decode())
    assert len(named) >= 4
    for one in named:
        assert assets.static(one) is not None


def test_links_lead_below_the_path_that_the_server_is_mounted_at() -> None:
    page = pages.model_page(ServerView(root="/ml", models=MODELS), CHURN).decode()
    assert 'action="/ml/models/churn/try#try"' in page
    assert not re.search(r'(href|src|action)="/(?!ml/|ml")', page)


# What they show.


def test_the_front_page_names_every_model_with_versions_shares_and_states() -> None:
    told = words(pages.front_page(shown()))
    assert "churn 1.3.0 classification ✓ ready" in told
    assert "main 1.3.0 90 % weight 90 ✓ ready 3f2a9c01d4e5" in told
    assert "next 1.4.0 10 % weight 10 preparing" in told
    assert "mirror 2.0.0a1 shadow ✗ refused A scenario does not hold." in told
    assert "waiting ✗ not ready" in told
    assert DIGEST in told, "the whole digest can be copied"


def test_shares_are_of_the_live_variants_only() -> None:
    live, shadow = VariantView(name="a", version="1", weight=3), VariantView(name="s", version="2", role="shadow")
    model = ModelView(name="m", variants=(live, shadow, VariantView(name="b", version="3", weight=1)))
    assert [model.share(one) for one in model.variants] == [0.75, None, 0.25]
    assert ModelView(name="m", variants=(VariantView(name="a", version="1", weight=0),)).share(live) is None


def test_a_card_can_do_nothing_on_the_page() -> None:
    page = pages.model_page(shown(), CHURN).decode()
    assert "<script>document" not in page
    assert "&lt;script&gt;document" in page
    assert "javascript:alert(1)" not in [element.get("href") for element in elements(page.encode())]
    assert "elsewhere.example" not in page


HOSTILE = "\"><script>alert(1)</script>'&{{7777*7777}}"


def test_names_and_values_that_somebody_else_chose_stay_text() -> None:
    hostile = contract(
        inputs=[
            {"name": HOSTILE, "datatype": "string", "description": HOSTILE, "unit": HOSTILE, "categories": [HOSTILE]},
            {"name": "method", "datatype": "string", "categories": [HOSTILE], "on_unknown": "error"},
        ],
        outputs=[{"name": HOSTILE, "datatype": "string"}],
        scenarios=[
            {
                "kind": "example",
                "name": "h",
                "inputs": [{HOSTILE: HOSTILE, "method": HOSTILE}],
                "expected": {HOSTILE: [HOSTILE]},
            }
        ],
    )
    model = ModelView(name=HOSTILE, contract=hostile, variants=(VariantView(name=HOSTILE, version=HOSTILE),))
    server = ServerView(title=HOSTILE, models=(model,), base_url=f"http://{HOSTILE}")
    sent = parse_form(hostile, form(hostile))
    assert sent.problems == ()
    answer = {"predictions": [{HOSTILE: HOSTILE}], "version": HOSTILE, "variant": HOSTILE, "request_id": HOSTILE}
    for page in (
        pages.front_page(server),
        pages.model_page(server, model, sent=sent, answer=answer),
        pages.docs_page(server, model=HOSTILE),
    ):
        assert b"<script>alert" not in page
        assert b"60481729" not in page
        elements(page)


def test_an_answer_shows_outputs_classes_version_and_request() -> None:
    told = words(asked())
    assert "churn yes churn 1.3.0, variant main, request 7f3a9c01" in told
    body = form(churn_contract()) + b"&method=predict_proba"
    sent = parse_form(churn_contract(), body)
    answer = answer_to(churn_contract(), sent.method, list(sent.rows))
    proba = words(pages.model_page(shown(), CHURN, sent=sent, answer=answer))
    assert "probability no 0.25 yes 0.75" in proba


def test_the_page_shows_the_same_request_for_programs() -> None:
    page = words(asked(age="43"))
    assert "curl http://127.0.0.1:8000/models/churn/predict" in page
    assert '"age":43' in page
    assert 'client = mw.Client("http://127.0.0.1:8000", model="churn")' in page


def test_a_refusal_is_shown_where_the_answer_would_be() -> None:
    refused = PAGES["refused"]()
    assert "Too late." in words(refused)
    assert [one.get("id") for one in elements(refused) if one.get("role") == "alert"] == ["result"]


# Forms.


def test_every_problem_stands_beside_its_field_and_what_was_written_is_kept() -> None:
    page = asked(age="7", contract="monthy", charges="much")
    found = {element.get("id"): element for element in elements(page) if element.get("id")}
    assert found["field-0"].get("value") == "7"
    assert found["field-0"].get("aria-invalid") == "true"
    note = "".join(found["field-0-note"].itertext())
    assert "7 is outside the range of the training data, 18 to 95" in note
    assert found["field-0"].get("aria-describedby") == "field-0-note"
    told = words(page)
    assert "3 problems: nothing was asked of the model." in told
    assert "did you mean 'monthly'?" in told
    assert "'much' is text; a number is needed" in told


def test_controls_suit_their_fields() -> None:
    made = controls_of(everything_contract(), prefilled(everything_contract(), "predict"))
    kinds = {control.label: control.kind for control in made}
    assert kinds["flag"] == "select", "no value is a choice of its own"
    assert kinds["small"] == kinds["number"] == kinds["wait"] == "number"
    assert kinds["level"] == "select"
    assert kinds["open end"] == "text", "a number input holds no infinity"
    assert kinds["share"] == "number", "its range is strict, so that there is none"
    assert kinds["day"] == "date"
    assert kinds["moment"] == "text", "the example has more digits than a calendar holds"
    assert kinds["instant"] == "text", "a calendar holds no time zone"
    assert kinds["free"] == kinds["vector"] == "textarea"
    by_label = {control.label: control for control in made}
    assert by_label["small"].attributes == {"min": "0", "max": "255", "step": "1", "required": "required"}
    assert by_label["large"].attributes == {"step": "1"}, "a browser would round the bounds"
    assert [value for value, _ in by_label["level"].options] == ["", "1", "2", "5"]


def test_a_form_that_nobody_changed_gives_the_row_of_the_scenario() -> None:
    sent = parse_form(everything_contract(), form(everything_contract()))
    assert sent.problems == ()
    assert sent.rows == (EVERYTHING_ROW,)


_BY_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "flag": st.none() | st.booleans(),
    "small": st.integers(0, 255),
    "large": st.none() | st.integers(-(2**63), 2**63 - 1),
    "level": st.sampled_from([None, 1, 2, 5]),
    "number": st.floats(allow_nan=False, allow_infinity=False, width=32),
    "open end": st.none() | st.floats(),
    "share": st.floats(0, 1),
    "text": st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1),
    "raw": st.binary(),
    "day": st.none() | st.dates(),
    "moment": st.datetimes(),
    "wait": st.floats(-1e6, 1e6),
    "vector": st.lists(st.floats(allow_nan=False), min_size=3, max_size=3),
    "matrix": st.none() | st.lists(st.lists(st.none() | st.integers(0, 9), min_size=2, max_size=2), max_size=3),
    "free": st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab"), st.lists),
}


@settings(deadline=None)
@given(st.fixed_dictionaries(_BY_TYPE))
def test_what_a_form_shows_is_what_it_sends(values: dict[str, Any]) -> None:
    fields = {field["name"]: field for field in EVERYTHING_INPUTS}
    for name, value in values.items():
        sent = encode(value)
        assert value_of(fields[name], text_of(fields[name], sent)) == sent


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["row.age", "row.x", "method", "row.", "y", "row.vector"]), st.text(max_size=9)))
def test_any_form_gives_rows_or_problems(filled: dict[str, str]) -> None:
    sent = parse_form(everything_contract(), urlencode(filled, errors="replace").encode())
    assert sent.problems
    pages.model_page(shown(), EVERYTHING, sent=sent)


@pytest.mark.parametrize(
    "body", [b"\xff\xfe", b"%ff=%fe", b"&".join(b"a%d=1" % number for number in range(100)), b"", b"=&=", b"{}"]
)
def test_what_is_no_form_is_refused_on_the_page(body: bytes) -> None:
    sent = parse_form(churn_contract(), body)
    assert sent.problems
    assert sent.rows == () or len(sent.rows) == 1
    elements(pages.model_page(shown(), CHURN, sent=sent))


def test_json_that_is_none_is_said_once() -> None:
    sent = parse_form(everything_contract(), form(everything_contract(), vector="[1, 2", free="{"))
    assert [(problem.column, problem.problem.partition(":")[0]) for problem in sent.problems] == [
        ("free", "is no JSON"),
        ("vector", "is no JSON"),
    ]


def test_json_that_is_nested_too_deeply_is_said() -> None:
    sent = parse_form(everything_contract(), form(everything_contract(), free="[" * 100_000))
    assert [str(problem) for problem in sent.problems] == [
        "row 0, column 'free': is no JSON: nested too deeply (write it as in a request: [1, 2], or {…})"
    ]


def test_a_box_that_is_not_ticked_is_false() -> None:
    sent = parse_form(churn_contract(), form(churn_contract(), paperless=None))
    assert sent.problems == ()
    assert sent.rows[0]["paperless"] is False


def test_an_unknown_method_is_a_problem_of_the_form() -> None:
    sent = parse_form(churn_contract(), form(churn_contract()) + b"&method=explode")
    assert [problem.problem for problem in sent.problems] == ["has no method 'explode'"]


# Assets.


def test_what_is_vendored_is_what_was_recorded() -> None:
    folder = files("modelwright.serving.web").joinpath("swagger")
    recorded = json.loads(folder.joinpath("vendored.json").read_text())
    assert recorded["name"] == "swagger-ui-dist"
    assert {one.name for one in folder.iterdir()} == {*recorded["files"], "vendored.json"}
    for name, about in recorded["files"].items():
        body = folder.joinpath(name).read_bytes()
        assert (hashlib.sha256(body).hexdigest(), len(body)) == (about["sha256"], about["size"]), name


@pytest.mark.parametrize(
    "path", ["", ".", "..", "/etc/passwd", "swagger-ui.css", "serving.000000000000.css", "a.b.c.d"]
)
def test_nothing_else_is_served(path: str) -> None:
    assert assets.static(path) is None
