"""Write the modules of the project that a plan describes.

Called by convert. Every function says in its docstring which cells it comes from; comments of the notebook stay beside
what they speak about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from modelwright.project.notebook.flow import Value
from modelwright.project.notebook.layout import MODULES, PLACES, SUMMARIES
from modelwright.project.notebook.plan import Block, Plan
from modelwright.project.notebook.sources import Imports, compose, indented
from modelwright.project.notebook.spelling import Speller
from modelwright.project.notebook.target import Expression


class Modules:
    """Writes the modules of the stages.

    Args:
        speller: Spells statements.
        imports: Imports of the notebook.

    Attributes:
        homes: Module of each name that the project defines.
    """

    def __init__(self, speller: Speller, imports: Imports) -> None:
        self.speller = speller
        self.plan: Plan = speller.plan
        self.imports = imports
        self.homes = {block.function: PLACES[block.stage].module for block in self.plan.blocks}
        self.homes["Settings"] = "settings"
        self.homes |= self._items()

    def _items(self) -> dict[str, str]:
        """Give each function and constant the module of the first stage that uses it."""
        flow = self.plan.flow
        homes: dict[str, str] = {}
        for index in self.plan.staging.order:
            module = PLACES[self.plan.staging.stage[index]].module
            self._place(homes, _functions(self.plan, [index]), module)
        for display in self.plan.displays:
            self._place(homes, _functions(self.plan, display.statements), "visualization")
        return {name: module for name, module in homes.items() if name in flow.functions or name in self.plan.constants}

    def _place(self, homes: dict[str, str], names: Iterable[str], module: str) -> None:
        for name in names:
            if name in self.plan.nested:
                continue
            for needed in {name, *self.plan.flow.functions[name].reads}:
                if needed in self.plan.constants or (needed in self.plan.flow.functions and self._defined(needed)):
                    homes.setdefault(needed, module)

    def _defined(self, name: str) -> bool:
        return any(one.defines == name for one in self.plan.flow.statements)

    def texts(self) -> dict[str, str]:
        """Return the text of each module, by its name."""
        found: dict[str, str] = {}
        for module in MODULES:
            parts = [*self._own(module), *(self._function(block) for block in self.plan.blocks if _in(block, module))]
            if parts:
                found[module] = compose(
                    SUMMARIES[module], "\n\n\n".join(parts), imports=self.imports, homes=self.homes, module=module
                )
        return found

    def own_items(self, module: str) -> list[str]:
        """Return the constants and functions that stand in a module."""
        return list(self._own(module))

    def _own(self, module: str) -> Iterator[str]:
        constants, functions = [], []
        last = {one.defines: index for index, one in enumerate(self.plan.flow.statements) if one.defines}
        for index, one in enumerate(self.plan.flow.statements):
            names = [name for name, made in self.plan.constants.items() if made == index]
            if names and self.homes.get(names[0]) == module:
                constants.append(self.speller.statement(index).rstrip("\n"))
            elif self.homes.get(one.defines) == module and last[one.defines] == index:
                functions.append(self.speller.statement(index).strip("\n"))
        if constants:
            yield "\n".join(constants)
        yield from functions

    def _function(self, block: Block) -> str:
        """Return the function of a stage."""
        names = self.plan.names
        body = "\n".join(self.body(block))
        takes = [names[value] for value in self.takes(block)]
        settings = ["settings: Settings"] if "settings." in body else []
        gives = [*self.gives(block), *(["measured"] if block.measures else [])]
        head = f"def {block.function}({', '.join([*takes, *settings])}):"
        if len(head) > 100:
            head = f"def {block.function}(\n    " + ", ".join([*takes, *settings]) + ",\n):"
        lines = [head, *self._docstring(block, takes, gives), indented(body)]
        if gives:
            lines.append(f"    return {', '.join(gives)}")
        return "\n".join(lines)

    def takes(self, block: Block) -> list[Value]:
        """Return what the function of a stage takes beside the settings."""
        return [value for value in block.takes if value.name not in self.speller.knobs.names]

    def gives(self, block: Block) -> list[str]:
        """Return the names of what the function of a stage gives beside what it measures."""
        values = [value for value in block.gives if value.name not in self.speller.knobs.names]
        return [*(self.plan.names[value] for value in values), *block.rows]

    def takes_settings(self, block: Block) -> bool:
        """Say whether the function of a stage needs the settings."""
        return "settings." in "\n".join(self.body(block))

    def _docstring(self, block: Block, takes: list[str], gives: list[str]) -> list[str]:
        place, cells = PLACES[block.stage], _cells(self.plan, block.statements)
        lines = [f'    """{place.summary} ({cells}).']
        if takes:
            lines += ["", "    Args:"]
            lines += [
                f"        {name}: {self._origin(value)}" for name, value in zip(takes, self.takes(block), strict=True)
            ]
            if self.takes_settings(block):
                lines += ["        settings: The settings of the project."]
        if gives:
            lines += ["", "    Returns:", f"        {_joined(gives)}."]
        return [*lines, '    """'] if len(lines) > 1 else [lines[0] + '"""']

    def _origin(self, value: Value) -> str:
        made = next(block for block in self.plan.blocks if value.made in block.statements)
        return f"As `{made.function}` made it."

    def body(self, block: Block) -> list[str]:
        """Return the statements of a stage, one text for each."""
        lines = ["measured = {}"] if block.measures else []
        nested: set[str] = set()
        for index in block.statements:
            for name in _functions(self.plan, [index]):
                if name in self.plan.nested and name not in nested:
                    nested.add(name)
                    lines += self._nested(name, block)
            if index in self.speller.knobs.dropped:
                continue
            measures = [one for one in block.measures if one.index == index]
            if not measures or measures[0].kept:
                lines.append(self.speller.statement(index).strip("\n"))
            for one in measures:
                written = self.speller.expression(index, one.node) if not one.kept else self._kept(index, one.text)
                lines.append(f'measured["{one.key}"] = {written}')
            for name, rows in block.rows.items():
                if rows.index == index:
                    lines.append(f"{name} = {self.row_text(rows)}")
        return lines or ["pass"]

    def row_text(self, rows: Expression) -> str:
        """Return the code of rows, in the project's names."""
        words = {name: self.plan.names.get(value, name) for name, value in rows.values.items()}
        return self.speller.words(rows.text, words | self.speller.knobs.names)

    def _kept(self, index: int, name: str) -> str:
        made = {
            value.name: value
            for value in (*self.plan.flow.touches[index].changes, *self.plan.flow.touches[index].makes)
        }
        return self.plan.names.get(made[name], name) if name in made else name

    def _nested(self, name: str, block: Block) -> list[str]:
        """Return a function that reads changing names, to stand inside a stage, with what it needs of its kind."""
        index = max(i for i, one in enumerate(self.plan.flow.statements) if one.defines == name)
        text = self.speller.statement(index).strip("\n")
        bound = self.plan.flow.statements[index].deferred_binds
        known = {self.plan.names[value] for value in block.takes}
        known |= {value.name for one in block.statements for value in self.plan.flow.touches[one].makes}
        before = [f"{free} = None" for free in sorted(bound - known)]
        return [*before, re.sub(r"^(\s+)global ", r"\1nonlocal ", text, flags=re.MULTILINE)]


def _in(block: Block, module: str) -> bool:
    return PLACES[block.stage].module == module


def _functions(plan: Plan, indices: Iterable[int]) -> list[str]:
    """Return the notebook's functions that statements use, those that they call first."""
    found: list[str] = []

    def add(name: str) -> None:
        if name in found or not any(one.defines == name for one in plan.flow.statements):
            return
        found.insert(0, name)
        for other in sorted(plan.flow.functions[name].reads):
            if other in plan.flow.functions and other != name:
                add(other)

    for index in indices:
        touch = plan.flow.touches[index]
        for name, value in sorted(touch.reads.items()):
            if name in plan.flow.functions:
                add(name)
            for carried in sorted(value.carries):
                add(carried)
    return found


def _cells(plan: Plan, indices: Iterable[int]) -> str:
    numbers = sorted({plan.flow.statements[index].cell.number for index in indices})
    said = _joined([str(number) for number in numbers])
    return f"cell {said} of the notebook" if len(numbers) == 1 else f"cells {said} of the notebook"


def _joined(words: list[str]) -> str:
    if len(words) > 12:
        words = [*words[:11], f"{len(words) - 11} more"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
