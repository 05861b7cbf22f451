"""``modelwright bundle``: one archive that installs a release without a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from modelwright.cli.addresses import SOMEWHERE, At
from modelwright.cli.output import PLAIN, Output, flag, quoted, size

if TYPE_CHECKING:
    from rich.console import Console

    from modelwright.registry.bundling.writing import WrittenBundle


def bundle(
    reference: Annotated[str, Parameter(help="name, name==1.3.0 or name@production.")],
    /,
    *,
    to: Annotated[Path, Parameter(name=("--output", "-o"), help="The archive, or a folder for it.")] = Path(),
    python: Annotated[str, Parameter(help="Python it is for: 3.11; by default what it was captured on.")] = "",
    platform: Annotated[str, Parameter(help="Platform tag it is for; by default this machine's.")] = "",
    dry_run: Annotated[bool, flag("Show which release it would be; write nothing.")] = False,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Write one archive that installs a release without a network.

    In it are the wheel, every library of its lock, the index pages, what the
    registry knows of it, and a README with the commands that install it.
    """
    registry = at.open(output)
    if dry_run:
        project, release = registry.find(reference)
        what = f"{project.name} {release.version} would be bundled"
        output.result(release, lambda _, console: console.print(what, markup=False))
        return 0
    written = registry.bundle(reference, to, python=python, platform=platform, listener=output.listener)
    output.result(written, _show)
    output.next(f"unzip {quoted(written.path)}", f"modelwright import {quoted(written.path)} --registry REGISTRY")
    return 0


def _show(written: WrittenBundle, console: Console) -> None:
    found = written.bundle
    console.print(written.path, markup=False, soft_wrap=True)
    what = f"{found.name} {found.version} for Python {found.python} on {found.platform}"
    console.print(f"{what}: {len(found.files)} wheels, {size(written.size)}", markup=False, soft_wrap=True)
    console.print(f"sha256 {written.sha256}", style="dim", soft_wrap=True)
