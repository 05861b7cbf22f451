"""Find the cells that draw or show, and the function after which each can be run.

Called by plan. What only serves looking goes to ``visualization``: the drawing statements and what only they need, a
function per cell. A function runs after the block that gives it what it looks at; a stage is divided
where the notebook looked at a value between two changes of it.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from modelwright.project.notebook.flow import Flow, Value
from modelwright.project.notebook.stages import Staging
from modelwright.project.notebook.vocabulary import GLANCES


@dataclass(frozen=True)
class Display:
    """What a cell draws or shows.

    Attributes:
        cell: Number of the cell.
        statements: Indices of its statements, in order.
        after: Position of the block after which it runs.
        looks_at: Values of the model's making that it reads.
        uses: Values that it takes from earlier displays.
        makes: Values that it leaves to later displays.
    """

    cell: int
    statements: tuple[int, ...]
    after: int
    looks_at: tuple[Value, ...] = ()
    uses: tuple[Value, ...] = ()
    makes: tuple[Value, ...] = ()


def find_displays(flow: Flow, staging: Staging, measured: frozenset[int]) -> tuple[Display, ...]:
    """Return what is drawn and shown, a display for each cell, not yet placed."""
    shown = [index for index in range(len(flow.statements)) if _is_shown(flow, index, staging, measured)]
    kept = flow.needed(shown) - set(staging.order) - staging.saves
    kept = {index for index in kept if not flow.statements[index].defines and not flow.statements[index].is_import}
    by_cell: dict[int, list[int]] = defaultdict(list)
    for index in sorted(kept):
        by_cell[flow.statements[index].cell.number].append(index)
    return tuple(
        _display(flow, staging, cell, indices) for cell, indices in sorted(by_cell.items(), key=lambda item: item[1][0])
    )


def cuts(flow: Flow, staging: Staging, displays: tuple[Display, ...]) -> frozenset[int]:
    """Return the statements before which a stage is divided, so that a display sees a value as the notebook did.

    As few as possible, and at the begin of a cell where one is as good as another.
    """
    order = staging.order
    position = {index: place for place, index in enumerate(order)}
    wanted = sorted(_between(flow, staging, displays, position), key=lambda one: one[1])
    chosen: list[int] = []
    for low, high in wanted:
        if not chosen or not low < chosen[-1] <= high:
            chosen.append(high)
    found: set[int] = set()
    for cut in chosen:
        lowest = max(low for low, high in wanted if low < cut <= high) + 1
        cell, stage = flow.statements[order[cut]].cell, staging.stage[order[cut]]
        while cut > lowest and flow.statements[order[cut - 1]].cell is cell and staging.stage[order[cut - 1]] == stage:
            cut -= 1
        found.add(order[cut])
    return frozenset(found)


def _between(
    flow: Flow, staging: Staging, displays: tuple[Display, ...], position: dict[int, int]
) -> Iterator[tuple[int, int]]:
    """Yield pairs of positions: a stage has to be divided behind the first, and not behind the second."""
    for display in displays:
        for value in display.looks_at:
            before, after = _writers(flow, staging, display, value)
            if not before or _glances(flow, display, value):
                continue
            stage = staging.stage[before[-1]]
            same = [index for index in after if staging.stage[index] == stage]
            if same:
                yield position[before[-1]], position[same[0]]


def _glances(flow: Flow, display: Display, value: Value) -> bool:
    """Say whether a display only glances at a table as a whole (``df.head()``): no reason to divide a stage."""
    for index in display.statements:
        if value not in flow.touches[index].reads.values():
            continue
        node = flow.statements[index].node
        attributes = {child.attr for child in ast.walk(node) if isinstance(child, ast.Attribute)}
        picks = any(isinstance(child, ast.Subscript) for child in ast.walk(node))
        if picks or not attributes or not attributes <= GLANCES:
            return False
    return True


def place(flow: Flow, staging: Staging, displays: tuple[Display, ...], block_of: dict[int, int]) -> tuple[Display, ...]:
    """Say for each display after which block it runs, in the order in which they run."""
    placed: list[Display] = []
    for display in displays:
        after = [0]
        for value in display.looks_at:
            before, _ = _writers(flow, staging, display, value)
            after.append(max((block_of[index] for index in before), default=block_of[value.made]))
        needed = flow.needed(display.statements)
        after += [other.after for other in placed if needed & set(other.statements)]
        placed.append(replace(display, after=max(after)))
    return tuple(sorted(placed, key=lambda one: (one.after, one.statements[0])))


def _writers(flow: Flow, staging: Staging, display: Display, value: Value) -> tuple[list[int], list[int]]:
    """Return the statements that bind or change a name before a display reads it, and those after it."""
    reading = [index for index in display.statements if value in flow.touches[index].reads.values()]
    last = max(reading, default=display.statements[-1])
    writers = sorted(
        {
            index
            for other in flow.values
            if other is value or (other.name == value.name and other.kind == "data")
            for index in other.writers
            if index in staging.stage
        }
    )
    return [index for index in writers if index < last], [index for index in writers if index > last]


def unused_cells(flow: Flow, staging: Staging, displays: tuple[Display, ...], ignored: frozenset[int]) -> list[int]:
    """Return the cells with statements of which nothing is needed."""
    used = set(staging.order) | staging.saves | ignored | {index for one in displays for index in one.statements}
    parts: dict[int, list[bool]] = defaultdict(list)
    for index, statement in enumerate(flow.statements):
        if not statement.defines and not statement.is_import:
            parts[statement.cell.number].append(index in used)
    return sorted(number for number, flags in parts.items() if not any(flags))


def _is_shown(flow: Flow, index: int, staging: Staging, measured: frozenset[int]) -> bool:
    statement = flow.statements[index]
    if index in staging.order or index in staging.saves or index in measured:
        return False
    if not statement.effects.draws or statement.defines:
        return False
    return not _is_silent(flow, index)


def _is_silent(flow: Flow, index: int) -> bool:
    """Say whether an expression shows nothing: a bare name or call that is not the last of its cell."""
    statement = flow.statements[index]
    if not isinstance(statement.node, ast.Expr) or isinstance(statement.node.value, ast.Call):
        return False
    last = max(i for i, other in enumerate(flow.statements) if other.cell.number == statement.cell.number)
    return index != last


def _display(flow: Flow, staging: Staging, cell: int, indices: list[int]) -> Display:
    made = {value for index in indices for value in flow.touches[index].makes}
    read = {
        value
        for index in indices
        for value in (*flow.touches[index].reads.values(), *flow.touches[index].changes)
        if value.kind == "data" and value not in made
    }
    essential = sorted((value for value in read if value.made in staging.stage), key=_order)
    uses = sorted((value for value in read if value.made not in staging.stage), key=_order)
    return Display(cell, tuple(indices), 0, tuple(essential), tuple(uses), tuple(sorted(made, key=_order)))


def _order(value: Value) -> tuple[int, str]:
    return value.made, value.name
