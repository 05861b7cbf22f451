"""SavedModels keep the contract of formats; graphs that do more than calculate are refused, with the operation."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import graphs
import keras
import networks
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

import modelwright as mw
from modelwright import runtime
from modelwright.adapters.loaders.tensorflow_loader.graphs import scan
from modelwright.capturing.formats import format_named, ranked
from modelwright.capturing.opening import open_model
from modelwright.errors import (
    LoaderError,
    MissingExtraError,
    ModelMismatchError,
    PinError,
    SerialisationError,
    UnsafeFileError,
)
from modelwright.testing import FormatContract, Trap

FORMAT = format_named("tensorflow")


def listed(answers: Any) -> Any:
    return {name: part.tolist() for name, part in answers.items()} if isinstance(answers, dict) else answers


def hostile(marker: Path) -> tf.Module:
    module = tf.Module()

    @tf.function(input_signature=[graphs.NUMBERS])
    def score(numbers: Any) -> Any:
        with tf.control_dependencies([tf.io.write_file(str(marker / "file"), "ran")]):
            return numbers * 2.0

    module.score = score
    return module


class TestTensorflow(FormatContract):
    format = FORMAT

    def models(self) -> list[tuple[Any, Any]]:
        return [
            (graphs.linear(), networks.ROWS),
            (graphs.scorer(), graphs.scorer_rows()),
            (networks.dense(), networks.ROWS),
        ]

    def answers(self, model: Any, rows: Any) -> Any:
        return listed(model.predict(rows))

    def foreign(self) -> list[object]:
        return [object(), len, np.zeros(3), tf.constant(1.0), {"predict": 1}]

    def write_hostile(self, artifacts: Path, marker: Path) -> dict[str, Any]:
        folder = graphs.written(hostile(marker), artifacts / "saved_model")
        return {"signatures": scan((folder / "saved_model.pb").read_bytes()).signatures}

    def files(self, folder: Path) -> list[tuple[Path, Any, Any]]:
        found = []
        for name, model, rows in (
            ("linear", graphs.linear(), networks.ROWS),
            ("scorer", graphs.scorer(), graphs.scorer_rows()),
        ):
            asked = FORMAT.answering(model, rows)
            found.append((graphs.written(model, folder / name), rows, self.answers(asked.model, asked.sample)))
        networks.dense().export(folder / "exported", verbose=False)
        asked = format_named("keras").answering(networks.dense(), networks.ROWS)
        return [*found, (folder / "exported", networks.ROWS, asked.model.predict(asked.sample))]


def capture(model: Any, sample: Any, folder: Path, **more: Any) -> Any:
    return mw.capture(model, sample, name="ours", version="1.0", to=folder, **more)


def loaded(package: Any) -> Any:
    return runtime.load(package.path / package.import_name / "model", package=package.import_name)


def test_a_keras_model_is_for_keras_first_and_for_tensorflow_by_choice() -> None:
    assert [form.name for form in ranked(networks.dense())][:2] == ["keras", "tensorflow"]


def test_answers_are_those_of_the_module() -> None:
    asked = FORMAT.answering(graphs.linear(), networks.ROWS)
    expected = graphs.linear().score(networks.ROWS).numpy()[:, 0]
    np.testing.assert_allclose(asked.model.predict(asked.sample), expected, rtol=1e-6)


def test_another_signature_is_chosen_as_a_method(tmp_path: Path) -> None:
    folder = graphs.written(graphs.scorer(), tmp_path / "scorer")
    package = capture(folder, {"plan": ["basic", "gold", "other"]}, tmp_path, methods=["look"])
    (output,) = package.manifest.signature.outputs
    assert (output.name, output.method, output.datatype) == ("look", "look", "float32")
    assert loaded(package).look({"plan": ["gold"]}) == {"look": [2.0]}


def test_without_a_default_the_signatures_are_named(tmp_path: Path) -> None:
    module = graphs.Scorer()
    folder = tmp_path / "two"
    tf.saved_model.save(module, str(folder), signatures={"score": module.score, "look": module.look})
    with pytest.raises(ModelMismatchError) as caught:
        capture(folder, {"plan": ["basic"]}, tmp_path)
    assert "methods=[…]: 'look', 'score'" in str(caught.value)


def test_assets_travel_and_stay_inside_the_folder(tmp_path: Path) -> None:
    folder = graphs.written(graphs.with_vocabulary(tmp_path), tmp_path / "words")
    (tmp_path / "words.txt").unlink()
    package = capture(folder, {"plan": ["gold", "basic", "other"]}, tmp_path)
    assert [path.name for path in package.path.rglob("words.txt")] == ["words.txt"]
    shutil.rmtree(folder)
    assert loaded(package).predict({"plan": ["gold", "other"]}) == {"prediction": [1, -1]}


def test_the_package_requires_the_build_of_tensorflow_that_is_here(tmp_path: Path) -> None:
    package = capture(graphs.linear(), networks.ROWS.astype("float64"), tmp_path)
    assert "tensorflow-cpu==2.21.0" in package.manifest.environment.dependencies
    assert {field.datatype for field in package.manifest.signature.inputs} == {"float32"}


def test_a_graph_for_a_number_of_rows_answers_any(tmp_path: Path) -> None:
    module = tf.Module()
    module.score = tf.function(
        lambda x: tf.reduce_sum(x, 1), input_signature=[tf.TensorSpec([8, 4], tf.float32, name="x")]
    )
    asked = FORMAT.answering(module, networks.ROWS)
    np.testing.assert_allclose(asked.model.predict(networks.ROWS), networks.ROWS.sum(1), rtol=1e-5)


def made(function: Any, folder: Path, **more: Any) -> Path:
    module = tf.Module()
    module.score = tf.function(function, input_signature=[graphs.NUMBERS])
    for name, value in more.items():
        setattr(module, name, value)
    return graphs.written(module, folder / "made")


def python(numbers: Any) -> Any:
    return tf.ensure_shape(tf.numpy_function(lambda x: x, [numbers], tf.float32), [None, 4])


def nested(numbers: Any) -> Any:
    return tf.cond(tf.reduce_sum(numbers) > 0, lambda: tf.strings.length(tf.io.read_file("/etc/passwd")), lambda: 0)


def lines(numbers: Any) -> Any:
    return numbers + tf.data.TextLineDataset("/etc/passwd").reduce(0.0, lambda total, line: total + 1.0)


def restored(numbers: Any) -> Any:
    (value,) = tf.raw_ops.RestoreV2(prefix="/tmp/other", tensor_names=["x"], shape_and_slices=[""], dtypes=[tf.float32])
    return numbers + value


def printed(numbers: Any) -> Any:
    tf.print(numbers, output_stream="file:///tmp/ran.txt")
    return numbers * 2.0


HOSTILE = {
    "Python": (python, "PyFunc"),
    "a file read in a branch": (nested, "ReadFile"),
    "the lines of a file": (lines, "TextLineDataset"),
    "another checkpoint": (restored, "RestoreV2"),
    "printing into a file": (printed, "PrintV2 into a file"),
}


@pytest.mark.parametrize("which", HOSTILE)
def test_a_graph_that_does_more_than_calculate_is_refused(which: str, tmp_path: Path) -> None:
    function, name = HOSTILE[which]
    with pytest.raises(UnsafeFileError) as caught:
        open_model(made(function, tmp_path), sample=networks.ROWS, choice=None, trust=["file"])
    assert name in str(caught.value)
    assert "outside of the graph" in caught.value.hint


def test_a_live_module_that_does_more_than_calculate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SerialisationError, match="WriteFile") as caught:
        FORMAT.answering(hostile(tmp_path), networks.ROWS)
    assert "models={…}" in caught.value.hint
    assert not (tmp_path / "file").exists()


def test_an_asset_that_lies_elsewhere_is_refused(tmp_path: Path) -> None:
    folder = graphs.written(graphs.with_vocabulary(tmp_path), tmp_path / "words")
    saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    saved.meta_graphs[0].asset_file_def[0].filename = "../../../etc/passwd"
    (folder / "saved_model.pb").write_bytes(saved.SerializeToString())
    with pytest.raises(UnsafeFileError, match=r"asset '../../../etc/passwd' outside"):
        FORMAT.examine(folder)


def test_a_link_in_the_folder_is_refused(tmp_path: Path) -> None:
    folder = graphs.written(graphs.linear(), tmp_path / "linear")
    (folder / "assets" / "more").symlink_to("/etc/passwd")
    with pytest.raises(UnsafeFileError, match="is a link"):
        FORMAT.examine(folder)


def test_a_graph_of_another_version_is_told_what_to_install(tmp_path: Path) -> None:
    folder = graphs.written(graphs.linear(), tmp_path / "linear")
    saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    saved.meta_graphs[0].meta_info_def.tensorflow_version = "2.19.0"
    (folder / "saved_model.pb").write_bytes(saved.SerializeToString())
    with pytest.raises(PinError) as caught:
        open_model(folder, sample=networks.ROWS, choice=None, trust=[])
    assert caught.value.hint == "pip install tensorflow-cpu==2.19.0"


def test_a_graph_of_tensorflow_1_is_told_the_way(tmp_path: Path) -> None:
    folder = graphs.written(graphs.linear(), tmp_path / "linear")
    saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    saved.meta_graphs[0].ClearField("object_graph_def")
    (folder / "saved_model.pb").write_bytes(saved.SerializeToString())
    with pytest.raises(LoaderError, match="TensorFlow 1") as caught:
        FORMAT.examine(folder)
    assert "tf.saved_model.save" in caught.value.hint


@pytest.mark.parametrize("keep", [0.5, 0.9, 0.999])
def test_a_graph_that_is_cut_off_is_refused(keep: float, tmp_path: Path) -> None:
    folder = graphs.written(graphs.linear(), tmp_path / "linear")
    content = (folder / "saved_model.pb").read_bytes()
    (folder / "saved_model.pb").write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(LoaderError, match="cut off or damaged"):
        FORMAT.examine(folder)


def test_a_folder_with_another_file_of_that_name_is_refused(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    (tmp_path / "saved_model.pb").write_bytes(pickle.dumps(Trap(marker)))
    with pytest.raises((LoaderError, UnsafeFileError)):
        open_model(tmp_path, sample=networks.ROWS, choice=None, trust=["file"])
    assert not marker.exists()


def test_a_model_for_graphics_cards_only_is_refused_with_the_way() -> None:
    module = tf.Module()

    @tf.function(input_signature=[graphs.NUMBERS])
    def score(numbers: Any) -> Any:
        state = tf.zeros([1, tf.shape(numbers)[0], 2])
        params = tf.zeros([64])
        return tf.raw_ops.CudnnRNN(input=numbers[None], input_h=state, input_c=state, params=params).output[0]

    module.score = score
    with pytest.raises(SerialisationError, match="cannot run") as caught:
        FORMAT.answering(module, networks.ROWS)
    assert "use_cudnn=False" in caught.value.hint


def test_wrong_rows_and_missing_signatures_are_told() -> None:
    with pytest.raises(ModelMismatchError, match=r"takes \[n, 4\] and got \[n, 3\]"):
        FORMAT.answering(graphs.linear(), networks.ROWS[:, :3])
    with pytest.raises(ModelMismatchError, match="no 'plan'"):
        FORMAT.answering(graphs.scorer(), {"numbers": networks.ROWS})
    bare = tf.Module()
    bare.weights = tf.Variable([1.0])
    with pytest.raises(SerialisationError, match="no signature") as caught:
        FORMAT.answering(bare, networks.ROWS)
    assert "input_signature" in caught.value.hint


def test_without_tensorflow_one_line_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = graphs.written(graphs.linear(), tmp_path / "linear")
    monkeypatch.setattr("modelwright.capturing.opening.installed", lambda name: None)
    monkeypatch.setattr("modelwright.adapters.formats.tensorflow.owner", lambda module: None)
    with pytest.raises(MissingExtraError) as caught:
        open_model(folder, sample=networks.ROWS, choice=None, trust=[])
    assert caught.value.hint == 'pip install "modelwright[tensorflow]" tensorflow==2.21.0'


def test_to_know_a_folder_imports_no_tensorflow(tmp_path: Path) -> None:
    folder = graphs.written(graphs.linear(), tmp_path / "linear")
    code = (
        "import sys; from pathlib import Path; from modelwright.capturing.formats import examined\n"
        f"print(examined(Path({str(folder)!r}))[0].report.kind)\n"
        "assert not {'tensorflow', 'keras', 'h5py'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("TensorFlow 2.21.0 SavedModel\n", "")


def test_loading_prints_nothing(tmp_path: Path) -> None:
    package = capture(graphs.linear(), networks.ROWS, tmp_path)
    code = (
        "import sys; import numpy as np; from modelwright import runtime\n"
        f"model = runtime.load({str(package.path / 'ours' / 'model')!r}, package='ours')\n"
        "sys.stderr.write('said by others\\n'); model.predict(np.zeros((3, 4), 'float32'))"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "said by others\n")


def test_a_keras_network_can_be_exported_by_choice(tmp_path: Path) -> None:
    package = capture(networks.dense(), networks.ROWS, tmp_path, format="tensorflow")
    expected = networks.dense().predict(networks.ROWS, verbose=0)[:, 0]
    np.testing.assert_allclose(loaded(package).native.predict(networks.ROWS), expected, rtol=1e-5)
    assert keras.__version__  # the package answers without Keras' own classes
    assert package.manifest.storage.model_type == "keras.src.models.sequential.Sequential"
