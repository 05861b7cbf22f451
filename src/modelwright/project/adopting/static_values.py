"""What code is read with when it is not run: values, files and functions of a closed world.

Called by :mod:`modelwright.project.adopting.static_code`, which walks the syntax tree. Nothing here imports or calls
anything of the code that is read; the only files that it sees are those of the project.
"""

from __future__ import annotations

import ast
import json
import posixpath
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from modelwright.project.adopting.finding_packages import find_packages
from modelwright.project.adopting.tree import Tree

MAX_TEXT = 1 << 20
"""Longest text or list that reading code may make; a defence against code that wants to fill the memory."""


class Unreadable(Exception):
    """The value of an expression cannot be known without running the code."""

    def __init__(self, why: str, line: int = 0) -> None:
        self.why = why
        self.line = line
        super().__init__(why)


class _Opaque:
    """Something that has no value as long as the code does not run; whoever wants one is told so."""

    def _refuse(self, *_: Any) -> Any:
        raise Unreadable("it is known only when the code runs")

    __bool__ = __str__ = __len__ = __iter__ = __getitem__ = __format__ = _refuse


@dataclass(frozen=True)
class Unread(_Opaque):
    """Stands in a variable whose value cannot be known.

    Attributes:
        why: The reason.
        line: Where that was found.
    """

    why: str
    line: int

    def _refuse(self, *_: Any) -> Any:
        raise Unreadable(self.why, self.line)

    __bool__ = __str__ = __len__ = __iter__ = __getitem__ = __format__ = _refuse


@dataclass(frozen=True)
class Imported(_Opaque):
    """A module, or something in it, by its dotted name; it is never imported."""

    name: str

    def _refuse(self, *_: Any) -> Any:
        raise Unreadable(f"{self.name} is known only when the code runs")

    __bool__ = __str__ = __len__ = __iter__ = __getitem__ = __format__ = _refuse


@dataclass(frozen=True)
class Function(_Opaque):
    """A function that the code defines, read like the rest when it is called."""

    node: Any


@dataclass(frozen=True)
class Located:
    """A path within the project.

    Attributes:
        path: Relative to the root, with ``/``; may lead out of it with ``..``.
    """

    path: str

    def __truediv__(self, other: object) -> Located:
        if isinstance(other, str | Located):
            return Located(posixpath.normpath(posixpath.join(self.path, _path(other))))
        raise Unreadable("a path is joined with something that is no text")


@dataclass
class Opened:
    """A file that was opened for reading."""

    text: str

    def read(self) -> str:
        """Return the whole text."""
        return self.text

    def readlines(self) -> list[str]:
        """Return the lines, ends kept."""
        return self.text.splitlines(keepends=True)


@dataclass(frozen=True)
class ParsedRequirement:
    """One line as pip's and pkg_resources' ``parse_requirements`` give it: ``str(line.req)``, ``line.requirement``."""

    requirement: str

    def __str__(self) -> str:
        return self.requirement


def parsed_requirements(world: World, given: Any) -> list[ParsedRequirement]:
    """Return the requirements in a file, or in its text or lines, without options and comments."""
    is_file = isinstance(given, Located) or (isinstance(given, str) and given in world.tree.known)
    text = world.open(given).read() if is_file else given
    lines = text.splitlines() if isinstance(text, str) else given.readlines() if isinstance(given, Opened) else given
    stripped = [re.sub(r"(^|\s)#.*", "", line).split(" --hash")[0].strip() for line in lines]
    return [ParsedRequirement(line) for line in stripped if line and not line.startswith("-")]


