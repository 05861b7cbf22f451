"""Judge every line of a ``pip freeze``: what the model needs, what comes with that, and why the rest is there.

Called by :mod:`modelwright.project.adopting.adopt`. Needed is what the package's code imports and what the saved models
name; the rest is explained by who else imports it, by what requires it, or by what it is for. Where nothing explains
it, that is said too; nothing is guessed into or out of the requirements silently.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from modelwright.capturing.distributions import installed, owner, required
from modelwright.inspecting.processes import installer_variables, run, uv_program
from modelwright.project.adopting.imports import PACKAGE, Importers
from modelwright.project.adopting.report import Judged, SavedModel
from modelwright.project.adopting.requirement_lines import RequirementLine
from modelwright.project.known_names import TOOLS, guessed_modules

TIMEOUT_S = 90.0
"""Longest time that the index is asked."""
_GROUPS = {"tests": "test", "jupyter": "notebook", "notebooks": "notebook", "style": "lint", "documentation": "docs"}
_SHOWN = 2


class _Evidence(NamedTuple):
    """What is known before the lines are judged.

    Attributes:
        importers: Who imports which module.
        models: Saved models that name a module, by module.
        requirers: Distributions of the file that require one, by distribution.
    """

    importers: Importers
    models: Mapping[str, str]
    requirers: Mapping[str, frozenset[str]]


def judge(
    lines: Iterable[RequirementLine], *, importers: Importers, models: Iterable[SavedModel], own: str
) -> tuple[Judged, ...]:
    """Judge the lines of a requirements file.

    Args:
        lines: Its lines.
        importers: Who imports which module.
        models: The project's saved models.
        own: The project's own name; a line that installs itself needs no other reason.
    """
    listed = list(lines)
    evidence = _Evidence(importers, _named_by(models), _requirers(listed))
    needed: dict[str, str] = {}
    for line in listed:
        why = _need(line, evidence) if line.name and line.name != own else ""
        if why:
            needed.setdefault(line.name, why)
    with_needed = _with(needed, evidence.requirers)
    unexplained = _unexplained(listed, evidence)
    return tuple(_judged(line, own, needed, with_needed, unexplained, evidence) for line in listed)


def _named_by(models: Iterable[SavedModel]) -> dict[str, str]:
    return {name.partition(".")[0]: model.path for model in models for name in (*model.types, *model.unreviewed)}


def _brings(line: RequirementLine, module: str) -> bool:
    """Tell whether a distribution brings a module: by what is installed here, else by name."""
    if installed(line.name) is not None and owner(module) == line.name:
        return True
    modules, known = guessed_modules(line.name)
    return module in modules and (known or installed(line.name) is None)


def _need(line: RequirementLine, evidence: _Evidence) -> str:
    for module, parts in evidence.importers.items():
        if PACKAGE in parts and _brings(line, module):
            return f"{module} is imported by {_files(parts[PACKAGE])}"
    for module, path in evidence.models.items():
        if _brings(line, module):
            return f"{path} names {module}"
    return ""


def _files(files: list[str]) -> str:
    return f"{files[0]} and {len(files) - 1} more" if len(files) > _SHOWN else " and ".join(files)


def _elsewhere(line: RequirementLine, evidence: _Evidence) -> str:
    for module, parts in evidence.importers.items():
        if PACKAGE not in parts and _brings(line, module):
            return " and ".join(sorted(parts))
    return ""


def _with(roots: Iterable[str], requirers: Mapping[str, frozenset[str]]) -> dict[str, str]:
    """Map what the roots require, directly or not, to the root that brings it."""
    found: dict[str, str] = {}
    waiting = {root: root for root in roots}
    while waiting:
        current, root = waiting.popitem()
        for name, asking in sorted(requirers.items()):
            if current in asking and name not in found:
                found[name] = root
                waiting[name] = root
    return found


def _unexplained(lines: list[RequirementLine], evidence: _Evidence) -> list[str]:
    """Modules that the package imports and that no line brings: some line of unknown contents may."""
    wanted = [module for module, parts in evidence.importers.items() if PACKAGE in parts]
    return sorted(m for m in wanted if not any(line.name and _brings(line, m) for line in lines))


def _judged(
    line: RequirementLine,
    own: str,
    needed: Mapping[str, str],
    with_needed: Mapping[str, str],
    unexplained: list[str],
    evidence: _Evidence,
) -> Judged:
    def made(verdict: str, why: str) -> Judged:
        remark = f"; its comment says: {line.comment}" if line.comment and verdict != "needed" else ""
        return Judged(
            file=line.file,
            line=line.number,
            text=line.text,
            name=line.name,
            verdict=verdict,  # type: ignore[arg-type]
            why=f"{why}{_origin(line)}{remark}",
        )

    if line.kind == "unreadable":
        return made("unknown", f"it cannot be read: {line.problem}")
    if line.name == own or (line.kind in ("editable", "folder") and not line.name):
        return made("unused", "it installs this project itself")
    if line.name in needed:
        return made("needed", needed[line.name])
    if line.name in with_needed:
        return made("comes-with", f"comes with {with_needed[line.name]}")
    if parts := _elsewhere(line, evidence):
        return made("elsewhere", f"imported by {parts} only")
    if line.name in TOOLS:
        return made("tooling", f"tooling: {TOOLS[line.name]}")
    if asking := evidence.requirers.get(line.name):
        return made("comes-with", f"comes with {', '.join(sorted(asking)[:_SHOWN])}, which the model does not need")
    _, known = guessed_modules(line.name)
    if unexplained and not known and installed(line.name) is None:
        return made("unknown", f"its modules are not known here, and it may bring {', '.join(unexplained)}")
    return made("unused", "nothing imports it")


def _origin(line: RequirementLine) -> str:
    """Say what is unusual about where a line installs from."""
    return {
        "conda": "; it points to a file of the machine it was frozen on",
        "editable": "; it points to a folder or repository, which no index has",
        "folder": "; it points to a folder, which nobody else has",
        "url": "; it is installed from a URL, not from an index",
    }.get(line.kind, "; its local label is on no index" if line.pin != line.text else "")


def _requirers(lines: list[RequirementLine]) -> dict[str, frozenset[str]]:
    """Return which listed distributions require which: by what is installed here, else by asking the index."""
    names = {line.name for line in lines if line.name}
    strangers = [line for line in lines if line.kind in ("release", "conda") and not _is_installed(line)]
    graph: dict[str, set[str]] = {}
    for name in names:
        for needed in required(name):
            graph.setdefault(needed, set()).add(name)
    for name, asking in (_ask_index(strangers) if strangers else {}).items():
        graph.setdefault(name, set()).update(asking)
    return {name: frozenset(asking & names) for name, asking in graph.items() if name in names and asking & names}


def _is_installed(line: RequirementLine) -> bool:
    """Tell whether the version of a line is the one installed here, so that its metadata are the right ones."""
    found = installed(line.name)
    try:
        return found is not None and Requirement(line.pin).specifier.contains(found.version, prereleases=True)
    except InvalidRequirement:
        return False


def _ask_index(lines: list[RequirementLine]) -> dict[str, set[str]]:
    """Ask uv to resolve the lines, and return who requires what; nothing if the index cannot be reached."""
    program = uv_program()
    if program is None:
        return {}
    with tempfile.TemporaryDirectory(prefix="modelwright-") as folder:
        file = Path(folder, "frozen.txt")
        file.write_text("".join(f"{line.pin}\n" for line in lines), "utf-8")
        command: list[str | Path] = [
            program,
            "pip",
            "compile",
            file,
            "--python",
            sys.executable,
            "--no-build",
            "--no-header",
        ]
        command += ["--annotation-style", "line"]
        done = run(command, variables=installer_variables(), timeout_s=TIMEOUT_S)
    return parse_annotations(done.output) if done.code == 0 else {}


def parse_annotations(text: str) -> dict[str, set[str]]:
    """Read who requires what from the output of ``uv pip compile --annotation-style line``.

    Example:
        >>> sorted(parse_annotations("numpy==2.4.6   # via -r a.txt, pandas, scikit-learn")["numpy"])
        ['pandas', 'scikit-learn']
    """
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        match = re.match(r"([\w.-]+)\S*\s+.*?# via (.+)", line)
        if match:
            asking = {word.strip() for word in match[2].split(",") if not word.strip().startswith("-r")}
            found[canonicalize_name(match[1])] = {canonicalize_name(word) for word in asking}
    return found


def groups_of(judged: Iterable[Judged], lines: Mapping[tuple[str, int], RequirementLine]) -> dict[str, list[str]]:
    """Return the dependency groups that hold what tests, notebooks and tools need, so that nothing is lost."""
    found: dict[str, list[str]] = {}
    for each in judged:
        line = lines[each.file, each.line]
        if each.verdict == "elsewhere":
            first = each.why.removeprefix("imported by ").split(" ")[0].removesuffix("/").removesuffix(".py")
            group = _GROUPS.get(first, first)
        elif each.verdict == "tooling":
            group = _GROUPS.get(TOOLS[each.name], "")
        else:
            continue
        if group and line.kind == "release":
            found.setdefault(re.sub(r"[^A-Za-z0-9]+", "-", group), []).append(line.pin)
    return dict(sorted(found.items()))
