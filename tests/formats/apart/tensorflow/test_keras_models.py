"""Keras models answer rows from any table, with the user's own layers, as Keras answers them."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import keras
import layers_of_ours
import networks
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import modelwright as mw
from modelwright import runtime
from modelwright.capturing.formats import format_named
from modelwright.errors import ModelMismatchError, SerialisationError

FORMAT = format_named("keras")
NAMES = ["a", "b", "c", "d"]


def answers_of(model: Any, sample: Any) -> Any:
    asked = FORMAT.answering(model, sample)
    return asked.model.predict(asked.sample)


def captured(model: Any, sample: Any, folder: Path, **more: Any) -> Any:
    return mw.capture(model, sample, name="ours", version="1.0", to=folder, **more)


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Load a captured package in this process, as if it were installed."""

    def load(package: Any) -> Any:
        monkeypatch.syspath_prepend(package.path)
        return runtime.load(package.path / package.import_name / "model", package=package.import_name)

    yield load
    for name in [name for name in sys.modules if name.partition(".")[0] == "ours"]:
        del sys.modules[name]


def test_answers_are_those_of_keras(tmp_path: Path) -> None:
    for model, rows in ((networks.dense(), networks.ROWS), (networks.images(), networks.pictures())):
        np.testing.assert_allclose(
            np.squeeze(model.predict(rows, verbose=0)), answers_of(model, rows), rtol=1e-6, atol=1e-7
        )


def test_rows_of_every_container_get_the_same_answers() -> None:
    expected = answers_of(networks.dense(), networks.ROWS)
    frame = pd.DataFrame(networks.ROWS.astype("float64"), columns=NAMES)
    for sample in (
        frame,
        pl.DataFrame(frame),
        pa.Table.from_pandas(frame),
        frame.to_dict("records"),
        frame.to_dict("list"),
        {"numbers": networks.ROWS.tolist()},
        networks.ROWS.astype("float64"),
    ):
        np.testing.assert_array_equal(answers_of(networks.dense(), sample), expected)


def test_several_inputs_are_taken_by_name_and_several_outputs_given_by_name() -> None:
    rows = networks.mixed_rows()
    expected = answers_of(networks.mixed(), rows)
    assert list(expected) == ["risk", "kind"]
    assert expected["risk"].shape == (60,)
    assert expected["kind"].shape == (60, 3)
    lists = {name: values.tolist() for name, values in rows.items()}
    frame = pd.DataFrame({"zone": lists["zone"], "plan": lists["plan"], "numbers": lists["numbers"]})
    for sample in (lists, frame, frame.to_dict("records"), pl.DataFrame(lists), pa.table(lists)):
        for name, values in answers_of(networks.mixed(), sample).items():
            np.testing.assert_array_equal(values, expected[name])


def test_more_rows_than_one_batch_are_answered_in_order() -> None:
    rows = np.random.default_rng(4).normal(size=(2500, 4)).astype("float32")
    expected = networks.dense().predict(rows, verbose=0)[:, 0]
    np.testing.assert_allclose(answers_of(networks.dense(), rows), expected, rtol=1e-5)


def test_the_signature_has_the_dtypes_that_the_model_declares(tmp_path: Path) -> None:
    frame = pd.DataFrame(networks.ROWS.astype("float64"), columns=NAMES).assign(d=range(60))
    package = captured(networks.dense(), frame, tmp_path)
    assert [(field.name, field.datatype) for field in package.manifest.signature.inputs] == [
        (name, "float32") for name in NAMES
    ]
    (output,) = package.manifest.signature.outputs
    assert (output.name, output.datatype, output.shape) == ("prediction", "float32", ())
    assert package.manifest.storage.options["backend"] == "tensorflow"
    assert package.manifest.environment.dependencies == ("pandas==3.1.1", "tensorflow-cpu==2.21.0")


def test_class_names_are_declared_by_whoever_knows_them(tmp_path: Path) -> None:
    labels = ["red", "green", "blue"]
    package = captured(networks.classifier(), networks.ROWS, tmp_path, outputs={"prediction": {"labels": labels}})
    assert package.manifest.signature.outputs[0].labels == tuple(labels)


def test_wrong_rows_are_refused_with_the_names_of_the_inputs() -> None:
    with pytest.raises(ModelMismatchError, match=r"takes \[n, 4\] and got \[n, 3\]"):
        FORMAT.answering(networks.dense(), networks.ROWS[:, :3])
    with pytest.raises(ModelMismatchError, match="no 'zone'"):
        FORMAT.answering(networks.mixed(), {"numbers": networks.ROWS, "plan": ["basic"] * 60})
    with pytest.raises(ModelMismatchError, match="'zone' takes int32 and got float64"):
        FORMAT.answering(networks.mixed(), networks.mixed_rows() | {"zone": [1.5] * 60})
    with pytest.raises(ModelMismatchError, match="one array was given"):
        FORMAT.answering(networks.mixed(), networks.ROWS)


def test_a_layer_of_the_user_travels_with_its_source(tmp_path: Path, loaded: Any) -> None:
    layers = [
        keras.Input((4,), name="numbers"),
        layers_of_ours.Scaled(3.0, activation=layers_of_ours.softened),
        keras.layers.Dense(1, activation=layers_of_ours.softened),
    ]
    model = keras.Sequential(layers)
    model.compile("adam", loss=layers_of_ours.own_loss)  # named nowhere: answering needs no loss
    model.fit(networks.ROWS, networks.ROWS[:, :1], verbose=0)
    package = captured(model, networks.ROWS, tmp_path)
    assert "layers_of_ours.py" in {file.path for file in package.manifest.code}
    found = loaded(package).native
    np.testing.assert_array_equal(found.predict(networks.ROWS), answers_of(model, networks.ROWS))
    kinds = {type(layer).__module__ for layer in found.keras_model.layers}
    assert "ours.layers_of_ours" in kinds


