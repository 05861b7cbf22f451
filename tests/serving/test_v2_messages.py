"""The protocol over HTTP in its own words: forms that its clients do not send, and everything that is wrong."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any

import numpy
import pytest
from honest_plane import HonestPlane, honest_plane
from hypothesis import given
from hypothesis import strategies as st
from small_gateway import answer

from modelwright.errors import DeadlineError, OverloadedError, WorkerError
from modelwright.serving.http.messages import Reply, Request
from modelwright.serving.http.v2.routes import match

PLANE = honest_plane()
LENGTH = b"inference-header-content-length"


def tensor(
    data: Any, *, name: str = "rows", shape: Any = (1, 3), datatype: Any = "FP64", **more: Any
) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data, **more}


def post(body: Any, *, path: str = "/v2/models/flower/infer", plane: HonestPlane = PLANE, headers: Any = None) -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request("POST", path, headers=headers or {}, body=raw, request_id="from-the-header")
    return asyncio.run(answer(plane, request))


def infer(*tensors: dict[str, Any], **more: Any) -> tuple[int, dict[str, Any]]:
    path = more.pop("path", "/v2/models/flower/infer")
    reply = post({"inputs": tensors, **more}, path=path)
    return reply.status, json.loads(reply.body)


def problems(body: dict[str, Any]) -> str:
    return " | ".join(f"{one['row']} {one['column']} {one['problem']}" for one in body["details"])


def test_data_may_be_flat_or_nested() -> None:
    _, nested = infer(tensor([[1, 2, 3], [4, 5, 6]], shape=[2, 3]))
    _, flat = infer(tensor([1, 2, 3, 4, 5, 6], shape=[2, 3]))
    assert nested["outputs"] == flat["outputs"]
    assert [one["shape"] for one in flat["outputs"]] == [[2], [2, 2]]


def test_the_id_is_that_of_the_body_or_else_that_of_the_header() -> None:
    reply = post({"id": "42", "inputs": [tensor([1, 2, 3])]})
    assert json.loads(reply.body)["id"] == "42"
    reply = post({"inputs": [tensor([1, 2, 3])]})
    assert json.loads(reply.body)["id"] == "from-the-header"


def test_an_error_carries_the_id_of_the_request() -> None:
    reply = post({"id": "42", "inputs": [tensor([1, 2, None])]})
    assert reply.status == 400
    assert json.loads(reply.body)["id"] == "42"


def test_a_single_column_may_have_a_dimension_of_its_own() -> None:
    columns = [tensor([1.5], name=name, shape=shape) for name, shape in (("length", [1, 1]), ("width", [1]))]
    status, _ = infer(*columns, tensor([[2.0]], name="depth", shape=[1, 1]))
    assert status == 200


def test_a_raw_binary_request_is_the_data_of_the_only_input() -> None:
    status = post(struct.pack("<3d", 1, 2, 3), headers={LENGTH: b"0"}).status
    assert status == 400  # this model has three inputs
    body = json.loads(post(b"", headers={LENGTH: b"0"}, path="/v2/models/pixels/infer").body)
    assert "raw binary request" in body["error"]


@pytest.mark.parametrize(
    ("tensors", "problem"),
    [
        ([tensor([1, 2])], "None rows has 2 elements of data where the shape [1, 3] means 3"),
        ([tensor([[1, 2], [3]])], "None rows has 2 rows where its shape says 1"),
        ([tensor([[1, 2, 3], [4, 5]], shape=[2, 3])], "is not nested as its shape [2, 3] says"),
        ([tensor([1, 2, 3], shape=[-1, 3])], "has the shape [-1, 3]"),
        ([tensor([1, 2, 3], shape=[1.0, 3])], "has the shape [1.0, 3]"),
        ([tensor([1, 2, 3], shape=[2**63, 3])], "has the shape"),
        ([tensor([1, 2, 3], shape=[1] * 99)], "has 99 dimensions"),
        ([tensor([1, 2, 3], shape=[])], "has 0 dimensions"),
        ([tensor([1, 2, 3], datatype="FLOAT")], "has the datatype 'FLOAT', which does not exist"),
        ([tensor([1, "x", 3])], "0 rows 'x' is no FP64; a number is needed"),
        ([tensor([1, True, 3])], "0 rows True is no FP64; a number is needed"),
        ([tensor([1, 2.5, 3], datatype="INT32")], "0 rows 2.5 is no INT32; a whole number is needed"),
        ([tensor([1, 2, 300, 4, 5, 6], shape=[2, 3], datatype="UINT8")], "0 rows 300 does not fit UINT8, 0 to 255"),
        ([tensor([1, 2, None])], "0 depth is missing"),
        ([tensor([1, 2, "NaN"])], "0 depth is missing"),
        ([tensor([1, 2, 10**400])], "0 depth"),
        ([tensor([1, 2, "Infinity"])], "0 depth is infinite"),
        ([tensor([1, 2], shape=[1, 2])], "None rows has the shape [1, 2] where [-1, 3] is needed"),
        ([tensor(["1", "2", "3"], datatype="BYTES")], "None rows is unexpected"),
        ([tensor([1], name="length", shape=[1])], "None width is missing"),
        ([tensor({}, shape=[1, 3])], "has no data"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(tensors: list[dict[str, Any]], problem: str) -> None:
    status, body = infer(*tensors)
    assert status == 400
    assert body["code"] == "MW201"
    assert problem in problems(body)


def test_all_problems_are_told_at_once() -> None:
    status, body = infer(
        tensor(["x"], name="length", shape=[1], datatype="BYTES"),
        tensor([1, 2], name="width", shape=[1]),
        tensor([None, 1], name="depth", shape=[2]),
        tensor([1], name="hight", shape=[1]),
    )
    assert status == 400
    found = problems(body)
    assert "None length is BYTES where FP64 is needed" in found
    assert "None width has 2 elements" in found
    assert "0 depth is missing" in found
    assert "None hight is unexpected" in found
    assert "rows where others have" in found


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"[]", "request is no object"),
        (b"{}", "has no inputs"),
        (b'{"inputs": {}}', "inputs is no list"),
        (b'{"inputs": [1]}', "inputs[0] is no object"),
        (b'{"inputs": [{}]}', "inputs[0] has no name | None None inputs[0] has no shape | None None inputs[0] has no"),
        (b'{"inputs": [], "outputs": [3]}', "outputs[0] is no object"),
        (b'{"inputs": [], "parameters": {"a": []}}', "parameter 'a' of request is no text, number or truth value"),
        (b'{"inputs": [{"name": "a", "shape": [1], "datatype": "FP64", "parameters": {"binary_data_size": 8}}]}',
         "inputs[0] has binary_data_size"),
    ],
)  # fmt: skip
def test_what_is_no_inference_request_is_refused(body: bytes, problem: str) -> None:
    reply = post(body)
    assert reply.status == 400
    told = json.loads(reply.body)
    assert told["code"] == "MW1203"
    assert problem in problems(told)


@pytest.mark.parametrize(
    ("head", "rest", "length", "problem"),
    [
        (24, 24, 999, "Inference-Header-Content-Length"),
        (24, 24, b"-1", "Inference-Header-Content-Length"),
        (24, 24, b"9" * 5000, "Inference-Header-Content-Length"),
        (24, 16, None, "needs 24 bytes of binary data; 16 are left"),
        (24, 32, None, "followed by 32 bytes of binary data, but its tensors have 24"),
        (23, 23, None, "has 23 bytes of data where the shape [1, 3] means 24"),
        (-1, 24, None, "has the binary_data_size -1"),
        (2**70, 24, None, "needs"),
    ],
)
def test_binary_data_that_does_not_add_up_is_refused(head: int, rest: int, length: Any, problem: str) -> None:
    sent = {"name": "rows", "shape": [1, 3], "datatype": "FP64", "parameters": {"binary_data_size": head}}
    text = json.dumps({"inputs": [sent]}).encode()
    said = str(len(text)).encode() if length is None else length if isinstance(length, bytes) else b"%d" % length
    reply = post(text + b"\0" * rest, headers={LENGTH: said})
    assert reply.status == 400
    assert problem in reply.body.decode()


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"\x01\0\0", "ends within the length of element 0"),
        (b"\x05\0\0\0ab", "ends within element 0"),
        (b"\xff\xff\xff\xff", "ends within element 0"),
        (b"\x01\0\0\0\xff", "is no UTF-8"),
        (b"\0\0\0\0\0\0\0\0", "has 2 elements of data where the shape [1] means 1"),
    ],
)
def test_text_that_is_none_is_refused(raw: bytes, problem: str) -> None:
    sent = {"name": "città", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": len(raw)}}
    text = json.dumps({"inputs": [sent]}).encode()
    reply = post(text + raw, headers={LENGTH: b"%d" % len(text)}, path="/v2/models/mixed/infer")
    assert reply.status == 400
    assert problem in reply.body.decode()


def test_truth_values_are_one_byte_of_0_or_1() -> None:
    sent = {"name": "member", "shape": [1], "datatype": "BOOL", "parameters": {"binary_data_size": 1}}
    text = json.dumps({"inputs": [sent]}).encode()
    reply = post(text + b"\2", headers={LENGTH: b"%d" % len(text)}, path="/v2/models/mixed/infer")
    assert "has bytes other than 0 and 1" in reply.body.decode()


def test_malformed_json_another_type_and_no_rows_are_refused() -> None:
    assert post(b'{"inputs": [').status == 400
    assert post(b'{"inputs": [], "inputs": []}').status == 400
    assert post(b'{"inputs": [NaN]}').status == 400
    assert post(b"\xff\xfe").status == 400
    assert post(b"[" * 5000).status in (400, 413)
    assert post({"inputs": []}, headers={b"content-type": b"text/csv"}).status == 415
    assert infer(tensor([], shape=[0, 3]))[0] == 400
    assert infer(tensor([0.0] * 300_003, shape=[100_001, 3]))[0] == 413
    assert post({"id": 7, "inputs": [tensor([1, 2, 3])]}).status == 400
    assert post({"id": "7" * 300, "inputs": [tensor([1, 2, 3])]}).status == 400


def test_an_output_asked_for_twice_is_refused() -> None:
    status, body = infer(tensor([1, 2, 3]), outputs=[{"name": "prediction"}, {"name": "prediction"}])
    assert status == 400
    assert "is asked for twice" in problems(body)


@pytest.mark.parametrize(
    ("error", "status"),
    [(OverloadedError, 503), (DeadlineError, 504), (WorkerError, 502), (ZeroDivisionError, 500)],
)
def test_what_the_plane_raises_has_its_status(error: type[Exception], status: int) -> None:
    def fail() -> None:
        raise error("It failed.")

    plane = honest_plane()
    plane.failing = fail
    reply = post({"inputs": [tensor([1, 2, 3])]}, plane=plane)
    assert reply.status == status
    assert isinstance(json.loads(reply.body)["error"], str)


def test_what_is_learnt_is_noted_for_the_event() -> None:
    request = Request(
        "POST", "/v2/models/flower/infer", unit="u", body=json.dumps({"inputs": [tensor([1, 2, 3])]}).encode()
    )
    asyncio.run(answer(PLANE, request))
    event = request.note.event(time_s=1.0, seconds=0.5, status=200)
    assert (event.transport, event.model, event.version, event.rows, event.unit) == ("v2", "flower", "1.1.0", 1, "u")
    assert event.outputs is not None
    assert "prediction" in event.outputs


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/v2/models/a b", ("a b", "")),
        ("/v2/models/a/versions/1.0", ("a", "1.0")),
        ("/v2/models/a/versions/1.0/ready", ("a", "1.0")),
        ("/v2/models/versions", ("versions", "")),
        ("/v2/models/a/infer", ("a", "")),
    ],
)
def test_paths_lead_to_models(path: str, names: tuple[str, str]) -> None:
    route = match(path)
    assert route is not None
    assert route.names == names


def test_only_probes_need_no_token() -> None:
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/a/ready", "/v2/models/a/versions/1/ready"):
        assert not match(path).guarded
    for path in ("/v2", "/v2/models/ready", "/v2/models/a/versions/ready", "/v2/models/a/infer"):
        assert match(path).guarded


def test_another_method_is_told_which_one_it_is() -> None:
    reply = asyncio.run(answer(PLANE, Request("GET", "/v2/models/flower/infer")))
    assert reply.status == 405
    assert (b"allow", b"POST") in reply.headers


@pytest.mark.parametrize(
    "path",
    [
        "/v2/models/",
        "/v2/models/a/",
        "/v2/models//infer",
        "/v2/models/a/versions",
        "/v2/x",
        "/v2/models/a/versions//infer",
    ],
)
def test_other_paths_lead_nowhere(path: str) -> None:
    assert match(path) is None


NUMBERS = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=5))
def test_binary_and_json_rows_are_the_same_block(rows: list[tuple[float, float, float]]) -> None:
    plane = honest_plane_of_one()
    size = len(rows)
    infer_on(plane, {"inputs": [tensor([list(row) for row in rows], shape=[size, 3])]})
    raw = numpy.array(rows).tobytes()
    sent = {"name": "x", "shape": [size, 3], "datatype": "FP64", "parameters": {"binary_data_size": len(raw)}}
    text = json.dumps({"inputs": [sent]}).encode()
    post(text + raw, headers={LENGTH: b"%d" % len(text)}, plane=plane)
    columns = [
        tensor([row[place] for row in rows], name=name, shape=[size])
        for place, name in enumerate(("length", "width", "depth"))
    ]
    infer_on(plane, {"inputs": columns})
    assert len({one["table"].block for one in plane.asked}) == 1
    assert plane.asked[0]["table"].block == raw


def honest_plane_of_one() -> HonestPlane:
    return HonestPlane(PLANE.versions_of)


def infer_on(plane: HonestPlane, body: dict[str, Any]) -> None:
    assert post(body, plane=plane).status == 200
