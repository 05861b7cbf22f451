"""Decide which of a project's files declares it, and read that one.

Called by :mod:`modelwright.project.adopting.adopt`. It runs nothing and changes nothing.
Source: PEP 517 (a project without [build-system] is built by setuptools), PEP 621.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from modelwright.building.project import BACKEND, read_toml
from modelwright.errors import AdoptError, ProjectError
from modelwright.project.adopting.checking import check_table
from modelwright.project.adopting.declared import Declared
from modelwright.project.adopting.licences import spdx
from modelwright.project.adopting.poetry import declare_poetry
from modelwright.project.adopting.report import Finding
from modelwright.project.adopting.setup_files import attribute, read_setup_files
from modelwright.project.adopting.static_code import parse
from modelwright.project.adopting.static_values import Unread, World
from modelwright.project.adopting.tree import Tree

SETUPTOOLS = "setuptools.build_meta:__legacy__"
"""The backend of a project that names none. Source: PEP 517."""


def read_document(tree: Tree) -> dict[str, Any]:
    """Return pyproject.toml as plain data; empty if there is none.

    Raises:
        AdoptError: It is not TOML, or a table is something else; line and column are named.
    """
    if "pyproject.toml" not in tree.known:
        return {}
    try:
        return read_toml(tree.root / "pyproject.toml")
    except ProjectError as error:
        raise AdoptError(
            "pyproject.toml cannot be read." if "cannot" in error.what else error.what,
            where=error.where,
            why=error.why,
            hint=error.hint or "Correct it; nothing was changed.",
        ) from error


def backend_of(document: dict[str, Any]) -> str:
    """Return the build backend that a pyproject.toml names, or setuptools' own."""
    return str(document.get("build-system", {}).get("build-backend", SETUPTOOLS))


def is_model_project(document: dict[str, Any]) -> bool:
    """Tell whether modelwright builds the project as it is, once it holds a model."""
    said = document.get("tool", {}).get("modelwright", {})
    return "project" in document and (backend_of(document) == BACKEND or "package" in said)


def read_declared(tree: Tree, document: dict[str, Any]) -> Declared:
    """Return what the project declares, wherever it does.

    Raises:
        AdoptError: There is no project, or its files cannot be read.
    """
    tool, where = document.get("tool", {}), str(tree.root / "pyproject.toml")
    if "project" in document:
        check_table(document["project"], where=where)
        declared = _of_project(tree, document)
        _fill(declared, _other(tree, document))
        check_table(declared.table, where=where)
        return declared
    if "poetry" in tool:
        declared = declare_poetry(tool["poetry"], where=where)
        check_table(declared.table, where=where)
        return declared
    if "flit" in tool and "metadata" in tool["flit"]:
        raise AdoptError(
            "The project has flit's metadata from before PEP 621.",
            where=f"{tree.root / 'pyproject.toml'}: tool.flit.metadata",
            hint="python -m flit.tomlify writes the table [project]; adopt after that, or: --run-setup.",
        )
    found = read_setup_files(tree)
    if found is None:
        raise AdoptError(
            "There is no project here.",
            where=str(tree.root),
            why="Neither pyproject.toml with [project] or [tool.poetry], nor setup.py, nor setup.cfg says what it is.",
            hint="To begin a project around your code: modelwright new NAME",
        )
    return found


def _other(tree: Tree, document: dict[str, Any]) -> Declared | None:
    """Return what stands outside of [project], for what it calls dynamic."""
    if "poetry" in document.get("tool", {}) and document["project"].get("dynamic"):
        return declare_poetry(document["tool"]["poetry"], where=str(tree.root / "pyproject.toml"))
    uses_setuptools = backend_of(document).startswith("setuptools")
    return read_setup_files(tree) if uses_setuptools and document["project"].get("dynamic") else None


def _fill(declared: Declared, other: Declared | None) -> None:
    """Take from another file what [project] calls dynamic and does not say itself."""
    if other is None:
        return
    dynamic = declared.table.get("dynamic", [])
    for field in [field for field in dynamic if field in other.table and field not in declared.table]:
        declared.table[field] = other.table[field]
        declared.unread = [each for each in declared.unread if each[0] != field]
    declared.scripts = declared.scripts or other.scripts
    declared.packages = declared.packages if declared.packages is not None else other.packages
    declared.sources = declared.sources or other.sources
    declared.removable += other.removable


def _of_project(tree: Tree, document: dict[str, Any]) -> Declared:
    table: dict[str, Any] = dict(document["project"])
    backend, tool = backend_of(document), document.get("tool", {})
    declared = Declared("project", table=table)
    if backend.startswith("setuptools"):
        _setuptools(declared, tool.get("setuptools", {}))
    from_model = ("version", "dependencies") if is_model_project(document) else ()  # the manifest has them
    for field in [each for each in table.get("dynamic", []) if each not in table and each not in from_model]:
        value = _dynamic(field, tool, tree, backend)
        if isinstance(value, Unread):
            declared.unread.append((field, value.why, f"{tree.root / 'pyproject.toml'}: project.dynamic"))
        else:
            table[field] = value
    _license(declared)
    tables = [name for name in ("setuptools", "hatch", "flit", "poetry", "pdm") if name in tool and backend != BACKEND]
    declared.removable += [f"pyproject.toml: [tool.{name}…], as far as it is about building" for name in tables]
    return declared


