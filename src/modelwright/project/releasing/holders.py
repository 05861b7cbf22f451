"""Find every place of a project that says its version, and write another one there; nothing is executed.

Called by :mod:`~modelwright.project.releasing.bump`. Looked at are ``[project] version`` and ``[tool.poetry] version``
of pyproject.toml, ``version=`` of setup.py, ``[metadata] version`` of setup.cfg, and ``__version__`` in the import
package. A version that is computed (read from a file or from git) is no place: it follows by itself.

It does not: know the manifest; :mod:`~modelwright.project.releasing.stamping` does.
Source: PEP 621 (``version``, ``dynamic``); PEP 396 (``__version__``); setuptools, "Configuring setuptools using
setup.cfg files".
"""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import tomlkit
from packaging.version import InvalidVersion, Version
from tomlkit.exceptions import TOMLKitError

from modelwright.errors import Problem, ProjectError, ReleaseError

MODULES = ("__init__.py", "_version.py", "version.py", "__version__.py", "__about__.py")
"""Modules of an import package in which ``__version__`` is looked for."""
_CFG = re.compile(rb"^version[ \t]*[=:][ \t]*(?P<value>[^\s#;][^\r\n#;]*?)[ \t]*(?:[#;][^\r\n]*)?\r?$", re.MULTILINE)


class Holder(NamedTuple):
    """One place that says the version.

    Attributes:
        path: The file.
        line: Line in it, counted from 1; 0: only the key is known.
        key: What stands there (``project.version``, ``__version__``).
        version: What it says.
        span: First and last byte of the version in the file; ``None`` in TOML, where the key is enough.
    """

    path: Path
    line: int
    key: str
    version: str
    span: tuple[int, int] | None = None

    @property
    def where(self) -> str:
        """File and line, for messages."""
        return f"{self.path}:{self.line}" if self.line else str(self.path)


def find_holders(root: Path, package: Path) -> tuple[Holder, ...]:
    """Return every place that says the version; they agree.

    Args:
        root: Folder of the project.
        package: Its import package.

    Raises:
        ReleaseError: Two places say different versions, or a file says it twice.
        ProjectError: A file cannot be read.
    """
    files = [root / "setup.py", *(package / name for name in MODULES)]
    found = [*_in_toml(root / "pyproject.toml"), *_in_cfg(root / "setup.cfg")]
    found += [holder for path in files if path.is_file() for holder in _in_python(path)]
    if len({_parsed(holder) for holder in found}) > 1:
        listed = [Problem(None, None, f"{holder.key} is {holder.version!r}", item=holder.where) for holder in found]
        hint = "Make them agree, then bump again."
        raise ReleaseError("The project says several versions.", where=str(root), problems=listed, hint=hint)
    return tuple(found)


def rewritten(holders: tuple[Holder, ...], version: str) -> dict[Path, bytes]:
    """Return the new content of each file that says the version; all else in them stays as it is, byte for byte."""
    contents: dict[Path, bytes] = {}
    for holder in sorted(holders, key=lambda one: one.span or (0, 0), reverse=True):
        content = contents.get(holder.path) or holder.path.read_bytes()
        if holder.span is not None:
            start, end = holder.span
            contents[holder.path] = content[:start] + version.encode() + content[end:]
        else:
            document = tomlkit.parse(content.decode("utf-8"))
            *tables, name = holder.key.split(".")
            table: Any = document
            for part in tables:
                table = table[part]
            table[name] = version
            contents[holder.path] = tomlkit.dumps(document).encode("utf-8")
    return contents


def _in_toml(path: Path) -> Iterator[Holder]:
    if not path.is_file():
        return
    try:
        document: Any = tomlkit.parse(path.read_bytes().decode("utf-8")).unwrap()
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise ProjectError("pyproject.toml cannot be read.", where=str(path), why=str(error)) from error
    for key, table in (("project", document.get("project")), ("tool.poetry", document.get("tool", {}).get("poetry"))):
        if isinstance(table, dict) and isinstance(table.get("version"), str):
            yield Holder(path, 0, f"{key}.version", table["version"])


