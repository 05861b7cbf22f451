"""Lock the whole environment of a model: every distribution, with hashes, as PEP 751 and as requirements for old pip.

For: capture, which starts the resolution early and waits for it later. uv resolves, with its own configuration of
indexes; the versions are held to those installed here, so the lock is the environment the model was trained in and
not what is new today.

It does not: decide the requirements (:mod:`modelwright.capturing.dependencies`), install, or record a credential or a
path of this machine.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import uv
from packaging.requirements import Requirement

from modelwright.errors import LockError
from modelwright.spec.struct import Frozen

HEADER = "# Every distribution of the model's environment, with hashes (PEP 751); resolved by uv.\n"
TIMEOUT_S = 300.0
"""A resolution that takes longer is given up, seconds."""
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s\"']+@")
"""User information of a URL. Source: RFC 3986, 3.2.1."""


class Lock(Frozen, frozen=True, kw_only=True):
    """A locked environment.

    Attributes:
        pylock: Text of ``pylock.toml``.
        requirements: The same as text of a hashed ``requirements.txt``.
        packages: Version of each locked distribution, by name; where platforms differ, the first.
        universal: Whether it holds for every platform; otherwise only for this one.
        note: Why it holds for this platform only; empty if it holds for all.
    """

    pylock: str
    requirements: str
    packages: dict[str, str]
    universal: bool = True
    note: str = ""


class Resolving:
    """A resolution under way; :meth:`result` waits for it."""

    def __init__(
        self, requirements: Sequence[str], folder: tempfile.TemporaryDirectory[str], command: list[str]
    ) -> None:
        self._requirements = requirements
        self._folder = folder
        self._command = command
        self._process = _run([*command, "--universal"], self._input())

    def _input(self) -> bytes:
        return "".join(f"{line}\n" for line in self._requirements).encode()

    def result(self) -> Lock:
        """Wait for the lock.

        Raises:
            LockError: The requirements cannot be resolved; the one in the way is named.
        """
        with self._folder:
            code, out, said = _finish(self._process)
            if code == 0:
                return _lock(out, note="")
            why = _cause(said)
            code, out, said_here = _finish(_run(self._command, self._input()))
            if code == 0:
                return _lock(out, note=f"for this platform only: {why}")
            raise _failure(self._requirements, said_here)

    def stop(self) -> None:
        """Give it up."""
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()


def start(
    requirements: Sequence[str],
    *,
    installed: Mapping[str, str] | None = None,
    python: str = f"{sys.version_info.major}.{sys.version_info.minor}",
    index_url: str | None = None,
) -> Resolving:
    """Start to lock requirements.

    Args:
        requirements: Direct requirements, PEP 508.
        installed: Versions here of whatever comes with them; the lock keeps to them.
        python: Oldest interpreter that the lock is for (``3.11``).
        index_url: The one index to ask; by default what uv is configured to ask.

    Raises:
        LockError: uv is not there.
    """
    folder = tempfile.TemporaryDirectory(prefix="modelwright-lock-")
    held = Path(folder.name) / "constraints.txt"
    named = {Requirement(line).name.lower() for line in requirements}
    lines = (f"{name}=={version}\n" for name, version in sorted((installed or {}).items()) if name not in named)
    held.write_text("".join(lines), "utf-8")
    command = [_uv(), "pip", "compile", "-", "--format", "pylock.toml", "--generate-hashes", "--no-header"]
    command += ["--python-version", python, "--constraints", str(held), "--quiet", "--no-progress", "--color", "never"]
    command += ["--default-index", index_url] if index_url else []
    return Resolving(tuple(requirements), folder, command)


def lock(
    requirements: Sequence[str],
    *,
    installed: Mapping[str, str] | None = None,
    python: str = f"{sys.version_info.major}.{sys.version_info.minor}",
    index_url: str | None = None,
) -> Lock:
    """Lock requirements; see :func:`start`.

    Raises:
        LockError: The requirements cannot be resolved.
    """
    return start(requirements, installed=installed, python=python, index_url=index_url).result()


def _uv() -> str:
    try:
        return str(uv.find_uv_bin())
    except FileNotFoundError as error:
        raise LockError(
            "The uv program is not there.", why=str(error), hint="pip install --force-reinstall uv"
        ) from error


def _run(command: list[str], given: bytes) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if process.stdin is not None:
        process.stdin.write(given)
        process.stdin.close()
        process.stdin = None
    return process


def _finish(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    try:
        out, said = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        out, said = process.communicate()
        return 1, "", f"uv did not answer within {TIMEOUT_S:g} s"
    return process.returncode, out.decode(), without_credentials(said.decode(errors="replace"))


def without_credentials(text: str) -> str:
    """Return text whose URLs carry no user and password.

    Example:
        >>> without_credentials('url = "https://me:secret@index.example/simple"')
        'url = "https://index.example/simple"'
    """
    return _CREDENTIALS.sub("", text)


def _lock(out: str, *, note: str) -> Lock:
    text = HEADER + without_credentials(out)
    packages = tomllib.loads(text).get("packages", [])
    versions: dict[str, str] = {}
    for package in packages:
        versions.setdefault(package["name"], package.get("version", ""))
    return Lock(
        pylock=text,
        requirements="".join(map(_requirement, packages)),
        packages=versions,
        universal=not note,
        note=note,
    )


def _requirement(package: dict[str, Any]) -> str:
    """Write one locked distribution as pip reads it with ``--require-hashes``."""
    files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else ())]
    hashes = sorted({f"{kind}:{value}" for file in files for kind, value in file.get("hashes", {}).items()})
    marker = f" ; {package['marker']}" if "marker" in package else ""
    lines = [f"{package['name']}=={package['version']}{marker}", *(f"    --hash={each}" for each in hashes)]
    return " \\\n".join(lines) + "\n"


def _cause(said: str) -> str:
    """Shorten what uv says to its reason, in one line."""
    lines = [line.strip(" │╰─▶×\t") for line in said.splitlines() if line.strip()]
    return " ".join(line for line in lines if line)[:1000]


def _failure(requirements: Sequence[str], said: str) -> LockError:
    cause = _cause(said)
    names = [
        line for line in requirements if re.search(rf"(?<![\w-]){re.escape(Requirement(line).name)}(?![\w-])", cause)
    ]
    blamed = names[0] if names else ", ".join(requirements)
    return LockError(
        f"The environment cannot be locked: {blamed}.",
        where="uv pip compile",
        why=cause,
        hint="Check that the configured index has this release and is reachable (uv's own settings, or index_url=…).",
    )
