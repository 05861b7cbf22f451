"""Where a registry stands, judged by what everybody can see of it: after a crash this is what must be old or new."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import msgspec
from powercut.verbs import opened

LINK = re.compile(r'<a [^>]*href="([^"#]+)#sha256=([0-9a-f]{64})"[^>]*>([^<]+)</a>')


class Standing(NamedTuple):
    """Everything that can be seen of a registry; two of the same verbs at the same time are equal."""

    projects: bytes
    log: bytes
    pages: dict[str, bytes]


def standing(folder: Path) -> Standing:
    """Open a registry as whoever comes after a crash does, and see that it is sound."""
    service = opened(folder)
    try:
        report = service.check()
        assert report.sound, report
        names = [summary.name for summary in service.projects()]
        projects = msgspec.json.encode([service.project(name) for name in names])
        log = msgspec.json.encode(list(service.history()))
    finally:
        service.close()
    pages = static_pages(folder)
    for name, page in pages.items():
        if name.endswith(".html"):
            follow_links(folder, name, page.decode())
    return Standing(projects, log, pages)


def static_pages(folder: Path) -> dict[str, bytes]:
    """Return every page of the static index by its path; what a dead process left beside them is no page."""
    found = sorted(folder.glob("simple/**/index.*")) + sorted(folder.glob("*/simple/**/index.*"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found if path.is_file()}


def follow_links(folder: Path, page: str, html: str) -> int:
    """See that every file on a page is there with the digest that the page promises; return how many there are."""
    count = 0
    for href, sha256, name in LINK.findall(html):
        path = (folder / page).parent / unquote(href)
        assert path.resolve().is_relative_to(folder.resolve())
        assert path.name == name
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256, f"{page}: {name}"
        count += 1
    assert count == html.count("#sha256="), f"{page} has links of another form"
    return count
