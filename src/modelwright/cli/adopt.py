"""``modelwright adopt``: from a project that exists already to one that builds a model wheel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from modelwright.cli.exits import FAILED, OK
from modelwright.cli.output import PLAIN, Output, flag, quoted, size

if TYPE_CHECKING:
    from rich.console import Console

    from modelwright.project.adopting.report import Adoption, Finding

_MARKS = {"missing": ("✗", "red"), "blocks": ("✗", "red"), "warning": ("!", "yellow"), "note": ("·", "dim")}

SHOWN_TRAINING = 5
"""Files of training code that are shown; a library of estimators has dozens."""


def adopt(
    folder: Annotated[Path, Parameter(help="The project's folder.")] = Path(),
    /,
    *,
    write: Annotated[bool, flag("Make the changes; without it they are only shown.")] = False,
    package: Annotated[str, Parameter(help="The package that holds the model, if there are several.")] = "",
    name: Annotated[str, Parameter(help="Another distribution name than the project has.")] = "",
    run_setup: Annotated[bool, flag("Let the build backend say what cannot be read without running it.")] = False,
    build: Annotated[bool, Parameter(help="Build the project as it is, in a copy, to see what it ships.")] = True,
    output: Output = PLAIN,
) -> int:
    """Turn a project that exists already into one that builds a model wheel.

    Shows what it would change, as a diff, and what is wrong with the files
    that the project ships today. Exit code 1: a file is missing from the wheel.
    """
    from modelwright.project.adopting import adopt as adopting

    running = adopting.running(may_build=build, may_tell=run_setup)
    found = adopting.adopt(folder, package=package, name=name, running=running, listener=output.listener)
    if write:
        found = adopting.write(found)
    output.result(found, _show)
    root = quoted(folder)
    output.next(*([] if folder.resolve() == Path.cwd() else [f"cd {root}"]), *found.next)
    return OK if found.sound else FAILED


def _show(found: Adoption, console: Console) -> None:
    """Print the diff first, as it could be given to ``patch``, then what was found."""
    for change in found.changes:
        console.print(change.diff, markup=False, soft_wrap=True, end="")
    if not found.changes:
        console.print("Nothing to change: modelwright builds this project.")
    where = f"{found.name} {found.version}".strip()
    console.print(
        f"\n{where}: {found.package}, from {found.style}, built by {found.backend}", markup=False, soft_wrap=True
    )
    console.print(f"modelwright build, as it is: {found.unmodified or 'works'}", markup=False, soft_wrap=True)
    _show_wheel(found, console)
    for finding in found.findings:
        _show_finding(finding, console)
    _show_contents(found, console)
    _show_requirements(found, console)
    if found.removable:
        may = "may be deleted now" if found.written else "may be deleted after --write"
        console.print(f"{may}: {', '.join(found.removable)}", markup=False, soft_wrap=True)
    if found.written:
        console.print(f"written: {', '.join(change.path for change in found.changes)}", markup=False, soft_wrap=True)


def _show_wheel(found: Adoption, console: Console) -> None:
    if found.wheel is None or not found.wheel.name:
        return
    equal, differences = found.wheel.equal, found.wheel.differences
    line = f"metadata: {len(equal)} fields as in {found.wheel.name}"
    console.print(line + (f", {len(differences)} different" if differences else ""), markup=False, soft_wrap=True)
    for each in differences:
        text = f"  {each.field}: {', '.join(each.old) or '–'} → {', '.join(each.new) or '–'}"
        console.print(text + (f" ({each.why})" if each.why else ""), markup=False, soft_wrap=True)


def _show_finding(finding: Finding, console: Console) -> None:
    from rich.text import Text

    mark, style = _MARKS[finding.severity]
    place = f"{finding.file}: " if finding.file else ""
    console.print(Text.assemble((f"{mark} ", style), f"{place}{finding.what}"), soft_wrap=True)
    solved = " (the changes solve it too)" if finding.solved else ""
    for label, text in (("why", finding.why), ("fix", finding.fix + solved if finding.fix else "")):
        if text:
            console.print(f"    {label}: {text}", markup=False, soft_wrap=True, style="dim")


def _show_contents(found: Adoption, console: Console) -> None:
    for model in found.models:
        versions = "".join(f", {name} {version}" for name, version in model.versions.items())
        console.print(f"model: {model.path}, {model.kind}, {size(model.size)}{versions}", markup=False, soft_wrap=True)
    for training in found.training[:SHOWN_TRAINING]:
        saves = f", saves {', '.join(training.saves)}" if training.saves else ""
        console.print(f"training: {training.path}, line {training.line}{saves}", markup=False, soft_wrap=True)
    if len(found.training) > SHOWN_TRAINING:
        console.print(f"training: … and {len(found.training) - SHOWN_TRAINING} more files", markup=False)
    for command in found.commands:
        becomes = command.reference or f"stays behind: {command.reason}"
        console.print(f"script: {command.path} → {becomes}", markup=False, soft_wrap=True)


def _show_requirements(found: Adoption, console: Console) -> None:
    if not found.requirements:
        return
    needed = [each for each in found.requirements if each.verdict == "needed"]
    console.print(f"requirements: {len(needed)} of {len(found.requirements)} lines are needed", markup=False)
    width = max(len(each.text) for each in found.requirements)
    for each in (*needed, *(each for each in found.requirements if each.verdict != "needed")):
        mark = "+" if each.verdict == "needed" else "?" if each.verdict == "unknown" else "-"
        console.print(f"  {mark} {each.text:<{min(width, 40)}}  {each.why}", markup=False, soft_wrap=True)
