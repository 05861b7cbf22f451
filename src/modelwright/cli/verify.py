"""``modelwright verify``: prove a package in a clean environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from modelwright.building.build import weights_beside
from modelwright.cli.addresses import SOMEWHERE, At
from modelwright.cli.exits import FAILED, OK
from modelwright.cli.output import PLAIN, Output, flag, quoted, size
from modelwright.cli.references import resolve
from modelwright.inspecting.installers import InstallerName
from modelwright.inspecting.verify import VerifyReport
from modelwright.inspecting.verify import verify as prove

if TYPE_CHECKING:
    from rich.console import Console


def verify(
    reference: Annotated[str, Parameter(help="A wheel, its URL, a model folder, name==1.3.0, name@stage.")],
    /,
    *,
    python: Annotated[str | None, Parameter(help="Python to prove it on: 3.12, or the path of one.")] = None,
    offline: Annotated[bool, flag("Use only what the installer has in its cache.")] = False,
    installer: Annotated[InstallerName, Parameter(help="What makes the environment.")] = "auto",
    trust: Annotated[list[str] | None, Parameter(negative="", help="A type that you vouch for.")] = None,
    report: Annotated[Path | None, Parameter(help="File for the report, JSON, bound to the wheel's sha256.")] = None,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Prove a package in a clean environment, from its own lock, with its own scenarios.

    With --python, a package that passes on another interpreter is extended to
    it: a folder's next wheel names both, and a wheel gets a sister with the
    wider tag beside it.
    """
    found = prove(
        resolve(reference, at, output),
        python=python,
        offline=offline,
        installer=installer,
        trust=trust or (),
        listener=output.listener,
    )
    if report is not None:
        found.save(report)
    output.result(found, _show)
    if not found.passed:
        return FAILED
    output.next(*_suggestions(reference, found))
    return OK


def _suggestions(reference: str, found: VerifyReport) -> list[str]:
    wheel = found.extended.path if found.extended else reference
    if Path(wheel).suffix == ".whl":
        split = Path(wheel).is_file() and weights_beside(Path(wheel))
        return [f"pip install {f'--find-links {quoted(split.parent)} ' if split else ''}{quoted(wheel)}"]
    if not Path(reference).exists():
        return [f"modelwright inspect {reference}"]
    return [f"modelwright build {quoted(reference)}"]


def _show(found: VerifyReport, console: Console) -> None:
    for result in found.scenarios:
        if not result.passed:
            console.print(f"✗ {result.name}", style="red", markup=False)
            for problem in (*result.problems, *filter(None, [result.error])):
                console.print(f"    {problem}", soft_wrap=True, markup=False)
    for problem in found.problems:
        console.print(f"✗ {problem}", style="red", soft_wrap=True, markup=False)
    holding = sum(result.passed for result in found.scenarios)
    verdict = "verified" if found.passed else "NOT verified"
    console.print(
        f"{found.name} {found.version} {verdict} on Python {found.python}: "
        f"{holding} of {len(found.scenarios)} scenarios hold",
        style="bold",
        markup=False,
    )
    for line in _figures(found):
        console.print(f"  {line}", soft_wrap=True, markup=False)


def _figures(found: VerifyReport) -> list[str]:
    lines = [f"wheel {found.wheel}, sha256 {found.sha256}"]
    figures = [f"load {found.load_seconds:.2f} s"] if found.load_seconds is not None else []
    for rows, seconds in found.predict_seconds.items():
        figures.append(f"predict {rows} {'row' if rows == '1' else 'rows'} {seconds * 1000:.2f} ms")
    if found.peak_rss_bytes:
        figures.append(f"peak memory {size(found.peak_rss_bytes)}")
    if figures:
        lines.append(", ".join(figures))
    if found.extended:
        lines.append(f"now for {', '.join(found.extended.interpreters)}: {found.extended.path}")
    return lines
