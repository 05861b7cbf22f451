"""``modelwright approve``: say that a release may go into a stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from modelwright.cli.addresses import SOMEWHERE, At
from modelwright.cli.output import PLAIN, Output, flag
from modelwright.cli.promote import whole
from modelwright.cli.showing import show_gates

if TYPE_CHECKING:
    from rich.console import Console

    from modelwright.registry.evidence import Evidence


def approve(
    reference: Annotated[str, Parameter(help="name, with the version beside it, or name==1.3.0.")],
    version: Annotated[str, Parameter(help="The release.")] = "",
    /,
    *,
    stage: Annotated[str, Parameter(name=("--stage", "--to"), help="The stage that it may go into.")],
    reason: Annotated[str, Parameter(help="Why; stands in the log for ever.")],
    dry_run: Annotated[bool, flag("Show what the gates say now; approve nothing.")] = False,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Approve a release for a stage.

    It holds for exactly the wheels that the release has now. A gate counts
    owners who are not the publisher.
    """
    registry = at.open(output)
    project, release = registry.find(whole(reference, version))
    if dry_run:
        output.result(registry.gates(project.name, release.version, to=stage), show_gates)
        return 0
    done = registry.approve(project.name, release.version, stage=stage, reason=reason)

    def show(kept: tuple[Evidence, ...], console: Console) -> None:
        console.print(f"{project.name} {release.version} is approved for {stage}", style="bold", markup=False)
        for one in kept:
            console.print(f"evidence {one.id}, by {one.actor}, about sha256 {one.sha256}", soft_wrap=True, markup=False)

    output.result(done, show)
    output.next(f"modelwright promote {project.name} {release.version} --to {stage}{at.option()}")
    return 0
