"""The lightgbm format: boosters as LightGBM's own text, which runs no code and is the same everywhere.

For: capture, as the default for LightGBM's own models. The package needs LightGBM and NumPy, and not scikit-learn,
though it answers as ``LGBMClassifier`` and its relatives do; their labels, which the text does not hold, are kept
beside it.

It does not hold what is not in a booster: estimators of a class of the user's own are left to other formats.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from modelwright.adapters.formats import booster_samples as samples
from modelwright.adapters.formats import lightgbm_text
from modelwright.adapters.loaders import lightgbm_loader
from modelwright.capturing.formats import Adapted, FileReport, Saved
from modelwright.capturing.table import Table
from modelwright.errors import LoaderError, MissingExtraError, ModelMismatchError, Problem, SerialisationError

KINDS = {
    "lightgbm.basic.Booster": "booster",
    "lightgbm.sklearn.LGBMModel": "regressor",
    "lightgbm.sklearn.LGBMRegressor": "regressor",
    "lightgbm.sklearn.LGBMClassifier": "classifier",
    "lightgbm.sklearn.LGBMRanker": "ranker",
}
"""LightGBM's own classes; one of a user may answer as it likes."""


class LightgbmFormat:
    """LightGBM's text; see :class:`modelwright.capturing.formats.Format`."""

    name = "lightgbm"
    loader = Path(lightgbm_loader.__file__)
    distributions = ("lightgbm", "numpy")
    executes_code = False
    portable = True
    self_contained = True

    def claims(self, model: object) -> int:
        """Claim LightGBM's own boosters and estimators."""
        return 95 if _name(model) in KINDS else 0

    def answering(self, model: object, sample: Any) -> Adapted:
        """Return what answers rows with a copy of the booster.

        Raises:
            ModelMismatchError: The sample has other columns or categories than the booster was trained with.
            SerialisationError: It is not fitted, or answers otherwise than its booster alone can.
        """
        import lightgbm

        native = _booster(model)
        text = lightgbm_text.without_run(native.model_to_string())
        booster = lightgbm.Booster(model_str=text)
        table = None if sample is None else Table.of(sample)
        names = _names(booster, table)
        if table is not None:
            samples.check_named(table, names=names, width=booster.num_feature())
        named = bool(names) and (table is None or table.container != "numpy")
        levels = _levels(lightgbm_text.read(text.encode()), names, table) if named else {}
        options = {
            "kind": KINDS[_name(model)],
            "names": names if named else [],
            "levels": {str(names.index(name)): known for name, known in levels.items()},
            **_labels(model),
        }
        wrapper = lightgbm_loader.answering(booster, options)
        if table is None:
            return Adapted(wrapper, None)
        samples.check_levels(table, levels)
        samples.check_same(table, ours=wrapper, theirs=model)
        return Adapted(wrapper, samples.with_levels(sample, table, levels))

    def save(self, model: object, artifacts: Path, *, package: str) -> Saved:
        """Write ``model.txt``.

        Raises:
            SerialisationError: It is nothing that :meth:`answering` gave.
        """
        if not isinstance(model, lightgbm_loader.Boosted):
            raise SerialisationError(
                f"A {type(model).__qualname__} cannot be stored as a booster.", hint="Give it to capture itself."
            )
        text = lightgbm_text.without_run(model.booster.model_to_string())
        (artifacts / lightgbm_loader.ARTIFACT).write_bytes(text.encode())
        return Saved(options=model.options)

    def examine(self, path: Path) -> FileReport | None:
        """Recognise the text of LightGBM.

        Raises:
            LoaderError: It is cut off or damaged.
        """
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            if not lightgbm_text.HEAD.match(stream.read(64)):
                return None
        try:
            found = lightgbm_text.read(path.read_bytes())
        except lightgbm_text.TextError as error:
            raise LoaderError(
                "This is a LightGBM model, and it is cut off or damaged.",
                where=str(path),
                why=str(error),
                hint="Save it again: booster.save_model('model.txt').",
            ) from error
        return FileReport(
            kind=f"LightGBM model in text, format v{found.version}",
            requires=("lightgbm",),
            note="It does not say which version of LightGBM wrote it, nor the labels of a classifier.",
        )

    def open(self, path: Path, *, trust: Collection[str]) -> object:
        """Return the booster in a file.

        Raises:
            LoaderError: LightGBM fails to load it.
            MissingExtraError: LightGBM is not installed.
        """
        try:
            import lightgbm
        except ModuleNotFoundError as error:
            raise MissingExtraError("LightGBM is not installed.", hint='pip install "modelwright[lightgbm]"') from error
        self.examine(path)  # what is not whole would end this process
        try:
            return lightgbm.Booster(model_file=str(path))
        except Exception as error:  # LightGBM has its own class
            raise LoaderError("LightGBM cannot load the file.", where=str(path), why=str(error)[:500]) from error


