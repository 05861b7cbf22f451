"""Files that lie, are cut off, or would have something else read are refused before anything is opened."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import onnx
import pytest
from onnx_models import ROWS, converted, graph, layers, tokens

import modelwright as mw
from modelwright.adapters.loaders import onnx_loader
from modelwright.capturing.formats import format_named
from modelwright.errors import LoaderError, MissingExtraError, ModelMismatchError, SerialisationError, UnsafeFileError
from modelwright.testing import Trap

FORMAT = format_named("onnx")


def external(folder: Path, location: str, *, offset: Any = 0, length: Any = 64, count: int = 1) -> Path:
    """Write a model whose weights lie elsewhere, 64 bytes each."""
    model = layers(count, 4)
    for tensor in model.graph.initializer:
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in {"location": location, "offset": str(offset), "length": str(length)}.items():
            tensor.external_data.add(key=key, value=value)
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("/etc/passwd", "absolute"),
        ("../weights.bin", "leads out"),
        ("data/../../weights.bin", "leads out"),
        ("\\\\server\\share", "address"),
        ("C:\\weights.bin", "address"),
        ("file:///etc/passwd", "address"),
        ("https://example.org/weights.bin", "address"),
        ("*/_ORT_MEM_ADDR_/*", "no name"),
        ("", "no name"),
    ],
)
def test_weights_that_lie_elsewhere_are_refused(location: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "weights.bin").write_bytes(bytes(64))
    path = external(tmp_path / "model", location)
    with pytest.raises(UnsafeFileError, match="nothing was opened") as caught:
        mw.capture(path, ROWS, name="hostile", version="1.0", to=tmp_path / "out")
    assert caught.value.code == "MW403"
    assert why in caught.value.why
    assert "beside the model" in caught.value.hint


def test_weights_behind_a_link_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(64))
    (tmp_path / "model" / "weights.bin").symlink_to(tmp_path / "secret.bin")
    with pytest.raises(UnsafeFileError, match="link"):
        FORMAT.examine(external(tmp_path / "model", "weights.bin"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "weights.bin").write_bytes(bytes(64))
    (tmp_path / "model" / "data").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafeFileError, match="link"):
        FORMAT.examine(external(tmp_path / "model", "data/weights.bin"))


@pytest.mark.parametrize(("offset", "length"), [(-4, 64), (0, "0x40"), ("", 64), ("¹", 64)])
def test_offsets_that_are_no_numbers_are_refused(offset: Any, length: Any, tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(bytes(64))
    with pytest.raises(UnsafeFileError, match="no numbers"):
        FORMAT.examine(external(tmp_path, "weights.bin", offset=offset, length=length))


def test_tensors_that_overlap_are_refused_and_one_used_twice_is_not(tmp_path: Path) -> None:
    path = external(tmp_path, "weights.bin", count=2)
    (tmp_path / "weights.bin").write_bytes(bytes(64))
    assert FORMAT.examine(path) is not None
    model = onnx.load(path, load_external_data=False)
    next(entry for entry in model.graph.initializer[1].external_data if entry.key == "offset").value = "32"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UnsafeFileError, match="overlap at byte 32"):
        FORMAT.examine(path)


def test_weights_that_are_missing_or_cut_off_are_named(tmp_path: Path) -> None:
    path = external(tmp_path, "weights.bin")
    with pytest.raises(LoaderError, match="not beside the model"):
        FORMAT.examine(path)
    (tmp_path / "weights.bin").write_bytes(bytes(63))
    with pytest.raises(LoaderError, match="cut off") as caught:
        FORMAT.examine(path)
    assert "63 bytes" in caught.value.why


def test_tensors_of_nodes_and_inner_graphs_are_looked_at_too(tmp_path: Path) -> None:
    weight = onnx.TensorProto(name="w", data_type=1, dims=[1], data_location=1)
    weight.external_data.add(key="location", value="../w.bin")
    inner = onnx.helper.make_graph(
        [onnx.helper.make_node("Constant", [], ["c"], value=weight)],
        "inner",
        [],
        [onnx.helper.make_tensor_value_info("c", 1, [1])],
    )
    node = onnx.helper.make_node("If", ["yes"], ["y"], then_branch=inner, else_branch=inner)
    model = graph([node], [("yes", onnx.TensorProto.BOOL, [])], [("y", 1, [1])])
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(UnsafeFileError, match="leads out"):
        FORMAT.examine(tmp_path / "model.onnx")


def test_the_walk_finds_what_onnx_finds(tmp_path: Path) -> None:
    """Floats, ints and texts of attributes are passed over in runs; nothing behind them is missed."""
    model = converted("forest")
    model.graph.node[0].doc_string = "location"  # else the walk is not needed
    weight = model.graph.initializer.add(name="behind", data_type=1, dims=[1], data_location=1)
    weight.external_data.add(key="location", value="w.bin")
    attribute = model.graph.node[0].attribute.add(name="late", type=onnx.AttributeProto.TENSOR)
    attribute.floats.extend([1.5] * 1000)
    attribute.ints.extend([-1, 300, 2**40] * 100)
    attribute.strings.extend([b"", b"x" * 31, b"y" * 32, b"z" * 300] * 50)
    attribute.t.CopyFrom(weight)
    attribute.t.name = "inside"
    assert sorted(name for name, _ in onnx_loader.external(model.SerializeToString())) == ["behind", "inside"]


def test_the_audit_names_weights_outside_of_the_artifacts(tmp_path: Path) -> None:
    external(tmp_path, "other.bin")
    assert onnx_loader.audit(tmp_path, {}, "churn") == ["w0: other.bin"]
    (tmp_path / onnx_loader.WEIGHTS).write_bytes(bytes(64))
    external(tmp_path, onnx_loader.WEIGHTS)
    assert onnx_loader.audit(tmp_path, {}, "churn") == []
    external(tmp_path, onnx_loader.WEIGHTS, offset=1)
    assert onnx_loader.audit(tmp_path, {}, "churn") == [f"w0: {onnx_loader.WEIGHTS}"]


def test_a_name_that_lies_is_seen_through(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(pickle.dumps(Trap(tmp_path / "ran")))
    with pytest.raises(UnsafeFileError, match="could run code") as caught:
        mw.capture(tmp_path / "model.onnx", ROWS, name="hostile", version="1.0", to=tmp_path / "out")
    assert "trust" in caught.value.hint
    assert not (tmp_path / "ran").exists()
    (tmp_path / "model.pkl").write_bytes(converted("line").SerializeToString())
    report = FORMAT.examine(tmp_path / "model.pkl")
    assert report is not None
    assert "made by skl2onnx" in report.note


def test_other_protobufs_are_none_of_it(tmp_path: Path) -> None:
    """A SavedModel has a number and a message where ONNX has a version and a text."""
    meta_graph = b"\x0a\x08\x0a\x00\x12\x04\x08\x01\x10\x02"
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01\x12" + bytes([len(meta_graph)]) + meta_graph)
    assert FORMAT.examine(tmp_path / "saved_model.pb") is None
    assert FORMAT.examine(tmp_path) is None


def test_a_file_that_is_cut_off_says_so(tmp_path: Path) -> None:
    whole = converted("forest").SerializeToString()
    (tmp_path / "half.onnx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LoaderError, match="damaged") as caught:
        mw.capture(tmp_path / "half.onnx", ROWS, name="half", version="1.0", to=tmp_path / "out")
    assert "cut off" in caught.value.why


def test_onnxruntimes_own_format_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.ort").write_bytes(b"\x18\x00\x00\x00ORTM" + bytes(40))
    with pytest.raises(LoaderError, match="own format") as caught:
        FORMAT.examine(tmp_path / "model.ort")
    assert ".onnx" in caught.value.hint


def test_another_fixed_batch_than_one_row_is_refused() -> None:
    from onnx_models import picture

    with pytest.raises(ModelMismatchError, match="exactly 8 rows") as caught:
        FORMAT.answering(picture(8), None)
    assert caught.value.code == "MW603"
    assert "dynamic" in caught.value.hint


def test_operators_that_onnxruntime_lacks_are_named(capfd: pytest.CaptureFixture[str]) -> None:
    node = onnx.helper.make_node("Frobnicate", ["x"], ["y"], domain="com.acme")
    model = graph([node], [("x", 1, ["rows", 2])], [("y", 1, ["rows", 2])])
    model.opset_import.add(domain="com.acme", version=1)
    with pytest.raises(SerialisationError, match=r"does not have com\.acme\.Frobnicate") as caught:
        FORMAT.answering(model, ROWS[:, :2])
    assert caught.value.code == "MW604"
    assert "custom operators" in caught.value.hint
    assert capfd.readouterr() == ("", "")


def test_a_graph_for_graphics_cards_only_is_refused_with_its_operator(capfd: pytest.CaptureFixture[str]) -> None:
    node = onnx.helper.make_node("BiasSplitGelu", ["x", "b"], ["y"], domain="com.microsoft")
    model = graph([node], [("x", 1, ["rows", 4, 8]), ("b", 1, ["all"])], [("y", 1, ["rows", 4, 4])])
    model.opset_import.add(domain="com.microsoft", version=1)
    with pytest.raises(SerialisationError, match="cannot run") as caught:
        FORMAT.answering(model, None)
    assert caught.value.code == "MW604"
    assert "BiasSplitGelu" in caught.value.why
    assert "for processors" in caught.value.hint
    assert capfd.readouterr() == ("", "")


def test_nothing_is_printed_when_a_graph_fails(capfd: pytest.CaptureFixture[str]) -> None:
    reshape = onnx.helper.make_node("Reshape", ["x", "s"], ["y"])
    model = graph([reshape], [("x", 1, ["rows", 3])], [("y", 1, ["half", 2])], {"s": [-1, 2]})
    with pytest.raises(ModelMismatchError, match="cannot answer"):
        FORMAT.answering(model, ROWS[:5, :3])
    assert capfd.readouterr() == ("", "")


def test_outputs_that_no_column_can_hold_are_named() -> None:
    node = onnx.helper.make_node("SplitToSequence", ["x"], ["parts"], axis=0)
    model = graph([node], [("x", 1, ["rows", 2])], [])
    element = onnx.helper.make_tensor_type_proto(1, None)
    model.graph.output.append(onnx.helper.make_value_info("parts", onnx.helper.make_sequence_type_proto(element)))
    with pytest.raises(SerialisationError, match="'parts' of the graph is a sequence"):
        FORMAT.answering(model, ROWS[:, :2])


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        (ROWS[:, :3], "3 columns, and the graph takes 4"),
        ([{"a": "x", "b": 1.0, "c": 1.0, "d": 1.0}], "holds 'x'"),
        ([{"a": 1e300, "b": 1.0, "c": 1.0, "d": 1.0}], "holds 1e+300"),
        ([1, 2], "one dict per row"),
    ],
)
def test_samples_that_the_graph_does_not_take_are_named(sample: Any, says: str) -> None:
    with pytest.raises(ModelMismatchError) as caught:
        FORMAT.answering(converted("logistic"), sample)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"plan": [None]}, "no missing text"),
        ({"visits": [1.5]}, "holds 1.5"),
        ({"visits": [None]}, "holds nan"),
        ({"extra": [1]}, "'extra', which the graph does not know"),
    ],
)
def test_columns_that_the_graph_does_not_take_are_named(change: dict[str, Any], says: str) -> None:
    row = {"age": [40.0], "visits": [2], "plan": ["pro"], "income": [1000.0]}
    with pytest.raises(ModelMismatchError) as caught:
        FORMAT.answering(converted("pipeline"), row | change)
    assert says in str(caught.value)
    missing = {name: values for name, values in row.items() if name != "plan"}
    with pytest.raises(ModelMismatchError, match="lacks 'plan'"):
        FORMAT.answering(converted("pipeline"), missing)


def test_several_inputs_and_rows_of_several_lengths_are_named() -> None:
    with pytest.raises(ModelMismatchError, match="one array, and the graph has 2 inputs"):
        FORMAT.answering(tokens(), ROWS)
    with pytest.raises(ModelMismatchError, match="several lengths"):
        FORMAT.answering(tokens(), {"ids": [[1, 2], [3]], "weights": [[1.0, 2.0], [3.0]]})


def test_one_line_installs_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelwright.adapters.formats.onnx.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError) as caught:
        FORMAT.answering(converted("line"), ROWS)
    assert caught.value.hint == 'pip install "modelwright[onnx]"'


def test_what_is_no_graph_is_told_to_be_converted() -> None:
    with pytest.raises(SerialisationError, match="no ONNX model") as caught:
        mw.capture(object(), ROWS, name="none", version="1.0", format="onnx")
    assert "skl2onnx.to_onnx" in caught.value.hint
