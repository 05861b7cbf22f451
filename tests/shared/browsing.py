"""A real browser for the tests of pages: opened without a window, watched, and asked what is not fit for everyone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Response, sync_playwright

AXE = (Path(__file__).parents[1] / "data" / "axe" / "axe.min.js").read_text(encoding="utf-8")
CHROMIUM = "/usr/bin/chromium"
SIZE = {"width": 1200, "height": 800}
CUT = "[...document.querySelectorAll('.scroll:has(.stack)')].filter(one => one.scrollWidth > one.clientWidth).length"
"""Counts the tables that are not read downwards, although there is no room for them."""
Watched = tuple[Page, list[str]]


@contextmanager
def browsing() -> Iterator[Browser]:
    """Start a browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def watched(browser: Browser, address: str, **context: Any) -> Iterator[Watched]:
    """Open a browser of one's own; give what goes wrong in it, and what is asked of elsewhere, as well."""
    visit = browser.new_context(base_url=address, viewport=SIZE, **context)
    page = visit.new_page()
    page.set_default_timeout(10_000)
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda asked: wrong.append(asked.url) if not asked.url.startswith((address, "data:")) else None)
    yield page, wrong
    visit.close()


def violations(page: Page, only: list[str] | None = None, *, besides: str = "") -> list[str]:
    """Return what axe-core finds that is serious or critical.

    Args:
        page: What is looked at.
        only: Rules that are checked; by default all.
        besides: Selector of what is somebody else's work, and left out.
    """
    page.evaluate(AXE)
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if only:
        options["runOnly"] = only
    where = {"exclude": [besides]} if besides else {"include": ["html"]}
    found = page.evaluate("([where, options]) => axe.run(where, options)", [where, options])
    return [
        f"{one['id']}: {node['html']}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def moved(page: Page, path: str) -> tuple[Response | None, list[float]]:
    """Go somewhere with nothing remembered; return the answer, and what it and its assets moved, bytes each."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda done: sizes.append(done["encodedDataLength"]))
    answer = page.goto(path, wait_until="networkidle")
    session.detach()
    return answer, sizes
