"""One index for models and libraries: a local name hides the upstream's, whatever version a stranger offers there."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import uv
from registry_wheels import CARD, library_wheel, model_wheel
from server import Server
from server import serving as serving_registry
from small_indexes import Traffic, Wheel, serving, write_index

from modelwright.registry.operating.opening import open_local

JSON = "application/vnd.pypi.simple.v1+json"


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traffic]:
    """An index of strangers: a library that is needed, and their own ``churn``, ``gone`` and ``teamtools`` 99.0."""
    root = tmp_path_factory.mktemp("upstream")
    strangers = [Wheel(name, "99.0", whose="theirs") for name in ("churn", "gone", "teamtools")]
    write_index(root, [Wheel("leftpad", "1.0", whose="theirs", ballast=300_000), *strangers])
    with serving(root) as running:
        yield running


@pytest.fixture(scope="module")
def proxying(upstream: Traffic, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A registry that anybody may read, with a model, a library that needs ``leftpad``, and one that was deleted."""
    base = tmp_path_factory.mktemp("proxying")
    folder = base / "registry"
    folder.mkdir()
    (folder / "registry.toml").write_text(f'anonymous_read = true\n[upstream]\nurl = "{upstream.url}simple/"\n')
    service = open_local(folder, user="ann")
    service.upload(model_wheel(base, "1.0.0"))
    service.upload(model_wheel(base, "1.0.0", name="wordy", card=CARD + 300 * "Nobody reads all of this.\n\n"))
    service.upload(library_wheel(base, "1.0", requires="leftpad"))
    service.upload(library_wheel(base, "1.0", name="gone"))
    service.delete("gone", "1.0", reason="never again")
    service.close()
    with serving_registry(folder) as running:
        yield running


def test_a_local_name_hides_the_upstream_one_in_every_view(proxying: Server) -> None:
    page = proxying.get("/simple/churn/", Accept=JSON).json
    assert page["versions"] == ["1.0.0"]
    for path in ("/production/simple/churn/", "/simple/gone/", "/dev/simple/gone/"):
        assert proxying.get(path, Accept=JSON).status == 404, path
    assert proxying.get("/production/simple/teamtools/", Accept=JSON).json["versions"] == ["1.0"]


def test_what_is_not_here_comes_from_upstream_once(proxying: Server, upstream: Traffic) -> None:
    page = proxying.get("/production/simple/leftpad/", Accept=JSON).json
    (file,) = page["files"]
    assert file["url"].startswith("../../../upstream/leftpad/")
    path = "/" + file["url"].removeprefix("../../../")
    first = proxying.get(path)
    assert (first.status, hashlib.sha256(first.body).hexdigest()) == (200, file["hashes"]["sha256"])
    again = proxying.get(path, Range="bytes=0-9")
    assert (again.status, again.body) == (206, first.body[:10])
    assert proxying.get(path + ".metadata").text.startswith("Metadata-Version")
    assert upstream.count("leftpad-1.0-py3-none-any.whl") == 1


def test_files_of_hidden_names_and_strange_addresses_are_not_fetched(proxying: Server, upstream: Traffic) -> None:
    theirs = next(path for path in (upstream.root / "files").rglob("churn-99.0*.whl"))
    for path in (
        f"/upstream/churn/{theirs.parent.name}/{theirs.name}",
        f"/upstream/leftpad/{theirs.parent.name}/{theirs.name}",
        f"/upstream/leftpad/{'0' * 64}/leftpad-1.0-py3-none-any.whl",
        "/upstream/leftpad/http:%2f%2fevil.example/x.whl",
    ):
        assert proxying.get(path).status in (400, 404), path
    assert upstream.count(theirs.name) == 0


def test_metadata_with_a_long_card_is_compressed_for_those_who_read_that(proxying: Server) -> None:
    (file,) = proxying.get("/simple/wordy/", Accept=JSON).json["files"]
    path = "/" + file["url"].removeprefix("../../") + ".metadata"
    plain = proxying.get(path)
    assert len(plain.body) > 3_500
    assert hashlib.sha256(plain.body).hexdigest() == file["core-metadata"]["sha256"]
    zipped = proxying.get(path, Accept_Encoding="zstd,gzip,deflate")
    assert gzip.decompress(zipped.body) == plain.body
    assert len(zipped.body) < 2_000
    assert zipped.headers["etag"] != plain.headers["etag"]
    assert zipped.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    known = proxying.get(path, Accept_Encoding="gzip", If_None_Match=zipped.headers["etag"])
    assert (known.status, known.body) == (304, b"")
    part = proxying.get(path, Accept_Encoding="gzip", Range="bytes=0-15")
    assert (part.status, part.body) == (206, plain.body[:16])
    head = proxying.ask("HEAD", path, headers={"Accept-Encoding": "gzip"})
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(zipped.body)))
    wheel = proxying.get(path.removesuffix(".metadata"), Accept_Encoding="gzip")
    assert "content-encoding" not in wheel.headers


