"""Build an sdist that can rebuild the identical wheel with no network and no modelwright.

Called as ``modelwright.build_sdist``, by ``modelwright build --sdist`` and by the PEP 517 backend. It carries the
package, and an in-tree backend made of :mod:`~modelwright.building.archive`, :mod:`~modelwright.building.rebuild` and
the precomputed metadata.
Source: PyPA "Source distribution format"; PEP 517 (in-tree backends); PEP 639 (licence files in sdists).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from modelwright.building import archive, rebuild
from modelwright.building.archive import Entry, write_sdist
from modelwright.building.build import checked, moment, storing
from modelwright.building.contents import digest_check, expected_digests
from modelwright.building.distinfo import dist_info, dist_info_name
from modelwright.building.licences import licence_files
from modelwright.building.project import Project
from modelwright.building.tags import stem, wheel_name
from modelwright.package import Package
from modelwright.steps import Listener, ignore, timed

PYPROJECT = b"""\
# Written by modelwright. The metadata are in PKG-INFO; the backend below makes the wheel from the files in here,
# byte for byte, and needs nothing but Python.
[build-system]
requires = []
build-backend = "model_backend.rebuild"
backend-path = ["_backend"]
"""
BACKEND_INIT = b'"""The in-tree build backend of this sdist; the code in here is a copy from modelwright."""\n'


def build_sdist(
    target: Package | Path | str, into: Path | str = "dist", *, epoch: int | None = None, listener: Listener = ignore
) -> Path:
    """Build the sdist of a model; the same inputs give the same bytes.

    Args:
        target: A captured package, or the path of a model folder, of an import package, or of a project.
        into: Folder for the sdist; made if it is not there.
        epoch: Date of everything in the sdist and in the wheel that it makes, seconds since 1970 UTC; by default the
            moment the model was captured.
        listener: Told about each finished step.

    Returns:
        The path of the sdist, ``churn-1.3.0.tar.gz``.

    Raises:
        ModelwrightError: For the same reasons as :func:`modelwright.building.build.build`.
    """
    project, entries = checked(target, listener)
    with timed("metadata", listener) as note:
        epoch = moment(project) if epoch is None else epoch
        root = stem(project.manifest)
        entries += _beside(project, entries, epoch)
        note.detail = "PKG-INFO, in-tree backend"
    sdist = Path(into) / f"{root}.tar.gz"
    with timed("write", listener) as note, storing(sdist, entries):
        write_sdist(sdist, entries, root=root, epoch=epoch, check=digest_check(project))
        note.detail = f"{sdist.name}, {sdist.stat().st_size:,} bytes"
    return sdist


def _beside(project: Project, entries: list[Entry], epoch: int) -> list[Entry]:
    """Return what stands beside the package: metadata, licences, and the backend with what it needs to know."""
    described = dist_info(project, epoch=epoch)
    top = {"PKG-INFO": described["METADATA"], "pyproject.toml": PYPROJECT}
    licences = licence_files(project)
    for name in licences.keys() - {entry.name for entry in entries}:  # one inside the package is there already
        top[name] = licences[name].read_bytes()
    backend = {
        "model_backend/__init__.py": BACKEND_INIT,
        "model_backend/archive.py": Path(archive.__file__).read_bytes(),
        "model_backend/rebuild.py": Path(rebuild.__file__).read_bytes(),
        "plan.json": _plan(project, entries, sorted(top), epoch),
        **{f"dist-info/{name}": content for name, content in described.items()},
    }
    return [
        *(Entry(name, content) for name, content in top.items()),
        *(Entry(f"{rebuild.FOLDER}/{name}", content) for name, content in backend.items()),
    ]


def _plan(project: Project, entries: list[Entry], beside: list[str], epoch: int) -> bytes:
    plan: dict[str, Any] = {
        "wheel": wheel_name(project.manifest),
        "sdist": f"{stem(project.manifest)}.tar.gz",
        "root": stem(project.manifest),
        "dist_info": dist_info_name(project),
        "epoch": epoch,
        "files": [entry.name for entry in entries],
        "beside": beside,
        "sha256": expected_digests(project),
    }
    return (json.dumps(plan, indent=1, sort_keys=True) + "\n").encode()
