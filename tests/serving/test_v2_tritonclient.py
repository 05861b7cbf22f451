"""Triton's own client, over HTTP, gets from the protocol what it gets from Triton."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy
import pytest
import tritonclient.http as triton
from honest_plane import HonestPlane, flower_model, honest_plane
from mixed_tensors import MIXED_TENSORS
from small_gateway import serving
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

import modelwright

ROWS = numpy.array([[0.5, -1.0, 2.0], [-3.0, 0.25, 0.0]])
EXPECTED = flower_model().predict(ROWS)
PROBABILITIES = flower_model().predict_proba(ROWS)


@pytest.fixture(scope="module")
def plane() -> HonestPlane:
    return honest_plane()


@pytest.fixture(scope="module")
def client(plane: HonestPlane) -> Iterator[triton.InferenceServerClient]:
    with serving(plane) as port:
        client = triton.InferenceServerClient(f"127.0.0.1:{port}")
        yield client
        client.close()


def whole(rows: Any = ROWS, *, datatype: str = "FP64", binary: bool = True) -> list[triton.InferInput]:
    tensor = triton.InferInput("rows", list(rows.shape), datatype)
    return [tensor.set_data_from_numpy(rows, binary_data=binary)]


def apart(*, binary: bool = True) -> list[triton.InferInput]:
    tensors = []
    for place, name in enumerate(("length", "width", "depth")):
        column = numpy.ascontiguousarray(ROWS[:, place])
        tensors.append(triton.InferInput(name, [2], "FP64").set_data_from_numpy(column, binary_data=binary))
    return tensors


def test_health_and_metadata(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("flower")
    assert client.is_model_ready("flower", "1.0.0")
    told = client.get_server_metadata()
    assert told["name"] == "modelwright"
    assert told["version"] == modelwright.__version__
    assert "binary_tensor_data" in told["extensions"]


def test_model_metadata(client: triton.InferenceServerClient) -> None:
    told = client.get_model_metadata("flower")
    assert told["name"] == "flower"
    assert told["versions"] == ["1.0.0", "1.1.0"]
    assert told["platform"] == "sklearn_skops"
    assert [(one["name"], one["datatype"], one["shape"]) for one in told["inputs"]] == [
        ("length", "FP64", [-1]),
        ("width", "FP64", [-1]),
        ("depth", "FP64", [-1]),
    ]
    assert told["outputs"][1]["shape"] == [-1, 2]
    assert told["outputs"][1]["parameters"] == {"method": "predict_proba", "labels": "[0,1]"}
    assert told["properties"]["outputs.probability.labels"] == "[0,1]"
    assert client.get_model_metadata("flower", "1.0.0")["properties"]["package"] == "flower 1.0.0"


def test_metadata_says_what_bytes_stand_for(client: triton.InferenceServerClient) -> None:
    told = client.get_model_metadata("mixed")
    kinds = {one["name"]: (one["datatype"], one.get("parameters", {}).get("datatype")) for one in told["inputs"]}
    assert kinds["città"] == ("BYTES", "string")
    assert kinds["since"] == ("BYTES", "date")
    assert kinds["took"] == ("FP64", "duration")
    assert kinds["member"] == ("BOOL", None)
    assert kinds["price"] == ("FP32", None)


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
@pytest.mark.parametrize("shape", ["whole", "apart"])
def test_all_outputs_are_answered_when_none_are_asked_for(
    client: triton.InferenceServerClient, binary: bool, shape: str
) -> None:
    inputs = whole(binary=binary) if shape == "whole" else apart(binary=binary)
    result = client.infer("flower", inputs, request_id="42")
    assert result.get_response()["id"] == "42"
    assert result.get_response()["model_name"] == "flower"
    assert result.get_response()["model_version"] == "1.1.0"
    assert result.as_numpy("prediction").tolist() == EXPECTED.tolist()
    assert numpy.array_equal(result.as_numpy("probability"), PROBABILITIES)


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_only_the_outputs_asked_for_are_answered_in_that_order(
    client: triton.InferenceServerClient, plane: HonestPlane, binary: bool
) -> None:
    wanted = [triton.InferRequestedOutput(name, binary_data=binary) for name in ("probability", "prediction")]
    result = client.infer("flower", whole(), outputs=wanted)
    assert [one["name"] for one in result.get_response()["outputs"]] == ["probability", "prediction"]
    assert numpy.array_equal(result.as_numpy("probability"), PROBABILITIES)
    assert plane.asked[-1]["methods"] == ("predict", "predict_proba")
    result = client.infer("flower", whole(), outputs=wanted[:1])
    assert [one["name"] for one in result.get_response()["outputs"]] == ["probability"]
    assert plane.asked[-1]["methods"] == ("predict_proba",)


def test_a_version_that_is_asked_for_answers(client: triton.InferenceServerClient) -> None:
    result = client.infer("flower", whole(), model_version="1.0.0")
    assert result.get_response()["model_version"] == "1.0.0"
    assert result.as_numpy("prediction").tolist() == flower_model(-1.0).predict(ROWS).tolist()


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_compressed_requests(client: triton.InferenceServerClient, algorithm: str, binary: bool) -> None:
    result = client.infer(
        "flower",
        whole(binary=binary),
        request_compression_algorithm=algorithm,
        response_compression_algorithm=algorithm,
    )
    assert result.as_numpy("prediction").tolist() == EXPECTED.tolist()


@pytest.mark.parametrize(
    "dtype", ["float32", "float16", "int64", "int32", "int16", "int8", "uint8", "uint16", "uint64"]
)
@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_numbers_may_come_in_any_datatype_of_numbers(
    client: triton.InferenceServerClient, dtype: str, binary: bool
) -> None:
    rows = numpy.array([[1, 2, 3], [3, 0, 1]], dtype=dtype)
    result = client.infer("flower", whole(rows, datatype=np_to_triton_dtype(rows.dtype), binary=binary))
    assert numpy.array_equal(result.as_numpy("probability"), flower_model().predict_proba(rows.astype(float)))


def test_brain_floats_are_read(client: triton.InferenceServerClient) -> None:
    rows = numpy.array([[1, 2, 3], [3, 0.5, 1]], dtype=ml_dtypes.bfloat16)
    result = client.infer("flower", whole(rows, datatype="BF16"))
    assert numpy.array_equal(result.as_numpy("probability"), flower_model().predict_proba(rows.astype(float)))


def test_a_tensor_per_row(client: triton.InferenceServerClient) -> None:
    images = numpy.arange(12, dtype="float32").reshape(2, 2, 3)
    tensor = triton.InferInput("image", [2, 2, 3], "FP32").set_data_from_numpy(images)
    assert client.infer("pixels", [tensor]).as_numpy("brightness").tolist() == [2.5, 8.5]


def mixed_inputs(*, binary: bool) -> list[triton.InferInput]:
    tokens = numpy.array([b"AAEC", b"/w=="], dtype=object)  # JSON has no bytes
    return [
        triton.InferInput(name, list(array.shape), kind).set_data_from_numpy(
            tokens if name == "token" and not binary else array, binary_data=binary
        )
        for name, kind, array in MIXED_TENSORS
    ]


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_every_kind_of_field(client: triton.InferenceServerClient, binary: bool) -> None:
    names = [one["name"] for one in client.get_model_metadata("mixed")["outputs"]]
    outputs = [triton.InferRequestedOutput(name, binary_data=binary) for name in names]
    result = client.infer("mixed", mixed_inputs(binary=binary), outputs=outputs)

    def texts(name: str) -> list[str]:
        return [one.decode() if isinstance(one, bytes) else one for one in result.as_numpy(name).tolist()]

    assert texts("text") == ["Köln", ""]
    assert result.as_numpy("seats_out").tolist() == [2, -3]
    assert result.as_numpy("price_out").tolist() == [1.5, 2.25]
    assert result.as_numpy("member_out").tolist() == [True, False]
    assert texts("when") == ["2026-11-20T13:45:00", "1999-01-01T00:00:00.500000"]
    assert result.as_numpy("took_out").tolist() == [90.0, 0.5]
    assert texts("extra_out") == ['{"a":[1]}', "null"]
    assert result.as_numpy("place_out").tolist() == [[1.0, 2.0], [3.0, 4.0]]
    token = result.as_numpy("token_out").tolist()
    assert token == ([b"\0\1\2", b"\xff"] if binary else ["AAEC", "/w=="])


def test_not_a_number_is_a_missing_value_in_binary_data(client: triton.InferenceServerClient) -> None:
    inputs = mixed_inputs(binary=True)
    inputs[1] = triton.InferInput("seats", [2], "FP64").set_data_from_numpy(numpy.array([numpy.nan, 4.0]))
    inputs[2] = triton.InferInput("price", [2, 1], "FP32")
    inputs[2].set_data_from_numpy(numpy.array([[numpy.nan], [1.0]], dtype="float32"))
    names = ("seats_out", "price_out")
    outputs = [triton.InferRequestedOutput(name, binary_data=False) for name in names]
    answer = client.infer("mixed", inputs, outputs=outputs).get_response()["outputs"]
    assert answer[0]["data"] == [None, 4]
    assert answer[1]["data"] == ["NaN", 1.0]
    with pytest.raises(InferenceServerException, match="as JSON"):
        client.infer("mixed", inputs, outputs=[triton.InferRequestedOutput("seats_out")])


def test_errors_name_the_first_problem(client: triton.InferenceServerClient) -> None:
    wrong = apart()
    wrong[0] = triton.InferInput("legth", [2], "FP64").set_data_from_numpy(numpy.zeros(2))
    with pytest.raises(InferenceServerException, match=r"'legth': is unexpected.*did you mean 'length'") as caught:
        client.infer("flower", wrong)
    assert caught.value.status() == "400"
    with pytest.raises(InferenceServerException, match="no model 'flour'") as caught:
        client.infer("flour", whole())
    assert caught.value.status() == "404"
    with pytest.raises(InferenceServerException, match="is no output of the model"):
        client.infer("flower", whole(), outputs=[triton.InferRequestedOutput("probabilty")])
    with pytest.raises(InferenceServerException, match="cannot be honoured"):
        client.infer("flower", whole(), sequence_id=7, sequence_start=True)
    with pytest.raises(InferenceServerException, match="cannot be honoured"):
        client.infer("flower", whole(), outputs=[triton.InferRequestedOutput("prediction", class_count=2)])


def test_the_timeout_and_the_unit_are_passed_on(client: triton.InferenceServerClient, plane: HonestPlane) -> None:
    client.infer("flower", whole(), timeout=2_500_000, parameters={"unit": "customer-7", "mine": 1})
    assert plane.asked[-1]["timeout_s"] == 2.5
    assert plane.asked[-1]["unit"] == "customer-7"


def test_not_ready_is_told_by_the_status(client: triton.InferenceServerClient, plane: HonestPlane) -> None:
    plane.versions_of["pixels"][0].ready = False
    try:
        assert not client.is_server_ready()
        assert not client.is_model_ready("pixels")
        assert client.is_model_ready("flower")
        assert client.is_server_live()
        with pytest.raises(InferenceServerException) as caught:
            client.get_model_metadata("pixels")
        assert caught.value.status() == "503"
    finally:
        plane.versions_of["pixels"][0].ready = True
