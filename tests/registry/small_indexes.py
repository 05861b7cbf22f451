"""Small real indexes for tests: wheels made in milliseconds, our own pages, a web server that can misbehave."""

from __future__ import annotations

import hashlib
import http.server
import io
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from modelwright.building.archive import Entry, write_wheel
from modelwright.registry.index.pages import IndexFile, ProjectPage
from modelwright.registry.index.static import StaticIndex


class Wheel(NamedTuple):
    """One wheel for an index.

    ``whose`` is what the installed module says in ``WHOSE``: who won.
    """

    name: str
    version: str
    whose: str = "ours"
    requires: tuple[str, ...] = ()
    requires_python: str = ""
    yanked: str | None = None
    ballast: int = 0


def put(root: Path, wheel: Wheel) -> IndexFile:
    """Build a wheel into the files of an index, its metadata beside it."""
    module = wheel.name.replace("-", "_")
    info = f"{module}-{wheel.version}.dist-info"
    metadata = f"Metadata-Version: 2.4\nName: {wheel.name}\nVersion: {wheel.version}\n"
    metadata += "".join(f"Requires-Dist: {each}\n" for each in wheel.requires)
    metadata += f"Requires-Python: {wheel.requires_python}\n" if wheel.requires_python else ""
    entries = [
        Entry(f"{module}.py", f"WHOSE = {wheel.whose!r}\nVERSION = {wheel.version!r}\n".encode()),
        Entry(f"{info}/METADATA", metadata.encode()),
        Entry(f"{info}/WHEEL", b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        Entry(f"{info}/entry_points.txt", f"[console_scripts]\n{wheel.name} = {module}:main\n".encode()),
        *([Entry(f"{module}.bin", os.urandom(wheel.ballast))] if wheel.ballast else []),
    ]
    entries[0] = Entry(f"{module}.py", entries[0].source + b"def main():\n    print(WHOSE, VERSION)\n")
    filename = f"{module}-{wheel.version}-py3-none-any.whl"
    made = root / ".made" / filename
    made.parent.mkdir(parents=True, exist_ok=True)
    write_wheel(made, entries, dist_info=info, epoch=1_700_000_000)
    content = made.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    path = f"files/{digest[:2]}/{digest}/{filename}"
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    made.rename(root / path)
    (root / f"{path}.metadata").write_text(metadata)
    return IndexFile(
        filename=filename,
        path=path,
        sha256=digest,
        size=len(content),
        uploaded="2026-11-01T10:00:00.123456Z",
        requires_python=wheel.requires_python,
        metadata_sha256=hashlib.sha256(metadata.encode()).hexdigest(),
        yanked=wheel.yanked,
    )


def write_index(root: Path, wheels: Iterable[Wheel], *, view: str = "") -> dict[str, ProjectPage]:
    """Write a static index of some wheels."""
    files: dict[str, list[tuple[str, IndexFile]]] = {}
    for wheel in wheels:
        files.setdefault(wheel.name, []).append((wheel.version, put(root, wheel)))
    pages = {
        name: ProjectPage(
            name=name, files=tuple(file for _, file in each), versions=tuple(version for version, _ in each), serial=1
        )
        for name, each in files.items()
    }
    with StaticIndex(root).locked() as index:
        for name, page in pages.items():
            index.write_project(view, name, page)
        index.write_root(view, list(pages))
    return pages


@dataclass
class Traffic:
    """A running web server: what it was asked for, and how it shall behave.

    ``answer`` may replace the answer to a path: bytes, a status, or anything that writes into the handler.
    """

    port: int
    root: Path
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    moved: int = 0
    answer: Callable[[http.server.SimpleHTTPRequestHandler], bool] = lambda handler: False

    @property
    def url(self) -> str:
        """Where it is, ending in ``/``."""
        return f"http://127.0.0.1:{self.port}/"

    def count(self, ending: str) -> int:
        """How often paths with such an ending were asked for."""
        return sum(path.endswith(ending) for path in self.asked)


@contextmanager
def serving(root: Path) -> Iterator[Traffic]:
    """Serve a folder as ``python -m http.server`` does, counting what is moved; JSON to those who prefer it."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        extensions_map = {
            **http.server.SimpleHTTPRequestHandler.extensions_map,
            ".v1_json": "application/vnd.pypi.simple.v1+json",
        }

        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(root))  # type: ignore[arg-type]

        def log_message(self, *arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            traffic.asked.append(self.path)
            traffic.headers.append(dict(self.headers))
            if not traffic.answer(self):
                super().do_GET()

        def copyfile(self, source: io.BufferedReader, outputfile: io.BufferedWriter) -> None:
            content = source.read()
            traffic.moved += len(content)
            outputfile.write(content)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        traffic = Traffic(port=server.server_port, root=root)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield traffic
        server.shutdown()


def installers(folder: Path) -> dict[str, str]:
    """An environment for pip and uv that knows no index but the one a test names."""
    kept = {key: text for key, text in os.environ.items() if not key.startswith(("PIP_", "UV_", "PYTHON"))}
    return kept | {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_CACHE_DIR": str(folder / "pip-cache"),
        "UV_CACHE_DIR": str(folder / "uv-cache"),
        "UV_PYTHON_DOWNLOADS": "never",
        "NO_COLOR": "1",
        "NO_PROXY": "127.0.0.1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


def command(environment: dict[str, str], *words: str | Path, cwd: Path | None = None) -> tuple[int, str]:
    """Run a command; return how it ended and what it said."""
    done = subprocess.run(
        [str(word) for word in words],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def module_in(wheel: Path, name: str) -> str:
    """What a module inside a wheel says."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(name).decode()
