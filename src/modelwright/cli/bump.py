"""``modelwright bump``: raise the version as far as the changes ask for, and write the changelog."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from modelwright.cli.output import PLAIN, Output, flag, quoted
from modelwright.inspecting.installers import InstallerName
from modelwright.project.releasing.bump import Bumped, Recording
from modelwright.project.releasing.bump import bump as raise_version

if TYPE_CHECKING:
    from rich.console import Console


def bump(
    part: Annotated[str, Parameter(help="auto, major, minor, patch, or a version.")] = "auto",
    project: Annotated[Path, Parameter(help="Folder of the model project.")] = Path(),
    /,
    *,
    against: Annotated[
        str | None, Parameter(help="Release to compare with: wheel, URL, folder, installed name. Default: from dist/.")
    ] = None,
    reason: Annotated[str, Parameter(help="Why the version promises less than changed; for the changelog.")] = "",
    commit: Annotated[bool, flag("Commit what was edited, and the model folder.")] = False,
    tag: Annotated[bool, flag("Commit, and make an annotated tag vVERSION.")] = False,
    dry_run: Annotated[bool, flag("Show what would happen; write nothing.")] = False,
    skip_behaviour: Annotated[bool, flag("Compare what is written only; run neither model.")] = False,
    python: Annotated[str | None, Parameter(help="Python to run both models on.")] = None,
    offline: Annotated[bool, flag("Use only what the installer has in its cache.")] = False,
    installer: Annotated[InstallerName, Parameter(help="What makes the environments.")] = "auto",
    trust: Annotated[list[str] | None, Parameter(negative="", help="A type that you vouch for.")] = None,
    output: Output = PLAIN,
) -> int:
    """Raise the version as far as the changes ask for, and write the changelog.

    The newest release in dist/ and the captured model are compared: signature,
    answers, metrics, pins. pyproject.toml, the manifest and CHANGELOG.md get the
    version together. One that promises less than changed is refused.
    """
    recording: Recording = "tag" if tag else "commit" if commit else "nothing"
    bumped = raise_version(
        project,
        part,
        against=against,
        reason=reason,
        recording=recording,
        behaviour="skip" if skip_behaviour else "run",
        python=python,
        offline=offline,
        installer=installer,
        trust=trust or (),
        today=_today(),
        dry_run=dry_run,
        listener=output.listener,
    )
    output.result(bumped, _show)
    _suggest(bumped, project, recording, output)
    return 0


def _today() -> date:
    """Return the date of the release, UTC; libraries do not read the environment, we do.

    Source: reproducible-builds.org, "SOURCE_DATE_EPOCH".
    """
    value = os.environ.get("SOURCE_DATE_EPOCH", "")
    return (datetime.fromtimestamp(int(value), UTC) if value.isdecimal() else datetime.now(UTC)).date()


def _show(bumped: Bumped, console: Console) -> None:
    def line(text: str, style: str = "") -> None:
        console.print(text, style=style or None, markup=False, soft_wrap=True)

    raised = f"{bumped.old} → {bumped.new}" if bumped.old != bumped.new else f"{bumped.new}, as before"
    line(f"{bumped.name} {raised}" + (" (nothing was written)" if bumped.dry_run else ""), "bold")
    if bumped.verdict is None:
        line("first release: there is no other to compare with")
    else:
        line(f"compared with {bumped.against}: {bumped.verdict}")
        if bumped.behaviour not in ("", "compared"):
            line(f"answers: {bumped.behaviour}", "yellow")
    if bumped.changelog:
        line(f"\n{bumped.changelog}\n")
    for file in bumped.files:
        line(f"{'would change' if bumped.dry_run else 'changed'} {file}")
    if bumped.commit:
        line(f"committed {bumped.commit[:12]}" + (f", tagged {bumped.tag}" if bumped.tag else ""))


def _suggest(bumped: Bumped, project: Path, recording: Recording, output: Output) -> None:
    if bumped.dry_run:
        return
    lines = [f"modelwright build {quoted(project)}"] if bumped.files else []
    if recording == "tag":
        lines.append("git push --follow-tags")
    elif bumped.files and recording == "nothing":
        lines.append(f"git diff {quoted(project)}")
    if lines:
        output.next(*lines)
