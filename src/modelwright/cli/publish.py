"""``modelwright publish``: wheels into a registry."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from modelwright.cli.addresses import open_registry
from modelwright.cli.output import PLAIN, Output, flag, quoted, size
from modelwright.cli.showing import plain
from modelwright.errors import RequestError

if TYPE_CHECKING:
    from rich.console import Console

    from modelwright.registry.asking.sending import Published
    from modelwright.registry.registry import Registry
    from modelwright.registry.service import Publication

SHOWN_REASONS = 5


def publish(
    places: Annotated[
        list[str] | None, Parameter(negative="", help="Wheels, source archives, folders of them, patterns.")
    ] = None,
    /,
    *,
    to: Annotated[
        str | None,
        Parameter(
            name=("--to", "--registry"),
            help="Folder or URL; else $MODELWRIGHT_REGISTRY, pyproject.toml, the last login.",
        ),
    ] = None,
    evidence: Annotated[
        list[Path] | None, Parameter(negative="", help="A report of verify, or a JSON list of evaluations.")
    ] = None,
    sign: Annotated[Path | None, Parameter(help="Private key (Ed25519, PEM) to sign every wheel with.")] = None,
    dry_run: Annotated[bool, flag("Check as the registry does, but store nothing.")] = False,
    output: Output = PLAIN,
) -> int:
    """Publish wheels to a registry: a folder, or a server.

    A folder that is no registry yet becomes one. What the registry has already
    is not sent again. Every file is checked before it can be seen. With nothing
    but --evidence, reports are attached to the wheels they are about.
    """
    if not places and not evidence:
        raise RequestError("Nothing was named to be published.", hint="modelwright publish dist/*.whl")
    registry = open_registry(to, output)
    paths = [path for place in places or () for path in _expanded(place)]
    if dry_run:
        output.result(registry.rehearse(*paths, listener=output.listener), _show_rehearsal)
        return 0
    done = registry.publish(*paths, evidence=evidence or (), sign=sign, listener=output.listener)
    output.result(done, _show)
    _suggest(registry, done, to, output)
    return 0


def _expanded(place: str) -> list[str]:
    """Return what a pattern means where no shell has expanded it."""
    if Path(place).exists():
        return [place]
    return sorted(glob.glob(place)) or [place]  # noqa: PTH207 - an absolute pattern is one, too


def _show(done: Published, console: Console) -> None:
    for one in done.files:
        known = "" if one.new else "  (it was there already)"
        console.print(f"{one.project} {one.version}{known}", style="bold", markup=False)
        _show_file(one, console)
    for kept in done.evidence:
        console.print(f"evidence {kept.id}: {kept.kind} of sha256 {kept.sha256[:12]}…", markup=False)


def _show_rehearsal(files: tuple[Publication, ...], console: Console) -> None:
    for one in files:
        verb = "would be published" if one.new else "is there already"
        console.print(f"{one.project} {one.version} {verb}", style="bold", markup=False)
        _show_file(one, console)


def _show_file(one: Publication, console: Console) -> None:
    console.print(f"  {one.file.filename}, {size(one.file.size)}", markup=False, soft_wrap=True)
    console.print(f"  sha256 {one.file.sha256}", style="dim", soft_wrap=True)
    if one.verdict:
        console.print(f"  since the release before: {one.verdict}", markup=False)
    for reason in one.reasons[:SHOWN_REASONS]:
        console.print(f"    {plain(reason)}", markup=False, soft_wrap=True)
    if len(one.reasons) > SHOWN_REASONS:
        console.print(f"    … and {len(one.reasons) - SHOWN_REASONS} more")


def _suggest(registry: Registry, done: Published, to: str | None, output: Output) -> None:
    if not done.files:
        return
    at = f" --registry {quoted(to) if registry.folder else to}" if to else ""
    names = dict.fromkeys(one.project for one in done.files)
    model = next((name for name in names if registry.project(name).kind == "model"), "")
    last = next(one for one in reversed(done.files) if one.project == (model or done.files[-1].project))
    promotion = f"modelwright promote {last.project} {last.version} --to {registry.stages[0]}{at}"
    output.next(*([promotion] if model else []), f"modelwright show {last.project}=={last.version} --install{at}")
