"""``modelwright registry``: run a registry's server, or look after one.

An application of its own: without a command it serves. Tokens stand in :mod:`modelwright.cli.registry_tokens`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

from cyclopts import App, Parameter, validators

from modelwright.cli.addresses import SOMEWHERE, At
from modelwright.cli.audit import SHOWN_PROBLEMS
from modelwright.cli.exits import FAILED, OK
from modelwright.cli.output import PLAIN, Output, flag, quoted, size
from modelwright.cli.registry_tokens import token
from modelwright.errors import RequestError
from modelwright.plugins import need
from modelwright.registry.projects import Status
from modelwright.runtime.suggestions import nearest
from modelwright.spec.struct import Frozen

if TYPE_CHECKING:
    from rich.console import Console

    from modelwright.registry.operating.checking import CheckReport
    from modelwright.registry.projects import Project

FOLDER = Path("registry")
SERVER = ("sqlalchemy", "alembic", "obstore", "cryptography", "starlette", "uvicorn", "jinja2", "multipart")
"""Libraries that the server needs."""
PORTS = validators.Number(gte=0, lte=65535)
"""Source: RFC 9293 section 3.1, 16 bits."""
SERVING = ("serve", "server", "start", "run")
"""What people type who expect a command that serves."""

registry = App(name="registry", help="Run a registry's server, or look after one.", help_format="plaintext")
registry.command(token)


class Made(Frozen, frozen=True, kw_only=True):
    """A registry that was made.

    Attributes:
        folder: Where it is.
        stages: Its stages, first to last.
    """

    folder: str
    stages: tuple[str, ...]


@registry.default
def serve(
    folder: Annotated[Path, Parameter(help="The registry's folder.")] = FOLDER,
    /,
    *,
    host: Annotated[str, Parameter(help="Address to listen on; only this machine by default.")] = "127.0.0.1",
    port: Annotated[int, Parameter(help="Port; 0: any that is free.", validator=PORTS)] = 8080,
    trusted_proxy: Annotated[
        list[str] | None, Parameter(negative="", help="Address of a reverse proxy that is believed who asks.")
    ] = None,
    output: Output = PLAIN,
) -> int:
    """Run a registry's server: an index for installers, an upload API, pages for people.

    A folder that is no registry yet becomes one. Stages, gates, storage and
    people are set in its registry.toml.
    """
    _check_no_command(folder)
    need("registry", *SERVER)
    from modelwright.registry.app.serving import serve as run
    from modelwright.registry.registry import Registry

    opened = Registry(folder)
    opened.create()

    def started(url: str) -> None:
        address = url.rstrip("/")
        print(address, flush=True)
        output.note(f"The registry in {folder} is served; Ctrl-C ends it.")
        output.next(
            f"modelwright registry token add USER --scope publish --registry {quoted(folder)}",
            f"modelwright login {address}",
        )

    log = None if output.quiet else sys.stderr
    run(opened.local(), host=host, port=port, trusted_proxies=tuple(trusted_proxy or ()), started=started, log=log)
    return OK


def _check_no_command(folder: Path) -> None:
    """Refuse to make a registry of a command that was not spelled right.

    Raises:
        RequestError: There is no such folder, and its name is nearly one of a command.
    """
    said = str(folder)
    meant = nearest(said, (*(name for name in registry if not name.startswith("-")), *SERVING))
    if folder.exists() or folder == FOLDER or not meant:
        return
    hint = "modelwright registry FOLDER" if meant in SERVING else f"modelwright registry {meant}"
    raise RequestError(
        f"There is no folder {said!r}.", why="A folder is served, and the name is nearly that of a command.", hint=hint
    )


@registry.command
def init(
    folder: Annotated[Path, Parameter(help="Folder that becomes a registry.")] = FOLDER,
    /,
    *,
    output: Output = PLAIN,
) -> int:
    """Make a folder a registry; one that is a registry already stays as it is."""
    from modelwright.registry.registry import Registry

    made = Registry(folder)
    stages = made.create().stages
    output.result(
        Made(folder=str(folder), stages=stages),
        lambda _, console: console.print(f"{folder}: stages {', '.join(stages)}", markup=False, soft_wrap=True),
    )
    served = "" if folder == FOLDER else f" {quoted(folder)}"
    output.next(f"modelwright publish dist/*.whl --to {quoted(folder)}", f"modelwright registry{served}")
    return OK


@registry.command
def check(
    folder: Annotated[Path | None, Parameter(help="The registry's folder; else the one that --registry means.")] = None,
    /,
    *,
    repair: Annotated[bool, flag("Also write the static index anew, and remove stored files of no release.")] = False,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Hash every stored file again, check the log and the static index.

    The exit code is 1 when something is not what was published.
    """
    at = At(registry=str(folder)) if folder is not None else at
    opened = at.open(output)
    act = opened.repair if repair else opened.check
    found = act(listener=output.listener)
    output.result(found, _show_check)
    if (found.orphans or found.problems) and not found.repaired:
        output.next(f"modelwright registry check --repair{at.option()}")
    return OK if found.sound else FAILED


