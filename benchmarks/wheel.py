"""A wheel around 1 GB of weights: against ``cp`` + ``sha256sum`` of the same file, and against hatchling.

Every contender is a process of its own, imports included; the rounds are interleaved; wall time, CPU time of the
process and its peak memory as the kernel counts them (``wait4``). The weights are float32 normal deviates, as weights
are; hatchling, in an environment of its own, makes the same wheel. ``--designs`` compares ways of copying + hashing +
summing that were tried for the writer; ``--huge`` builds a 5 GiB wheel once and has it tested by ``unzip``.

Run: ``.venv/bin/python benchmarks/wheel.py [--rounds 3] [--gigabytes 1] [--designs] [--huge]``.
The raw output goes to ``benchmarks/results/wheel.json``; needs about 4 × the size on disk.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from uv import find_uv_bin

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).parent / "results" / "wheel.json"
HATCHLING = Path.home() / ".cache" / "modelwright-bench" / "hatchling-env"
PYPROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "churn"
version = "1.3.0"
"""
WEIGHTS = """
import sys, numpy
generator, left = numpy.random.default_rng(0), int(float(sys.argv[2]) * 1e9)
with open(sys.argv[1], "wb") as stream:
    while left > 0:
        stream.write(generator.standard_normal(min(left, 2**26) // 4, dtype="float32").tobytes())
        left -= 2**26
"""
OURS = "import sys; from modelwright.building.build import build; build(sys.argv[1], sys.argv[2])"

# Each reads argv[1], writes argv[2] and syncs it, and has the sha256 and the CRC-32 in the end.
PROLOGUE = """
import hashlib, mmap, os, sys, zlib
from concurrent.futures import ThreadPoolExecutor
digest, crc, CHUNK = hashlib.sha256(), 0, 2**20
source, target = open(sys.argv[1], "rb", buffering=0), open(sys.argv[2], "wb", buffering=0)
"""
EPILOGUE = "\nos.fsync(target.fileno())\n"
DESIGNS = {
    "one thread": """
buffer = memoryview(bytearray(CHUNK))
while count := source.readinto(buffer):
    digest.update(buffer[:count]); crc = zlib.crc32(buffer[:count], crc); target.write(buffer[:count])
""",
    "two threads, two buffers (chosen)": """
buffers, hashing, turn = [memoryview(bytearray(CHUNK)) for _ in "ab"], None, 0
with ThreadPoolExecutor(1) as pool:
    while True:
        buffer = buffers[turn]; turn ^= 1
        count = source.readinto(buffer)
        if hashing: hashing.result()
        if not count: break
        hashing = pool.submit(digest.update, buffer[:count])
        crc = zlib.crc32(buffer[:count], crc); target.write(buffer[:count])
""",
    "two threads, writing back early": """
buffers, hashing, turn, written = [memoryview(bytearray(CHUNK)) for _ in "ab"], None, 0, 0
with ThreadPoolExecutor(1) as pool:
    while True:
        buffer = buffers[turn]; turn ^= 1
        count = source.readinto(buffer)
        if hashing: hashing.result()
        if not count: break
        hashing = pool.submit(digest.update, buffer[:count])
        crc = zlib.crc32(buffer[:count], crc); target.write(buffer[:count])
        written += count
        if written % (16 * CHUNK) == 0:
            os.posix_fadvise(target.fileno(), written - 16 * CHUNK, 16 * CHUNK, os.POSIX_FADV_DONTNEED)
""",
    "copy_file_range, mmap, two threads": """
size = os.fstat(source.fileno()).st_size
with ThreadPoolExecutor(1) as pool, mmap.mmap(source.fileno(), size, prot=mmap.PROT_READ) as content:
    view = memoryview(content)
    hashing = pool.submit(digest.update, view)
    left = size
    while left: left -= os.copy_file_range(source.fileno(), target.fileno(), min(left, 2**26), size - left, size - left)
    crc = zlib.crc32(view); hashing.result(); view.release()
""",
}


