"""``modelwright show``: what a registry knows of a release, or how to install it safely."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from modelwright.cli.addresses import SOMEWHERE, At
from modelwright.cli.output import PLAIN, Output, flag, size
from modelwright.cli.showing import plain, when

if TYPE_CHECKING:
    from rich.console import Console

    from modelwright.registry.asking.reading import ReleaseReport
    from modelwright.registry.index.install import InstallLines
    from modelwright.registry.projects import StoredFile

SHOWN = 20


def show(
    reference: Annotated[str, Parameter(help="name, name==1.3.0 or name@production.")],
    /,
    *,
    install: Annotated[bool, flag("Print how pip and uv install it from here, and from nowhere else.")] = False,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Show a release: files, stages, evidence; or how to install it safely."""
    registry = at.open(output)
    if install:
        output.result(registry.install(reference), partial(_show_install, folder=registry.folder is not None))
        return 0
    found = registry.show(reference)
    output.result(found, _show)
    name, version = found.project.name, found.release.version
    suggestions = [f"modelwright show {name}=={version} --install{at.option()}"]
    if found.project.kind == "model":
        suggestions.insert(0, f"modelwright inspect {name}=={version}{at.option()}")
    output.next(*suggestions)
    return 0


def _show(found: ReleaseReport, console: Console) -> None:
    def line(text: str, style: str = "") -> None:
        console.print(plain(text), style=style or None, markup=False, soft_wrap=True)

    release = found.release
    line(f"{found.project.name} {release.version}" + (" (yanked)" if release.yanked is not None else ""), "bold")
    if release.summary:
        line(release.summary)
    for label, text in _facts(found):
        line(f"{label + ':':<14}{text}")
    for one in release.evaluations[:SHOWN]:
        where = f"{one.dataset}, {one.slice}" if one.slice else one.dataset
        line(f"{one.metric:<20}{one.value:>10.4f}  on {where}")
    line("\nstages")
    for stage in found.placements:
        state = "runs it" if stage.current else "rolled back" if stage.withdrawn else "ran it"
        line(
            f"  {stage.stage:<12}{state} since {when(stage.since)}, by {stage.actor}, entry {stage.sequence} of the log"
        )
    if not found.placements:
        line("  none")
    line("\nfiles")
    for file in release.files:
        line(f"  {file.filename}  {size(file.size)}{_notes(file)}")
        line(f"    sha256 {file.sha256}", "dim")
    line("\nevidence")
    for kept in found.evidence:
        line(f"  {kept.id:>4}  {kept.kind:<13}{when(kept.created)}  by {kept.actor}")
    if not found.evidence:
        line("  none")


def _show_install(lines: InstallLines, console: Console, *, folder: bool) -> None:
    for title, text in (
        ("# uv: pyproject.toml", lines.uv),
        ("# uv: then", lines.uv_add),
        ("# pip", lines.pip),
        ("# run it without installing", lines.uvx),
        ("# Dockerfile", lines.docker),
    ):
        if text:
            console.print(f"{title}\n{text}\n", markup=False, soft_wrap=True)
    for text in (lines.why, "" if folder else lines.credentials):
        console.print(f"# {text}" if text else "", style="dim", markup=False, soft_wrap=True)


def _notes(file: StoredFile) -> str:
    notes = [", ".join(file.tags), "attested" if file.provenance else ""]
    return "".join(f"  {note}" for note in notes if note)


def _facts(found: ReleaseReport) -> Iterator[tuple[str, str]]:
    release, project = found.release, found.project
    yield "kind", project.kind if not release.task else f"{project.kind}, {release.task} ({release.format})"
    if release.executes_code:
        yield "careful", "loading it can run code that its artifact contains"
    yield "published", f"{when(release.created)} by {release.publisher}"
    if release.verdict:
        yield "change", f"{release.verdict}, compared with the release before"
    if release.yanked is not None:
        yield "yanked", release.yanked or "no reason given"
    if project.status != "active":
        yield "status", f"{project.status}: {project.status_reason}"
    yield "needs", ", ".join(release.requires) or "only Python"
    yield "owners", ", ".join(project.owners)
    if found.owners:
        yield "trained by", ", ".join(found.owners)
    if found.lineage is not None:
        for data in found.lineage.data:
            yield f"{data.role} data", " ".join(filter(None, (data.uri, data.version)))
        if found.lineage.git:
            dirty = " with uncommitted changes" if found.lineage.git.dirty else ""
            yield "code", found.lineage.git.revision[:12] + dirty
    if found.others:
        yield "others", ", ".join(reversed(found.others[-SHOWN:]))
