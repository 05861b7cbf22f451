"""Write another version into a captured model folder, without touching anything that a digest covers.

Called by :mod:`~modelwright.project.releasing.bump`. The manifest and the card say the version; artifacts, scenarios,
profile and lock do not. Code of the package that holds ``__version__`` gets its new digest, and only if it is the code
that was captured.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from modelwright.capturing.markdown import code, words
from modelwright.errors import IntegrityError
from modelwright.package import MODEL_FOLDER
from modelwright.spec.manifest import File, Manifest


def check_untouched(manifest: Manifest, package: Path) -> None:
    """Check that artifacts and code are those that were captured: a release is of what was proved.

    Args:
        manifest: What was captured.
        package: The import package on disk.

    Raises:
        IntegrityError: A file is missing or another one.
    """
    listed: list[tuple[Path, File]] = [(package / file.path, file) for file in manifest.code]
    listed += [(package / MODEL_FOLDER / "artifacts" / file.path, file) for file in manifest.artifacts]
    for path, file in listed:
        if not path.is_file() or path.stat().st_size != file.size or _digest(path) != file.sha256:
            raise IntegrityError(
                f"{path.name!r} is not the file that was captured.",
                where=str(path),
                why="The scenarios, metrics and digests of the model belong to the files as they were captured.",
                hint="Capture the model again, or restore the file; then bump.",
            )


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def stamped(
    manifest: Manifest, package: Path, *, version: str, parent: str, code_files: Mapping[Path, bytes]
) -> dict[Path, bytes]:
    """Return the new content of the files of a model folder that say its version.

    Args:
        manifest: What is in the folder.
        package: The import package on disk.
        version: The version to be.
        parent: The release it follows (``churn==1.2.0``); empty: what was captured stays.
        code_files: New content of modules of the package, which the manifest lists with their digests.

    Returns:
        Contents by path; fields of the manifest that this modelwright does not know are kept.
    """
    folder = package / MODEL_FOLDER
    document: dict[str, Any] = msgspec.json.decode((folder / "manifest.json").read_bytes())
    document["version"] = version
    if parent:
        document["lineage"] = {**document.get("lineage", {}), "parent": parent}
    changed = {path.relative_to(package).as_posix(): content for path, content in code_files.items()}
    for file in document.get("code", []):
        if file["path"] in changed:
            content = changed[file["path"]]
            file |= {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    contents = {folder / "manifest.json": msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"}
    card = folder / "card.md"
    if card.is_file():
        contents[card] = _restamped(card.read_bytes(), manifest, version=version, parent=parent)
    return contents


def _restamped(card: bytes, manifest: Manifest, *, version: str, parent: str) -> bytes:
    """Replace heading, install line and parent of a card where they stand as capture wrote them."""
    name, old = manifest.name, manifest.version
    row, stated = "| Parent release | {} |", manifest.lineage.parent
    lines = {
        f"# {words(name)} {words(old)}": f"# {words(name)} {words(version)}",
        f"pip install {name}=={old}": f"pip install {name}=={version}",
    }
    if parent:
        lines[row.format(code(stated) if stated else "None stated.")] = row.format(code(parent))
    for was, now in lines.items():
        pattern = re.compile(rb"^" + re.escape(was.encode()) + rb"(?=[ \t]*\r?$)", re.MULTILINE)
        card = pattern.sub(now.encode().replace(b"\\", b"\\\\"), card, count=1)
    return card
