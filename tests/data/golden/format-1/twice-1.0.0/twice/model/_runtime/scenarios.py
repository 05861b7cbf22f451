"""Run scenarios: does the model behave here as it did when it was captured?

Four kinds: an *example* has expected answers; a *minimum* is an obvious case that any acceptable model gets right;
an *invariance* says that changing some fields changes nothing; a *direction* says which way an answer may not move.

Called by selftest and by the generated test module. It decides on data; it does not read files or print.
Source: Ribeiro et al. 2020, "Beyond Accuracy: Behavioral Testing of NLP Models with CheckList".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .encoding import decode_rows, encode
from .errors import DataError, Problem, SelftestError
from .model import Model

Answers = dict[str, list[Any]]


class Result(NamedTuple):
    """What became of one scenario.

    Attributes:
        name: Name of the scenario.
        kind: ``example``, ``minimum``, ``invariance`` or ``direction``.
        origin: ``auto`` or ``user``.
        problems: What does not hold, a sentence each; empty if the scenario passed.
        answers: Per output, one JSON value per row; ``None`` if the rows were refused.
        error: Why they were refused; empty if they were not.
    """

    name: str
    kind: str
    origin: str
    problems: list[str]
    answers: Answers | None
    error: str = ""

    @property
    def passed(self) -> bool:
        """Whether the scenario holds."""
        return not self.problems


def run_scenario(model: Model, scenario: dict[str, Any]) -> Result:
    """Run one scenario and say what does not hold; the model's own errors become problems.

    Args:
        model: The loaded model.
        scenario: One object of ``scenarios.jsonl``.
    """
    name, kind, origin = scenario["name"], scenario["kind"], scenario.get("origin", "auto")
    judge = _JUDGES.get(kind)
    if judge is None:
        return Result(name, kind, origin, [f"this runtime knows no scenarios of the kind {kind!r}"], None)
    try:
        answers = answer_rows(model, scenario["inputs"])
        problems = list(judge(model, scenario, answers))
    except (DataError, SelftestError) as error:
        return Result(name, kind, origin, [str(error)], None, str(error))
    return Result(name, kind, origin, problems, answers)


def check_scenario(model: Model, scenario: dict[str, Any]) -> None:
    """Raise if a scenario does not hold.

    Raises:
        SelftestError: Lists what does not hold.
    """
    result = run_scenario(model, scenario)
    if not result.passed:
        raise SelftestError(
            f"The scenario {result.name!r} does not hold.",
            where=scenario.get("reason", ""),
            problems=[Problem(None, None, problem) for problem in result.problems],
            why="The model behaves differently here from when it was captured.",
        )


def answer_rows(model: Model, rows: list[dict[str, Any]]) -> Answers:
    """Return the answers of all methods to rows of JSON values, as JSON values, one list per output.

    Raises:
        DataError: The rows do not fit, or the model failed.
    """
    decoded = decode_rows(rows, model.manifest["signature"]["inputs"])
    return {name: encode(values) for name, values in model.answer_lists(decoded).items()}


def _example(model: Model, scenario: dict[str, Any], answers: Answers) -> Iterator[str]:
    for name, expected in scenario["expected"].items():
        if name not in answers:
            yield f"the model has no output {name!r}"
        elif len(expected) != len(answers[name]):
            yield f"{len(expected)} answers of {name!r} are expected, {len(answers[name])} came"
        else:
            yield from _differences(name, expected, answers[name], _tolerance(model, scenario, name))


def _minimum(model: Model, scenario: dict[str, Any], answers: Answers) -> Iterator[str]:
    judged = _judged(model, scenario, answers)
    close = _tolerance(model, scenario, scenario["output"])
    for row, value in enumerate(judged):
        if scenario.get("equals") is not None and not is_close(value, scenario["equals"], close):
            yield f"row {row}: {_label(scenario)} is {value!r}; it must be {scenario['equals']!r}"
        for bound, broken, words in (("at_least", _below, "at least"), ("at_most", _above, "at most")):
            limit = scenario.get(bound)
            if limit is not None and broken(value, limit):
                yield f"row {row}: {_label(scenario)} is {value!r}; it must be {words} {limit!r}"


def _invariance(model: Model, scenario: dict[str, Any], answers: Answers) -> Iterator[str]:
    changed = answer_rows(model, [row | scenario["change"] for row in scenario["inputs"]])
    fields = ", ".join(scenario["change"])
    for name, before in answers.items():
        for difference in _differences(name, before, changed[name], _tolerance(model, scenario, name)):
            yield f"changing {fields} changes the answer: {difference}"


def _direction(model: Model, scenario: dict[str, Any], answers: Answers) -> Iterator[str]:
    field, add, never = scenario["field"], scenario["add"], scenario["never"]
    moved_rows = [row | {field: _moved(row.get(field), add)} for row in scenario["inputs"]]
    before, after = _judged(model, scenario, answers), _judged(model, scenario, answer_rows(model, moved_rows))
    rtol, atol = _tolerance(model, scenario, scenario["output"])
    for row, (old, new) in enumerate(zip(before, after, strict=True)):
        slack = atol + rtol * abs(old)
        if (new < old - slack) if never == "lower" else (new > old + slack):
            moves = f"moves {_label(scenario)} from {old!r} to {new!r}"
            yield f"row {row}: adding {add:g} to {field} {moves}; it must never become {never}"


_JUDGES: dict[str, Callable[[Model, dict[str, Any], Answers], Iterator[str]]] = {
    "direction": _direction,
    "example": _example,
    "invariance": _invariance,
    "minimum": _minimum,
}


def _moved(value: Any, add: float) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return value + (int(add) if isinstance(value, int) and add == int(add) else add)


def _judged(model: Model, scenario: dict[str, Any], answers: Answers) -> list[Any]:
    """Return the values a rule is about: an output, or the column of one class of it.

    Raises:
        SelftestError: The model has no such output or class.
    """
    name, label = scenario["output"], scenario.get("label")
    if name not in answers:
        raise SelftestError(f"The scenario {scenario['name']!r} is about {name!r}, which is no output of the model.")
    if label is None:
        return answers[name]
    output = next(output for output in model.manifest["signature"]["outputs"] if output["name"] == name)
    labels = list(output.get("labels") or ())
    if label not in labels:
        raise SelftestError(f"The scenario {scenario['name']!r} is about {label!r}, which is no class of {name!r}.")
    return [row[labels.index(label)] for row in answers[name]]


def _label(scenario: dict[str, Any]) -> str:
    label = scenario.get("label")
    return scenario["output"] if label is None else f"{scenario['output']}[{label}]"


def _tolerance(model: Model, scenario: dict[str, Any], name: str) -> tuple[float, float]:
    """Return rtol and atol of an output: those of the scenario, else those of the signature."""
    given = scenario.get("tolerance", {}).get(name)
    if given is None:
        outputs = model.manifest["signature"]["outputs"]
        given = next((output for output in outputs if output["name"] == name), {})
    return given.get("rtol", 0.0), given.get("atol", 0.0)


def _differences(name: str, expected: list[Any], answered: list[Any], close: tuple[float, float]) -> Iterator[str]:
    for row, (wanted, value) in enumerate(zip(expected, answered, strict=True)):
        if not is_close(value, wanted, close):
            within = f"(rtol {close[0]:g}, atol {close[1]:g})"
            yield f"row {row}: {name} is {_short(value)}; {_short(wanted)} is expected {within}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


def is_close(value: Any, expected: Any, tolerance: tuple[float, float]) -> bool:
    """Say whether an answer is the expected one: ``|a - e| <= atol + rtol * |e|`` for numbers, equal otherwise.

    Args:
        value: The answer, a JSON value.
        expected: What is expected, a JSON value; lists are compared element by element, missing equals missing.
        tolerance: rtol and atol.

    Example:
        >>> is_close([0.1, 0.9], [0.1, 0.90001], (1e-4, 0.0)), is_close(1, True, (0.0, 0.0))
        (True, False)
        >>> is_close(None, "NaN", (0.0, 0.0))
        True
    """
    if isinstance(expected, list) and isinstance(value, list):
        return len(value) == len(expected) and all(map(lambda a, e: is_close(a, e, tolerance), value, expected))
    if isinstance(expected, dict) and isinstance(value, dict):
        return value.keys() == expected.keys() and all(
            is_close(value[key], expected[key], tolerance) for key in expected
        )
    if value in _MISSING and expected in _MISSING:
        return True
    numbers = _is_number(value) and _is_number(expected)
    if not numbers:
        return type(value) is type(expected) and bool(value == expected)
    return bool(value == expected) or math.fabs(value - expected) <= tolerance[1] + tolerance[0] * math.fabs(expected)


_MISSING = (None, "NaN")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _below(value: Any, limit: float) -> bool:
    return not _is_number(value) or value < limit


def _above(value: Any, limit: float) -> bool:
    return not _is_number(value) or value > limit
