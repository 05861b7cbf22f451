"""How the application answers: JSON for programs, text for installers, and a refusal in the form that was asked for.

For: every module of the application. What an error says is the error's; which status it has, :mod:`.statuses` says.
"""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Scope

from modelwright.errors import ModelwrightError
from modelwright.registry.app.http1 import say_reason
from modelwright.registry.people import NOBODY
from modelwright.registry.web.refusals import refusal
from modelwright.registry.web.requests import Request as PageRequest
from modelwright.registry.web.requests import Site

NO_STORE = "no-store"
SHOWN = 3
"""Problems that stand in a status line, beside how many more there are."""
SAFE = frozenset(("GET", "HEAD"))
"""Methods that change nothing. Source: RFC 9110 section 9.2.1."""
CHALLENGE = 'Basic realm="modelwright", charset="UTF-8"'
"""Source: RFC 7617; pip, uv and twine ask for, or look up, a password when they see it."""
_PLAIN = ("/simple/", "/files/", "/upstream/", "/legacy/", "/static/")


def as_json(value: Any, *, status: int = 200) -> Response:
    """Answer with a struct, as the command line prints it with ``--json``."""
    return Response(
        msgspec.json.encode(value), status, media_type="application/json", headers={"Cache-Control": NO_STORE}
    )


def as_text(text: str, *, status: int = 200) -> Response:
    """Answer with a text, for tools that show it to people."""
    return Response(text, status, media_type="text/plain; charset=utf-8", headers={"Cache-Control": NO_STORE})


def refused(scope: Scope, status: int, error: ModelwrightError, *, site: Site) -> Response:
    """Answer with a refusal: JSON below ``/api/``, text for installers, a page for people."""
    path, accept = scope["path"], header(scope, b"accept")
    if path.startswith(("/api/", "/_/")) or wants_json(scope):
        answer = as_json(error.to_dict(), status=status)
    elif "text/html" in accept and not (path.startswith(_PLAIN) or "/simple/" in path):
        asked = PageRequest(path=path, principal=scope.get("principal", NOBODY), csrf=scope.get("csrf", ""))
        page = refusal(site, asked, error, status=status)
        # No challenge: a browser would ask for a password in a window of its own instead of showing the page.
        return Response(page.body, page.status, media_type=page.media_type, headers={"Cache-Control": NO_STORE})
    else:
        answer = as_text(f"{error}\n", status=status)
        say_reason(scope, in_a_line(error))
    if status == 401:
        answer.headers["WWW-Authenticate"] = CHALLENGE
    return answer


def in_a_line(error: ModelwrightError) -> str:
    """Say what is wrong and why on one line, the most telling part first: a client may cut it off.

    Example:
        >>> from modelwright.errors import Problem
        >>> in_a_line(ModelwrightError("No.", problems=[Problem(None, None, "is odd", item="a.py")], why="Odd."))
        'MW000: No. a.py: is odd. Odd.'
    """
    told = [str(problem) for problem in error.problems[:SHOWN]]
    more = len(error.problems) - len(told)
    found = "; ".join([*told, f"and {more} more"] if more else told)
    return " ".join(" ".join([f"{error.code}: {error.what}", f"{found}." if found else "", error.why]).split())


def header(scope: Scope, name: bytes) -> str:
    """Return a header of a request, empty if it is not there; of several the first."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def base_url(scope: Scope) -> str:
    """Return how the registry is reached from outside, ending in ``/``; the host was checked at the edge."""
    return f"{scope['scheme']}://{header(scope, b'host')}/"


def wants_json(scope: Scope) -> bool:
    """Say whether JSON is the only thing that is accepted.

    ``uv publish`` accepts it beside text, and then shows people nothing but the field ``code``.
    """
    return header(scope, b"accept").strip().lower() == "application/json"
