"""Errors that come out of a model's process, as errors of this one.

Called by process. What was said is kept for the log; what a caller is told of it is decided where it is told. Errors
that quote the request are told word for word, so one that a model raised with words of its own loses its paths here.
"""

from __future__ import annotations

from typing import Any

from modelwright import errors
from modelwright.errors import ModelwrightError, OutputError, Problem, SelftestError
from modelwright.serving.telling import OF_THE_REQUEST, pathless, pathless_problem


def _by_code(kind: type[ModelwrightError]) -> dict[str, type[ModelwrightError]]:
    found = {kind.code: kind}
    for child in kind.__subclasses__():
        found |= _by_code(child)
    return found


CLASSES = _by_code(errors.ModelwrightError)
"""Every error by its code."""
_FIELDS = Problem._fields


def raised(refusal: dict[str, Any], *, model: str) -> ModelwrightError:
    """Return the error that a refusal tells of.

    Args:
        refusal: What the worker sent; it is not believed to be well-formed.
        model: What to call the model, if the refusal is not one that was designed.
    """
    kind = CLASSES.get(str(refusal.get("code", "")))
    said = {key: _text(refusal.get(key)) for key in ("error", "where", "why", "hint")}
    if kind is None:
        return OutputError(f"{model} failed.", why=said["error"])
    details = refusal.get("details")
    problems = [_problem(one) for one in details if isinstance(one, dict)] if isinstance(details, list) else []
    if issubclass(kind, OF_THE_REQUEST):  # the model's own code raised it: the request was judged before it came there
        said = {key: pathless(text) for key, text in said.items()}
        problems = list(map(pathless_problem, problems))
    return kind(said["error"], where=said["where"], why=said["why"], hint=said["hint"], problems=problems)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _problem(told: dict[str, Any]) -> Problem:
    row, column = told.get("row"), told.get("column")
    return Problem(
        row if isinstance(row, int) else None,
        column if isinstance(column, str) else None,
        _text(told.get("problem")),
        _text(told.get("hint")),
        _text(told.get("item")),
    )


def unproved(title: str, failed: list[dict[str, Any]]) -> SelftestError:
    """Return the error that lists the scenarios which did not hold when a model was warmed."""
    problems = [Problem(None, None, str(text), item=str(one["name"])) for one in failed for text in one["problems"]]
    return SelftestError(
        f"{len(failed)} of the scenarios of {title} do not hold.",
        problems=problems,
        why="The model behaves differently here from when it was captured, so it takes no request.",
        hint=f"modelwright verify {title.replace(' ', '==')}",
    )
