"""Pages of a server in a real browser, without network: looked at, used with keys alone, and without JavaScript."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import CUT, SIZE, Watched, browsing, moved, violations, watched
from playwright.sync_api import Browser, Page, expect
from web_server import CONTRACTS, DOCUMENT, serving

MOST_BYTES = 100 * 2**10
"""Everything that a page transfers, its assets included; Swagger UI's page excepted."""
PAGES = {"front": "/", "churn": "/models/churn", "everything": "/models/every-thing", "waiting": "/models/waiting"}
NARROW = {"width": 390, "height": 844}
SWAGGER = "#swagger-ui"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real browser without a window."""
    with browsing() as browser:
        yield browser


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The server."""
    with serving() as address:
        yield address


@pytest.fixture(scope="module")
def with_script(chromium: Browser, server: str) -> Iterator[Watched]:
    with watched(chromium, server) as both:
        yield both


@pytest.fixture
def page(with_script: Watched) -> Iterator[Page]:
    """A page in which nothing may go wrong."""
    page, wrong = with_script
    wrong.clear()
    page.set_viewport_size(SIZE)
    yield page
    assert wrong == []


@pytest.fixture
def plain(chromium: Browser, server: str) -> Iterator[Page]:
    """A page without JavaScript, in which nothing may go wrong."""
    with watched(chromium, server, java_script_enabled=False) as (page, wrong):
        yield page
        assert [one for one in wrong if "400 (Bad Request)" not in one] == []


def send_wrong(page: Page) -> None:
    """Send a form that is wrong in two fields, past the browser's own checks."""
    page.goto("/models/churn")
    page.get_by_label("age", exact=True).fill("7")
    page.get_by_label("charges", exact=True).fill("")
    page.get_by_label("since", exact=True).fill("")
    page.locator("form.try").evaluate("form => { form.noValidate = true; }")
    page.get_by_role("button", name="Predict").click()
    expect(page.get_by_role("alert")).to_be_visible()


# Looked at, by everyone.


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_fit_for_everyone_in_light_and_dark(page: Page, tmp_path: Path, name: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(PAGES[name])
    light = page.screenshot(path=tmp_path / f"{name}-light.png")
    assert violations(page, besides=SWAGGER) == []
    page.emulate_media(color_scheme="dark")
    dark = page.screenshot(path=tmp_path / f"{name}-dark.png")
    assert violations(page, ["color-contrast", "link-in-text-block"], besides=SWAGGER) == []
    page.emulate_media(color_scheme="light")
    assert light != dark, "there is a dark mode"


def test_answers_and_problems_are_fit_for_everyone(with_script: Watched) -> None:
    page, wrong = with_script
    page.goto("/models/churn")
    page.get_by_label("Method").select_option("predict_proba")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#result")).to_be_visible()
    assert violations(page, besides=SWAGGER) == []
    send_wrong(page)
    assert violations(page, besides=SWAGGER) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page, ["color-contrast"], besides=SWAGGER) == []
    page.emulate_media(color_scheme="light")
    assert [one for one in wrong if "400 (Bad Request)" not in one] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_page_fits_on_a_narrow_screen(page: Page, name: str) -> None:
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 844})
        page.goto(PAGES[name])
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "WCAG 2.2, 1.4.10 Reflow"
    assert page.evaluate(CUT) == 0


@pytest.mark.parametrize("name", PAGES)
def test_every_page_moves_at_most_100_kilobytes(page: Page, name: str) -> None:
    _, sizes = moved(page, PAGES[name])
    assert len(sizes) >= 5
    assert sum(sizes) <= MOST_BYTES


# With JavaScript.


def test_an_answer_comes_in_its_place_with_the_request_that_gave_it(page: Page) -> None:
    page.goto("/models/churn#try")
    page.evaluate("window.same_page = true")
    page.get_by_label("age", exact=True).fill("43")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#result")).to_contain_text("yes")
    expect(page.locator("#result")).to_be_focused()
    assert page.evaluate("window.same_page") is True
    expect(page.get_by_label("age", exact=True)).to_have_value("43")
    page.get_by_text("The same request as a program sends it").click()
    expect(page.locator("#same")).to_contain_text('"age":43')
    expect(page.get_by_role("button", name="Copy: command for curl")).to_be_visible()
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#same")).to_have_attribute("open", "")


