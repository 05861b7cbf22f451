"""Files of the upstream: fetched once, read along, refused when they are not what was announced."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from pathlib import Path

import pytest
from small_indexes import Traffic, Wheel, serving, write_index
from test_upstream_pages import answers, behind

from modelwright.errors import RequestError, UnknownReleaseError, UpstreamError
from modelwright.registry.index.pages import IndexFile
from modelwright.registry.settings import Settings as Registry
from modelwright.registry.settings import Upstream as Settings
from modelwright.registry.storing.store import Key
from modelwright.registry.upstream.downloads import HELD_BACK, Download
from modelwright.registry.upstream.opening import open_upstream
from modelwright.registry.upstream.upstream import Upstream

BALLAST = 600_000


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("index")
    write_index(folder, [Wheel("library", "1.0", ballast=BALLAST), Wheel("library", "2.0"), Wheel("denied", "1.0")])
    return folder


@pytest.fixture
def web(root: Path):
    with serving(root) as traffic:
        yield traffic


@pytest.fixture
def upstream(web: Traffic, tmp_path: Path) -> Upstream:
    return behind(web, tmp_path, deny=("denied",))


@pytest.fixture
def large(upstream: Upstream) -> IndexFile:
    return named(upstream, "1.0")


def named(upstream: Upstream, version: str) -> IndexFile:
    page = upstream.page("library")
    assert page is not None
    return next(file for file in page.files if f"-{version}-" in file.filename)


def fetch(upstream: Upstream, file: IndexFile) -> bytes:
    with upstream.store.open(upstream.file("library", file.sha256, file.filename)) as stream:
        return stream.read()


def incoming(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "private" / "incoming").iterdir())


def settled(upstream: Upstream) -> None:
    """Wait until no download is under way any more."""
    for _ in range(500):
        if not any(thread.name.startswith("upstream ") for thread in threading.enumerate()):
            return
        time.sleep(0.01)
    raise AssertionError("a download does not end")


def test_file_is_fetched_once_and_kept(upstream, large, web) -> None:
    assert hashlib.sha256(fetch(upstream, large)).hexdigest() == large.sha256
    assert hashlib.sha256(fetch(upstream, large)).hexdigest() == large.sha256
    assert web.count(large.filename) == 1


def test_kept_file_is_there_when_the_upstream_is_gone(upstream, large, web) -> None:
    fetch(upstream, large)
    web.answer = lambda handler: answers(handler, b"", "text/plain", 503)
    assert len(fetch(upstream, large)) > BALLAST


def test_metadata_is_fetched_without_the_file(upstream, large, web) -> None:
    key = upstream.metadata("library", large.sha256, large.filename)
    with upstream.store.open(key) as stream:
        content = stream.read()
    assert hashlib.sha256(content).hexdigest() == large.metadata_sha256
    upstream.metadata("library", large.sha256, large.filename)
    assert web.count(large.filename) == 0
    assert web.count(".metadata") == 1


def test_reader_gets_the_beginning_before_the_upstream_has_sent_the_end(upstream, large, web) -> None:
    content = (web.root / next(web.root.rglob(large.filename))).read_bytes()
    half, rest = content[:400_000], content[400_000:]
    gate = threading.Event()

    def in_two(handler) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(half)
        handler.wfile.flush()
        assert gate.wait(10)
        handler.wfile.write(rest)
        return True

    web.answer = in_two
    download = upstream.open("library", large.sha256, large.filename)
    assert isinstance(download, Download)
    pieces = download.chunks()
    seen = b""
    while len(seen) < len(half) - HELD_BACK:
        seen += next(pieces)
    assert seen == content[: len(seen)]
    follower = upstream.open("library", large.sha256, large.filename)
    assert follower is download
    gate.set()
    assert seen + b"".join(pieces) == content
    assert isinstance(follower, Download)
    assert b"".join(follower.chunks()) == content
    assert web.count(large.filename) == 1
    settled(upstream)
    assert isinstance(upstream.open("library", large.sha256, large.filename), Key)


def _altered(web: Traffic, file: IndexFile) -> bytes:
    content = bytearray(next(web.root.rglob(file.filename)).read_bytes())
    content[1000] ^= 1
    return bytes(content)


LIES = {
    "one flipped bit": _altered,
    "too short": lambda web, file: next(web.root.rglob(file.filename)).read_bytes()[:-1],
    "too long": lambda web, file: next(web.root.rglob(file.filename)).read_bytes() + b"!",
    "nothing": lambda web, file: b"",
    "a page instead": lambda web, file: b"<html>Please log in</html>",
}


@pytest.mark.parametrize("lie", LIES)
def test_bytes_that_were_not_announced_are_refused_and_thrown_away(upstream, large, web, tmp_path, lie) -> None:
    content = LIES[lie](web, large)
    web.answer = lambda handler: answers(handler, content, "application/octet-stream")
    download = upstream.open("library", large.sha256, large.filename)
    assert isinstance(download, Download)
    given: list[bytes] = []
    with pytest.raises(UpstreamError, match="something else"):
        given.extend(download.chunks())
    assert len(b"".join(given)) <= max(len(content) - HELD_BACK, 0)
    settled(upstream)
    assert upstream.store.size(Key(large.sha256, large.filename)) is None
    assert incoming(tmp_path) == []
    web.answer = lambda handler: False
    assert hashlib.sha256(fetch(upstream, large)).hexdigest() == large.sha256


def test_upstream_that_breaks_off_leaves_nothing_behind(upstream, large, web, tmp_path) -> None:
    def cut(handler) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", str(BALLAST))
        handler.end_headers()
        handler.wfile.write(b"x" * 1000)
        handler.close_connection = True
        return True

    web.answer = cut
    with pytest.raises(UpstreamError):
        upstream.file("library", large.sha256, large.filename)
    settled(upstream)
    assert incoming(tmp_path) == []


@pytest.mark.parametrize("status", [401, 404, 500, 206])
def test_answer_that_is_no_file_is_an_error(upstream, large, web, status) -> None:
    web.answer = lambda handler: answers(handler, b"no", "text/plain", status)
    with pytest.raises(UpstreamError, match=str(status)):
        upstream.file("library", large.sha256, large.filename)


def test_redirect_of_a_file_to_somewhere_else_is_refused(upstream, large, web) -> None:
    web.answer = lambda handler: answers(handler, b"", "text/plain", 302, Location="http://169.254.169.254/latest")
    with pytest.raises(UpstreamError, match="not allowed"):
        upstream.file("library", large.sha256, large.filename)


def test_metadata_that_was_not_announced_is_refused(upstream, large, web) -> None:
    web.answer = lambda handler: answers(handler, b"Requires-Dist: evil", "text/plain")
    with pytest.raises(UpstreamError, match="something else"):
        upstream.metadata("library", large.sha256, large.filename)
    assert upstream.store.size(Key(large.sha256, f"{large.filename}.metadata")) is None


@pytest.mark.parametrize(
    ("name", "sha256", "filename", "error"),
    [
        ("library", "00" * 32, "library-1.0-py3-none-any.whl", UnknownReleaseError),
        ("library", None, "library-3.0-py3-none-any.whl", UnknownReleaseError),
        ("library", None, "other-1.0-py3-none-any.whl", UnknownReleaseError),
        ("other", None, "library-1.0-py3-none-any.whl", UnknownReleaseError),
        ("denied", None, "denied-1.0-py3-none-any.whl", UnknownReleaseError),
        ("library", None, "../../etc/passwd", UnknownReleaseError),
        ("library", "../" * 21 + "x", "library-1.0-py3-none-any.whl", RequestError),
        ("../library", None, "library-1.0-py3-none-any.whl", RequestError),
        ("library", None, "http://169.254.169.254/library-1.0.tar.gz", UnknownReleaseError),
    ],
)
def test_only_what_the_upstream_announced_can_be_fetched(upstream, large, web, name, sha256, filename, error) -> None:
    for verb in (upstream.file, upstream.metadata):
        with pytest.raises(error):
            verb(name, sha256 or large.sha256, filename)
    assert not [path for path in web.asked if not path.startswith("/simple/")]


def test_denied_project_s_file_is_not_reached_through_another_name(upstream, web, tmp_path) -> None:
    allowed = behind(web, tmp_path / "other")
    page = allowed.page("denied")
    assert page is not None
    with pytest.raises(UnknownReleaseError):
        upstream.file("library", page.files[0].sha256, page.files[0].filename)


def test_sixteen_who_want_a_file_at_once_fetch_it_once(upstream, large, web) -> None:
    found: list[int] = []
    askers = [threading.Thread(target=lambda: found.append(len(fetch(upstream, large)))) for _ in range(16)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(found) == 16
    assert len(set(found)) == 1
    assert web.count(large.filename) == 1


def test_upstream_of_a_registry_keeps_its_files_in_the_private_folder(web, tmp_path) -> None:
    assert open_upstream(Registry(), tmp_path) is None
    opened = open_upstream(Registry(upstream=Settings(url=f"{web.url}simple/")), tmp_path)
    assert opened is not None
    file = named(opened, "2.0")
    opened.file("library", file.sha256, file.filename)
    found = next(tmp_path.rglob(file.filename)).relative_to(tmp_path)
    assert found.parts[:2] == (".registry", "upstream")
    assert (tmp_path / ".registry" / "upstream").stat().st_mode & 0o777 == 0o700
    opened.close()


def test_file_that_a_dead_process_was_fetching_is_thrown_away_and_a_living_one_s_is_not(web, tmp_path) -> None:
    folder = tmp_path / ".registry" / "upstream" / "incoming"
    folder.mkdir(parents=True)
    dead, living = folder / "a.part", folder / "b.part"
    for path in (dead, living):
        path.write_bytes(b"half")
    os.utime(dead, (1_700_000_000, 1_700_000_000))
    opened = open_upstream(Registry(upstream=Settings(url=f"{web.url}simple/")), tmp_path)
    assert opened is not None
    opened.close()
    assert list(folder.iterdir()) == [living]
