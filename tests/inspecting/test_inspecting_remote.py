"""Read wheels from real HTTP servers, with ranges and without, and count what moves."""

from __future__ import annotations

import gc
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from toy_packages import write_toy

from modelwright.building.build import build
from modelwright.errors import UnknownPackageError, WheelError
from modelwright.inspecting.read import read
from modelwright.inspecting.remote import open_remote, open_stream


class RangeHandler(SimpleHTTPRequestHandler):
    """Serves files with single ranges, and counts the bytes of content that it sends."""

    moved = 0
    requests = 0

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            return self.send_error(404)
        content, size = path.open("rb"), path.stat().st_size
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        assert asked, "every request names a range"
        start = int(asked[1]) if asked[1] else max(0, size - int(asked[2]))
        end = min(int(asked[2]), size - 1) if asked[1] and asked[2] else size - 1
        with content:
            content.seek(start)
            piece = content.read(end - start + 1)
        type(self).moved += len(piece)
        type(self).requests += 1
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{end}/{size}")
        self.send_header("Content-Length", str(len(piece)))
        self.send_header("ETag", f'"{path.stat().st_mtime_ns}"')
        self.end_headers()
        self.wfile.write(piece)
        return None

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


class PlainHandler(SimpleHTTPRequestHandler):
    """``python -m http.server``: no ranges."""

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_the_manifest_of_a_200_mb_wheel_moves_less_than_a_megabyte(tmp_path: Path) -> None:
    root = write_toy(tmp_path / "toy", artifacts={"weights.bin": bytes(200_000_000)})
    wheel = build(root, tmp_path)
    RangeHandler.moved = RangeHandler.requests = 0
    with serving(partial(RangeHandler, directory=str(tmp_path))) as url:
        package = read(f"{url}/{wheel.name}")
        assert package.manifest.name == "toy-line"
        assert len(package.scenarios) == 2
        assert package.card.startswith("---")
    assert wheel.stat().st_size > 200_000_000
    assert RangeHandler.moved < 1_000_000
    assert RangeHandler.requests < 8


def test_the_whole_file_reads_as_it_is(tmp_path: Path) -> None:
    content = bytes(range(256)) * 40_000
    (tmp_path / "file.whl").write_bytes(content)
    with serving(partial(RangeHandler, directory=str(tmp_path))) as url, open_stream(f"{url}/file.whl") as stream:
        assert stream.read() == content
        for start, size in [(0, 10), (65_530, 20), (9_999_000, 5_000), (len(content) - 3, 10), (len(content) + 5, 1)]:
            stream.seek(start)
            assert stream.read(size) == content[start : start + size]


def test_a_server_without_ranges_is_read_whole_up_to_a_limit(toy_wheel: Path) -> None:
    with serving(partial(PlainHandler, directory=str(toy_wheel.parent))) as url:
        assert read(f"{url}/{toy_wheel.name}").manifest.name == "toy-line"
        with pytest.raises(WheelError, match="knows no ranges"):
            open_remote(f"{url}/{toy_wheel.name}", download_limit=1000)


def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "file.whl").write_bytes(bytes(1_000_000))
    with serving(partial(RangeHandler, directory=str(tmp_path))) as url, open_stream(f"{url}/file.whl") as stream:
        (tmp_path / "file.whl").write_bytes(bytes(1_000_001))
        with pytest.raises(WheelError, match="changed on the server"):
            stream.read(10)


def test_what_is_no_wheel_and_what_is_not_there_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "page.whl").write_text("<html>")
    with serving(partial(RangeHandler, directory=str(tmp_path))) as url:
        with pytest.raises(WheelError, match="not a complete ZIP"):
            read(f"{url}/page.whl")
        with pytest.raises(UnknownPackageError, match="404"):
            read(f"{url}/gone.whl")
    with pytest.raises(UnknownPackageError, match="cannot be read"):
        read(f"{url}/gone.whl")


def test_credentials_are_not_repeated_in_messages() -> None:
    with pytest.raises(UnknownPackageError) as caught:
        read("http://me:secret@127.0.0.1:9/churn.whl?token=hidden")
    assert "secret" not in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_a_stream_that_nobody_reads_any_more_closes_its_connection_at_once(tmp_path: Path) -> None:
    (tmp_path / "file.bin").write_bytes(bytes(200_000))
    with serving(partial(RangeHandler, directory=str(tmp_path))) as url:
        stream = open_stream(f"{url}/file.bin")
        client = stream._client  # type: ignore[attr-defined]
        gc.disable()
        try:
            del stream
            assert client.is_closed
        finally:
            gc.enable()