def _in_cfg(path: Path) -> Iterator[Holder]:
    """Yield the literal version of setup.cfg; ``attr:`` and ``file:`` point elsewhere."""
    if not path.is_file():
        return
    content, parser = path.read_bytes(), configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(content.decode("utf-8"))
    except (configparser.Error, UnicodeDecodeError) as error:
        raise ProjectError("setup.cfg cannot be read.", where=str(path), why=str(error)) from error
    said = parser.get("metadata", "version", fallback="").strip()
    if not said or said.startswith(("attr:", "file:")):
        return
    begin = re.search(rb"^\[metadata\][^\r\n]*$", content, re.MULTILINE)
    assert begin is not None, "configparser found the section"
    end = re.compile(rb"^\[", re.MULTILINE).search(content, begin.end())
    match = _CFG.search(content, begin.end(), end.start() if end else len(content))
    if match is None:
        raise ReleaseError("The version in setup.cfg cannot be found.", where=str(path), hint="Write: version = 1.2.3")
    yield Holder(path, _line(content, match.start()), "metadata.version", match["value"].decode(), match.span("value"))


def _in_python(path: Path) -> Iterator[Holder]:
    content = path.read_bytes()
    try:
        tree = ast.parse(content, filename=str(path))
    except (SyntaxError, ValueError) as error:
        raise ProjectError(f"{path.name} is not Python.", where=str(path), why=str(error)) from error
    if path.name == "setup.py":
        key, values = "version", list(_setup_versions(tree))
    else:
        key, values = "__version__", _assigned(tree, "__version__")
    literals = [value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
    if len(literals) > 1:
        lines = ", ".join(str(value.lineno) for value in literals)
        raise ReleaseError(
            f"{path.name} says {key} more than once.", where=f"{path}: lines {lines}", hint="Leave one of them."
        )
    for value in literals:
        span = _literal(content, value)
        if span is None:
            raise ReleaseError(
                f"The text of {key} cannot be replaced.",
                where=f"{path}:{value.lineno}",
                hint='Write it as one plain text: "1.2.3".',
            )
        yield Holder(path, value.lineno, key, str(value.value), span)


def _setup_versions(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield what ``setup(version=…)`` is given; a name is followed to what the module assigns to it."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] == "setup":
            for keyword in call.keywords:
                if keyword.arg == "version" and isinstance(keyword.value, ast.Name):
                    yield from _assigned(tree, keyword.value.id)
                elif keyword.arg == "version":
                    yield keyword.value


def _assigned(tree: ast.Module, name: str) -> list[ast.expr]:
    found: list[ast.expr] = []
    for statement in tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        value = getattr(statement, "value", None)
        if value is not None and any(isinstance(target, ast.Name) and target.id == name for target in targets):
            found.append(value)
    return found


def _literal(content: bytes, value: ast.Constant) -> tuple[int, int] | None:
    """Return where the text between the quotes stands, bytes; ``None``: not one plain literal."""
    lines = content.splitlines(keepends=True)
    start = sum(map(len, lines[: value.lineno - 1])) + value.col_offset
    end = sum(map(len, lines[: (value.end_lineno or value.lineno) - 1])) + (value.end_col_offset or 0)
    match = re.fullmatch(rb"[uU]?(?P<quote>\"\"\"|'''|\"|')(?P<text>.*)(?P=quote)", content[start:end], re.DOTALL)
    if match is None or match["text"].decode("utf-8") != value.value:
        return None
    return start + match.start("text"), start + match.end("text")


def _line(content: bytes, position: int) -> int:
    return content.count(b"\n", 0, position) + 1


def _parsed(holder: Holder) -> Version:
    try:
        return Version(holder.version)
    except InvalidVersion as error:
        raise ReleaseError(
            f"{holder.version!r} is not a version that Python installers understand.",
            where=holder.where,
            hint="Write MAJOR.MINOR.PATCH, for example 1.3.0.",
        ) from error
