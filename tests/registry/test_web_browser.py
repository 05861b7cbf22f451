"""Pages in a real browser, from the real server: looked at, used with keys alone, and without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browsing import CUT, SIZE, Watched, browsing, moved, violations, watched
from playwright.sync_api import Browser, BrowserContext, Page, expect
from web_house import House, served

from modelwright.registry.operating.opening import open_local

MOST_BYTES = 100 * 2**10
"""Everything that a page transfers, its assets included."""
PAGES = {
    "login": "/login",
    "models": "/",
    "project": "/models/churn",
    "version": "/models/churn/1.0.0",
    "yanked": "/models/churn/1.1.0",
    "library": "/models/teamtools",
    "compare": "/models/churn/compare?old=1.1.0&new=2.0.0",
    "promote": "/models/churn/promote?version=2.0.0&to=production",
    "override": "/models/churn/override?version=2.0.0&to=production",
    "approve": "/models/churn/approve?version=2.0.0&to=production",
    "rollback": "/models/churn/rollback?stage=dev",
    "yank": "/models/churn/2.0.0/yank",
    "audit": "/audit",
    "verified": "/audit/verify",
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real browser without a window."""
    with browsing() as browser:
        yield browser


@pytest.fixture(scope="module")
def registry(house: House) -> Iterator[str]:
    """The furnished registry, served; do not change it."""
    with served(house.folder) as address:
        yield address


@contextmanager
def visiting(browser: Browser, address: str, token: str, **context: Any) -> Iterator[Page]:
    """Open a browser of one's own, logged in, in which nothing goes wrong."""
    with logged_in(browser, address, token, **context) as (page, wrong):
        yield page
        assert wrong == []


@contextmanager
def logged_in(browser: Browser, address: str, token: str, **context: Any) -> Iterator[Watched]:
    """Open a browser of one's own, logged in; give what goes wrong in it, and what comes from elsewhere, as well."""
    with watched(browser, address, **context) as (page, wrong):
        log_in(page, token)
        yield page, wrong


def log_in(page: Page, token: str) -> None:
    page.goto("/login")
    log_in_here(page, token)
    page.wait_for_url("**/")


