"""List what the code of a project imports, and which part of the project does.

Called by :mod:`modelwright.project.adopting.pruning`. It reads; notebooks are read as the JSON they are.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Collection, Iterator

from modelwright.errors import AdoptError
from modelwright.project.adopting.layout import Layout
from modelwright.project.adopting.static_code import parse
from modelwright.project.adopting.tree import Tree

Importers = dict[str, dict[str, list[str]]]
"""Importing files by part of the project (``package``, ``tests/``, ``train.py``), by top-level module."""
PACKAGE = "package"
_TESTS = ("tests", "test", "testing")


def project_imports(tree: Tree, layout: Layout, *, moved: Collection[str] = ()) -> Importers:
    """Return who imports which top-level module, Python's own and the project's left out.

    Args:
        tree: The project.
        layout: Where its package is.
        moved: Files outside of the package that are taken into it.
    """
    own = {layout.module, *(other.rpartition("/")[2] for other in layout.others)}
    own |= {file.removesuffix(".py").rpartition("/")[2] for file in tree.files if file.endswith(".py")}
    found: Importers = {}
    for file in tree.files:
        if file in ("setup.py", "conftest.py") or not file.endswith((".py", ".ipynb")):
            continue
        for module in _modules(tree, file):
            if module not in own and module not in sys.stdlib_module_names:
                found.setdefault(module, {}).setdefault(PACKAGE if file in moved else _part(file, layout), []).append(
                    file
                )
    return found


def _part(file: str, layout: Layout) -> str:
    """Name the part of the project that a file belongs to."""
    parts = file.split("/")
    if file.startswith(f"{layout.package}/"):
        inner = next((part for part in parts if part in _TESTS), "")
        return f"{inner}/" if inner else PACKAGE
    return f"{parts[0]}/" if len(parts) > 1 else file


def _modules(tree: Tree, file: str) -> set[str]:
    try:
        sources = _cells(tree.text(file)) if file.endswith(".ipynb") else [tree.text(file)]
        return {name for source in sources for name in imported(parse(source, where=file))}
    except AdoptError:
        return set()


def imported(module: ast.AST) -> Iterator[str]:
    """Give the top-level modules that code imports; those behind TYPE_CHECKING are never executed and left out."""
    for node in ast.iter_child_nodes(module):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module and not node.level:
                yield node.module.partition(".")[0]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (str(a.value).partition(".")[0] for a in node.args[:1] if isinstance(a, ast.Constant))
        elif not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            yield from imported(node)


def _cells(text: str) -> list[str]:
    """Return the code of a notebook's cells, without magics; a cell that is no Python gives its import lines."""
    try:
        cells = json.loads(text).get("cells", [])
        sources = ["".join(cell.get("source", "")) for cell in cells if cell.get("cell_type") == "code"]
    except (ValueError, AttributeError, TypeError):
        return []
    kept = []
    for source in sources:
        lines = [line for line in source.splitlines() if not line.lstrip().startswith(("%", "!", "?"))]
        try:
            ast.parse("\n".join(lines))
        except (SyntaxError, ValueError):
            lines = [
                line.strip() for line in lines if line.strip().startswith(("import ", "from ")) and "(" not in line
            ]
        kept.append("\n".join(lines))
    return kept
