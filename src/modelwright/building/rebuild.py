"""The build backend that an sdist brings along: it makes the same wheel again, without a network or modelwright.

Called by pip, uv and build from an unpacked sdist (``backend-path``), where this file and ``archive.py`` stand
verbatim in ``_backend/model_backend``; standard library only. Everything that takes knowledge of models was computed
when the sdist was made: the ``.dist-info`` files beside, and ``plan.json``, which says what goes where.
Source: PEP 517 (hooks, in-tree backends).
"""

# ruff: noqa: ARG001 - PEP 517 fixes what a hook is called with

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .archive import Digest, Entry, write_sdist, write_wheel  # relative: in the sdist there is no modelwright

FOLDER = Path("_backend")
"""Where the backend stands in the sdist; hooks run in the sdist's root (PEP 517, "Build environment")."""
PLAN = FOLDER / "plan.json"
DIST_INFO = FOLDER / "dist-info"


def get_requires_for_build_wheel(config_settings: object = None) -> list[str]:
    """Require nothing."""
    return []


def get_requires_for_build_sdist(config_settings: object = None) -> list[str]:
    """Require nothing."""
    return []


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: object = None) -> str:
    """Copy the metadata that were computed when the sdist was made."""
    name: str = _plan()["dist_info"]
    shutil.copytree(DIST_INFO, Path(metadata_directory, name), dirs_exist_ok=True)
    return name


def build_wheel(wheel_directory: str, config_settings: object = None, metadata_directory: str | None = None) -> str:
    """Write the wheel, byte for byte the one that was built beside the sdist."""
    plan = _plan()
    described = [Entry(f"{plan['dist_info']}/{_below(path, DIST_INFO)}", path) for path in _files(DIST_INFO)]
    _write(
        lambda target: write_wheel(
            target,
            [*(Entry(name, Path(name)) for name in plan["files"]), *described],
            dist_info=plan["dist_info"],
            epoch=plan["epoch"],
            check=_check(plan),
        ),
        Path(wheel_directory, plan["wheel"]),
    )
    return str(plan["wheel"])


def build_sdist(sdist_directory: str, config_settings: object = None) -> str:
    """Write the sdist again from its own unpacked files."""
    plan = _plan()
    names = [*plan["files"], *plan["beside"], *(path.as_posix() for path in _files(FOLDER))]
    _write(
        lambda target: write_sdist(
            target,
            [Entry(name, Path(name)) for name in names],
            root=plan["root"],
            epoch=plan["epoch"],
            check=_check(plan),
        ),
        Path(sdist_directory, plan["sdist"]),
    )
    return str(plan["sdist"])


def _plan() -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(PLAN.read_text("utf-8"))
    return plan


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]


def _below(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _check(plan: dict[str, Any]) -> Callable[[Digest], None]:
    def check(digest: Digest) -> None:
        if digest.sha256 != plan["sha256"].get(digest.name, digest.sha256):
            raise SystemExit(f"MW401: {digest.name!r} is not the file that was captured. Get the sdist again.")

    return check


def _write(write: Callable[[Path], None], target: Path) -> None:
    """Write, and end with one line instead of a traceback if the disk or a missing file is in the way."""
    try:
        write(target)
    except OSError as error:
        raise SystemExit(f"MW702: {target.name} cannot be written: {error}") from error
