"""``modelwright lock``: lock a project, or export the lock of a package, for pip, uv and conda."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from modelwright.cli.exits import FAILED, OK
from modelwright.cli.output import PLAIN, Output, flag, quoted
from modelwright.project.locking.asking import CONDA, PYLOCK, Format, Wanted
from modelwright.project.locking.lock import Locked, prepare
from modelwright.project.locking.writing import write

if TYPE_CHECKING:
    from rich.console import Console

_INSTALL = {
    PYLOCK: "uv pip sync {}",
    "requirements.txt": "pip install --require-hashes -r {}",
    CONDA: "conda env create -f {}",
}


def lock(
    target: Annotated[
        str, Parameter(help="A project to lock, or a package whose lock to export: model folder, wheel, name, URL.")
    ] = ".",
    /,
    *,
    format: Annotated[  # noqa: A002 (the word of the option)
        tuple[Format, ...], Parameter(negative="", help="Which files; may be given more than once.")
    ] = ("pylock",),
    into: Annotated[Path | None, Parameter(help="Folder for them; by default the project's.")] = None,
    python: Annotated[str, Parameter(help="Oldest Python to lock for, for example 3.12.")] = "",
    extra: Annotated[tuple[str, ...], Parameter(negative="", help="Lock this extra as well.")] = (),
    group: Annotated[tuple[str, ...], Parameter(negative="", help="Lock this dependency group as well.")] = (),
    index_url: Annotated[str | None, Parameter(help="The one index to ask; by default uv's configuration.")] = None,
    upgrade: Annotated[bool, flag("Take the newest versions, not those of the lock that is there.")] = False,
    check: Annotated[bool, flag("Write nothing; exit with 1 if the lock is out of date.")] = False,
    dry_run: Annotated[bool, flag("Write nothing; say what would change.")] = False,
    output: Output = PLAIN,
) -> int:
    """Lock an environment, for pip, uv and conda.

    A project is resolved: its dependencies, with the pins of its model. The lock of a package is exported unchanged.
    """
    wanted = Wanted(
        formats=format,
        python=python,
        extras=extra,
        groups=group,
        index_url=index_url,
        versions="upgrade" if upgrade else "keep",
    )
    prepared = prepare(target, into=into, wanted=wanted, listener=output.listener)
    if not (check or dry_run):
        write(prepared.texts)
    output.result(prepared.locked, _show)
    if check and prepared.locked.differences:
        output.next(f"modelwright lock {quoted(Path(target))}" if target != "." else "modelwright lock")
        return FAILED
    if not (check or dry_run):
        output.next(*(_INSTALL[path.name].format(quoted(path)) for path in prepared.texts))
    return OK


def _show(locked: Locked, console: Console) -> None:
    for path in locked.files:
        console.print(quoted(path), soft_wrap=True, markup=False)
    for difference in locked.differences or ("no change",):
        console.print(f"  {difference}", soft_wrap=True, markup=False)
    if locked.note:
        console.print(f"  {locked.note}", soft_wrap=True, markup=False)
