"""Lock the whole environment of a model: every distribution, with hashes, as PEP 751 and as requirements for old pip.

For: capture, which starts the resolution early and waits for it later, and ``modelwright lock``. uv resolves, with its
own configuration of indexes; for capture the versions are held to those installed here, so the lock is the environment
the model was trained in and not what is new today.

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
from contextlib import suppress
from pathlib import Path
from typing import Any

import uv
from packaging.requirements import Requirement
from packaging.version import Version

from modelwright.errors import LockError
from modelwright.spec.struct import Frozen

HEADER = "# Every distribution of the model's environment, with hashes (PEP 751); resolved by uv.\n"
TIMEOUT_S = 300.0
"""A resolution that takes longer is given up, seconds."""
_CREDENTIALS = re.compile(r"((?<=http://)|(?<=https://))[^/@\s\"']+@")
"""User information of a URL (RFC 3986, 3.2.1); that of ``ssh://git@…`` is no secret but part of the address."""
_LOCAL_FILE = re.compile(r'(?m)(?<!archive = \{ )\burl = "file://[^"]*/(?P<name>[^"/]+\.(whl|tar\.gz|zip))"')


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


class Around(Frozen, frozen=True, kw_only=True):
    """What a project brings to its lock beside requirements.

    Attributes:
        folder: The project's folder; uv's settings in it (``[tool.uv]``, ``uv.toml``) hold. Without one: the current.
        file: A project file whose requirements are locked as well, as uv reads it: it asks the build backend for
            those that are dynamic.
        extras: Extras of that file.
        held: Requirements that restrict versions without asking for a distribution (uv's constraints).
        kept: Text of an earlier ``pylock.toml``, whose versions stay where they can; empty: the newest are taken, and
            the index is asked for them whatever uv's cache says (what uv calls an upgrade).
    """

    folder: Path | None = None
    file: Path | None = None
    extras: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    kept: str = ""

    @property
    def arguments(self) -> list[str]:
        """What uv is told about it."""
        named = [str(self.file), *(f"--extra={extra}" for extra in self.extras)] if self.file else []
        if self.folder:
            named += [] if self.kept else ["--upgrade"]
        return named


_ALONE = Around()


class Resolving:
    """A resolution under way; :meth:`result` waits for it."""

    def __init__(
        self,
        requirements: Sequence[str],
        folder: tempfile.TemporaryDirectory[str],
        command: list[str],
        *,
        builds: Sequence[str] = (),
        around: Around = _ALONE,
    ) -> None:
        self._requirements = requirements
        self._builds = builds
        self._folder = folder
        self._made = Path(folder.name) / "pylock.toml"
        self._command = [*command, "--output-file", str(self._made), *around.arguments]
        self._around = around
        if around.kept:
            self._made.write_text(around.kept, "utf-8")
        self._process = self._start("--universal", *self._builds)

    def _start(self, *options: str) -> subprocess.Popen[bytes]:
        return _run([*self._command, *options], self._input(), self._around.folder)

    def _input(self) -> bytes:
        return "".join(f"{line}\n" for line in self._requirements).encode()

    def result(self) -> Lock:
        """Wait for the lock.

        Raises:
            LockError: The requirements cannot be resolved; the one in the way is named.
        """
        with self._folder:
            code, said = _finish(self._process)
            if code == 0 and self._builds:
                return _lock(self._made.read_text("utf-8"), note="with builds that other platforms may not have")
            if code != 0 and self._builds:  # no index here serves the very builds that are installed
                code, said = _finish(self._start("--universal"))
            if code == 0:
                return _lock(self._made.read_text("utf-8"), note="")
            why = _cause(said)
            code, said_here = _finish(self._start())
            if code == 0:
                return _lock(self._made.read_text("utf-8"), note=f"for this platform only: {why}")
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
    around: Around = _ALONE,
) -> Resolving:
    """Start to lock requirements.

    Args:
        requirements: Direct requirements, PEP 508.
        installed: Versions here of whatever comes with them; the lock keeps to them. Where it names builds of a
            release (``2.13.0+cpu``, PEP 440), it keeps to these if uv finds them: another one may need other libraries
            of gigabytes.
        python: Oldest interpreter that the lock is for (``3.11``).
        index_url: The one index to ask; by default what uv is configured to ask.
        around: What a project brings beside its requirements.

    Raises:
        LockError: uv is not there.
    """
    program = _uv()
    folder = tempfile.TemporaryDirectory(prefix="modelwright-lock-")
    held = Path(folder.name) / "constraints.txt"
    named = {Requirement(line).name.lower() for line in requirements}
    known = sorted((installed or {}).items())
    lines = (f"{name}=={Version(version).public}\n" for name, version in known if name not in named)
    held.write_text("".join([*lines, *(f"{line}\n" for line in around.held)]), "utf-8")
    builds = Path(folder.name) / "builds.txt"
    builds.write_text("".join(f"{name}=={version}\n" for name, version in known if "+" in version), "utf-8")
    command = [program, "pip", "compile", "-", "--format", "pylock.toml", "--generate-hashes", "--no-header"]
    command += [
        "--python",
        sys.executable,
        "--python-version",
        python,
        "--constraints",
        str(held),
        "--quiet",
        "--no-progress",
        "--color",
        "never",
    ]
    command += ["--default-index", index_url] if index_url else []
    exact = ("--constraints", str(builds)) if builds.stat().st_size else ()
    return Resolving(tuple(requirements), folder, command, builds=exact, around=around)


