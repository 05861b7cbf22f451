"""Turn the graph of a notebook into a plan of functions: what each takes, does and gives.

Called by convert. All decisions are made here and in the modules it calls; writing only spells them out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from modelwright.project.notebook.displays import Display, cuts, find_displays, place
from modelwright.project.notebook.flow import Flow, Value
from modelwright.project.notebook.measures import Measure, find_measures
from modelwright.project.notebook.naming import choose_names, name_functions
from modelwright.project.notebook.roles import Stage
from modelwright.project.notebook.stages import Staging, is_literal, put_into_stages
from modelwright.project.notebook.target import Expression, Target, find_target


@dataclass(frozen=True)
class Block:
    """A function of the pipeline: a stage, or a part of one.

    Attributes:
        stage: The stage.
        function: Name of the function.
        step: What it is called in progress and proof.
        statements: Indices of its statements, in order.
        takes: Values that earlier stages made.
        gives: Values that later stages, the model or the displays need.
        measures: What it measures.
        rows: Rows of the model that are more than a name, and are bound to one behind the statement they stand in.
    """

    stage: Stage
    function: str
    step: str
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


def make_plan(flow: Flow, *, model: str = "", titles: Mapping[int, str] | None = None) -> Plan:
    """Plan the project of a notebook.

    Args:
        flow: The graph.
        titles: What each cell may be called.
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
    seen = find_displays(flow, staging, measured | frozenset(constants.values()))
    parts = _parts(staging, cuts(flow, staging, seen))
    block_of = {index: position for position, part in enumerate(parts) for index in part}
    displays = place(flow, staging, seen, block_of)
    called = list(name_functions(flow, staging, parts, titles or {}))
    blocks = _blocks(flow, staging, target, measures, displays, constants, parts, called)
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
        named = isinstance(node.targets[0], ast.Name) and len(node.targets) == 1
        if bound == [value.made] == value.writers and not changed and named and is_literal(node):
            found[value.name] = value.made
    return found


def _parts(staging: Staging, cut: frozenset[int]) -> list[tuple[int, ...]]:
    """Divide the essential statements by stage, and stages before the given statements."""
    parts: list[list[int]] = []
    for index in staging.order:
        if not parts or staging.stage[parts[-1][-1]] != staging.stage[index] or index in cut:
            parts.append([])
        parts[-1].append(index)
    return [tuple(part) for part in parts]


def _blocks(
    flow: Flow,
    staging: Staging,
    target: Target,
    measures: tuple[Measure, ...],
    displays: tuple[Display, ...],
    constants: dict[str, int],
    parts: list[tuple[int, ...]],
    names: list[tuple[str, str]],
) -> tuple[Block, ...]:
    wanted = _wanted_at_the_end(target, staging)
    blocks = []
    for position, indices in enumerate(parts):
        made = {value for index in indices for value in flow.touches[index].makes}
        touched = {value for index in indices for value in _touched(flow, index)}
        takes = {value for value in touched - made if value.made in staging.stage}
        changed = {value for index in indices for value in flow.touches[index].changes} & (takes | made)
        later = {value for part in parts[position + 1 :] for index in part for value in _touched(flow, index)}
        looked_at = {value for one in displays if one.after >= position for value in one.looks_at}
        blocks.append(
            Block(
                staging.stage[indices[0]],
                *names[position],
                statements=indices,
                takes=_in_order(flow, (value for value in takes if value.name not in constants)),
                gives=_in_order(flow, (made | changed) & (later | wanted | looked_at)),
                measures=tuple(measure for measure in measures if measure.index in indices),
                rows={name: one for name, one in target.rows().items() if not one.name and one.index in indices},
            )
        )
    return tuple(blocks)


def _in_order(flow: Flow, values: Iterable[Value]) -> tuple[Value, ...]:
    """Return values in the order in which the notebook binds them (``X_train, X_test``), also within a statement."""

    def place(value: Value) -> tuple[int, int, str]:
        stored = [one.name for one in flow.statements[value.made].occurrences if one.context == "store"]
        return value.made, stored.index(value.name) if value.name in stored else len(stored), value.name

    return tuple(sorted(values, key=place))


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
    ends = [position[block.statements[-1]] + 1 for block in blocks]
    lives: dict[Value, tuple[int, int]] = {}

    def needed(value: Value, until: int) -> None:
        if value in lives:
            lives[value] = (lives[value][0], max(lives[value][1], until))

    for index in staging.order:
        for value in flow.touches[index].makes:
            lives[value] = (position[index], position[index])
        for value in _touched(flow, index):
            needed(value, position[index])
    for block, end in zip(blocks, ends, strict=True):
        for value in block.gives:
            needed(value, end)
    for value in _wanted_at_the_end(target, staging):
        needed(value, len(position) + 1)
    for one in displays:
        for value in one.looks_at:
            needed(value, ends[one.after])
    return lives
