"""``modelwright rollout``: try a version on a share of the requests, and withdraw it when it does worse.

An application of its own: without a command it begins a rollout. It acts on running servers, which it finds by what
they serve, or by their address; what the words mean stands in :mod:`.rollout_options`.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import App, Parameter

from modelwright.cli.addresses import find_token
from modelwright.cli.exits import FAILED, OK
from modelwright.cli.output import PLAIN, Output, console, flag
from modelwright.cli.rollout_options import Target, request_of, target
from modelwright.cli.rollout_showing import BAD, happened, line, show
from modelwright.errors import ModelwrightError, RequestError, RolloutError, UnknownModelError
from modelwright.registry.references import parse_reference
from modelwright.serving.client.servers import Running, find, servers_folder, user_name
from modelwright.serving.rollout.states import ENDED

if TYPE_CHECKING:
    from rich.console import Console

    from modelwright.serving.client.admin import Admin
    from modelwright.serving.rollout.plans import RolloutRequest
    from modelwright.serving.rollout.rollouts import Command
    from modelwright.serving.rollout.status import Status

POLL_S = 1.0
"""How often a rollout that is followed is looked at, seconds."""
NEWER_S = 0.05
"""What happened later than what was shown last; the server's clock is told a little differently each time, seconds."""
On = Annotated[str, Parameter(help="Which servers: a stage, a model, or the address of one.")]
Reason = Annotated[str, Parameter(help="Why; stands in the log for ever.")]
Model = Annotated[str, Parameter(help="Name of the model.")]
Watch = Annotated[bool, flag("Follow it until it ends; 1 if it ends badly.")]

rollout = App(
    name="rollout",
    help="Try a version on a share of the requests; withdraw it when it does worse.",
    help_format="plaintext",
)


@rollout.default
def begin(
    reference: Annotated[str, Parameter(help="The version: name==1.3.0, name@staging, a wheel, a folder.")],
    /,
    *,
    on: On = "",
    canary: Annotated[str, Parameter(help="Percentage it begins with; it grows while it is no worse.")] = "",
    ab: Annotated[str, Parameter(help="Percentage that it gets and keeps.")] = "",
    shadow: Annotated[bool, flag("Ask it as well; nobody sees its answers.")] = False,
    mirror: Annotated[str, Parameter(help="Percentage of the requests that a shadow is asked, too.")] = "100",
    steps: Annotated[str, Parameter(help="Percentages of a canary: 10,25,50,100.")] = "",
    interval: Annotated[float | None, Parameter(help="Seconds from check to check.")] = None,
    max_share: Annotated[str, Parameter(help="Percentage that it does not grow beyond.")] = "",
    guard: Annotated[
        list[str] | None,
        Parameter(negative="", help="NAME:MAX-WORSE, a metric that must not get worse: conversion:2%."),
    ] = None,
    reason: Reason = "",
    watch: Watch = False,
    dry_run: Annotated[bool, flag("Show what would be asked of which server; ask nothing.")] = False,
    output: Output = PLAIN,
) -> int:
    """Begin a rollout: exactly one of --canary, --ab and --shadow.

    Every server that is meant gets it. A canary that does worse than what runs
    is withdrawn by itself; promote its release to end it well.
    """
    meant = target(reference, folder=Path.cwd())
    request = request_of(
        meant.reference,
        on=on,
        canary=canary,
        ab=ab,
        shadow=mirror if shadow else "",
        steps=steps,
        interval=interval,
        max_share=max_share,
        guards=guard or (),
        reason=reason,
    )
    servers = _servers(meant.model, on)
    if dry_run:
        _rehearse(servers, meant, request, output)
        return OK
    with _admins(servers) as admins:
        statuses = _begun(admins, meant.model, request)
        if watch:
            return _followed(admins, meant.model, output)
    output.result(statuses, show)
    where = f" --on {on}" if on else ""
    output.next(
        f"modelwright rollout status {meant.model}{where} --watch",
        f"modelwright rollout abort {meant.model}{where} --reason WHY",
    )
    return OK


@rollout.command
def status(
    model: Model,
    /,
    *,
    on: On = "",
    watch: Watch = False,
    report: Annotated[bool, flag("Show the numbers behind it, as JSON.")] = False,
    output: Output = PLAIN,
) -> int:
    """Show where a rollout stands."""
    name = _model(model)
    with _admins(_servers(name, on)) as admins:
        if report:
            output.result({one.where: one.report(name) for one in admins}, _show_report)
            return OK
        if watch:
            return _followed(admins, name, output)
        output.result({one.where: one.rollout(name) for one in admins}, show)
    return OK


@rollout.command
def advance(model: Model, /, *, on: On = "", reason: Reason = "", output: Output = PLAIN) -> int:
    """Give the new version its next share now."""
    return _moved(model, "advance", on=on, reason=reason, output=output)