def test_a_page_of_the_upstream_says_what_it_tracks_and_a_local_one_does_not(
    proxying: Server, upstream: Traffic
) -> None:
    """PEP 708: only then may an installer merge ours with the upstream, which must never happen to ``churn``."""
    theirs = proxying.get("/production/simple/leftpad/", Accept=JSON).json
    assert theirs["meta"]["tracks"] == [f"{upstream.url}simple/leftpad/"]
    assert "tracks" not in proxying.get("/simple/churn/", Accept=JSON).json["meta"]


def test_who_waits_for_a_silent_upstream_keeps_nobody_else_waiting(proxying: Server, upstream: Traffic) -> None:
    wait, before, asked = threading.Event(), upstream.answer, len(upstream.asked)

    def hang(handler: object) -> bool:
        wait.wait(20)
        return before(handler)  # type: ignore[arg-type]

    upstream.answer = hang
    digest = "0" * 64
    paths = [
        *(f"/simple/silent{number}/" for number in range(25)),
        *(f"/upstream/mute{number}/{digest}/mute{number}-1.0-py3-none-any.whl" for number in range(25)),
    ]
    try:
        with ThreadPoolExecutor(len(paths)) as pool:
            waiting = [pool.submit(proxying.get, path) for path in paths]
            while len(upstream.asked) - asked < len(paths) and not any(one.done() for one in waiting):
                time.sleep(0.01)
            assert proxying.get("/simple/teamtools/").status == 200
            assert proxying.get("/simple/wordy/", Accept=JSON).status == 200
            answered_first = not any(one.done() for one in waiting)
            wait.set()
            assert {one.result().status for one in waiting} == {404}
        assert answered_first
    finally:
        upstream.answer = before
        wait.set()


def test_file_that_is_not_what_was_announced_is_refused_in_words(tmp_path: Path) -> None:
    """A small one before anything is sent, a large one by cutting it off; neither writes a traceback into the log.

    If the whole of the large one is here before its first bytes are asked for, it is refused as the small one is.
    """
    write_index(tmp_path / "index", [Wheel("small", "1.0"), Wheel("large", "1.0", ballast=2_000_000)])
    for wheel in (tmp_path / "index" / "files").rglob("*.whl"):
        content = bytearray(wheel.read_bytes())
        content[-60] ^= 1
        wheel.write_bytes(content)
    folder, log = tmp_path / "registry", tmp_path / "server.log"
    folder.mkdir()
    with serving(tmp_path / "index") as altered:
        (folder / "registry.toml").write_text(f'anonymous_read = true\n[upstream]\nurl = "{altered.url}simple/"\n')
        with serving_registry(folder) as running:
            paths = {}
            for name in ("small", "large"):
                (file,) = running.get(f"/simple/{name}/", Accept=JSON).json["files"]
                paths[name] = "/" + file["url"].removeprefix("../../")
            refused = running.get(paths["small"])
            assert (refused.status, refused.text.partition(":")[0]) == (502, "MW1114")
            try:
                cut = running.get(paths["large"]).status != 502
            except http.client.IncompleteRead:
                cut = True
    said = log.read_text()
    assert said.count("The upstream sent something else than it announced") == 2
    assert ("was cut off" in said) == cut
    assert "upstream/downloads.py" not in said


def test_installers_get_ours_and_what_it_needs_from_one_index(proxying: Server, tmp_path: Path) -> None:
    index = f"{proxying.url}production/simple/"
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_"))}
    environment = kept | {"PIP_CONFIG_FILE": os.devnull, "UV_PYTHON_DOWNLOADS": "never"}
    by_uv = [uv.find_uv_bin(), "pip", "install", "--no-config", "--no-cache", "-p", sys.executable]
    by_pip = [sys.executable, "-m", "pip", "--isolated", "install", "--no-cache-dir", "--disable-pip-version-check"]
    for number, installer in enumerate((by_uv, by_pip)):
        target = tmp_path / str(number)
        subprocess.run(
            [*installer, "--index-url", index, "--target", str(target), "teamtools"], env=environment, check=True
        )
        found = {path.name for path in target.glob("*.dist-info")}
        assert found == {"teamtools-1.0.dist-info", "leftpad-1.0.dist-info"}