def test_a_subclassed_model_takes_what_it_was_built_for(tmp_path: Path, loaded: Any) -> None:
    model = layers_of_ours.Tower(3)
    expected = model(networks.ROWS).numpy()[:, 0]
    package = captured(model, networks.ROWS, tmp_path)
    np.testing.assert_allclose(loaded(package).native.predict(networks.ROWS), expected, rtol=1e-6)


def test_words_that_a_layer_learned_travel_with_it(tmp_path: Path, loaded: Any) -> None:
    words = keras.layers.TextVectorization(output_mode="tf_idf")
    words.adapt(["the cat sat", "the dog ran", "a cat ran"])
    text = keras.Input((), dtype="string", name="text")
    model = keras.Model(text, keras.layers.Dense(2, activation="softmax")(words(text)))
    sample = pd.DataFrame({"text": ["the cat", "a dog ran", "nobody"]})
    package = captured(model, sample, tmp_path)
    assert any("assets" in str(path) for path in package.path.rglob("*.txt"))
    np.testing.assert_array_equal(loaded(package).native.predict(sample), answers_of(model, sample))


def test_what_no_file_can_hold_is_refused_with_the_layer() -> None:
    with_lambda = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x * 2, name="twice")])
    with pytest.raises(SerialisationError, match="Lambda in layer 'twice'") as caught:
        FORMAT.answering(with_lambda, networks.ROWS)
    assert "layer class" in caught.value.hint
    unregistered = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation=layers_of_ours.own_loss)])
    with pytest.raises(SerialisationError, match="'own_loss' in layer 'dense") as caught:
        FORMAT.answering(unregistered, networks.ROWS)
    assert "register_keras_serializable" in caught.value.hint
    with pytest.raises(ModelMismatchError, match="never been built"):
        FORMAT.answering(keras.Sequential([keras.layers.Dense(2)]), networks.ROWS)
    sparse = keras.Input((4,), sparse=True)
    with pytest.raises(SerialisationError, match="sparse"):
        FORMAT.answering(keras.Model(sparse, keras.layers.Dense(2)(sparse)), networks.ROWS)


def test_what_only_training_needs_stays_behind(tmp_path: Path) -> None:
    big = keras.Sequential([keras.Input((400,)), keras.layers.Dense(800, name="wide")])
    networks.fitted(big, np.zeros((2, 400), "float32"), np.zeros((2, 800), "float32"))
    big.save(tmp_path / "native.keras")
    asked = FORMAT.answering(big, np.zeros((2, 400), "float32"))
    (tmp_path / "artifacts").mkdir()
    FORMAT.save(asked.model, tmp_path / "artifacts", package="ours")
    stored = sum(path.stat().st_size for path in (tmp_path / "artifacts").rglob("*") if path.is_file())
    assert stored < 0.34 * (tmp_path / "native.keras").stat().st_size  # Adam has two numbers per weight


def test_threads_share_one_model() -> None:
    asked = FORMAT.answering(networks.dense(), networks.ROWS)
    expected, wrong = asked.model.predict(asked.sample), []

    def ask(size: int) -> None:
        for _ in range(20):
            if not np.allclose(asked.model.predict(networks.ROWS[:size]), expected[:size], rtol=1e-5):
                wrong.append(size)

    threads = [threading.Thread(target=ask, args=(size,)) for size in (1, 7, 30, 60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_loading_prints_nothing_and_leaves_the_environment_alone(tmp_path: Path) -> None:
    package = captured(networks.dense(), networks.ROWS, tmp_path)
    code = (
        "import os, sys; before = dict(os.environ); import numpy as np; from modelwright import runtime\n"
        f"model = runtime.load({str(package.path / 'ours' / 'model')!r}, package='ours')\n"
        "sys.stderr.write('said by others\\n')\n"
        "model.predict(np.zeros((3, 4), 'float32')); assert dict(os.environ) == before, 'changed'"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "said by others\n")


def test_a_process_that_runs_another_backend_is_told_so(tmp_path: Path) -> None:
    artifacts = tmp_path / "artifacts"
    artifacts.mkdir()
    asked = FORMAT.answering(networks.dense(), networks.ROWS)
    saved = FORMAT.save(asked.model, artifacts, package="ours")
    from modelwright.adapters.loaders import keras_loader

    with pytest.raises(RuntimeError, match=r"'jax'.*'tensorflow'"):
        keras_loader.load(artifacts, saved.options | {"backend": "jax"}, "ours", [])


def test_opening_a_file_prints_nothing(tmp_path: Path) -> None:
    networks.dense().save(tmp_path / "model.keras")
    code = (
        "import sys; from modelwright.capturing.opening import open_model; import numpy as np\n"
        f"open_model({str(tmp_path / 'model.keras')!r}, sample=np.zeros((3, 4)), choice=None, trust=[])\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_live_lambda_is_stored_as_a_graph_and_why_is_told(tmp_path: Path) -> None:
    layers = [keras.Input((4,), name="numbers"), keras.layers.Lambda(lambda x: x * 2, name="twice")]
    told: list[Any] = []
    package = captured(keras.Sequential(layers), networks.ROWS, tmp_path, listener=told.append)
    assert package.manifest.storage.format == "tensorflow"
    assert any("keras cannot hold it" in str(each) and "twice" in str(each) for each in told)
