"""Write entry_points.txt: how the model is discovered, and the command it brings.

Called by :mod:`modelwright.building.distinfo`.
Source: PyPA "Entry points specification", "File format"; PEP 621 (scripts, gui-scripts, entry-points).
"""

from __future__ import annotations

import re
from typing import Any

from modelwright.building.project import Project
from modelwright.errors import ProjectError
from modelwright.package import MODEL_FOLDER

GROUP = "modelwright.models"
"""Entry-point group in which installed models are found."""
_GROUP_NAME = re.compile(r"\w+(\.\w+)*")
_POINT_NAME = re.compile(r"[^\[=\s]([^=\n]*[^=\s])?")
_REFERENCE = re.compile(r"\w+(\.\w+)*(:\w+(\.\w+)*)?(\s*\[[^\]]*\])?")


def entry_points(project: Project) -> bytes:
    """Return entry_points.txt, groups and names sorted.

    The model's own command and discovery entry stand beside those of the project; where the project defines a
    command of the same name, the project's is kept.

    Raises:
        ProjectError: An entry point is malformed, or the project uses the model's discovery name for something else.
    """
    model = f"{project.package.import_name}.{MODEL_FOLDER}"
    groups = points_of_project(project)
    scripts = groups.setdefault("console_scripts", {})
    scripts.setdefault(project.manifest.name, f"{model}.__main__:main")
    if groups.setdefault(GROUP, {}).setdefault(project.manifest.name, model) != model:
        raise ProjectError(
            f"The entry point {project.manifest.name!r} in {GROUP} is the model itself.",
            where=f"{project.where}: project.entry-points",
            hint="Remove it: build writes it.",
        )
    return write_points(groups)


def write_points(groups: dict[str, dict[str, str]]) -> bytes:
    r"""Write entry points by group and name as entry_points.txt, sorted.

    Example:
        >>> write_points({"console_scripts": {"churn": "churn.model.__main__:main"}, "empty": {}})
        b'[console_scripts]\nchurn = churn.model.__main__:main\n'
    """
    sections = [
        "\n".join([f"[{group}]", *(f"{name} = {reference}" for name, reference in sorted(points.items()))])
        for group, points in sorted(groups.items())
        if points
    ]
    return ("\n\n".join(sections) + "\n").encode()


def points_of_project(project: Project) -> dict[str, dict[str, str]]:
    """Return the entry points that the project itself defines, by group and name.

    Raises:
        ProjectError: An entry point is malformed, or commands stand in the wrong table.
    """
    table = project.table
    said = table.get("entry-points", {})
    if not isinstance(said, dict) or {"console_scripts", "gui_scripts"} & set(said):
        raise ProjectError(
            "Commands do not belong into project.entry-points.",
            where=f"{project.where}: project.entry-points",
            why="PEP 621 has tables of their own for them.",
            hint="Write them below [project.scripts] or [project.gui-scripts].",
        )
    tables = {"console_scripts": table.get("scripts", {}), "gui_scripts": table.get("gui-scripts", {}), **said}
    return {group: _checked(project, group, points) for group, points in tables.items()}


def _checked(project: Project, group: str, points: Any) -> dict[str, str]:
    where = f"{project.where}: {group}"
    if not isinstance(points, dict) or not _GROUP_NAME.fullmatch(group):
        raise ProjectError(f"The entry-point group {group!r} is malformed.", where=where)
    for name, reference in points.items():
        if not _POINT_NAME.fullmatch(name) or not _REFERENCE.fullmatch(str(reference)):
            raise ProjectError(
                f"The entry point {name!r} = {reference!r} is malformed.", where=where, hint="Write 'module:function'."
            )
    return dict(points)
