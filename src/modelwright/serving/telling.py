"""What a caller is told of an error: everything it can use, and nothing of this machine.

For: the doors, which write it in the form of their transport, and the workers' side, where a model's own words come in.

Never told are tracebacks, paths of this machine, and, where the model's own code is at fault, what that said as its
reason: whoever runs the server finds it in the log.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from modelwright.errors import (
    ContainerError,
    CredentialError,
    LoaderError,
    MediaTypeError,
    MessageError,
    ModelwrightError,
    OutcomeError,
    OutputError,
    Problem,
    SelftestError,
    SignatureError,
    SlowRequestError,
    TooLargeError,
    UnknownModelError,
)
from modelwright.runtime.validation import LIMIT

UNDESIGNED = "The server failed; this is a defect of it, not of the request."
"""What is told of an error that nobody designed."""
WHICH_COLUMNS = "GET /models/NAME lists the columns it needs (over gRPC: ModelMetadata); /docs shows them in a browser."
"""What a caller can do whose rows do not fit: the command that the package brings is not there for it."""
LONGEST = 1000
"""Characters of one text in an answer; names of columns are the caller's, and may be anything."""
LEFT_OUT = "…"
"""Stands where a path stood."""
OF_THE_REQUEST = (
    *(ContainerError, CredentialError, MediaTypeError, MessageError, OutcomeError, SignatureError),
    *(SlowRequestError, TooLargeError, UnknownModelError),
)
"""Errors that quote the request and nothing else: a path in them is the caller's own, such as that of a URL."""
OF_THE_MODEL = (LoaderError, OutputError, SelftestError)
"""Errors whose reason is what the model's own code said."""
_PATH = re.compile(
    r"""(?P<url>\bhttps?://[^\s'"]+)
    | (?<=')(?:file:/|~|[A-Za-z]:\\|\\\\|/)[^'\n]+   # in quotes, to their end: there may be blanks in it
    | (?<=")(?:file:/|~|[A-Za-z]:\\|\\\\|/)[^"\n]+
    | \bfile:/[^\s'"]+
    | (?<![\w/])(?:~\w*)?/[^\s'"<>|;,)\]}]+
    | (?<![\w\\])(?:[A-Za-z]:\\|\\\\)[^\s'"<>|;,)\]}]+
    """,
    re.VERBOSE,
)


class Told(NamedTuple):
    """What is told of an error.

    Attributes:
        error: What went wrong, a sentence.
        code: Code of the error, ``MW…``.
        where: The place in the request; may be empty.
        why: The reason; may be empty.
        hint: What to do about it; may be empty.
        problems: Every single thing that is wrong.
    """

    error: str
    code: str
    where: str = ""
    why: str = ""
    hint: str = ""
    problems: tuple[Problem, ...] = ()


def told_of(error: BaseException) -> Told:
    """Return what is told of an error.

    Example:
        >>> told_of(OutputError("predict failed.", why="OSError: secret", hint="Report it."))[:5]
        ('predict failed.', 'MW202', '', '', 'Report it.')
        >>> told_of(KeyError("secret")).error
        'The server failed; this is a defect of it, not of the request.'
    """
    if not isinstance(error, ModelwrightError):
        return Told(UNDESIGNED, ModelwrightError.code)
    if isinstance(error, OF_THE_REQUEST):
        problems = tuple(map(short_problem, error.problems[:LIMIT]))
        return Told(error.what, error.code, error.where, error.why, error.hint, problems)
    why = "" if isinstance(error, OF_THE_MODEL) else pathless(error.why)
    where = error.where if pathless(error.where) == error.where else ""
    problems = tuple(short_problem(pathless_problem(one)) for one in error.problems[:LIMIT])
    return Told(pathless(error.what), error.code, where, why, pathless(error.hint), problems)


def pathless(text: str) -> str:
    r"""Return a text without what looks like a path of this machine; addresses of the web stay.

    Example:
        >>> pathless("OSError: No such file: '/srv/my models/churn.onnx' (see https://models.example/docs)")
        "OSError: No such file: '…' (see https://models.example/docs)"
        >>> pathless("Send application/json and/or CSV.")
        'Send application/json and/or CSV.'
    """
    if "/" not in text and "\\" not in text and "~" not in text:
        return text
    return _PATH.sub(lambda found: found["url"] or LEFT_OUT, text)


def pathless_problem(problem: Problem) -> Problem:
    """Return a problem whose texts name no path."""
    return problem._replace(
        column=pathless(problem.column) if problem.column else problem.column,
        problem=pathless(problem.problem),
        hint=pathless(problem.hint),
        item=pathless(problem.item),
    )


def short_problem(problem: Problem) -> Problem:
    """Return a problem whose texts are of a length that can be read: a caller's 16 MB are not sent back."""
    return problem._replace(
        column=problem.column and _cut(problem.column), problem=_cut(problem.problem), hint=_cut(problem.hint)
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} … {text[-LONGEST // 2 :]}"
