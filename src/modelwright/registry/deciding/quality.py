"""Gates about what the model is worth and what is said of it: metric and card. Pure.

Called by :mod:`.gates`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

import msgspec

from modelwright.capturing.card import UNKNOWN
from modelwright.registry.deciding.facts import Facts
from modelwright.registry.evidence import Evidence
from modelwright.registry.gates import Card, GateResult, Metric
from modelwright.registry.projects import Release
from modelwright.spec.evaluation import Evaluation

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+([^\n]*)")
_FENCE = ("```", "~~~")


class _Measured(NamedTuple):
    """A metric as it was measured last.

    Attributes:
        evaluation: The number and its direction.
        evidence: Number of the evidence it is from; ``None``: the manifest's own.
    """

    evaluation: Evaluation
    evidence: int | None = None


def metric(gate: Metric, facts: Facts) -> GateResult:
    """Judge a metric by what is asked for, absolutely and compared with what the stage runs now.

    Source: :class:`~modelwright.registry.gates.Metric`.
    """
    found = _newest(gate, facts.release, facts.evidence)
    value = found.evaluation.value if found else math.nan
    failed, asked = [], []
    for passed, threshold in _thresholds(gate, facts, found):
        asked.append(threshold)
        failed += [] if passed else [threshold]
    told = f"{value:.6g}" if math.isfinite(value) else "not a number" if found else "never measured"
    passed = bool(asked) and not failed and math.isfinite(value)
    where = f"{gate.dataset}, {gate.slice}" if gate.slice else gate.dataset
    return GateResult(
        gate=f"metric {gate.metric} on {where}",
        passed=passed,
        value=told,
        threshold=" and ".join(asked) or "a threshold, and none is set",
        hint="" if passed else _metric_hint(gate, facts, measured=found is not None),
        evidence=(found.evidence,) if found and found.evidence is not None else (),
    )


def _thresholds(gate: Metric, facts: Facts, found: _Measured | None) -> Iterator[tuple[bool, str]]:
    value = found.evaluation.value if found else math.nan
    if gate.at_least is not None:
        yield value >= gate.at_least, f"≥ {gate.at_least:g}"
    if gate.at_most is not None:
        yield value <= gate.at_most, f"≤ {gate.at_most:g}"
    if gate.within is not None:
        yield _within(gate, facts, found, gate.within)


def _within(gate: Metric, facts: Facts, found: _Measured | None, within: float) -> tuple[bool, str]:
    """Compare with the incumbent, in decimal numbers: 0.85 − 0.05 is 0.8, as whoever wrote the setting meant it."""
    current = facts.project.current(facts.stage)
    if facts.incumbent is None:
        runs = "nothing yet" if current is None else f"{current.version}, which is gone"
        return current is None, f"within {within:g} of what {facts.stage} runs: {runs}"
    old = _newest(gate, facts.incumbent, facts.incumbent_evidence)
    name = f"{facts.incumbent.version} in {facts.stage}"
    if old is None or not math.isfinite(old.evaluation.value):
        return False, f"within {within:g} of {name}, of which it was never measured"
    better = (found.evaluation.better if found else "") or old.evaluation.better
    if not better:
        return False, f"within {within:g} of {name}, and nobody said whether higher or lower is better"
    sign = 1 if better == "higher" else -1
    limit = Decimal(repr(old.evaluation.value)) - sign * Decimal(repr(within))
    told = f"{'≥' if sign > 0 else '≤'} {limit:f}, within {within:g} of {name}, which has {old.evaluation.value:g}"
    if found is None or not math.isfinite(found.evaluation.value):
        return False, told
    return sign * (Decimal(repr(found.evaluation.value)) - limit) >= 0, told


def _newest(gate: Metric, release: Release, evidence: Iterable[Evidence]) -> _Measured | None:
    """Return the metric as it was measured last: what was attached counts more than the manifest, the last most."""
    wheels = {file.sha256 for file in release.wheels}
    attached = [one for one in evidence if one.kind == "evaluation" and one.sha256 in wheels]
    for one in sorted(attached, key=lambda one: one.id, reverse=True):
        try:
            evaluations = msgspec.convert(one.content, tuple[Evaluation, ...])
        except msgspec.ValidationError:
            continue
        for evaluation in evaluations:
            if _is_meant(gate, evaluation):
                return _Measured(evaluation, one.id)
    return next((_Measured(one) for one in release.evaluations if _is_meant(gate, one)), None)


def _is_meant(gate: Metric, evaluation: Evaluation) -> bool:
    return (evaluation.metric, evaluation.dataset, evaluation.slice) == (gate.metric, gate.dataset, gate.slice)


def _metric_hint(gate: Metric, facts: Facts, *, measured: bool) -> str:
    wheel = facts.wheels[0].filename if facts.wheels else "WHEEL"
    if measured:
        return f"modelwright show {facts.what}  # a better model has a version of its own"
    measured_on = f"{gate.metric} measured on {gate.dataset}"
    return f"modelwright publish {wheel} --evidence evaluations.json  # with {measured_on}"


def card(gate: Card, facts: Facts) -> GateResult:
    """Judge whether the sections of the card that are asked for are there and say something.

    A section in which the generated sentence still stands that nobody stated anything does not say something.
    Without any section named, every section that the card has must say something.

    Source: :class:`~modelwright.registry.gates.Card`.
    """
    sections = read_sections(facts.card)
    wanted = gate.sections or tuple(sections)
    missing = [name for name in wanted if name.casefold() not in {known.casefold() for known in sections}]
    known = {name.casefold(): text for name, text in sections.items()}
    empty = [name for name in wanted if name not in missing and not _says_something(known[name.casefold()])]
    told = [f"{name} is missing" for name in missing] + [f"{name} says nothing" for name in empty]
    passed = bool(wanted) and not told
    return GateResult(
        gate="card",
        passed=passed,
        value="; ".join(told) or ("every section says something" if wanted else "there is no card"),
        threshold=f"sections that say something: {', '.join(gate.sections) or 'all that it has'}",
        hint=""
        if passed
        else "modelwright bump patch && modelwright build && modelwright publish dist/*  # with the sections written",
    )


def read_sections(text: str) -> dict[str, str]:
    r"""Return the sections of a Markdown page by their headings; each includes those below it.

    Example:
        >>> read_sections("# Churn\n## Use\nCalls.\n### Not for\nPrices.\n## Data\n")
        {'Churn': '## Use\nCalls.\n### Not for\nPrices.\n## Data', 'Use': 'Calls.\n### Not for\nPrices.', 'Not for': 'Prices.', 'Data': ''}
    """  # noqa: E501  # one line, as Python prints it
    lines = _without_front_matter(text).splitlines()
    headings = list(_headings(lines))
    sections: dict[str, str] = {}
    for number, (start, level, name) in enumerate(headings):
        end = next((later for later, depth, _ in headings[number + 1 :] if depth <= level), len(lines))
        sections.setdefault(name, "\n".join(lines[start + 1 : end]).strip())
    return sections


def _headings(lines: list[str]) -> Iterator[tuple[int, int, str]]:
    fence = ""
    for number, line in enumerate(lines):
        mark = line.lstrip()[:3]
        if fence:
            fence = "" if mark == fence else fence
        elif mark in _FENCE:
            fence = mark
        elif match := _HEADING.fullmatch(line):
            yield number, len(match[1]), match[2].rstrip("# \t").strip()


def _without_front_matter(text: str) -> str:
    if not text.startswith("---\n"):
        return text
    _, end, rest = text[4:].partition("\n---\n")
    return rest if end else text


def _says_something(text: str) -> bool:
    said = [line for line in text.splitlines() if line.strip() and not _HEADING.fullmatch(line)]
    return bool(said) and UNKNOWN not in text
