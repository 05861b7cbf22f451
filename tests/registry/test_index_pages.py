"""What pages say: HTML and JSON say the same, and whatever is put in comes out again."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelwright.registry.index import html, links
from modelwright.registry.index import json as pages_json
from modelwright.registry.index.pages import IndexFile, ProjectPage

HERE = "https://models.example/registry/simple/churn/"
DIGEST = "ab" * 32


def tree(text: str) -> Any:
    """Parse as a browser does; strict, so that every error of ours is one."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def entry(**changes: Any) -> IndexFile:
    return IndexFile(
        **{"filename": "churn-1.0-py3-none-any.whl", "path": "files/ab/churn-1.0-py3-none-any.whl", **changes}
    )


def page(*files: IndexFile, **changes: Any) -> ProjectPage:
    return ProjectPage(**{"name": "churn", "files": files, "versions": ("1.0",), "serial": 7, **changes})


def anchors(text: str) -> list[dict[str, str]]:
    return [{"text": "".join(each.itertext()), **each.attrib} for each in tree(text).iter("a")]


def about(text: str) -> list[tuple[str, str]]:
    return [(each.get("name"), each.get("content")) for each in tree(text).iter("meta") if each.get("name")]


def said_in_html(text: str) -> dict[str, Any]:
    """What a client understands from a project's page."""
    files = []
    for each in anchors(text):
        url, _, digest = each["href"].partition("#sha256=")
        files.append(
            {
                "filename": each["text"],
                "url": urljoin(HERE, url),
                "sha256": digest,
                "requires-python": each.get("data-requires-python", ""),
                "yanked": each.get("data-yanked"),
                "metadata": each.get("data-core-metadata", "").removeprefix("sha256="),
                "provenance": each.get("data-provenance", ""),
            }
        )
    tags = about(text)
    return {
        "files": files,
        "status": dict(tags).get("pypi:project-status", "active"),
        "reason": dict(tags).get("pypi:project-status-reason", ""),
        "tracks": [value for name, value in tags if name == "pypi:tracks"],
        "alternate": [value for name, value in tags if name == "pypi:alternate-locations"],
    }


def said_in_json(content: bytes) -> dict[str, Any]:
    document = json.loads(content)
    files = []
    for each in document["files"]:
        yanked = each.get("yanked", False)
        files.append(
            {
                "filename": each["filename"],
                "url": urljoin(HERE, each["url"]),
                "sha256": each["hashes"].get("sha256", ""),
                "requires-python": each.get("requires-python", ""),
                "yanked": None if yanked is False else "" if yanked is True else yanked,
                "metadata": each.get("core-metadata", {}).get("sha256", ""),
                "provenance": each.get("provenance", ""),
            }
        )
    status = document.get("project-status", {"status": "active"})
    return {
        "files": files,
        "status": status["status"],
        "reason": status.get("reason", ""),
        "tracks": document["meta"].get("tracks", []),
        "alternate": document.get("alternate-locations", []),
    }


texts = st.text(max_size=40)
filenames = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=20).map(
    lambda text: text.replace("/", "_")
)
digests = st.sampled_from(["", DIGEST, "0" * 64])
files = st.builds(
    IndexFile,
    filename=filenames,
    path=st.just(""),
    sha256=digests,
    size=st.none() | st.integers(0, 2**50),
    requires_python=texts,
    metadata_sha256=digests,
    yanked=st.none() | texts,
    provenance=st.booleans(),
).map(
    lambda file: entry(
        **{name: getattr(file, name) for name in file.__struct_fields__} | {"path": f"files/{file.filename}"}
    )
)
pages = st.builds(
    ProjectPage,
    name=st.just("churn"),
    files=st.lists(files, max_size=4).map(tuple),
    versions=st.just(("1.0",)),
    serial=st.integers(),
    status=st.sampled_from(["active", "archived", "quarantined", "deprecated"]),
    status_reason=texts,
    tracks=st.lists(st.just("https://pypi.org/simple/churn/"), max_size=1).map(tuple),
    alternate_locations=st.lists(st.just('https://mirror.example/"<&/'), max_size=1).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(pages)
def test_html_and_json_say_the_same_and_what_was_put_in(made: ProjectPage) -> None:
    base = "https://models.example/registry/"
    in_html = said_in_html(html.project_html(made, root="../../", base_url=base))
    assert in_html == said_in_json(pages_json.project_json(made, root="../../", base_url=base))
    shown = () if made.status == "quarantined" else made.files
    assert [each["filename"] for each in in_html["files"]] == [file.filename for file in shown]
    for each, file in zip(in_html["files"], shown, strict=True):
        assert unquote(urlsplit(each["url"]).path) == f"/registry/{file.path}"
        assert each["yanked"] == (None if file.yanked is None else links.one_line(file.yanked))
        assert each["requires-python"] == links.one_line(file.requires_python)
        assert each["sha256"] == file.sha256
        assert bool(each["provenance"]) == file.provenance
    assert (in_html["status"], in_html["tracks"]) == (made.status, list(made.tracks))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True), unique=True, max_size=6))
