"""Servers to compare: ours, pypiserver, devpi-server, nginx; each in its own environment, pinned to one core.

For the other scripts about the registry. Peers are installed by uv into ``~/.cache/modelwright-bench``, nginx
comes from the machine (``apt-get install nginx-light``).
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from uv import find_uv_bin

ENVIRONMENTS = Path.home() / ".cache" / "modelwright-bench"
SERVER_CORE, CLIENT_CORE = 0, os.cpu_count() and os.cpu_count() - 1
TICKS = os.sysconf("SC_CLK_TCK")


class Served(NamedTuple):
    """A server that runs: its name, where an installer finds its index, the process, and how long it took to answer."""

    name: str
    index: str
    process: subprocess.Popen[bytes]
    ready_s: float

    @property
    def port(self) -> int:
        """Its port."""
        return int(self.index.split(":")[2].split("/")[0])

    def cpu_s(self) -> float:
        """CPU that it and its children have used, seconds."""
        return sum(_cpu(pid) for pid in family(self.process.pid))

    def rss_mb(self, *, peak: bool = False) -> float:
        """Resident memory of it and its children, MB."""
        return sum(_status(pid, "VmHWM" if peak else "VmRSS") for pid in family(self.process.pid)) / 1e3


def family(pid: int) -> list[int]:
    """Return a process and everything it started."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _status(pid: int, key: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1.024 for line in lines if line.startswith(key))


def environment(name: str, *requirements: str) -> Path:
    """Return the folder of programs of a peer's environment; it is made the first time."""
    folder = ENVIRONMENTS / name
    if not folder.exists():
        subprocess.run([find_uv_bin(), "venv", "-q", "-p", sys.executable, folder], check=True)
        python = folder / "bin" / "python"
        subprocess.run(
            [find_uv_bin(), "pip", "install", "-q", "--compile-bytecode", "-p", python, *requirements], check=True
        )
    return folder / "bin"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextmanager
