"""Find what is to be built: a model folder, and the pyproject.toml of the project around it if there is one.

Called by build, sdist and the PEP 517 backend. It reads files and decides nothing about the wheel; that the model's
code is never imported is guaranteed by everything here being text.
Source: PyPA "pyproject.toml specification" (PEP 518, PEP 621; PEP 808 for lists that are given and dynamic).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from modelwright.errors import BuildError, NameVersionError, ProjectError, UnknownPackageError
from modelwright.package import MODEL_FOLDER, FolderFiles, Package, open_folder
from modelwright.spec.manifest import Manifest
from modelwright.spec.naming import check_name, check_version, import_name

BACKEND = "modelwright.backend"


@dataclass(frozen=True)
class Project:
    """What is to be built.

    Attributes:
        package: The model package, files in a folder.
        root: Folder of pyproject.toml; without one the folder that holds the import package.
        table: The ``[project]`` table; empty without one.
        where: Path of pyproject.toml, for messages; empty without one.
        tool: The ``[tool.modelwright]`` table; empty without one.
    """

    package: Package
    root: Path
    table: dict[str, Any] = field(default_factory=dict)
    where: str = ""
    tool: dict[str, Any] = field(default_factory=dict)

    @property
    def manifest(self) -> Manifest:
        """The manifest of the model."""
        return self.package.manifest

    @property
    def source(self) -> Path:
        """The folder that holds the import package: what an editable installation puts on the path."""
        if isinstance(self.package.files, FolderFiles):
            return self.package.files.root
        raise BuildError("Only a folder can be built.", where=self.package.files.where)


def open_project(target: Package | Path | str) -> Project:
    """Find the model package and the project that a target means, and check that they agree.

    Args:
        target: A package from a folder, or the path of a model folder, of an import package, or of the folder that
            holds pyproject.toml or the import package.

    Raises:
        UnknownPackageError: There is no model folder.
        ManifestError: Its manifest is malformed.
        NameVersionError: Name or version are ones that an index would refuse.
        ProjectError: pyproject.toml is invalid or contradicts the manifest.
        BuildError: The package is not a folder.
    """
    project = _of_package(target) if isinstance(target, Package) else _of_path(Path(target))
    _check_manifest(project)
    if project.table:
        _check_agreement(project)
    return project


def _of_path(path: Path) -> Project:
    path = path.resolve()
    if not (path / "pyproject.toml").is_file():
        return _of_package(open_folder(path))
    document = read_toml(path / "pyproject.toml")
    where = str(path / "pyproject.toml")
    if not _is_model_project(document):
        backend = document.get("build-system", {}).get("build-backend")
        raise ProjectError(
            f"The project is built by {backend!r}, not by modelwright.",
            where=f"{where}: build-system.build-backend",
            why="A project of another backend is a model project if it says where its package is.",
            hint=f'Set build-backend = "{BACKEND}", or write [tool.modelwright] package = "src/NAME", '
            "or give the path of the model folder itself.",
        )
    return _project(discover(path, document, where), path, document)


def _is_model_project(document: dict[str, Any]) -> bool:
    """Say whether pyproject.toml is that of a model project: built by us, or with a table that names the package.

    A project that setuptools or another backend builds keeps doing so. What its ``[project]`` table says is used; what
    it leaves to ``setup.py`` (version, dependencies) comes from the manifest, which was written when the model was
    captured, and nothing of ``setup.py`` is executed.
    """
    ours = document.get("build-system", {}).get("build-backend") == BACKEND
    return ours or "package" in document.get("tool", {}).get("modelwright", {})


def _of_package(package: Package) -> Project:
    """Take the pyproject.toml above the import package along only if it is that of a model project."""
    if not isinstance(package.files, FolderFiles):
        raise BuildError(
            "Only a folder can be built.",
            where=package.files.where,
            hint="A wheel is built already. Build the model folder that it came from.",
        )
    holder = package.files.root
    for root in (holder, holder.parent) if holder.name == "src" else (holder,):
        if (root / "pyproject.toml").is_file():
            document = read_toml(root / "pyproject.toml")
            if _is_model_project(document):
                return _project(package, root, document)
    return Project(package, holder)


def _project(package: Package, root: Path, document: dict[str, Any]) -> Project:
    table, tool = document.get("project", {}), document.get("tool", {}).get("modelwright", {})
    return Project(package, root, table, str(root / "pyproject.toml"), tool)


def read_toml(path: Path) -> dict[str, Any]:
    """Read pyproject.toml and check the shape of the tables that a build looks at.

    Raises:
        ProjectError: Not TOML (the message has line and column), or a table is something else.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProjectError("pyproject.toml cannot be read.", where=str(path), why=str(error)) from error
    for name in ("build-system", "project", "tool"):
        if not isinstance(document.get(name, {}), dict):
            raise ProjectError(f"[{name}] is not a table.", where=str(path), hint=f"Write it as [{name}].")
    return document


