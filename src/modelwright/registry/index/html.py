"""Pages of the simple API as HTML, which every installer since 2015 reads.

For: the application and the static index. Pure functions from data to text.

Source: PEP 503 (anchors), 592 (yank), 629 (version), 658 and 714 (metadata files), 708 (tracks), 740 (provenance),
792 (status).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from modelwright.registry.index import links
from modelwright.registry.index.pages import IndexFile, ProjectPage

GENERATOR = "modelwright"
"""What a page says it was made by, so that the static index removes only what it wrote."""


def project_html(page: ProjectPage, *, root: str, base_url: str = "") -> str:
    """Return a project's page.

    Args:
        page: What it says.
        root: The root of the registry, relative to the page, ending in ``/``; see :func:`.links.to_root`.
        base_url: Absolute URL of the root, for what must be absolute (PEP 740); empty: that is left out.

    Example:
        >>> file = IndexFile(filename="a-1.whl", path="files/a-1.whl", requires_python=">=3.11", yanked="")
        >>> page = ProjectPage(name="a", files=(file,), versions=("1",), serial=1)
        >>> print(project_html(page, root="../../").split("<body>")[1].splitlines()[2])
        <a href="../../files/a-1.whl" data-requires-python="&gt;=3.11" data-yanked="">a-1.whl</a><br>
    """
    anchors = [_anchor(file.filename, _attributes(file, root, base_url)) for file in links.offered(page)]
    return _document(f"Links for {page.name}", anchors, _about(page))


def names_html(names: Iterable[str]) -> str:
    """Return the page of all projects, one anchor each (PEP 503: "a single anchor element per project").

    Args:
        names: Their names, normalised.

    Example:
        >>> names_html(["churn"]).splitlines()[10]
        '<a href="churn/">churn</a><br>'
    """
    return _document("Simple index", [_anchor(name, [("href", f"{name}/")]) for name in names], [])


def _attributes(file: IndexFile, root: str, base_url: str) -> Iterator[tuple[str, str]]:
    # PEP 503: "The URL SHOULD include a hash in the form of a URL fragment".
    digest = f"#sha256={file.sha256}" if file.sha256 else ""
    yield "href", links.address(file, root) + digest
    if file.requires_python:
        yield "data-requires-python", links.one_line(file.requires_python)
    if file.metadata_sha256:
        # PEP 714: data-core-metadata is the name; the older one "MUST match".
        for name in ("data-core-metadata", "data-dist-info-metadata"):
            yield name, f"sha256={file.metadata_sha256}"
    if file.yanked is not None:
        yield "data-yanked", links.one_line(file.yanked)
    if proof := links.provenance(file, base_url):
        yield "data-provenance", proof


def _about(page: ProjectPage) -> Iterator[tuple[str, str]]:
    # PEP 792: "active" is what a page without the tag means.
    if page.status != "active":
        yield "pypi:project-status", page.status
        if page.status_reason:
            yield "pypi:project-status-reason", links.one_line(page.status_reason)
    for url in page.tracks:
        yield "pypi:tracks", url
    for url in page.alternate_locations:
        yield "pypi:alternate-locations", url


def _anchor(text: str, attributes: Iterable[tuple[str, str]]) -> str:
    written = " ".join(f'{name}="{escape(value)}"' for name, value in attributes)
    return f"<a {written}>{escape(text)}</a><br>"


def _document(title: str, anchors: Iterable[str], about: Iterable[tuple[str, str]]) -> str:
    head = [f'<meta name="{name}" content="{escape(content)}">' for name, content in about]
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta name="pypi:repository-version" content="{links.API_VERSION}">',
        f'<meta name="generator" content="{GENERATOR}">',
        *head,
        f"<title>{escape(title)}</title>",
        "</head>",
        "<body>",
        f"<h1>{escape(title)}</h1>",
        *anchors,
        "</body>",
        "</html>",
        "",
    ]
    return "\n".join(lines)