def _uv() -> str:
    try:
        return str(uv.find_uv_bin())
    except FileNotFoundError as error:
        raise LockError(
            "The uv program is not there.", why=str(error), hint="pip install --force-reinstall uv"
        ) from error


def _run(command: list[str], given: bytes, folder: Path | None) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    if process.stdin is not None:
        with suppress(BrokenPipeError), process.stdin as stdin:  # it died at once; what it said tells why
            stdin.write(given)
        process.stdin = None
    return process


def _finish(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    try:
        _, said = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return 1, f"uv did not answer within {TIMEOUT_S:g} s"
    return process.returncode, without_credentials(said.decode(errors="replace"))


def without_credentials(text: str) -> str:
    """Return text whose URLs carry no user and password.

    Example:
        >>> without_credentials('url = "https://me:secret@index.example/simple"')
        'url = "https://index.example/simple"'
    """
    return _CREDENTIALS.sub("", text)


def _lock(out: str, *, note: str) -> Lock:
    """Read what uv wrote; a file that it found in a folder here is said to lie beside the lock (PEP 751, ``path``)."""
    text = HEADER + _LOCAL_FILE.sub(r'path = "\g<name>"', without_credentials(out))
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
    files = [*package.get("wheels", ()), *(package[kind] for kind in ("sdist", "archive") if kind in package)]
    hashes = sorted({f"{kind}:{value}" for file in files for kind, value in file.get("hashes", {}).items()})
    marker = f" ; {package['marker']}" if "marker" in package else ""
    lines = [f"{package['name']}{_source(package)}{marker}", *(f"    --hash={each}" for each in hashes)]
    return " \\\n".join(lines) + "\n"


def _source(package: dict[str, Any]) -> str:
    """Return what follows the name: the version on an index, or where else it comes from (PEP 508)."""
    if vcs := package.get("vcs"):
        return f" @ {vcs['type']}+{vcs.get('url', vcs.get('path'))}@{vcs['commit-id']}"
    direct = package.get("archive") or package.get("directory")
    return f" @ {direct.get('url', direct.get('path'))}" if direct else f"=={package['version']}"


def _cause(said: str) -> str:
    """Shorten what uv says to its reason, in one line."""
    lines = [line.strip(" │╰─▶×\t") for line in said.splitlines() if line.strip()]
    return " ".join(line for line in lines if line)[:1000]


_INDEX = "Check that the configured index has this release and is reachable (uv's own settings, or index_url=…)."
_FIXES = {
    r"requires Python|satisfy Python": "Lock for a Python that all of them support, or require another version.",
    r"no versions? of|not found": _INDEX,
    r"unsatisfiable|incompatible": "Relax one of the requirements that are named.",
    r"": _INDEX,
}
"""What helps, by what uv says; the first that fits."""


def _failure(requirements: Sequence[str], said: str) -> LockError:
    cause = _cause(said)
    names = [
        line for line in requirements if re.search(rf"(?<![\w-]){re.escape(Requirement(line).name)}(?![\w-])", cause)
    ]
    blamed = ": " + (names[0] if names else ", ".join(requirements)) if requirements else ""
    hint = next(fix for pattern, fix in _FIXES.items() if re.search(pattern, cause))
    return LockError(f"The environment cannot be locked{blamed}.", where="uv pip compile", why=cause, hint=hint)
