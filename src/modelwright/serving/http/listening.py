"""Addresses to listen on: bind them, or say by whom they are taken and which is free.

Called by the server before anything is started.
"""

from __future__ import annotations

import errno
import os
import re
import socket
from contextlib import suppress
from pathlib import Path

from modelwright.errors import AddressTakenError
from modelwright.registry.app.sockets import bound

BACKLOG = 2048
_OFFERED = 50
"""So many ports after the one that is taken are tried for the offer."""


def listen(host: str, port: int, *, option: str = "--port") -> socket.socket:
    """Return a socket that listens.

    Args:
        host: Address or name; empty: all of them.
        port: Port; 0: any that is free.
        option: Option that names another port, for the message.

    Raises:
        AddressTakenError: Somebody else listens there, or it is not allowed.
    """
    try:
        return bound(host, port, backlog=BACKLOG)
    except OSError as error:
        free = next((other for other in range(port + 1, min(port + _OFFERED, 65_535)) if _is_free(host, other)), 0)
        taken = error.errno == errno.EADDRINUSE
        holder = holder_of(port) if taken else ""
        raise AddressTakenError(
            f"Port {port} of {host or 'this machine'} is taken{f' by {holder}' if holder else ''}."
            if taken
            else f"It is not possible to listen on {host or 'this machine'}, port {port}.",
            why="" if taken else (error.strerror or str(error)),
            hint=_advice(error, option, free),
        ) from error


def _advice(error: OSError, option: str, free: int) -> str:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        host = option.replace("port", "host")
        return f"{host} 127.0.0.1 (this machine only), or {host} 0.0.0.0 (all of its addresses)."
    return f"{option} {free}" if free else f"{option} 0 takes any that is free."


def listen_locally(path: Path) -> socket.socket:
    """Return a Unix socket that listens, for this user only.

    Raises:
        AddressTakenError: It cannot be made.
    """
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            listening.bind(str(path))
        finally:
            os.umask(before)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise AddressTakenError("The control door cannot be opened.", where=str(path), why=str(error)) from error
    listening.setblocking(False)
    return listening


def _is_free(host: str, port: int) -> bool:
    try:
        bound(host, port, backlog=BACKLOG).close()
    except OSError:
        return False
    return True


def holder_of(port: int) -> str:
    """Return who listens on a port of this machine, as ``name (process 123)``; empty where the system does not tell.

    Source: proc(5): ``/proc/net/tcp`` names the inode of a listening socket, ``/proc/PID/fd`` who holds it.
    """
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                parts = line.split()
                if parts[3] == "0A" and int(parts[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{parts[9]}]")
    if not inodes:
        return ""
    for folder in Path("/proc").glob("[0-9]*/fd"):
        with suppress(OSError):
            for handle in folder.iterdir():
                with suppress(OSError):
                    if str(handle.readlink()) in inodes:
                        return f"{_name(folder.parent)} (process {folder.parent.name})"
    return "another user's process"


def _name(process: Path) -> str:
    with suppress(OSError):
        words = process.joinpath("cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        program = Path(words[0]).name
        if re.match(r"python[\d.]*$", program) and len(words) > 1:
            said = [word for word in words[1:] if word and not word.startswith("-")][:1]
            return " ".join([program, *(Path(word).name for word in said)])
        return program
    return "a process"


def url_of(host: str, listening: socket.socket, *, scheme: str = "http") -> str:
    """Return the URL of a socket that listens."""
    shown = f"[{host}]" if ":" in host else host or "127.0.0.1"
    if shown in ("0.0.0.0", "[::]"):  # noqa: S104 - only to show something that can be clicked on
        shown = "127.0.0.1"
    return f"{scheme}://{shown}:{listening.getsockname()[1]}"
