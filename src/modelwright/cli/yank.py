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

    Exact pins go on working (PEP 592). It is seen in every view: a stage that
    runs it offers nothing to who names no version, until it is rolled back.
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
    output.next(*_after(project, release.version, verb, at), f"modelwright history {project.name}{at.option()}")
    return 0


def _after(project: Project, version: str, verb: str, at: At) -> list[str]:
    """Return what somebody may want to do after a yank: take it away where it still runs, or take the yank back."""
    if verb != "yank":
        return []
    running = [one.stage for one in project.placements if one.current and one.version == version]
    away = [f"modelwright rollback {project.name} --stage {stage} --reason WHY{at.option()}" for stage in running]
    return [*away, f"modelwright yank {project.name} {version} --undo{at.option()}"]
