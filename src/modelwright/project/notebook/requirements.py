"""Find out what a notebook has to have installed: what it imports, what it installs, what its calls need besides.

Called by convert. Versions are those installed here, because the notebook was most likely written with them.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from modelwright.capturing.distributions import installed, owner
from modelwright.project.known_names import MODULES
from modelwright.project.notebook.flow import Flow
from modelwright.project.notebook.sources import NOTEBOOK_ONLY

NEEDED_BY_CALLS = {
    "read_excel": "openpyxl",
    "to_excel": "openpyxl",
    "read_parquet": "pyarrow",
    "to_parquet": "pyarrow",
    "read_feather": "pyarrow",
    "read_html": "lxml",
    "to_markdown": "tabulate",
    "read_hdf": "tables",
}
"""Distributions that a call needs although nothing imports them."""
NEEDED_BY_ATTRIBUTES = {"plot": "matplotlib", "hist": "matplotlib", "boxplot": "matplotlib", "style": "jinja2"}
NOT_NEEDED = NOTEBOOK_ONLY | {"modelwright"}
"""Modules that only a notebook needs, or that bring themselves."""


def requirements_of(flow: Flow, *, installs: Iterable[str], local: frozenset[str]) -> tuple[str, ...]:
    """Return the direct requirements of a notebook, sorted; exact where the distribution is installed here.

    Args:
        flow: The graph.
        installs: Requirements that the notebook installs itself.
        local: Modules that lie beside the notebook.
    """
    names = {_distribution(module) for module in _modules(flow, local)}
    calls = {call for statement in flow.statements for call in statement.effects.calls}
    attributes = {name for statement in flow.statements for name in statement.effects.attributes}
    names |= {NEEDED_BY_CALLS[call] for call in calls & NEEDED_BY_CALLS.keys()}
    names |= {NEEDED_BY_ATTRIBUTES[name] for name in (attributes | calls) & NEEDED_BY_ATTRIBUTES.keys()}
    if calls & {"load_iris", "load_wine", "load_breast_cancer", "load_digits", "load_diabetes"}:
        names.add("pandas")
    given = _given(installs)
    used = {**{name: given[name] for name in given if name in names}}
    return tuple(sorted(str(used.get(name) or _pinned(name)) for name in names))


def _modules(flow: Flow, local: frozenset[str]) -> set[str]:
    found: set[str] = set()
    for statement in flow.statements:
        for node in ast.walk(statement.node):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                found.add(node.module)
    tops = {name.partition(".")[0]: name for name in found}
    return {
        name
        for top, name in tops.items()
        if top not in sys.stdlib_module_names and top not in NOT_NEEDED and top not in local
    }


def _distribution(module: str) -> str:
    top = module.partition(".")[0]
    known = owner(module)
    if known is not None:
        return str(known)
    listed = sorted(name for name, modules in MODULES.items() if top in modules)
    return canonicalize_name(listed[0] if listed else top)


def _pinned(name: str) -> str:
    found = installed(name)
    return f"{name}=={found.version.partition('+')[0]}" if found is not None else name


def _given(installs: Iterable[str]) -> dict[str, Requirement]:
    found: dict[str, Requirement] = {}
    for line in installs:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.specifier or requirement.extras:
            found[canonicalize_name(requirement.name)] = requirement
    return found