def running(
    name: str, command: Sequence[str | Path], url: str, *, index: str = "", pinned: bool = True
) -> Iterator[Served]:
    """Run a server until the block ends; it runs once ``url`` answers."""
    begun = time.perf_counter()
    pin = ["taskset", "-c", str(SERVER_CORE)] if pinned else []
    process = subprocess.Popen([*pin, *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not answers(url):
            assert process.poll() is None, f"{name} ended"
            time.sleep(0.01)
        yield Served(name, index or url, process, time.perf_counter() - begun)
    finally:
        process.terminate()
        process.wait(30)


def answers(url: str) -> bool:
    """Say whether a server answers there with 200."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def ours(folder: Path, *, pinned: bool = True) -> Iterator[Served]:
    """Serve a registry's folder."""
    port = free_port()
    command = [sys.executable, "-m", "modelwright", "registry", folder, "--port", str(port), "--quiet"]
    url = f"http://127.0.0.1:{port}"
    with running("modelwright", command, f"{url}/health", index=f"{url}/simple/", pinned=pinned) as served:
        yield served


@contextmanager
def pypiserver(wheels: Path) -> Iterator[Served]:
    """Serve a folder of wheels with pypiserver, which takes uploads from anybody."""
    port = free_port()
    command = [environment("pypiserver", "pypiserver") / "pypi-server", "run", "-i", "127.0.0.1", "-p", str(port)]
    with running("pypiserver", [*command, "-P", ".", "-a", ".", wheels], f"http://127.0.0.1:{port}/simple/") as served:
        yield served


@contextmanager
def devpi(folder: Path) -> Iterator[Served]:
    """Serve an empty index ``root/dev`` with devpi-server; it takes uploads from ``root`` without a password."""
    programs, port = environment("devpi", "devpi-server", "devpi-client"), free_port()
    subprocess.run([programs / "devpi-init", "--serverdir", folder], check=True, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    command = [programs / "devpi-server", "--serverdir", folder, "--port", str(port), "--offline-mode"]
    with running("devpi-server", command, f"{url}/+api", index=f"{url}/root/dev/+simple/") as served:
        client = [programs / "devpi"]
        state = ["--clientdir", folder / "client"]
        for words in (["use", url], ["login", "root", "--password="], ["index", "-c", "root/dev", "bases="]):
            subprocess.run([*client, *words, *state], check=True, stdout=subprocess.DEVNULL)
        yield served


@contextmanager
def nginx(folder: Path, where: Path) -> Iterator[Served]:
    """Serve a folder with nginx, one worker, as Debian configures it: sendfile and tcp_nopush."""
    port = free_port()
    where.mkdir(parents=True)
    (where / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {where}/pid; error_log {where}/error.log; user root;\n"
        "events { worker_connections 64; }\n"
        f"http {{ access_log off; sendfile on; tcp_nopush on; server {{ listen 127.0.0.1:{port}; root {folder}; "
        "location / { autoindex on; } } }\n"
    )
    command = ["/usr/sbin/nginx", "-c", where / "nginx.conf", "-p", where]
    with running("nginx", command, f"http://127.0.0.1:{port}/") as served:
        yield served


class Load(NamedTuple):
    """What came of asking many times.

    Attributes:
        seconds: How long it took.
        cpu_s: CPU of the server, seconds.
        latencies: Of each request, seconds.
        bytes: How many bytes of bodies came.
    """

    seconds: float
    cpu_s: float
    latencies: list[float]
    bytes: int

    @property
    def p50_ms(self) -> float:
        """Median latency, milliseconds."""
        return 1e3 * median(self.latencies)

    @property
    def p99_ms(self) -> float:
        """99th percentile of latencies, milliseconds."""
        return 1e3 * quantiles(self.latencies, n=100)[98]

    @property
    def per_s(self) -> float:
        """Requests in a second."""
        return len(self.latencies) / self.seconds

    @property
    def per_cpu_s(self) -> float:
        """Requests in a second of the server's CPU, which other processes on the machine do not change."""
        return len(self.latencies) / self.cpu_s


def ask(served: Served, paths: Sequence[str], *, connections: int = 1, headers: str = "") -> Load:
    """Get every path once, over connections that stay open; anything but 200 is an error."""
    os.sched_setaffinity(0, {CLIENT_CORE or 0})
    before, begun = served.cpu_s(), time.perf_counter()
    parts = asyncio.run(_ask_all(served.port, paths, connections, headers))
    seconds, cpu = time.perf_counter() - begun, served.cpu_s() - before
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    return Load(seconds, cpu, [one for latencies, _ in parts for one in latencies], sum(size for _, size in parts))


async def _ask_all(port: int, paths: Sequence[str], connections: int, headers: str) -> list[tuple[list[float], int]]:
    return await asyncio.gather(*(_ask_some(port, paths[one::connections], headers) for one in range(connections)))


async def _ask_some(port: int, paths: Sequence[str], headers: str) -> tuple[list[float], int]:
    latencies, total, open_now = list[float](), 0, False
    for path in paths:
        begun = time.perf_counter()
        if not open_now:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert b" 200 " in head.split(b"\r\n", 1)[0], head
        open_now = head.startswith(b"http/1.1") and b"connection: close" not in head
        total += await _body(reader, head)
        latencies.append(time.perf_counter() - begun)
        if not open_now:
            writer.close()
    return latencies, total


async def _body(reader: asyncio.StreamReader, head: bytes) -> int:
    """Read a body, however it ends; return how long it is."""
    if b"content-length:" in head:
        return len(await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])))
    if b"transfer-encoding: chunked" not in head:
        return len(await reader.read(-1))
    total = 0
    while size := int(await reader.readline(), 16):
        total += len(await reader.readexactly(size + 2)) - 2
    await reader.readexactly(2)
    return total
