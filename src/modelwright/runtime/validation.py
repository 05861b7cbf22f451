"""Judge whole tables by the signature: all problems at once, each with its row and column.

Called by model, and by files for rows that come as text. It does not convert to a library's types.
"""

from __future__ import annotations

from typing import Any

from .containers import Apart, Columns
from .errors import Problem, SignatureError
from .values import FieldJudge

LIMIT = 1000
"""At most so many problems are collected; whoever has that many has one cause."""


def judges_of(fields: list[dict[str, Any]]) -> tuple[FieldJudge, ...]:
    """Return the judge of each field, in order."""
    return tuple(FieldJudge(field) for field in fields)


def judge_table(judges: tuple[FieldJudge, ...], apart: Apart, *, model: str, hint: str = "") -> Columns:
    """Return the values of all fields in normal form.

    Args:
        judges: The judge of each field.
        apart: The rows, taken apart.
        model: What to call the model in the message.
        hint: Where the columns are listed; empty: by the command of the package.

    Raises:
        SignatureError: Lists every problem of the table and of its values, at most ``LIMIT``.
    """
    problems = list(apart.problems)
    judged: Columns = {}
    for judge in judges:
        if judge.name in apart.columns:
            judged[judge.name], found = judge.judge(apart.columns[judge.name], LIMIT)
            problems += found
    if problems:
        raise refusal(problems, model=model, hint=hint)
    return judged


def refusal(problems: list[Problem], *, model: str, hint: str = "") -> SignatureError:
    """Return the error that lists problems, whole columns first, then by row; see :func:`judge_table`."""
    found = sorted(problems, key=lambda problem: -1 if problem.row is None else problem.row)[:LIMIT]
    count = f"{len(found)} problem{'s' * (len(found) != 1)}" if len(found) < LIMIT else f"{LIMIT} problems or more"
    return SignatureError(
        f"The rows do not fit the signature of {model}: {count}.",
        problems=found,
        why="The model was trained on other columns or values than these, so its answer would mean nothing.",
        hint=hint or f"The columns it needs are listed by: {model.partition(' ')[0]} info",
    )
