"""``modelwright explain``: what an error code means, from the docstring of its class."""

from __future__ import annotations

import difflib
import inspect
import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from modelwright.cli.exits import NOT_FOUND, exit_code
from modelwright.cli.output import PLAIN, Output
from modelwright.errors import ModelwrightError
from modelwright.spec.struct import Frozen

if TYPE_CHECKING:
    from rich.console import Console


class Explanation(Frozen, frozen=True, kw_only=True):
    """What an error means.

    Attributes:
        code: The code (``MW201``).
        name: Name of the exception class.
        parents: Names of the classes above it, the nearest first.
        meaning: What it means and what to do.
        exit_code: Exit code of a command that ends with it.
    """

    code: str
    name: str
    parents: tuple[str, ...]
    meaning: str
    exit_code: int


OURS = (
    "modelwright.errors",
    "modelwright.project_errors",
    "modelwright.registry_errors",
    "modelwright.serving_errors",
    "modelwright.exchange_errors",
    "modelwright.runtime.errors",
)
"""Modules that errors are explained from; what others derive is theirs to explain."""


def explanations() -> tuple[Explanation, ...]:
    """Return the explanation of every error, by code.

    Example:
        >>> explanations()[0].code
        'MW000'
    """
    return tuple(
        sorted(map(_explanation, _family(ModelwrightError)), key=lambda found: int(found.code.removeprefix("MW")))
    )


def _family(kind: type[ModelwrightError]) -> list[type[ModelwrightError]]:
    members = [kind]
    for child in kind.__subclasses__():
        if child.__module__ in OURS:
            members += _family(child)
    return members


def _explanation(kind: type[ModelwrightError]) -> Explanation:
    above = kind.__mro__[1 : kind.__mro__.index(ModelwrightError) + 1]
    meaning = inspect.getdoc(kind) or ""
    return Explanation(
        code=kind.code,
        name=kind.__name__,
        parents=tuple(parent.__name__ for parent in above),
        meaning=meaning.partition("\n\nArgs:")[0],
        exit_code=exit_code(kind("")),
    )


def explain(
    code: Annotated[str | None, Parameter(help="An error code, for example MW201; all of them without it.")] = None,
    /,
    *,
    output: Output = PLAIN,
) -> int:
    """Explain an error code, or list them all."""
    known = explanations()
    if code is None:
        output.result(known, _list)
        return 0
    found = [one for one in known if code.upper() in (one.code, one.name.upper())]
    if not found:
        close = difflib.get_close_matches(code.upper(), [one.code for one in known], n=1)
        fix = f"modelwright explain {close[0]}" if close else "modelwright explain"
        print(f"There is no error {code!r}.\n  fix: {fix}", file=sys.stderr)
        return NOT_FOUND
    output.result(found[0], _show)
    return 0


def _list(known: tuple[Explanation, ...], console: Console) -> None:
    for one in known:
        console.print(f"{one.code}  {one.name:<22} {one.meaning.splitlines()[0]}", soft_wrap=True, markup=False)


def _show(one: Explanation, console: Console) -> None:
    console.print(f"{one.code} {one.name}", style="bold", markup=False)
    console.print(f"\n{one.meaning}\n", markup=False)
    console.print(f"Kind of: {', '.join(one.parents) or 'Exception'}. Exit code: {one.exit_code}.", markup=False)
