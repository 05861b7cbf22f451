"""Which form of a page a client gets: JSON, HTML with the API's own content type, or plain HTML.

For: the application, before it renders or looks into its cache. Pure.

Source: PEP 691, "Version + Format Selection" and "URL Parameter"; RFC 9110 section 12.5.1 (Accept, quality values).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

ContentType = Literal["application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html", "text/html"]

JSON: ContentType = "application/vnd.pypi.simple.v1+json"
HTML: ContentType = "application/vnd.pypi.simple.v1+html"
PLAIN_HTML: ContentType = "text/html"
"""PEP 691: "an alias to ``application/vnd.pypi.simple.v1+html``"; "only … as a last resort"."""

LONGEST = 1000
"""Longest Accept header that is read, characters; installers send less than 200."""
_NAMES: dict[str, ContentType] = {
    JSON: JSON,
    HTML: HTML,
    PLAIN_HTML: PLAIN_HTML,
    # PEP 691: who asks for "latest" MUST be told the version that it got.
    "application/vnd.pypi.simple.latest+json": JSON,
    "application/vnd.pypi.simple.latest+html": HTML,
}
_EXACT, _TYPE, _ANY = 2, 1, 0


class _Range(NamedTuple):
    """One entry of an Accept header: what it names, and how much it is wanted, 0 to 1."""

    name: str
    quality: float


def negotiate(accept: str | None, requested: str | None = None) -> ContentType | None:
    """Choose a content type.

    A type that is named wins over one that a wildcard allows, then JSON wins over HTML. Who asks for anything at all
    (``*/*``: browsers' scripts, curl, installers before 2022) gets plain HTML, which everyone understands.

    Args:
        accept: The Accept header; ``None`` or empty: "treating the absence … as ``*/*``".
        requested: The URL parameter ``format``, which takes precedence; ``None``: not given.

    Returns:
        ``None`` if there is nothing that the client accepts: 406 Not Acceptable.

    Example:
        >>> negotiate("application/vnd.pypi.simple.v1+json, text/html;q=0.01")
        'application/vnd.pypi.simple.v1+json'
        >>> negotiate("*/*")
        'text/html'
        >>> negotiate("image/png") is None
        True
    """
    if requested is not None:
        return _NAMES.get(requested)
    if not accept or not accept.strip():
        return PLAIN_HTML
    if len(accept) > LONGEST:
        return None
    ranges = [_range(entry) for entry in accept.split(",")]
    ranked = [(_rank(offer, ranges), offer) for offer in (JSON, HTML, PLAIN_HTML)]
    (quality, _, _), best = max(ranked, key=lambda one: one[0])
    return best if quality > 0 else None


def _range(entry: str) -> _Range:
    name, *parameters = (part.strip().lower() for part in entry.split(";"))
    qualities = [parameter[2:].strip() for parameter in parameters if parameter.startswith("q=")]
    return _Range(name, _quality(qualities[0]) if qualities else 1.0)


def _quality(text: str) -> float:
    """Read ``0`` to ``1`` with up to three decimals; anything else asks for nothing (RFC 9110 section 12.4.2)."""
    whole, _, decimals = text.partition(".")
    if whole not in ("0", "1", "") or len(decimals) > 3 or not (decimals or whole) or not (decimals or "0").isascii():
        return 0.0
    if not (decimals or "0").isdigit():
        return 0.0
    return min(float(f"{whole or '0'}.{decimals or '0'}"), 1.0)


def _rank(offer: ContentType, ranges: list[_Range]) -> tuple[float, int, int]:
    """Return how good an offer is: what the most specific range that allows it says, how specific, how expressive."""
    matches = [(specific, one.quality) for one in ranges if (specific := _specific(offer, one.name)) is not None]
    if not matches:
        return (0.0, _ANY, 0)
    specific, quality = max(matches)
    expressive = {JSON: 2, HTML: 1, PLAIN_HTML: 3 if specific == _ANY else 0}
    return (quality, specific, expressive[offer])


def _specific(offer: ContentType, name: str) -> int | None:
    if _NAMES.get(name) == offer:
        return _EXACT
    if name == f"{offer.partition('/')[0]}/*":
        return _TYPE
    return _ANY if name == "*/*" else None
