"""Find the files that code of the package reads, by the paths that are written in it.

Called by :mod:`modelwright.project.adopting.data_files`. A path is followed if it is a literal, or literals joined to
``__file__``, to a package (:mod:`importlib.resources`, :mod:`pkgutil`) or to nothing; what is computed is not seen.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple

from modelwright.errors import AdoptError
from modelwright.project.adopting.layout import Layout
from modelwright.project.adopting.static_code import parse
from modelwright.project.adopting.tree import Tree

WRITERS = re.compile(r"(dump|save|savez|savetxt|to_\w+|write\w*|mkdir|makedirs|touch|savefig)$")
_PACKAGE_FUNCTIONS = ("get_data", "open_text", "open_binary", "read_text", "read_binary", "path", "resource_filename")
_PATH = re.compile(r"[\w.~-]+([/\\][\w.~-]+)*\.[A-Za-z][\w]{0,9}|[\w.~-]+([/\\][\w.~-]+)+")
"""A literal that looks like a path: it has a suffix or a folder."""


class Reference(NamedTuple):
    """One file that code reads.

    Attributes:
        file: The file that is meant, relative to the root.
        reader: The file of code that reads it.
        line: Where.
        exists: Whether the project has it.
        anchored: Whether it is looked for beside the code; otherwise in whatever folder the program is started.
    """

    file: str
    reader: str
    line: int
    exists: bool
    anchored: bool


class _Pieces(NamedTuple):
    """A path as far as it is written down.

    Attributes:
        base: Folder that it starts from, relative to the root; ``None`` where the program is started.
        text: The rest.
    """

    base: str | None
    text: str


def references(tree: Tree, layout: Layout) -> tuple[Reference, ...]:
    """Return the files that the package's code reads, each once, in order."""
    found: dict[tuple[str, str], Reference] = {}
    for reader in tree.below(layout.package):
        if not reader.endswith(".py"):
            continue
        try:
            module = parse(tree.text(reader), where=reader)
        except AdoptError:  # reported where the package's code is looked at as a whole
            continue
        for reference in _Reader(tree, layout, reader).read(module):
            found.setdefault((reference.reader, reference.file), reference)
    return tuple(found.values())


