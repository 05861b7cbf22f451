"""Find the cells that draw or show, and the stage after which each can be run.

Called by plan. What only serves looking goes to ``visualization``: the drawing statements and what only they need, a
function per cell. A function runs after the stage that gives it what it looks at.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field

from modelwright.project.notebook.flow import Flow, Value
from modelwright.project.notebook.roles import Stage
from modelwright.project.notebook.stages import Staging


@dataclass(frozen=True)
class Display:
    """What a cell draws or shows.

    Attributes:
        cell: Number of the cell.
        statements: Indices of its statements, in order.
        after: The stage after which it runs.
        looks_at: For each value of the model's making that it reads, the one that is there by then.
        uses: Values that it takes from earlier displays.
        makes: Values that it leaves to later displays.
    """

    cell: int
    statements: tuple[int, ...]
    after: Stage
    looks_at: dict[Value, Value] = field(default_factory=dict)
    uses: tuple[Value, ...] = ()
    makes: tuple[Value, ...] = ()


def find_displays(flow: Flow, staging: Staging, measured: frozenset[int]) -> tuple[Display, ...]:
    """Return what is drawn and shown, in the order in which it can run."""
    shown = [index for index in range(len(flow.statements)) if _is_shown(flow, index, staging, measured)]
    kept = flow.needed(shown) - set(staging.order) - staging.saves
    kept = {index for index in kept if not flow.statements[index].defines and not flow.statements[index].is_import}
    by_cell: dict[int, list[int]] = defaultdict(list)
    for index in sorted(kept):
        by_cell[flow.statements[index].cell.number].append(index)
    placed: list[Display] = []
    for cell, indices in sorted(by_cell.items(), key=lambda item: item[1][0]):
        placed.append(_display(flow, staging, placed, cell, indices))
    return tuple(sorted(placed, key=lambda one: (one.after, one.statements[0])))


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


def _display(flow: Flow, staging: Staging, placed: list[Display], cell: int, indices: list[int]) -> Display:
    made = {value for index in indices for value in flow.touches[index].makes}
    read = {
        value
        for index in indices
        for value in (*flow.touches[index].reads.values(), *flow.touches[index].changes)
        if value.kind == "data" and value not in made
    }
    essential = {value for value in read if value.made in staging.stage}
    uses = tuple(sorted(read - essential, key=lambda value: value.made))
    after = max(
        [
            Stage.LOAD,
            *(_seen_after(flow, staging, value, _reading(flow, value, indices)) for value in essential),
            *(one.after for one in placed if set(one.makes) & set(uses)),
        ]
    )
    looks_at = {value: _there(flow, staging, value, after) for value in essential}
    return Display(cell, tuple(indices), after, looks_at, uses, tuple(sorted(made, key=lambda value: value.made)))


def _reading(flow: Flow, value: Value, indices: list[int]) -> list[int]:
    return [index for index in indices if value in flow.touches[index].reads.values()] or indices


def _strings(flow: Flow, index: int) -> set[str]:
    return {
        child.value
        for child in ast.walk(flow.statements[index].node)
        if isinstance(child, ast.Constant) and isinstance(child.value, str)
    }


def _seen_after(flow: Flow, staging: Staging, value: Value, indices: list[int]) -> Stage:
    """Return the stage after which a value is as the display saw it, as nearly as stages allow.

    In the middle of a stage, the columns decide: what was made before the display and is shown has to be there, what is
    taken away behind it must still be there.
    """
    first = indices[-1]
    same = [other for other in flow.values if other.name == value.name and other.kind == "data"]
    writers = sorted({index for other in same for index in other.writers if index in staging.stage})
    before = [index for index in writers if index < first]
    if not before:
        return staging.stage[value.made]
    stage = max(staging.stage[index] for index in before)
    later = [index for index in writers if index > first and staging.stage[index] == stage]
    here = [index for index in before if staging.stage[index] == stage]
    earlier = [staging.stage[index] for index in before if staging.stage[index] < stage]
    if not later or not earlier:
        return stage
    shown = set().union(*(_strings(flow, index) for index in indices))
    made_here = shown & set().union(*(_strings(flow, index) for index in here))
    taken_later = shown & set().union(*(_strings(flow, index) for index in later))
    return max(earlier) if taken_later and not made_here else stage


def _there(flow: Flow, staging: Staging, value: Value, after: Stage) -> Value:
    """Return the value of the same name that is there after a stage."""
    same = [
        other
        for other in flow.values
        if other.name == value.name and other.kind == "data" and staging.stage.get(other.made, Stage.DELIVER) <= after
    ]
    known = [other for other in same if other.made in staging.stage]
    return max(known, key=lambda other: (staging.stage[other.made], other.made)) if known else value
