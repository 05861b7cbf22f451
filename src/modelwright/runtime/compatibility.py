"""Check that this process is an environment the model was proved in: first the interpreter, then the pins.

Called by loading, before a single byte of an artifact is read. It does not import the libraries it checks.
"""

from __future__ import annotations

import sys
from importlib import metadata
from typing import Any

from .errors import InterpreterError, PinError, Problem
from .requirements import applies, parse_requirement
from .versions import satisfies


def check_interpreter(manifest: dict[str, Any]) -> None:
    """Refuse an interpreter that the package was not verified on.

    A portable package (the artifact is the same on every interpreter) runs on any that is not older than the
    oldest one verified.

    Raises:
        InterpreterError: Names the running interpreter, those that were verified, and the fix.
    """
    environment = manifest["environment"]
    implementation = environment.get("implementation", "cpython")
    verified = [_release(tag) for tag in environment["interpreters"]]
    running = sys.version_info[:2]
    same = sys.implementation.name == implementation
    if same and (running in verified or (environment.get("portable") and running >= min(verified))):
        return
    name, version = manifest["name"], manifest["version"]
    listed = ", ".join(".".join(map(str, release)) for release in verified)
    wanted = ".".join(map(str, verified[-1])) if verified else "X.Y"
    raise InterpreterError(
        f"{name} {version} was verified on {implementation} {listed}; this is {_running()}.",
        where=sys.executable,
        why="A model stored for one interpreter may load on another one and answer differently, without a word.",
        hint=f"uv venv --python {wanted} && uv pip install {name}=={version}",
    )


def _release(tag: str) -> tuple[int, int]:
    """Return the release of a PEP 425 python tag: ``cp311`` is (3, 11), ``py3`` is (3, 0)."""
    digits = tag.lstrip("abcdefghijklmnopqrstuvwxyz")
    return int(digits[:1] or 0), int(digits[1:] or 0)


def _running() -> str:
    return f"{sys.implementation.name} {'.'.join(map(str, sys.version_info[:3]))}"


def check_pins(manifest: dict[str, Any]) -> None:
    """Refuse libraries that are missing or have another version than the pins of the package.

    Raises:
        PinError: Lists every mismatch with both versions, and the one command that fixes them all.
    """
    problems, fixes = [], []
    for text in manifest["environment"]["dependencies"]:
        problem = _mismatch(text)
        if problem:
            problems.append(problem)
            fixes.append(f'"{text}"')
    if problems:
        name, version = manifest["name"], manifest["version"]
        noun = "library is" if len(problems) == 1 else "libraries are"
        raise PinError(
            f"{len(problems)} {noun} not what {name} {version} was captured with.",
            where=sys.prefix,
            problems=problems,
            why="Another version may load and give other answers without a word, so nothing was loaded.",
            hint=f"pip install {' '.join(fixes)}",
        )


def _mismatch(text: str) -> Problem | None:
    requirement = parse_requirement(text)
    if requirement is None:
        return Problem(None, None, "the requirement cannot be understood", item=text)
    if not applies(requirement.marker):
        return None
    wanted = requirement.specifier or "any version"
    installed = _installed(requirement.name)
    if installed is None:
        return Problem(None, None, f"is not installed; {wanted} is needed", item=requirement.name)
    if not satisfies(installed, requirement.specifier):
        return Problem(None, None, f"{installed} is installed; {wanted} is needed", item=requirement.name)
    return None


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
