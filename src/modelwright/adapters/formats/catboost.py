"""The catboost format: models as CatBoost's own ``.cbm``, which runs no code and is the same everywhere.

For: capture, as the default for CatBoost's own models. CatBoost dates every training and gives it a random identifier;
both are taken out of a copy, so that the same training gives the same bytes (with text features it does not: CatBoost
names its dictionaries at random as well).

It does not hold what is not in the file: estimators of a class of the user's own are left to other formats.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from modelwright.adapters.formats import booster_samples as samples
from modelwright.adapters.formats import cbm
from modelwright.adapters.loaders import catboost_loader
from modelwright.capturing.formats import Adapted, FileReport, Saved
from modelwright.capturing.table import Table
from modelwright.errors import LoaderError, MissingExtraError, ModelMismatchError, Problem, SerialisationError

KINDS = {
    "CatBoost": "booster",
    "CatBoostClassifier": "classifier",
    "CatBoostRegressor": "regressor",
    "CatBoostRanker": "ranker",
}
"""CatBoost's own classes; one of a user may answer as it likes."""
_OF_THIS_RUN = ("model_guid", "train_finish_time", "training")
_CLASSIFYING = {
    *("Logloss", "CrossEntropy", "Focal", "MultiClass", "MultiClassOneVsAll"),
    *("MultiLogloss", "MultiCrossEntropy"),
}
_SEVERAL = {"MultiLogloss", "MultiCrossEntropy"}
"""Losses with several labels per row."""
_RANKING = re.compile(r"(YetiRank|StochasticRank|StochasticFilter|QueryRMSE|QuerySoftMax|QueryCrossEntropy|PairLogit)")
_EXPONENT = ("Poisson", "Tweedie")
_VERSION = re.compile(r"^\s*Branch: tags/v(\d+(?:\.\d+)+)\s*$", re.MULTILINE)


class CatboostFormat:
    """CatBoost's ``.cbm``; see :class:`modelwright.capturing.formats.Format`."""

    name = "catboost"
    loader = Path(catboost_loader.__file__)
    distributions = ("catboost", "numpy")
    executes_code = False
    portable = True
    self_contained = True

    def claims(self, model: object) -> int:
        """Claim CatBoost's own models."""
        kind = type(model)
        return 95 if kind.__module__ == "catboost.core" and kind.__name__ in KINDS else 0

    def answering(self, model: object, sample: Any) -> Adapted:
        """Return what answers rows with a copy of the model.

        Raises:
            ModelMismatchError: The sample has other columns than the model was trained with, or of another type.
            SerialisationError: It is not fitted, takes embeddings, or answers otherwise than its file alone can.
        """
        copy = _copied(model)
        options = _options(model, copy)
        if sample is None:
            return Adapted(catboost_loader.answering(copy, options), None)
        table = Table.of(sample)
        samples.check_named(table, names=options["names"], width=len(copy.feature_names_))
        if table.container == "numpy":
            options["names"] = []
        else:
            _check_types(table, copy)
        wrapper = catboost_loader.answering(copy, options)
        samples.check_same(table, ours=wrapper, theirs=model)
        return Adapted(wrapper, sample)

    def save(self, model: object, artifacts: Path, *, package: str) -> Saved:
        """Write ``model.cbm``.

        Raises:
            SerialisationError: It is nothing that :meth:`answering` gave.
        """
        if not isinstance(model, catboost_loader.Boosted):
            raise SerialisationError(
                f"A {type(model).__qualname__} cannot be stored as a CatBoost model.", hint="Give it to capture itself."
            )
        model.model.save_model(str(artifacts / catboost_loader.ARTIFACT))
        return Saved(options=model.options)

    def examine(self, path: Path) -> FileReport | None:
        """Recognise CatBoost's ``.cbm``.

        Raises:
            LoaderError: It is cut off or damaged.
        """
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            if stream.read(len(cbm.MAGIC)) != cbm.MAGIC:
                return None
        found = _VERSION.search(_head(path).info.get("catboost_version_info", ""))
        return FileReport(
            kind="CatBoost model",
            versions={"catboost": found[1]} if found else {},
            requires=("catboost",),
            note="" if found else "It does not say which version of CatBoost wrote it.",
        )

    def open(self, path: Path, *, trust: Collection[str]) -> object:
        """Return the model in a file, of the class that its loss belongs to: the file does not name it.

        Raises:
            LoaderError: CatBoost fails to load it.
            MissingExtraError: CatBoost is not installed.
        """
        try:
            import catboost
        except ModuleNotFoundError as error:
            raise MissingExtraError("CatBoost is not installed.", hint='pip install "modelwright[catboost]"') from error
        loss = _loss(_head(path).info)
        try:
            return getattr(catboost, _class_of(loss))().load_model(str(path))
        except Exception as error:  # CatBoost has its own class, and C++ its exceptions
            raise LoaderError("CatBoost cannot load the file.", where=str(path), why=str(error)[:500]) from error


