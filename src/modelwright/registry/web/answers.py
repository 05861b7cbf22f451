"""Compare what two versions answered to the same rows, as it was recorded when each was captured. Pure.

For: the page that compares two versions. Only scenarios with recorded answers count, and only rows that both versions
were asked; what two versions answer to any row is asked of the models themselves by ``modelwright diff``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from modelwright.inspecting.behaviour import Behaviour, ChangedRow, close
from modelwright.spec.scenario import Example, Row, Scenario
from modelwright.spec.signature import Output

SHOWN_ROWS = 40
"""At most so many rows with another answer are shown; all are counted."""


def compare_recorded(old: Iterable[Scenario], new: Iterable[Scenario], *, outputs: Sequence[Output]) -> Behaviour:
    """Compare recorded answers to equal rows.

    Args:
        old: Scenarios of the old version.
        new: Scenarios of the new version.
        outputs: Outputs of the old version, whose tolerances decide what is another answer.

    Returns:
        How many rows both recorded an answer to, and those whose answer is another one.
    """
    after = {key: answer for _, _, key, _, answer in _answered(new)}
    asked, changed, shown = 0, set(), []
    by_output: Counter[str] = Counter()
    for name, at, key, row, before in _unique(old):
        if key not in after:
            continue
        asked += 1
        for output in outputs:
            was, now = before.get(output.name), after[key].get(output.name)
            if output.name not in before or output.name not in after[key]:
                continue
            if not close(was, now, rtol=output.rtol, atol=output.atol):
                changed.add(key)
                by_output[output.name] += 1
                shown.append(ChangedRow(scenario=name, row=at, inputs=row, output=output.name, old=was, new=now))
    return Behaviour(rows=asked, changed=len(changed), by_output=dict(by_output), shown=tuple(shown[:SHOWN_ROWS]))


_Answered = tuple[str, int, bytes, Row, dict[str, Any]]
"""Scenario, position, key that equal rows share, the row, and the answer by output."""


def _answered(scenarios: Iterable[Scenario]) -> Iterator[_Answered]:
    for scenario in scenarios:
        if isinstance(scenario, Example):
            for at, row in enumerate(scenario.inputs):
                answer = {name: values[at] for name, values in scenario.expected.items() if at < len(values)}
                yield scenario.name, at, msgspec.json.encode(row, order="deterministic"), row, answer


def _unique(scenarios: Iterable[Scenario]) -> Iterator[_Answered]:
    seen: set[bytes] = set()
    for one in _answered(scenarios):
        if one[2] not in seen:
            seen.add(one[2])
            yield one