def _license(declared: Declared) -> None:
    """Turn the licence tables of before PEP 639 into an expression."""
    table = declared.table
    said = table.get("license")
    classifiers = table.get("classifiers", [])
    private = [each for each in classifiers if each.startswith("License ::")]
    if isinstance(said, dict) or (said is None and private):
        text = str(said.get("text", "")) if isinstance(said, dict) else ""
        names = {spdx(each) for each in ([text] if text else private)}
        if len(names) == 1 and "" not in names:
            table["license"] = names.pop()
        else:
            table.pop("license", None)
            declared.license_text = text or str(said or "; ".join(private))
            what = f"The licence {declared.license_text[:60]!r} names no licence that SPDX knows; it is left out."
            fix = 'Write license = "…" with an SPDX expression, and license-files = ["LICENSE"].'
            declared.findings.append(
                Finding(severity="warning", file="pyproject.toml", what=what, why="PEP 639.", fix=fix)
            )
    if private:
        table["classifiers"] = [each for each in classifiers if each not in private]


def _setuptools(declared: Declared, tool: dict[str, Any]) -> None:
    declared.sources = {str(k): str(v) for k, v in tool.get("package-dir", {}).items()}
    packages = tool.get("packages")
    if isinstance(packages, list):
        declared.packages = [str(each) for each in packages]
    elif isinstance(packages, dict) and "find" in packages:
        where = packages["find"].get("where", ["."])
        declared.sources = declared.sources or ({"": where[0]} if where != ["."] else {})
    data = tool.get("package-data", {})
    declared.package_data = {"" if k == "*" else str(k): [str(each) for each in v] for k, v in data.items()}
    declared.includes_data = bool(tool.get("include-package-data", True))
    declared.scripts = [str(each) for each in tool.get("script-files", ())]
    declared.modules = [str(each) for each in tool.get("py-modules", ())]


def _dynamic(field: str, tool: dict[str, Any], tree: Tree, backend: str) -> Any:
    """Read what [project] calls dynamic from where the backend would."""
    said = tool.get("setuptools", {}).get("dynamic", {}).get(field)
    if isinstance(said, dict) and "attr" in said:
        return attribute(str(said["attr"]), tree)
    if isinstance(said, dict) and "file" in said:
        return _from_files(field, said["file"], tree)
    hatch = tool.get("hatch", {}).get("version", {})
    if field == "version" and backend.startswith("hatchling") and "path" in hatch:
        return _version_in(str(hatch["path"]), tree)
    pdm = tool.get("pdm", {}).get("version", {})
    if field == "version" and pdm.get("source") == "file":
        return _version_in(str(pdm["path"]), tree)
    if backend.startswith("flit") and field in ("version", "description"):
        return _flit(field, tree, str(tool.get("flit", {}).get("module", {}).get("name", "")))
    return Unread(f"the backend {backend} computes it", 0)


def _from_files(field: str, files: str | list[str], tree: Tree) -> Any:
    names = [files] if isinstance(files, str) else files
    missing = next((name for name in names if name not in tree.known), None)
    if missing:
        return Unread(f"it reads {missing}, which is no file of the project", 0)
    text = "\n".join(tree.text(name) for name in names)
    if field == "readme":
        return names[0]
    if field == "dependencies":
        lines = [line.split(" #")[0].strip() for line in text.splitlines()]
        return [line for line in lines if line and not line.startswith(("#", "-"))]
    return text.strip()


def _version_in(path: str, tree: Tree) -> Any:
    module = Path(path).with_suffix("").as_posix().removesuffix("/__init__").removeprefix("src/").replace("/", ".")
    found = attribute(f"{module}.__version__", tree)
    return attribute(f"{module}.VERSION", tree) if isinstance(found, Unread) else found


def _flit(field: str, tree: Tree, module: str) -> Any:
    names = (
        [module]
        if module
        else [f.split("/")[-2] for f in tree.files if f.endswith("/__init__.py") and f.count("/") < 3]
    )
    for name in names:
        found = attribute(f"{name}.__version__", tree) if field == "version" else _docstring(name, tree)
        if not isinstance(found, Unread):
            return found
    return Unread("no module assigns it", 0)


def _docstring(module: str, tree: Tree) -> Any:
    """Return the first line of a module's docstring, which flit takes as the description."""
    file = World(tree, "").module_of(f"{module}.__doc__")[0]
    text = ast.get_docstring(parse(tree.text(file), where=file)) if file else None
    return text.partition("\n")[0] if text else Unread(f"{module} has no docstring", 0)
