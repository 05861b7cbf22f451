"""``modelwright promote``: make a release what a stage runs, if its gates let it in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from modelwright.cli.addresses import SOMEWHERE, At
from modelwright.cli.exits import OK, REFUSED
from modelwright.cli.output import PLAIN, Output, console, flag
from modelwright.cli.showing import show_gates, show_promotion
from modelwright.errors import GateError, RequestError
from modelwright.registry.references import parse_reference

if TYPE_CHECKING:
    from rich.console import Console

    from modelwright.registry.gates import GateResult


def promote(
    reference: Annotated[str, Parameter(help="name, with the version beside it, name==1.3.0, or name@staging.")],
    version: Annotated[str, Parameter(help="The release.")] = "",
    /,
    *,
    to: Annotated[str, Parameter(help="Name of the stage.")],
    reason: Annotated[str, Parameter(help="Why; stands in the log for ever.")] = "",
    break_glass: Annotated[
        bool, flag("Override gates that do not pass. Needs a reason, and is recorded loudly.")
    ] = False,
    dry_run: Annotated[bool, flag("Show what the gates say; move nothing, log nothing.")] = False,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Make a release what a stage runs, if its gates let it in.

    The stage is a view of the index of its own: pip install --index-url
    REGISTRY/STAGE/simple/ is what it runs. Refused with 4 when a gate does not
    pass; every gate is listed.
    """
    registry = at.open(output)
    project, release = registry.find(whole(reference, version))
    name, version = project.name, release.version
    if dry_run:
        gates = registry.gates(name, version, to=to)
        output.result(gates, lambda found, shown: _rehearse(found, f"{name} {version}", to, shown))
        return OK if break_glass or all(gate.passed for gate in gates) else REFUSED
    if break_glass:
        _warn(f"{name} {version}", to)
    try:
        done = registry.promote(name, version, to=to, reason=reason, break_glass=break_glass)
    except GateError as error:
        if output.json:
            raise
        show_gates(registry.gates(name, version, to=to), console(sys.stderr))
        raise GateError(error.what, where=error.where, why=error.why) from error  # every gate stands in the table
    if done.broke_glass:
        output.note(f"THE GLASS IS BROKEN: {to} runs what its gates refuse, and the log says who did it.")
    output.result(done, show_promotion)
    output.next(
        f"modelwright show {name}@{to} --install{at.option()}",
        f"modelwright rollback {name} --stage {to} --reason WHY{at.option()}",
    )
    return OK


def whole(reference: str, version: str) -> str:
    """Return the reference that a name and a version beside it are.

    Raises:
        RequestError: It is none, or the version is named twice.

    Example:
        >>> whole("churn", "1.3.0"), whole("churn@staging", "")
        ('churn==1.3.0', 'churn@staging')
    """
    parsed = parse_reference(reference)
    if version and (parsed.version or parsed.stage):
        raise RequestError(
            f"Which release? {reference} says one, and {version} stands beside it.",
            hint=f"Write {parsed} or {parsed.name} {version}.",
        )
    return str(parse_reference(f"{parsed.name}=={version}") if version else parsed)


def _warn(what: str, to: str) -> None:
    """Be loud, whatever was said about being quiet."""
    bar = "!" * 72
    print(f"{bar}\n! BREAKING THE GLASS: {what} → {to}, whatever its gates say.\n{bar}", file=sys.stderr, flush=True)


def _rehearse(gates: tuple[GateResult, ...], what: str, to: str, shown: Console) -> None:
    failed = sum(not gate.passed for gate in gates)
    verdict = f"{failed} of {len(gates)} gates refuse it" if failed else "nothing stands in the way"
    shown.print(f"{what} → {to}: {verdict} (nothing was moved)", style="bold", markup=False)
    if gates:
        show_gates(gates, shown)
