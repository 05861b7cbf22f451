"""``modelwright history``: what was done with a model."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter, validators

from modelwright.cli.addresses import SOMEWHERE, At
from modelwright.cli.output import PLAIN, Output
from modelwright.cli.showing import show_entries
from modelwright.registry.references import parse_reference
from modelwright.registry.service import Selection


def history(
    reference: Annotated[str, Parameter(help="name, name==1.3.0 or name@production.")],
    /,
    *,
    limit: Annotated[int, Parameter(help="The last so many entries.", validator=validators.Number(gte=1))] = 100,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Tell what was done with a model: by whom, when and why.

    With a version, only what is about that release; with a stage, only what is
    about that stage. What was tried and refused is there, too.
    """
    parsed = parse_reference(reference)
    registry = at.open(output)
    selection = Selection(version=parsed.version, stage=parsed.stage, limit=limit, newest_first=True)
    entries = registry.history(parsed.name, selection=selection)
    if not entries:
        registry.project(parsed.name)  # says what is wrong if it is the name
    output.result(entries[::-1], show_entries)
    output.next(f"modelwright audit --verify{at.option()}")
    return 0
