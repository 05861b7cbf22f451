"""Errors that came over HTTP, rebuilt: the same class, with the same words, as if they had been raised here.

For: the connection beside this module. The server sends ``error.to_dict()``; anything else (a proxy, another server)
becomes the error that its status stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from modelwright import errors
from modelwright.errors import (
    LoginError,
    ModelwrightError,
    NotAllowedError,
    Problem,
    RegistryError,
    RequestError,
    UnavailableError,
    UnknownReleaseError,
    UploadError,
)
from modelwright.spec.struct import Frozen

LONGEST = 2000
"""Characters that are kept of each text of an answer."""
MOST = 1000
"""Problems that are kept of one refusal."""
LOGIN = "modelwright login URL"
"""What a registry advises that does not know by which address it was reached; here the address is known."""
BY_STATUS: dict[int, type[ModelwrightError]] = {
    400: RequestError,
    401: LoginError,
    403: NotAllowedError,
    404: UnknownReleaseError,
    413: UploadError,
}
"""What a status means when the answer does not say it better. Source: RFC 9110 section 15.5."""


class _Details(Frozen, frozen=True, kw_only=True):
    """One problem as JSON: an object, because ``to_dict`` names its fields."""

    row: int | None = None
    column: str | None = None
    problem: str
    hint: str = ""
    item: str = ""


class _Sent(Frozen, frozen=True, kw_only=True):
    """The JSON of :meth:`ModelwrightError.to_dict`."""

    error: str
    code: str
    where: str = ""
    why: str = ""
    hint: str = ""
    details: tuple[_Details, ...] = ()


def rebuilt(
    content: bytes,
    *,
    status: int,
    where: str,
    otherwise: Callable[[int, str], ModelwrightError] | None = None,
    unknown: type[ModelwrightError] = RegistryError,
) -> ModelwrightError:
    """Return the error that an answer stands for.

    Args:
        content: Body of the answer.
        status: Its status, 400 or more.
        where: The server's address, without credentials.
        otherwise: Returns the error for an answer that says nothing better than its status, and for the address; by
            default, that of a registry.
        unknown: Class for a code that this version does not know.

    Example:
        >>> content = b'{"error": "The gates do not pass.", "code": "MW1106", "hint": "modelwright verify"}'
        >>> error = rebuilt(content, status=409, where="http://models.example")
        >>> type(error).__name__, error.hint
        ('GateError', 'modelwright verify')
    """
    try:
        sent = msgspec.json.decode(content, type=_Sent)
    except msgspec.DecodeError:
        return (otherwise or _by_status)(status, where)
    kind = _kinds().get(sent.code, unknown)
    problems = [
        Problem(one.row, _clean(one.column) if one.column is not None else None, *map(_clean, _texts(one)))
        for one in sent.details[:MOST]
    ]
    return _of(kind, sent, problems, where)


def _of(kind: type[ModelwrightError], sent: _Sent, problems: list[Problem], address: str) -> ModelwrightError:
    """Make the error without its constructor: a subclass may take other arguments than its text."""
    error = kind.__new__(kind)
    advice = sent.hint.replace(LOGIN, f"modelwright login {address}")
    what, where, why, hint = map(_clean, (sent.error, sent.where, sent.why, advice))
    ModelwrightError.__init__(error, what, where=where, why=why, hint=hint, problems=problems)
    return error


def _texts(one: _Details) -> tuple[str, str, str]:
    return one.problem, one.hint, one.item


def _by_status(status: int, where: str) -> ModelwrightError:
    if status >= 500:
        return UnavailableError(
            f"The registry failed with {status}.", where=where, hint="Try again; its log says more to whoever runs it."
        )
    kind = BY_STATUS.get(status, RegistryError)
    return kind(
        f"The server answered {status}, and not as a registry answers.",
        where=where,
        hint="Is this the address of a modelwright registry?",
    )


def _clean(text: str) -> str:
    """Return a text without what a terminal would obey: it came from another machine."""
    return "".join(letter for letter in text[:LONGEST] if letter == "\n" or letter.isprintable())


def _kinds() -> dict[str, type[ModelwrightError]]:
    return {kind.code: kind for kind in _subclasses(errors.ModelwrightError)}


def _subclasses(kind: type[ModelwrightError]) -> Iterator[type[ModelwrightError]]:
    for child in kind.__subclasses__():
        if "code" in vars(child):
            yield child
        yield from _subclasses(child)
