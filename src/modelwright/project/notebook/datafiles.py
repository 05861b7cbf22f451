"""Find the files and addresses that a notebook reads, and what becomes of them in the project.

Called by convert. A file beside the notebook is copied into ``data/`` and its literal path is written anew; one that is
not there is named with the cell that reads it; an address on the network is reported.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from modelwright.project.notebook.effects import last_name
from modelwright.project.notebook.flow import Flow
from modelwright.project.notebook.texts import literal_texts, text_of
from modelwright.project.notebook.vocabulary import LOADERS, PATH_READERS, SAVERS

LARGEST_COPY = 64 << 20
"""Largest file that is copied into a project, bytes; larger ones are read where they are."""
_ADDRESS = re.compile(r"^(https?|ftp|s3|gs|hdfs|abfs)://")
_FILE = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,8}$")


@dataclass
class DataFiles:
    """What a notebook reads.

    Attributes:
        copied: Files to copy: their path in the project, and where they are.
        spelled: How a literal path of the notebook is written in the project.
        missing: Cell and path of each file that is not there.
        network: Cell and address of what is fetched.
        notes: What a person should know.
    """

    copied: dict[str, Path] = field(default_factory=dict)
    spelled: dict[str, str] = field(default_factory=dict)
    missing: list[tuple[int, str]] = field(default_factory=list)
    network: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_files(flow: Flow, folder: Path) -> DataFiles:
    """Find every file that is read by a literal path.

    Args:
        flow: The graph of the notebook.
        folder: The folder that the notebook lies in; its relative paths begin there.
    """
    found = DataFiles()
    texts = literal_texts(statement.node for statement in flow.statements)
    readers = _readers(flow, texts)
    literals = {
        node.value
        for statement in flow.statements
        for node in ast.walk(statement.node)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    written = {
        text
        for index in range(len(flow.statements))
        for text, reads in _paths(flow, index, texts, readers)
        if not reads
    }
    for index, statement in enumerate(flow.statements):
        for text, reads in _paths(flow, index, texts, readers):
            if _ADDRESS.match(text):
                found.network.append((statement.cell.number, text))
            elif reads and text not in written and text not in found.spelled:
                _take(found, statement.cell.number, text, folder, literals)
    return found


def _take(found: DataFiles, cell: int, text: str, folder: Path, literals: set[str]) -> None:
    path = (folder / text).expanduser()
    if path.is_dir():
        found.notes.append(f"cell {cell} reads the folder {text!r}; it is not copied")
    elif not path.is_file():
        if _FILE.search(text):
            found.missing.append((cell, text))
    elif path.stat().st_size > LARGEST_COPY:
        found.spelled[text] = str(path.resolve())
        found.notes.append(f"cell {cell} reads {text!r}, which is too large to be copied; it is read where it is")
    elif text in literals:
        target = _place(found, PurePosixPath(text.replace("\\", "/")).name, path)
        found.copied[target] = path
        found.spelled[text] = target
    else:
        _take_put_together(found, cell, text, path, literals)


def _take_put_together(found: DataFiles, cell: int, text: str, path: Path, literals: set[str]) -> None:
    """Take a file whose path the notebook puts together, so that only the folder in it can be written anew."""
    if not text.startswith(("..", "/", "~")):
        found.copied[PurePosixPath(text).as_posix()] = path
        return
    folders = [one for one in literals if one.startswith(("..", "/", "~")) and text.startswith(one)]
    if not folders:
        found.notes.append(f"cell {cell} reads {text!r}, a path that it puts together; copy the file yourself")
        return
    folder = max(folders, key=len)
    found.spelled[folder] = "data/" if folder.endswith("/") else "data"
    found.copied[f"data/{text[len(folder) :].lstrip('/')}"] = path


def _place(found: DataFiles, name: str, path: Path) -> str:
    target, number = f"data/{name}", 1
    while target in found.copied and found.copied[target] != path:
        number += 1
        target = f"data/{number}-{name}"
    return target


def _paths(
    flow: Flow, index: int, texts: dict[str, str], readers: dict[str, dict[str, str | None]]
) -> Iterator[tuple[str, bool]]:
    """Return the literal paths that a statement, or a function that it defines, uses, and whether it reads them."""
    for call in ast.walk(flow.statements[index].node):
        if not isinstance(call, ast.Call):
            continue
        name = last_name(call.func)
        if name in readers:
            yield from ((text, True) for text in _given(flow, call, readers[name], texts))
            continue
        text = _first(call, texts)
        if not text:
            continue
        if _writes(call):
            yield text, False
        elif name in PATH_READERS | LOADERS and (_FILE.search(text) or _ADDRESS.match(text) or "/" in text):
            yield text, True


def _first(call: ast.Call, texts: dict[str, str]) -> str | None:
    given = call.args[0] if call.args else next((one.value for one in call.keywords), None)
    return text_of(given, texts) if given is not None else None


def _writes(call: ast.Call) -> bool:
    name = last_name(call.func)
    return name in SAVERS or (name == "open" and _opens_to_write(call))


def _readers(flow: Flow, texts: dict[str, str]) -> dict[str, dict[str, str | None]]:
    """Return for each function of the notebook the parameters that it reads files by, with their default paths."""
    found: dict[str, dict[str, str | None]] = {}
    for statement in flow.statements:
        node = statement.node
        if not isinstance(node, ast.FunctionDef):
            continue
        names = [one.arg for one in node.args.args]
        defaults = dict(
            zip(reversed(names), reversed([text_of(one, texts) for one in node.args.defaults]), strict=False)
        )
        read = {
            call.args[0].id
            for call in ast.walk(node)
            if isinstance(call, ast.Call) and last_name(call.func) in PATH_READERS and not _writes(call)
            if call.args and isinstance(call.args[0], ast.Name)
        }
        if read & set(names):
            found[node.name] = {name: defaults.get(name) for name in names if name in read}
    return found


def _given(flow: Flow, call: ast.Call, read: dict[str, str | None], texts: dict[str, str]) -> Iterator[str]:
    """Return the paths that a call gives to a function that reads files by some of its parameters."""
    given = flow.functions[last_name(call.func)].arguments(call)
    for name, default in read.items():
        text = text_of(given[name], texts) if name in given else default
        if text and (_FILE.search(text) or _ADDRESS.match(text)):
            yield text


def _opens_to_write(call: ast.Call) -> bool:
    modes = [*call.args[1:2], *(one.value for one in call.keywords if one.arg == "mode")]
    return any(isinstance(one, ast.Constant) and str(one.value)[:1] in "wax" for one in modes)
