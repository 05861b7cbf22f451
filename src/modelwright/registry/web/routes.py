"""Every page there is: method, path, what makes it and what it takes to be let in.

For: :mod:`modelwright.registry.app`, which mounts these in this order, matches ``{name}`` and ``{version}`` with its
allow-lists, checks the session and, for everything that is posted, the CSRF token, and turns errors that a page raises
into :func:`modelwright.registry.web.refusals.refusal`. Assets are in :mod:`modelwright.registry.web.assets`.

It does not: know a web framework.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from modelwright.registry.people import Scope
from modelwright.registry.service import Service
from modelwright.registry.web.requests import Page, Request, Site


class Route(NamedTuple):
    """One page.

    Attributes:
        method: ``GET`` (and HEAD) looks; ``POST`` changes something and carries a CSRF token.
        path: Path, with ``{name}`` and ``{version}`` for what the application matches.
        answer: What makes the page; blocking, to be called in a thread.
        scope: What it takes to be let in; the service decides about the project.
    """

    method: Literal["GET", "POST"]
    path: str
    answer: Callable[[Site, Service, Request], Page]
    scope: Scope = "read"


ROUTES: tuple[Route, ...] = ()
"""In the order in which they are to be matched: a fixed word wins over a version."""
