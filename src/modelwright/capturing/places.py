"""Decide where a captured model goes: a folder of its own, or the package of a project that exists already.

Called by capture. It reads ``pyproject.toml`` and decides; it writes nothing.
"""

from __future__ import annotations

import contextlib
import tomllib
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from modelwright.errors import SourceError
from modelwright.package import MODEL_FOLDER
from modelwright.spec.naming import import_name

BACKEND = "modelwright.backend"


class Place(NamedTuple):
    """Where a captured model goes.

    Attributes:
        target: The folder that is replaced as a whole.
        home: For a project: its import package, whose code stays where it is; ``None``: the target is complete.
        root: The folder that holds the import package when everything is in place.
        requirements: What the project itself requires, without versions: its code travels in the wheel, so the
            environment that is proved has it too.
    """

    target: Path
    home: Path | None
    root: Path
    requirements: tuple[str, ...] = ()


def choose_place(to: Path, *, name: str, version: str) -> Place:
    """Choose where a release is captured to.

    In a project that modelwright builds, or whose ``[tool.modelwright] package`` says where its code is, and that has
    this name, only the model folder inside its import package is replaced. Anywhere else a folder ``NAME-VERSION``
    is made that is a small project of its own.

    Example:
        >>> choose_place(Path("models"), name="churn", version="1.3.0").target.name
        'churn-1.3.0'
    """
    home = _home(to, name)
    if home is None:
        target = to / f"{name}-{version}"
        return Place(target, None, target)
    return Place(home / MODEL_FOLDER, home, home.parent, _requirements(to))


def _requirements(root: Path) -> tuple[str, ...]:
    """Return what [project] requires here; capture pins it to what is installed."""
    lines = tomllib.loads((root / "pyproject.toml").read_text("utf-8")).get("project", {}).get("dependencies", [])
    found = []
    for line in lines if isinstance(lines, list) else ():
        with contextlib.suppress(InvalidRequirement):  # build refuses it, with its place
            one = Requirement(str(line))
            if not one.url and (one.marker is None or one.marker.evaluate()) and one.name != "modelwright":
                found.append(one.name + (f"[{','.join(sorted(one.extras))}]" if one.extras else ""))
    return tuple(found)


def _home(root: Path, name: str) -> Path | None:
    """Return the import package of the project at a folder, if it is a model project of this name."""
    try:
        document = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None
    project, tool = document.get("project", {}), document.get("tool", {}).get("modelwright", {})
    module = import_name(name)
    if "package" in tool:
        home = root / str(tool["package"])
        known = project.get("name", name if home.name == module else "")  # without [project], setup.py has the name
        return home if canonicalize_name(str(known)) == name else None
    if document.get("build-system", {}).get("build-backend") != BACKEND:
        return None
    if canonicalize_name(str(project.get("name", ""))) != name:
        return None
    return root / "src" / module if (root / "src").is_dir() else root / module


def check_project_code(home: Path, files: dict[str, str]) -> None:
    """Refuse to write code into a project that a person owns: the model must find its code there already.

    Args:
        home: The import package of the project.
        files: Code that the model needs, by path within the import package.

    Raises:
        SourceError: The model needs code that is not in the project's package.
    """
    missing = [path for path, text in files.items() if not _same(home / path, text)]
    if missing:
        raise SourceError(
            f"The model needs code that is not in the project: {', '.join(missing)}.",
            where=str(home),
            why="Capture replaces only the model folder of a project; its code belongs to you.",
            hint=f"Move that code into {home.name}/ and import it from there, then fit and capture again.",
        )


def _same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text("utf-8") == text
