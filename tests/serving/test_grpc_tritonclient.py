"""Triton's own client, over gRPC, gets from the door what it gets from Triton."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy
import pytest
import tritonclient.grpc as triton
from certificates import self_signed
from honest_plane import HonestPlane, flower_model, honest_plane
from mixed_tensors import MIXED_TENSORS
from running import command
from small_door import Opened, opened
from tritonclient.utils import InferenceServerException

from modelwright.errors import AddressTakenError, CredentialError, DeadlineError, OverloadedError, WorkerError
from modelwright.serving.grpc.door import GrpcDoor
from modelwright.serving.grpc.protocol import message

ROWS = numpy.array([[0.5, -1.0, 2.0], [-3.0, 0.25, 0.0]])
EXPECTED = flower_model().predict(ROWS).tolist()
PROBABILITIES = flower_model().predict_proba(ROWS)


@pytest.fixture(scope="module")
def plane() -> HonestPlane:
    return honest_plane()


@pytest.fixture(scope="module")
def door(plane: HonestPlane) -> Iterator[Opened]:
    with opened(plane) as door:
        yield door


@pytest.fixture(scope="module")
def client(door: Opened) -> Iterator[triton.InferenceServerClient]:
    client = triton.InferenceServerClient(f"127.0.0.1:{door.port}")
    yield client
    client.close()


@pytest.fixture(scope="module")
def channel(door: Opened) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"127.0.0.1:{door.port}") as channel:
        yield channel


def call(channel: grpc.Channel, name: str, request: Any, **options: Any) -> Any:
    ask = channel.unary_unary(
        f"/inference.GRPCInferenceService/{name}",
        request_serializer=lambda one: one.SerializeToString(),
        response_deserializer=message(f"{name}Response").FromString,
    )
    return ask(request, timeout=options.pop("timeout", 10), **options)


def typed(rows: Any = ROWS, *, datatype: str = "FP64", contents: str = "fp64_contents") -> Any:
    request = message("ModelInferRequest")(model_name="flower", id="42")
    tensor = request.inputs.add(name="rows", datatype=datatype, shape=rows.shape)
    getattr(tensor.contents, contents).extend(rows.flatten().tolist())
    return request


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def whole(rows: Any = ROWS, datatype: str = "FP64") -> list[triton.InferInput]:
    tensor = triton.InferInput("rows", list(rows.shape), datatype)
    tensor.set_data_from_numpy(rows)
    return [tensor]


def test_health_and_metadata(client: triton.InferenceServerClient) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("flower", "1.0.0")
    assert client.get_server_metadata().name == "modelwright"
    told = client.get_model_metadata("flower")
    assert list(told.versions) == ["1.0.0", "1.1.0"]
    assert [(one.name, one.datatype, list(one.shape)) for one in told.outputs] == [
        ("prediction", "INT64", [-1]),
        ("probability", "FP64", [-1, 2]),
    ]
    assert client.get_model_metadata("flower", "1.0.0", as_json=True)["platform"] == "sklearn_skops"


def test_metadata_has_properties(channel: grpc.Channel) -> None:
    told = call(channel, "ModelMetadata", message("ModelMetadataRequest")(name="mixed"))
    assert told.properties["inputs.since.datatype"] == "date"


def test_raw_rows_are_answered_raw(client: triton.InferenceServerClient) -> None:
    result = client.infer("flower", whole(), request_id="42")
    response = result.get_response()
    assert (response.id, response.model_name, response.model_version) == ("42", "flower", "1.1.0")
    assert len(response.raw_output_contents) == 2
    assert result.as_numpy("prediction").tolist() == EXPECTED
    assert numpy.array_equal(result.as_numpy("probability"), PROBABILITIES)


def test_only_the_outputs_asked_for_are_answered_in_that_order(client: triton.InferenceServerClient) -> None:
    outputs = [triton.InferRequestedOutput(name) for name in ("probability", "prediction")]
    result = client.infer("flower", whole(), outputs=outputs)
    assert [one.name for one in result.get_response().outputs] == ["probability", "prediction"]
    assert numpy.array_equal(result.as_numpy("probability"), PROBABILITIES)


def test_a_version_that_is_asked_for_answers(client: triton.InferenceServerClient) -> None:
    result = client.infer("flower", whole(), model_version="1.0.0")
    assert result.get_response().model_version == "1.0.0"
    assert result.as_numpy("prediction").tolist() == flower_model(-1.0).predict(ROWS).tolist()


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_compressed_requests(client: triton.InferenceServerClient, algorithm: str) -> None:
    result = client.infer("flower", whole(), compression_algorithm=algorithm)
    assert result.as_numpy("prediction").tolist() == EXPECTED


@pytest.mark.parametrize(
    ("datatype", "contents", "dtype"),
    [
        ("FP64", "fp64_contents", "float64"),
        ("FP32", "fp32_contents", "float32"),
        ("INT8", "int_contents", "int8"),
        ("INT64", "int64_contents", "int64"),
        ("UINT16", "uint_contents", "uint16"),
        ("UINT64", "uint64_contents", "uint64"),
    ],
)
def test_typed_contents_are_answered_typed(channel: grpc.Channel, datatype: str, contents: str, dtype: str) -> None:
    rows = numpy.array([[1, 2, 3], [3, 0, 1]], dtype=dtype)
    response = call(channel, "ModelInfer", typed(rows, datatype=datatype, contents=contents))
    assert not response.raw_output_contents
    assert list(response.outputs[0].contents.int64_contents) == flower_model().predict(rows).tolist()
    probabilities = flower_model().predict_proba(rows.astype(float))
    assert list(response.outputs[1].contents.fp64_contents) == probabilities.flatten().tolist()


def mixed() -> list[triton.InferInput]:
    return [
        triton.InferInput(name, list(array.shape), kind).set_data_from_numpy(array)
        for name, kind, array in MIXED_TENSORS
    ]


def test_every_kind_of_field(client: triton.InferenceServerClient) -> None:
    result = client.infer("mixed", mixed())
    assert [one.decode() for one in result.as_numpy("text").tolist()] == ["Köln", ""]
    assert result.as_numpy("seats_out").tolist() == [2, -3]
    assert result.as_numpy("price_out").tolist() == [1.5, 2.25]
    assert result.as_numpy("member_out").tolist() == [True, False]
    assert result.as_numpy("when").tolist() == [b"2026-11-20T13:45:00", b"1999-01-01T00:00:00.500000"]
    assert result.as_numpy("token_out").tolist() == [b"\0\1\2", b"\xff"]
    assert result.as_numpy("extra_out").tolist() == [b'{"a":[1]}', b"null"]
    assert result.as_numpy("place_out").tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_typed_text_is_answered_typed(channel: grpc.Channel) -> None:
    request = message("ModelInferRequest")(model_name="mixed")
    for tensor in mixed():
        sent = tensor._get_tensor()
        one = request.inputs.add(name=sent.name, datatype=sent.datatype, shape=sent.shape)
        raw = tensor._get_content()
        if sent.datatype == "BYTES":
            while raw:
                size = int.from_bytes(raw[:4], "little")
                one.contents.bytes_contents.append(raw[4 : 4 + size])
                raw = raw[4 + size :]
        else:
            names = {"INT64": ("int64", "int64"), "FP32": ("fp32", "float32"), "FP64": ("fp64", "float64")}
            place, dtype = names.get(sent.datatype, ("bool", "bool"))
            getattr(one.contents, f"{place}_contents").extend(numpy.frombuffer(raw, dtype).tolist())
    response = call(channel, "ModelInfer", request)
    outputs = {one.name: one.contents for one in response.outputs}
    assert list(outputs["text"].bytes_contents) == ["Köln".encode(), b""]
    assert list(outputs["member_out"].bool_contents) == [True, False]
    assert list(outputs["token_out"].bytes_contents) == [b"\0\1\2", b"\xff"]


def test_errors_have_a_status_and_say_what_is_wrong(client: triton.InferenceServerClient) -> None:
    tensors = [triton.InferInput(name, [2], "FP64") for name in ("legth", "width", "depth")]
    for one in tensors:
        one.set_data_from_numpy(numpy.zeros(2))
    with pytest.raises(InferenceServerException, match=r"'legth': is unexpected.*did you mean 'length'") as caught:
        client.infer("flower", tensors)
    assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"
    with pytest.raises(InferenceServerException, match="no model 'flour'") as caught:
        client.infer("flour", whole())
    assert caught.value.status() == "StatusCode.NOT_FOUND"
    for ask in (client.get_model_metadata, client.is_model_ready):
        with pytest.raises(InferenceServerException) as caught:
            ask("flour")
        assert caught.value.status() == "StatusCode.NOT_FOUND"


def refused(channel: grpc.Channel, request: Any, **options: Any) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        call(channel, "ModelInfer", request, **options)
    return caught.value


def test_contents_that_do_not_add_up_are_refused(channel: grpc.Channel) -> None:
    request = typed()
    request.raw_input_contents.append(ROWS.tobytes())
    assert "both contents and raw contents" in refused(channel, request).details()
    request.raw_input_contents.append(b"")
    assert "1 tensors and 2 raw contents" in refused(channel, request).details()
    assert "Send them in fp64_contents" in refused(channel, typed(contents="fp32_contents")).details()
    half = typed()
    half.inputs[0].datatype = "FP16"
    assert "raw_input_contents" in refused(channel, half).details()
    odd = typed()
    odd.inputs[0].datatype = "FLOAT"
    assert "does not exist" in refused(channel, odd).details()
    negative = typed()
    negative.inputs[0].shape[0] = -1
    assert "has the shape [-1, 3]" in refused(channel, negative).details()
    short = typed()
    del short.inputs[0].contents.fp64_contents[0]
    assert "has 5 elements of data" in refused(channel, short).details()
    assert "no tensors" in refused(channel, message("ModelInferRequest")(model_name="flower")).details()


def test_metadata_names_request_version_and_problems(channel: grpc.Channel) -> None:
    ask = channel.unary_unary(
        "/inference.GRPCInferenceService/ModelInfer",
        request_serializer=lambda one: one.SerializeToString(),
        response_deserializer=message("ModelInferResponse").FromString,
    )
    _, done = ask.with_call(typed(), timeout=10)
    assert dict(done.trailing_metadata()) == {"x-request-id": "42", "x-model-version": "1.1.0"}
    wrong = typed(numpy.full((1000, 3), numpy.nan))
    told = dict(refused(channel, wrong).trailing_metadata())
    assert told["x-request-id"] == "42"
    assert told["x-error-code"] == "MW201"
    assert json.loads(told["error-details-bin"])[0]["row"] == 0


def test_the_deadline_the_unit_and_the_timeout_are_passed_on(channel: grpc.Channel, plane: HonestPlane) -> None:
    call(channel, "ModelInfer", typed(), timeout=7, metadata=(("modelwright-unit", "customer-7"),))
    assert plane.asked[-1]["timeout_s"] == pytest.approx(7, abs=1)
    assert plane.asked[-1]["unit"] == "customer-7"
    request = typed()
    request.parameters["timeout"].int64_param = 2_000_000
    call(channel, "ModelInfer", request)
    assert plane.asked[-1]["timeout_s"] == 2.0


def test_observers_are_told_once(channel: grpc.Channel, plane: HonestPlane) -> None:
    plane.events.clear()
    call(channel, "ModelInfer", typed())
    refused(channel, typed(contents="fp32_contents"))
    while len(plane.events) < 2:  # observers are told after the answer
        time.sleep(0.01)
    assert [(one.transport, one.model, one.status, one.error, one.rows) for one in plane.events] == [
        ("grpc", "flower", 200, "", 2),
        ("grpc", "flower", 400, "MW1203", 0),
    ]
    assert plane.events[0].version == "1.1.0"
    assert plane.events[0].client == "127.0.0.1"


@pytest.mark.parametrize("metadata", [(), (("x-request-id", "x" * 300),)])
def test_an_id_that_is_too_long_stands_in_no_log(
    channel: grpc.Channel, plane: HonestPlane, metadata: tuple[tuple[str, str], ...]
) -> None:
    plane.events.clear()
    request = typed()
    if not metadata:
        request.id = "x" * 100_000
        assert "at most 256 characters" in refused(channel, request).details()
    else:
        call(channel, "ModelInfer", request, metadata=metadata)
    while not plane.events:
        time.sleep(0.01)
    assert 0 < len(plane.events[0].request_id) <= 256


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OverloadedError, "UNAVAILABLE"),
        (DeadlineError, "DEADLINE_EXCEEDED"),
        (WorkerError, "UNAVAILABLE"),
        (ZeroDivisionError, "INTERNAL"),
    ],
)
def test_what_the_plane_raises_has_its_status(
    channel: grpc.Channel, plane: HonestPlane, monkeypatch: pytest.MonkeyPatch, error: type[Exception], status: str
) -> None:
    def fail() -> None:
        raise error("It failed at /srv/secret.") if error is ZeroDivisionError else error("It failed.")

    monkeypatch.setattr(plane, "failing", fail)
    raised = refused(channel, typed())
    assert raised.code().name == status
    assert "/srv" not in raised.details()
    assert ("grpc-retry-pushback-ms", "1000") in raised.trailing_metadata() or error is not OverloadedError


def test_gRPCs_own_health_service(channel: grpc.Channel, plane: HonestPlane) -> None:
    package = "grpc.health.v1"
    check = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=lambda one: one.SerializeToString(),
        response_deserializer=message("HealthCheckResponse", package).FromString,
    )
    request = message("HealthCheckRequest", package)
    assert check(request(), timeout=5).status == 1
    assert check(request(service="flower"), timeout=5).status == 1
    plane.versions_of["pixels"][0].ready = False
    try:
        assert check(request(), timeout=5).status == 2
        assert check(request(service="pixels"), timeout=5).status == 2
    finally:
        plane.versions_of["pixels"][0].ready = True
    with pytest.raises(grpc.RpcError) as caught:
        check(request(service="flour"), timeout=5)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_message_that_is_too_large_is_refused() -> None:
    with opened(honest_plane(), max_message_bytes=1000) as door, grpc.insecure_channel(f"127.0.0.1:{door.port}") as one:
        raised = refused(one, typed(numpy.zeros((500, 3))))
    assert raised.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_callers_without_a_token_are_refused() -> None:
    def admit(authorization: str) -> None:
        if authorization != "Bearer right":
            raise CredentialError("The request carries no token that this server knows.")

    with opened(honest_plane(), admit=admit) as door, grpc.insecure_channel(f"127.0.0.1:{door.port}") as one:
        assert refused(one, typed()).code() is grpc.StatusCode.UNAUTHENTICATED
        with pytest.raises(grpc.RpcError):
            call(one, "ModelMetadata", message("ModelMetadataRequest")(name="flower"))
        assert call(one, "ModelInfer", typed(), metadata=(("authorization", "Bearer right"),)).id == "42"
        assert call(one, "ServerReady", message("ServerReadyRequest")()).ready


def test_the_door_closes_after_what_is_under_way() -> None:
    plane = honest_plane()
    plane.slow_s = 0.5
    with opened(plane) as door, grpc.insecure_channel(f"127.0.0.1:{door.port}") as one:
        answered: list[Any] = []
        thread = threading.Thread(target=lambda: answered.append(call(one, "ModelInfer", typed())))
        thread.start()
        while not plane.asked:
            time.sleep(0.01)
        door.close(10).result(10)
        thread.join(10)
    assert answered[0].id == "42"


def test_a_port_that_is_taken_is_told() -> None:
    async def open_on(port: int) -> None:
        door = GrpcDoor(honest_plane())
        try:
            await door.open("127.0.0.1", port)
        finally:
            await door.close(0)

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(AddressTakenError, match="cannot listen"):
            asyncio.run(open_on(taken.getsockname()[1]))


def test_tls_is_spoken_over_grpc_where_a_certificate_is_given(behaving: Path, tmp_path: Path) -> None:
    """A real server, with a real process behind it; the client knows the certificate, and no other."""
    pem, secret = self_signed(tmp_path)
    options = ["--port", "0", "--grpc-port", str(port := free_port())]
    options += ["--tls-certificate", str(pem), "--tls-key", str(secret)]
    request = message("ModelInferRequest")(model_name="behaving", id="42")
    request.inputs.add(name="x", datatype="FP64", shape=[1]).contents.fp64_contents.append(21.0)
    request.inputs.add(name="what", datatype="BYTES", shape=[1]).contents.bytes_contents.append(b"ok")
    known = grpc.ssl_channel_credentials(pem.read_bytes())
    with (
        command(str(behaving), *options, folder=tmp_path),
        grpc.secure_channel(f"127.0.0.1:{port}", known) as channel,
        grpc.secure_channel(f"127.0.0.1:{port}", grpc.ssl_channel_credentials()) as distrustful,
        grpc.insecure_channel(f"127.0.0.1:{port}") as plain,
    ):
        answer = call(channel, "ModelInfer", request)
        assert (answer.id, answer.outputs[0].contents.fp64_contents) == ("42", [42.0])
        for refused in (distrustful, plain):
            with pytest.raises(grpc.RpcError) as caught:
                call(refused, "ModelInfer", request, timeout=3)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