def measure(command: list[Any], **settings: Any) -> dict[str, float]:
    """Run a command and return wall time, s, CPU time, s, and peak memory, MB."""
    start = time.perf_counter()
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, **settings)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{command[0]} ended with {child.returncode}")
    unit = 1e6 if sys.platform == "darwin" else 1e3
    wall = time.perf_counter() - start
    return {"wall_s": wall, "cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / unit}


def together(*parts: dict[str, float]) -> dict[str, float]:
    """Add the times of commands that run one after another."""
    return {
        "wall_s": sum(part["wall_s"] for part in parts),
        "cpu_s": sum(part["cpu_s"] for part in parts),
        "peak_mb": max(part["peak_mb"] for part in parts),
    }


def model_project(folder: Path, gigabytes: float) -> Path:
    """Write a model folder around the weights, which hatchling can build too; return the weights."""
    sys.path.insert(0, str(ROOT / "tests" / "building"))
    from building_models import write_model

    package = write_model(folder, weights=b"w")
    weights = package / "model" / "artifacts" / "weights.bin"
    subprocess.run([sys.executable, "-c", WEIGHTS, weights, str(gigabytes)], check=True)
    describe(package, weights)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    return weights


def describe(package: Path, weights: Path) -> None:
    """Bring size and digest of the weights into the manifest."""
    manifest = package / "model" / "manifest.json"
    document = json.loads(manifest.read_text())
    with weights.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    for file in document["artifacts"]:
        if file["path"] == weights.name:
            file |= {"sha256": digest, "size": weights.stat().st_size}
    manifest.write_text(json.dumps(document))


def hatchling() -> Path:
    """Return the Python of an environment with hatchling, made on first use."""
    python = HATCHLING / "bin" / "python"
    if not python.exists():
        subprocess.run([find_uv_bin(), "venv", "-q", "-p", sys.executable, HATCHLING], check=True)
        subprocess.run([find_uv_bin(), "pip", "install", "-q", "-p", python, "hatchling"], check=True)
    return python


def contenders(folder: Path, weights: Path) -> dict[str, Any]:
    """Return what is measured, by name."""
    copy = folder / "copy.bin"
    contending: dict[str, Any] = {
        "modelwright build": lambda: measure([sys.executable, "-c", OURS, folder / "churn", folder / "dist"]),
        "cp + sha256sum": lambda: together(measure(["cp", weights, copy]), measure(["sha256sum", weights])),
        "hatchling": lambda: measure(
            [hatchling(), "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "hatchling"], cwd=folder
        ),
    }
    if shutil.which("openssl"):
        contending["cp + sync + openssl sha256"] = lambda: together(
            measure(["cp", weights, copy]),
            measure(["sync", copy]),
            measure(["openssl", "dgst", "-sha256", weights]),
        )
    return contending


def rounds_of(contending: dict[str, Any], rounds: int, folder: Path) -> dict[str, list[dict[str, float]]]:
    """Measure everything in turn, so many times; what was written is removed and flushed in between."""
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in contending}
    for number in range(rounds):
        for name, contend in contending.items():
            for written in ("copy.bin", "target.bin"):
                (folder / written).unlink(missing_ok=True)
            for written in ("dist", "hatchling"):
                shutil.rmtree(folder / written, ignore_errors=True)
            os.sync()
            seen[name].append(contend())
            print(f"round {number + 1}  {name:36} {seen[name][-1]}", file=sys.stderr)
    return seen


def table(seen: dict[str, list[dict[str, float]]], ours: str) -> None:
    """Print medians, and the median of the per-round ratios to ours."""
    print(f"{'':36} {'wall s':>8} {'CPU s':>8} {'peak MB':>8} {'wall ÷ ours':>12} {'CPU ÷ ours':>11}")
    for name, runs in seen.items():
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        wall, cpu = (
            statistics.median(run[key] / own[key] for run, own in zip(runs, seen[ours], strict=True))
            for key in ("wall_s", "cpu_s")
        )
        numbers = f"{middle['wall_s']:8.2f} {middle['cpu_s']:8.2f} {middle['peak_mb']:8.0f}"
        print(f"{name:36} {numbers} {wall:12.2f} {cpu:11.2f}")


def huge(folder: Path, weights: Path) -> dict[str, float]:
    """Build a wheel with an entry of 5 GiB and have ``unzip`` test it."""
    os.truncate(weights, 5 * 2**30)
    describe(folder / "churn", weights)
    used = measure([sys.executable, "-c", OURS, folder / "churn", folder / "dist"])
    (wheel,) = (folder / "dist").glob("*.whl")
    measure(["unzip", "-tqq", wheel])
    return used | {"wheel_bytes": wheel.stat().st_size}


def main() -> None:
    """Measure, print the tables, keep the raw numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--designs", action="store_true")
    parser.add_argument("--huge", action="store_true")
    options = parser.parse_args()
    raw: dict[str, Any] = {
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()},
        "gigabytes": options.gigabytes,
    }
    with tempfile.TemporaryDirectory(prefix="modelwright-bench-") as temporary:
        folder = Path(temporary)
        weights = model_project(folder, options.gigabytes)
        raw["build"] = rounds_of(contenders(folder, weights), options.rounds, folder)
        table(raw["build"], "modelwright build")
        if options.designs:
            designs = {
                name: (
                    lambda code=code: measure(
                        [sys.executable, "-c", PROLOGUE + code + EPILOGUE, weights, folder / "target.bin"]
                    )
                )
                for name, code in DESIGNS.items()
            }
            raw["designs"] = rounds_of(designs, options.rounds, folder)
            table(raw["designs"], "two threads, two buffers (chosen)")
        if options.huge:
            raw["huge"] = huge(folder, weights)
            print("5 GiB entry:", raw["huge"])
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(raw, indent=1) + "\n")


if __name__ == "__main__":
    main()
