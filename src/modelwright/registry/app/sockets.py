"""A socket that a server listens on.

For: the registry's server, and those that serve models; each says in its own words what is wrong with an address.
"""

from __future__ import annotations

import socket


def bound(host: str, port: int, *, backlog: int) -> socket.socket:
    """Return a TCP socket that listens.

    Args:
        host: Address or name; empty: all of this machine's.
        port: Port; 0: any that is free.
        backlog: Connections that wait to be accepted.

    Raises:
        OSError: It is taken, not allowed, or no address of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Said to be TCP, or asyncio leaves Nagle's algorithm on, which costs 40 ms at every second answer.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(backlog)
    except BaseException:
        listening.close()
        raise
    listening.setblocking(False)
    return listening
