"""Write a module of the project: what it needs from elsewhere, then constants, functions, stages.

Called by writing. What a module has to import is read off its own finished text.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from modelwright.project.notebook.flow import Flow

NOTEBOOK_ONLY = frozenset(["IPython", "google", "ipywidgets", "kaggle_secrets", "ipykernel", "notebook", "jupyter"])
"""Modules that there are in a notebook only."""


@dataclass
class Imports:
    """The import statements of a notebook, by the name that each binds.

    Attributes:
        lines: For each name, what imports it; a statement with alternatives stands whole.
        local: Modules beside the notebook that come along.
        shown: Names that only a notebook has, for showing things.
    """

    lines: dict[str, list[str]] = field(default_factory=dict)
    local: frozenset[str] = frozenset()
    shown: set[str] = field(default_factory=lambda: {"display"})

    @classmethod
    def of(cls, flow: Flow, local: frozenset[str]) -> Imports:
        """Collect the imports of a notebook."""
        found = cls(local=local)
        for statement in flow.statements:
            if statement.is_import and found._of_notebooks(statement.node):
                found.shown |= statement.binds | statement.may_bind
            elif statement.is_import:
                for name in sorted(statement.binds | statement.may_bind):
                    for line in found._of_statement(statement.node, statement.code, name):
                        lines = found.lines.setdefault(name, [])
                        lines += [line] if line not in lines else []
        return found

    def _of_notebooks(self, node: ast.stmt) -> bool:
        """Say whether a statement imports what only a notebook has."""
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        return bool(names) and all(name.partition(".")[0] in NOTEBOOK_ONLY for name in names)

    def _of_statement(self, node: ast.stmt, code: str, name: str) -> list[str]:
        if isinstance(node, ast.Import):
            found = [one for one in node.names if (one.asname or one.name.partition(".")[0]) == name]
            return [self._module(one) for one in found]
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            module = "tqdm" if module in ("tqdm.notebook", "tqdm.autonotebook") else module
            module = f".{module}" if module.partition(".")[0] in self.local else module
            names = [one for one in node.names if (one.asname or one.name) == name]
            return [f"from {module} import {ast.unparse(one)}" for one in names]
        return [code.rstrip("\n")]

    def _module(self, alias: ast.alias) -> str:
        if alias.name.partition(".")[0] not in self.local:
            return f"import {ast.unparse(alias)}"
        holder, _, last = alias.name.rpartition(".")
        return f"from .{holder} import {last}" + (f" as {alias.asname}" if alias.asname else "")


def used_names(text: str) -> set[str]:
    """Return every name that some code reads.

    Example:
        >>> sorted(used_names("x = np.sqrt(y)"))
        ['np', 'y']
    """
    loads = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name))
    return {node.id for node in loads if isinstance(node.ctx, ast.Load)}


def compose(summary: str, body: str, *, imports: Imports, homes: Mapping[str, str], module: str) -> str:
    """Return the text of a module.

    Args:
        summary: First line of its docstring.
        body: Its constants and functions.
        imports: Imports of the notebook.
        homes: Module of each name that the project itself defines.
        module: Name of this module.
    """
    names = used_names(body)
    homes = dict.fromkeys(imports.shown - set(homes), "shown") | dict(homes)
    own = {name: home for name, home in homes.items() if name in names and home != module}
    lines = {line for name in names - own.keys() for line in imports.lines.get(name, ())}
    lines |= {line for every in imports.lines.get("*", ()) for line in [every]}
    local = {f"from .{home} import {name}" for name, home in own.items()}
    whole = sorted(line for line in lines if "\n" in line)
    single = sorted({line for line in lines if "\n" not in line} | local)
    blocks = [f'"""{summary}"""', "from __future__ import annotations", *_grouped(single), *whole]
    return "\n\n".join(blocks) + "\n\n\n" + body.strip("\n") + "\n"


def _grouped(lines: Iterable[str]) -> list[str]:
    """Group imports as everybody does, one statement for each module: standard library, others, the project's own."""
    merged: dict[str, set[str]] = {}
    plain: list[str] = []
    for line in lines:
        if line.startswith("from ") and "*" not in line:
            module, _, names = line.removeprefix("from ").partition(" import ")
            merged.setdefault(module, set()).add(names)
        else:
            plain.append(line)
    every = plain + [f"from {module} import {', '.join(sorted(names))}" for module, names in merged.items()]
    groups: dict[int, list[str]] = {0: [], 1: [], 2: []}
    for line in sorted(every, key=lambda one: (one.startswith("from "), one.lower())):
        groups[group_of(line)].append(line)
    return ["\n".join(_wrapped(line) for line in group) for group in groups.values() if group]


def group_of(line: str) -> int:
    """Return where an import stands: 0 standard library, 1 others, 2 the project's own."""
    module = line.split()[1]
    if module.startswith("."):
        return 2
    return 0 if module.partition(".")[0] in sys.stdlib_module_names else 1


def _wrapped(line: str) -> str:
    if len(line) <= 100:
        return line
    head, _, names = line.partition(" import ")
    return f"{head} import (\n" + "".join(f"    {name.strip()},\n" for name in names.split(",")) + ")"


def shown_text(names: Iterable[str]) -> str:
    """Return the module that stands for what only a notebook has: things are printed, or passed on as they are.

    Args:
        names: What the project uses of it.
    """
    parts = ['"""What the notebook showed below its cells, shown as text."""', "from __future__ import annotations", ""]
    for name in sorted(names):
        if name == "display":
            body = '"""Print what the notebook showed."""\n    for thing in things:\n        print(thing)'
        else:
            body = '"""Pass on what the notebook would have shown."""\n    return things[0] if things else None'
        parts.append(f"def {name}(*things, **options):\n    {body}\n")
    return "\n\n".join(parts)


def indented(text: str, depth: int = 1) -> str:
    r"""Indent code; the inside of a text that goes over several lines stays as it is.

    Example:
        >>> print(indented("if x:\n    y()"))
            if x:
                y()
    """
    inside: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)):
            inside |= set(range(node.lineno + 1, (node.end_lineno or node.lineno) + 1))
    pad = "    " * depth
    lines = text.split("\n")
    return "\n".join(line if number in inside or not line else pad + line for number, line in enumerate(lines, 1))
