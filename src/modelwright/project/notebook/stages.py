"""Decide which statements make the model, and put them into stages without breaking what depends on what.

Called by plan. Essential is what the model, its rows, its measures and its deliveries need: a backward slice of the
def/use graph. A statement runs in its own stage or in that of the last statement that it must follow, whichever is
later; so ordering by stage keeps every dependency.

Source: Weiser 1981, "Program Slicing".
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from modelwright.project.notebook import vocabulary
from modelwright.project.notebook.flow import Flow
from modelwright.project.notebook.measures import Measure
from modelwright.project.notebook.roles import Stage, own_stage, speaks_for_itself
from modelwright.project.notebook.target import Target


@dataclass(frozen=True)
class Staging:
    """Where every essential statement goes.

    Attributes:
        order: Essential statements in the order of the project.
        stage: Stage of each.
        saves: Statements that save the model; capture does that.
    """

    order: tuple[int, ...]
    stage: dict[int, Stage]
    saves: frozenset[int]


def put_into_stages(flow: Flow, target: Target, measures: Iterable[Measure]) -> Staging:
    """Put every essential statement into a stage."""
    measured = {measure.index for measure in measures}
    saves = frozenset(index for index in range(len(flow.statements)) if _saves_model(flow, index))
    delivers = {index for index in range(len(flow.statements)) if _delivers(flow, index)} - saves - measured
    sinks = measured | delivers | set(_writers(target))
    essential = {
        index
        for index in flow.needed(sinks) - saves
        if not flow.statements[index].defines and not flow.statements[index].is_import
    }
    stage = _stages(flow, essential, measured)
    order = sorted(essential, key=lambda index: (stage[index], index))
    return Staging(tuple(order), stage, saves)


def _writers(target: Target) -> Iterable[int]:
    """Return the statements that make the model and its rows, and those that the rows stand in."""
    for value in (target.model, *target.before):
        yield from value.writers
    for rows in target.rows().values():
        yield from (index for value in rows.data() for index in value.writers)
        if not rows.name:
            yield rows.index


def _saves_model(flow: Flow, index: int) -> bool:
    """Say whether a statement stores a Python object in a file (``joblib.dump(model, …)``)."""
    statement = flow.statements[index]
    if statement.defines:
        return False
    calls = set(statement.effects.calls)
    return bool(calls & {"dump", "dumps", "save_model"}) and not calls & {"fit", "to_csv"}


def _delivers(flow: Flow, index: int) -> bool:
    statement = flow.statements[index]
    if statement.defines or statement.is_import:
        return False
    calls = set(statement.effects.calls)
    return bool(calls & (vocabulary.SAVERS - {"savefig", "export_graphviz", "to_html", "save", "dump"}))


def _stages(flow: Flow, essential: set[int], measured: set[int]) -> dict[int, Stage]:
    own = {index: Stage.EVALUATE if index in measured else own_stage(flow.statements[index]) for index in essential}
    literal = (index for index in own if is_literal(flow.statements[index].node))
    own |= dict.fromkeys([*_made_again(flow, own), *_saved_between(flow, own), *literal])
    wanted = _wanted(flow, own)
    stage: dict[int, Stage] = {}
    for index in sorted(essential):
        before = [stage[other] for other in flow.touches[index].after if other in stage]
        reached = max([wanted[index], *before])
        if reached == Stage.SPLIT and own[index] in (Stage.PREPROCESS, Stage.FEATURES):
            reached = Stage.TRANSFORM
        stage[index] = reached
    return _sunk(flow, own, stage)


def is_literal(node: ast.stmt) -> bool:
    """Say whether a statement binds names to what stands there in full.

    Example:
        >>> is_literal(ast.parse("codes = {'male': 0}").body[0]), is_literal(ast.parse("x = f(1)").body[0])
        (True, False)
    """
    if not isinstance(node, ast.Assign):
        return False
    try:
        ast.literal_eval(node.value)
    except (ValueError, TypeError, SyntaxError, MemoryError):
        return False
    return True


def _made_again(flow: Flow, own: dict[int, Stage | None]) -> Iterator[int]:
    """Return the definitions of models that share one name: each stands where it is used, not beside the others."""
    defined = [index for index, stage in own.items() if stage == Stage.DEFINE]
    names = Counter(value.name for index in defined for value in flow.touches[index].makes)
    for index in defined:
        if any(names[value.name] > 1 for value in flow.touches[index].makes):
            yield index


def _saved_between(flow: Flow, own: dict[int, Stage | None]) -> Iterator[int]:
    """Return what writes a file of data that is changed afterwards: it is no end, and must not make one."""
    followed = {other for index in own for other in flow.touches[index].after}
    yield from (index for index, stage in own.items() if stage == Stage.DELIVER and index in followed)


def _sunk(flow: Flow, own: dict[int, Stage | None], stage: dict[int, Stage]) -> dict[int, Stage]:
    """Move what has no role of its own down to the first stage that uses it (a mapping to where it is mapped)."""
    followers: dict[int, list[int]] = defaultdict(list)
    for index in stage:
        for other in flow.touches[index].after & stage.keys():
            followers[other].append(index)
    for index in sorted(stage, reverse=True):
        if own[index] is None and followers[index]:
            stage[index] = min(stage[other] for other in followers[index])
    return stage


def _wanted(flow: Flow, own: dict[int, Stage | None]) -> dict[int, Stage]:
    """Give a statement without a role of its own the earliest stage that needs it.

    A heading is a hint: it puts off nothing that is needed before.
    """
    wanted: dict[int, Stage] = {index: stage for index, stage in own.items() if stage is not None}
    for index in sorted(own, reverse=True):
        if index in wanted and speaks_for_itself(flow.statements[index]):
            continue
        users = [wanted[other] for other in own if index in flow.touches[other].needs and other in wanted]
        hinted = [wanted[index]] if index in wanted else []
        wanted[index] = min([*hinted, *users], default=Stage.LOAD)
    return wanted
