"""``modelwright yank``: keep installers from choosing a release by themselves, or delete it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from modelwright.cli.addresses import SOMEWHERE, At
from modelwright.cli.output import PLAIN, Output, flag
from modelwright.cli.promote import whole
from modelwright.errors import RequestError

if TYPE_CHECKING:
    from rich.console import Console

    from modelwright.registry.projects import Project


def yank(
    reference: Annotated[str, Parameter(help="name, with the version beside it, or name==1.3.0.")],
    version: Annotated[str, Parameter(help="The release.")] = "",
    /,
    *,
    reason: Annotated[str, Parameter(help="Why; installers show it.")] = "",
    undo: Annotated[bool, flag("Take back the yank.")] = False,
    delete: Annotated[bool, flag("Delete its files for ever; their names never come back.")] = False,
    dry_run: Annotated[bool, flag("Show what would be done; do nothing.")] = False,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Keep installers from choosing a release by themselves.

    Exact pins go on working (PEP 592), and stages that run it go on running it.
    """
    if undo and delete:
        raise RequestError("Nothing that was deleted comes back.", hint="Give --undo or --delete.")
    wanted = whole(reference, version)
    if "==" not in wanted:
        raise RequestError("Which release? What is taken away is named exactly.", hint="modelwright yank NAME VERSION")
    registry = at.open(output)
    project, release = registry.find(wanted)
    verb = "unyank" if undo else "delete" if delete else "yank"
    what = f"{project.name} {release.version}"
    if dry_run:
        would = {"unyank": "no longer be yanked", "delete": "be deleted for ever", "yank": "be yanked"}[verb]
        output.result(release, lambda _, console: console.print(f"{what} would {would}", markup=False))
        return 0
    done = {"unyank": registry.unyank, "delete": registry.delete, "yank": registry.yank}[verb](
        project.name, release.version, reason=reason
    )
    says = {"unyank": "is no longer yanked", "delete": "was deleted for ever", "yank": "is yanked"}[verb]

    def show(found: Project, console: Console) -> None:
        console.print(f"{what} {says}", style="bold", markup=False)
        for name in found.deleted if delete else ():
            console.print(f"never again: {name}", markup=False, soft_wrap=True)

    output.result(done, show)
    undoing = [] if verb != "yank" else [f"modelwright yank {project.name} {release.version} --undo{at.option()}"]
    output.next(*undoing, f"modelwright history {project.name}{at.option()}")
    return 0
