"""Write the notebook once more, with a note behind every value that the project makes too.

Called by convert, for the proof. The notes stand where the notebook's value is what the stage of the project gives; the
statements between them are the notebook's own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container
from typing import NamedTuple

from modelwright.project.notebook.flow import Value
from modelwright.project.notebook.measures import Measure
from modelwright.project.notebook.plan import Plan

NOTE = "__mw_note__"


class ObservedCell(NamedTuple):
    """A cell with notes in it.

    Attributes:
        number: Number of the cell.
        code: Its code.
    """

    number: int
    code: str


def observed_cells(plan: Plan, *, settings: Container[str] = ()) -> tuple[ObservedCell, ...]:
    """Return the cells of the notebook, in the order in which they are run, with the notes.

    Args:
        plan: The plan.
        settings: Names of the notebook that became settings; the project makes no value of them.
    """
    notes = _notes(plan, settings)
    measured: dict[int, list[Measure]] = defaultdict(list)
    for block in plan.blocks:
        for one in block.measures:
            measured[one.index].append(one)
    cells: list[ObservedCell] = []
    for index, statement in enumerate(plan.flow.statements):
        text = statement.code.strip("\n") + "\n"
        shown = [one for one in measured.get(index, ()) if not one.kept]
        if shown:
            text = "".join(f'{NOTE}("measured.{one.key}", {one.text})\n' for one in shown)
        text += "".join(f'{NOTE}("measured.{one.key}", {one.text})\n' for one in measured.get(index, ()) if one.kept)
        text += "".join(f'{NOTE}("{key}", {name})\n' for key, name in notes[index])
        if cells and cells[-1].number == statement.cell.number:
            cells[-1] = ObservedCell(cells[-1].number, cells[-1].code + text)
        else:
            cells.append(ObservedCell(statement.cell.number, text))
    return tuple(cells)


def _notes(plan: Plan, settings: Container[str]) -> dict[int, list[tuple[str, str]]]:
    notes: dict[int, list[tuple[str, str]]] = defaultdict(list)
    block_of = {index: position for position, block in enumerate(plan.blocks) for index in block.statements}
    for position, block in enumerate(plan.blocks):
        for value in block.gives:
            writers = [index for index in value.writers if index in block_of and block_of[index] <= position]
            if value.name not in settings and writers and _bound(plan, value, max(writers)):
                notes[max(writers)].append((f"{block.step}.{plan.names[value]}", value.name))
        for name, rows in block.rows.items():
            notes[rows.index].append((f"{block.step}.{name}", rows.text))
    target = plan.target
    asked = target.asked
    if asked is not None:
        values = {target.model, *asked.data()}
        index = max(max(value.writers) for value in values)
        if all(_bound(plan, value, index) for value in values):
            notes[index].append(("prediction", f"{target.model.name}.predict({asked.text})"))
    return notes


def _bound(plan: Plan, value: Value, index: int) -> bool:
    """Say whether a value's name still stands for it behind a statement."""
    later = [other for other in plan.flow.values if other.name == value.name and value.made < other.made <= index]
    return not later
