"""Real tools for the tests of building: interpreters, environments, frontends, a full disk."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from uv import find_uv_bin

ROOT = Path(__file__).parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


def clean_environment(**extra: str) -> dict[str, str]:
    """The environment of a child: no index but the one a test names, no downloads of interpreters."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("PIP_", "UV_", "PYTHON"))}
    kept.pop("SOURCE_DATE_EPOCH", None)
    cache = {"UV_CACHE_DIR": os.environ["UV_CACHE_DIR"]} if "UV_CACHE_DIR" in os.environ else {}
    fixed = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "UV_NO_CONFIG": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "NO_COLOR": "1",
    }
    return kept | cache | fixed | extra


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a command in a clean environment; fail with its output unless it ends as expected."""

    def run(*command: str | Path, code: int | None = 0, cwd: Path | None = None, **extra: str):
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env=clean_environment(**extra),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if code is not None:
            assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture(scope="session")
def uv() -> str:
    """The uv binary."""
    return find_uv_bin()


def installed_interpreters() -> dict[str, str]:
    """CPython 3.10 to 3.13 on this machine, by ``3.11``; the running one is always among them."""
    listed = subprocess.run(
        [find_uv_bin(), "python", "list", "--only-installed", "--output-format", "json"],
        env=clean_environment(),
        capture_output=True,
        check=True,
    )
    found = {f"{sys.version_info.major}.{sys.version_info.minor}": sys.executable}
    for each in json.loads(listed.stdout):
        minor = f"{each['version_parts']['major']}.{each['version_parts']['minor']}"
        if each["implementation"] == "cpython" and minor in ("3.10", "3.11", "3.12", "3.13"):
            found.setdefault(minor, each["path"])
    return dict(sorted(found.items()))


@pytest.fixture(scope="session")
def interpreters() -> dict[str, str]:
    """CPython interpreters of this machine, by ``3.11``."""
    return installed_interpreters()


@pytest.fixture(scope="session")
def offline() -> list[str]:
    """What to write before a command so that it has no network."""
    namespace = [shutil.which("unshare") or "", "-rn"]
    works = namespace[0] and subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode == 0
    return namespace if works else ["env", "https_proxy=http://127.0.0.1:9", "http_proxy=http://127.0.0.1:9"]


@pytest.fixture(scope="session")
def modelwright_wheels(tmp_path_factory: pytest.TempPathFactory, run: Run, uv: str) -> Path:
    """A folder with a wheel of modelwright itself, for isolated builds."""
    folder = tmp_path_factory.mktemp("modelwright")
    run(uv, "build", "--wheel", "--python", sys.executable, "--out-dir", folder, ROOT)
    return folder
