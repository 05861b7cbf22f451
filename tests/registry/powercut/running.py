"""Run operations on a folder under ``shim.c``: whole, for its log, or killed before a certain change."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from powercut.replay import MARK, Record, read_log

HERE = Path(__file__).parent


def build_shim(folder: Path) -> Path:
    """Compile the shim; a machine without a C compiler fails here, loudly."""
    shim = folder / "shim.so"
    command = [
        "cc",
        "-O2",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-shared",
        "-fPIC",
        "-o",
        str(shim),
        str(HERE / "shim.c"),
        "-lpthread",
    ]
    subprocess.run(command, check=True)
    return shim


class Run(NamedTuple):
    """What became of an operation: what it changed, what was acknowledged, what it raised, whether it was killed."""

    records: list[Record]
    acknowledged: list[str]
    error: str
    killed: bool


class Driver:
    """A process with the shim that does what it is told in forks; see ``driver.py``.

    Args:
        shim: From :func:`build_shim`.
        scratch: Folder for its log.
        warm: Wheels that are published once elsewhere, so that what is imported late is there in every fork.
    """

    def __init__(self, shim: Path, scratch: Path, *warm: Path) -> None:
        self._log = scratch / "log"
        environment = {**os.environ, "LD_PRELOAD": str(shim)}
        command = [sys.executable, str(HERE / "driver.py"), *map(str, warm)]
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, call: str, folder: Path, *, kill: int = 0, half: bool = False) -> Run:
        """Run ``module:function`` on a folder; kill it before its change number ``kill``, perhaps a write half done."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._log.unlink(missing_ok=True)
        order = {"call": call, "folder": str(folder), "log": str(self._log), "kill": kill, "half": int(half)}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        records = read_log(self._log)
        done = [record.first for record in records if record.kind == MARK]
        return Run(records, done, answer["error"], answer["signal"] == 9)

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=30)


def fresh_copy(base: Path, target: Path) -> Path:
    """Copy a folder, in place of what was there."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(base, target)
    return target
