"""``modelwright rollback``: return a stage to what it ran before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from modelwright.cli.addresses import SOMEWHERE, At
from modelwright.cli.output import PLAIN, Output, flag
from modelwright.cli.showing import show_promotion
from modelwright.errors import RequestError
from modelwright.registry.references import check_stage, nothing_to_return_to, parse_reference

if TYPE_CHECKING:
    from modelwright.registry.projects import Placement, Project


def rollback(
    reference: Annotated[str, Parameter(help="name, or name@production.")],
    /,
    *,
    stage: Annotated[str, Parameter(help="Name of the stage; name@STAGE says it, too.")] = "",
    reason: Annotated[str, Parameter(help="Why; stands in the log for ever.")],
    dry_run: Annotated[bool, flag("Show what it would return to; move nothing, log nothing.")] = False,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Return a stage to what it ran before.

    No gate is asked. It takes effect at once, in every view; whoever pinned the
    version that is taken away can still install it.
    """
    parsed = parse_reference(reference)
    if stage and parsed.stage not in ("", stage):
        raise RequestError(
            f"Which stage? Two are named: {parsed.stage} and {stage}.",
            hint=f"Write {parsed.name}, or leave --stage out.",
        )
    stage = stage or parsed.stage
    if not stage or parsed.version:
        raise RequestError(
            "A rollback is of a stage.", hint=f"modelwright rollback {parsed.name} --stage production --reason WHY"
        )
    registry = at.open(output)
    if dry_run:
        check_stage(stage, registry.stages)
        output.result(
            target_of(registry.project(parsed.name), stage),
            lambda found, console: console.print(
                f"{stage} would return to {found.project} {found.version} (nothing was moved)", markup=False
            ),
        )
        return 0
    done = registry.rollback(parsed.name, stage=stage, reason=reason)
    output.result(done, show_promotion)
    output.next(
        f"modelwright show {done.placement.project}@{stage} --install{at.option()}",
        f"modelwright history {done.placement.project}{at.option()}",
    )
    return 0


def target_of(project: Project, stage: str) -> Placement:
    """Return what a rollback would return to.

    Raises:
        UnknownReleaseError: There is nothing to go back to.
    """
    former = project.former(stage)
    if former is None:
        raise nothing_to_return_to(project, stage)
    return former
