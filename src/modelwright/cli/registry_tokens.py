"""``modelwright registry token``: make, list and revoke tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from modelwright.cli.addresses import SOMEWHERE, At
from modelwright.cli.output import PLAIN, Output, flag
from modelwright.cli.showing import plain, when
from modelwright.registry.people import Scope, Token
from modelwright.registry.service import NewToken

if TYPE_CHECKING:
    from rich.console import Console

token = App(name="token", help="Make, list and revoke tokens.")


@token.command
def add(
    user: Annotated[str, Parameter(help="Whose it is; the actor in the log.")],
    /,
    *,
    scope: Annotated[list[Scope] | None, Parameter(negative="", help="What for; read without one.")] = None,
    project: Annotated[list[str] | None, Parameter(negative="", help="Only for this project.")] = None,
    days: Annotated[float | None, Parameter(help="How long it holds; for ever without.")] = None,
    note: Annotated[str, Parameter(help="What it is for, in words.")] = "",
    dry_run: Annotated[bool, flag("Show what would be made; make nothing.")] = False,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Make a token. Its secret is printed this once, and kept nowhere."""
    scopes: tuple[Scope, ...] = tuple(scope or ("read",))
    registry = at.open(output)
    if dry_run:
        output.note(f"A token for {user} would be made: {', '.join(scopes)}.")
        return 0
    made = registry.add_token(user, scopes=scopes, projects=project or (), days=days, note=note)

    def show(new: NewToken, console: Console) -> None:
        console.print(new.secret, markup=False, soft_wrap=True)

    output.note(f"{_described(made.token)}. Its secret is shown this once:")
    output.result(made, show)
    if registry.url:
        output.next(f"modelwright login {registry.url}")
    return 0


@token.command(name="list")
def listing(*, at: At = SOMEWHERE, output: Output = PLAIN) -> int:
    """List every token, without secrets."""
    output.result(at.open(output).tokens(), _show)
    return 0


@token.command
def revoke(
    identity: Annotated[str, Parameter(help="Its public part, as token list shows it.")],
    /,
    *,
    dry_run: Annotated[bool, flag("Show which it is; revoke nothing.")] = False,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Revoke a token at once."""
    registry = at.open(output)
    if dry_run:
        output.result(tuple(one for one in registry.tokens() if one.id == identity), _show)
        return 0
    gone = registry.revoke_token(identity)
    output.result(gone, lambda one, console: console.print(f"{_described(one)}: revoked", markup=False, soft_wrap=True))
    return 0


def _show(tokens: tuple[Token, ...], console: Console) -> None:
    for one in tokens:
        state = "  REVOKED" if one.revoked else ""
        note = f"  ({plain(one.note)})" if one.note else ""
        console.print(f"{_described(one)}, made {when(one.created)}{state}{note}", markup=False, soft_wrap=True)
    if not tokens:
        console.print("there are no tokens")


def _described(one: Token) -> str:
    limits = f" for {', '.join(one.projects)}" if one.projects else ""
    until = f" until {when(one.expires)}" if one.expires else ""
    return f"{one.id}  {plain(one.user)}: {', '.join(one.scopes)}{limits}{until}"
