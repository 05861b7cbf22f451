"""Read what a query or a form asks for: bounded text, small numbers, and words that must be among known ones.

For: every module that makes a page. What is no known stage or version is refused by comparing it with those that are
there; nothing from a client is used as a path, a pattern or an address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from packaging.version import InvalidVersion, Version

from modelwright.errors import RequestError, UnknownReleaseError
from modelwright.registry.projects import Project, Release
from modelwright.registry.references import deleted_version
from modelwright.registry.web.requests import Request
from modelwright.spec.struct import Frozen

LONGEST_TEXT = 2000
"""Characters of a reason."""
LONGEST_WORD = 200
"""Characters of what is searched for."""
_DIGITS = 9
Item = TypeVar("Item")


class Paging(Frozen, frozen=True, kw_only=True):
    """Where one is in a long list.

    Attributes:
        page: Number of this page, from 1.
        pages: How many there are.
        previous: Path of the page before; empty: this is the first.
        following: Path of the page after; empty: this is the last.
    """

    page: int
    pages: int
    previous: str = ""
    following: str = ""


def word(given: Mapping[str, str], name: str, *, longest: int = LONGEST_WORD) -> str:
    """Return a text without the spaces around it; nothing given is empty.

    Raises:
        RequestError: It is longer than any such text.

    Example:
        >>> word({"q": " churn "}, "q")
        'churn'
    """
    text = given.get(name, "").strip()
    if len(text) > longest:
        raise RequestError(f"{name!r} is longer than {longest} characters.", hint="Say it more shortly.")
    return text


def number(given: Mapping[str, str], name: str, default: int = 0) -> int:
    """Return a number that is not negative.

    Raises:
        RequestError: It is no number.

    Example:
        >>> number({"page": "3"}, "page"), number({}, "page", 1)
        (3, 1)
    """
    text = given.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise RequestError(f"{name!r} is not a number.", why="Digits only, at most nine of them.")
    return int(text)


def one_of(given: Mapping[str, str], name: str, known: Iterable[str], *, what: str) -> str:
    """Return a word that must be among known ones; nothing given is empty.

    Raises:
        UnknownReleaseError: It is none of them.

    Example:
        >>> one_of({"to": "staging"}, "to", ("dev", "staging"), what="stage")
        'staging'
    """
    text = given.get(name, "")
    listed = tuple(known)
    if text and text not in listed:
        raise UnknownReleaseError(
            f"There is no {what} {text[:LONGEST_WORD]!r}.", hint=f"Known: {', '.join(listed[:20])}."
        )
    return text


def release_of(project: Project, version: str) -> Release:
    """Return a release by any spelling of its version.

    Raises:
        UnknownReleaseError: There is none.
    """
    try:
        found = project.release(str(Version(version)))
        deleted = found is None and project.was_deleted(version)
    except InvalidVersion:
        found, deleted = None, False
    if deleted:
        raise deleted_version(project, str(Version(version)))
    if found is None:
        known = ", ".join(release.version for release in project.releases[-5:])
        raise UnknownReleaseError(
            f"{project.name} has no release {version[:LONGEST_WORD]!r}.",
            hint=f"The latest are: {known}." if known else "It has none.",
        )
    return found


def cut(items: Sequence[Item], request: Request, *, by: str, each: int) -> tuple[Sequence[Item], Paging]:
    """Return the part of a list that a request asks for, and the way to the other parts.

    Args:
        items: The whole list.
        request: What is asked; its other words are kept in the links.
        by: Word of the query that says which page.
        each: How many items a page has.
    """
    pages = max(1, -(-len(items) // each))
    page = min(max(1, number(request.query, by, 1)), pages)
    return items[(page - 1) * each : page * each], Paging(
        page=page,
        pages=pages,
        previous=_turn(request, by, page - 1) if page > 1 else "",
        following=_turn(request, by, page + 1) if page < pages else "",
    )


def _turn(request: Request, by: str, page: int) -> str:
    parts = [part for part in request.path.split("/") if part]
    kept = {name: value for name, value in request.query.items() if name != "done"}
    return request.link(*parts, **{**kept, by: page})