def test_the_command_on_the_page_gives_the_answer_on_the_page(page: Page, tmp_path: Path) -> None:
    page.goto("/models/churn")
    page.get_by_text("The same request as a program sends it").click()
    command = page.get_by_role("region", name="command for curl").inner_text()
    done = subprocess.run(["bash", "-c", f"{command} -s --compressed"], capture_output=True, text=True, timeout=10)
    assert '"predictions":[{"churn":"yes"}]' in done.stdout, done.stderr


def test_problems_come_in_their_place(with_script: Watched) -> None:
    page, _ = with_script
    send_wrong(page)
    expect(page.get_by_role("alert")).to_contain_text("2 problems: nothing was asked of the model.")
    expect(page.get_by_label("age", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("age", exact=True)).to_have_accessible_description(
        "7 is outside the range of the training data, 18 to 95 years · 18 to 95"
    )
    page.get_by_role("alert").get_by_role("link", name="since").click()
    expect(page.get_by_label("since", exact=True)).to_be_focused()


def test_a_browser_says_what_it_surely_knows(page: Page) -> None:
    page.goto("/models/churn")
    page.get_by_label("age", exact=True).fill("7")
    page.get_by_role("button", name="Predict").click()
    assert page.get_by_label("age", exact=True).evaluate("input => input.validity.rangeUnderflow")
    expect(page.locator("#result")).to_have_count(0)


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_row_of_a_scenario_passes_the_browser_s_own_checks(page: Page, name: str) -> None:
    page.goto(f"/models/{name}")
    if name == "free":
        page.get_by_label("value", exact=True).fill('{"any": ["thing"]}')
    assert page.locator("form.try").evaluate("form => form.checkValidity()")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#result")).to_have_attribute("role", "status")


def test_a_server_that_does_not_answer_is_said(with_script: Watched) -> None:
    page, wrong = with_script
    page.goto("/models/churn")
    page.route("**/try", lambda route: route.abort())
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#sending")).to_have_text("The server does not answer. Try again.")
    page.unroute("**/try")
    wrong.clear()


# With keys alone.


def test_a_model_can_be_tried_with_keys_alone(page: Page) -> None:
    page.goto("/models/churn")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    for _ in range(60):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        if page.evaluate("document.activeElement.name") == "row.age":
            break
    page.keyboard.type("50")
    page.keyboard.press("Enter")
    expect(page.locator("#result")).to_be_focused()
    expect(page.get_by_label("age", exact=True)).to_have_value("50")


# Without JavaScript.


def test_a_model_can_be_tried_without_javascript(plain: Page) -> None:
    plain.goto("/")
    plain.get_by_role("link", name="Try churn").click()
    plain.get_by_label("contract", exact=True).select_option("two years")
    plain.get_by_role("button", name="Predict").click()
    expect(plain.locator("#result")).to_contain_text("yes")
    expect(plain.get_by_label("contract", exact=True)).to_have_value("two years")
    expect(plain.locator("#same")).to_contain_text("two years")


def test_problems_are_shown_without_javascript(plain: Page) -> None:
    plain.goto("/models/every-thing")
    plain.get_by_label("vector", exact=True).fill("[1, 2]")
    plain.get_by_role("button", name="Predict").click()
    expect(plain.get_by_role("alert")).to_contain_text("has 2 elements where 3 are needed")
    expect(plain.get_by_label("vector", exact=True)).to_have_value("[1, 2]")


def test_documentation_without_javascript_leads_to_the_document(plain: Page) -> None:
    plain.goto("/docs")
    expect(plain.get_by_role("main").get_by_role("link", name="OpenAPI")).to_have_attribute("href", "/openapi.json")


# Swagger UI.


def test_swagger_ui_shows_every_operation_without_network(page: Page, tmp_path: Path) -> None:
    page.goto("/docs")
    count = sum(verb in ("get", "post") for item in DOCUMENT["paths"].values() for verb in item)
    expect(page.locator(".opblock")).to_have_count(count)
    expect(page.locator(".errors-wrapper")).to_have_count(0)
    page.screenshot(path=tmp_path / "docs.png", full_page=True)
    assert violations(page, besides=SWAGGER) == []
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_swagger_ui_sends_the_example_and_shows_the_answer(page: Page) -> None:
    page.goto("/docs/churn")
    operation = page.locator("#operations-churn-predict_churn")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    expect(operation.locator("textarea.body-param__text")).to_have_value(re.compile(r"\"age\": 42"))
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table .response .response-col_status")).to_have_text("200")
    expect(operation.locator(".live-responses-table")).to_contain_text('"predictions"')


def test_swagger_ui_follows_the_colours_of_the_system(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto("/docs/churn")
    expect(page.locator("html")).to_have_class("dark-mode")
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).not_to_have_class("dark-mode")
