"""The xgboost format: boosters as UBJSON, which runs no code and is the same everywhere.

For: capture, as the default for XGBoost's own models. The package needs XGBoost and NumPy, and not scikit-learn,
though it answers as ``XGBClassifier`` and its relatives do.

It does not hold what is not in a booster: estimators of a class of the user's own are left to other formats.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection
from itertools import pairwise
from pathlib import Path
from typing import Any

from modelwright.adapters.formats import booster_samples as samples
from modelwright.adapters.formats import ubjson
from modelwright.adapters.loaders import xgboost_loader
from modelwright.capturing.distributions import owner
from modelwright.capturing.formats import Adapted, FileReport, Saved
from modelwright.capturing.table import Table
from modelwright.errors import LoaderError, MissingExtraError, ModelMismatchError, Problem, SerialisationError

KINDS = {
    "Booster": "booster",
    "XGBModel": "regressor",
    "XGBRegressor": "regressor",
    "XGBRFRegressor": "regressor",
    "XGBClassifier": "classifier",
    "XGBRFClassifier": "classifier",
    "XGBRanker": "ranker",
}
"""XGBoost's own classes; one of a user may answer as it likes."""
_UBJSON = re.compile(rb"\{[iUIlL].{0,7}\x07(learner|version)", re.DOTALL)
_JSON = re.compile(rb"\s*\{\s*\"(learner|version)\"\s*:")
_BINARY = re.compile(rb"binf|.{0,400}[:\w]\x06\0{7}gbtree|.{0,400}[:\w]\x08\0{7}gblinear", re.DOTALL)
_HEAD_BYTES = 512


class XgboostFormat:
    """XGBoost's UBJSON; see :class:`modelwright.capturing.formats.Format`."""

    name = "xgboost"
    loader = Path(xgboost_loader.__file__)
    executes_code = False
    portable = True
    self_contained = True

    @property
    def distributions(self) -> tuple[str, ...]:
        """XGBoost under the name by which it is installed here: ``xgboost-cpu`` is the same module."""
        return (_distribution(), "numpy")

    def claims(self, model: object) -> int:
        """Claim XGBoost's own boosters and estimators."""
        kind = type(model)
        return 95 if kind.__module__.partition(".")[0] == "xgboost" and _own(kind) else 0

    def answering(self, model: object, sample: Any) -> Adapted:
        """Return what answers rows with a copy of the booster.

        Raises:
            ModelMismatchError: The sample has other columns or categories than the booster was trained with.
            SerialisationError: It is not fitted, or answers otherwise than its booster alone can.
        """
        import xgboost

        native = _booster(model)
        booster = xgboost.Booster(model_file=native.save_raw("ubj"))
        options = _options(model, booster)
        booster.set_attr(scikit_learn=None)
        wrapper = xgboost_loader.answering(booster, options)
        if sample is None:
            _check_mapped(booster, options)
            return Adapted(wrapper, None)
        return Adapted(wrapper, _held(model, wrapper, sample))

    def save(self, model: object, artifacts: Path, *, package: str) -> Saved:
        """Write ``model.ubj``.

        Raises:
            SerialisationError: It is nothing that :meth:`answering` gave.
        """
        if not isinstance(model, xgboost_loader.Boosted):
            raise SerialisationError(
                f"A {type(model).__qualname__} cannot be stored as a booster.", hint="Give it to capture itself."
            )
        (artifacts / xgboost_loader.ARTIFACT).write_bytes(model.booster.save_raw("ubj"))
        return Saved(options=model.options)

    def examine(self, path: Path) -> FileReport | None:
        """Recognise UBJSON and JSON of XGBoost, and its old binary format, which is refused.

        Raises:
            LoaderError: It is cut off, or in the binary format.
        """
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
        if _UBJSON.match(head):
            return _report(_read_ubjson(path), "UBJSON")
        if _JSON.match(head):
            found = _read_json(path)
            return _report(found, "JSON") if found else None
        if _BINARY.match(head):
            raise LoaderError(
                "This is an XGBoost model in the binary format of before version 3.1.",
                where=str(path),
                why="It does not say which version wrote it, and later versions do not read it.",
                hint="Open it with the XGBoost that wrote it, and save it anew: booster.save_model('model.ubj').",
            )
        return None

    def open(self, path: Path, *, trust: Collection[str]) -> object:
        """Return the booster in a file.

        Raises:
            LoaderError: XGBoost fails to load it.
            MissingExtraError: XGBoost is not installed.
        """
        try:
            import xgboost
        except ModuleNotFoundError as error:
            raise MissingExtraError("XGBoost is not installed.", hint='pip install "modelwright[xgboost]"') from error
        try:
            return xgboost.Booster(model_file=bytearray(path.read_bytes()))
        except Exception as error:  # XGBoost has its own class, and C++ its exceptions
            why = str(error).partition("\nStack trace")[0][:500]
            raise LoaderError("XGBoost cannot load the file.", where=str(path), why=why) from error


def _distribution() -> str:
    return owner("xgboost") or "xgboost"


def _own(kind: type) -> bool:
    known = kind.__module__ in ("xgboost.core", "xgboost.sklearn")
    return known and kind.__name__ in KINDS


def _booster(model: Any) -> Any:
    if type(model).__name__ == "Booster":
        found, what = model, model.num_boosted_rounds() or model.num_features()
    else:
        found, what = getattr(model, "_Booster", None), True
    if found is None or not what:
        raise SerialisationError(f"This {type(model).__qualname__} is not fitted.", hint="Fit it before capture.")
    return found


