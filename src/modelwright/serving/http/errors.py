"""What an HTTP client is told of an error, as plain data: a sentence, a code, place, reason, advice, every problem.

For: the ``write_error`` of every transport over HTTP. What may be told, :mod:`modelwright.serving.telling` decides.
"""

from __future__ import annotations

from typing import Any

from modelwright.errors import Problem
from modelwright.serving.telling import told_of


def error_fields(error: BaseException) -> dict[str, Any]:
    """Return an error as plain data: ``error``, ``code``, ``details``; ``where``, ``why``, ``hint`` if any.

    Example:
        >>> from modelwright.errors import UnknownModelError
        >>> error_fields(UnknownModelError("There is no model 'chrn'.", hint="Did you mean 'churn'?"))
        {'error': "There is no model 'chrn'.", 'code': 'MW1202', 'hint': "Did you mean 'churn'?", 'details': []}
    """
    told = told_of(error)
    more = {"where": told.where, "why": told.why, "hint": told.hint}
    said = {name: text for name, text in more.items() if text}
    return {"error": told.error, "code": told.code, **said, "details": list(map(_details, told.problems))}


def _details(problem: Problem) -> dict[str, Any]:
    """Return a problem as plain data; ``item`` only where one is meant."""
    told = problem._asdict()
    if not problem.item:
        del told["item"]
    return told


def sentence_of(error: BaseException) -> str:
    """Return one sentence for clients that show nothing else: the error and its first problem.

    Example:
        >>> from modelwright.errors import Problem, SignatureError
        >>> sentence_of(SignatureError("The rows do not fit: 1 problem.", problems=[Problem(0, "age", "is missing")]))
        "The rows do not fit: 1 problem. First: row 0, column 'age': is missing."
    """
    told = told_of(error)
    if told.problems:
        return f"{told.error} First: {told.problems[0]}."
    place = f" ({told.where})" if told.where else ""
    return f"{told.error.removesuffix('.')}{place}. {told.hint}".rstrip()
