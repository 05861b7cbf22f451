"""Say what changed between two versions in lines for a changelog, in the words of people. Pure.

Called by :mod:`~modelwright.project.releasing.bump` with what ``diff`` found. Kinds that no comparison can see
(Deprecated, Fixed, Security) are for people to write.
Source: Keep a Changelog 1.1.0, "What makes a good changelog?".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from modelwright.capturing.markdown import code
from modelwright.inspecting.changes import Change
from modelwright.inspecting.diff import DiffReport
from modelwright.inspecting.documents import MetricChange, Values

SHOWN = 12
"""Lines on one subject at most; the rest is counted."""
TRAINING = "training"
"""What capture calls the data that the model was fitted on: numbers on them tell users little."""
_TOLD = {"signature", "methods", "name", "format", "model", "interpreters"}
"""Subjects of changes whose own sentence is good enough for people; the others are told with their numbers."""
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_WORDS = (
    (re.compile(r"^field (.+) is now required$"), r"field \1 added: every row must have it"),
    (re.compile(r"^field (.+) is no longer accepted$"), r"field \1 removed: no row may have it"),
    (re.compile(r"^field (.+) seems to be renamed to (.+)$"), r"field \1 renamed to \2"),
)


class Entry(NamedTuple):
    """One line of a changelog.

    Attributes:
        kind: Heading it stands under (``Changed``).
        text: The line, Markdown, without its bullet.
    """

    kind: str
    text: str


def entries(found: DiffReport) -> tuple[Entry, ...]:
    """Return the lines that a comparison gives, the most serious first.

    Args:
        found: What ``diff`` found.
    """
    listed = (
        *_signature(found),
        *_behaviour(found),
        *_cut(list(_metrics(_telling(found.metrics))), "metrics"),
        *_cut(list(_values(found.hyperparameters, "hyperparameter ")), "hyperparameters"),
        *_cut(list(_values(found.data, "trained or measured on ")), "data sets"),
        *_cut(list(_pins(found)), "requirements"),
        *_environment(found),
    )
    return listed or (Entry("Changed", f"nothing in the model itself: it is the one of {found.old.version}"),)


def first_release() -> tuple[Entry, ...]:
    """Return what there is to say when nothing was released before."""
    return (Entry("Added", "First release."),)


def _signature(found: DiffReport) -> Iterator[Entry]:
    for change in found.changes:
        if change.about in _TOLD and not _is_small_print(change):
            yield Entry(change.how.capitalize(), _breaking(change) + sentence(change.what))


def _is_small_print(change: Change) -> bool:
    """Say whether a change of the signature is one that a retraining always brings."""
    return change.about == "signature" and change.level == "PATCH"


def _breaking(change: Change) -> str:
    return "**Breaking:** " if change.level == "MAJOR" else ""


def sentence(what: str) -> str:
    """Return the sentence of a change as Markdown: names as code, everything else as text.

    Example:
        >>> sentence("field 'tenure' is now required")
        'field `tenure` added: every row must have it'
        >>> sentence("output 'y' has shape [2] instead of <3>")
        'output `y` has shape [2] instead of &lt;3>'
    """
    for pattern, words in _WORDS:
        what = pattern.sub(words, what)
    parts, position = [], 0
    for match in _QUOTED.finditer(what):
        parts += [_text(what[position : match.start()]), code(str(ast.literal_eval(match[0])))]
        position = match.end()
    return "".join([*parts, _text(what[position:])])


def _text(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("<", "&lt;").replace("`", "'")


def _behaviour(found: DiffReport) -> Iterator[Entry]:
    asked = found.behaviour
    if asked is not None and asked.refused:
        count = f"{asked.refused} scenario{'s' if asked.refused > 1 else ''}"
        yield Entry("Changed", f"**Breaking:** rows of {count} that {found.old.version} answers are refused")
    if asked is not None and asked.changed:
        yield Entry("Changed", f"{asked.changed} of {asked.rows} scenario rows get another answer")
    elif any(change.about == "artifacts" for change in found.changes):
        answers = "; the scenario rows get the same answers" if asked is not None else ""
        yield Entry("Changed", f"the model was trained or saved again{answers}")
    files = [code(file.path) for file in found.files if not file.path.startswith("model/")]
    if files:
        more = f" and {len(files) - SHOWN} more" if len(files) > SHOWN else ""
        yield Entry("Changed", f"code changed in {', '.join(files[:SHOWN])}{more}")


def _telling(metrics: Sequence[MetricChange]) -> list[MetricChange]:
    """Leave out what was measured on the training data, if there is anything else; whole data sets come first."""
    unseen = [one for one in metrics if one.dataset != TRAINING]
    return sorted(unseen or metrics, key=lambda one: bool(one.slice))


def _metrics(metrics: Sequence[MetricChange]) -> Iterator[Entry]:
    for metric in metrics:
        where = f"on {_text(metric.dataset)}" + (f", {_text(metric.slice)}" if metric.slice else "")
        name = code(metric.metric)
        if metric.old is None and metric.new is not None:
            yield Entry("Added", f"{name} {_number(metric.new, 3)} {where}, measured for the first time")
        elif metric.new is None:
            yield Entry("Removed", f"{name} {where} is no longer measured")
        elif metric.old is not None and metric.old != metric.new:
            yield Entry("Changed", f"{name} {' → '.join(apart(metric.old, metric.new))} {where}")


def apart(old: float, new: float) -> tuple[str, str]:
    """Write two numbers with as few digits as tell them apart, at least three.

    Example:
        >>> apart(0.9134, 0.9312), apart(0.91341, 0.91342), apart(1234.5, 1240.0)
        (('0.913', '0.931'), ('0.91341', '0.91342'), ('1234', '1240'))
    """
    for digits in range(3, 17):
        pair = _number(old, digits), _number(new, digits)
        if pair[0] != pair[1]:
            return pair
    return repr(old), repr(new)


def _number(value: float, digits: int) -> str:
    whole = len(str(int(abs(value)))) if abs(value) < 1e9 else 0
    return f"{value:.{max(digits, whole)}g}"


def _values(values: Mapping[str, Values], what: str) -> Iterator[Entry]:
    for name, pair in values.items():
        if pair.old is None:
            yield Entry("Added", f"{what}{code(name)}: {_value(pair.new)}")
        elif pair.new is None:
            yield Entry("Removed", f"{what}{code(name)}")
        else:
            yield Entry("Changed", f"{what}{code(name)}: {_value(pair.old)} → {_value(pair.new)}")


def _value(value: Any) -> str:
    return _text(str(value)) if isinstance(value, bool | int | float) else code(str(value))


def _pins(found: DiffReport) -> Iterator[Entry]:
    for name, pair in found.pins.items():
        old, new = (_text(str(value or "").removeprefix("==")) for value in (pair.old, pair.new))
        if pair.old is None:
            yield Entry("Added", f"{_text(name)} {new} is required")
        elif pair.new is None:
            yield Entry("Removed", f"{_text(name)} is no longer required")
        else:
            yield Entry("Changed", f"{_text(name)} {old} → {new}")


def _environment(found: DiffReport) -> Iterator[Entry]:
    """Count what changed in the lock beside the requirements that were named already."""
    beside = [name for name in found.lock if name not in {pin.partition("[")[0] for pin in found.pins}]
    if beside:
        libraries = "library" if len(beside) == 1 else "libraries"
        yield Entry("Changed", f"{len(beside)} {'more ' if found.pins else ''}{libraries} of the locked environment")


def _cut(listed: list[Entry], what: str) -> list[Entry]:
    if len(listed) <= SHOWN:
        return listed
    return [*listed[: SHOWN - 1], Entry("Changed", f"{len(listed) - SHOWN + 1} more {what}")]