def test_list_of_projects_has_one_link_each(names: list[str]) -> None:
    links_there = [(each["text"], each["href"]) for each in anchors(html.names_html(names))]
    assert links_there == [(name, f"{name}/") for name in names]
    assert [each["name"] for each in json.loads(pages_json.names_json(names))["projects"]] == names


def test_html_says_its_version_and_everything_about_a_file() -> None:
    file = entry(sha256=DIGEST, requires_python=">=3.11,<4", metadata_sha256="cd" * 32, yanked='bad "quality" <b>')
    text = html.project_html(page(file), root="../../")
    assert ("pypi:repository-version", "1.4") in about(text)
    (anchor,) = anchors(text)
    assert anchor == {
        "text": "churn-1.0-py3-none-any.whl",
        "href": f"../../files/ab/churn-1.0-py3-none-any.whl#sha256={DIGEST}",
        "data-requires-python": ">=3.11,<4",
        "data-core-metadata": f"sha256={'cd' * 32}",
        "data-dist-info-metadata": f"sha256={'cd' * 32}",
        "data-yanked": 'bad "quality" <b>',
    }
    assert "&gt;=3.11,&lt;4" in text


def test_json_says_sizes_versions_and_upload_times() -> None:
    file = entry(sha256=DIGEST, size=12, uploaded="2026-11-21T06:49:14.123456+00:00", metadata_sha256="cd" * 32)
    document = json.loads(pages_json.project_json(page(file), root="../../../"))
    assert document == {
        "meta": {"api-version": "1.4"},
        "name": "churn",
        "versions": ["1.0"],
        "files": [
            {
                "filename": "churn-1.0-py3-none-any.whl",
                "url": "../../../files/ab/churn-1.0-py3-none-any.whl",
                "hashes": {"sha256": DIGEST},
                "size": 12,
                "upload-time": "2026-11-21T06:49:14.123456Z",
                "core-metadata": {"sha256": "cd" * 32},
                "dist-info-metadata": {"sha256": "cd" * 32},
            }
        ],
    }


def test_json_without_a_size_claims_only_the_version_that_needs_none() -> None:
    assert json.loads(pages_json.project_json(page(entry()), root="../../"))["meta"]["api-version"] == "1.0"


def test_project_in_quarantine_offers_no_files() -> None:
    made = page(entry(), status="quarantined", status_reason="stolen token")
    text = html.project_html(made, root="../../")
    assert anchors(text) == []
    assert ("pypi:project-status", "quarantined") in about(text)
    assert ("pypi:project-status-reason", "stolen token") in about(text)
    document = json.loads(pages_json.project_json(made, root="../../"))
    assert document["files"] == []
    assert document["project-status"] == {"status": "quarantined", "reason": "stolen token"}


def test_yank_without_a_reason_is_true_in_json_and_an_empty_attribute_in_html() -> None:
    made = page(entry(yanked=""))
    assert json.loads(pages_json.project_json(made, root="../../"))["files"][0]["yanked"] is True
    assert anchors(html.project_html(made, root="../../"))[0]["data-yanked"] == ""


def test_provenance_is_absolute_or_left_out() -> None:
    made = page(entry(provenance=True))
    assert "data-provenance" not in html.project_html(made, root="../../")
    assert "provenance" not in json.loads(pages_json.project_json(made, root="../../"))["files"][0]
    (anchor,) = anchors(html.project_html(made, root="../../", base_url="https://m.example/"))
    assert anchor["data-provenance"] == "https://m.example/files/ab/churn-1.0-py3-none-any.whl.provenance"


def test_absolute_address_stays_as_it_is() -> None:
    (anchor,) = anchors(html.project_html(page(entry(path="https://files.example/a%2B1.whl")), root="../../"))
    assert anchor["href"] == "https://files.example/a%2B1.whl"


@pytest.mark.parametrize(
    ("given_time", "written"),
    [
        ("2026-11-21T06:49:14Z", "2026-11-21T06:49:14Z"),
        ("2026-11-21T06:49:14.5Z", "2026-11-21T06:49:14.500000Z"),
        ("2026-11-21T06:49:14.123456789Z", "2026-11-21T06:49:14.123456Z"),
        ("2026-11-21T08:49:14+02:00", "2026-11-21T06:49:14Z"),
        ("yesterday", ""),
        ("", ""),
    ],
)
def test_upload_times_are_utc_with_at_most_six_digits(given_time: str, written: str) -> None:
    assert links.upload_time(given_time) == written


@pytest.mark.parametrize("name", ["a+b", "a b", "a#b", "a?b", "a%2fb", "ä", 'a"b', "a<b", "a&amp;b", "1!2"])
def test_awkward_file_names_come_back_from_their_links(name: str) -> None:
    (anchor,) = anchors(html.project_html(page(entry(filename=name, path=f"files/{name}")), root="../../"))
    assert unquote(urlsplit(urljoin(HERE, anchor["href"])).path) == f"/registry/files/{name}"
    assert anchor["text"] == name