class _Reader:
    """Looks through one file of code."""

    def __init__(self, tree: Tree, layout: Layout, file: str) -> None:
        self.tree, self.layout, self.file = tree, layout, file
        self.names: dict[str, _Pieces] = {}

    def read(self, module: ast.Module) -> Iterator[Reference]:
        for statement in module.body:
            self._remember(statement)
        written = _written(module)
        joins = [join for join in ast.walk(module) if self._is_join(join) and self._pieces(join)]
        inner = {id(child) for join in joins for child in ast.walk(join) if child is not join}
        skipped = written | inner
        for node in ast.walk(module):
            if isinstance(node, ast.expr) and id(node) not in skipped and (pieces := self._pieces(node)):
                yield from self._resolve(pieces, node)

    def _is_join(self, node: ast.AST) -> bool:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            return True
        if not isinstance(node, ast.Call):
            return False
        return _called(node) in ("join", "joinpath") or (_called(node) in _PACKAGE_FUNCTIONS and len(node.args) > 1)

    def _remember(self, node: ast.stmt) -> None:
        """Keep ``HERE = Path(__file__).parent`` and the like for later."""
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            pieces = self._pieces(node.value)
            if pieces is not None:
                self.names[node.targets[0].id] = pieces

    def _pieces(self, node: ast.AST) -> _Pieces | None:
        """Return the path that an expression gives; ``None`` if it is not one that is written down."""
        match node:
            case ast.Constant(value=str(text)):
                return _Pieces(None, text) if "\n" not in text and len(text) < 200 else None
            case ast.Name(id="__file__"):
                return _Pieces(self.file, "")
            case ast.Name(id=name):
                return self.names.get(name)
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._join([left, right])
            case ast.Attribute(value=value, attr="parent"):
                return _up(self._pieces(value))
            case ast.Subscript(value=ast.Attribute(value=value, attr="parents"), slice=ast.Constant(value=int(count))):
                pieces = self._pieces(value)
                for _ in range(count + 1):
                    pieces = _up(pieces)
                return pieces
            case ast.Call():
                return self._call(node)
        return None

    def _call(self, node: ast.Call) -> _Pieces | None:
        name, arguments = _called(node), node.args
        if (
            name in ("abspath", "realpath", "Path", "PurePath", "str", "fspath", "normpath", "as_file")
            and len(arguments) == 1
        ):
            return self._pieces(arguments[0])
        if name in ("Path", "join"):
            return self._join(arguments) if arguments and not isinstance(arguments[0], ast.List) else None
        if name == "dirname" and arguments:
            return _up(self._pieces(arguments[0]))
        if name in ("resolve", "absolute") and isinstance(node.func, ast.Attribute):
            return self._pieces(node.func.value)
        if name == "joinpath" and isinstance(node.func, ast.Attribute):
            return self._join([node.func.value, *arguments])
        if name == "files":
            return self._package(arguments[0]) if arguments else _Pieces(posixpath.dirname(self.file), "")
        if name in _PACKAGE_FUNCTIONS and len(arguments) >= 2 and (base := self._package(arguments[0])):
            rest = self._pieces(arguments[1])
            return _Pieces(base.base, rest.text) if rest else None
        return None

    def _package(self, node: ast.expr) -> _Pieces | None:
        """Return the folder of ``"churn.data"``, ``__name__``, ``__package__`` or an imported package."""
        name = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ast.unparse(node)
        if name in ("__name__", "__package__"):
            return _Pieces(posixpath.dirname(self.file), "")
        path = posixpath.normpath(posixpath.join(self.layout.source, name.replace(".", "/")))
        return _Pieces(path, "") if self.tree.below(path) else None

    def _join(self, nodes: list[ast.expr]) -> _Pieces | None:
        pieces = [self._pieces(node) for node in nodes]
        if any(piece is None for piece in pieces):
            return None
        known = [piece for piece in pieces if piece is not None]
        return _Pieces(known[0].base, posixpath.join(*(piece.text for piece in known)))

    def _resolve(self, pieces: _Pieces, node: ast.expr) -> Iterator[Reference]:
        text = pieces.text.replace("\\", "/")
        if not _PATH.fullmatch(text.strip("./")) or "://" in text or text.startswith(("/", "~")):
            return
        if pieces.base is not None:
            file = posixpath.normpath(posixpath.join(pieces.base, text))
            known = file in self.tree.known
            if known or (not self.tree.below(file) and "." in posixpath.basename(file)):
                yield Reference(file, self.file, node.lineno, known, anchored=True)
            return
        folders = ("", posixpath.dirname(self.file), self.layout.package)
        file = next((f for d in folders if (f := posixpath.normpath(posixpath.join(d, text))) in self.tree.known), "")
        if file and not file.endswith(".py"):
            yield Reference(file, self.file, node.lineno, exists=True, anchored=False)


def _up(pieces: _Pieces | None) -> _Pieces | None:
    if pieces is None or pieces.base is None:
        return None
    path = posixpath.join(pieces.base, pieces.text).rstrip("/")
    return _Pieces(posixpath.dirname(path), "")


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _written(module: ast.Module) -> set[int]:
    """Return the nodes of paths that are written to, and of docstrings."""
    found: set[int] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and _writes(node):
            found |= {id(child) for child in ast.walk(node)}
        body = getattr(node, "body", None)
        if isinstance(body, list):
            found |= {
                id(each.value) for each in body if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)
            }
    return found


def _writes(node: ast.Call) -> bool:
    if _called(node) == "open":
        said = [a.value for a in [*node.args, *(k.value for k in node.keywords)] if isinstance(a, ast.Constant)]
        return any(isinstance(mode, str) and re.fullmatch(r"[wax][bt+]*", mode) for mode in said)
    return bool(WRITERS.match(_called(node)))
