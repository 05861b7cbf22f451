"""``modelwright import``: take a bundle into a registry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from modelwright.cli.addresses import SOMEWHERE, At
from modelwright.cli.output import PLAIN, Output, flag
from modelwright.cli.showing import plain

if TYPE_CHECKING:
    from rich.console import Console

    from modelwright.registry.bundling.bundle import Bundle
    from modelwright.registry.bundling.importing import Imported

WORDS = {"published": "published", "there": "was there already", "skipped": "left out: libraries come from elsewhere"}


def importing(
    file: Annotated[Path, Parameter(help="A bundle, as modelwright bundle writes it.")],
    /,
    *,
    with_libraries: Annotated[
        bool, flag("Publish the model's libraries, too: for a registry that has no upstream index.")
    ] = False,
    dry_run: Annotated[bool, flag("Check every byte and show what is in it; publish nothing.")] = False,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Take a bundle into a registry.

    Every byte is checked before anything is stored; a second time changes nothing.
    """
    if dry_run:
        from modelwright.registry.bundling.reading import read_bundle

        with read_bundle(file) as opened:
            output.result(opened.bundle, _show_bundle)
        return 0
    registry = at.open(output)
    done = registry.take_in(file, libraries="publish" if with_libraries else "skip", listener=output.listener)
    output.result(done, _show)
    output.next(f"modelwright show {done.name}=={done.version}{at.option()}")
    return 0


def _show(done: Imported, console: Console) -> None:
    console.print(f"{done.name} {done.version}", style="bold", markup=False)
    for one in done.files:
        console.print(f"  {one.role:<8} {plain(one.filename)}: {WORDS[one.outcome]}", markup=False, soft_wrap=True)


def _show_bundle(found: Bundle, console: Console) -> None:
    for_what = f"for Python {found.python} on {found.platform}"
    console.print(f"{plain(found.name)} {plain(found.version)} {plain(for_what)}", style="bold", markup=False)
    for one in found.files:
        console.print(f"  {one.role:<8} {plain(one.filename)}", markup=False, soft_wrap=True)