def _head(path: Path) -> cbm.Head:
    try:
        return cbm.read(path.read_bytes())
    except cbm.CbmError as error:
        raise LoaderError(
            "This is a CatBoost model, and it is cut off or damaged.",
            where=str(path),
            why=str(error),
            hint="Save it again: model.save_model('model.cbm').",
        ) from error


def _loss(info: Any) -> str:
    """Return the name of the loss that a model was trained with; empty if it does not say."""
    try:
        told = json.loads(info.get("params", "") or "{}")["loss_function"]
        return str(told["type"])
    except (ValueError, KeyError, TypeError):
        return ""


def _class_of(loss: str) -> str:
    if loss in _CLASSIFYING:
        return "CatBoostClassifier"
    if _RANKING.match(loss):
        return "CatBoostRanker"
    return "CatBoostRegressor" if loss else "CatBoost"


def _copied(model: Any) -> Any:
    """Return a copy of a model without what only describes the run that trained it.

    Raises:
        SerialisationError: It is not fitted.
    """
    import catboost

    if not model.is_fitted():
        raise SerialisationError(f"This {type(model).__qualname__} is not fitted.", hint="Fit it before capture.")
    with TemporaryDirectory(prefix="modelwright-") as folder:
        path = Path(folder, catboost_loader.ARTIFACT)
        model.save_model(str(path))
        copy = catboost.CatBoost().load_model(str(path))
    metadata = copy.get_metadata()
    for name in [name for name in metadata.keys() if name in _OF_THIS_RUN]:  # noqa: SIM118 (it is no dict)
        del metadata[name]
    if "params" in metadata.keys():  # noqa: SIM118
        metadata["params"] = _without_run(metadata["params"])
    if "output_options" in metadata.keys():  # noqa: SIM118
        metadata["output_options"] = json.dumps(json.loads(metadata["output_options"]) | {"train_dir": ""})
    return copy


def _without_run(text: str) -> str:
    """Return parameters without those of the machine: threads, memory, folders."""
    told = json.loads(text)
    flat = told.get("flat_params", {})
    for name in ("thread_count", "train_dir", "used_ram_limit", "verbose", "snapshot_file"):
        flat.pop(name, None)
    told.get("system_options", {}).update(thread_count=1, used_ram_limit="")
    return json.dumps(told, sort_keys=True)


def _options(model: Any, copy: Any) -> dict[str, Any]:
    """Return what the loader needs to know beside the file; see :func:`catboost_loader.answering`.

    Raises:
        SerialisationError: It takes embeddings.
    """
    if copy.get_embedding_feature_indices():
        raise SerialisationError(
            "The model takes embeddings, which no row of plain fields has.",
            hint="Capture a function of rows that makes them, with the model beside it: models={'booster': model}.",
        )
    metadata = copy.get_metadata()
    loss, kind = _loss(metadata), KINDS[type(model).__name__]
    exponent = kind == "regressor" and loss.startswith(_EXPONENT)
    uncertain = kind == "regressor" and loss == "RMSEWithUncertainty"
    named = "Class" if kind == "classifier" else "Exponent" if exponent else "RawFormulaVal"
    names = list(copy.feature_names_)
    return {
        "kind": kind,
        "prediction": "RMSEWithUncertainty" if uncertain else named,
        "names": [] if names == [str(place) for place in range(len(names))] else names,
        "several": kind == "classifier" and loss in _SEVERAL,
    }


def _check_types(table: Table, model: Any) -> None:
    """Refuse words where the model was trained with numbers, and real numbers where it was trained with categories.

    Raises:
        ModelMismatchError: With one problem per column.
    """
    words = {*model.get_cat_feature_indices(), *model.get_text_feature_indices()}
    by_type, problems = samples.categorical_columns(table), []
    for place, column in enumerate(table.columns):
        if place in words and column.datatype.startswith("float"):
            problems.append(Problem(None, column.name, "it holds real numbers, and the model was trained with words"))
        if place not in words and column.name in by_type:
            problems.append(Problem(None, column.name, "it holds words, and the model was trained with numbers"))
    if problems:
        raise ModelMismatchError(
            "The sample has columns of other types than the model was trained with.",
            problems=problems,
            hint="Give the columns as the model was trained with them, of the same types.",
        )


FORMAT = CatboostFormat()
