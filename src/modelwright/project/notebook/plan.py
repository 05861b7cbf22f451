"""Turn the graph of a notebook into a plan of functions: what each takes, does and gives.

Called by convert. All decisions are made here and in the modules it calls; writing only spells them out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from modelwright.project.notebook.displays import Display, find_displays
from modelwright.project.notebook.flow import Flow, Value
from modelwright.project.notebook.measures import Measure, find_measures
from modelwright.project.notebook.naming import choose_names
from modelwright.project.notebook.roles import Stage
from modelwright.project.notebook.stages import Staging, put_into_stages
from modelwright.project.notebook.target import Expression, Target, find_target


@dataclass(frozen=True)
class Block:
    """The function of one stage.

    Attributes:
        stage: The stage.
        statements: Indices of its statements, in order.
        takes: Values that earlier stages made.
        gives: Values that later stages, the model or the displays need.
        measures: What it measures.
        rows: Rows of the model that are more than a name, and are bound to one behind the statement they stand in.
    """

    stage: Stage
    statements: tuple[int, ...]
    takes: tuple[Value, ...]
    gives: tuple[Value, ...]
    measures: tuple[Measure, ...]
    rows: dict[str, Expression]


@dataclass(frozen=True)
class Plan:
    """Everything that is decided about the project.

    Attributes:
        flow: The graph.
        target: The model and its rows.
        staging: Where every essential statement goes.
        blocks: The functions of the stages, in order.
        displays: What is drawn and shown.
        names: What each value is called.
        constants: Names of the notebook's scope that functions read and that never change, by the statement that
            binds them.
        nested: Functions that read changing names of the notebook's scope, so that they live inside the stages.
    """

    flow: Flow
    target: Target
    staging: Staging
    blocks: tuple[Block, ...]
    displays: tuple[Display, ...]
    names: dict[Value, str]
    constants: dict[str, int]
    nested: frozenset[str]


def make_plan(flow: Flow, *, model: str = "") -> Plan:
    """Plan the project of a notebook.

    Args:
        flow: The graph.
        model: Name of the model, if the caller knows it.

    Raises:
        ConversionError: The model, or its rows, cannot be told.
    """
    target = find_target(flow, model=model)
    measures = find_measures(flow)
    staging = put_into_stages(flow, target, measures)
    measured = frozenset(measure.index for measure in measures)
    constants = _constants(flow)
    staging = _without(staging, frozenset(constants.values()))
    displays = find_displays(flow, staging, measured | frozenset(constants.values()))
    blocks = _blocks(flow, staging, target, measures, displays, constants)
    nested = frozenset(
        name for name, function in flow.functions.items() if function.reads & (flow.pinned - constants.keys())
    )
    lives = _lives(flow, staging, target, displays, blocks)
    taken = frozenset(
        value.name for value in flow.values if value.kind != "data" or value.name in constants
    ) | frozenset(flow.functions)
    names = choose_names({value: life for value, life in lives.items() if value.name not in flow.pinned}, taken=taken)
    names |= {value: value.name for value in flow.values if value not in names}
    return Plan(flow, target, staging, blocks, displays, names, constants, nested)


def _without(staging: Staging, left_out: frozenset[int]) -> Staging:
    order = tuple(index for index in staging.order if index not in left_out)
    return Staging(order, {index: staging.stage[index] for index in order}, staging.saves)


def _constants(flow: Flow) -> dict[str, int]:
    """Return the names that functions read and that are bound once, to a literal, and never changed."""
    found: dict[str, int] = {}
    for value in flow.values:
        node = flow.statements[value.made].node
        if value.name not in flow.pinned or value.kind != "data" or not isinstance(node, ast.Assign):
            continue
        bound = [index for index, one in enumerate(flow.statements) if value.name in one.binds | one.may_bind]
        changed = any(value.name in one.changes for one in flow.functions.values())
        if bound == [value.made] == value.writers and not changed and isinstance(node.targets[0], ast.Name):
            if len(node.targets) == 1 and _is_literal(node.value):
                found[value.name] = value.made
    return found


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError):
        return False
    return True


def _blocks(
    flow: Flow,
    staging: Staging,
    target: Target,
    measures: tuple[Measure, ...],
    displays: tuple[Display, ...],
    constants: dict[str, int],
) -> tuple[Block, ...]:
    blocks = []
    wanted = _wanted_at_the_end(target, staging)
    for stage in Stage:
        indices = tuple(index for index in staging.order if staging.stage[index] == stage)
        if not indices:
            continue
        made = {value for index in indices for value in flow.touches[index].makes}
        touched = {value for index in indices for value in _touched(flow, index)}
        takes = {value for value in touched - made if value.made in staging.stage}
        changed = {value for index in indices for value in flow.touches[index].changes} & (takes | made)
        later = {
            value
            for index in staging.order
            if staging.stage[index] > stage
            for value in _touched(flow, index)
        }
        looked_at = {value for one in displays if one.after >= stage for value in one.looks_at.values()}
        gives = (made | changed) & (later | wanted | looked_at)
        blocks.append(
            Block(
                stage,
                indices,
                _in_order(value for value in takes if value.name not in constants),
                _in_order(gives),
                tuple(measure for measure in measures if measure.index in indices),
                {name: one for name, one in target.rows().items() if not one.name and one.index in indices},
            )
        )
    return tuple(blocks)


def _in_order(values: Iterator[Value] | set[Value]) -> tuple[Value, ...]:
    return tuple(sorted(values, key=lambda value: (value.made, value.name)))


def _touched(flow: Flow, index: int) -> Iterator[Value]:
    touch = flow.touches[index]
    yield from (value for value in (*touch.reads.values(), *touch.changes) if value.kind == "data")


def _wanted_at_the_end(target: Target, staging: Staging) -> set[Value]:
    """Return what the model and its rows need behind the last stage; rows that a stage binds itself need nothing."""
    rows = [one for one in target.rows().values() if one.name or one.index not in staging.stage]
    return {target.model, *target.before}.union(*(one.data() for one in rows))


def _lives(
    flow: Flow, staging: Staging, target: Target, displays: tuple[Display, ...], blocks: tuple[Block, ...]
) -> dict[Value, tuple[int, int]]:
    """Return for each essential value the positions at which it is made and last needed."""
    position = {index: place for place, index in enumerate(staging.order)}
    end_of = {block.stage: position[block.statements[-1]] + 1 for block in blocks}
    lives: dict[Value, tuple[int, int]] = {}
    for index in staging.order:
        for value in flow.touches[index].makes:
            lives[value] = (position[index], position[index])
        for value in _touched(flow, index):
            if value in lives:
                lives[value] = (lives[value][0], position[index])
    for block in blocks:
        for value in block.gives:
            if value in lives:
                lives[value] = (lives[value][0], max(lives[value][1], end_of[block.stage]))
    for value in _wanted_at_the_end(target, staging):
        if value in lives:
            lives[value] = (lives[value][0], len(position) + 1)
    for one in displays:
        reached = max((end for stage, end in end_of.items() if stage <= one.after), default=0)
        for value in one.looks_at.values():
            if value in lives:
                lives[value] = (lives[value][0], max(lives[value][1], reached))
    return lives
