"""Write the folder of an export: all of it or nothing, in place of an earlier export that nobody has touched since.

Called by :mod:`.exporting`. What is in the folder stands in ``export.json``, with digests, so that a change by hand is
never lost to the next export.
"""

from __future__ import annotations

import os
import secrets
import shutil
from hashlib import sha256
from pathlib import Path

import msgspec

from modelwright.errors import ExportFolderError, Problem, StorageError
from modelwright.exchange.exporter import Exported
from modelwright.exchange.report import Export, ExportedFile
from modelwright.inspecting.wheel import sha256_of

REPORT = "export.json"


def listed(exported: Exported) -> tuple[ExportedFile, ...]:
    """Return the files that would be written, sorted, with size and digest."""
    texts = {path: text.encode() for path, text in exported.texts.items()}
    files = [ExportedFile(path=path, sha256=sha256(text).hexdigest(), size=len(text)) for path, text in texts.items()]
    files += [
        ExportedFile(path=path, sha256=sha256_of(source), size=source.stat().st_size)
        for path, source in exported.copies.items()
    ]
    return tuple(sorted(files, key=lambda file: file.path))


def check_replaceable(folder: Path) -> None:
    """Refuse a folder that holds anything but an untouched export.

    Raises:
        ExportFolderError: Every file that would be lost is listed.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        known = {file.path: file.sha256 for file in read_report(folder).files}
    except (OSError, msgspec.DecodeError):
        raise _refusal(folder, [], why=f"It has no {REPORT} of an export.") from None
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if _counts(path)}
    problems = [Problem(None, None, "was not exported", item=name) for name in sorted(found.keys() - known - {REPORT})]
    problems += [
        Problem(None, None, "was changed since", item=name)
        for name in sorted(found.keys() & known)
        if sha256_of(found[name]) != known[name]
    ]
    if problems:
        raise _refusal(folder, problems, why="The next export would remove it without a word.")


def _counts(path: Path) -> bool:
    return not path.is_dir() and "__pycache__" not in path.parts


def _refusal(folder: Path, problems: list[Problem], *, why: str) -> ExportFolderError:
    return ExportFolderError(
        "The folder holds files that no export wrote.",
        where=str(folder),
        why=why,
        problems=problems,
        hint="Choose another folder with --output, or move it away.",
    )


def read_report(folder: Path) -> Export:
    """Return what an export said of itself.

    Raises:
        OSError: There is no report.
        msgspec.DecodeError: It is none.
    """
    return msgspec.json.decode((folder / REPORT).read_bytes(), type=Export)


def write(folder: Path, exported: Exported, report: Export) -> None:
    """Write the folder under a temporary name, then let it take the place of the one before.

    Raises:
        ExportFolderError: The folder holds something else.
        StorageError: It cannot be written.
    """
    check_replaceable(folder)
    making = folder.with_name(f".{folder.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        for path, text in exported.texts.items():
            _place(making, path).write_text(text, "utf-8", newline="\n")
        for path, source in exported.copies.items():
            shutil.copyfile(source, _place(making, path))
        said = msgspec.json.format(msgspec.json.encode(report), indent=2)
        (making / REPORT).write_bytes(said + b"\n")
        _swap(making, folder)
    except OSError as error:
        why = error.strerror or str(error)
        raise StorageError("The export cannot be written.", where=str(folder), why=why) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _place(root: Path, path: str) -> Path:
    target = root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _swap(making: Path, folder: Path) -> None:
    """Put the new folder in place; the old one is removed only once the new one is there."""
    if not folder.exists():
        making.rename(folder)
        return
    aside = making.with_name(f"{making.name}.old")
    folder.rename(aside)
    try:
        making.rename(folder)
    except OSError:
        aside.rename(folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)
