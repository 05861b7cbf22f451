"""Pages of the upstream: read in both forms, believed for a while, and nothing that could not be checked later."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from small_indexes import Traffic, Wheel, serving, write_index

from modelwright.errors import RequestError, SettingsError, UpstreamError
from modelwright.registry.index.pages import IndexFile, ProjectPage
from modelwright.registry.settings import Upstream as Settings
from modelwright.registry.storing.folder import FolderStore
from modelwright.registry.upstream.fetching import Fetcher
from modelwright.registry.upstream.reading import read_page
from modelwright.registry.upstream.upstream import Upstream, visible

DIGEST = "ab" * 32
JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"


class Clock:
    """A clock that a test moves."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def web(tmp_path: Path):
    wheels = [
        Wheel("library", "1.0", requires=("other>=1",), requires_python=">=3.9"),
        Wheel("library", "1.10", yanked="broken"),
        Wheel("library", "1.9"),
    ]
    write_index(tmp_path / "index", wheels)
    with serving(tmp_path / "index") as traffic:
        yield traffic


def behind(web: Traffic, folder: Path, clock: Clock | None = None, **settings) -> Upstream:
    return Upstream(
        Settings(url=f"{web.url}simple/", **settings), kept(folder), folder / "private", clock=clock or Clock()
    )


def kept(folder: Path) -> FolderStore:
    (folder / "kept").mkdir(parents=True, exist_ok=True)
    return FolderStore(folder / "kept")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def answers(handler, content: bytes, kind: str = JSON, status: int = 200, **headers: str) -> bool:
    handler.send_response(status)
    for name, text in headers.items():
        handler.send_header(name.replace("_", "-"), text)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)
    return True


def as_json(handler) -> bool:
    """Send the JSON that lies beside the HTML, with an entity tag, and 304 to who has it."""
    page = handler.server_root / handler.path.strip("/") / "index.v1_json"
    if not page.is_file():
        return False
    if handler.headers.get("If-None-Match") == '"one"':
        return answers(handler, b"", status=304)
    return answers(handler, page.read_bytes(), ETag='"one"')


def negotiating(web: Traffic) -> None:
    def answer(handler) -> bool:
        handler.server_root = web.root
        return as_json(handler)

    web.answer = answer


def test_page_in_html_and_in_json_give_the_same_files(web, tmp_path) -> None:
    in_html = behind(web, tmp_path / "a").page("library")
    negotiating(web)
    in_json = behind(web, tmp_path / "b").page("library")
    assert in_html is not None
    assert in_json is not None
    assert [file.size for file in in_html.files] == [None] * 3
    for one, other in zip(in_html.files, in_json.files, strict=True):
        assert other.size is not None
        facts = ("filename", "path", "sha256", "requires_python", "metadata_sha256", "yanked")
        assert [getattr(one, fact) for fact in facts] == [getattr(other, fact) for fact in facts]
    assert in_html.versions == in_json.versions == ("1.0", "1.9", "1.10")
    assert in_json.files[1].yanked == "broken"
    assert in_json.files[0].requires_python == ">=3.9"


def test_page_names_files_by_project_digest_and_name_only(web, tmp_path) -> None:
    page = behind(web, tmp_path).page("library")
    assert page is not None
    assert [file.path for file in page.files] == [
        f"upstream/library/{each.sha256}/{each.filename}" for each in page.files
    ]
    assert "127.0.0.1" not in repr(page.files)


def test_page_is_not_asked_for_again_while_it_is_fresh(web, tmp_path, clock) -> None:
    upstream = behind(web, tmp_path, clock, fresh_s=600)
    upstream.page("library")
    clock.now += 599
    upstream.page("library")
    assert web.count("/simple/library/") == 1
    clock.now += 2
    upstream.page("library")
    assert web.count("/simple/library/") == 2


def test_old_page_is_confirmed_without_being_moved_again(web, tmp_path, clock) -> None:
    negotiating(web)
    upstream = behind(web, tmp_path, clock, fresh_s=10)
    first = upstream.page("library")
    clock.now += 11
    assert upstream.page("library") == first
    assert web.headers[-1]["If-None-Match"] == '"one"'
    clock.now += 9
    upstream.page("library")
    assert web.count("/simple/library/") == 2


def test_page_survives_a_restart(web, tmp_path, clock) -> None:
    first = behind(web, tmp_path, clock).page("library")
    assert behind(web, tmp_path, clock).page("library") == first
    assert web.count("/simple/library/") == 1


