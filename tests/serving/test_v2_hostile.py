"""Whatever is sent to the protocol is answered or refused, never a fault of the server."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from honest_plane import honest_plane
from hypothesis import given
from hypothesis import strategies as st
from small_gateway import answer

from modelwright.runtime.errors import ModelwrightError
from modelwright.serving.grpc.protocol import message
from modelwright.serving.grpc.translating import read_request
from modelwright.serving.http.messages import Request
from modelwright.serving.tensors.datatypes import DATATYPES
from modelwright.serving.tensors.reading import read_table

PLANE = honest_plane()
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(-1e6, 1e6) | st.text(max_size=5)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
NAMES = st.sampled_from(["length", "width", "depth", "rows", "image", "città", "prediction"])
SIZES = st.lists(st.integers(-1, 4) | st.just(2**62), max_size=3)


def tensors(data: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    size = st.fixed_dictionaries({}, optional={"binary_data_size": st.integers(-1, 40) | ANYTHING})
    return st.fixed_dictionaries(
        {"name": NAMES | ANYTHING, "shape": SIZES | ANYTHING, "datatype": st.sampled_from([*DATATYPES]) | ANYTHING},
        optional={"data": st.lists(data, max_size=6) | ANYTHING, "parameters": size | ANYTHING},
    )


MESSAGES = st.fixed_dictionaries(
    {"inputs": st.lists(tensors(SCALARS), max_size=3) | ANYTHING},
    optional={
        "id": ANYTHING,
        "outputs": st.lists(st.fixed_dictionaries({"name": NAMES}), max_size=2) | ANYTHING,
        "parameters": ANYTHING,
    },
)
MODELS = st.sampled_from(["flower", "mixed", "pixels"])


@given(MESSAGES | ANYTHING, st.binary(max_size=40), st.booleans(), MODELS)
def test_any_message_is_answered_or_refused(sent: Any, rest: bytes, binary: bool, model: str) -> None:
    text = json.dumps(sent).encode()
    headers = {b"inference-header-content-length": b"%d" % len(text)} if binary else {}
    body = text + rest if binary else text
    reply = asyncio.run(answer(PLANE, Request("POST", f"/v2/models/{model}/infer", headers=headers, body=body)))
    assert reply.status in (200, 400, 413), reply.body
    told = json.loads(reply.body) if reply.content_type == "application/json" else {}
    assert reply.status == 200 or isinstance(told["error"], str)


@given(st.binary(max_size=60), st.text("0123456789-x ", max_size=3), MODELS)
def test_any_bytes_are_answered_or_refused(body: bytes, length: str, model: str) -> None:
    headers = {b"inference-header-content-length": length.encode()}
    reply = asyncio.run(answer(PLANE, Request("POST", f"/v2/models/{model}/infer", headers=headers, body=body)))
    assert reply.status in (200, 400, 413), reply.body


@given(
    st.dictionaries(st.sampled_from(["dataframe_split", "dataframe_records", "instances", "inputs"]), ANYTHING), MODELS
)
def test_any_invocation_is_answered_or_refused(sent: Any, model: str) -> None:
    headers = {b"content-type": b"application/json"}
    body = json.dumps(sent).encode()
    request = Request("POST", "/invocations", f"model={model}".encode(), headers, body)
    assert asyncio.run(answer(PLANE, request)).status in (200, 400, 413)
    reply = asyncio.run(answer(PLANE, Request("POST", f"/v1/models/{model}:predict", body=body)))
    assert reply.status in (200, 400, 413)


@given(
    st.binary(max_size=80),
    SIZES,
    st.sampled_from([*DATATYPES, "", "x"]),
    st.lists(st.integers(-9, 9), max_size=6),
    MODELS,
)
def test_any_grpc_tensor_is_read_or_refused(
    raw: bytes, shape: list[int], datatype: str, numbers: list[int], model: str
) -> None:
    request = message("ModelInferRequest")(model_name=model)
    tensor = request.inputs.add(name="length", datatype=datatype, shape=shape)
    if numbers:
        tensor.contents.int_contents.extend(numbers)
    else:
        request.raw_input_contents.append(raw)
    with contextlib.suppress(ModelwrightError):
        assert read_table(PLANE.endpoint(model).contract, read_request(request).tensors, max_rows=9).size
