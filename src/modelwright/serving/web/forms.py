"""Make a form from a signature, and rows from what was filled in.

For: :mod:`.pages` (controls) and the HTTP door (:func:`parse_form`). What a browser sends is text; it becomes the JSON
values that a client would send, and these are judged by the contract like everybody's.

Source: WHATWG HTML, "Form submission"; URL Standard, "application/x-www-form-urlencoded".
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from modelwright.errors import Problem, SignatureError
from modelwright.runtime.containers import take_apart
from modelwright.runtime.encoding import decode_rows
from modelwright.runtime.validation import judge_table
from modelwright.runtime.values import family_of
from modelwright.serving.contract import Contract
from modelwright.serving.web.examples import example_of
from modelwright.serving.web.views import Sent

PREFIX = "row."
"""What the name of a control begins with; the name of the field follows."""
METHOD = "method"
_NUMBER = re.compile(r"\s*-?(?:0|[1-9]\d{0,400})(\.\d{1,400})?([eE][+-]?\d{1,4})?\s*", re.ASCII)
"""Source: RFC 8259, section 6."""
_MINUTES = re.compile(r"\d{4,}-\d\d-\d\dT\d\d:\d\d", re.ASCII)
"""What browsers send for a time on the minute."""

FieldData = dict[str, Any]


def parse_form(contract: Contract, body: bytes) -> Sent:
    """Return the row that a form holds, and everything that is wrong with it.

    Args:
        contract: What it is judged by.
        body: Body of the request.

    Example of use: send ``rows`` on as a client would if there are no ``problems``; show the page again otherwise.
    """
    sent, problems = _fields(body, most=2 * len(contract.inputs) + 10)
    method = sent.pop(METHOD, contract.methods[0])
    if method not in contract.methods:
        problems.append(Problem(None, None, f"has no method {method[:60]!r}", f"it has {', '.join(contract.methods)}"))
        method = contract.methods[0]
    filled = {name.removeprefix(PREFIX): text for name, text in sent.items() if name.startswith(PREFIX)}
    if problems:
        return Sent(method=method, rows=(), problems=tuple(problems), filled=filled)
    row, unread = _row(contract, filled)
    found = _judged(contract, row, {problem.column for problem in unread})
    return Sent(method=method, rows=(row,), problems=(*unread, *found), filled=filled)


def _fields(body: bytes, *, most: int) -> tuple[dict[str, str], list[Problem]]:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=most)
    except ValueError:
        return {}, [Problem(None, None, "the form cannot be read", "fill in the form of this page and send that")]
    return dict(pairs), []


def _row(contract: Contract, filled: dict[str, str]) -> tuple[dict[str, Any], list[Problem]]:
    known = {field["name"]: field for field in contract.inputs}
    row: dict[str, Any] = {}
    problems: list[Problem] = []
    for name in [*known, *(name for name in filled if name not in known)]:
        if name not in filled and not _is_box(known[name]):
            continue  # judging says that it is missing
        try:
            row[name] = value_of(known[name], filled.get(name, "")) if name in known else filled[name]
        except msgspec.DecodeError as error:
            row[name] = None
            problems.append(Problem(0, name, f"is no JSON: {error}", "write it as in a request: [1, 2], or {…}"))
    return row, problems


def _judged(contract: Contract, row: dict[str, Any], unread: set[str | None]) -> list[Problem]:
    try:
        decoded = decode_rows([row], contract.inputs)
        judge_table(contract.judges, take_apart(decoded, "records", contract.fields), model=contract.title)
    except SignatureError as error:
        return [problem for problem in error.problems if problem.column not in unread]
    return []


def _is_box(field: FieldData) -> bool:
    """Say whether a field is a box to tick, which a browser does not send when it is not ticked."""
    return family_of(field["datatype"]) == "bool" and not field.get("shape") and not field.get("nullable")


def value_of(field: FieldData, text: str) -> Any:
    """Return what was written into a field as a JSON value; what it does not understand stays text, for the judge.

    Raises:
        msgspec.DecodeError: It should be JSON, and is not.

    Example:
        >>> value_of({"name": "age", "datatype": "int64"}, "42"), value_of({"name": "age", "datatype": "int64"}, "x")
        (42, 'x')
    """
    family = family_of(field["datatype"])
    if field.get("shape") or family == "json":
        return _json(text) if text.strip() else None
    if family == "string" and not (field.get("nullable") and not text):
        return text.replace("\r\n", "\n")
    if family == "bool":
        return {"true": True, "false": False, "": None if field.get("nullable") else False}.get(text, text)
    if not text and (family != "bytes" or field.get("nullable")):
        return None
    if family in ("int", "float", "duration") and _NUMBER.fullmatch(text):
        return _number(text)
    return f"{text}:00" if family == "datetime" and _MINUTES.fullmatch(text) else text


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except RecursionError:
        raise msgspec.DecodeError("nested too deeply") from None


def _number(text: str) -> int | float:
    number = float(text)
    return int(text) if text.strip().lstrip("-").isdigit() else number


def text_of(field: FieldData, value: Any) -> str:
    """Return a JSON value as it stands in a control; the reverse of :func:`value_of`.

    Example:
        >>> text_of({"name": "ok", "datatype": "bool"}, True), text_of({"name": "v", "datatype": "json"}, [1])
        ('true', '[1]')
    """
    if field.get("shape") or family_of(field["datatype"]) == "json":
        return msgspec.json.encode(value).decode()
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def prefilled(contract: Contract, method: str) -> dict[str, str]:
    """Return what a form begins with: a row of a scenario; nothing where the package has none."""
    example = example_of(contract, method)
    row = example.rows[0] if example is not None else {}
    return {field["name"]: text_of(field, row[field["name"]]) for field in contract.inputs if field["name"] in row}
