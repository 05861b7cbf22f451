"""Choose what the documents and forms show: rows of a scenario of the package, and what the model answered to them.

Real rows with their real answer are worth more than invented ones: whoever sends them must get that answer.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from modelwright.runtime.encoding import encode
from modelwright.runtime.returning import flat_names
from modelwright.serving.contract import Contract
from modelwright.spec.scenario import Example

MOST_ROWS = 2
"""Rows that an example shows."""
MOST_BYTES = 20_000
"""Size of an example as JSON; a larger one (an image) is left out of the documents."""
Record = dict[str, Any]


class Shown(NamedTuple):
    """An example: a request and its answer.

    Attributes:
        rows: Rows as JSON values.
        answers: What the model answered to each, as JSON values; empty if the package does not say.
    """

    rows: list[Record]
    answers: list[Record]


def example_of(contract: Contract, method: str) -> Shown | None:
    """Return the example of a method; ``None``: the package has no scenario that is small enough."""
    outputs = contract.outputs[method]
    found = [one for one in contract.scenarios if isinstance(one, Example) and one.inputs]
    answered = [one for one in found if all(output["name"] in one.expected for output in outputs)]
    for scenario in answered or found:
        rows = [dict(row) for row in scenario.inputs[:MOST_ROWS]]
        shown = Shown(rows, _answers(outputs, scenario, len(rows)) if answered else [])
        if len(msgspec.json.encode(shown)) <= MOST_BYTES:
            return shown
    return None


def _answers(outputs: tuple[Record, ...], scenario: Example, size: int) -> list[Record]:
    return [
        {output["name"]: _labelled(output, scenario.expected[output["name"]][row]) for output in outputs}
        for row in range(size)
    ]


def _labelled(output: Record, value: Any) -> Any:
    labels = output.get("labels")
    if not labels or len(output.get("shape", ())) != 1 or not isinstance(value, list | tuple):
        return encode(value)
    return {str(label): encode(one) for label, one in zip(labels, value, strict=True)}


def columns_of(rows: list[Record]) -> dict[str, list[Any]]:
    """Return rows as columns.

    Example:
        >>> columns_of([{"x": 1}, {"x": 2}])
        {'x': [1, 2]}
    """
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def flat_answers(outputs: tuple[Record, ...], answers: list[Record]) -> dict[str, list[Any]]:
    """Return answers as columns, one per class where an output has class labels.

    Example:
        >>> score = {"name": "score", "shape": [2], "labels": ["no", "yes"]}
        >>> flat_answers((score,), [{"score": {"no": 0.1, "yes": 0.9}}])
        {'score_no': [0.1], 'score_yes': [0.9]}
    """
    columns: dict[str, list[Any]] = {}
    for output in outputs:
        names, values = flat_names(output), [answer[output["name"]] for answer in answers]
        if names == [output["name"]]:
            columns[names[0]] = values
            continue
        parts = [list(value.values()) if isinstance(value, dict) else value for value in values]
        columns |= {name: [part[place] for part in parts] for place, name in enumerate(names)}
    return columns
