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
from modelwright.registry.web.comparison import comparison_page
from modelwright.registry.web.log import log_page, verified_page
from modelwright.registry.web.login import login_page
from modelwright.registry.web.models import models_page
from modelwright.registry.web.moving import (
    approval,
    approval_form,
    override,
    override_form,
    promotion,
    promotion_form,
    rollback,
    rollback_form,
)
from modelwright.registry.web.project import project_page
from modelwright.registry.web.requests import Page, Request, Site
from modelwright.registry.web.version import version_page
from modelwright.registry.web.yanking import unyank, unyank_form, yank, yank_form


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


ROUTES: tuple[Route, ...] = (
    Route("GET", "/", models_page),
    Route("GET", "/audit", log_page),
    Route("GET", "/audit/verify", verified_page),
    Route("GET", "/login", login_page),
    Route("GET", "/models/{name}", project_page),
    Route("GET", "/models/{name}/compare", comparison_page),
    Route("GET", "/models/{name}/promote", promotion_form),
    Route("POST", "/models/{name}/promote", promotion, "promote"),
    Route("GET", "/models/{name}/override", override_form),
    Route("POST", "/models/{name}/override", override, "promote"),
    Route("GET", "/models/{name}/approve", approval_form),
    Route("POST", "/models/{name}/approve", approval, "promote"),
    Route("GET", "/models/{name}/rollback", rollback_form),
    Route("POST", "/models/{name}/rollback", rollback, "promote"),
    Route("GET", "/models/{name}/{version}", version_page),
    Route("GET", "/models/{name}/{version}/yank", yank_form),
    Route("POST", "/models/{name}/{version}/yank", yank, "publish"),
    Route("GET", "/models/{name}/{version}/unyank", unyank_form),
    Route("POST", "/models/{name}/{version}/unyank", unyank, "publish"),
)
"""In the order in which they are to be matched: a fixed word wins over a version.

For ``/login`` nobody needs to be let in; posting to ``/login`` and ``/logout`` is the application's.
"""