@rollout.command
def pause(model: Model, /, *, on: On = "", reason: Reason = "", output: Output = PLAIN) -> int:
    """Let the new version keep its share; it is still withdrawn if it does worse."""
    return _moved(model, "pause", on=on, reason=reason, output=output)


@rollout.command
def resume(model: Model, /, *, on: On = "", reason: Reason = "", output: Output = PLAIN) -> int:
    """Let a paused canary grow again."""
    return _moved(model, "resume", on=on, reason=reason, output=output)


@rollout.command
def abort(model: Model, /, *, on: On = "", reason: Reason = "", output: Output = PLAIN) -> int:
    """Take all requests from the new version, at once."""
    return _moved(model, "abort", on=on, reason=reason, output=output)


def _moved(model: str, verb: Command, *, on: str, reason: str, output: Output) -> int:
    name, actor = _model(model), user_name()
    with _admins(_servers(name, on)) as admins:
        output.result({one.where: one.move(name, verb, actor=actor, reason=reason) for one in admins}, show)
    return OK


def _model(text: str) -> str:
    return parse_reference(text).name


def _servers(model: str, on: str) -> tuple[Running, ...]:
    """Return the servers that are meant: those of a stage are one; otherwise there must not be several.

    Raises:
        UnreachableError: There is none.
        UnknownModelError: What is meant does not serve the model.
        RequestError: Several serve it, and nothing says which.
    """
    found = find(on or model, folder=servers_folder(os.environ, Path.home()), model=model)
    serving = tuple(server for server in found if not server.models or server.serves(model))
    if not serving:
        names = ", ".join(sorted({one.name for server in found for one in server.models}))
        raise UnknownModelError(f"{on} does not serve {model}.", why=f"It serves {names}.", hint=f"--on {model}")
    if len(serving) > 1 and not on:
        listed = ", ".join(server.url for server in serving)
        raise RequestError(
            f"{len(serving)} servers serve {model}.",
            why=f"They are {listed}.",
            hint=f"Name one by its address, --on {serving[0].url}, or all of a stage, --on production.",
        )
    return serving


@contextmanager
def _admins(servers: tuple[Running, ...]) -> Iterator[list[Admin]]:
    from modelwright.serving.client.admin import Admin

    admins: list[Admin] = []
    try:
        for server in servers:
            token = "" if server.socket else find_token(server.admin_url, os.environ, home=Path.home())
            admins.append(Admin(server, token=token))
        yield admins
    finally:
        for one in admins:
            one.close()


def _begun(admins: list[Admin], model: str, request: RolloutRequest) -> dict[str, Status]:
    """Begin on every server; if one refuses, those before it are named, because they have begun."""
    statuses: dict[str, Status] = {}
    for one in admins:
        try:
            statuses[one.where] = one.begin(model, request)
        except ModelwrightError as error:
            if not statuses:
                raise
            raise RolloutError(
                error.what,
                where=one.where,
                problems=error.problems,
                why=f"{error.why} It has begun on {', '.join(statuses)}.".strip(),
                hint=f"There, end it: modelwright rollout abort {model} --on {next(iter(statuses))}",
            ) from error
    return statuses


def _rehearse(servers: tuple[Running, ...], meant: Target, request: RolloutRequest, output: Output) -> None:
    def say(asked: dict[str, RolloutRequest], screen: Console) -> None:
        for url in asked:
            screen.print(f"{url}: POST /models/{meant.model}/rollout (nothing was asked)", markup=False)
        screen.print_json(msgspec.json.encode(request).decode())

    output.result({server.url: request for server in servers}, say)


def _show_report(reports: dict[str, dict[str, Any]], screen: Console) -> None:
    for url, one in reports.items():
        screen.print(url, style="bold", markup=False)
        screen.print_json(msgspec.json.encode(one).decode())


def _followed(admins: list[Admin], model: str, output: Output) -> int:
    """Follow rollouts until all have ended; each thing that happens is a line, where they stand is drawn over."""
    screen, seen = console(sys.stderr), dict.fromkeys([one.where for one in admins], -math.inf)
    statuses: dict[str, Status] = {}
    with screen.status("") as spinner:
        while True:
            for one in admins:
                statuses[one.where] = one.rollout(model)
                happenings = statuses[one.where].history
                newer = [transition for transition in happenings if transition.time_s > seen[one.where] + NEWER_S]
                for transition in newer:
                    output.note(happened(transition))
                    seen[one.where] = transition.time_s
            spinner.update("  ".join(line(status).replace("[", r"\[") for status in statuses.values()))
            if all(status.phase in ENDED for status in statuses.values()):
                break
            time.sleep(POLL_S)
    output.result(statuses, show)
    return FAILED if any(status.phase in BAD for status in statuses.values()) else OK
