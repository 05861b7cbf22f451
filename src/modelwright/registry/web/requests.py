"""What a page is asked with and what it answers, with no web framework in sight.

For: every module that makes a page, and :mod:`modelwright.registry.app`, which turns HTTP into a :class:`Request` and a
:class:`Page` into HTTP. It does not check tokens, sessions or CSRF tokens: a request that arrives here was let in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from modelwright.registry.deciding.access import Deed, allowed
from modelwright.registry.people import NOBODY, Principal
from modelwright.registry.projects import Project
from modelwright.registry.settings import Settings
from modelwright.registry.web.shelf import Shelf

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What every page is sent with: nothing inline, nothing from elsewhere.

Source: Content Security Policy Level 3. ``data:`` is for the charts that a model card carries.
"""
HTML = "text/html; charset=utf-8"
CSRF_FIELD = "csrf"
"""Name of the field, in every form that changes something, that carries :attr:`Request.csrf`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What all pages of one registry share; made once, when the application starts.

    Attributes:
        settings: Title, stages, whether an upstream is proxied.
        shelf: What was read out of stored wheels, kept for the next time.
    """

    settings: Settings
    shelf: Shelf = field(default_factory=Shelf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a page is asked with.

    Attributes:
        path: Path of the page, decoded, below ``root`` (``/models/churn``).
        parts: What the route's path names (``name``, ``version``), matched by the application's allow-lists.
        query: The query, the last one where a name comes twice; values are anything, of bounded length.
        form: The form, likewise; empty unless something is posted.
        principal: Who asks.
        csrf: Token that a form must carry; empty: nobody is logged in.
        base_url: How the registry is reached from outside, ending in ``/``; for lines that people copy.
        root: Path that the registry is mounted below, without a final ``/``; usually empty.
    """

    path: str = "/"
    parts: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] = field(default_factory=dict)
    principal: Principal = NOBODY
    csrf: str = ""
    base_url: str = "http://127.0.0.1:8080/"
    root: str = ""

    def may(self, deed: Deed, project: Project) -> bool:
        """Say whether it makes sense to offer something; the service decides whether it is done."""
        return allowed(self.principal, deed, project=project.name, owners=project.owners) is None

    @property
    def here(self) -> str:
        """Path of this page with its query, to come back to."""
        return self.link(*(part for part in self.path.split("/") if part), **self.query)

    def link(self, /, *parts: str, **query: object) -> str:
        """Return the path of one of the registry's own pages, every part percent-encoded.

        Example:
            >>> Request(root="/ml").link("models", "churn", "compare", old="1.0", new="1.1")
            '/ml/models/churn/compare?old=1.0&new=1.1'
        """
        path = "/".join([self.root, *(quote(part, safe="") for part in parts)]) or "/"
        given = {key: value for key, value in query.items() if value not in ("", None)}
        return f"{path}?{urlencode(given)}" if given else path


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is answered.

    Attributes:
        body: The bytes.
        status: HTTP status.
        media_type: What the bytes are.
        location: Where to go instead, with status 303.
    """

    body: bytes = b""
    status: int = 200
    media_type: str = HTML
    location: str = ""


def see_other(location: str) -> Page:
    """Return an answer that leads somewhere else with GET, so that reloading repeats nothing.

    Source: RFC 9110, 15.4.4 "303 See Other".
    """
    return Page(status=303, location=location)
