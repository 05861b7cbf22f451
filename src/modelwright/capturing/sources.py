"""Read the source of what was defined in a script or notebook: where a name was bound, and the text that bound it.

Called by lifting. Notebook cells are read from :mod:`linecache`, where IPython puts them. It executes nothing.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, NamedTuple

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Found(NamedTuple):
    """A piece of source.

    Attributes:
        text: The statement, dedented.
        node: Its syntax tree.
        position: Number of the file or cell in the order they were run, and line; sorts as it was written.
    """

    text: str
    node: ast.AST
    position: tuple[int, int]


class MainSources:
    """The texts that were run as ``__main__``: the script, or the cells in their order.

    Args:
        script: ``__main__.__file__`` if there is one.
    """

    def __init__(self, script: str | None) -> None:
        names = [script] if script else []
        names += [name for name, entry in linecache.cache.items() if len(entry) > 1 and not Path(name).exists()]
        self._texts: dict[str, tuple[int, str, ast.Module]] = {}
        for name in names:
            self._read(name)

    def _read(self, filename: str) -> tuple[int, str, ast.Module] | None:
        if filename not in self._texts:
            text = "".join(linecache.getlines(filename))
            try:
                tree = ast.parse(text)
            except SyntaxError:  # a cell with magic commands is cached after their translation, others may be no Python
                return None
            if not text.strip():
                return None
            self._texts[filename] = (len(self._texts), text, tree)
        return self._texts[filename]

    def binding(self, name: str) -> Found | None:
        """Return the last top-level statement that binds a name."""
        last: Found | None = None
        for number, text, tree in list(self._texts.values()):
            for node in _top_level(tree):
                if name in _bound_names(node):
                    last = Found(_segment(text, node), node, (number, node.lineno))
        return last

    def function(self, function: FunctionType) -> Found | None:
        """Return the definition of a function, also of one inside another function; lambdas are found by code."""
        code = inspect.unwrap(function).__code__
        read = self._read(code.co_filename)
        if read is None:
            return None
        number, text, tree = read
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == code.co_name:
                if _first_line(node) == code.co_firstlineno:
                    return Found(_segment(text, node), node, (number, node.lineno))
            elif isinstance(node, ast.Lambda) and code.co_name == "<lambda>" and _is_code_of(node, code):
                return Found(ast.unparse(node), node, (number, node.lineno))
        return None

    def class_(self, kind: type) -> Found | None:
        """Return the definition of a class: in the file of its methods, else the last one of its name anywhere."""
        codes = [getattr(inspect.unwrap(f), "__code__", None) for f in vars(kind).values() if callable(f)]
        files = [code.co_filename for code in codes if code and code.co_qualname.startswith(kind.__qualname__)]
        for filename in files:
            self._read(filename)
        texts = [self._texts[f] for f in files if f in self._texts] or list(self._texts.values())
        for number, text, tree in reversed(texts):
            for node in _top_level(tree):
                if isinstance(node, ast.ClassDef) and node.name == kind.__qualname__.partition(".")[0]:
                    return Found(_segment(text, node), node, (number, node.lineno))
        return None

    def futures(self) -> frozenset[str]:
        """Return the names that any of the texts imports from ``__future__``."""
        nodes = [node for _, _, tree in self._texts.values() for node in tree.body]
        chosen = [n for n in nodes if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
        return frozenset(alias.name for node in chosen for alias in node.names)


def _first_line(node: Definition) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _segment(text: str, node: ast.stmt) -> str:
    first = _first_line(node) if isinstance(node, Definition) else node.lineno
    lines = text.split("\n")[first - 1 : node.end_lineno]  # splitlines() knows more line ends than Python's grammar
    if not isinstance(node, Definition):
        return ast.get_source_segment(text, node) or "\n".join(lines)
    return textwrap.dedent("\n".join(lines))


def _top_level(node: ast.AST) -> Iterator[ast.stmt]:
    """Walk the statements that run when a module runs, also inside if, try, with and loops."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        if not isinstance(child, Definition | ast.Lambda):
            yield from _top_level(child)


def _bound_names(node: ast.stmt) -> set[str]:
    if isinstance(node, Definition):
        return {node.name}
    if isinstance(node, ast.Import):
        return {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    targets: list[Any] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = [node.target]
    return {leaf.id for target in targets for leaf in ast.walk(target) if isinstance(leaf, ast.Name)}


def _is_code_of(node: ast.Lambda, code: CodeType) -> bool:
    """Tell whether a lambda expression compiles to this code; two lambdas on one line are told apart by it."""
    if not node.lineno <= code.co_firstlineno <= (node.end_lineno or node.lineno):
        return False
    free = ", ".join(code.co_freevars)
    made = f"def outer({free}):\n    return {ast.unparse(node)}" if free else f"made = {ast.unparse(node)}"
    compiled = _inner(compile(made, "<lambda>", "exec"), depth=2 if free else 1)
    if compiled is None or _values(compiled) != _values(code):
        return False
    return all(getattr(compiled, a) == getattr(code, a) for a in ("co_code", "co_names", "co_varnames", "co_freevars"))


def _values(code: CodeType) -> list[Any]:
    return [const for const in code.co_consts if not isinstance(const, CodeType)]


def _inner(code: CodeType, *, depth: int) -> CodeType | None:
    found: CodeType | None = code
    for _ in range(depth):
        found = next((c for c in (found.co_consts if found else ()) if isinstance(c, CodeType)), None)
    return found
