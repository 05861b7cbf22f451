"""Compare how two versions behave: both models answer both sets of scenarios, each in an environment of its own.

Called by diff, when it is asked to run the models. Each model runs in a child process with the libraries of its own
lock; in this process only answers are compared.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from modelwright.inspecting.changes import Change
from modelwright.inspecting.environments import kept
from modelwright.inspecting.installers import Installer
from modelwright.inspecting.selftest import ScenarioResult, run_selftest
from modelwright.package import Package
from modelwright.spec.scenario import Row, Scenario
from modelwright.spec.signature import Output
from modelwright.spec.struct import Frozen

SHOWN_ROWS = 100
"""At most so many rows with another answer are shown; all are counted."""

Answers = Sequence[ScenarioResult]


class ChangedRow(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """One row that the two versions answer differently.

    Attributes:
        scenario: Name of the scenario, with ``old:`` or ``new:`` for the version it comes from.
        row: Zero-based position in the scenario.
        inputs: The row.
        output: Name of the output; empty when the row was refused.
        old: What the old version answers, or why it refuses.
        new: What the new version answers, or why it refuses.
    """

    scenario: str
    row: int
    inputs: Row
    output: str = ""
    old: Any = None
    new: Any = None


class Behaviour(Frozen, frozen=True, kw_only=True, omit_defaults=True):
    """What became of asking both versions the same questions.

    Attributes:
        rows: How many rows both were asked.
        changed: How many of them got another answer, beyond the tolerance of the old version.
        by_output: The same for each output that differs, by its name.
        refused: How many scenarios the old version answers and the new one refuses.
        shown: The first rows with another answer.
        unanswered: Scenarios that a version refuses although they are its own, or that both refuse: reasons.
    """

    rows: int
    changed: int = 0
    by_output: dict[str, int] = {}
    refused: int = 0
    shown: tuple[ChangedRow, ...] = ()
    unanswered: tuple[str, ...] = ()


def questions(old: Package, new: Package) -> tuple[Scenario, ...]:
    """Return the scenarios of both versions under names that tell them apart; those they share, once."""
    before = {_content(scenario): scenario for scenario in old.scenarios}
    after = [scenario for scenario in new.scenarios if _content(scenario) not in before]
    renamed = [_renamed(scenario, "old") for scenario in before.values()]
    return (*renamed, *(_renamed(scenario, "new") for scenario in after))


def _content(scenario: Scenario) -> bytes:
    return msgspec.json.encode(scenario.inputs)


def _renamed(scenario: Scenario, version: str) -> Scenario:
    return msgspec.structs.replace(scenario, name=f"{version}:{scenario.name}")


def ask(
    wheel: Path,
    scenarios: Sequence[Scenario],
    *,
    installer: Installer,
    python: str | None = None,
    trust: Iterable[str] = (),
    cache: Path | None = None,
) -> Answers:
    """Return what a version answers to scenarios, run in an environment of its own that is kept for the next time.

    Raises:
        PackageError: The wheel contradicts itself.
        IntegrityError: A file is not the file that was captured.
        EnvironmentBuildError: The environment cannot be made.
        ModelwrightError: The package does not run in it.
    """
    with kept(wheel, python=python, installer=installer, cache=cache) as (environment, package):
        return run_selftest(environment, package, scenarios=scenarios, trust=trust).scenarios


def compare_answers(
    scenarios: Sequence[Scenario], old: Answers, new: Answers, *, outputs: Sequence[Output]
) -> Behaviour:
    """Compare two sets of answers to the same scenarios. Pure.

    Args:
        scenarios: What was asked.
        old: What the old version answered, in the same order.
        new: What the new version answered.
        outputs: Outputs of the old version, whose tolerances decide what is another answer.
    """
    rows, changed, refused = 0, 0, 0
    shown: list[ChangedRow] = []
    by_output: Counter[str] = Counter()
    unanswered: list[str] = []
    for scenario, before, after in zip(scenarios, old, new, strict=True):
        if before.answers is None:
            unanswered.append(f"{scenario.name}: the old version refuses it: {_reason(before)}")
            continue
        if after.answers is None:
            refused += 1
            shown.append(_refused(scenario, after))
            continue
        rows += len(scenario.inputs)
        differing = list(_differing(scenario, before.answers, after.answers, outputs))
        changed += len({row.row for row in differing})
        by_output.update(row.output for row in differing)
        shown += differing
    return Behaviour(
        rows=rows,
        changed=changed,
        by_output=dict(by_output),
        refused=refused,
        shown=tuple(shown[:SHOWN_ROWS]),
        unanswered=tuple(unanswered),
    )


def _refused(scenario: Scenario, after: ScenarioResult) -> ChangedRow:
    inputs = scenario.inputs[0] if scenario.inputs else {}
    return ChangedRow(scenario=scenario.name, row=0, inputs=inputs, old="answered", new=f"refused: {_reason(after)}")


def _reason(result: ScenarioResult) -> str:
    return result.error or "; ".join(result.problems) or "no reason given"


def _differing(
    scenario: Scenario, old: dict[str, list[Any]], new: dict[str, list[Any]], outputs: Sequence[Output]
) -> Iterator[ChangedRow]:
    """Yield the rows whose answer is another one; outputs that only one version has are the signature's business."""
    for output in outputs:
        if output.name not in old or output.name not in new:
            continue
        for row, (was, now) in enumerate(zip(old[output.name], new[output.name], strict=False)):
            if not close(was, now, rtol=output.rtol, atol=output.atol):
                inputs = scenario.inputs[row]
                yield ChangedRow(scenario=scenario.name, row=row, inputs=inputs, output=output.name, old=was, new=now)


def close(old: Any, new: Any, *, rtol: float, atol: float) -> bool:
    """Say whether two answers are the same within a tolerance: ``|new - old| <= atol + rtol * |old|``.

    Example:
        >>> close([1.0, "NaN"], [1.0000001, "NaN"], rtol=1e-6, atol=0.0), close("yes", "no", rtol=1.0, atol=1.0)
        (True, False)
    """
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(
            close(one, other, rtol=rtol, atol=atol) for one, other in zip(old, new, strict=True)
        )
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(close(old[key], new[key], rtol=rtol, atol=atol) for key in old)
    if _is_number(old) and _is_number(new):
        return bool(old == new or (math.isfinite(old) and abs(new - old) <= atol + rtol * abs(old)))
    return bool(old == new)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def behaviour_changes(behaviour: Behaviour) -> Iterator[Change]:
    """Yield what the comparison means, each with its level."""
    if behaviour.refused:
        told = f"rows of {behaviour.refused} scenarios that the old version answers are refused"
        yield Change(level="MAJOR", about="behaviour", what=told)
    if behaviour.changed:
        outputs = ", ".join(f"{name} {count}" for name, count in behaviour.by_output.items())
        told = f"{behaviour.changed} of {behaviour.rows} scenario rows get another answer ({outputs})"
        yield Change(level="MINOR", about="behaviour", what=told)
