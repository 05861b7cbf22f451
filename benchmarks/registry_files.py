"""How files move: 1 GB up and down, against nginx; ``pip download`` against pypiserver; what resolving moves; rollback.

Servers are pinned to one core. A wheel of 1 GB is uploaded by ``uv publish`` and installed by ``uv pip install``, and
the server's peak memory is compared with what it had before. Download speed: curl gets the same stored file from the
registry and from nginx, in turns. ``pip download`` gets twenty wheels of 2 MB from each server, in turns. What
resolving moves is counted by a proxy between uv or pip and the server. ``rollback`` is the command, from its start to
the moment when ``/production/simple/`` shows it. Prints tables; raw output: ``benchmarks/results/registry_files.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from packaging.metadata import Metadata
from registry_of_size import make_registry
from registry_peers import Served, environment, nginx, ours, pypiserver
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from uv import find_uv_bin

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "registry"))
from registry_wheels import library_wheel, model_wheel

import modelwright as mw
from modelwright.building.archive import Entry, write_wheel
from modelwright.building.metadata import core_metadata
from modelwright.building.project import open_project
from modelwright.registry.operating.opening import open_local

RESULTS = Path(__file__).parent / "results" / "registry_files.json"
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))} | {
    "PIP_CONFIG_FILE": "/dev/null",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "UV_NO_CONFIG": "1",
    "UV_PYTHON_DOWNLOADS": "never",
}


def timed(command: list[str | Path], **options: Any) -> float:
    """Run a command; return how long it took, seconds."""
    begun = time.perf_counter()
    subprocess.run(list(map(str, command)), check=True, capture_output=True, env=CLEAN, **options)
    return time.perf_counter() - begun


def new_registry(folder: Path) -> str:
    """Make a registry that anybody may read; return a token that may do everything else."""
    folder.mkdir(parents=True)
    (folder / "registry.toml").write_text("anonymous_read = true\n")
    service = open_local(folder, user="ann")
    secret = service.add_token("ann", scopes=("publish", "promote")).secret
    service.close()
    return secret


def heavy_wheel(folder: Path, size: int, *, description: str = "") -> Path:
    """Make a wheel with one large file of random bytes, and what METADATA says of it."""
    folder.mkdir(parents=True)
    weights = folder / "weights"
    with weights.open("wb") as stream:
        for _ in range(size // 2**20):
            stream.write(os.urandom(2**20))
    info = "heavy-1.0.dist-info"
    entries = [
        Entry("heavy/__init__.py", b""),
        Entry("heavy/weights.bin", weights),
        Entry(f"{info}/METADATA", f"Metadata-Version: 2.4\nName: heavy\nVersion: 1.0\n\n{description}".encode()),
        Entry(f"{info}/WHEEL", b"Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
    ]
    write_wheel(folder / "heavy-1.0-py3-none-any.whl", entries, dist_info=info, epoch=1_700_000_000)
    weights.unlink()
    return folder / "heavy-1.0-py3-none-any.whl"


def large_file(size: int, rounds: int, folder: Path) -> dict[str, Any]:
    """Upload and install a large wheel, and get it from us and from nginx."""
    wheel, registry = heavy_wheel(folder / "wheels", size), folder / "registry"
    token, uv = new_registry(registry), find_uv_bin()
    with ours(registry) as served, nginx(registry, folder / "nginx") as plain:
        before = served.rss_mb()
        upload = [uv, "publish", "--publish-url", served.index.replace("simple/", "legacy/"), "--token", token, wheel]
        result: dict[str, Any] = {"bytes": wheel.stat().st_size, "rss_before_mb": before, "upload_s": timed(upload)}
        result["rss_after_upload_mb"] = served.rss_mb(peak=True)
        install = [uv, "pip", "install", "--no-cache", "--target", folder / "target", "-p", sys.executable]
        result["install_s"] = timed([*install, "--index-url", served.index, "heavy"])
        shutil.rmtree(folder / "target")
        stored = next(path for path in (registry / "files").glob("*/*/*.whl"))
        places = {one.name: f"http://127.0.0.1:{one.port}/{stored.relative_to(registry)}" for one in (served, plain)}
        curl = ["taskset", "-c", "1", "curl", "-sS", "--fail", "-o", "/dev/null"]
        runs: dict[str, list[tuple[float, float]]] = {name: [] for name in places}
        for number in range(rounds + 1):
            for one in (served, plain):
                cpu = one.cpu_s()
                seconds = timed([*curl, places[one.name]])
                if number:
                    runs[one.name].append((seconds, one.cpu_s() - cpu))
        result["download_s"] = runs
        result["rss_peak_mb"] = served.rss_mb(peak=True)
    return result


def pip_download(rounds: int, folder: Path) -> dict[str, list[float]]:
    """Let pip download twenty wheels from us and from pypiserver."""
    (folder / "wheels").mkdir(parents=True)
    new_registry(folder / "registry")
    service, names = open_local(folder / "registry", user="ann"), [f"lib{number:02d}" for number in range(20)]
    for name in names:
        path = folder / "wheels" / f"{name}-1.0-py3-none-any.whl"
        info, content = f"{name}-1.0.dist-info", os.urandom(2 * 2**20)
        tags = b"Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        entries = [
            Entry(f"{name}/__init__.py", b""),
            Entry(f"{name}/data.bin", content),
            Entry(f"{info}/METADATA", f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n".encode()),
            Entry(f"{info}/WHEEL", tags),
        ]
        write_wheel(path, entries, dist_info=info, epoch=1_700_000_000)
        service.upload(path)
    service.close()
    pip = [environment("pip", "pip") / "python", "-m", "pip", "--isolated", "download", "--no-cache-dir", "-q"]
    seen: dict[str, list[float]] = {}
    with ours(folder / "registry") as one, pypiserver(folder / "wheels") as other:
        for number in range(rounds + 1):
            for served in (one, other):
                seconds = timed(
                    [*pip, "-d", folder / f"got-{served.name}-{number}", "--index-url", served.index, *names]
                )
                if number:
                    seen.setdefault(served.name, []).append(seconds)
    return seen


@contextmanager
def counting(port: int) -> Iterator[tuple[int, list[int]]]:
    """Stand between a client and a port; give another port and a list whose only item counts bytes to the client."""
    listening, count = socket.create_server(("127.0.0.1", 0)), [0]

    def copy(source: socket.socket, target: socket.socket, counted: bool) -> None:
        try:
            while piece := source.recv(65536):
                target.sendall(piece)
                count[0] += len(piece) * counted
        except OSError:
            pass
        target.close()

    def accept() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", port))
            threading.Thread(target=copy, args=(client, server, False), daemon=True).start()
            threading.Thread(target=copy, args=(server, client, True), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listening.getsockname()[1], count
    listening.close()


def card_of_a_model(folder: Path) -> str:
    """Return what the wheel of a model with thirty columns says in METADATA: its card, as it is built."""
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    package = mw.capture(model, X, y, name="tumour", version="1.0.0", evaluate=(X, y), to=folder)
    return str(Metadata.from_email(core_metadata(open_project(package.path))).description)


def resolving(folder: Path) -> dict[str, int]:
    """Count what resolving a model of 100 MB and its library moves."""
    new_registry(folder / "registry")
    (folder / "wheels").mkdir(parents=True)
    service = open_local(folder / "registry", user="ann")
    service.upload(library_wheel(folder / "wheels", requires="heavy"))
    service.upload(heavy_wheel(folder / "heavy", 100 * 2**20, description=card_of_a_model(folder / "model")))
    service.close()
    requirement = folder / "requirements.in"
    requirement.write_text("teamtools\n")
    pip = environment("pip", "pip") / "python"
    moved = {}
    with ours(folder / "registry") as served:
        for name, command in (
            ("uv pip compile", [find_uv_bin(), "pip", "compile", "--no-cache", "-p", sys.executable, requirement]),
            (
                "pip install --dry-run",
                [pip, "-m", "pip", "--isolated", "install", "--no-cache-dir", "--dry-run", "-r", requirement],
            ),
        ):
            with counting(served.port) as (port, count):
                timed([*command, "--index-url", f"http://127.0.0.1:{port}/simple/"])
                moved[name] = count[0]
    return moved


def visible(served: Served, name: str, marker: str) -> bool:
    """Say whether the page of a project in production says something."""
    page = served.index.replace("/simple/", f"/production/simple/{name}/")
    with urllib.request.urlopen(page, timeout=10) as answer:
        return marker in answer.read().decode()


def rollbacks(rounds: int, projects: int, folder: Path) -> dict[str, list[float]]:
    """Time the command, asked of a server and of the folder itself, which has a static index of many projects."""
    registry = folder / "registry"
    make_registry(registry, projects, 3, static_index=True)
    service = open_local(registry, user="ann")
    (folder / "wheels").mkdir()
    for version in ("1.0.0", "1.1.0"):
        service.upload(model_wheel(folder / "wheels", version))
    token = service.add_token("ann", scopes=("promote",)).secret
    seen: dict[str, list[float]] = {"through the server": [], "on the folder": []}
    with ours(registry, pinned=False) as served:
        for number in range(rounds + 1):
            for how, place in (
                ("through the server", served.index.replace("/simple/", "")),
                ("on the folder", str(registry)),
            ):
                for version in ("1.0.0", "1.1.0"):
                    service.promote("churn", version, to="production", reason="next")
                assert not visible(served, "churn", "rolled back") or number
                command = [sys.executable, "-m", "modelwright", "rollback", "churn@production", "--reason", "worse"]
                begun = time.perf_counter()
                environ = CLEAN | {"MODELWRIGHT_TOKEN": token}
                subprocess.run([*command, "--registry", place], check=True, capture_output=True, env=environ)
                while visible(served, "churn", 'data-yanked="superseded'):
                    time.sleep(0.005)
                if number:
                    seen[how].append(time.perf_counter() - begun)
    service.close()
    return seen


def starting(rounds: int, folder: Path) -> list[tuple[float, float, float]]:
    """Start a server; return the seconds until it answers, its CPU seconds, and its memory, MB."""
    new_registry(folder)
    seen = []
    for _ in range(rounds):
        with ours(folder, pinned=False) as served:
            seen.append((served.ready_s, served.cpu_s(), served.rss_mb()))
    return seen


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--megabytes", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--projects", type=int, default=1_000)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = starting(chosen.rounds, folder / "start")
        ready, cpu, memory = (median(column) for column in zip(*start, strict=True))
        print(f"start: {ready:.2f} s, {cpu:.2f} s of CPU, {memory:.0f} MB", flush=True)
        moved = resolving(folder / "resolve")
        print("resolving moves:", ", ".join(f"{who} {count:,} bytes" for who, count in moved.items()), flush=True)
        pip = pip_download(chosen.rounds, folder / "pip")
        ratio = median(our / their for our, their in zip(pip["modelwright"], pip["pypiserver"], strict=True))
        print(f"pip download of 20 wheels: {median(pip['modelwright']):.2f} s; ÷ pypiserver {ratio:.2f}", flush=True)
        back = rollbacks(chosen.rounds, chosen.projects, folder / "back")
        for how, seconds in back.items():
            print(f"rollback {how}: {median(seconds):.2f} s, at most {max(seconds):.2f} s", flush=True)
        large = large_file(chosen.megabytes * 2**20, chosen.rounds, folder / "large")
    runs = large["download_s"]
    wall, cpu = (
        median(their[clock] / our[clock] for our, their in zip(runs["modelwright"], runs["nginx"], strict=True))
        for clock in (0, 1)
    )
    print(
        f"{large['bytes'] / 1e6:,.0f} MB: upload {large['upload_s']:.1f} s, install {large['install_s']:.1f} s, memory "
        f"+{large['rss_peak_mb'] - large['rss_before_mb']:.0f} MB (after the upload "
        f"+{large['rss_after_upload_mb'] - large['rss_before_mb']:.0f} MB)\n"
        f"download at {wall:.2f} × the speed of nginx ({cpu:.2f} × per CPU second), "
        f"{large['bytes'] / 1e6 / median(one[0] for one in runs['modelwright']):,.0f} MB/s"
    )
    raw = {"start": start, "resolving": moved, "pip_download": pip, "rollback": back, "large": large}
    RESULTS.write_text(json.dumps(raw, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
