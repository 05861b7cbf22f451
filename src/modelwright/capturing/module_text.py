"""Lay out the import block of a generated module as isort and ruff would.

Called by lifting. It decides nothing about what is imported.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from modelwright.capturing.homes import home_of_module
from modelwright.capturing.local_modules import relative_statements


def import_block(statements: Iterable[str]) -> str:
    """Sort import statements into standard library, installed and relative ones, and merge ``from`` imports.

    Example:
        >>> print(import_block(["from re import compile", "import numpy as np", "import math", "from re import A"]))
        import math
        from re import A, compile
        <BLANKLINE>
        import numpy as np
    """
    sections: dict[int, list[str]] = {}
    origins: dict[tuple[int, str], set[str]] = {}
    for statement in sorted(set(statements)):
        node = ast.parse(statement).body[0]
        for text in _relative(node) or [statement]:
            section = 2 if text.startswith("from .") else 0 if _is_standard(text) else 1
            if text.startswith("from "):
                origin, _, name = text.removeprefix("from ").partition(" import ")
                origins.setdefault((section, origin), set()).update(name.split(", "))
            else:
                sections.setdefault(section, []).append(text)
    for (section, origin), names in sorted(origins.items()):
        sections.setdefault(section, []).append(f"from {origin} import {', '.join(sorted(names, key=_by_type))}")
    return "\n\n".join("\n".join(dict.fromkeys(lines)) for _, lines in sorted(sections.items()))


def _relative(node: ast.stmt) -> list[str]:
    return relative_statements(node, parent="") if isinstance(node, ast.Import | ast.ImportFrom) else []


def _is_standard(statement: str) -> bool:
    return home_of_module(statement.split()[1]) == "standard"


def _by_type(name: str) -> tuple[int, str]:
    """Sort constants first, then classes, then the rest, as isort's ``order-by-type`` does."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2, name)
