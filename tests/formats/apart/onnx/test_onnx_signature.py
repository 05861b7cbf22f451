"""A captured graph is asked like the model it came from, whatever the rows come in, and needs onnxruntime alone."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
import onnx
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from onnx_models import FRAME, LABELS, ROWS, converted, fitted, graph, picture, tokens

import modelwright as mw
from modelwright.capturing.formats import format_named
from modelwright.runtime.loading import load

TOKENS = {"ids": np.array([[1, 2, 3], [4, 5, 6]]), "weights": np.ones((2, 3), np.float32)}
FORMAT = format_named("onnx")


def captured(tmp_path: Path, model: Any, rows: Any, **more: Any) -> Any:
    return mw.capture(model, rows, name="tried", version="1.0", to=tmp_path, **more)


def loaded(package: Any) -> Any:
    return load(package.path / "tried" / "model", package="tried")


def outputs(package: Any) -> Any:
    return [(o.name, o.datatype, o.shape, o.labels, o.categories, o.method) for o in package.manifest.signature.outputs]


def test_the_environment_has_onnxruntime_and_neither_onnx_nor_what_trained_the_model(tmp_path: Path) -> None:
    package = captured(tmp_path, converted("logistic"), ROWS)
    locked = tomllib.loads((package.path / "tried" / "model" / "pylock.toml").read_text())
    names = {each["name"] for each in locked["packages"]}
    assert names == {"flatbuffers", "numpy", "onnxruntime", "packaging", "protobuf"}
    assert [each.partition("==")[0] for each in package.manifest.environment.dependencies] == ["numpy", "onnxruntime"]


def test_the_signature_of_a_classifier_is_that_of_the_model_it_came_from(tmp_path: Path) -> None:
    there = captured(tmp_path / "sklearn", fitted("pipeline"), FRAME)
    here = captured(tmp_path / "onnx", converted("pipeline"), FRAME)
    assert outputs(here) == outputs(there)
    assert here.manifest.task == there.manifest.task == "classification"
    shown = [(f.name, f.datatype, f.categories, f.training_range) for f in here.manifest.signature.inputs]
    assert shown == [(f.name, f.datatype, f.categories, f.training_range) for f in there.manifest.signature.inputs]


def test_the_signature_of_an_array_and_a_regressor_too(tmp_path: Path) -> None:
    there = captured(tmp_path / "sklearn", fitted("line"), ROWS)
    here = captured(tmp_path / "onnx", converted("line"), ROWS)
    assert outputs(here) == outputs(there)
    assert here.manifest.signature.inputs == there.manifest.signature.inputs
    assert here.manifest.task == there.manifest.task == "regression"


def test_the_manifest_says_what_the_graph_is(tmp_path: Path) -> None:
    options = captured(tmp_path, tokens(), TOKENS).manifest.storage.options
    assert options["ir_version"] == 10
    assert options["producer"] == "by hand"
    assert options["opset"] == {"ai.onnx": 21}
    ids = {"name": "ids", "datatype": "int64", "shape": [-1, -1], "axes": {"0": "rows", "1": "length"}}
    assert options["inputs"][0] == ids
    assert [output["name"] for output in options["outputs"]] == ["total", "weighted"]


def test_axes_of_any_length_are_in_the_signature_and_rows_of_any_length_answered(tmp_path: Path) -> None:
    package = captured(tmp_path, tokens(), TOKENS)
    assert [(f.name, f.shape, f.datatype) for f in package.manifest.signature.inputs] == [
        ("ids", (-1,), "int64"),
        ("weights", (-1,), "float32"),
    ]
    assert [(o.name, o.shape) for o in package.manifest.signature.outputs] == [("total", ()), ("weighted", (-1,))]
    model = loaded(package)
    ragged = [{"ids": [1, 2], "weights": [1.0, 2.0]}, {"ids": [3], "weights": [0.5]}]
    assert model.predict(ragged) == [{"total": 5.0, "weighted": [1.0, 4.0]}, {"total": 1.5, "weighted": [1.5]}]
    assert model.predict({"ids": [[7]], "weights": [[2.0]]}) == {"total": [14.0], "weighted": [[14.0]]}


def test_rows_of_one_batch_are_asked_one_by_one(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).random((5, 3, 4, 4), dtype=np.float32)
    single = loaded(captured(tmp_path / "single", picture(1), pictures))
    several = loaded(captured(tmp_path / "several", picture("rows"), pictures))
    np.testing.assert_array_equal(single.predict(pictures), several.predict(pictures))
    assert single.predict(pictures[:2]).shape == (2, 3)


def test_every_container_gets_the_same_answers(tmp_path: Path) -> None:
    model = loaded(captured(tmp_path, converted("pipeline"), FRAME))
    expected = fitted("pipeline").predict_proba(FRAME)
    for rows in (FRAME, pl.from_pandas(FRAME), pa.Table.from_pandas(FRAME)):
        found = model.predict_proba(rows)
        columns = [np.asarray(found[f"probability_{label}"]) for label in ("leaves", "stays")]
        np.testing.assert_allclose(np.stack(columns, axis=1), expected, rtol=1e-9)
    records = model.predict_proba(FRAME.to_dict("records"))
    np.testing.assert_allclose([list(row["probability"].values()) for row in records], expected, rtol=1e-9)
    assert model.predict(FRAME.to_dict("list"))["prediction"] == fitted("pipeline").predict(FRAME).tolist()


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "records", "columns"])
def test_a_sample_in_any_container_describes_a_matrix(kind: str, tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS.astype(np.float64), columns=[*"abcd"])
    sample = {
        "pandas": frame,
        "polars": pl.from_pandas(frame),
        "pyarrow": pa.Table.from_pandas(frame),
        "records": frame.to_dict("records"),
        "columns": frame.to_dict("list"),
    }[kind]
    adapted = FORMAT.answering(converted("logistic"), sample)
    assert adapted.model.predict(adapted.sample).tolist() == fitted("logistic").predict(ROWS).tolist()
    names = [field.name for field in captured(tmp_path, converted("logistic"), sample).manifest.signature.inputs]
    assert names == ["a", "b", "c", "d"]


def test_a_sample_takes_the_datatypes_that_the_graph_declares() -> None:
    whole = pd.DataFrame(np.round(ROWS * 10).astype(int), columns=[*"abcd"], index=range(100, 180))
    adapted = FORMAT.answering(converted("logistic"), whole)
    assert set(adapted.sample.dtypes.astype(str)) == {"float32"}
    assert adapted.sample.index.tolist() == whole.index.tolist()
    assert FORMAT.answering(converted("pipeline"), FRAME).sample.dtypes.equals(FRAME.dtypes)


def test_missing_numbers_stay_missing_where_the_graph_takes_floats() -> None:
    sample = pd.DataFrame({"a": pd.array([1, None], "Int64"), "b": [0.5, None]})
    total = graph(
        [onnx.helper.make_node("ReduceMax", ["x", "axis"], ["top"], keepdims=0)],
        [("x", onnx.TensorProto.FLOAT, ["rows", 2])],
        [("top", onnx.TensorProto.FLOAT, ["rows"])],
        {"axis": np.array([1], np.int64)},
    )
    adapted = FORMAT.answering(total, sample)
    assert adapted.sample["a"].isna().tolist() == [False, True]
    assert np.isnan(adapted.model.predict(adapted.sample)).tolist() == [False, True]


def test_maps_of_probabilities_become_an_array_with_labels(tmp_path: Path) -> None:
    package = captured(tmp_path, converted("logistic", zipmap=True), ROWS)
    probability = package.manifest.signature.outputs[1]
    assert (probability.name, probability.labels, probability.shape) == ("probability", ("no", "yes"), (2,))
    model = loaded(package)
    assert model.native.classes_.tolist() == ["no", "yes"]
    np.testing.assert_array_equal(
        model.predict_proba(ROWS), loaded(captured(tmp_path / "plain", converted("logistic"), ROWS)).predict_proba(ROWS)
    )


def test_a_label_with_distances_is_no_label_with_probabilities() -> None:
    import skl2onnx
    from sklearn.cluster import KMeans

    clusters = skl2onnx.to_onnx(KMeans(3, random_state=0, n_init=1).fit(ROWS), ROWS)
    adapted = FORMAT.answering(clusters, ROWS)
    assert sorted(adapted.model.predict(adapted.sample)) == ["label", "scores"]
    assert not hasattr(adapted.model, "predict_proba")


def test_a_part_of_a_composed_model_needs_no_sample() -> None:
    part = FORMAT.answering(converted("logistic"), None).model
    assert part.classes_.tolist() == ["no", "yes"]
    assert (part.predict(ROWS) == LABELS).mean() > 0.9
    assert FORMAT.answering(tokens(), None).model.predict({"ids": [[2]], "weights": [[3.0]]})["total"].tolist() == [6.0]
    assert FORMAT.answering(converted("pipeline"), None).model.predict(FRAME).tolist() == (
        fitted("pipeline").predict(FRAME).tolist()
    )
