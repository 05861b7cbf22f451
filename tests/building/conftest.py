"""Real tools for the tests of building: interpreters, environments, frontends, a full disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from building_tools import clean_environment, installed_interpreters, run_command
from uv import find_uv_bin

ROOT = Path(__file__).parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a command that knows no package index; fail with its output unless it ends as expected."""
    return partial(run_command, clean_environment())


@pytest.fixture(scope="session")
def run_online() -> Run:
    """Run a command with the package index that this machine is set up for."""
    return partial(run_command, {**os.environ, "UV_PYTHON_DOWNLOADS": "never"})


@pytest.fixture(scope="session")
def uv() -> str:
    """The uv binary."""
    return find_uv_bin()


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
def modelwright_wheels(tmp_path_factory: pytest.TempPathFactory, run_online: Run, uv: str) -> Path:
    """A folder with a wheel of modelwright itself, for isolated builds."""
    folder = tmp_path_factory.mktemp("modelwright")
    run_online(uv, "build", "--wheel", "--python", sys.executable, "--out-dir", folder, ROOT)
    return folder
