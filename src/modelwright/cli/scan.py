"""``modelwright scan``: what loading would do, without doing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from modelwright.cli.addresses import SOMEWHERE, At
from modelwright.cli.exits import FAILED, OK
from modelwright.cli.output import PLAIN, Output, size
from modelwright.cli.references import resolve
from modelwright.inspecting.scan import ScanReport
from modelwright.inspecting.scan import scan as look

if TYPE_CHECKING:
    from rich.console import Console

MARKS = {"info": ("·", "dim"), "warning": ("!", "yellow"), "danger": ("✗", "red")}
SHOWN = 40
"""Findings, and constructed types of an artifact, that are shown; the rest is counted."""


def scan(
    reference: Annotated[str, Parameter(help="A wheel, a URL, a folder, a saved model, name, name@stage.")],
    /,
    *,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Say what loading a package would do, without doing it.

    It looks into artifacts by content and into the package's code. The exit
    code is 1 when something in it should not be loaded. No finding is no proof.
    """
    found = look(resolve(reference, at, output))
    output.result(found, _show)
    return FAILED if found.worst == "danger" else OK


def _show(found: ScanReport, console: Console) -> None:
    from rich.text import Text

    console.print(" ".join(filter(None, [found.name, found.version])) or found.where, style="bold", markup=False)
    for artifact in found.artifacts:
        runs = "can run any code when loaded" if artifact.executes_code else "names no code to run"
        line = f"{artifact.path}  {artifact.kind}, {size(artifact.size)}: {runs}; {len(artifact.constructs)} types"
        console.print(line, markup=False, soft_wrap=True)
    own = sum(code.own for code in found.code)
    if found.code:
        console.print(f"{len(found.code)} Python files, {own} of them are modelwright's own", markup=False)
    for finding in found.findings[:SHOWN]:
        mark, style = MARKS[finding.severity]
        console.print(Text.assemble((f"{mark} ", style), f"{finding.file}: {finding.what}"), soft_wrap=True)
    if len(found.findings) > SHOWN:
        console.print(f"… and {len(found.findings) - SHOWN} more")
    console.print(f"worst: {found.worst}", style="bold")
