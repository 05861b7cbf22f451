"""Write the scenarios of a package, and hold the live model to them through the runtime that will run them for ever.

Called by capture. What the live model answered to the sample must come out again when the same rows are read from
JSON, judged by the signature, converted and answered by the runtime; only then are they worth shipping.

It does not choose rows (:mod:`modelwright.capturing.selection`) or read rules (:mod:`modelwright.capturing.resolving`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from modelwright.capturing.answers import Answer
from modelwright.capturing.description import Description
from modelwright.capturing.resolving import resolve
from modelwright.capturing.rules import Rule
from modelwright.capturing.selection import Choice, choose
from modelwright.errors import DataError, ModelMismatchError, Problem, ScenarioError
from modelwright.runtime.model import Model
from modelwright.runtime.scenarios import Result, answer_rows, is_close, run_scenario
from modelwright.spec.scenario import Example, Scenario
from modelwright.spec.signature import Output


def write_scenarios(live: Model, described: Description, rules: Sequence[Rule] = ()) -> tuple[Scenario, ...]:
    """Choose scenarios from the sample, add the user's, and fill in what the model answers.

    Args:
        live: The live model, wrapped by the runtime with the manifest that it will have.
        described: Sample, signature and answers.
        rules: What the user gave.

    Raises:
        ModelMismatchError: Rows of the sample do not survive their own signature, or are answered differently when
            they come as JSON.
        ScenarioError: A rule of the user names something unknown, or does not hold.
    """
    signature = described.signature
    choices = choose(described.table, signature.inputs, described.answers)
    chosen = tuple(_example(live, described, choice) for choice in choices)
    given = resolve(
        rules,
        signature.inputs,
        signature.outputs,
        typical=chosen[0].inputs if chosen else (),
        taken=[scenario.name for scenario in chosen],
    )
    return chosen + tuple(_held(live, rule) for rule in given)


def _example(live: Model, described: Description, choice: Choice) -> Example:
    inputs = tuple(described.table.rows(choice.indices, described.signature.inputs))
    answered = Example(
        name=choice.name,
        reason=choice.reason,
        inputs=inputs,
        expected={item.output.name: _cells(item, choice.indices) for item in described.answers},
    )
    result = _run(live, answered)
    if not result.passed or result.answers is None:
        raise ModelMismatchError(
            "Rows of the sample are answered differently when they come as JSON.",
            where=f"scenario {choice.name!r}, rows {', '.join(map(str, choice.indices))} of the sample",
            problems=[Problem(None, None, problem) for problem in result.problems],
            why="The model would behave differently wherever it is served or tested.",
            hint="Fit the model on columns of plain types (numbers, text, booleans, dates), or declare fields=….",
        )
    return msgspec.structs.replace(answered, expected=_frozen(result.answers))


def _cells(answer: Answer, rows: Sequence[int]) -> tuple[Any, ...]:
    return tuple(answer.column.cell(row) for row in rows)


def _held(live: Model, scenario: Scenario) -> Scenario:
    """Return a scenario of the user, complete, if it holds."""
    if isinstance(scenario, Example) and not scenario.expected:
        try:
            return msgspec.structs.replace(scenario, expected=_frozen(answer_rows(live, list(scenario.inputs))))
        except DataError as error:
            raise _broken(scenario, error.problems, error.what) from error
    result = _run(live, scenario)
    if not result.passed:
        raise _broken(scenario, [Problem(None, None, text) for text in result.problems], "")
    return scenario


def _broken(scenario: Scenario, problems: Sequence[Problem], why: str) -> ScenarioError:
    return ScenarioError(
        f"The scenario {scenario.name!r} does not hold for this model.",
        where=scenario.reason,
        problems=list(problems),
        why=why,
        hint="Correct the scenario, or train the model until it holds.",
    )


def _run(live: Model, scenario: Scenario) -> Result:
    return run_scenario(live, msgspec.to_builtins(scenario))


def _frozen(answers: dict[str, list[Any]]) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(values) for name, values in answers.items()}


def check_answers(scenarios: Sequence[Scenario], answers: dict[str, list[Any]], tolerances: Sequence[Output]) -> None:
    """Compare what a fresh process answered with the expected answers of the examples, in their order.

    Args:
        scenarios: The scenarios of the package; only examples are compared.
        answers: Per output, one value per row, over all examples.
        tolerances: The outputs of the signature.

    Raises:
        ModelMismatchError: They differ; the model depends on something that stays behind in this process.
    """
    close = {output.name: (output.rtol, output.atol) for output in tolerances}
    problems: list[Problem] = []
    start = 0
    for scenario in examples(scenarios):
        for name, expected in scenario.expected.items():
            found = answers[name][start : start + len(expected)]
            problems += [
                Problem(row, name, f"{value!r} here, {other!r} in a fresh process", f"scenario {scenario.name}")
                for row, (value, other) in enumerate(zip(expected, found, strict=True))
                if not is_close(other, value, close[name])
            ]
        start += len(scenario.inputs)
    if problems:
        raise ModelMismatchError(
            "The captured model answers differently in a fresh process.",
            problems=problems,
            why="It depends on something of this process that is not captured: a random state, a global, a file.",
            hint="Fix random_state, and let predict depend on its rows and on the model only.",
        )


def examples(scenarios: Sequence[Scenario]) -> list[Example]:
    """Return the scenarios that are examples chosen by capture, whose expected answers are the model's own."""
    return [scenario for scenario in scenarios if isinstance(scenario, Example) and scenario.origin == "auto"]
