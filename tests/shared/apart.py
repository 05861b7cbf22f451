"""Run the tests of a format in an environment of its own, which holds modelwright, that format's extra, and pytest.

A folder below ``tests/formats/apart`` holds ``requirements.txt`` and tests. The environments are made by uv, kept in
the user's cache folder for the next time, and belong to one clone each: modelwright is installed editable. The folders
that pip is configured to take wheels from (a CPU build of torch, say) are given to uv as well.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import uv

ROOT = Path(__file__).parents[2]
FOLDERS = ROOT / "tests" / "formats" / "apart"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "modelwright" / "format-tests"
PYTEST = ("pytest>=9.0",)
TIMEOUT_S = 1800
KEPT_S = 7 * 86_400.0
"""An environment that was not used for so long goes, seconds."""


class Outcome(NamedTuple):
    """How a test ended.

    Attributes:
        name: ``module::class::test``.
        passed: Whether it did; a skipped test did not.
        said: What it said otherwise.
    """

    name: str
    passed: bool
    said: str


def folders() -> list[Path]:
    """Return the folders that have an environment of their own."""
    return sorted(path.parent for path in FOLDERS.glob("*/requirements.txt"))


def variables() -> dict[str, str]:
    """Return the environment variables for uv and the tests: pip's own folders of wheels are uv's as well."""
    given = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_", "VIRTUAL_ENV"))
    }
    given["UV_PYTHON_DOWNLOADS"] = "never"
    if "UV_FIND_LINKS" not in given and (links := _find_links()):
        given["UV_FIND_LINKS"] = links
    return given


def _find_links() -> str:
    if "PIP_FIND_LINKS" in os.environ:
        return ",".join(os.environ["PIP_FIND_LINKS"].split())
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.find-links"], capture_output=True, text=True, check=False
    )
    return ",".join(done.stdout.split()) if done.returncode == 0 else ""


def environment(folder: Path) -> Path:
    """Return the Python of the environment of a folder, made if it is not there.

    Raises:
        AssertionError: uv cannot make it; what it said is told.
    """
    wanted = (folder / "requirements.txt").read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    key = hashlib.sha256(b"\0".join([wanted, str(ROOT).encode(), sys.version.encode()])).hexdigest()[:16]
    target = CACHE / f"{folder.name}-{key}"
    python = target / ("Scripts" if os.name == "nt" else "bin") / "python"
    _prune(time.time())
    if (target / ".ready").exists():
        (target / ".ready").touch()
        return python
    shutil.rmtree(target, ignore_errors=True)
    program = uv.find_uv_bin()
    _run([program, "venv", "--quiet", "--python", sys.executable, str(target)])
    listed = ["--requirement", str(folder / "requirements.txt"), "--editable", str(ROOT), *PYTEST]
    _run([program, "pip", "install", "--quiet", "--python", str(python), *listed])
    (target / ".ready").touch()
    return python


def _prune(now: float) -> None:
    """Remove environments that nobody used for long: each clone has its own."""
    for ready in CACHE.glob("*/.ready"):
        if now - ready.stat().st_mtime > KEPT_S:
            shutil.rmtree(ready.parent, ignore_errors=True)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env=variables(), timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


def run(folder: Path, report: Path) -> list[Outcome]:
    """Run the tests of a folder in its environment.

    Args:
        folder: One of :func:`folders`.
        report: Where pytest's JUnit report is written.

    Returns:
        Every test, in order; none if pytest itself failed, which is an error.
    """
    command = [str(environment(folder)), "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={report}", "-q"]
    command += ["--rootdir", str(folder), "-c", str(ROOT / "tests" / "formats" / "apart" / "pytest.ini"), str(folder)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=variables(), cwd=folder, timeout=TIMEOUT_S, check=False
    )
    assert report.exists(), done.stdout + done.stderr
    found = outcomes_in(report)
    assert found, done.stdout + done.stderr
    return found


def outcomes_in(report: Path) -> list[Outcome]:
    """Return every test of a JUnit report, in order."""
    return [_outcome(case) for case in ElementTree.parse(report).getroot().iter("testcase")]


def _outcome(case: ElementTree.Element) -> Outcome:
    wrong = [part for part in case if part.tag in ("failure", "error", "skipped")]
    name = f"{case.get('classname', '')}::{case.get('name', '')}"
    return Outcome(name, not wrong, "\n".join(f"{part.get('message')}\n{part.text or ''}" for part in wrong))
