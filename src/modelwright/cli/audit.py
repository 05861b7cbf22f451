"""``modelwright audit``: read, check and export the log of a registry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter, validators

from modelwright.building.archive import replacing
from modelwright.cli.addresses import SOMEWHERE, At
from modelwright.cli.exits import FAILED, OK
from modelwright.cli.output import PLAIN, Output, flag, quoted
from modelwright.cli.showing import plain, show_entries
from modelwright.errors import AuditError, RequestError, StorageError
from modelwright.registry.audit import AuditReport, Entry, Head, check_chain
from modelwright.registry.service import Selection

if TYPE_CHECKING:
    from rich.console import Console

    from modelwright.registry.registry import Registry

SHOWN_PROBLEMS = 20


class _Exported(Entry, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An entry in a file: what its hash does not cover has no place beside it."""


def audit(
    *,
    project: Annotated[str, Parameter(help="Only entries about this project.")] = "",
    version: Annotated[str, Parameter(help="Only entries about this version.")] = "",
    actor: Annotated[str, Parameter(help="Only what this user did.")] = "",
    action: Annotated[str, Parameter(help="Only this action: publish, promote, rollback, yank, …")] = "",
    stage: Annotated[str, Parameter(help="Only entries about this stage.")] = "",
    denied: Annotated[bool, flag("Only what was tried and refused.")] = False,
    after: Annotated[int, Parameter(help="Only entries with a greater number.")] = 0,
    limit: Annotated[int, Parameter(help="The last so many entries.", validator=validators.Number(gte=1))] = 100,
    verify: Annotated[bool, flag("Check the whole log; 1 if anything in it was altered.")] = False,
    head: Annotated[
        bool, flag("Print the end of the log as SEQUENCE:HASH; kept elsewhere, it fixes the past.")
    ] = False,
    expect: Annotated[str, Parameter(help="SEQUENCE:HASH that was printed earlier; the log must still hold it.")] = "",
    export: Annotated[Path | None, Parameter(help="Write the whole log to this file, JSON lines.")] = None,
    log: Annotated[Path | None, Parameter(help="Check an exported file instead of a registry.")] = None,
    at: At = SOMEWHERE,
    output: Output = PLAIN,
) -> int:
    """Read, check and export the log of a registry.

    Each entry holds the hash of the one before it, so that none can be altered,
    removed or inserted unseen. Keep what --head prints where whoever runs the
    registry cannot reach it, and give it to --expect.
    """
    expected = _head(expect) if expect else None
    if log is not None:
        return _report(check_chain(_entries(log), expected=expected), output)
    registry = at.open(output)
    if export is not None:
        return _export(registry, export, output)
    if verify or expected is not None:
        return _report(registry.check_audit(expected), output)
    if head:
        output.result(registry.head(), _show_head)
        return OK
    selection = Selection(
        project=project,
        version=version,
        actor=actor,
        action=action,
        stage=stage,
        outcome="denied" if denied else "",
        after=after,
        limit=limit,
        newest_first=True,
    )
    entries = registry.history(selection=selection)[::-1]
    if not entries:
        output.note("No entry of the log is like that: look at the spelling of what was asked for.")
    output.result(entries, show_entries)
    output.next(f"modelwright audit --verify{at.option()}", f"modelwright audit --head{at.option()}")
    return OK


def _head(text: str) -> Head:
    """Read what ``--head`` printed.

    Example:
        >>> _head("7:" + "ab" * 32).sequence
        7
    """
    sequence, colon, digest = text.strip().partition(":")
    if not (colon and sequence.isdecimal() and len(digest) == 64 and set(digest) <= set("0123456789abcdef")):
        raise RequestError(f"{text[:100]!r} is no head of a log.", hint="Give what modelwright audit --head printed.")
    return Head(sequence=int(sequence), hash=digest)


def _show_head(found: Head, console: Console) -> None:
    console.print(f"{found.sequence}:{found.hash}", soft_wrap=True, markup=False)


def _entries(file: Path) -> Iterator[Entry]:
    with file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            try:
                yield msgspec.json.decode(line, type=_Exported)
            except msgspec.DecodeError as error:
                raise AuditError(f"Line {number} is no entry of a log.", where=str(file), why=str(error)) from error


def _export(registry: Registry, file: Path, output: Output) -> int:
    count, end = 0, registry.head()
    try:
        with replacing(file) as stream:
            for entry in registry.service.history(Selection(before=end.sequence + 1, limit=end.sequence or 1)):
                stream.write(msgspec.json.encode(entry) + b"\n")
                count += 1
    except OSError as error:
        raise StorageError("The log cannot be written.", where=str(file), why=str(error)) from error
    output.result(end, _show_head)
    output.note(f"{count} entries are in {file}.")
    output.next(f"modelwright audit --log {quoted(file)} --expect {end.sequence}:{end.hash}")
    return OK


def _report(found: AuditReport, output: Output) -> int:
    def show(report: AuditReport, console: Console) -> None:
        for problem in report.problems[:SHOWN_PROBLEMS]:
            console.print(f"✗ {plain(problem)}", style="red", soft_wrap=True, markup=False)
        if len(report.problems) > SHOWN_PROBLEMS:
            console.print(f"… and {len(report.problems) - SHOWN_PROBLEMS} more")
        verdict = "the log holds" if report.holds else "THE LOG WAS ALTERED"
        console.print(f"{verdict}: {report.entries} entries checked", style="bold" if report.holds else "bold red")
        console.print(f"head {report.head.sequence}:{report.head.hash}", style="dim", soft_wrap=True)

    output.result(found, show)
    return OK if found.holds else FAILED
