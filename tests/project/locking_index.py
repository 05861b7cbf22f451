"""A package index of toys, and projects that need them."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


def publish(root: Path, name: str, version: str, *, requires: str = "", python: str = "") -> None:
    """Put a wheel into a static index (PEP 503)."""
    folder = root / "simple" / name
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    lines = "".join(f"Requires-Dist: {line}\n" for line in requires.split(",") if line)
    lines += f"Requires-Python: {python}\n" if python else ""
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{lines}")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    links = "".join(
        f'<a href="{each.name}#sha256={hashlib.sha256(each.read_bytes()).hexdigest()}">{each.name}</a>\n'
        for each in sorted(folder.glob("*.whl"))
    )
    (folder / "index.html").write_text(links)


@contextmanager
def served(root: Path) -> Iterator[str]:
    """Serve a static index; give its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(root)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def write_project(root: Path, body: str = "", *, dependencies: str = '["toybase"]') -> Path:
    """Write a pyproject.toml; ``body`` are the tables behind ``[project]``."""
    root.mkdir(parents=True, exist_ok=True)
    head = f'[project]\nname = "Toy.Project"\nversion = "1.0"\ndependencies = {dependencies}\n'
    (root / "pyproject.toml").write_text(head + body)
    return root


PYLOCK = """\
# The model's own.
lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.11"

[[packages]]
name = "toybase"
version = "1.0"
wheels = [{ url = "https://files.example/toybase-1.0-py3-none-any.whl", hashes = { sha256 = "DIGEST" } }]

[[packages]]
name = "toymodel"
version = "1.0"
wheels = [{ url = "https://files.example/toymodel-1.0-py3-none-any.whl", hashes = { sha256 = "DIGEST" } }]
""".replace("DIGEST", "a" * 64)
REQUIREMENTS = f"toybase==1.0 \\\n    --hash=sha256:{'a' * 64}\ntoymodel==1.0 \\\n    --hash=sha256:{'a' * 64}\n"


def write_model(root: Path, **environment: Any) -> Path:
    """Write what a lock reads of a captured model: it was proved with toymodel and toybase 1.0."""
    folder = root / "toy_project" / "model"
    folder.mkdir(parents=True)
    manifest = {
        "format_version": 1,
        "name": "toy-project",
        "version": "1.0",
        "import_name": "toy_project",
        "task": "regression",
        "created": "2026-10-01T12:00:00Z",
        "storage": {"format": "toy", "loader": "toy_loader", "model_type": "toy.Line"},
        "artifacts": [],
        "signature": {"inputs": [{"name": "x", "datatype": "float64"}], "outputs": [], "container": "records"},
        "environment": {"python": "3.11.7", "interpreters": ["cp311"], "dependencies": ["toymodel==1.0"]} | environment,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "pylock.toml").write_text(PYLOCK)
    (folder / "requirements.txt").write_text(REQUIREMENTS)
    return folder
