"""From the address of a registry to the folder it is in, and to who asks there.

For: :class:`modelwright.registry.registry.Registry`. A folder is opened as the operating system's user, who may do
everything that the folder lets them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from modelwright.errors import RequestError, UnavailableError
from modelwright.inspecting.remote import without_credentials
from modelwright.plugins import need

if TYPE_CHECKING:
    from modelwright.registry.operating.local import LocalService

EXTRA = ("sqlalchemy", "alembic", "obstore", "cryptography")
"""Libraries that a registry in a folder needs."""


def parse_address(place: Path | str) -> tuple[str, Path | None]:
    """Return the URL of a registry's server, or the folder it is in.

    Raises:
        RequestError: A URL that leads to no registry: of another scheme, or of an index inside one.

    Example:
        >>> parse_address("http://models.internal:8080/")
        ('http://models.internal:8080', None)
        >>> parse_address("file:///srv/models")[1].as_posix()
        '/srv/models'
    """
    parts = urlsplit(str(place))
    if parts.scheme in ("http", "https"):
        return _root(str(place).rstrip("/")), None
    if "://" in str(place) and parts.scheme != "file":
        raise RequestError(
            f"A registry is not asked by {parts.scheme!r}.",
            where=without_credentials(str(place)),
            hint="Name a folder, or a server: http://HOST:PORT",
        )
    return "", Path(url2pathname(parts.path)) if parts.scheme == "file" else Path(place)


def _root(url: str) -> str:
    """Return a URL of a server, unless it is what pip and uv are given: an index of the registry, not the registry."""
    if url.endswith("/simple"):
        raise RequestError(
            "This is an index in a registry, for pip and uv, and not the registry.",
            where=without_credentials(url),
            hint="Leave out /simple/, and the stage before it.",
        )
    return url


def open_existing(folder: Path) -> LocalService:
    """Open a folder that is a registry already.

    Raises:
        UnavailableError: It is none, or cannot be used.
        SettingsError: Its ``registry.toml`` says something that cannot be honoured.
        MissingExtraError: The libraries of a registry are not installed.
    """
    need("registry", *EXTRA)
    from modelwright.registry.operating.opening import is_registry

    if not is_registry(folder):
        raise UnavailableError(
            "There is no registry here.", where=str(folder), hint=f"modelwright publish dist/*.whl --to {folder}"
        )
    return open_or_make(folder)


def open_or_make(folder: Path) -> LocalService:
    """Open a folder as a registry; it becomes one if it is none yet.

    Raises:
        UnavailableError: It cannot be used.
        SettingsError: Its ``registry.toml`` says something that cannot be honoured.
        MissingExtraError: The libraries of a registry are not installed.
    """
    need("registry", *EXTRA)
    from modelwright.registry.operating.opening import open_local

    return open_local(folder, user=system_user())


def system_user() -> str:
    """Return the name of the operating system's user, from the system and not from variables anybody can set."""
    try:
        import pwd
    except ModuleNotFoundError:  # Windows
        return os.getlogin()
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container that runs under a number nobody named
        return f"uid-{os.getuid()}"
