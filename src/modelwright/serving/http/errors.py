"""What an HTTP client is told of an error: a sentence, a code, and every single problem.

For: the ``write_error`` of every transport over HTTP. Never told are tracebacks, paths of this machine (``where``),
and, where the fault is not the caller's, what the model's own code said.
"""

from __future__ import annotations

from typing import Any

from modelwright.errors import MessageError, ModelwrightError, TooLargeError
from modelwright.serving.http.statuses import status_of

UNDESIGNED = "The server failed; this is a defect of it, not of the request."
"""What is told of an error that nobody designed."""


def error_fields(error: BaseException) -> dict[str, Any]:
    """Return an error as plain data: ``error``, ``code``, ``details``.

    Example:
        >>> from modelwright.errors import UnknownModelError
        >>> error_fields(UnknownModelError("There is no model 'chrn'.", hint="Did you mean 'churn'?"))["details"]
        [{'row': None, 'column': None, 'problem': "There is no model 'chrn'.", 'hint': "Did you mean 'churn'?"}]
    """
    if not isinstance(error, ModelwrightError):
        return {"error": UNDESIGNED, "code": ModelwrightError.code, "details": []}
    return {"error": error.what, "code": error.code, "details": details_of(error)}


def details_of(error: ModelwrightError) -> list[dict[str, Any]]:
    """Return every problem of an error; where there is none, place, reason and what to do about it.

    A place is told only where it is one in the message, as line and column.
    """
    if error.problems:
        return [
            {"row": one.row, "column": one.column, "problem": one.problem, "hint": one.hint} for one in error.problems
        ]
    why = (error.why if status_of(error) < 500 else "") or error.what
    place = error.where if isinstance(error, MessageError | TooLargeError) else ""
    if not place and why == error.what and not error.hint:
        return []
    problem = f"{place}: {why}" if place else why
    return [{"row": None, "column": None, "problem": problem, "hint": error.hint}]


def sentence_of(error: BaseException) -> str:
    """Return one sentence for clients that show nothing else: the error and its first problem.

    Example:
        >>> from modelwright.errors import Problem, SignatureError
        >>> sentence_of(SignatureError("The rows do not fit: 1 problem.", problems=[Problem(0, "age", "is missing")]))
        "The rows do not fit: 1 problem. First: row 0, column 'age': is missing."
    """
    if not isinstance(error, ModelwrightError):
        return UNDESIGNED
    if error.problems:
        return f"{error.what} First: {error.problems[0]}."
    place = f" ({error.where})" if error.where and isinstance(error, MessageError | TooLargeError) else ""
    return f"{error.what.removesuffix('.')}{place}. {error.hint}".rstrip()
