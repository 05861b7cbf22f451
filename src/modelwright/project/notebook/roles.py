"""Decide what a statement is for: which stage of a model's making it belongs to.

Called by plan. What a statement does decides first, then a tag of its cell (``stage:features``), then the heading above
it. A statement that nothing speaks for has no role of its own and goes with its neighbours in the graph.
"""

from __future__ import annotations

import ast
import re
from enum import IntEnum

from modelwright.project.notebook import vocabulary
from modelwright.project.notebook.statements import Statement


class Stage(IntEnum):
    """A stage, in the order in which they run."""

    LOAD = 1
    PREPROCESS = 2
    FEATURES = 3
    SPLIT = 4
    TRANSFORM = 5
    DEFINE = 6
    TRAIN = 7
    EVALUATE = 8
    IMPORTANCE = 9
    DELIVER = 10


_INPUTS = re.compile(r"^([Xxy]|Y|features|target|labels)(_(train|test|val|valid|all|data))?$")
TAGS = {stage.name.lower(): stage for stage in Stage} | {
    "data": Stage.LOAD,
    "model": Stage.DEFINE,
    "predict": Stage.DELIVER,
}
_HEADINGS = (
    (Stage.IMPORTANCE, r"importance|interpret|explain"),
    (Stage.EVALUATE, r"evaluat|metric|performance|confusion|compar|results?\b|accuracy|validation"),
    (Stage.TRAIN, r"train(ing)?\b(?!.*split)|fit\b|tuning|grid search|modell?ing"),
    (Stage.SPLIT, r"split"),
    (Stage.FEATURES, r"feature|encod|engineer|scal|transform"),
    (Stage.PREPROCESS, r"clean|preprocess|pre-process|missing|wrangl|prepar|imput|outlier|duplicate"),
    (Stage.LOAD, r"load|read|import|collect|dataset|get the data"),
)


def constructs_model(name: str) -> bool:
    """Say whether calling something of this name makes a model, as far as its name tells.

    Example:
        >>> constructs_model("RandomForestClassifier"), constructs_model("StandardScaler")
        (True, False)
    """
    if name in vocabulary.TRANSFORMERS:
        return False
    return name.endswith(vocabulary.MODEL_ENDINGS) or name in ("XGBClassifier", "LGBMRegressor", "CatBoost")


def own_stage(statement: Statement) -> Stage | None:
    """Return the stage that a statement itself speaks for, or that its tag or heading does.

    Example:
        >>> from modelwright.project.notebook.statements import CodeCell, split
        >>> own_stage(split(CodeCell(1, "df = pd.read_csv('a.csv')"), {"pd": "pandas"})[0]).name
        'LOAD'
    """
    for tag in statement.cell.tags:
        stage = TAGS.get(tag.removeprefix("stage:").lower())
        if stage is not None:
            return stage
    if statement.effects.calls and set(statement.effects.calls) <= vocabulary.TRANSFORMERS:
        return None  # a transformer that is only made goes where it is fitted
    return _by_deed(statement) or _by_heading(statement) or _by_habit(statement)


def speaks_for_itself(statement: Statement) -> bool:
    """Say whether what a statement does, or its tag, tells its stage; a heading above it only hints."""
    return any(tag.removeprefix("stage:").lower() in TAGS for tag in statement.cell.tags) or bool(_by_deed(statement))


def _by_deed(statement: Statement) -> Stage | None:
    calls, attributes = set(statement.effects.calls), statement.effects.attributes
    if calls & vocabulary.LOADERS:
        return Stage.LOAD
    if calls & {"permutation_importance"} or attributes & vocabulary.IMPORTANCE:
        return Stage.IMPORTANCE
    if calls & {"fit", "fit_predict"} and not calls & vocabulary.TRANSFORMERS:
        return Stage.TRAIN if not _only_transforms(statement) else Stage.FEATURES
    if any(constructs_model(name) for name in calls):
        return Stage.DEFINE
    if calls & vocabulary.SAVERS and not calls & vocabulary.METRICS:
        return Stage.DELIVER
    if calls & vocabulary.EVALUATING:
        return Stage.EVALUATE
    if calls & vocabulary.SPLITTERS:
        return Stage.SPLIT
    if calls & vocabulary.FEATURE_MAKING or _selects_inputs(statement):
        return Stage.FEATURES
    return None


def _by_habit(statement: Statement) -> Stage | None:
    """Return the stage of what is mostly done there, and under another heading elsewhere (``astype``, ``rename``)."""
    return Stage.PREPROCESS if set(statement.effects.calls) & vocabulary.CLEANING else None


def _only_transforms(statement: Statement) -> bool:
    """Say whether what is fitted has the name of a transformer (``scaler.fit(X)``)."""
    for node in ast.walk(statement.node):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "fit":
            owner = ast.unparse(node.func.value).lower()
            return bool(re.search(r"scal|encod|imput|vect|pca|tfidf|select|ohe\b|le\b|norm", owner))
    return False


def _selects_inputs(statement: Statement) -> bool:
    return any(_INPUTS.match(name) for name in statement.binds)


def _by_heading(statement: Statement) -> Stage | None:
    for stage, pattern in _HEADINGS:
        if re.search(pattern, statement.cell.heading):
            return stage
    return None
