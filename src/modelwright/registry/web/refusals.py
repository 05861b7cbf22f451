"""Pages for what cannot be shown or done: code, what, why and what to do, never a traceback.

For: the application, which knows the status that an error has.
"""

from __future__ import annotations

from modelwright.errors import LoginError, ModelwrightError
from modelwright.registry.web.rendering import render
from modelwright.registry.web.requests import Page, Request, Site
from modelwright.spec.struct import Frozen

TITLES = {
    400: "This cannot be understood",
    401: "Log in first",
    403: "You may not do this",
    404: "There is no such page",
    405: "This cannot be done here",
    409: "This was refused",
    412: "Something changed meanwhile",
    413: "This is too large",
    421: "Another registry was meant",
    429: "Too many attempts",
    503: "The registry is not available",
}
"""Heading by HTTP status."""
FALLBACK = "This went wrong"


class RefusalView(Frozen, frozen=True, kw_only=True):
    """What the page shows.

    Attributes:
        title: Heading.
        status: HTTP status.
        error: What was refused.
        login: Whether logging in may help.
    """

    title: str
    status: int
    error: ModelwrightError
    login: bool


def refusal(site: Site, request: Request, error: ModelwrightError, *, status: int) -> Page:
    """Say what was refused, why, and what to do."""
    title = TITLES.get(status, FALLBACK)
    login = isinstance(error, LoginError) or (status == 403 and not request.principal.user)
    view = RefusalView(title=title, status=status, error=error, login=login)
    return render("refusal.html", site, request, view, status=status)
