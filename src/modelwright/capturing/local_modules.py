"""Bring the user's own modules into a package: find them by static import graph, make their imports relative.

Called by code collection. ``import utils`` becomes ``from . import utils``, so nothing depends on ``sys.path`` and two
models with a ``utils.py`` each live in one process. It reads source and executes nothing.
"""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from modelwright.capturing.homes import home_of_module, module_files
from modelwright.errors import SourceError

_Statement = ast.Import | ast.ImportFrom


class LocalModule(NamedTuple):
    """One of the user's own modules.

    Attributes:
        name: Its name where it was written (``shop.prices``).
        file: Where it is on this machine.
        source: Its text.
        is_package: Whether it is the ``__init__.py`` of a folder.
    """

    name: str
    file: Path
    source: str
    is_package: bool

    @property
    def path(self) -> str:
        """Where it goes, relative to the import package."""
        parts = self.name.replace(".", "/")
        return f"{parts}/__init__.py" if self.is_package else f"{parts}.py"

    @property
    def parent(self) -> str:
        """The package that its relative imports start from; empty at the top."""
        return self.name if self.is_package else self.name.rpartition(".")[0]


class Imported(NamedTuple):
    """One import that shipped code makes.

    Attributes:
        module: Absolute dotted name.
        importer: Path of the importing file within the package.
        optional: Whether the code copes without it (``try: import … except ImportError``).
    """

    module: str
    importer: str
    optional: bool = False


def local_closure(names: Iterable[str]) -> dict[str, LocalModule]:
    """Return the named local modules and all local ones that they import, by name, sorted.

    Raises:
        SourceError: One of them has no Python source.
    """
    found: dict[str, LocalModule] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        parent = name.rpartition(".")[0]
        if name in found or not is_local(name):
            continue
        module = read_module(name)
        waiting += [parent] if parent else []
        if module is None:  # a namespace package has no file of its own
            continue
        found[name] = module
        waiting += [target for target, _ in _targets(ast.parse(module.source), module.parent)]
    return dict(sorted(found.items()))


def is_local(name: str) -> bool:
    """Tell whether a dotted name leads to one of the user's own files."""
    return home_of_module(name) == "local" and bool(module_files(name))


def read_module(name: str) -> LocalModule | None:
    """Read the source of a local module; ``None`` for a folder without ``__init__.py``.

    Raises:
        SourceError: It is compiled, or its text cannot be read.
    """
    file = module_files(name)[0]
    if file.is_dir():
        return None
    if file.suffix != ".py":
        raise SourceError(
            f"The local module {name!r} has no Python source.",
            where=str(file),
            why="A compiled file works on this machine only.",
            hint="Publish it as a distribution of its own and install that, then capture again.",
        )
    try:
        with tokenize.open(file) as stream:
            source = stream.read()
        ast.parse(source)
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise SourceError(f"The local module {name!r} cannot be read.", where=str(file), why=str(error)) from error
    return LocalModule(name, file, source, file.name == "__init__.py")


def imports_of(module: LocalModule) -> Iterator[Imported]:
    """List what a module imports that is not local, with absolute names."""
    for target, optional in _targets(ast.parse(module.source), module.parent):
        if not is_local(target) and not is_local(target.partition(".")[0]):
            yield Imported(target, module.path, optional)


def _targets(tree: ast.AST, parent: str) -> Iterator[tuple[str, bool]]:
    """List what the code imports as absolute names; ``from a import b`` also names ``a.b`` if that is a module."""
    for node, optional in _statements(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, optional) for alias in node.names)
            continue
        origin = _absolute(node, parent)
        if origin and origin != "__future__":
            yield origin, optional
            if is_local(origin):
                yield from ((n, True) for alias in node.names if is_local(n := f"{origin}.{alias.name}"))
        elif not origin:
            yield from ((alias.name, True) for alias in node.names)


def _absolute(node: ast.ImportFrom, parent: str) -> str:
    if not node.level:
        return node.module or ""
    above = parent.split(".")[: len(parent.split(".")) - node.level + 1] if parent else []
    return ".".join([*above, *filter(None, [node.module])])


def _statements(node: ast.AST, optional: bool = False) -> Iterator[tuple[_Statement, bool]]:
    """Walk import statements; those behind TYPE_CHECKING are never executed and left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Statement):
            yield child, optional
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield from _statements(ast.Module([other], []), optional)
        else:
            copes = isinstance(child, ast.Try) and any(_catches_import(h) for h in child.handlers)
            yield from _statements(child, optional or copes)


def _catches_import(handler: ast.ExceptHandler) -> bool:
    caught = ast.unparse(handler.type) if handler.type else "Exception"
    return any(name in caught for name in ("ImportError", "ModuleNotFoundError", "Exception"))


def relative_source(source: str, *, parent: str) -> str:
    """Return source with every import of a local module made relative.

    Args:
        source: The text of a module.
        parent: The package it will be in, below the import package; empty at the top.
    """
    tree = ast.parse(source)
    lines = source.splitlines(keepends=True)
    nodes = [node for node in ast.walk(tree) if isinstance(node, _Statement)]
    # Backwards, so that the positions of earlier statements stay what they are.
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        statements = relative_statements(node, parent=parent)
        if statements:
            _replace(lines, node, statements)
    return "".join(lines)


def relative_statements(node: _Statement, *, parent: str) -> list[str]:
    """Return the statements that replace an absolute import of local modules; empty if it stays as it is.

    Example:
        >>> import ast
        >>> relative_statements(ast.parse("import json").body[0], parent="")
        []
    """
    dots = "." * (len(parent.split(".")) + 1 if parent else 1)
    if isinstance(node, ast.ImportFrom):
        if node.level or not node.module or not is_local(node.module.partition(".")[0]):
            return []
        return [f"from {dots}{node.module} import {_names(node.names)}"]
    if not any(is_local(alias.name.partition(".")[0]) for alias in node.names):
        return []
    statements: list[str] = []
    for alias in node.names:
        top, _, rest = alias.name.partition(".")
        if not is_local(top):
            statements.append(f"import {_names([alias])}")
        elif not rest:
            statements.append(f"from {dots} import {_names([alias])}")
        else:
            above, _, last = alias.name.rpartition(".")
            # 'import a.b' binds a and makes a.b an attribute of it.
            bound = alias.asname or f"_{alias.name.replace('.', '_')}"
            statements += [] if alias.asname else [f"from {dots} import {top}"]
            statements.append(f"from {dots}{above} import {last} as {bound}")
    return statements


def _names(aliases: Iterable[ast.alias]) -> str:
    return ", ".join(f"{a.name} as {a.asname}" if a.asname else a.name for a in aliases)


def _replace(lines: list[str], node: _Statement, statements: list[str]) -> None:
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    before = lines[first].encode()[: node.col_offset].decode()
    after = lines[last].encode()[node.end_col_offset :].decode()
    alone = not before.strip() and not after.strip().startswith(";")
    lines[first : last + 1] = [before + (f"\n{before}" if alone else "; ").join(statements) + after]
