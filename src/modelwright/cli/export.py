"""``modelwright export``: what KServe or Ray Serve needs to serve a package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from modelwright.cli.addresses import SOMEWHERE, At
from modelwright.cli.output import PLAIN, Output, flag, quoted
from modelwright.cli.references import resolve
from modelwright.cli.showing import plain
from modelwright.exchange.exporting import export as export_package

if TYPE_CHECKING:
    from rich.console import Console

    from modelwright.exchange.report import Export

STYLES = {"kept": "green", "changed": "yellow", "lost": "red"}


def export(
    reference: Annotated[str, Parameter(help="A wheel, its URL, a model folder, name==1.3.0, name@stage.")],
    /,
    *,
    to: Annotated[str, Parameter(help="The system: kserve, ray-serve, or what a plug-in adds.")],
    into: Annotated[
        Path | None, Parameter(name=("--output", "-o"), help="Folder for the files; by default NAME-VERSION-SYSTEM.")
    ] = None,
    canary: Annotated[str | None, Parameter(help="A second version, which gets a share of the requests.")] = None,
    canary_weight: Annotated[float, Parameter(help="That share, percent.")] = 10.0,
    image: Annotated[str, Parameter(help="KServe: the container image, HOST/NAME:TAG.")] = "",
    namespace: Annotated[str, Parameter(help="KServe: the namespace.")] = "",
    workers: Annotated[int, Parameter(help="Processes per version.")] = 1,
    index_url: Annotated[
        str, Parameter(help="Package index that has the wheels; by default they are copied into the folder.")
    ] = "",
    dry_run: Annotated[bool, flag("Check everything and show what would be written; write nothing.")] = False,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Write what KServe or Ray Serve needs to serve a package.

    A folder of files; what carries over and what does not is said. Nothing is
    started, and no cluster is asked.
    """
    done = export_package(
        resolve(reference, at, output),
        into,
        to=to,
        canary=None if canary is None else resolve(canary, at, output),
        canary_weight=canary_weight,
        image=image,
        namespace=namespace,
        workers=workers,
        index_url=index_url,
        dry_run=dry_run,
        listener=output.listener,
    )
    output.result(done, _show)
    if not dry_run:
        output.next(f"cd {quoted(done.folder)}", *done.commands)
    return 0


def _show(done: Export, console: Console) -> None:
    console.print(plain(done.folder), style="bold", markup=False, soft_wrap=True)
    for one in done.variants:
        shares = f"  {one.name} {one.weight:g} %" if len(done.variants) > 1 else ""
        console.print(f"  {done.model} {one.version}{shares}  sha256 {one.sha256}", markup=False, soft_wrap=True)
    for file in done.files:
        console.print(f"  {plain(file.path)}", markup=False, soft_wrap=True)
    console.print("what carries over", markup=False)
    for carried in done.carried:
        text = f"  {carried.fidelity:<8} {plain(carried.feature)}: {plain(carried.note)}"
        console.print(text, style=STYLES[carried.fidelity], markup=False, soft_wrap=True)
