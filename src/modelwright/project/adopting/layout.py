"""Find the import package that the model belongs to.

Called by :mod:`modelwright.project.adopting.adopt`. It looks at names of files only.
"""

from __future__ import annotations

from typing import NamedTuple

from modelwright.errors import AdoptError, Problem
from modelwright.project.adopting.declared import Declared
from modelwright.project.adopting.tree import Tree
from modelwright.spec.naming import import_name

_NOT_PACKAGES = (
    "test tests testing doc docs example examples script scripts bin notebook notebooks data models tools ci build "
    "dist benchmark benchmarks config conf assets resource resources sample samples"
)
NOT_PACKAGES = frozenset(_NOT_PACKAGES.split())
"""Folders at the top of a project that are not what is shipped. Source: setuptools, ``FlatLayoutPackageFinder``."""


class Layout(NamedTuple):
    """Where the import package is.

    Attributes:
        package: Its folder, relative to the root (``src/churn``).
        others: Other top-level packages that the project has.
    """

    package: str
    others: tuple[str, ...]

    @property
    def module(self) -> str:
        """The name it is imported by."""
        return self.package.rpartition("/")[2]

    @property
    def source(self) -> str:
        """The folder it is in; ``.`` is the root."""
        return self.package.rpartition("/")[0] or "."


def find_layout(tree: Tree, declared: Declared, *, package: str = "", said: str = "") -> Layout:
    """Find the import package.

    Args:
        tree: The project.
        declared: What it declares.
        package: What the user names: a folder or a module.
        said: What ``[tool.modelwright] package`` says already.

    Raises:
        AdoptError: There is none, or more than one and nobody says which.
    """
    found = _candidates(tree, declared)
    wanted = package or said
    if wanted:
        chosen = next((each for each in found if wanted.strip("./") in (each, each.rpartition("/")[2])), None)
        if chosen is None and tree.below(wanted.strip("./")):
            chosen = wanted.strip("./")
    else:
        module = import_name(str(declared.table.get("name", "")))
        chosen = next((each for each in found if each.rpartition("/")[2] == module), None)
        chosen = chosen or (found[0] if len(found) == 1 else None)
    if chosen is None:
        raise _refusal(tree, found, wanted)
    return Layout(chosen, tuple(each for each in found if each != chosen))


def _candidates(tree: Tree, declared: Declared) -> list[str]:
    """List the folders that are top-level packages, as declared or else as they lie there."""
    source = declared.sources.get("", "src" if any(file.startswith("src/") for file in tree.files) else "")
    if declared.packages:
        tops = dict.fromkeys(name.partition(".")[0] for name in declared.packages)
        folders = [declared.sources.get(top, f"{source}/{top}".strip("/")) for top in tops]
        return [folder for folder in folders if tree.below(folder) and folder not in NOT_PACKAGES]
    prefix = f"{source}/" if source else ""
    tops = dict.fromkeys(
        file[len(prefix) :].split("/")[0] for file in tree.below(source) if file.count("/") > prefix.count("/")
    )
    known = [top for top in tops if top.isidentifier() and (source or top not in NOT_PACKAGES)]
    regular = [prefix + top for top in known if f"{prefix}{top}/__init__.py" in tree.known]
    module = import_name(str(declared.table.get("name", "")))
    loose = [prefix + top for top in known if top == module and prefix + top not in regular]
    return regular + [folder for folder in loose if any(file.endswith(".py") for file in tree.below(folder))]


def _refusal(tree: Tree, found: list[str], wanted: str) -> AdoptError:
    if wanted:
        what, why = f"There is no package {wanted!r}.", f"There are: {', '.join(found) or 'none'}."
        return AdoptError(what, where=str(tree.root), why=why, hint="Give its folder: --package src/NAME")
    if not found:
        modules = [file for file in tree.files if "/" not in file and file.endswith(".py") and file != "setup.py"]
        return AdoptError(
            "The project has no import package.",
            where=str(tree.root),
            why=f"Its code stands in single files: {', '.join(modules[:5])}."
            if modules
            else "No folder has __init__.py.",
            hint="Make a folder src/NAME with __init__.py, and move what the model needs into it.",
        )
    return AdoptError(
        f"The project has {len(found)} packages; a model belongs to one.",
        where=str(tree.root),
        problems=[Problem(None, None, "a top-level package", item=folder) for folder in found],
        hint=f"Say which: --package {found[0]}",
    )
