"""Read MANIFEST.in: which files its commands match, and which of them match nothing.

Called by :mod:`modelwright.project.adopting.data_files`.
Source: setuptools documentation, "Controlling files in the distribution" (commands and patterns of MANIFEST.in).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from modelwright.project.adopting.tree import Tree


class Line(NamedTuple):
    """One command.

    Attributes:
        number: Line number, from 1.
        text: The line.
        problem: Why it does nothing; empty if it does something.
    """

    number: int
    text: str
    problem: str


class Manifest(NamedTuple):
    """What MANIFEST.in says.

    Attributes:
        files: Files that it puts into the source archive.
        idle: Commands that do nothing.
    """

    files: frozenset[str]
    idle: tuple[Line, ...]


COMMANDS = ("include", "exclude", "recursive-include", "recursive-exclude", "global-include", "global-exclude")
FOLDERS = ("graft", "prune")


def read_manifest(tree: Tree) -> Manifest:
    """Return what MANIFEST.in says; nothing if there is none."""
    if "MANIFEST.in" not in tree.known:
        return Manifest(frozenset(), ())
    chosen: set[str] = set()
    idle = []
    for number, line in _lines(tree.text("MANIFEST.in")):
        command, *words = line.split()
        if command not in (*COMMANDS, *FOLDERS) or not words:
            idle.append(Line(number, line, f"{command!r} is no command of MANIFEST.in"))
            continue
        matched = _matched(tree, command, words)
        if "exclude" in command or command == "prune":
            chosen -= matched
            continue
        if not matched:
            idle.append(Line(number, line, "it matches no file"))
        elif unmatched := [
            word for word in _patterns(command, words) if not _matched(tree, *_alone(command, words, word))
        ]:
            idle.append(Line(number, line, f"{', '.join(unmatched)} matches no file"))
        chosen |= matched
    return Manifest(frozenset(chosen), tuple(idle))


def _lines(text: str) -> list[tuple[int, str]]:
    found, joined, start = [], "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.partition("#")[0].rstrip() if not joined else raw.rstrip()
        start = start if joined else number
        if line.endswith("\\"):
            joined += f"{line[:-1]} "
            continue
        if (joined + line).strip():
            found.append((start, (joined + line).strip()))
        joined = ""
    return found


def _patterns(command: str, words: list[str]) -> list[str]:
    return words[1:] if command.startswith("recursive-") else words


def _alone(command: str, words: list[str], word: str) -> tuple[str, list[str]]:
    return command, [words[0], word] if command.startswith("recursive-") else [word]


def _matched(tree: Tree, command: str, words: list[str]) -> set[str]:
    if command in FOLDERS:
        return {file for word in words for file in tree.below(word.strip("/"))}
    if command.startswith("recursive-"):
        folder, patterns = words[0].strip("/"), words[1:]
        expression = _any(patterns, lead=f"{_glob(folder)}/(?:.+/)?" if folder not in ("", ".") else "(?:.+/)?")
    elif command.startswith("global-"):
        expression = _any(words, lead="(?:.+/)?")
    else:
        expression = _any(words, lead="")
    return {file for file in tree.files if expression.fullmatch(file)}


def _any(patterns: list[str], lead: str) -> re.Pattern[str]:
    return re.compile("|".join(f"{lead}{_glob(pattern.strip('/'))}" for pattern in patterns) or "(?!)")


def _glob(pattern: str) -> str:
    """Translate a glob; ``*`` and ``?`` stop at folders, ``**`` does not."""
    out, rest = "", pattern
    while rest:
        if rest.startswith("**"):
            out, rest = out + ".*", rest[2:]
        elif rest[0] == "*":
            out, rest = out + "[^/]*", rest[1:]
        elif rest[0] == "?":
            out, rest = out + "[^/]", rest[1:]
        elif match := re.match(r"\[(!?)([^\]]+)\]", rest):
            inside = re.escape(match[2]).replace("\\-", "-")
            out, rest = f"{out}[{'^' if match[1] else ''}{inside}]", rest[match.end() :]
        else:
            out, rest = out + re.escape(rest[0]), rest[1:]
    return out


def matches(pattern: str, path: str) -> bool:
    """Tell whether a glob of ``package_data`` matches a path below the package.

    Example:
        >>> matches("data/*.csv", "data/rows.csv"), matches("*.csv", "data/rows.csv"), matches("**/*.csv", "a/b.csv")
        (True, False, True)
    """
    return re.fullmatch(_glob(pattern).replace(".*/", "(?:.*/)?"), path) is not None
