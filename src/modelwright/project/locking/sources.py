"""Find what is to be locked: a project with its requirements, or a package with the lock that it carries.

Called by :mod:`modelwright.project.locking.lock`. It reads files and resolves nothing; code of the project is not run.
Source: PEP 621 (``[project]``), PEP 735 (dependency groups), PEP 508 (requirements).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.dependency_groups import resolve_dependency_groups
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from modelwright.building.project import discover, read_toml
from modelwright.building.requirements import parse_requirement, unite
from modelwright.errors import ProjectError, UnknownPackageError
from modelwright.inspecting.read import Reference, read
from modelwright.package import MODEL_FOLDER, Package
from modelwright.runtime.suggestions import nearest
from modelwright.spec.manifest import Manifest

PROJECT_FILES = ("pyproject.toml", "setup.py")
"""One of these makes a folder a project that can be installed; ``setup.cfg`` alone does not."""
BACKEND = "modelwright.backend"


@dataclass(frozen=True)
class Project:
    """A project whose requirements are to be locked.

    Attributes:
        root: Its folder.
        document: Its pyproject.toml; empty without one.
        model: The model that was captured into it; ``None``: none yet.
    """

    root: Path
    document: Mapping[str, Any]
    model: Package | None = None

    @property
    def name(self) -> str:
        """Name of the distribution, or of the folder where only running a setup.py could tell."""
        return canonicalize_name(str(self.table.get("name") or self.root.name))

    @property
    def table(self) -> Mapping[str, Any]:
        """The ``[project]`` table; empty without one."""
        found: Mapping[str, Any] = self.document.get("project", {})
        return found

    @property
    def where(self) -> str:
        """Path of pyproject.toml, for messages."""
        return str(self.root / "pyproject.toml")

    @property
    def manifest(self) -> Manifest | None:
        """What the captured model says of itself."""
        return self.model.manifest if self.model else None

    @property
    def pins(self) -> tuple[str, ...]:
        """What the captured model requires."""
        return self.manifest.environment.dependencies if self.manifest else ()

    @property
    def asked_of_backend(self) -> Path | None:
        """The file whose requirements only the build backend of the project knows; ``None``: all are in the text."""
        dynamic = self.table.get("dynamic", ())
        if self.document.get("build-system", {}).get("build-backend") == BACKEND:
            return None
        if self.table and not {"dependencies", "optional-dependencies"} & set(dynamic):
            return None
        setup = self.root / "setup.py"
        return setup if "build-system" not in self.document and setup.is_file() else self.root / "pyproject.toml"

    def requirements(self, *, extras: Iterable[str] = (), groups: Iterable[str] = ()) -> tuple[str, ...]:
        """Return what is to be locked, sorted: pins of the model, dependencies, extras and groups.

        A requirement that a pin of the model fulfils is that pin.

        Raises:
            ProjectError: A requirement is malformed or contradicts a pin, or there is no such extra or group.
        """
        wanted = self._of_groups(groups)
        if self.asked_of_backend is None:
            wanted += self._listed("dependencies", self.table.get("dependencies", []))
            wanted += self._of_extras(extras)
        united = unite(self.pins, self._others(wanted), where=self.where)
        return tuple(dict.fromkeys(map(str, united)))

    def _of_extras(self, asked: Iterable[str]) -> list[str]:
        known = self.table.get("optional-dependencies", {})
        chosen = _chosen(asked, known, kind="extra", where=f"{self.where}: project.optional-dependencies")
        return [text for name in chosen for text in self._listed(f"optional-dependencies.{name}", known[name])]

    def _others(self, wanted: Iterable[str]) -> list[str]:
        """Put the extras of the project itself in the place of ``NAME[extra]``; an index may have another NAME."""
        waiting, seen, found = list(wanted), set[str](), list[str]()
        while waiting:
            text = waiting.pop(0)
            requirement = parse_requirement(text, where=self.where)
            if canonicalize_name(requirement.name) != self.name:
                found.append(text)
                continue
            waiting += self._of_extras(sorted(requirement.extras - seen))
            seen |= requirement.extras
        return found

    def _of_groups(self, asked: Iterable[str]) -> list[str]:
        known = self.document.get("dependency-groups", {})
        where = f"{self.where}: dependency-groups"
        try:
            return list(resolve_dependency_groups(known, *_chosen(asked, known, kind="group", where=where)))
        except ExceptionGroup as group:
            why = "; ".join(map(str, group.exceptions))
            raise ProjectError("The dependency groups break PEP 735.", where=where, why=why) from group

    def _listed(self, field: str, said: Any) -> list[str]:
        if not isinstance(said, list) or not all(isinstance(text, str) for text in said):
            raise ProjectError(f"project.{field} has to be a list of texts.", where=self.where)
        return list(said)

    def requires_python(self) -> SpecifierSet:
        """Return which Pythons the project supports; all, if it does not say.

        Raises:
            ProjectError: ``requires-python`` is no specifier.
        """
        said = self.table.get("requires-python", "")
        try:
            return SpecifierSet(said)
        except (InvalidSpecifier, TypeError, AttributeError) as error:
            raise ProjectError(
                f"{said!r} is no version specifier.", where=f"{self.where}: project.requires-python"
            ) from error


def _chosen(asked: Iterable[str], known: Any, *, kind: str, where: str) -> list[str]:
    """Return the names as the project spells them.

    Raises:
        ProjectError: The project has no such name.
    """
    if not isinstance(known, dict):
        raise ProjectError(f"The {kind}s of the project are no table.", where=where)
    spelled = {canonicalize_name(name): name for name in known}
    for name in asked:
        if canonicalize_name(name) not in spelled:
            meant = nearest(name, known)
            raise ProjectError(
                f"The project has no {kind} {name!r}.",
                where=where,
                why=f"It has {', '.join(map(repr, known))}." if known else f"It has no {kind}s.",
                hint=f"Did you mean {meant!r}?" if meant else "",
            )
    return [spelled[canonicalize_name(name)] for name in asked]


def find(target: Reference) -> Project | Package:
    """Find what a target means: a folder with a project file is a project, anything else a package.

    Args:
        target: A folder, one of its project files, or a package: a model folder, a wheel, an installed name, a URL.

    Raises:
        UnknownPackageError: It is neither.
        ProjectError: pyproject.toml is no TOML, or has no model where it says that there is one.
    """
    path = Path(target) if isinstance(target, Path | str) else None
    if path is not None and path.name in PROJECT_FILES and path.is_file():
        path = path.parent
    if path is None or not path.is_dir() or not any((path / name).is_file() for name in PROJECT_FILES):
        return _package(target, path)
    root = path.resolve()
    file = root / "pyproject.toml"
    document = read_toml(file) if file.is_file() else {}
    if not {"project", "build-system"} & set(document) and not (root / "setup.py").is_file():
        raise ProjectError(
            "pyproject.toml has no [project].", where=str(file), hint="Write name and dependencies in it."
        )
    return Project(root, document, _model(root, document))


def _package(target: Reference, path: Path | None) -> Package:
    try:
        return read(target)
    except UnknownPackageError as error:
        if path is None or not path.is_dir() or error.why:
            raise
        raise UnknownPackageError(
            "There is neither a project nor a model here.",
            where=str(path.resolve()),
            why=f"A project has one of {', '.join(PROJECT_FILES)}; a model folder has manifest.json.",
            hint="modelwright new NAME makes a project.",
        ) from None


def _model(root: Path, document: dict[str, Any]) -> Package | None:
    said = document.get("tool", {}).get("modelwright", {}).get("package", "")
    if said and (root / str(said)).is_dir() and not (root / str(said) / MODEL_FOLDER / "manifest.json").is_file():
        return None
    try:
        return discover(root, document, str(root / "pyproject.toml"))
    except UnknownPackageError as error:
        if error.why:  # several models, listed: which one is meant has to be said
            raise
        return None
