"""The login form. What is posted to it, and logging out, is the application's business: cookies are HTTP."""

from __future__ import annotations

import re

from modelwright.errors import ModelwrightError
from modelwright.registry.service import Service
from modelwright.registry.web.asking import LONGEST_WORD
from modelwright.registry.web.rendering import render
from modelwright.registry.web.requests import Page, Request, Site
from modelwright.spec.struct import Frozen

UNAUTHORIZED = 401
_PATH = re.compile(r"/(?!/)[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")
"""Source: RFC 3986, 3.3 "Path"; what is not encoded as it ought to be is no path."""


class LoginView(Frozen, frozen=True, kw_only=True):
    """What the form shows.

    Attributes:
        next: Path of this registry to go to afterwards; empty: the first page.
        error: Why the token was refused; ``None``: none was given yet.
    """

    next: str
    error: ModelwrightError | None


def login_page(site: Site, service: Service, request: Request) -> Page:
    """Ask for a token."""
    del service
    return render("login.html", site, request, LoginView(next=own_path(request.query.get("next", "")), error=None))


def login_refused(site: Site, request: Request, error: ModelwrightError, *, status: int = UNAUTHORIZED) -> Page:
    """Ask for a token again, saying what was wrong with the last one, which is not shown."""
    view = LoginView(next=own_path(request.form.get("next", request.query.get("next", ""))), error=error)
    return render("login.html", site, request, view, status=status)


def own_path(address: str) -> str:
    r"""Return an address if it is a path of this registry, else nothing: nobody is sent elsewhere after logging in.

    Example:
        >>> own_path("/models/churn"), own_path("//evil.org/"), own_path("https://evil.org"), own_path("/\\evil")
        ('/models/churn', '', '', '')
    """
    return address if _PATH.fullmatch(address) and len(address) <= LONGEST_WORD else ""
