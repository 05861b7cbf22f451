"""What the formats of boosted trees have in common; inherited in the folder of each, where its library is."""

from __future__ import annotations

import json
import pickle
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import modelwright as mw
from modelwright.adapters.loaders import skops_loader
from modelwright.capturing.formats import Adapted
from modelwright.errors import LoaderError, ModelMismatchError, PinError, SerialisationError, UnsafeFileError
from modelwright.testing import Trap

generator = np.random.default_rng(0)
ROWS = pd.DataFrame({"age": generator.normal(40, 9, 200), "plan": generator.choice(["basic", "pro", "team"], 200)})
VALUES = (ROWS["age"] / 9 + 3 * ROWS["plan"].eq("pro")).to_numpy()
LABELS = np.digitize(VALUES, [VALUES.mean()])


def prepared(model: Any) -> Any:
    parts = [("numbers", StandardScaler(), ["age"]), ("plan", OneHotEncoder(), ["plan"])]
    return make_pipeline(ColumnTransformer(parts), model)


class Pipelines:
    """A pipeline with boosted trees in it is captured with skops, and nobody has to vouch for anything."""

    restored: str
    """Full name of a type that is reviewed only where its state is restored."""

    def classifier(self) -> Any:
        raise NotImplementedError

    def regressor(self) -> Any:
        raise NotImplementedError

    @pytest.mark.parametrize("kind", ["plain", "calibrated", "voting"])
    def test_a_pipeline_is_captured_without_trust(self, kind: str, tmp_path: Path) -> None:
        wholes = {
            "plain": (self.classifier(), LABELS),
            "calibrated": (CalibratedClassifierCV(self.classifier(), cv=2), LABELS),
            "voting": (VotingRegressor([("one", self.regressor())]), VALUES),
        }
        whole, truth = wholes[kind]
        model = prepared(whole).fit(ROWS, truth)
        package = mw.capture(model, ROWS, name="piped", version="1.0", to=tmp_path)
        assert package.manifest.storage.format == "skops"
        assert package.manifest.storage.types == ()
        assert not package.manifest.storage.executes_code
        (artifact,) = tmp_path.rglob("model.skops")
        loaded: Any = skops_loader.load(artifact.parent, {}, "piped", [])
        assert np.array_equal(loaded.predict(ROWS), model.predict(ROWS))

    @pytest.mark.parametrize("loader", ["ConstructorFromReduceNode", "TypeNode", "ListNode", "PartialNode"])
    def test_a_type_that_would_be_called_is_named(self, loader: str, tmp_path: Path) -> None:
        module, kind = self.restored.rsplit(".", 1)
        content = {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": []}
        call = {"__class__": kind, "__module__": module, "__loader__": loader, "content": content}
        with zipfile.ZipFile(tmp_path / "model.skops", "w") as archive:
            archive.writestr("schema.json", json.dumps(call))
        assert skops_loader.audit(tmp_path, {}, "piped") == [f"{self.restored}, called or handed on"]

    def test_one_in_a_pickle_still_has_to_be_vouched_for(self, tmp_path: Path) -> None:
        path = tmp_path / "model.pkl"
        path.write_bytes(pickle.dumps(prepared(self.classifier()).fit(ROWS, LABELS)))
        with pytest.raises(UnsafeFileError, match=self.restored.partition(".")[0]):
            mw.capture(path, ROWS, name="piped", version="1.0", to=tmp_path)


def containers(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the same rows in every container that has names."""
    records = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return {
        "pandas": frame,
        "pandas with the types of Arrow": frame.convert_dtypes(dtype_backend="pyarrow"),
        "other order": frame[frame.columns[::-1]],
        "with more": frame.assign(more=1.0),
        "polars": pl.from_pandas(frame),
        "pyarrow": pa.Table.from_pandas(frame, preserve_index=False),
        "records": records,
        "columns": {name: [row[name] for row in records] for name in frame},
        "columns of arrays": {name: frame[name].to_numpy() for name in frame},
    }


class Answering:
    """Live models and what capture makes of them answer the same, whatever the rows come in."""

    format: Any
    artifact: str

    def models(self) -> list[tuple[Any, pd.DataFrame]]:
        """Return fitted estimators, each with the frame that it was fitted on."""
        raise NotImplementedError

    def unfitted(self) -> Any:
        raise NotImplementedError

    def unnamed(self) -> Any:
        """Return an estimator that was fitted on an array of three columns."""
        raise NotImplementedError

    def test_every_container_is_answered_bit_for_bit_as_the_estimator_answers(self) -> None:
        for model, frame in self.models():
            wrapper = self.format.answering(model, frame).model
            for name, rows in containers(frame).items():
                for method in [each for each in ("predict", "predict_proba") if hasattr(wrapper, each)]:
                    expected = np.asarray(getattr(model, method)(frame))
                    found = np.asarray(getattr(wrapper, method)(rows))
                    assert found.dtype == expected.dtype, (type(model), name, method)
                    assert np.array_equal(found, expected.reshape(found.shape)), (type(model), name)

    def test_every_container_is_a_sample(self) -> None:
        for model, frame in self.models():
            expected = self.format.answering(model, frame)
            for name in ("polars", "pyarrow", "records", "columns"):
                adapted: Adapted = self.format.answering(model, containers(frame)[name])
                assert np.array_equal(adapted.model.predict(adapted.sample), expected.model.predict(frame)), name

    def test_one_row_is_answered_as_it_is_among_others(self) -> None:
        for model, frame in self.models():
            wrapper = self.format.answering(model, frame).model
            assert np.array_equal(wrapper.predict(frame[:1]), wrapper.predict(frame)[:1])

    def test_threads_share_one_model(self) -> None:
        for model, frame in self.models()[:3]:
            wrapper = self.format.answering(model, frame).model
            expected = wrapper.predict(frame)
            with ThreadPoolExecutor(8) as pool:
                for found in pool.map(wrapper.predict, [frame] * 64):
                    assert np.array_equal(found, expected)

    def test_a_row_without_a_column_is_refused_with_its_name(self) -> None:
        for model, frame in self.models():
            wrapper = self.format.answering(model, frame).model
            with pytest.raises(ValueError, match=f"lack {frame.columns[0]}"):
                wrapper.predict(frame.drop(columns=[frame.columns[0]]))

    def test_the_model_itself_is_not_touched(self) -> None:
        for model, frame in self.models():
            before = pickle.dumps(model)
            self.format.answering(model, frame)
            assert pickle.dumps(model) == before

    def parts(self) -> list[tuple[Any, pd.DataFrame]]:
        """Return models that need no sample to answer by name."""
        return self.models()

    def test_a_part_of_a_composed_model_answers_without_a_sample(self) -> None:
        for model, frame in self.parts():
            adapted = self.format.answering(model, None)
            assert adapted.sample is None
            assert np.array_equal(adapted.model.predict(frame[frame.columns[::-1]]), predicted(model, frame))

    def test_rows_with_names_are_never_taken_by_position(self) -> None:
        wrapper = self.format.answering(self.unnamed(), None).model
        with pytest.raises(ValueError, match="lack names"):
            wrapper.predict(pd.DataFrame(np.zeros((4, 3)), columns=["a", "b", "c"]))

    def test_it_is_composed_with_others(self, tmp_path: Path) -> None:
        model, frame = self.parts()[0]
        glue = tmp_path / f"twice_{self.format.name}.py"
        glue.write_text(
            "def predict(rows, models):\n    return [2 * int(x == 1) for x in models['one'].predict(rows)]\n"
        )
        package = mw.capture(glue, frame, name="twice", version="1.0", models={"one": model}, to=tmp_path)
        assert [file.path for file in package.manifest.artifacts] == [f"one/{self.artifact}"]

    def test_skops_can_be_chosen_instead(self, tmp_path: Path) -> None:
        model, frame = self.parts()[0]
        package = mw.capture(model, frame, name="chosen", version="1.0", to=tmp_path, format="skops")
        assert package.manifest.storage.types == ()

    def test_columns_in_another_order_are_refused(self) -> None:
        model, frame = self.models()[0]
        with pytest.raises(ModelMismatchError, match="another order") as refused:
            self.format.answering(model, frame[frame.columns[::-1]])
        assert refused.value.code == "MW603"

    def test_columns_that_are_missing_or_new_are_named(self) -> None:
        model, frame = self.models()[0]
        renamed = frame.rename(columns={frame.columns[0]: f"{frame.columns[0]}s"})
        with pytest.raises(ModelMismatchError) as refused:
            self.format.answering(model, renamed)
        named = {problem.column: str(problem) for problem in refused.value.problems}
        assert "the sample lacks it" in named[frame.columns[0]]
        assert f"did you mean {frame.columns[0]!r}" in named[f"{frame.columns[0]}s"]

    def test_words_for_a_model_of_numbers_are_refused(self) -> None:
        model, frame = self.models()[0]
        (number, *_) = [name for name in frame if frame[name].dtype == "float64"]
        with pytest.raises(ModelMismatchError) as refused:
            self.format.answering(model, frame.assign(**{number: "word"}))
        assert number in {problem.column for problem in refused.value.problems}

    def test_a_frame_for_a_model_without_names_is_refused(self) -> None:
        frame = pd.DataFrame(np.zeros((4, 3)), columns=["a", "b", "c"])
        with pytest.raises(ModelMismatchError, match="no names") as refused:
            self.format.answering(self.unnamed(), frame)
        assert [problem.column for problem in refused.value.problems] == ["a", "b", "c"]
        assert "NumPy array" in refused.value.hint
        with pytest.raises(ModelMismatchError, match="no names"):
            self.format.answering(self.unnamed(), frame.to_dict("records"))

    def test_an_array_of_another_width_is_refused(self) -> None:
        with pytest.raises(ModelMismatchError, match="2 columns, and the model was trained with 3"):
            self.format.answering(self.unnamed(), np.zeros((4, 2)))

    def test_one_that_is_not_fitted_is_refused(self) -> None:
        with pytest.raises(SerialisationError, match="not fitted") as refused:
            self.format.answering(self.unfitted(), ROWS)
        assert refused.value.code == "MW604"

    def test_a_class_of_the_user_is_left_to_others(self) -> None:
        kind = type(self.unfitted())
        assert self.format.claims(type("Mine", (kind,), {})()) == 0
        assert self.format.claims(self.unfitted()) == 95

    def test_the_captured_package_is_lean(self, tmp_path: Path) -> None:
        model, frame = self.models()[0]
        package = mw.capture(model, frame, name="lean", version="1.0", to=tmp_path)
        names = {line.partition("==")[0] for line in package.manifest.environment.dependencies}
        assert names == self.needed()  # and what these require
        assert package.manifest.environment.portable
        assert "scikit-learn" not in package.lock

    def needed(self) -> set[str]:
        """Return the distributions that a package of the first model names."""
        return {self.format.distributions[0], "pandas"}


def predicted(model: Any, frame: pd.DataFrame) -> Any:
    answer = np.asarray(model.predict(frame))
    return answer.reshape(-1) if answer.shape == (len(frame), 1) else answer


class Files:
    """A file is known by what is in it, and what is not whole, or not what it seems, is refused."""

    format: Any
    kind: str
    """A word of what the file is called."""

    def write(self, folder: Path) -> tuple[Path, Any]:
        """Write a file of the library; return its path, and rows for it."""
        raise NotImplementedError

    def test_a_file_is_captured_whatever_it_is_called(self, tmp_path: Path) -> None:
        path, rows = self.write(tmp_path)
        lying = path.rename(tmp_path / "model.pkl")
        package = mw.capture(lying, rows, name="filed", version="1.0", to=tmp_path)
        assert package.manifest.storage.format == self.format.name
        assert not package.manifest.storage.executes_code

    def test_a_file_that_is_cut_off_is_refused_wherever_it_was_cut(self, tmp_path: Path) -> None:
        path, _ = self.write(tmp_path)
        content, cut = path.read_bytes(), tmp_path / "cut"
        for size in np.linspace(40, len(content) - 3, 60).astype(int):
            cut.write_bytes(content[:size])
            with pytest.raises(LoaderError, match="cut off or damaged") as refused:
                self.format.examine(cut)
            assert refused.value.code == "MW303"
            assert "Save it again" in refused.value.hint

    def test_a_pickle_in_disguise_is_not_opened(self, tmp_path: Path) -> None:
        path, rows = self.write(tmp_path)
        marker = tmp_path / "ran"
        path.write_bytes(pickle.dumps(Trap(marker)))
        assert self.format.examine(path) is None
        with pytest.raises(UnsafeFileError) as refused:
            mw.capture(path, rows, name="filed", version="1.0", to=tmp_path)
        assert refused.value.code == "MW403"
        assert "trust" in refused.value.hint
        assert not marker.exists()


class Versioned(Files):
    """A file that says which version wrote it."""

    def write_by_another_version(self, folder: Path) -> tuple[Path, Any]:
        raise NotImplementedError

    def test_a_file_of_another_version_is_refused_with_the_command_that_installs_it(self, tmp_path: Path) -> None:
        path, rows = self.write_by_another_version(tmp_path)
        with pytest.raises(PinError, match="was saved by") as refused:
            mw.capture(path, rows, name="filed", version="1.0", to=tmp_path)
        assert refused.value.code == "MW302"
        assert refused.value.hint.startswith("pip install ")
