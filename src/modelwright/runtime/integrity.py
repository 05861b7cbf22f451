"""Check that every artifact is the file that was captured: nothing missing, nothing extra, size, sha256.

Called by loading, after the environment was checked and before the loader is imported. Digests of big files are
remembered outside the package (:mod:`.digests`), so that a model is not hashed again in every process.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from .digests import DigestMemory
from .errors import IntegrityError, Problem
from .weights import artifacts_folder, weights_requirement

BIG = 16 * 2**20
"""From this size on a digest is remembered, bytes; below, hashing is faster than looking it up."""


def check_artifacts(folder: Path, manifest: dict[str, Any], *, memory: DigestMemory | None = None) -> Path:
    """Refuse artifacts that are not those of the manifest.

    Args:
        folder: The model folder.
        manifest: Its manifest.
        memory: Digests of big files that were computed before; ``None`` computes all of them.

    Returns:
        The folder that holds them.

    Raises:
        IntegrityError: Lists every file that is missing, unexpected, of another size or of another digest; or the
            weights, a distribution of their own, are not installed.
    """
    artifacts = artifacts_folder(folder, manifest)
    listed = {entry["path"]: entry for entry in manifest["artifacts"]}
    problems = [
        Problem(None, None, "is not a file of this package", item=path)
        for path in sorted(_present(artifacts) - {*listed})
    ]
    for path, entry in listed.items():
        problem = _difference(artifacts, path, entry, memory)
        if problem:
            problems.append(Problem(None, None, problem, item=path))
    if memory is not None:
        memory.save()
    if problems:
        name, version = manifest["name"], manifest["version"]
        raise IntegrityError(
            f"The artifacts of {name} {version} are not the ones that were captured.",
            where=str(artifacts),
            problems=problems,
            why="The files were damaged or altered after the package was built. Nothing was loaded.",
            hint=f"pip install --force-reinstall --no-cache-dir {weights_requirement(manifest)}",
        )
    return artifacts


def _present(artifacts: Path) -> set[str]:
    found = set()
    for root, folders, files in os.walk(artifacts):
        folders[:] = [name for name in folders if name != "__pycache__"]
        found |= {(Path(root) / name).relative_to(artifacts).as_posix() for name in files}
    return found


def _difference(artifacts: Path, path: str, entry: dict[str, Any], memory: DigestMemory | None) -> str:
    """Return what is wrong with one file; empty if nothing is."""
    parts = path.split("/")
    if path.startswith("/") or "\\" in path or {"", ".", ".."} & set(parts):
        return "leads out of the package"
    file = artifacts.joinpath(*parts)
    try:
        size = file.stat().st_size
        if size != entry["size"]:
            return f"has {size} bytes; {entry['size']} are expected"
        digest = _digest(file, size, memory)
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error}"
    return "" if digest == entry["sha256"] else f"has sha256 {digest[:12]}…; {entry['sha256'][:12]}… is expected"


def _digest(file: Path, size: int, memory: DigestMemory | None) -> str:
    if memory is None or size < BIG:
        return sha256(file)
    digest = memory.recall(file)
    if digest is None:
        digest = sha256(file)
        memory.remember(file, digest)
    return digest


def sha256(file: Path) -> str:
    """Return the sha256 of a file, 64 hexadecimal digits, in constant memory."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