_TEXT_METHODS = (
    "strip lstrip rstrip split rsplit splitlines replace lower upper title capitalize join startswith endswith format "
    "partition rpartition encode decode find count removeprefix removesuffix isdigit"
)
_STRING_METHODS = frozenset(_TEXT_METHODS.split())
_METHODS: dict[type, frozenset[str]] = {
    str: _STRING_METHODS,
    bytes: frozenset({"decode", "strip"}),
    list: frozenset({"append", "extend", "insert", "copy", "index", "count", "sort", "reverse"}),
    dict: frozenset({"get", "items", "keys", "values", "update", "setdefault", "copy"}),
    set: frozenset({"add", "update", "union"}),
    tuple: frozenset({"index", "count"}),
    re.Match: frozenset({"group", "groups", "groupdict"}),
    re.Pattern: frozenset({"search", "match", "findall", "sub", "fullmatch"}),
    Opened: frozenset({"read", "readlines"}),
}
BUILTINS: dict[str, Callable[..., Any]] = {
    "len": len,
    "list": list,
    "dict": dict,
    "tuple": tuple,
    "set": set,
    "str": str,
    "int": int,
    "bool": bool,
    "sorted": sorted,
    "filter": lambda keep, items: [item for item in items if (keep(item) if keep else item)],
    "map": lambda change, *items: [change(*each) for each in zip(*items, strict=False)],
    "any": any,
    "all": all,
    "zip": lambda *items: list(zip(*items, strict=False)),
    "enumerate": lambda items, start=0: list(enumerate(items, start)),
    "sum": sum,
    "next": lambda items, *default: next(iter(items), *default),
    "iter": lambda items: items,
    "min": min,
    "max": max,
    "repr": repr,
    "compile": lambda text, *_, **__: text,  # what exec() is given; nothing is compiled
}


def check_growth(text: str | bytes, method: str, arguments: Sequence[Any]) -> None:
    """Refuse a call of a text's method that would fill the memory.

    Raises:
        Unreadable: It would.
    """
    size = len(text)
    if method == "replace" and len(arguments) > 1:
        size *= len(arguments[1])
    elif method == "join" and arguments:
        size = sum(len(each) + size for each in arguments[0])
    elif method == "format" and re.search(r"\d{4,}", str(text)):
        size = MAX_TEXT + 1  # a width of thousands of characters
    if size > MAX_TEXT:
        raise Unreadable("a value grows without bounds")


class World:
    """What the code that is read can see: its own project, and a handful of library functions.

    Args:
        tree: The project.
        file: The file that is read, relative to the root.
    """

    def __init__(self, tree: Tree, file: str) -> None:
        self.tree = tree
        self.file = file

    def open(self, path: Any, mode: str = "r", *_: Any, **__: Any) -> Opened:
        """Open a file of the project for reading."""
        if not isinstance(mode, str) or set(mode) & set("wax+"):
            raise Unreadable("it writes a file")
        return Opened(self._text(path))

    def _text(self, path: Any) -> str:
        name = posixpath.normpath(_path(path))
        if name not in self.tree.known:
            raise Unreadable(f"it reads {name}, which is no file of the project")
        return self.tree.text(name)

    def exists(self, path: Any) -> bool:
        """Tell whether the project has a file or folder."""
        name = posixpath.normpath(_path(path))
        return name in self.tree.known or bool(self.tree.below(name))

    def module_of(self, name: str) -> tuple[str, str, str]:
        """Split a dotted name into a file of the project, its module and the attribute; the file may be empty."""
        module, _, attribute = name.rpartition(".")
        path = module.replace(".", "/")
        ends = (f"{prefix}{path}{end}" for prefix in ("", "src/") for end in (".py", "/__init__.py"))
        return (next((file for file in ends if module and file in self.tree.known), ""), module, attribute)

    def function(self, name: str) -> Callable[..., Any] | None:
        """Return what a library function of this name does here; ``None`` if it is not one of the few."""
        return _LIBRARY[name](self) if name in _LIBRARY else None

    def attribute(self, value: Any, name: str) -> Any:
        """Return an attribute of a value, or a method that is allowed."""
        if isinstance(value, Located):
            return self._path_attribute(value, name)
        if isinstance(value, Imported):
            return Imported(f"{value.name}.{name}")
        if isinstance(value, ParsedRequirement) and name in ("req", "requirement"):
            return value
        for kind, methods in _METHODS.items():
            if isinstance(value, kind) and name in methods:
                return getattr(value, name)
        raise Unreadable(f"nothing is known of .{name}")

    def _path_attribute(self, path: Located, name: str) -> Any:
        found: dict[str, Callable[[], Any]] = {
            "parent": lambda: Located(posixpath.dirname(path.path) or "."),
            "name": lambda: posixpath.basename(path.path),
            "stem": lambda: posixpath.splitext(posixpath.basename(path.path))[0],
            "parents": lambda: _Parents(path),
            "resolve": lambda: lambda *_, **__: path,
            "absolute": lambda: lambda: path,
            "joinpath": lambda: lambda *parts: _joined(path, parts),
            "read_text": lambda: lambda *_, **__: self._text(path),
            "read_bytes": lambda: lambda: self._text(path).encode(),
            "open": lambda: lambda *a, **k: self.open(path, *a, **k),
            "exists": lambda: lambda: self.exists(path),
            "is_file": lambda: lambda: posixpath.normpath(path.path) in self.tree.known,
            "as_posix": lambda: lambda: path,
        }
        if name not in found:
            raise Unreadable(f"nothing is known of .{name} of a path")
        return found[name]()


