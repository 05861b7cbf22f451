"""Open a project whose model has not been captured yet, so that it can be installed in order to train it.

Called by the editable hooks of the PEP 517 backend. Such a project has code and a ``[project]`` table but no manifest;
what the manifest would say (pins, signature, the model's own command) is left open. A wheel for others is never made
from it: :func:`modelwright.building.build.build` refuses.
Source: PEP 660 (editable installs); PEP 621 ([project]).
"""

from __future__ import annotations

import sys
from functools import cached_property
from pathlib import Path
from typing import Any

from modelwright.building.project import Project, open_project, read_toml
from modelwright.errors import ProjectError
from modelwright.package import MODEL_FOLDER, FolderFiles, Package
from modelwright.spec.environment import Environment
from modelwright.spec.manifest import FORMAT_VERSION, Manifest, Storage
from modelwright.spec.naming import check_name, check_version, import_name
from modelwright.spec.signature import Signature


class Unmodelled(Package):
    """The import package of a project without a model: name and version are known, and nothing else.

    Args:
        home: Folder of the import package.
        name: Distribution name, normalised.
        version: Version of the project, normalised.
    """

    def __init__(self, home: Path, *, name: str, version: str) -> None:
        super().__init__(FolderFiles(home.parent), home.name, path=home.parent)
        self._name, self._version = name, version

    @cached_property
    def manifest(self) -> Manifest:
        """What can be said before there is a model; it is never written."""
        here = Environment(
            python=".".join(map(str, sys.version_info[:3])),
            interpreters=(f"cp{sys.version_info.major}{sys.version_info.minor}",),
            portable=True,
            dependencies=(),
        )
        return Manifest(
            format_version=FORMAT_VERSION,
            name=self._name,
            version=self._version,
            import_name=self.import_name,
            task="function",
            created="1980-01-01T00:00:00Z",
            storage=Storage(format="", loader="", model_type=""),
            artifacts=(),
            signature=Signature(inputs=(), outputs=(), container="records"),
            environment=here,
        )

    @property
    def card(self) -> str:
        """There is no card yet."""
        return ""


def open_editable(root: Path) -> Project:
    """Open a project for an editable installation, whether its model has been captured or not.

    Args:
        root: Folder of pyproject.toml.

    Raises:
        ProjectError: There is no model, and ``[project]`` does not give the version that the manifest would.
        ModelwrightError: For the same reasons as :func:`modelwright.building.project.open_project`.
    """
    root = root.resolve()
    document = read_toml(root / "pyproject.toml") if (root / "pyproject.toml").is_file() else {}
    table = document.get("project", {})
    home = _import_package(root, document)
    if home is None or (home / MODEL_FOLDER / "manifest.json").is_file():
        return open_project(root)
    where = str(root / "pyproject.toml")
    if not isinstance(table.get("version"), str):
        raise ProjectError(
            "There is neither a captured model nor a static version.",
            where=f"{where}: project.version",
            why="Until a model is captured, only pyproject.toml can say which version this is.",
            hint='Write version = "0.1.0", or capture the model first.',
        )
    package = Unmodelled(home, name=check_name(table["name"]), version=check_version(table["version"]))
    return Project(package, root, table, where)


def _import_package(root: Path, document: dict[str, Any]) -> Path | None:
    """Return the folder of the project's own code, or ``None`` if the project does not say which it is."""
    said = document.get("tool", {}).get("modelwright", {}).get("package")
    name = document.get("project", {}).get("name")
    if not isinstance(name, str):
        return None
    module = import_name(name)
    candidates = [root / str(said)] if said else [root / "src" / module, root / module]
    return next((folder for folder in candidates if (folder / "__init__.py").is_file()), None)
