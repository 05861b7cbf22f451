"""Feeds over HTTP, and webhooks that the server delivers by itself."""

from __future__ import annotations

import http.server
import threading
import time
from pathlib import Path
from xml.etree import ElementTree

from registry_wheels import library_wheel
from server import FIELDS, Server, form, serving

from modelwright.registry.operating.opening import open_local

ATOM = "{http://www.w3.org/2005/Atom}"


def test_feeds_tell_what_was_done_to_those_who_may_read_it(server: Server) -> None:
    answer = server.get("/feed.atom", role="reader")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    document = ElementTree.fromstring(answer.body)
    assert len(document.findall(f"{ATOM}entry")) > 5
    assert server.get("/feed.atom", role="reader", If_None_Match=answer.headers["etag"]).status == 304
    own = ElementTree.fromstring(server.get("/models/churn/feed.atom", role="reader").body)
    assert {"churn" in str(entry.findtext(f"{ATOM}title")) for entry in own.findall(f"{ATOM}entry")} == {True}
    assert server.get("/feed.atom").status == 401
    assert server.get("/models/churn/feed.atom", role="stranger").status == 403


def test_a_running_server_tells_whoever_is_configured(tmp_path: Path) -> None:
    received: list[str] = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            received.append(self.headers["X-Modelwright-Signature"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    folder = tmp_path / "registry"
    folder.mkdir()
    (folder / "secret").write_text("a secret that nobody guesses")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as receiver:
        threading.Thread(target=receiver.serve_forever, args=(0.05,), daemon=True).start()
        url = f"http://127.0.0.1:{receiver.server_port}/hook"
        (folder / "registry.toml").write_text(f'[[webhooks]]\nurl = "{url}"\nsecret_file = "secret"\n')
        service = open_local(folder, user="ann")
        token = service.add_token("ann", scopes=("publish",)).secret
        service.close()
        wheel = library_wheel(tmp_path)
        with serving(folder) as running:
            running.tokens["ann"] = token
            body, kind = form(FIELDS, wheel.name, wheel.read_bytes())
            done = running.ask("POST", "/legacy/", role="ann", headers={"Content-Type": kind}, body=body)
            assert done.status == 200, done.text
            deadline = time.monotonic() + 10
            while not received and time.monotonic() < deadline:
                time.sleep(0.05)
        receiver.shutdown()
    assert len(received) == 1
    assert received[0].startswith("sha256=")


def test_the_server_ends_in_good_order_when_it_is_told_to(tmp_path: Path) -> None:
    with serving(tmp_path / "registry") as running:
        process = running.process
    assert process.returncode == 0
    assert "Traceback" not in (tmp_path / "server.log").read_text()