def log_in_here(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.get_by_role("main").get_by_role("button", name="Log in").click()


@pytest.fixture(scope="module")
def with_script(chromium: Browser, registry: str, house: House) -> Iterator[Watched]:
    """A browser in which somebody who may do everything is logged in, who changes nothing."""
    with logged_in(chromium, registry, house.token) as both:
        yield both


@pytest.fixture(scope="module")
def without_script(chromium: Browser, registry: str, house: House) -> Iterator[Watched]:
    """The same without JavaScript."""
    with logged_in(chromium, registry, house.token, java_script_enabled=False) as both:
        yield both


@pytest.fixture
def ann(with_script: Watched) -> Iterator[Page]:
    """A page in which nothing may go wrong."""
    page, wrong = with_script
    wrong.clear()
    yield page
    assert wrong == []


@pytest.fixture
def plain(without_script: Watched) -> Iterator[Page]:
    """The same without JavaScript."""
    page, wrong = without_script
    wrong.clear()
    yield page
    assert wrong == []


def running(house: House, stage: str) -> str:
    """Say what a stage runs, reading the registry afresh."""
    service = open_local(house.folder, user="ann")
    current = service.project("churn").current(stage)
    service.close()
    return current.version if current else ""


# Looked at, by everyone.


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_fit_for_everyone_in_light_and_dark(ann: Page, tmp_path: Path, name: str) -> None:
    ann.emulate_media(color_scheme="light")
    ann.goto(PAGES[name])
    light = ann.screenshot(path=tmp_path / f"{name}-light.png")
    assert violations(ann) == []
    ann.emulate_media(color_scheme="dark")
    dark = ann.screenshot(path=tmp_path / f"{name}-dark.png")
    assert violations(ann, ["color-contrast", "link-in-text-block"]) == []
    assert light != dark, "there is a dark mode"


def test_the_check_for_everyone_finds_what_is_wrong(ann: Page) -> None:
    ann.goto("/login")
    ann.evaluate("document.querySelector('label').remove()")
    assert "label" in [one.partition(":")[0] for one in violations(ann)]


@pytest.mark.parametrize("name", PAGES)
def test_every_page_fits_on_a_narrow_screen(ann: Page, name: str) -> None:
    ann.set_viewport_size({"width": 320, "height": 640})
    ann.goto(PAGES[name])
    width = ann.evaluate("document.documentElement.scrollWidth")
    ann.set_viewport_size(SIZE)
    assert width <= 320, "WCAG 2.2, 1.4.10 Reflow"


@pytest.mark.parametrize("name", ["models", "project", "compare", "promote", "override", "audit"])
def test_tables_that_matter_are_read_downwards_on_a_narrow_screen(ann: Page, name: str) -> None:
    ann.set_viewport_size({"width": 390, "height": 844})
    ann.goto(PAGES[name])
    cut = ann.evaluate(CUT)
    row = ann.locator(".stack tbody tr").first
    cells = row.get_by_role("cell").count()
    labels = row.locator("td").evaluate_all("cells => cells.map(one => getComputedStyle(one, '::before').content)")
    heads = ann.locator(".stack").first.get_by_role("columnheader").count()
    ann.set_viewport_size(SIZE)
    assert cut == 0
    assert cells, "a row is still a row for a screen reader"
    assert heads == len(labels) + 1
    assert "none" not in labels, "every cell says what it is"


@pytest.mark.parametrize("name", PAGES)
def test_every_page_moves_at_most_100_kilobytes(ann: Page, name: str) -> None:
    answer, sizes = moved(ann, PAGES[name])
    assert answer is not None
    assert answer.headers["content-encoding"] == "gzip"
    assert len(sizes) >= 3, "the page, its style, its script"
    assert sum(sizes) <= MOST_BYTES


def test_assets_are_fetched_once(ann: Page) -> None:
    ann.goto("/models/churn")
    ann.goto("/models/demand")
    fetched = ann.evaluate("performance.getEntriesByType('resource').map(one => one.transferSize)")
    assert len(fetched) >= 2
    assert set(fetched) == {0}


def test_what_somebody_wrote_never_runs(ann: Page) -> None:
    for address in ("/models/churn", "/models/churn/1.0.0", "/models/churn/1.1.0", "/audit", "/"):
        ann.goto(address)
        assert ann.evaluate("window.pwned") is None
        assert "<script>window.pwned=1</script>" in ann.locator("main").inner_text()


def test_what_is_inline_would_not_run_either(with_script: Watched) -> None:
    page, wrong = with_script
    page.goto("/")
    assert "default-src 'none'" in page.request.get("/").headers["content-security-policy"]
    blocked = page.evaluate(
        """() => new Promise(done => {
            document.addEventListener('securitypolicyviolation', event => done(event.effectiveDirective));
            const image = document.createElement('div');
            image.innerHTML = '<img src="data:," onerror="window.pwned=1">';
            document.body.append(image);
            setTimeout(() => done('nothing was blocked'), 2000);
        })"""
    )
    assert blocked == "script-src-attr"
    assert page.evaluate("window.pwned") is None
    assert len(wrong) == 1, "and the browser says so"


# With JavaScript.


def test_searching_narrows_the_table_while_one_types(ann: Page) -> None:
    ann.goto("/")
    expect(ann.get_by_role("link", name="churn", exact=True)).to_be_visible()
    search = ann.get_by_label("Search names and summaries")
    search.press_sequentially("how much")
    expect(ann.locator("#found")).to_have_text("1 model and 0 other packages for “how much”")
    expect(ann.get_by_role("link", name="churn", exact=True)).to_have_count(0)
    expect(search).to_be_focused()
    assert ann.url.endswith("/?q=how+much") or ann.url.endswith("/?q=how%20much")
    search.fill("")
    expect(ann.get_by_role("link", name="churn", exact=True)).to_be_visible()


def test_verifying_tells_the_result_where_one_is(ann: Page) -> None:
    ann.goto("/audit?project=demand")
    ann.get_by_role("button", name="Verify the log").click()
    expect(ann.locator("#verified")).to_contain_text("The log holds.")
    assert ann.url.endswith("/audit?project=demand"), "the filter is still there"


def test_what_is_refused_in_place_is_shown_as_a_page(with_script: Watched) -> None:
    page, _ = with_script
    page.goto("/audit")
    page.get_by_label("Exported head to compare with").fill("nonsense")
    page.get_by_role("button", name="Verify the log").click()
    expect(page.get_by_role("alert")).to_contain_text("This is no exported head.")


def test_who_searches_after_their_session_ended_is_led_to_the_form_and_back(
    chromium: Browser, registry: str, house: House
) -> None:
    with visiting(chromium, registry, house.token) as page:
        page.context.clear_cookies()
        page.get_by_label("Search names and summaries").press_sequentially("how much")
        expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
        expect(page.get_by_label("Token")).to_be_focused()
        log_in_here(page, house.token)
        expect(page.locator("#found")).to_contain_text("for “how")


def test_a_search_that_gets_no_answer_says_so(with_script: Watched) -> None:
    page, _ = with_script
    page.goto("/")
    page.route("**/?q=*", lambda route: route.abort())
    page.get_by_label("Search names and summaries").press_sequentially("how")
    expect(page.locator("#found")).to_have_text("The registry does not answer. Try again.")
    page.unroute("**/?q=*")


def test_lines_can_be_copied(chromium: Browser, registry: str, house: House) -> None:
    with visiting(chromium, registry, house.token, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto("/models/churn?stage=production")
        page.get_by_role("button", name="Copy: command for uv").click()
        assert page.evaluate("navigator.clipboard.readText()") == "uv add churn==1.0.0"
        expect(page.get_by_role("status").filter(has_text="Copied")).to_be_attached()


# With keys alone.


def press_to(page: Page, name: str, *, most: int = 80) -> None:
    """Press Tab until something of a name has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim() || document.activeElement.name") == name:
            return
    raise AssertionError(f"{name!r} cannot be reached with Tab")


def test_a_release_can_be_promoted_with_keys_alone(chromium: Browser, own_house: House) -> None:
    with served(own_house.folder) as address, visiting(chromium, address, own_house.token) as page:
        page.goto("/models/churn")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        press_to(page, "Promote 2.0.0 to staging")
        page.keyboard.press("Enter")
        page.wait_for_url("**/promote?*")
        press_to(page, "reason")
        page.keyboard.type("better on every slice")
        press_to(page, "Promote 2.0.0 to staging")
        page.keyboard.press("Enter")
        page.wait_for_url("**/models/churn?done=*")
        expect(page.get_by_role("status").first).to_contain_text("ann promoted 2.0.0 to staging instead of 1.0.0")
        assert running(own_house, "staging") == "2.0.0"


def test_where_one_is_can_always_be_seen(ann: Page) -> None:
    ann.goto("/models/churn/promote?version=2.0.0&to=staging")
    for _ in range(12):
        ann.keyboard.press("Tab")
        outline = ann.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", ann.evaluate("document.activeElement.outerHTML")


# Without JavaScript.


@pytest.mark.parametrize("name", PAGES)
def test_every_page_can_be_read_without_javascript(plain: Page, ann: Page, name: str) -> None:
    plain.goto(PAGES[name])
    ann.goto(PAGES[name])
    with_script = [one for one in ann.locator("main").inner_text().splitlines() if one != "Copy"]
    assert [one for one in plain.locator("main").inner_text().splitlines() if one] == [
        one for one in with_script if one
    ]


def test_searching_works_without_javascript(plain: Page) -> None:
    plain.goto("/")
    plain.get_by_label("Search names and summaries").fill("how much")
    plain.get_by_role("button", name="Search").click()
    expect(plain.locator("#found")).to_contain_text("1 model")


def test_promoting_and_rolling_back_work_without_javascript(chromium: Browser, own_house: House) -> None:
    with (
        served(own_house.folder) as address,
        visiting(chromium, address, own_house.token, java_script_enabled=False) as page,
    ):
        page.goto("/models/churn")
        page.get_by_role("link", name="Promote 2.0.0 to dev").click()
        page.get_by_label("Reason").fill("try it")
        page.get_by_role("button", name="Promote 2.0.0 to dev").click()
        expect(page.get_by_role("status").first).to_contain_text("promoted 2.0.0 to dev instead of 1.1.0")
        page.get_by_role("link", name="Roll back dev to 1.0.0").click()
        page.get_by_label("Reason").fill("worse")
        page.get_by_role("button", name="Roll dev back to 1.0.0").click()
        expect(page.get_by_role("status").first).to_contain_text("rolled back dev to 1.0.0 instead of 2.0.0")
        assert running(own_house, "dev") == "1.0.0"


def test_a_form_of_somebody_else_s_session_moves_nothing(chromium: Browser, own_house: House) -> None:
    with served(own_house.folder) as address:
        context: BrowserContext = chromium.new_context(base_url=address, java_script_enabled=False)
        page = context.new_page()
        log_in(page, own_house.token)
        form = {"version": "2.0.0", "to": "dev", "reason": "x", "expected": "", "csrf": "0" * 64}
        answer = context.request.post("/models/churn/promote", form=form, headers={"Origin": address})
        assert answer.status == 403
        assert running(own_house, "dev") == "1.1.0"
        context.close()


# Refusals, and leaving.


def test_a_page_that_is_not_there_says_so(chromium: Browser, registry: str, house: House) -> None:
    context = chromium.new_context(base_url=registry)
    page = context.new_page()
    log_in(page, house.token)
    answer = page.goto("/models/nothing")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    assert page.title().startswith("There is no such page")
    expect(page.get_by_role("alert")).to_contain_text("nothing")
    expect(page.get_by_text("MW1105").first).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Log out").click()
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
    context.close()


def test_a_registry_without_settings_is_not_called_like_its_first_page(chromium: Browser, empty_registry: Path) -> None:
    with served(empty_registry) as address:
        context = chromium.new_context(base_url=address)
        page = context.new_page()
        page.goto("/login")
        names = page.get_by_role("navigation", name="Registry").get_by_role("link").all_inner_texts()
        assert len(set(names)) == len(names), "every link of the head says something else"
        context.close()


def test_a_reader_is_told_that_they_may_not(chromium: Browser, own_house: House) -> None:
    with served(own_house.folder) as address:
        context = chromium.new_context(base_url=address)
        page = context.new_page()
        log_in(page, own_house.reader)
        page.goto("/models/churn")
        expect(page.get_by_role("link", name="Promote 2.0.0 to dev")).to_have_count(0)
        answer = page.goto("/models/churn/promote?version=2.0.0&to=dev")
        assert answer is not None
        expect(page.get_by_role("main")).to_contain_text("with a token that may do this")
        context.close()


def test_who_is_not_logged_in_is_led_to_the_form_and_back(chromium: Browser, registry: str, house: House) -> None:
    context = chromium.new_context(base_url=registry)
    page = context.new_page()
    page.goto("/models/churn")
    expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
    page.get_by_label("Token").fill("mw_000000000000_nothing")
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.goto("/models/churn/promote?version=2.0.0&to=production")
    page.get_by_label("Token").fill(house.token)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    page.wait_for_url("**/models/churn/promote?version=2.0.0&to=production")
    page.get_by_role("button", name="Log out").click()
    page.goto("/models/churn")
    expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
    context.close()
