"""``modelwright list``: what a registry holds, and what each stage runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from modelwright.cli.addresses import SOMEWHERE, At
from modelwright.cli.output import PLAIN, Output
from modelwright.cli.showing import plain, when

if TYPE_CHECKING:
    from rich.console import Console

    from modelwright.registry.projects import ProjectSummary


def listing(
    *,
    search: Annotated[str, Parameter(help="Only what has this in its name or summary.")] = "",
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """List what a registry holds, and what each stage runs."""
    registry = at.open(output)
    found = registry.list(search)
    stages = registry.stages

    def show(projects: tuple[ProjectSummary, ...], console: Console) -> None:
        _show([one for one in projects if one.kind == "model"], stages, console)
        others = [one for one in projects if one.kind != "model"]
        if others:
            _show(others, (), console)
        if not projects:
            console.print(f"nothing has {search!r} in its name or summary" if search else "nothing yet", markup=False)

    output.result(found, show)
    if found:
        output.next(
            f"modelwright show {found[0].name}{at.option()}", f"modelwright history {found[0].name}{at.option()}"
        )
    else:
        output.next(f"modelwright publish dist/*.whl --to {registry.url or registry.folder}")
    return 0


def _show(projects: list[ProjectSummary], stages: tuple[str, ...], console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    if not projects:
        return
    kind = "model" if stages else "library or weights"
    table = Table(kind, "latest", *stages, "owners", "last change", "about", box=None)
    for one in projects:
        name = one.name if one.status == "active" else f"{one.name} ({one.status})"
        runs = [Text(one.stages.get(stage, "–")) for stage in stages]
        owners = Text(plain(", ".join(one.owners)))
        table.add_row(Text(name, "bold"), one.latest or "–", *runs, owners, when(one.changed), Text(plain(one.summary)))
    console.print(table)
