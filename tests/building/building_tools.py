"""Run commands in a known environment, and know the interpreters of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin


def clean_environment() -> dict[str, str]:
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
    return kept | cache | fixed


def run_command(
    environment: dict[str, str],
    *command: str | Path,
    code: int | None = 0,
    cwd: Path | None = None,
    **extra: str,
) -> subprocess.CompletedProcess[str]:
    """Run a command; fail with its output unless it ends with ``code`` (``None``: however it ends)."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment | extra,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if code is not None:
        assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


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
