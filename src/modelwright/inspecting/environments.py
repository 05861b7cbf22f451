"""Clean environments: made from a package's own lock, with the package in it, and nothing else.

Called by verify (a fresh one each time), diff and predict (kept ones, by the digests of lock, wheel and
interpreter). No part of modelwright is in them: what runs there is the runtime that the package carries.

It does not: resolve anything; the lock decides. Environments are kept below the user's cache folder, made under a
temporary name and moved into place, so that concurrent processes never see half of one.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.message import Message
from importlib.metadata import distributions
from pathlib import Path
from typing import cast

import msgspec
from packaging.utils import canonicalize_name

from modelwright.errors import EnvironmentBuildError
from modelwright.inspecting import bytecode
from modelwright.inspecting.installers import Installer, python_of
from modelwright.inspecting.interpreters import Interpreter, find_interpreter
from modelwright.inspecting.licences import licence_name
from modelwright.inspecting.lock import locked
from modelwright.inspecting.weights import checked_weights
from modelwright.inspecting.wheel import check_wheel
from modelwright.package import Package, open_wheel
from modelwright.runtime.digests import cache_folder

try:
    import fcntl
except ImportError:  # Windows: files of a running program cannot be removed, which protects as well as a lock does
    fcntl = None  # type: ignore[assignment]

KEPT = 20
"""Environments kept; those used longest ago go first."""
KEPT_S = 30 * 86_400.0
"""An environment that was not used for so long goes, seconds."""
_ABANDONED_S = 86_400.0
_USED = "last-used"
_LAYOUT = "1"
"""Part of the key of a kept environment: raise it when environments are made differently."""


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """An environment with a package in it.

    Attributes:
        folder: Where it is.
        interpreter: The Python it was made with.
        installer: What made it (``uv`` or ``pip``).
        wanted: What the lock says should be in it, versions by name.
    """

    folder: Path
    interpreter: Interpreter
    installer: str
    wanted: dict[str, str]

    @property
    def python(self) -> Path:
        """Return its executable."""
        return python_of(self.folder)

    @property
    def libraries(self) -> Path:
        """Return its ``site-packages`` folder."""
        windows = self.folder / "Lib" / "site-packages"
        if windows.is_dir():
            return windows
        return self.folder / "lib" / f"python{self.interpreter.minor}" / "site-packages"

    def installed(self) -> dict[str, str]:
        """Return the distributions in it, versions by name, read from their metadata."""
        found = distributions(path=[str(self.libraries)])
        return {canonicalize_name(one.metadata["Name"]): one.version for one in found}

    def requirements(self) -> dict[str, list[str]]:
        """Return what each distribution in it requires (PEP 508), by name."""
        found = distributions(path=[str(self.libraries)])
        return {canonicalize_name(one.metadata["Name"]): list(one.requires or ()) for one in found}

    def licences(self) -> dict[str, str]:
        """Return the licence that each distribution in it names, by name; those that name none are left out."""
        found: dict[str, str] = {}
        for one in distributions(path=[str(self.libraries)]):
            said = cast(Message, one.metadata)
            name = licence_name(
                said.get("License-Expression"), said.get("License"), said.get_all("Classifier", failobj=[])
            )
            if name:
                found[canonicalize_name(said["Name"])] = name
        return found


@contextmanager
def fresh(
    package: Package, wheel: Path, *, interpreter: Interpreter, installer: Installer, weights: Path | None = None
) -> Iterator[Environment]:
    """Give a new environment that vanishes at the end of the block.

    Args:
        package: The package, whose lock is installed.
        wheel: The wheel of it, which is installed last and without dependencies.
        interpreter: The Python to make it with.
        installer: What makes it.
        weights: The wheel with its weights, if it does not carry them itself.

    Raises:
        EnvironmentBuildError: It cannot be made; what the installer said last is shown.
        PackageError: The package has no lock.
    """
    with tempfile.TemporaryDirectory(prefix="modelwright-verify-", ignore_cleanup_errors=True) as folder:
        target = Path(folder) / "env"
        yield create(package, wheel, folder=target, interpreter=interpreter, installer=installer, weights=weights)


def create(
    package: Package,
    wheel: Path,
    *,
    folder: Path,
    interpreter: Interpreter,
    installer: Installer,
    weights: Path | None = None,
) -> Environment:
    """Make an environment in a folder that does not exist yet; see :func:`fresh`.

    Raises:
        EnvironmentBuildError: It cannot be made.
        PackageError: The package has no lock.
    """
    wanted = locked(package.lock, markers=interpreter.markers(), where=f"{package.files.where}: pylock.toml")
    requirements = package.read("requirements.txt")
    installer.create(folder, interpreter)
    environment = Environment(folder=folder, interpreter=interpreter, installer=installer.name, wanted=wanted)
    if wanted:
        listed = folder / "requirements.txt"
        listed.write_bytes(requirements)
        installer.install(folder, listed)
    if weights is not None:
        installer.install_wheel(folder, weights)
    installer.install_wheel(folder, wheel)
    bytecode.restore(environment.libraries, interpreter.tag)
    return environment


def _check_proved(package: Package, interpreter: Interpreter) -> None:
    """Check that an installer will put the wheel on this Python, and say it better than installers do."""
    manifest = package.manifest
    if not manifest.environment.portable and interpreter.tag not in manifest.environment.interpreters:
        raise EnvironmentBuildError(
            f"{manifest.name} {manifest.version} was not verified on Python {interpreter.minor}.",
            why=f"Its wheel is for {', '.join(manifest.environment.interpreters)}; no installer puts it on another.",
            hint=f"Leave out --python; or prove it there: modelwright verify FOLDER --python {interpreter.minor}",
        )


@contextmanager
def kept(
    wheel: Path, *, installer: Installer, python: str | None = None, cache: Path | None = None
) -> Iterator[tuple[Environment, Package]]:
    """Give an environment with a wheel in it that is kept for the next time; it is made first if there is none.

    Args:
        wheel: The wheel; it is checked to the last byte, and so are its weights if they lie beside it.
        installer: What makes the environment if it is not there.
        python: Version or path of the Python to use; by default one that the package was verified on.
        cache: Folder that holds the environments; by default one in the user's cache folder.

    Raises:
        PackageError: The wheel contradicts itself.
        IntegrityError: A file is not the file that was captured.
        EnvironmentBuildError: It cannot be made.
    """
    sha256 = check_wheel(wheel).sha256
    package = open_wheel(wheel, sha256=sha256)
    interpreter = find_interpreter(python, package.manifest.environment)
    _check_proved(package, interpreter)
    cache = cache or cache_folder() / "environments"
    target = cache / f"{package.import_name}-{_key(package, sha256, interpreter)}"
    wanted = locked(package.lock, markers=interpreter.markers(), where=f"{package.files.where}: pylock.toml")

    def make(folder: Path) -> None:
        weights = checked_weights(package.manifest, wheel)
        create(package, wheel, folder=folder, interpreter=interpreter, installer=installer, weights=weights)

    with keeping(target, make):
        environment = Environment(folder=target, interpreter=interpreter, installer=installer.name, wanted=wanted)
        yield environment, package
        bytecode.keep(environment.libraries, interpreter.tag)


def _key(package: Package, sha256: str, interpreter: Interpreter) -> str:
    parts = [_LAYOUT, sha256, interpreter.version, interpreter.path, interpreter.platform]
    content = "\0".join(parts).encode() + package.read("requirements.txt")
    return hashlib.sha256(content).hexdigest()[:24]


@contextmanager
def keeping(target: Path, make: Callable[[Path], None]) -> Iterator[None]:
    """Give a folder that is kept for the next time, and is safe from :func:`prune` meanwhile.

    Args:
        target: The folder; its parent holds others of its kind, those used longest ago go.
        make: Makes it in the folder that it is given, if there is none yet; whoever is first wins.

    Raises:
        EnvironmentBuildError: It cannot be kept.
    """
    if not (target / _USED).is_file():
        _make(target, make)
    with _in_use(target):
        prune(target.parent)
        yield


def _make(target: Path, make: Callable[[Path], None]) -> None:
    """Make an environment under a temporary name and move it into place; whoever is first wins."""
    making = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        make(making)
        (making / _USED).touch()
        with suppress(OSError):
            making.rename(target)
    except OSError as error:
        raise EnvironmentBuildError("The environment cannot be kept.", where=str(target), why=str(error)) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
    if not (target / _USED).is_file():
        raise EnvironmentBuildError("The environment cannot be kept.", where=str(target))


@contextmanager
def _in_use(target: Path) -> Iterator[None]:
    """Mark an environment as used now, and keep :func:`prune` of every process away from it meanwhile."""
    with (target / _USED).open("a") as mark:
        os.utime(target / _USED)
        _lock(mark.fileno(), exclusive=False)
        yield


def prune(cache: Path, *, keep: int = KEPT, keep_s: float = KEPT_S) -> list[str]:
    """Remove environments that were not used for long, are more than are kept, or were abandoned half made.

    Args:
        cache: Folder that holds the environments.
        keep: How many may stay.
        keep_s: How long one may stay unused, seconds.

    Returns:
        The names of what was removed. One that is in use stays.
    """
    now, removed = time.time(), []
    ready = sorted(cache.glob(f"[!.]*/{_USED}"), key=lambda mark: mark.stat().st_mtime, reverse=True)
    for position, mark in enumerate(ready):
        if (position >= keep or now - mark.stat().st_mtime > keep_s) and _unused(mark):
            shutil.rmtree(mark.parent, ignore_errors=True)
            removed.append(mark.parent.name)
    for half in cache.glob(".*"):
        with suppress(FileNotFoundError):
            if now - half.stat().st_mtime > _ABANDONED_S:
                shutil.rmtree(half, ignore_errors=True)
                removed.append(half.name)
    return removed


def _unused(mark: Path) -> bool:
    try:
        with mark.open("a") as stream:
            return _lock(stream.fileno(), exclusive=True)
    except OSError:
        return False


def _lock(handle: int, *, exclusive: bool) -> bool:
    """Take a lock without waiting; say whether it was free."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
