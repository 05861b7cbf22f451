"""Ask a package index whether a name is taken.

Called by ``modelwright new`` while the project is rendered. One request, a short time limit; an index that does not
answer is no reason to refuse.
Source: PEP 503 (the page of a project; 404 if there is none).
"""

from __future__ import annotations

import http
import http.client
import urllib.error
import urllib.request
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from urllib.request import url2pathname

from modelwright.errors import ScaffoldError

Answer = Literal["free", "taken", "unknown"]
TIMEOUT_S = 1.0
"""How long an index may take to answer, seconds: ``new`` as a whole takes about one."""


def ask(index_url: str, name: str, *, timeout_s: float = TIMEOUT_S) -> Answer:
    """Ask an index about a name.

    Args:
        index_url: Base URL of a simple API, or the ``file:`` URL of a folder laid out like one.
        name: Distribution name, PEP 503 normalised.
        timeout_s: How long to wait for an answer, seconds.

    Example:
        >>> ask("ftp://models.internal/simple", "churn")
        'unknown'
    """
    parts = urlsplit(index_url)
    if parts.scheme == "file":
        return "taken" if (Path(url2pathname(parts.path)) / name).exists() else "free"
    if parts.scheme not in ("http", "https"):
        return "unknown"
    try:
        request = urllib.request.Request(f"{index_url.rstrip('/')}/{name}/")  # noqa: S310 - checked above
        with urllib.request.urlopen(request, timeout=timeout_s):  # noqa: S310
            return "taken"
    except urllib.error.HTTPError as error:
        return "free" if error.code == http.HTTPStatus.NOT_FOUND else "unknown"
    except (OSError, ValueError, http.client.HTTPException):
        return "unknown"


def refuse_taken(name: str, index_url: str) -> ScaffoldError:
    """Return the refusal of a name that somebody else's package has."""
    return ScaffoldError(
        f"The name {name!r} is taken.",
        where=index_url,
        why="Whoever installs it from this index could get a stranger's package instead of the model.",
        hint=f"Choose another, for example '{name}-model'; if the package is yours: --name-taken-ok.",
    )