def test_page_without_an_entity_tag_is_confirmed_by_its_date_once_that_is_old(web, tmp_path, clock) -> None:
    page = web.root / "simple" / "library" / "index.html"
    os.utime(page, (1_700_000_000, 1_700_000_000))
    upstream = behind(web, tmp_path, clock, fresh_s=0)
    first = upstream.page("library")
    moved = web.moved
    assert upstream.page("library") == first
    assert "If-Modified-Since" in web.headers[-1]
    assert web.moved == moved


def test_changed_page_has_another_serial(web, tmp_path, clock) -> None:
    upstream = behind(web, tmp_path, clock, fresh_s=0)
    first = upstream.page("library")
    write_index(web.root, [Wheel("library", "2.0")])
    second = upstream.page("library")
    assert first is not None
    assert second is not None
    assert second.versions == ("2.0",)
    assert second.serial != first.serial


def test_silent_upstream_is_replaced_by_what_it_said_until_that_is_too_old(web, tmp_path, clock) -> None:
    upstream = behind(web, tmp_path, clock, fresh_s=10, stale_s=100)
    page = upstream.page("library")
    web.answer = lambda handler: answers(handler, b"out of order", "text/plain", 503)
    clock.now += 100
    assert upstream.page("library") == page
    clock.now += 1
    with pytest.raises(UpstreamError):
        upstream.page("library")


def test_silent_upstream_is_left_alone_for_a_moment(web, tmp_path) -> None:
    web.answer = lambda handler: answers(handler, b"", "text/plain", 503)
    upstream = behind(web, tmp_path)
    for name in ("library", "another", "library"):
        with pytest.raises(UpstreamError):
            upstream.page(name)
    assert len(web.asked) == 1


def test_one_project_that_is_refused_does_not_make_the_upstream_silent(web, tmp_path) -> None:
    """A mirror that blocks one project answers 403; everybody else's libraries come from it all the same."""
    plain = web.answer
    web.answer = lambda handler: "/blocked/" in handler.path and answers(handler, b"", "text/plain", 403)
    upstream = behind(web, tmp_path)
    with pytest.raises(UpstreamError, match="403"):
        upstream.page("blocked")
    web.answer = plain
    assert upstream.page("library") is not None


def test_clock_that_goes_back_makes_a_page_old_not_eternal(web, tmp_path, clock) -> None:
    upstream = behind(web, tmp_path, clock)
    upstream.page("library")
    clock.now -= 10_000
    upstream.page("library")
    assert web.count("/simple/library/") == 2


def test_project_that_is_not_there_is_remembered_for_a_while(web, tmp_path, clock) -> None:
    upstream = behind(web, tmp_path, clock, fresh_s=10)
    assert upstream.page("nowhere") is None
    assert upstream.page("nowhere") is None
    assert web.count("/simple/nowhere/") == 1
    clock.now += 11
    assert upstream.page("nowhere") is None
    assert web.count("/simple/nowhere/") == 2
    assert list((tmp_path / "private").rglob("nowhere*")) == []


def test_project_that_vanished_upstream_vanishes_here(web, tmp_path, clock) -> None:
    upstream = behind(web, tmp_path, clock, fresh_s=0)
    assert upstream.page("library")
    web.answer = lambda handler: answers(handler, b"", "text/plain", 404)
    assert upstream.page("library") is None


def test_denied_project_is_never_asked_for(web, tmp_path) -> None:
    upstream = behind(web, tmp_path, deny=("lib*", "churn"))
    assert upstream.page("library") is None
    assert upstream.page("churn") is None
    assert web.asked == []


@pytest.mark.parametrize("name", ["../etc", "Library", "a/b", "", "a%2fb", "x" * 201, "a b", "churn\n"])
def test_name_that_is_not_normal_is_refused_before_anything_is_asked(web, tmp_path, name) -> None:
    with pytest.raises(RequestError):
        behind(web, tmp_path).page(name)
    assert web.asked == []


def test_sixteen_who_ask_at_once_cause_one_request(web, tmp_path) -> None:
    gate = threading.Event()

    def slowly(handler) -> bool:
        gate.wait(5)
        return False

    web.answer = slowly
    upstream = behind(web, tmp_path)
    found: list[ProjectPage | None] = []
    askers = [threading.Thread(target=lambda: found.append(upstream.page("library"))) for _ in range(16)]
    for asker in askers:
        asker.start()
    gate.set()
    for asker in askers:
        asker.join()
    assert len(found) == 16
    assert web.count("/simple/library/") == 1


def page(*files: dict[str, object], **more: object) -> bytes:
    return json.dumps({"meta": {"api-version": "1.4"}, "name": "a", "files": files, **more}).encode()