def _options(model: Any, booster: Any) -> dict[str, Any]:
    """Return what the loader needs to know beside the booster; see :func:`xgboost_loader.answering`."""
    learner = ubjson.read(booster.save_raw("ubj"))["learner"]
    parameters = learner["learner_model_param"]
    kind = KINDS[type(model).__name__]
    if kind == "booster" and (told := booster.attr("scikit_learn")):  # a file that an estimator wrote
        kind = json.loads(told).get("_estimator_type") or kind
    missing = getattr(model, "missing", None)
    best = learner["attributes"].get("best_iteration") if kind != "booster" else None
    several = int(parameters.get("num_target", "1")) > 1
    return {
        "kind": kind,
        "rounds": int(best) + 1 if best is not None else 0,
        "classes": 0 if several or kind != "classifier" else max(2, int(parameters["num_class"])),
        "missing": None if missing is None or math.isnan(missing) else float(missing),
        "objective": learner["objective"]["name"],
        "linear": learner["gradient_booster"]["name"] == "gblinear",
        "levels": _levels(learner),
    }


def _held(model: Any, wrapper: Any, sample: Any) -> Any:
    """Return a sample in the types of the model, if it fits the model and the wrapper answers it as the model does.

    Raises:
        ModelMismatchError: It has other columns or categories than the booster was trained with.
        SerialisationError: They answer differently.
    """
    table, names = Table.of(sample), list(wrapper.booster.feature_names or ())
    samples.check_named(table, names=names, width=wrapper.n_features_in_)
    if names and table.container != "numpy":
        levels = {names[int(place)]: known for place, known in wrapper.options["levels"].items()}
        samples.check_levels(table, levels, free=_unmapped(wrapper.booster, wrapper.options))
        sample = samples.with_levels(sample, table, levels)
    if (asked := _asked(model, wrapper.options["kind"])) is not None:
        samples.check_same(table, ours=wrapper, theirs=asked)
    return sample


def _unmapped(booster: Any, options: dict[str, Any]) -> list[str]:
    """Return the features that are categorical by their codes, and whose categories the model does not know."""
    named = zip(booster.feature_names or (), booster.feature_types or (), strict=False)
    return [name for place, (name, kind) in enumerate(named) if kind == "c" and str(place) not in options["levels"]]


def _check_mapped(booster: Any, options: dict[str, Any]) -> None:
    if unmapped := _unmapped(booster, options):
        raise ModelMismatchError(
            "The model was stored without the categories of its features.",
            problems=[Problem(None, name, "its categories cannot be told from their codes") for name in unmapped],
            hint="Fit it again with XGBoost 3.1 or later, which stores them.",
        )


def _levels(learner: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the categories of each categorical feature, by its place; XGBoost stores them since 3.1."""
    trees = learner["gradient_booster"].get("gbtree", learner["gradient_booster"])  # dart wraps them
    encoded = trees.get("model", {}).get("cats", {}).get("enc", [])
    found = {str(place): _categories(each) for place, each in enumerate(encoded)}
    return {place: levels for place, levels in found.items() if levels}


def _categories(encoded: dict[str, Any]) -> list[Any]:
    values: list[Any] = encoded["values"].values()
    if "offsets" not in encoded:
        return values
    text, ends = bytes(value % 256 for value in values), encoded["offsets"].values()
    return [text[start:end].decode() for start, end in pairwise(ends)]


def _asked(model: Any, kind: str) -> Any:
    """Return what the library answers with; ``None`` for a bare booster that an estimator wrote into a file."""
    import xgboost

    def predict(rows: Any) -> Any:
        return model.predict(xgboost.DMatrix(rows, enable_categorical=True))

    if type(model).__name__ == "Booster":
        return predict if kind == "booster" else None
    return model


def _report(found: dict[str, Any], form: str) -> FileReport:
    version = ".".join(str(part) for part in found["version"])
    return FileReport(kind=f"XGBoost model in {form}", versions={_distribution(): version}, requires=(_distribution(),))


def _read_ubjson(path: Path) -> dict[str, Any]:
    try:
        return _checked(ubjson.read(path.read_bytes()))
    except ubjson.UbjsonError as error:
        raise _damaged(path, error) from error


def _read_json(path: Path) -> dict[str, Any] | None:
    content = path.read_bytes()
    try:
        found = json.loads(content, object_pairs_hook=_without_trees)
        return _checked(found) if "learner" in found else None
    except (ValueError, RecursionError) as error:
        raise _damaged(path, error) from error


def _without_trees(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Keep of each object what is short, so that a big model is never there as Python numbers."""
    return {name: value for name, value in pairs if not isinstance(value, list) or name == "version"}


def _checked(found: dict[str, Any]) -> dict[str, Any]:
    version, learner = found.get("version"), found.get("learner")
    if not isinstance(learner, dict) or not isinstance(learner.get("gradient_booster"), dict):
        raise ubjson.UbjsonError("it holds no booster")
    if not isinstance(version, list) or not all(isinstance(part, int) for part in version):
        raise ubjson.UbjsonError("it holds no version")
    return found


def _damaged(path: Path, error: Exception) -> LoaderError:
    return LoaderError(
        "This is an XGBoost model, and it is cut off or damaged.",
        where=str(path),
        why=str(error),
        hint="Save it again: booster.save_model('model.ubj').",
    )


FORMAT = XgboostFormat()
