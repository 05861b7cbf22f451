"""Decide in which order the cells are run: as they stand, as the author ran them, or with definitions before their use.

Called by convert. A notebook that runs from top to bottom is left as it is. Otherwise the order of the execution counts
is tried, and then moving up the cells that define what is missing; what nothing defines is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from modelwright.errors import CellError
from modelwright.project.notebook.cells import cell_error
from modelwright.project.notebook.flow import Flow, Undefined, trace
from modelwright.project.notebook.statements import CodeCell, Statement, imported_modules, split


@dataclass(frozen=True)
class Ordered:
    """The order that was chosen.

    Attributes:
        flow: The graph in that order.
        notes: What a person should know, with cell numbers.
    """

    flow: Flow
    notes: tuple[str, ...]


def put_in_order(cells: Sequence[CodeCell], *, lost: Mapping[str, CellError] | None = None) -> Ordered:
    """Choose an order of cells in which every name is defined before it is used.

    Args:
        cells: The code cells, as they stand.
        lost: Names whose values only a shell or IPython could give, with what to say when one of them is needed.

    Raises:
        CellError: A name is used that nothing defines, in any order.
    """
    modules = imported_modules(cells)
    parts = {cell.number: split(cell, modules) for cell in cells}
    notes = _out_of_order(cells)
    as_it_stands = list(cells)
    first = _traced(as_it_stands, parts)
    if not first.undefined:
        return Ordered(first, tuple(notes))
    counted = [cell for cell in cells if cell.execution_count is not None]
    executed = sorted(counted, key=lambda cell: cell.execution_count or 0)
    if len(counted) == len([cell for cell in cells if parts[cell.number]]) and executed != as_it_stands:
        flow = _traced(executed, parts)
        if not flow.undefined:
            said = ", ".join(str(cell.number) for cell in executed)
            return Ordered(flow, (*notes, f"the cells only work in the order in which they were run: {said}"))
    moved, flow = _hoisted(as_it_stands, parts)
    if flow.undefined:
        if lost and flow.undefined[0].name in lost:
            raise lost[flow.undefined[0].name]
        raise _missing(flow.undefined[0], flow)
    return Ordered(flow, (*notes, *moved))


def _traced(cells: Sequence[CodeCell], parts: dict[int, list[Statement]]) -> Flow:
    return trace([statement for cell in cells for statement in parts[cell.number]])


def _out_of_order(cells: Sequence[CodeCell]) -> list[str]:
    counted = [cell for cell in cells if cell.execution_count is not None]
    return [
        f"cell {above.number} was last run after cell {below.number}, which stands below it: out of order"
        for above, below in pairwise(counted)
        if (above.execution_count or 0) > (below.execution_count or 0)
    ]


def _hoisted(cells: list[CodeCell], parts: dict[int, list[Statement]]) -> tuple[list[str], Flow]:
    """Move up the cells that define what is missing, one after another."""
    notes: list[str] = []
    cells = list(cells)
    flow = _traced(cells, parts)
    for _ in range(len(cells)):
        if not flow.undefined:
            break
        missing = flow.undefined[0]
        user = flow.statements[missing.index].cell.number
        position = next(index for index, cell in enumerate(cells) if cell.number == user)
        moved = _move_definition(missing.name, position, cells, parts)
        if moved is None:
            break
        cells, parts, note = moved
        again = _traced(cells, parts)
        if again.undefined and again.undefined[0].index <= missing.index and again.undefined[0].name == missing.name:
            break
        notes.append(note)
        flow = again
    return notes, flow


def _move_definition(
    name: str, position: int, cells: list[CodeCell], parts: dict[int, list[Statement]]
) -> tuple[list[CodeCell], dict[int, list[Statement]], str] | None:
    """Put the statements that define a name before its use: of its own cell, or the whole of a later cell."""
    user = cells[position].number
    own = [one for one in parts[user] if name in one.binds]
    if own:
        rest = [one for one in parts[user] if one not in own]
        if parts[user] == own + rest:
            return None
        return cells, {**parts, user: own + rest}, f"cell {user} uses {name!r} above its definition"
    for index in range(position + 1, len(cells)):
        number = cells[index].number
        definitions = [one for one in parts[number] if name in one.binds and (one.defines or one.is_import)]
        if definitions:
            rest = [one for one in parts[number] if one not in definitions]
            changed = {**parts, number: rest, user: definitions + parts[user]}
            return cells, changed, f"cell {user} uses {name!r}, which is defined in cell {number}"
        if any(name in one.binds for one in parts[number]):
            order = [*cells[:position], cells[index], *cells[position:index], *cells[index + 1 :]]
            return order, parts, f"cell {user} uses {name!r}, which cell {number} makes; that cell is run first"
    return None


def _missing(missing: Undefined, flow: Flow) -> CellError:
    statement = flow.statements[missing.index]
    through = f" (through {missing.through}())" if missing.through else ""
    makers = sorted({one.cell.number for one in flow.statements if missing.name in one.binds | one.may_bind})
    why = (
        f"Cell {', '.join(map(str, makers))} defines it, but needs in turn what comes later."
        if makers
        else "No cell defines it: it was left over from a cell that is gone, or is defined elsewhere."
    )
    return cell_error(
        statement.cell.number,
        statement.line,
        statement.code.strip().splitlines()[-1],
        what=f"Cell {statement.cell.number} uses {missing.name!r}{through}, which is not defined by then.",
        why=why,
        hint="Restart the kernel, run all cells, and mend the first one that fails.",
    )
