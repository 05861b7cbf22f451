"""``modelwright login``: store a token for a registry."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from cyclopts import Parameter

from modelwright.cli.credentials import credentials_file, forget_login, store_login
from modelwright.cli.output import PLAIN, Output, flag
from modelwright.errors import LoginError
from modelwright.plugins import need
from modelwright.spec.struct import Frozen

if TYPE_CHECKING:
    from rich.console import Console


class LoggedIn(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What a login did.

    Attributes:
        registry: Address of the registry.
        user: Whose token it is.
        scopes: What it is for.
        projects: Names it is for; empty: all.
        stored: Where it is kept, in words; empty: it was forgotten.
    """

    registry: str
    user: str = ""
    scopes: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    stored: str = ""


def login(
    url: Annotated[str, Parameter(help="Address of the registry.")],
    /,
    *,
    token_stdin: Annotated[bool, flag("Read the token from standard input, for scripts.")] = False,
    forget: Annotated[bool, flag("Remove the stored token instead.")] = False,
    output: Output = PLAIN,
) -> int:
    """Store a token for a registry.

    The token is asked for without being shown, tried, and kept in the system's
    keyring, or in a file that only you may read. The registry becomes the one
    that is asked when none is named.
    """
    need("remote", "httpx2")
    from modelwright.registry.client.remote import RemoteService

    file = credentials_file(os.environ, Path.home())
    if forget:
        known = forget_login(file, url)
        output.result(LoggedIn(registry=url), lambda _, console: console.print("forgotten" if known else "not known"))
        return 0
    RemoteService(url)  # a malformed address is refused before anything is asked
    token = _token(url, token_stdin)
    welcome = RemoteService(url, token).whoami()
    stored = store_login(file, url, token, user=welcome.principal.user)
    done = LoggedIn(
        registry=url,
        user=welcome.principal.user,
        scopes=welcome.principal.scopes,
        projects=welcome.principal.projects,
        stored=stored,
    )
    output.result(done, _show)
    if _unprotected(url):
        output.note("! The address is http://: whoever is on the way to it can read the token. Prefer https://.")
    output.next("modelwright list", "modelwright publish dist/*.whl")
    return 0


def _token(url: str, from_stdin: bool) -> str:
    token = (sys.stdin.readline() if from_stdin else getpass.getpass(f"Token for {url}: ")).strip()
    if not token or not token.isascii() or not token.isprintable():
        raise LoginError(
            "No token was given." if not token else "This is no token: it has letters that none has.",
            hint=f"Ask whoever runs the registry: modelwright registry token add USER --scope publish (at {url})",
        )
    return token


def _unprotected(url: str) -> bool:
    """Say whether tokens travel in the clear, over more than this machine.

    Example:
        >>> _unprotected("http://models.internal"), _unprotected("http://127.0.0.1:8080")
        (True, False)
    """
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1")


def _show(done: LoggedIn, console: Console) -> None:
    limits = f", for {', '.join(done.projects)}" if done.projects else ""
    console.print(f"{done.user} at {done.registry}: {', '.join(done.scopes)}{limits}", style="bold", markup=False)
    console.print(f"the token is in {done.stored}", markup=False, soft_wrap=True)
