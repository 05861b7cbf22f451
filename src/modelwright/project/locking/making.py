"""Make the content of a lock: resolve the requirements of a project, or take what a package carries.

Called by :mod:`modelwright.project.locking.lock`. uv resolves, through :mod:`modelwright.capturing.locking`; nothing is
written here.
"""

from __future__ import annotations

import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import tomlkit

from modelwright.capturing.locking import Around, start
from modelwright.errors import LockError
from modelwright.package import Package
from modelwright.project.locking.asking import Wanted
from modelwright.project.locking.sources import Project
from modelwright.spec.environment import Environment

MINORS = tuple(f"3.{minor}" for minor in range(8, 30))
"""Releases of CPython that ``requires-python`` is asked about, the oldest first."""
LATEST_PATCH = 40
"""No minor release of CPython has had more patch releases."""


class Content(NamedTuple):
    """What a lock says, before it is written in the words of an installer.

    Attributes:
        pylock: Text of ``pylock.toml``.
        requirements: The same as hashed requirements.
        python: Oldest Python that it is for, major and minor.
        note: What its reader has to know; empty if there is nothing.
    """

    pylock: str
    requirements: str
    python: str
    note: str = ""


def carried(package: Package) -> Content:
    """Return the lock that a package carries, unchanged.

    Raises:
        PackageError: It carries none.
    """
    requirements = package.read("requirements.txt").decode("utf-8")
    return Content(package.lock, requirements, _minor(package.manifest.environment))


def made(project: Project, wanted: Wanted, *, kept: str) -> Content:
    """Lock the requirements of a project together with those of its model.

    What the model was proved with stays as it is, down to the last transitive version. A project that adds nothing to
    its model has the model's own lock.

    Args:
        project: The project.
        wanted: What is asked.
        kept: Text of an earlier lock, whose versions stay where they can; empty: there is none.

    Raises:
        LockError: The requirements cannot be resolved, or not for this Python.
        ProjectError: A requirement is malformed or contradicts a pin, or there is no such extra or group.
    """
    python = _python(project, wanted)
    lines = project.requirements(extras=wanted.extras, groups=wanted.groups)
    if project.model and _adds_nothing(project, lines, wanted, python):
        return carried(project.model)
    with tempfile.TemporaryDirectory(prefix="modelwright-lock-") as folder:
        given, file = _as_uv_reads_it(project, lines, python, Path(folder))
        around = Around(
            folder=project.root,
            file=file,
            extras=wanted.extras if project.asked_of_backend else (),
            held=tuple(_held(project.model.lock)) if project.model else (),
            kept=kept,
        )
        found = start(given, python=python, index_url=wanted.index_url, around=around).result()
    return Content(found.pylock, found.requirements, python, found.note)


def _adds_nothing(project: Project, lines: Sequence[str], wanted: Wanted, python: str) -> bool:
    environment = project.manifest.environment if project.manifest else None
    same = environment is not None and python == _minor(environment) and set(lines) == set(project.pins)
    return same and project.asked_of_backend is None and wanted.index_url is None


def _as_uv_reads_it(
    project: Project, lines: Sequence[str], python: str, folder: Path
) -> tuple[Sequence[str], Path | None]:
    """Return the requirements to hand over as lines, and the project file that uv shall read beside them.

    ``[tool.uv.sources]`` holds for a project file only, so a project that has it is written down as one.
    """
    settings = project.document.get("tool", {}).get("uv", {})
    if project.asked_of_backend or not settings.get("sources"):
        return lines, project.asked_of_backend
    named = {"name": project.name, "version": "0", "requires-python": f">={python}", "dependencies": list(lines)}
    told = {name: settings[name] for name in ("sources", "index") if name in settings}
    file = folder / "pyproject.toml"
    file.write_text(tomlkit.dumps({"project": named, "tool": {"uv": told}}), "utf-8")
    return (), file


def _held(pylock: str) -> Sequence[str]:
    """Return the versions of a model's lock as restrictions (PEP 508)."""
    packages: list[dict[str, Any]] = tomllib.loads(pylock).get("packages", [])
    return [
        f"{package['name']}=={package['version']}" + (f" ; {package['marker']}" if "marker" in package else "")
        for package in packages
        if "version" in package
    ]


def _python(project: Project, wanted: Wanted) -> str:
    """Decide for which Python to lock.

    Raises:
        LockError: The model was not verified on the one that is asked for, or the project excludes it.
        ProjectError: ``requires-python`` is no specifier.
    """
    wanted.check()
    supported = [minor for minor in MINORS if _allows(project, minor)]
    if wanted.python and wanted.python not in supported:
        raise LockError(
            f"The project does not support Python {wanted.python}.",
            where=f"{project.where}: project.requires-python",
            why=f"requires-python = {project.table['requires-python']!r}.",
            hint=f"modelwright lock --python {supported[0]}" if supported else "",
        )
    if project.manifest is not None:
        return _of_model(project.manifest.environment, wanted.python, str(project.root))
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    oldest = supported[0] if supported and "requires-python" in project.table else here
    return wanted.python or oldest


def _of_model(environment: Environment, asked: str, where: str) -> str:
    verified = [f"{tag[2]}.{tag[3:]}" for tag in environment.interpreters]
    if asked and not environment.portable and asked not in verified:
        raise LockError(
            f"The model was verified on Python {', '.join(verified)}, not on {asked}.",
            where=where,
            why="Its wheel cannot be installed on another.",
            hint=f"modelwright verify {where} --python {asked}",
        )
    return asked or _minor(environment)


def _allows(project: Project, minor: str) -> bool:
    specifier = project.requires_python()
    return any(specifier.contains(f"{minor}.{patch}") for patch in range(LATEST_PATCH))


def _minor(environment: Environment) -> str:
    return ".".join(environment.python.split(".")[:2])