def one(**changes: object) -> dict[str, object]:
    return {
        "filename": "a-1.0-py3-none-any.whl",
        "url": "a-1.0-py3-none-any.whl",
        "hashes": {"sha256": DIGEST},
        **changes,
    }


def read(content: bytes, kind: str = JSON):
    return read_page(content, kind, name="a", url="https://u.example/simple/a/", allowed=lambda url: "u.example" in url)


@pytest.mark.parametrize(
    "file",
    [
        one(hashes={}),
        one(hashes={"md5": "ab" * 16}),
        one(hashes={"sha256": "ab"}),
        one(hashes={"sha256": "../" * 21 + "a"}),
        one(filename="b-1.0-py3-none-any.whl"),
        one(filename="../a-1.0-py3-none-any.whl"),
        one(filename="a-1.0.exe"),
        one(filename="a-1.0-py2.7.egg"),
        one(filename=""),
        one(url="https://elsewhere.example/a-1.0-py3-none-any.whl"),
    ],
    ids=lambda file: f"{file['filename']}-{file['hashes']}-{file['url']}"[:60],
)
def test_file_that_could_not_be_checked_is_not_offered(file) -> None:
    assert read(page(file)).files == ()


def test_file_with_everything_is_read() -> None:
    file = one(
        size=5,
        yanked=True,
        **{
            "upload-time": "2026-01-01T00:00:00Z",
            "requires-python": ">=3",
            "dist-info-metadata": {"sha256": "cd" * 32},
        },
    )
    (found,) = read(page(file, **{"project-status": {"status": "archived", "reason": "done"}})).files
    assert found.url == "https://u.example/simple/a/a-1.0-py3-none-any.whl"
    assert (found.size, found.yanked, found.metadata_sha256, found.version) == (5, "", "cd" * 32, "1.0")
    assert read(page(**{"project-status": {"status": "archived", "reason": "done"}})).status == "archived"
    assert read(page(**{"project-status": {"status": "new-in-2030"}})).status == "active"


def test_html_of_other_indexes_is_understood() -> None:
    html = (
        '<html><head><base href="https://u.example/packages/">'
        '<META NAME="pypi:repository-version" CONTENT="1.0"></head>'
        f"<body><a href='a%2D1.0.tar.gz#sha256={DIGEST}' data-yanked>a-1.0.tar.gz</a>"
        f'<A HREF="a-2.0-py3-none-any.whl#sha256={DIGEST.upper()}" data-requires-python="&gt;=3.8"'
        f' data-dist-info-metadata="sha256={"cd" * 32}">x</A><a>no link</a><a href="mailto:x">mail</a></body>'
    )
    old, new = read(html.encode(), "text/html; charset=utf-8").files
    assert (old.filename, old.yanked) == ("a-1.0.tar.gz", "")
    assert old.url == "https://u.example/packages/a%2D1.0.tar.gz"
    assert (new.requires_python, new.metadata_sha256, new.sha256) == (">=3.8", "cd" * 32, DIGEST)


PYPI = "https://pypi.org/simple/a/"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (page(one(), meta={"api-version": "1.2", "tracks": [PYPI, "javascript:x", "https://u:p@x/", "//x"]}), JSON),
        (f'<meta name="pypi:tracks" content="{PYPI}"><meta name="pypi:tracks" content="x">'.encode(), HTML),
    ],
)
def test_project_that_tracks_another_says_so(content, kind) -> None:
    """PEP 708: the URLs "MUST point to the repositories that own the namespaces", so that those are passed on."""
    assert read(content, kind).tracks == (PYPI,)


def test_page_tracks_whom_the_upstream_tracks_and_else_the_upstream(web, tmp_path) -> None:
    own = behind(web, tmp_path / "own").page("library")
    assert own is not None
    assert own.tracks == (f"{web.url}simple/library/",)
    tracking = page(one(), meta={"api-version": "1.2", "tracks": ["https://pypi.org/simple/a/"]})
    web.answer = lambda handler: answers(handler, tracking)
    passed_on = behind(web, tmp_path / "mirror", file_hosts=("u.example",)).page("a")
    assert passed_on is not None
    assert passed_on.tracks == (PYPI,)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"files": 1}', b"\xff", page(meta={"api-version": "2.0"}), b'{"files": [{"url": 1}]}']
)
def test_page_that_is_none_is_refused(content) -> None:
    with pytest.raises(UpstreamError):
        read(content)


