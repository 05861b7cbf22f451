"""Take requirements apart: name, extras, specifier, marker.

Called by compatibility. Markers are evaluated for the running interpreter; an ``extra`` never applies. A URL
requirement has no version to compare, so only its presence is checked.
Source: PEP 508 (grammar, environment markers), PEP 503 (normal form of names).
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Callable
from typing import NamedTuple

from .versions import satisfies, version_key

_REQUIREMENT = re.compile(
    r"\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[(?P<extras>[^\]]*)\])?"
    r"\s*(?:@\s*(?P<url>\S+)|\(?(?P<specifier>[^;()@]*)\)?)\s*(?:;(?P<marker>.*))?"
)
_TOKEN = re.compile(r"\s*(\(|\)|'[^']*'|\"[^\"]*\"|~=|===|==|!=|<=|>=|<|>|[A-Za-z_.]+)")


class Requirement(NamedTuple):
    """One requirement of the model.

    Attributes:
        name: PEP 503 normal form.
        specifier: Version clauses joined by commas; empty: any version.
        marker: The environment marker; empty: always.
    """

    name: str
    specifier: str
    marker: str


def normal_name(name: str) -> str:
    """Return the PEP 503 normal form of a distribution name.

    Example:
        >>> normal_name("Scikit_Learn")
        'scikit-learn'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def parse_requirement(text: str) -> Requirement | None:
    """Take a requirement apart; ``None`` if it is not one.

    Example:
        >>> parse_requirement("Foo.Bar[fast] ~= 1.4 ; python_version >= '3.11'")
        Requirement(name='foo-bar', specifier='~= 1.4', marker="python_version >= '3.11'")
    """
    found = _REQUIREMENT.fullmatch(text)
    if not found:
        return None
    specifier = (found["specifier"] or "").strip()
    return Requirement(normal_name(found["name"]), specifier, (found["marker"] or "").strip())


def applies(marker: str) -> bool:
    """Say whether a marker holds here; one that cannot be understood holds, so that nothing escapes the check.

    Example:
        >>> applies("python_version >= '3' and (sys_platform == 'none' or os_name != 'none')"), applies("extra == 'x'")
        (True, False)
    """
    if not marker:
        return True
    tokens = _TOKEN.findall(marker)
    try:
        value = _either(tokens)
    except (IndexError, KeyError, ValueError):
        return True
    return value if not tokens else True


def _either(tokens: list[str]) -> bool:
    value = _both(tokens)
    while tokens and tokens[0] == "or":
        tokens.pop(0)
        value = _both(tokens) or value
    return value


def _both(tokens: list[str]) -> bool:
    value = _comparison(tokens)
    while tokens and tokens[0] == "and":
        tokens.pop(0)
        value = _comparison(tokens) and value
    return value


def _comparison(tokens: list[str]) -> bool:
    if tokens[0] == "(":
        tokens.pop(0)
        value = _either(tokens)
        if tokens.pop(0) != ")":
            raise ValueError("unbalanced marker")
        return value
    left, operator = _operand(tokens.pop(0)), tokens.pop(0)
    if operator == "not":
        operator = f"not {tokens.pop(0)}"
    right = _operand(tokens.pop(0))
    if operator in ("in", "not in"):
        return (left in right) == (operator == "in")
    if version_key(left) and version_key(right):
        return satisfies(left, operator + right)
    return {"==": left == right, "!=": left != right}[operator]


def _operand(token: str) -> str:
    return token[1:-1] if token[0] in "'\"" else _VARIABLES[token]()


_VARIABLES: dict[str, Callable[[], str]] = {
    "extra": lambda: "",
    "implementation_name": lambda: sys.implementation.name,
    "os_name": lambda: os.name,
    "platform_machine": platform.machine,
    "platform_python_implementation": platform.python_implementation,
    "platform_release": platform.release,
    "platform_system": platform.system,
    "python_full_version": platform.python_version,
    "python_version": lambda: f"{sys.version_info[0]}.{sys.version_info[1]}",
    "sys_platform": lambda: sys.platform,
}
