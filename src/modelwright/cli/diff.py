"""``modelwright diff``: what changed between two packages, and what Semantic Versioning makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from modelwright.cli.addresses import SOMEWHERE, At
from modelwright.cli.exits import FAILED, OK
from modelwright.cli.output import PLAIN, Output, flag
from modelwright.cli.references import resolve
from modelwright.inspecting.diff import DiffReport
from modelwright.inspecting.diff import diff as compare
from modelwright.inspecting.documents import Values
from modelwright.inspecting.installers import InstallerName

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 10
"""Lines of each section; the rest is counted."""


def diff(
    old: Annotated[str, Parameter(help="The version in use: a wheel, a URL, a folder, name, name@stage.")],
    new: Annotated[str, Parameter(help="The version that shall follow it.")],
    /,
    *,
    skip_behaviour: Annotated[bool, flag("Compare what is written only; run neither model.")] = False,
    python: Annotated[
        str | None, Parameter(help="Python to run both on; by default one they were verified on.")
    ] = None,
    offline: Annotated[bool, flag("Use only what the installer has in its cache.")] = False,
    installer: Annotated[InstallerName, Parameter(help="What makes the environments.")] = "auto",
    trust: Annotated[list[str] | None, Parameter(negative="", help="A type that you vouch for.")] = None,
    report: Annotated[
        Path | None,
        Parameter(help="File for the report, JSON, bound to both wheels' sha256."),
    ] = None,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Compare two packages: signature, metrics, pins, behaviour, and what SemVer says.

    Both answer the scenarios of both, each in an environment of its own. The
    exit code is 1 when the new version number promises less than changed.
    """
    found = compare(
        resolve(old, at, output),
        resolve(new, at, output),
        behaviour="skip" if skip_behaviour else "run",
        python=python,
        offline=offline,
        installer=installer,
        trust=trust or (),
        listener=output.listener,
    )
    if report is not None:
        found.save(report)
    output.result(found, _show)
    return OK if found.verdict.honoured else FAILED


def _show(found: DiffReport, console: Console) -> None:
    def line(text: str, style: str = "") -> None:
        console.print(text, style=style or None, markup=False, soft_wrap=True)

    line(f"{found.old.name} {found.old.version} → {found.new.name} {found.new.version}", "bold")
    for title, lines in _sections(found):
        if lines:
            line(f"\n{title}")
            for one in lines[:SHOWN]:
                line(f"  {one}")
            if len(lines) > SHOWN:
                line(f"  … and {len(lines) - SHOWN} more")
    line(f"\n{found.verdict}", "bold")
    if not found.verdict.honoured:
        line(f"{found.new.version} promises less: the version should be at least {found.verdict.expected}.", "red")


def _sections(found: DiffReport) -> list[tuple[str, list[str]]]:
    return [
        ("changes", [f"{change.level:<6}{change.about}: {change.what}" for change in found.changes]),
        ("metrics", _metrics(found)),
        ("pins", _values(found.pins)),
        ("environment", _values(found.lock)),
        ("files", [f"{file.how:<8} {file.path} ({file.size:+,} bytes)" for file in found.files]),
        ("data", _values(found.data)),
        ("hyperparameters", _values(found.hyperparameters)),
        ("behaviour", _behaviour(found)),
    ]


def _metrics(found: DiffReport) -> list[str]:
    marks = {True: "better", False: "worse", None: ""}
    lines = []
    for metric in found.metrics:
        if metric.old == metric.new:
            continue
        where = f"{metric.dataset}, {metric.slice}" if metric.slice else metric.dataset
        lines.append(
            f"{metric.metric} on {where}: {_number(metric.old)} → {_number(metric.new)} {marks[metric.better]}"
        )
    return lines


def _values(values: Mapping[str, Values]) -> list[str]:
    return [f"{name}: {_number(pair.old)} → {_number(pair.new)}" for name, pair in values.items()]


def _behaviour(found: DiffReport) -> list[str]:
    asked = found.behaviour
    if asked is None:
        return ["not run"]
    lines = [f"{asked.changed} of {asked.rows} rows are answered differently; {asked.refused} scenarios are refused"]
    for row in asked.shown:
        answers = f"{row.output}: {_number(row.old)} → {_number(row.new)}" if row.output else f"refused: {row.new}"
        lines.append(f"{row.scenario}, row {row.row}: {answers}")
    return [*lines, *asked.unanswered]


def _number(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return f"[{', '.join(map(_number, value))}]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
