"""Read requirements files as pip does, line by line, and keep where each line stands.

Called by :mod:`modelwright.project.adopting.pruning`. It asks no index.
Source: pip documentation, "Requirements File Format"; PEP 508; PEP 440 ("Local version identifiers").
"""

from __future__ import annotations

import posixpath
import re
from typing import Literal, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from modelwright.project.adopting.tree import Tree

Kind = Literal["release", "url", "conda", "editable", "folder", "unreadable"]
MAX_DEPTH = 10
"""Files that include each other are followed so far."""


class RequirementLine(NamedTuple):
    """One requirement.

    Attributes:
        file: File it stands in, relative to the root.
        number: Line number, from 1.
        text: The requirement, without comment, options and hashes.
        kind: ``release``: an index has it; ``conda``: a file of a conda build; ``editable``/``folder``: a folder here.
        name: PEP 503 normal form; empty if it cannot be told.
        comment: What stands behind ``#``.
        problem: Why it cannot be read.
    """

    file: str
    number: int
    text: str
    kind: Kind
    name: str
    comment: str = ""
    problem: str = ""

    @property
    def pin(self) -> str:
        """The requirement as an index understands it: without a local label, a conda file's version dropped."""
        if self.kind == "conda":
            return self.name
        return re.sub(r"(===?\s*[^\s;,+]+)\+[\w.]+", r"\1", self.text)


def requirement_files(tree: Tree) -> tuple[str, ...]:
    """Return the requirements files at the top of the project and in ``requirements/``, the main one first."""
    expression = re.compile(r"(requirements/)?[\w.-]*requirements?[\w.-]*\.txt|requirements/[\w.-]+\.(txt|in)")
    found = [file for file in tree.files if expression.fullmatch(file)]
    return tuple(sorted(found, key=lambda file: (file != "requirements.txt", file)))


def read_requirements(tree: Tree, file: str, *, depth: int = 0) -> list[RequirementLine]:
    """Return the requirements of a file and of those that it includes."""
    if file not in tree.known or depth > MAX_DEPTH:
        why = "there is no such file" if depth <= MAX_DEPTH else "files include each other without end"
        return [RequirementLine(file, 0, file, "unreadable", "", problem=why)]
    found: list[RequirementLine] = []
    for number, raw in _logical(tree.text(file)):
        body, _, comment = _uncommented(raw)
        if not body:
            continue
        option = re.match(r"(-r|--requirement)[\s=]+(.+)", body)
        if option:
            inner = posixpath.normpath(posixpath.join(posixpath.dirname(file), option[2].strip()))
            included = read_requirements(tree, inner, depth=depth + 1)
            found += [each._replace(file=file, number=number) if each.number == 0 else each for each in included]
        elif re.match(r"(-e|--editable)[\s=]", body) or not body.startswith("-"):
            found.append(_requirement(file, number, body, comment))
    return found


def _logical(text: str) -> list[tuple[int, str]]:
    """Join lines that end with a backslash."""
    found: list[tuple[int, str]] = []
    joined, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        start = start if joined else number
        if line.rstrip().endswith("\\"):
            joined += line.rstrip()[:-1] + " "
            continue
        found.append((start, joined + line))
        joined = ""
    return [*found, (start, joined)] if joined else found


def _uncommented(line: str) -> tuple[str, str, str]:
    match = re.search(r"(^|\s)#(.*)", line)
    body = line[: match.start()] if match else line
    return (
        re.sub(r"\s+--(hash|config-settings?|global-option)[=\s]\S+", "", body).strip(),
        "#",
        (match[2] if match else ""),
    )


def _requirement(file: str, number: int, body: str, comment: str) -> RequirementLine:
    def made(kind: Kind, name: str, problem: str = "") -> RequirementLine:
        normal = canonicalize_name(name) if name else ""
        return RequirementLine(file, number, body, kind, normal, comment.strip(), problem)

    editable = re.match(r"(-e|--editable)[\s=]+(.+)", body)
    target = editable[2].strip().strip("\"'") if editable else body.strip()
    if match := re.search(r"#egg=([\w.-]+)", target):
        return made("editable" if editable else "url", match[1])
    if re.match(r"(git|hg|svn|bzr)\+|https?://|file:", target):
        return made("editable" if editable else "url", _name_in_url(target))
    if editable or re.match(r"\.{0,2}/|\.$", target):
        name = re.sub(r"\[.*", "", posixpath.basename(posixpath.normpath(target)))
        return made("editable" if editable else "folder", "" if name in (".", "..") else name)
    try:
        requirement = Requirement(target)
    except InvalidRequirement as error:
        return made("unreadable", "", str(error).splitlines()[0])
    conda = bool(requirement.url) and str(requirement.url).startswith("file:")
    return made("conda" if conda else "url" if requirement.url else "release", requirement.name)


def _name_in_url(url: str) -> str:
    """Return the name of a wheel, an archive or a repository at a URL."""
    last = posixpath.basename(re.sub(r"[@#?].*$", "", url.split("://", 1)[-1]).rstrip("/"))
    return re.split(r"-\d|\.git$|\.(?:zip|tar|whl)", last)[0]