def discover(root: Path, document: dict[str, Any], where: str) -> Package:
    """Find the model of a project: where [tool.modelwright] says, else in src/NAME or NAME, else the only one.

    Args:
        root: Folder of the project.
        document: Its pyproject.toml, as :func:`read_toml` returns it.
        where: Path of that file, for messages.

    Raises:
        UnknownPackageError: There is no model folder, or more than one.
        ProjectError: There is none where [tool.modelwright] says.
    """
    tool = document.get("tool", {}).get("modelwright", {})
    if "package" in tool:
        folder = (root / str(tool["package"])).resolve()
        if not folder.is_relative_to(root) or not (folder / MODEL_FOLDER / "manifest.json").is_file():
            raise ProjectError(
                f"There is no model in {tool['package']!r}.",
                where=f"{where}: tool.modelwright.package",
                why=f"A model package has {MODEL_FOLDER}/manifest.json in it, inside the project.",
                hint="Train and capture it (make train), or write the path of the import package, "
                "relative to pyproject.toml.",
            )
        return open_folder(folder)
    module = import_name(str(document.get("project", {}).get("name", "")))
    for folder in (root / "src" / module, root / module) if module else ():
        if (folder / MODEL_FOLDER / "manifest.json").is_file():
            return open_folder(folder)
    try:
        return open_folder(root)
    except UnknownPackageError as error:
        raise UnknownPackageError(
            error.what,
            where=error.where,
            why=error.why,
            hint="Train and capture it (make train, or capture(…, to=PROJECT)), or say where it is: "
            '[tool.modelwright] package = "src/NAME".',
        ) from None


def _check_manifest(project: Project) -> None:
    manifest, where = project.manifest, f"{project.package.files.where}: manifest.json"
    name, version = check_name(manifest.name), check_version(manifest.version)
    for said, normal in ((manifest.name, name), (manifest.version, version)):
        if said != normal:
            raise NameVersionError(f"{said!r} is not in its normal form.", where=where, hint=f"Write {normal!r}.")
    if manifest.import_name != project.package.import_name:
        raise ProjectError(
            f"The manifest says that the package is imported as {manifest.import_name!r}, "
            f"but its folder is {project.package.import_name!r}.",
            where=where,
            hint=f"Rename the folder to {manifest.import_name!r}, or capture the model again under the new name.",
        )


def _check_agreement(project: Project) -> None:
    """Compare [project] with the manifest: the same name and version, and dynamic where the manifest decides."""
    table, manifest = project.table, project.manifest
    dynamic = table.get("dynamic", [])
    if not isinstance(dynamic, list) or "name" in dynamic or not isinstance(table.get("name"), str):
        raise ProjectError(
            "[project] has no static name.",
            where=f"{project.where}: project.name",
            hint=f'Write name = "{manifest.name}".',
        )
    twice = sorted(name for name in set(dynamic) & set(table) if not isinstance(table[name], list | dict))
    if twice:
        raise ProjectError(
            f"[project] gives {twice[0]!r} and calls it dynamic.",
            where=f"{project.where}: project.dynamic",
            why="PEP 621 and PEP 808: only a list or a table may be given and added to by the build.",
            hint=f"Remove {twice[0]!r} from one of the two places.",
        )
    if canonicalize_name(table["name"]) != manifest.name:
        raise _contradiction(project, "name", table["name"], manifest.name)
    if "version" not in table and "version" not in dynamic:
        raise ProjectError(
            "[project] has no version.",
            where=f"{project.where}: project.version",
            hint='Write dynamic = ["version"]: the manifest has it.',
        )
    if "version" in table and check_version(str(table["version"])) != manifest.version:
        raise _contradiction(project, "version", table["version"], manifest.version)
    if manifest.environment.dependencies:
        check_dynamic(project)


def check_dynamic(project: Project) -> None:
    """Refuse a ``[project]`` table that does not say that the build adds dependencies.

    Raises:
        ProjectError: It says nothing of the kind.
    """
    if project.table and "dependencies" not in project.table.get("dynamic", []):
        raise ProjectError(
            "[project] does not say that the build adds dependencies.",
            where=f"{project.where}: project.dynamic",
            why="Unless they are dynamic, uv reads pyproject.toml alone and leaves out what the model needs.",
            hint='Add "dependencies" to dynamic; those of your own may stay (PEP 808).',
        )


def _contradiction(project: Project, what: str, said: str, captured: str) -> ProjectError:
    fix = ', or write dynamic = ["version"]' if what == "version" else ""
    return ProjectError(
        f"The project's {what} is {said!r}, the captured model's is {captured!r}.",
        where=f"{project.where}: project.{what}",
        why="The manifest was written when the model was captured and proved; a wheel cannot claim both.",
        hint=f'Write {what} = "{captured}"{fix}, or capture the model again as {said!r}.',
    )
