"""Check an ordinary wheel, without a model in it: RECORD both ways, one name and version, nothing that runs at start.

Called by the registry, which takes any Python distribution; :mod:`modelwright.inspecting.wheel` does the same for
models, more strictly. Nothing is executed.

Source: Binary distribution format (``.data`` folders); Python library reference, ``site`` (``.pth``,
``sitecustomize``); PEP 829 (``.start``).
"""

from __future__ import annotations

from modelwright.errors import Problem
from modelwright.inspecting.agreement import (
    FileName,
    metadata_problems,
    read_metadata,
    read_wheel,
    wheel_problems,
)
from modelwright.inspecting.record import problem
from modelwright.package import Files

SCHEMES = frozenset(("purelib", "platlib", "headers", "scripts", "data"))
"""Folders that a ``.data`` folder may have."""
_IN_PLACE = frozenset(("purelib", "platlib"))
"""Those of them whose files land beside the wheel's own."""
AT_START = frozenset(("sitecustomize", "usercustomize"))
"""Modules that Python imports at every start."""
OURS = "modelwright"
"""The package that no other distribution may install."""


def library_problems(files: Files, folder: str, named: FileName) -> list[Problem]:
    """List where the parts of an ordinary wheel contradict one another, and what it has no business to install.

    Args:
        files: The files of the wheel.
        folder: Name of its ``.dist-info`` folder.
        named: What the file name says.
    """
    metadata, problems = read_metadata(files, folder)
    problems = problems if metadata is None else metadata_problems(metadata, named)
    headers = read_wheel(files, folder)
    problems += wheel_problems(headers, named)
    if headers is not None and str(headers.get("Root-Is-Purelib", "")).strip() not in ("true", "false"):
        problems.append(problem("WHEEL", "does not say whether Root-Is-Purelib"))
    for name in files.names():
        problems += _misplaced(name, folder, named)
    return problems


def top_level(files: Files, folder: str) -> tuple[str, ...]:
    """Return the modules and packages that a wheel would add to what can be imported, sorted."""
    tops = set()
    for name in files.names():
        place = installed(name, folder)
        if place is not None and not place.startswith(f"{folder}/"):
            top, slash, _ = place.partition("/")
            module = top if slash else top.partition(".")[0]
            if slash or top.endswith((".py", ".pyc", ".pyi", ".so", ".pyd")):
                tops.add(module)
    return tuple(sorted(tops))


def installed(name: str, folder: str) -> str | None:
    """Return where a file of a wheel lands below ``site-packages``; ``None``: somewhere else.

    Example:
        >>> installed("a-1.data/purelib/b.py", "a-1.dist-info"), installed("a-1.data/scripts/b", "a-1.dist-info")
        ('b.py', None)
    """
    data = folder.removesuffix(".dist-info") + ".data/"
    if not name.startswith(data):
        return name
    scheme, _, rest = name.removeprefix(data).partition("/")
    return rest if scheme in _IN_PLACE else None


def _misplaced(name: str, folder: str, named: FileName) -> list[Problem]:
    """Say what is wrong with where a file would be installed."""
    top = name.partition("/")[0]
    own_data = folder.removesuffix(".dist-info") + ".data"
    if top.endswith(".data") and (top != own_data or name.split("/")[1] not in SCHEMES):
        return [problem(name, f"lies in no folder that {own_data} may have")]
    place = installed(name, folder)
    if place is None:
        lower = name.lower()
        hidden = lower.endswith((".pth", ".start")) or "/site-packages/" in lower or "/dist-packages/" in lower
        return [problem(name, "would be installed among packages by a way around")] if hidden else []
    first = place.partition("/")[0]
    if runs_at_start(place):
        return [problem(name, "would run code at every start of Python")]
    if first.partition(".")[0].lower() == OURS and named.name != OURS:
        return [problem(name, f"would replace a part of {OURS} itself")]
    if first.endswith((".dist-info", ".egg-info")) and first != folder:
        return [problem(name, "would pose as another distribution")]
    return []


def runs_at_start(place: str) -> bool:
    """Say whether Python runs a file, at this place below ``site-packages``, whenever it starts.

    Example:
        >>> runs_at_start("evil.pth"), runs_at_start("sitecustomize/__init__.py"), runs_at_start("a/weights.pth")
        (True, True, False)
    """
    first, slash, _ = place.lower().partition("/")
    return first.partition(".")[0] in AT_START or (not slash and first.endswith((".pth", ".start")))