def _name(model: object) -> str:
    return f"{type(model).__module__}.{type(model).__qualname__}"


def _booster(model: Any) -> Any:
    found = model if _name(model) == "lightgbm.basic.Booster" else getattr(model, "_Booster", None)
    if found is None or not found.num_trees():
        raise SerialisationError(f"This {type(model).__qualname__} is not fitted.", hint="Fit it before capture.")
    return found


def _names(booster: Any, table: Table | None) -> list[str]:
    """Return what the features are called in the sample: LightGBM writes ``_`` for a space, and numbers what has none.

    Names that it made itself are none.
    """
    names: list[str] = booster.feature_name()
    given = {name.replace(" ", "_"): name for name in (table.names if table else ())}
    named = [given.get(name, name) for name in names]
    return [] if named == [f"Column_{place}" for place in range(len(names))] else named


def _levels(text: lightgbm_text.Text, names: list[str], table: Table | None) -> dict[str, list[Any]]:
    """Return the categories of each categorical column, by its name.

    The text has one list per categorical column of the training frame, and not which columns those were: they are the
    columns that hold categories by their type (text, where the container has no such type), or those that training took
    for categorical, which leaves out those with an order, or both together.

    Raises:
        ModelMismatchError: None of these are as many as the lists.
    """
    by_type = samples.categorical_columns(table) if table else []
    told = [int(place) for place in text.parameters.get("categorical_feature", "").split(",") if place.isdecimal()]
    by_training = [names[place] for place in told if place < len(names)]
    either = [name for name in names if name in {*by_type, *by_training}]
    for found in (by_type, by_training, either):
        if len(found) == len(text.categories):
            return dict(zip(found, text.categories, strict=True))
    raise ModelMismatchError(
        f"The model was trained with {len(text.categories)} columns of categories, and "
        + (f"the sample has {len(by_type)}." if table else "without a sample it cannot be told which."),
        problems=[Problem(None, name, "it holds categories") for name in by_type],
        why="LightGBM numbers categories in the order of these columns.",
        hint="Give the columns as the model was trained with them: frame[NAME] = frame[NAME].astype('category').",
    )


def _labels(model: Any) -> dict[str, Any]:
    """Return the labels of a classifier as JSON holds them, and their dtype.

    Raises:
        SerialisationError: JSON cannot hold them, or the classifier answers none.
    """
    if KINDS[_name(model)] != "classifier":
        return {}
    if callable(model.objective):
        raise SerialisationError(
            "This LGBMClassifier has an objective of your own, so it answers raw scores and no labels.",
            why="What makes labels of them is not in the model.",
            hint="Capture a function of rows that does both, or its booster_ alone.",
        )
    labels = model.classes_
    if labels.dtype.kind not in "biufUO" or not all(isinstance(each, str | int | float) for each in labels.tolist()):
        raise SerialisationError(
            f"The labels of this LGBMClassifier are of the type {labels.dtype}.", hint="Fit it on numbers or text."
        )
    return {"classes": labels.tolist(), "dtype": str(labels.dtype)}


FORMAT = LightgbmFormat()
