"""What goes back: predictions, and errors as plain data with a status.

Called by the replica and the router. Errors look the same whoever found them: ``error``, ``code``, ``details``, as in
every answer of ``modelwright serve``.
"""

# mypy: ignore-errors

from __future__ import annotations

from collections.abc import Callable
from typing import Any

FAMILIES = {"MW2": 400}
"""HTTP status by family of the code, where the caller can do something about it."""
MODEL_FAILED = "MW202"


class Refusal(Exception):
    """A request that cannot be answered as it is.

    Args:
        code: Code of the error.
        what: What is wrong, a sentence.
        hint: What to do about it.
        status: HTTP status.
        **headers: Headers of the answer, ``_`` for ``-``.
    """

    def __init__(self, code: str, what: str, *, hint: str = "", status: int = 400, **headers: str) -> None:
        super().__init__(what)
        self.code, self.what, self.hint, self.status = code, what, hint, status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def refused(error: Refusal) -> dict[str, Any]:
    """Return status and content for a request that is refused."""
    details = [{"row": None, "column": None, "problem": error.what, "hint": error.hint}] if error.hint else []
    content = {"error": error.what, "code": error.code, "details": details}
    return {"status": error.status, "content": content, "headers": error.headers}


def failed(error: Any) -> dict[str, Any]:
    """Return status and content for an error of the package's own runtime; paths and causes stay here.

    Args:
        error: A ``ModelwrightError`` of the runtime that the wheel carries.
    """
    said = error.to_dict()
    kept = ("row", "column", "problem", "hint")
    details = [{key: detail[key] for key in kept} for detail in said["details"]]
    if not details and said["hint"]:
        details = [{"row": None, "column": None, "problem": said["error"], "hint": said["hint"]}]
    content = {"error": said["error"], "code": said["code"], "details": details}
    status = 500 if error.code == MODEL_FAILED else FAMILIES.get(error.code[:3], 500)
    return {"status": status, "content": content}


def columns(answers: dict[str, list[Any]], encode: Callable[[Any], Any]) -> dict[str, list[Any]]:
    """Return flat columns as JSON can hold them."""
    return {name: [encode(value) for value in values] for name, values in answers.items()}


def records(
    outputs: list[tuple[dict[str, Any], list[str]]], answers: dict[str, list[Any]], encode: Callable[[Any], Any]
) -> list[dict[str, Any]]:
    """Return one record per row, from output to value; with class labels, a dict from label to value.

    Args:
        outputs: Each output with the names of its flat columns.
        answers: The flat columns.
        encode: Brings a value into the form that JSON can hold.
    """
    named = {output["name"]: _values(output, names, answers, encode) for output, names in outputs}
    return [dict(zip(named, row, strict=True)) for row in zip(*named.values(), strict=True)]


def _values(output: dict[str, Any], names: list[str], answers: dict[str, list[Any]], encode) -> list[Any]:
    values = [encode(value) for value in gathered(output, names, answers)]
    labels = output.get("labels")
    if not labels or len(output.get("shape", ())) != 1:
        return values
    return [dict(zip(map(str, labels), row, strict=True)) for row in values]


def gathered(output: dict[str, Any], names: list[str], answers: dict[str, list[Any]]) -> list[Any]:
    """Return one value per row of an output, put together from its flat columns."""
    if names == [output["name"]]:
        return answers[names[0]]
    return [list(row) for row in zip(*(answers[name] for name in names), strict=True)]