class _Parents:
    """``path.parents``: ``parents[0]`` is the folder the path is in."""

    def __init__(self, path: Located) -> None:
        self.path = path

    def __getitem__(self, position: int) -> Located:
        path = self.path.path
        for _ in range(position + 1):
            path = posixpath.normpath(posixpath.join(path, "..")) if path == "." else posixpath.dirname(path) or "."
        return Located(path)


def _path(value: Any) -> str:
    if isinstance(value, Located):
        return value.path
    if isinstance(value, str):
        return value
    raise Unreadable("a path is no text")


def _joined(first: Any, parts: Sequence[Any]) -> Located:
    return Located(posixpath.normpath(posixpath.join(_path(first), *map(_path, parts))))


def _splitext(path: Any) -> tuple[str, str]:
    return posixpath.splitext(_path(path))


def _parent(path: Any) -> Located:
    return Located(posixpath.dirname(_path(path)) or ".")


def _same(path: Any, *_: Any) -> Located:
    return Located(_path(path))


def _lines_text(given: Any) -> str:
    return "".join(given) if isinstance(given, list) else str(given)


_LIBRARY: dict[str, Callable[[World], Callable[..., Any]]] = {
    "open": lambda world: world.open,
    "io.open": lambda world: world.open,
    "codecs.open": lambda world: world.open,
    "os.path.join": lambda _: lambda first, *parts: _joined(first, parts),
    "os.path.dirname": lambda _: _parent,
    "os.path.abspath": lambda _: _same,
    "os.path.realpath": lambda _: _same,
    "os.path.normpath": lambda _: _same,
    "os.path.basename": lambda _: lambda path: posixpath.basename(_path(path)),
    "os.path.splitext": lambda _: _splitext,
    "os.path.exists": lambda world: world.exists,
    "os.path.isfile": lambda world: world.exists,
    "os.getcwd": lambda _: lambda: Located("."),
    "pathlib.Path": lambda _: lambda *parts: _joined(".", parts),
    "pathlib.Path.cwd": lambda _: lambda: Located("."),
    "re.compile": lambda _: re.compile,
    "re.search": lambda _: re.search,
    "re.match": lambda _: re.match,
    "re.findall": lambda _: re.findall,
    "re.sub": lambda _: re.sub,
    "setuptools.find_packages": lambda world: lambda *a, **k: find_packages(world.tree, *a, **k),
    "setuptools.find_namespace_packages": lambda world: (
        lambda *a, **k: find_packages(world.tree, *a, **k, namespaces=True)
    ),
    "textwrap.dedent": lambda _: textwrap.dedent,
    "ast.literal_eval": lambda _: ast.literal_eval,
    "json.load": lambda _: lambda opened: json.loads(_lines_text(opened)),
    "json.loads": lambda _: json.loads,
}
LIBRARY_VALUES: dict[str, Any] = {
    f"re.{flag}": getattr(re, flag) for flag in ("M", "MULTILINE", "S", "DOTALL", "I", "VERBOSE", "X")
}
