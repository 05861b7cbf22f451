"""Style, script and icon of the pages, under names that change with their bytes, so that they are cached for ever.

For: templates (which link to them) and the application (which serves them). All of them travel in the wheel of
modelwright; a page fetches nothing from anywhere else.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

CACHE_CONTROL = "public, max-age=31536000, immutable"
"""Source: RFC 8246 (immutable): the name changes with the bytes."""
_TYPES = {
    "pages.css": "text/css; charset=utf-8",
    "pages.js": "text/javascript; charset=utf-8",
    "htmx.min.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file.

    Attributes:
        name: What it is called below ``static`` (``pages.3f2a9c01d4e5.css``).
        media_type: What it is.
        body: Its bytes.
        zipped: The same, compressed with gzip.
        etag: Strong entity tag, with its quotes.
    """

    name: str
    media_type: str
    body: bytes
    zipped: bytes
    etag: str


@cache
def _by_plain_name() -> dict[str, Asset]:
    folder = files(__package__).joinpath("static")
    return {name: asset_of(name, folder.joinpath(name).read_bytes(), media_type=_TYPES[name]) for name in _TYPES}


def asset_of(plain: str, body: bytes, *, media_type: str) -> Asset:
    """Return a file as it is served; a server of models, which has files of its own, makes its assets likewise."""
    stem, _, ending = plain.rpartition(".")
    digest = sha256(body).hexdigest()
    return Asset(
        name=f"{stem}.{digest[:12]}.{ending}",
        media_type=media_type,
        body=body,
        zipped=gzip.compress(body, 9, mtime=0),
        etag=f'"{digest[:32]}"',
    )


def asset_name(plain: str) -> str:
    """Return the name that an asset is served under.

    Example:
        >>> asset_name("pages.css").startswith("pages."), asset_name("pages.css").endswith(".css")
        (True, True)
    """
    return _by_plain_name()[plain].name


def find_asset(name: str) -> Asset | None:
    """Return the asset of a name, exactly; ``None``: there is none, or no longer with these bytes.

    Example:
        >>> find_asset("../requests.py") is None
        True
    """
    return next((asset for asset in _by_plain_name().values() if asset.name == name), None)