def test_files_on_a_host_that_is_not_allowed_are_an_error_that_names_it(web, tmp_path) -> None:
    web.answer = lambda handler: answers(
        handler, page({**one(), "filename": "library-1.0.tar.gz", "url": "http://files.example/library-1.0.tar.gz"})
    )
    with pytest.raises(UpstreamError, match=r"files\.example") as refused:
        behind(web, tmp_path).page("library")
    assert 'file_hosts = ["files.example"]' in refused.value.hint
    upstream = behind(web, tmp_path / "trusting", file_hosts=("files.example",))
    found = upstream.page("library")
    assert found is not None
    assert [file.filename for file in found.files] == ["library-1.0.tar.gz"]


@pytest.mark.parametrize(
    "location",
    ["http://169.254.169.254/simple/library/", "http://localhost:1/", "file:///etc/passwd", "//elsewhere.example/x"],
)
def test_redirect_to_somewhere_else_is_refused_and_not_followed(web, tmp_path, location) -> None:
    web.answer = lambda handler: answers(handler, b"", "text/html", 302, Location=location)
    with pytest.raises(UpstreamError, match="not allowed"):
        behind(web, tmp_path).page("library")
    assert len(web.asked) == 1


def test_redirect_that_brings_credentials_is_refused(web, tmp_path) -> None:
    there = web.url.replace("://", "://somebody:secret@")
    web.answer = lambda handler: answers(handler, b"", "text/html", 302, Location=f"{there}simple/library/")
    with pytest.raises(UpstreamError, match="not allowed") as refused:
        behind(web, tmp_path).page("library")
    assert "secret" not in str(refused.value)
    assert len(web.asked) == 1


def test_redirect_on_the_same_host_is_followed_and_relative_addresses_still_hold(web, tmp_path) -> None:
    web.answer = lambda handler: (
        answers(handler, b"", "text/html", 301, Location="/simple/library/") if "old" in handler.path else False
    )
    upstream = Upstream(Settings(url=f"{web.url}old/"), kept(tmp_path), tmp_path / "private")
    found = upstream.page("library")
    assert found is not None
    assert upstream.file("library", found.files[0].sha256, found.files[0].filename)


def test_redirect_in_circles_ends(web, tmp_path) -> None:
    web.answer = lambda handler: answers(handler, b"", "text/html", 302, Location=handler.path)
    with pytest.raises(UpstreamError, match="circles"):
        behind(web, tmp_path).page("library")


def test_page_that_grows_without_end_is_cut(web, tmp_path, monkeypatch) -> None:
    import gzip

    monkeypatch.setattr("modelwright.registry.upstream.fetching.LARGEST_PAGE", 100_000)
    bomb = gzip.compress(b" " * 50_000_000)
    web.answer = lambda handler: answers(handler, bomb, Content_Encoding="gzip")
    with pytest.raises(UpstreamError, match="too large"):
        behind(web, tmp_path).page("library")


@pytest.mark.parametrize("url", ["ftp://u.example/", "simple", "file:///srv/simple/", "http://", "http://u.example:x/"])
def test_upstream_that_cannot_be_asked_is_a_setting_that_is_refused(url) -> None:
    with pytest.raises(SettingsError):
        Fetcher(Settings(url=url))


def test_credentials_come_from_netrc_and_show_nowhere(web, tmp_path) -> None:
    with pytest.raises(SettingsError) as refused:
        Fetcher(Settings(url="https://me:s3cret@u.example/simple/"))
    assert "s3cret" not in str(refused.value)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password s3cret\n")
    settings = Settings(url=f"{web.url}simple/")
    fetcher = Fetcher(settings, netrc_file=str(tmp_path / "netrc"))
    upstream = Upstream(settings, kept(tmp_path), tmp_path / "private", fetcher=fetcher)
    found = upstream.page("library")
    assert web.headers[-1]["Authorization"].startswith("Basic ")
    assert "s3cret" not in repr(found)
    web.answer = lambda handler: answers(handler, b"", "text/plain", 401)
    with pytest.raises(UpstreamError) as refused_again:
        upstream.page("another")
    assert "s3cret" not in f"{refused_again.value}{refused_again.value.to_dict()}"
    assert all(b"s3cret" not in path.read_bytes() for path in (tmp_path / "private").rglob("*.json"))


def test_local_name_hides_the_upstream_s_even_if_nothing_of_it_is_left() -> None:
    def never() -> ProjectPage:
        raise AssertionError("the upstream was asked")

    ours = ProjectPage(name="churn", files=(IndexFile(filename="a", path="a"),), versions=("1",), serial=1)
    assert visible(ours, never, taken=True) == ours
    assert visible(None, never, taken=True) is None
    assert visible(None, lambda: ours, taken=False) == ours
