"""Find the literals that people turn, and make them settings.

Called by convert. A knob is a keyword argument that is known as one (``test_size``, ``n_estimators``), a seed, the path
of a data file, or a constant bound once at the notebook's own level. Its value stays the default of the setting.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from modelwright.project.notebook.commandline import attribute_of, option_of
from modelwright.project.notebook.effects import last_name
from modelwright.project.notebook.plan import Plan
from modelwright.project.notebook.roles import Stage
from modelwright.project.notebook.vocabulary import KNOBS, LOADERS, PATH_READERS

Scalar = bool | int | float | str
SECTIONS = {
    Stage.LOAD: "data",
    Stage.PREPROCESS: "data",
    Stage.FEATURES: "features",
    Stage.SPLIT: "split",
    Stage.TRANSFORM: "features",
    Stage.DEFINE: "model",
    Stage.TRAIN: "model",
    Stage.EVALUATE: "evaluation",
    Stage.IMPORTANCE: "evaluation",
    Stage.DELIVER: "output",
}
_UNTURNED = frozenset(["verbose", "n_jobs"])
_OF_SCRIPT = "of the script's command line"
_CONSTANT = re.compile(r"^[A-Z][A-Z0-9_]*$")


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        value: Its default.
        cell: The cell that the value comes from.
        about: What it sets.
    """

    value: Scalar
    cell: int
    about: str


@dataclass
class Knobs:
    """The settings of a project.

    Attributes:
        sections: Settings by section and key.
        replaced: For each statement, the nodes whose text is replaced, and by what.
        dropped: Statements that become a setting as a whole.
        names: Names of the notebook that are settings, and how they are written.
    """

    sections: dict[str, dict[str, Setting]] = field(default_factory=lambda: defaultdict(dict))
    replaced: dict[int, list[tuple[ast.expr, str]]] = field(default_factory=lambda: defaultdict(list))
    dropped: set[int] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)


def find_knobs(plan: Plan, spelled: Mapping[str, str]) -> Knobs:
    """Find the knobs of the essential statements.

    Args:
        plan: The plan.
        spelled: How literal paths are written in the project.
    """
    knobs = Knobs()
    for index in plan.staging.order:
        _constant(plan, knobs, index, spelled)
    for index in plan.staging.order:
        if index not in knobs.dropped:
            section = SECTIONS[plan.staging.stage[index]]
            for node, key, about in _turned(plan.flow.statements[index].node):
                value = _scalar(node)
                if value is not None:
                    path = spelled.get(value, value) if isinstance(value, str) else value
                    setting = Setting(path, plan.flow.statements[index].cell.number, about)
                    where = "general" if about.endswith(_OF_SCRIPT) else section
                    name = _add(knobs, where, key, setting)
                    knobs.replaced[index].append((node, f"settings.{where}.{name}"))
    return knobs


def _constant(plan: Plan, knobs: Knobs, index: int, spelled: Mapping[str, str]) -> None:
    statement = plan.flow.statements[index]
    node = statement.node
    made = plan.flow.touches[index].makes
    if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
        return
    name, value = node.targets[0].id, _scalar(node.value)
    once = sum(name in one.binds | one.may_bind for one in plan.flow.statements) == 1
    shown = {value for display in plan.displays for value in display.looks_at}
    kept = made and made[0] not in shown and made[0].writers == [index] and name not in plan.flow.pinned and once
    if value is None or not kept or not (_CONSTANT.match(name) or name.lower() in KNOBS):
        return
    path = spelled.get(value, value) if isinstance(value, str) else value
    key = _add(knobs, "general", name.lower(), Setting(path, statement.cell.number, f"`{name}` of the notebook"))
    knobs.dropped.add(index)
    knobs.names[name] = f"settings.general.{key}"


def _turned(statement: ast.stmt) -> Iterator[tuple[ast.expr, str, str]]:
    for call in _calls(statement):
        callee = last_name(call.func)
        prefix = f"{_snake(callee)}_" if callee[:1].isupper() else ""
        for keyword in call.keywords:
            if keyword.arg in KNOBS - _UNTURNED:
                yield keyword.value, f"{prefix}{keyword.arg}", f"`{keyword.arg}` of `{callee}`"
            if callee == "add_argument" and keyword.arg == "default":
                yield keyword.value, attribute_of(call), f"`{option_of(call)}` {_OF_SCRIPT}"
        if callee == "seed" and call.args:
            yield call.args[0], "seed", "seed of the random numbers"
        if callee in PATH_READERS | LOADERS and call.args and _is_text(call.args[0]):
            yield call.args[0], "path", f"what `{callee}` reads"


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value


def _calls(statement: ast.stmt) -> Iterator[ast.Call]:
    """Return the calls of a statement whose positions can be trusted: none inside an f-string."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.Call):
            yield node
        if not isinstance(node, ast.JoinedStr | ast.FunctionDef | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _scalar(node: ast.expr) -> Scalar | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        value = node.operand.value
        return -value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float | str):
        return node.value
    return None


def _add(knobs: Knobs, section: str, key: str, setting: Setting) -> str:
    """Add a setting and return its key; the same key with another value gets a number."""
    name, number = key, 1
    while name in knobs.sections[section] and knobs.sections[section][name].value != setting.value:
        number += 1
        name = f"{key}_{number}"
    knobs.sections[section].setdefault(name, setting)
    return name


def _snake(name: str) -> str:
    """Return a class name as part of a key.

    Example:
        >>> _snake("RandomForestClassifier"), _snake("SVC")
        ('random_forest', 'svc')
    """
    short = re.sub(r"(Classifier|Regressor|Regression)$", "", name) or name
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", short).lower()
