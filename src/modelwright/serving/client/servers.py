"""Which servers this machine runs: each one says so in a file of its own, which only its user can read.

For: ``modelwright serve``, which announces itself, and commands that act on a server without being told where it is.
A file whose process is gone is removed by whoever looks. The caller says which folder and gives the environment.

Source: XDG Base Directory Specification, ``$XDG_RUNTIME_DIR``.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from modelwright.errors import StorageError, UnreachableError
from modelwright.liveness import lives
from modelwright.runtime.suggestions import nearest
from modelwright.spec.struct import Frozen

LARGEST = 1_000_000
"""Largest file that is read, bytes."""


class RunningModel(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One model of a running server.

    Attributes:
        name: Name that it is served under.
        references: References of its variants, the control's first.
    """

    name: str
    references: tuple[str, ...] = ()

    @property
    def stages(self) -> tuple[str, ...]:
        """Stages that its references name."""
        return tuple(reference.partition("@")[2] for reference in self.references if "@" in reference)


class Running(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One server that runs.

    Attributes:
        url: Its address.
        pid: Its process; 0: it runs elsewhere, and is known by its address only.
        born: When and in which life of the machine the process began, in the system's own words; empty: unknown.
        admin_url: Address of its admin door; empty: it has none.
        socket: Path of its control door, a Unix socket; empty: it has none.
        models: Its models.
    """

    url: str
    pid: int = 0
    born: str = ""
    admin_url: str = ""
    socket: str = ""
    models: tuple[RunningModel, ...] = ()

    def serves(self, on: str) -> bool:
        """Say whether it serves a model of this name, or from this stage, or ``name@stage``."""
        return any(
            on == model.name or on in model.stages or on in (f"{model.name}@{stage}" for stage in model.stages)
            for model in self.models
        )


def servers_folder(environment: Mapping[str, str], home: Path) -> Path:
    """Return the folder in which servers announce themselves.

    Args:
        environment: The environment variables.
        home: The user's home folder.

    Example:
        >>> servers_folder({"XDG_RUNTIME_DIR": "/run/user/1000"}, Path("/home/ann")).as_posix()
        '/run/user/1000/modelwright/servers'
    """
    root = environment.get("XDG_RUNTIME_DIR") or environment.get("XDG_CACHE_HOME") or home / ".cache"
    return Path(root) / "modelwright" / "servers"


def user_name() -> str:
    """Return who runs this; a container's user may have no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"


def announce(server: Running, *, folder: Path) -> Path:
    """Say that this process serves; return the file that says it, to be given to :func:`withdraw`.

    Args:
        server: What to say; process and birth are filled in.
        folder: Where servers announce themselves; made if it is not there, for this user alone.

    Raises:
        StorageError: The folder cannot be written, or is somebody else's.
    """
    _make_private(folder)
    said = msgspec.structs.replace(server, pid=os.getpid(), born=_born(os.getpid()))
    target = folder / f"{os.getpid()}.json"
    try:
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=".tmp")  # mode 0600
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(msgspec.json.encode(said))
        Path(name).replace(target)
    except OSError as error:
        raise StorageError("The server cannot say that it runs.", where=str(folder), why=str(error)) from error
    return target


def control_door(folder: Path, pid: int) -> Path:
    """Return the Unix socket at which a process is commanded that announced itself in a folder."""
    return folder / f"{pid}.sock"


def withdraw(file: Path) -> None:
    """Say that this process no longer serves."""
    file.unlink(missing_ok=True)


def running(folder: Path) -> tuple[Running, ...]:
    """Return the servers of this user that run, by process; what is left of others is removed."""
    found = []
    for file in sorted(folder.glob("*.json")) if _is_private(folder) else ():
        server = _read(file)
        if server is None:
            continue
        if server.pid and server.born == _born(server.pid) and lives(server.pid):
            found.append(server)
        else:
            withdraw(file)
            control_door(folder, server.pid).unlink(missing_ok=True)
    return tuple(sorted(found, key=lambda server: server.pid))


def find(on: str, *, folder: Path, model: str = "") -> tuple[Running, ...]:
    """Return the servers that are meant.

    Args:
        on: A stage (``production``), a model, ``name@stage``, the address of a server, which may be elsewhere, or
            empty: all.
        folder: Where servers announce themselves.
        model: Name of the model that is to be acted on, for the advice if there is no server.

    Raises:
        UnreachableError: None of them is running; what runs, or how to start one, is said.
    """
    known = running(folder)
    if "://" in on:
        address = on.rstrip("/")
        found = [server for server in known if address in (server.url, server.admin_url)]
        return tuple(found) or (Running(url=address, admin_url=address),)
    meant = tuple(server for server in known if not on or server.serves(on))
    if not meant:
        raise _none(on, known, model)
    return meant


def _none(on: str, known: tuple[Running, ...], name: str) -> UnreachableError:
    what = f"No server of {on!r} runs here." if on else "No server runs here."
    models = [model for server in known for model in server.models]
    words = [word for model in models for word in (model.name, *model.stages)]
    close = nearest(on, words) if on else ""
    listed = ", ".join(f"{server.url} ({', '.join(model.name for model in server.models)})" for server in known)
    stage = on if on and on != name else "production"
    reference = on if "@" in on else f"{name or 'NAME'}@{stage}"
    return UnreachableError(
        what,
        why=f"Running are {listed}." if known else "",
        hint=f"Did you mean {close!r}?"
        if close
        else f"modelwright serve {reference}; a server on another machine is named by its address, http://HOST:PORT",
    )


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not folder.is_symlink() and not _is_private(folder):
            folder.chmod(0o700)
    except OSError as error:
        raise StorageError("The server cannot say that it runs.", where=str(folder), why=str(error)) from error
    if not _is_private(folder):  # nobody would look there
        raise StorageError("The server cannot say that it runs.", where=str(folder), why="It is no folder of its own.")


def _is_private(folder: Path) -> bool:
    """Say whether a folder is this user's own, and nobody else may look into it."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    mine = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return stat.S_ISDIR(found.st_mode) and mine and (os.name == "nt" or not found.st_mode & 0o077)


def _read(file: Path) -> Running | None:
    """Return what a file says; ``None`` if it is gone or says nothing that can be understood."""
    try:
        with file.open("rb") as stream:
            return msgspec.json.decode(stream.read(LARGEST), type=Running)
    except (OSError, msgspec.DecodeError):
        return None


def _born(pid: int) -> str:
    """Return when a process began, so that another one of the same number is not taken for it.

    Source: Linux, proc(5): ``/proc/PID/stat`` field 22; ``/proc/sys/kernel/random/boot_id``.
    """
    with contextlib.suppress(OSError, IndexError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot}:{Path(f'/proc/{pid}/stat').read_text('utf-8', 'replace').rpartition(')')[2].split()[19]}"
    return ""
