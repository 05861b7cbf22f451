"""Make the wheel of an editable installation, and hand out metadata before a build.

Called by the PEP 517 backend only. A project whose model has not been captured yet is installed from its ``[project]``
table alone, so that the model can be trained with the project's own code.
Source: PEP 660 (editable installs); PEP 517 (prepare_metadata_for_build_wheel).
"""

from __future__ import annotations

from pathlib import Path

from modelwright.building.archive import Entry, write_wheel
from modelwright.building.build import moment, storing
from modelwright.building.distinfo import dist_info, dist_info_name, wheel_file
from modelwright.building.entry_points import points_of_project, write_points
from modelwright.building.metadata import core_metadata
from modelwright.building.project import Project
from modelwright.building.tags import wheel_name
from modelwright.building.unmodelled import Unmodelled
from modelwright.errors import ProjectError


def build_editable(project: Project, into: Path, *, epoch: int | None = None) -> Path:
    """Build a wheel that points at the source folder instead of holding the package.

    Digests are not compared: whoever works on a model changes its files, and loading compares them anyway.

    Args:
        project: What is to be installed.
        into: Folder for the wheel.
        epoch: Date of everything in it, seconds since 1970 UTC.

    Raises:
        ProjectError: The path of the source folder cannot stand in a ``.pth`` file.
        StorageError: The wheel cannot be written.
    """
    source = str(project.source)
    if "\n" in source or "\r" in source:
        raise ProjectError("The path of the project contains a line break.", where=repr(source), hint="Move it.")
    epoch = moment(project) if epoch is None else epoch
    folder = dist_info_name(project)
    entries = [Entry(f"{folder}/{name}", content) for name, content in _described(project, epoch).items()]
    entries.append(Entry(f"__editable__.{project.package.import_name}.pth", f"{source}\n".encode()))
    wheel = into / wheel_name(project.manifest)
    with storing(wheel, entries):
        write_wheel(wheel, entries, dist_info=folder, epoch=epoch)
    return wheel


def write_metadata(project: Project, into: Path, *, epoch: int | None = None) -> Path:
    """Write the ``.dist-info`` folder that the wheel will have, RECORD excepted, and return it.

    Raises:
        StorageError: The folder cannot be written.
    """
    folder = into / dist_info_name(project)
    content = _described(project, moment(project) if epoch is None else epoch)
    with storing(folder, [Entry(name, text) for name, text in content.items()]):
        for name, text in content.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(text)
    return folder


def _described(project: Project, epoch: int) -> dict[str, bytes]:
    """Return the files of ``.dist-info``; without a model there is no bill of materials and no command of the model."""
    if not isinstance(project.package, Unmodelled):
        return dist_info(project, epoch=epoch)
    return {
        "METADATA": core_metadata(project),
        "WHEEL": wheel_file(project.manifest.environment),
        "entry_points.txt": write_points(points_of_project(project)),
    }