@registry.command
def deliver(*, at: At = SOMEWHERE, output: Output = PLAIN) -> int:
    """Tell webhooks what is due, once; the server does it by itself.

    The exit code is 1 when one could not be told; it is tried again later.
    """
    opened = at.open(output).local()
    from modelwright.registry.events.webhooks import Deliverer, DeliveryReport

    def show(found: DeliveryReport, console: Console) -> None:
        console.print(
            f"{found.delivered} delivered, {found.failed} failed, {found.given_up} given up, {found.waiting} waiting"
        )

    done = Deliverer(opened.desk.state, settings=opened.settings, root=opened.desk.root).deliver()
    output.result(done, show)
    return FAILED if done.failed or done.given_up else OK


def _show_check(found: CheckReport, console: Console) -> None:
    for problem in (*found.problems, *found.audit.problems[:SHOWN_PROBLEMS]):
        console.print(f"✗ {problem}", style="red", soft_wrap=True, markup=False)
    for orphan in found.orphans:
        state = "was removed" if found.repaired else "is left over, harmless"
        console.print(f"· {orphan} belongs to no release and {state}", soft_wrap=True, markup=False)
    verdict = "everything is what was published" if found.sound else "SOMETHING WAS ALTERED OR LOST"
    figures = f"{found.files} files, {size(found.bytes)}, {found.audit.entries} entries of the log"
    console.print(f"{verdict}: {figures}", style="bold", soft_wrap=True)


@registry.command
def owner(
    name: Annotated[str, Parameter(help="Name of the project.")],
    owners: Annotated[list[str] | None, Parameter(negative="", help="Who owns it from now on; none: show.")] = None,
    /,
    *,
    dry_run: Annotated[bool, flag("Show who would own it; change nothing.")] = False,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Show or set who owns a project: may publish it, and approve what others publish."""
    opened = at.open(output)
    project = opened.project(name)
    if owners and not dry_run:
        project = opened.set_owners(name, owners)

    def show(found: Project, console: Console) -> None:
        line = f"{found.name} is owned by {', '.join(found.owners) or 'nobody'}"
        line += f", and would be by {', '.join(owners)}" if owners and dry_run else ""
        console.print(line, markup=False, soft_wrap=True)

    output.result(project, show)
    return OK


@registry.command
def status(
    name: Annotated[str, Parameter(help="Name of the project.")],
    new: Annotated[str, Parameter(help="active, archived, deprecated or quarantined; none: show.")] = "",
    /,
    *,
    reason: Annotated[str, Parameter(help="Why; installers may show it.")] = "",
    dry_run: Annotated[bool, flag("Show what would change; change nothing.")] = False,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Show or set the status of a project (PEP 792).

    An archived project takes no files, a quarantined one offers none at all, a
    deprecated one is a warning.
    """
    wanted: Status | None = next((one for one in get_args(Status) if one == new), None)
    if new and wanted is None:
        raise RequestError(f"{new!r} is no status.", why=f"PEP 792: {', '.join(get_args(Status))}.")
    opened = at.open(output)
    project = opened.project(name)
    if wanted is not None and not dry_run:
        project = opened.set_status(name, wanted, reason=reason)

    def show(found: Project, console: Console) -> None:
        why = f": {found.status_reason}" if found.status_reason else ""
        would = f", and would be {new}" if new and dry_run else ""
        console.print(f"{found.name} is {found.status}{why}{would}", markup=False, soft_wrap=True)

    output.result(project, show)
    return OK
