"""Bad input, through the real server: one clear sentence, a code, every problem, no traceback, no path, no harm."""

from __future__ import annotations

import concurrent.futures
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from running import Running

FRIENDLY = "/models/behaving/predict"
INVOCATIONS, TENSORFLOW, TENSORS = "/invocations", "/v1/models/behaving:predict", "/v2/models/behaving/infer"
GOOD = '{"x": 1.0, "what": "ok"}'
MOST = 16 * 2**20


@pytest.fixture(autouse=True)
def _unharmed(served: Running) -> Iterator[None]:
    """Whatever a test sent, the server answers the next one, with the same process."""
    before = served.server.plane.served["behaving"].now().control.pool.restarts
    yield
    assert served.ask({"x": 21.0, "what": "ok"}).json()["predictions"] == [{"prediction": 42.0}]
    assert served.server.plane.served["behaving"].now().control.pool.restarts == before


def send(served: Running, body: bytes | str, path: str = FRIENDLY, content_type: str = "application/json") -> Any:
    return served.http.post(path, content=body, headers={"content-type": content_type})


def refused(answer: httpx2.Response, status: int, code: str) -> list[dict[str, Any]]:
    """Check what every refusal has; return its details, or the one that reason and advice make."""
    told = answer.json()
    assert (answer.status_code, told["code"]) == (status, code), answer.text[:400]
    assert told.get("request_id", answer.headers["x-request-id"]) == answer.headers["x-request-id"] != ""
    assert told["error"].endswith((".", ")", ".'"))
    assert "\n" not in told["error"]
    for secret in ("Traceback", "/src/", ".py", "site-packages", "/tmp/"):
        assert secret not in answer.text
    assert all(set(one) - {"item"} == {"row", "column", "problem", "hint"} for one in told["details"])
    said = [told[name] for name in ("where", "why", "hint") if told.get(name)]
    return list(told["details"]) or [
        {"row": None, "column": None, "problem": " ".join(said) or told["error"], "hint": ""}
    ]


def tensors(x: str = "[1.0]", what: str = '["ok"]', *, shape: str = "[1]", more: str = "") -> str:
    """Return a request of the Open Inference Protocol."""
    inputs = [
        f'{{"name": "x", "shape": {shape}, "datatype": "FP64", "data": {x}}}',
        f'{{"name": "what", "shape": {shape}, "datatype": "BYTES", "data": {what}}}',
    ]
    return f'{{"inputs": [{", ".join(inputs)}{more}]}}'


def test_whoever_asks_is_told_what_to_do_with_what_is_there_for_them(served: Running) -> None:
    bodies = {
        FRIENDLY: '{"rows": [{"x": "no", "what": "ok"}]}',
        "/v2/models/behaving/infer": tensors(x='["no"]'),
        "/invocations": '{"inputs": {"x": 1, "y": 2}}',
    }
    for path, body in bodies.items():
        told = send(served, body, path).json()
        advice = told.get("hint") or told.get("error") or told["message"]
        assert "GET /models/NAME" in advice, told
        assert "behaving info" not in str(told)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('{"x": 1.0}', [(None, "what", "is missing")]),
        ('{"what": "ok"}', [(None, "x", "is missing")]),
        ('{"x": 1.0, "waht": "ok"}', [(None, "waht", "is unexpected, and 'what' is missing")]),
        ('{"x": 1.0, "what": "ok", "age": 3}', [(None, "age", "is unexpected")]),
        ('{"x": "1", "what": "ok"}', [(0, "x", "'1' is text; a number is needed")]),
        ('{"x": true, "what": "ok"}', [(0, "x", "True is a truth value; a number is needed")]),
        ('{"x": 1.0, "what": 5}', [(0, "what", "5 is a number; text is needed")]),
        ('{"x": null, "what": "ok"}', [(0, "x", "null")]),
        ('{"x": 1.0, "what": null}', [(0, "what", "null")]),
        ('{"x": [1.0], "what": "ok"}', [(0, "x", "")]),
        ('{"x": {"a": 1}, "what": ["ok"]}', [(0, "x", ""), (0, "what", "")]),
        ('{"x": "a", "what": 7}', [(0, "x", ""), (0, "what", "")]),
        ('{"X": 1.0, "What": "ok", "y": 1}', [(None, "X", ""), (None, "What", ""), (None, "y", "")]),
    ],
)
@pytest.mark.parametrize("door", ["rows", "columns", "records", "instances"])
def test_every_problem_of_a_row_is_named_with_its_place(
    served: Running, row: str, told: list[tuple[int | None, str, str]], door: str
) -> None:
    columns = json.dumps({name: [value] for name, value in json.loads(row).items()})
    body, path = {
        "rows": (f'{{"rows": [{row}]}}', FRIENDLY),
        "columns": (f'{{"columns": {columns}}}', FRIENDLY),
        "records": (f'{{"dataframe_records": [{row}]}}', INVOCATIONS),
        "instances": (f'{{"instances": [{row}]}}', TENSORFLOW),
    }[door]
    if door in ("records", "instances") and "[" in row:
        pytest.skip("a scalar may stand in a list of its own there")
    details = refused(send(served, body, path), 400, "MW201")

    assert [(one["row"], one["column"]) for one in details] == [(place, column) for place, column, _ in told]
    assert all(said in one["problem"] or said == "null" for one, (_, _, said) in zip(details, told, strict=True))


def test_rows_that_are_bad_are_told_by_their_number(served: Running) -> None:
    rows = [json.loads(GOOD) | ({"x": "bad"} if number in (3, 70, 99) else {}) for number in range(100)]
    details = refused(send(served, json.dumps(rows)), 400, "MW201")

    assert [one["row"] for one in details] == [3, 70, 99]


@pytest.mark.parametrize("token", ["NaN", "Infinity", "-Infinity", "nan", "1e999", "0x10", "01", "+1", "1.", "'a'"])
@pytest.mark.parametrize("path", [FRIENDLY, INVOCATIONS, TENSORFLOW, TENSORS])
def test_token_that_is_no_json_is_refused_everywhere(served: Running, token: str, path: str) -> None:
    key = {FRIENDLY: "rows", INVOCATIONS: "dataframe_records", TENSORFLOW: "instances"}.get(path)
    body = tensors(f"[{token}]") if key is None else f'{{"{key}": [{{"x": {token}, "what": "ok"}}]}}'
    answer = send(served, body, path)

    assert answer.status_code == 400
    details = refused(answer, 400, answer.json()["code"])
    assert details


@pytest.mark.parametrize("path", [FRIENDLY, INVOCATIONS, TENSORFLOW, TENSORS])
@pytest.mark.parametrize(
    ("key", "value", "status", "said"),
    [
        ('"x"', "9" * 5000, 400, "digits"),
        ('"x"', "9" * 400, 400, ""),
        ('"x": 1.0, "x"', "2.0", 400, "appears 2 times"),
        ('"x"', "[" * 40 + "]" * 40, 413, "nested deeper than 32"),
        ('"x"', '"\\ud800"', 400, "no Unicode"),
    ],
)
def test_what_has_two_readings_or_none_is_refused_everywhere(
    served: Running, path: str, key: str, value: str, status: int, said: str
) -> None:
    form = {FRIENDLY: "rows", INVOCATIONS: "dataframe_records", TENSORFLOW: "instances"}.get(path)
    if form is None:
        body = '{"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": {' + f"{key}: {value}" + "}}]}"
    else:
        body = f'{{"{form}": [{{{key}: {value}, "what": "ok"}}]}}'
    answer = send(served, body, path)

    assert answer.status_code == status, answer.text[:300]
    assert said in answer.text
    refused(answer, status, answer.json()["code"])


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"", 400, "empty"),
        (b"  \n", 400, "empty"),
        (b"{", 400, "not JSON"),
        (b"null", 400, "null"),
        (b"17", 400, "a number"),
        (b'"rows"', 400, "text"),
        (b"[]", 400, "no rows"),
        (b"{}", 400, "neither rows nor columns"),
        (b'{"rows": []}', 400, "no rows"),
        (b'{"columns": {"x": [], "what": []}}', 400, "no rows"),
        (b'{"columns": {"x": [1.0, 2.0], "what": ["ok"]}}', 400, ""),
        (b'{"rows": [' + GOOD.encode() + b'], "columns": {}}', 400, "one of them"),
        (b'{"rows": ' + GOOD.encode() + b"}", 400, "Wrap a single row"),
        (GOOD.encode(), 400, "Wrap it"),
        (b'{"rows": [[1.0, "ok"]]}', 400, "Row 0 is a list"),
        (b'{"row": [' + GOOD.encode() + b"]}", 400, "row"),
        (b'{"rows": [{"x": 1.0, "what": "\xff"}]}', 400, "no UTF-8: byte 0xff at"),
        (b"\xef\xbb\xbf[]", 400, "byte order mark"),
        ('{"rows": []}'.encode("utf-16"), 400, "byte order mark"),
        (b'{"rows": []}\0', 400, "null byte"),
        (b'{"rows": []} []', 400, "not JSON"),
    ],
)
def test_body_of_another_shape_is_refused(served: Running, body: bytes, status: int, said: str) -> None:
    answer = send(served, body)

    assert answer.status_code == status
    assert refused(answer, status, answer.json()["code"])
    assert said in answer.text


@pytest.mark.parametrize("path", [FRIENDLY, INVOCATIONS, TENSORFLOW, TENSORS])
def test_a_row_too_many_is_refused_with_another_way(served: Running, path: str) -> None:
    number = 100_001
    one = '{"x":1,"what":"ok"}'
    rows = ",".join([one] * number)
    body = {
        FRIENDLY: f'{{"rows":[{rows}]}}',
        INVOCATIONS: f'{{"dataframe_records":[{rows}]}}',
        TENSORFLOW: f'{{"instances":[{rows}]}}',
        TENSORS: tensors(json.dumps([1] * number), json.dumps(["ok"] * number), shape=f"[{number}]"),
    }[path]
    answer = send(served, body, path)

    refused(answer, 413, "MW1205")
    assert "at most 100000" in answer.text
    assert "several requests" in answer.text


def test_most_rows_are_answered(served: Running) -> None:
    body = '{"columns":{"x":[' + ",".join("2" * 100_000) + '],"what":[' + ",".join(['"ok"'] * 100_000) + "]}}"

    assert len(send(served, body).json()["columns"]["prediction"]) == 100_000


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/json; charset=latin-1", 415),
        ("application/vnd.apache.arrow.stream", 400),
        ("application/vnd.apache.parquet", 400),
        ("text/csv", 400),
        ("\xff/\xfe", 415),
    ],
)
def test_body_of_another_kind_than_it_says_is_refused(served: Running, content_type: str, status: int) -> None:
    answer = served.http.post(
        FRIENDLY, content=f'{{"rows": [{GOOD}]}}'.encode(), headers={"content-type": content_type.encode("latin-1")}
    )

    assert answer.status_code == status, answer.text
    refused(answer, status, answer.json()["code"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x,what\nbad,ok\n", "'bad'"),
        ("x,what\n,ok\n", ""),
        ("x\n1\n", "is missing"),
        ("x,what,x\n1,ok,2\n", "2 times"),
        ("x,what\n1,ok,3\n", "Line 2 has 3 cells"),
        ("x,what\n", "no rows"),
        ('x,what\n1,"ok\n', "no CSV"),
        ("x,what\n1,a\0b\n", ""),
    ],
)
def test_lines_of_text_that_do_not_fit_are_refused(served: Running, text: str, said: str) -> None:
    answer = send(served, text.encode(), content_type="text/csv")
    if "\0" in text and answer.status_code == 200:
        return  # a null character is text like any other
    refused(answer, 400, answer.json()["code"])
    assert said in answer.text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{}", "has no inputs"),
        ('{"inputs": []}', "no tensors"),
        (tensors(shape="[2]"), "shape [2]"),
        (tensors(shape="[-1]"), ""),
        (tensors(shape="[1, 1, 1]"), ""),
        (tensors("[null]"), ""),
        (tensors('["a"]'), ""),
        (tensors("[]", "[]", shape="[0]"), "no rows"),
        (tensors(more=', {"name": "y", "shape": [1], "datatype": "FP64", "data": [1]}'), "'y'"),
        (tensors(more=', {"name": "x", "shape": [1], "datatype": "FP64", "data": [1]}'), "x"),
        (tensors().replace("FP64", "FP65"), "FP65"),
        (tensors().replace('"inputs"', '"outputs": [{"name": "nothing"}], "inputs"'), "nothing"),
        (tensors().replace('"inputs"', '"id": 5, "inputs"'), "id"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(served: Running, body: str, said: str) -> None:
    answer = send(served, body, TENSORS)

    assert answer.status_code == 400, answer.text
    refused(answer, 400, answer.json()["code"])
    assert said in answer.text


def test_unknown_key_that_is_long_is_not_sent_back_whole(served: Running) -> None:
    answer = send(served, '{"rows": [{"x": 1.0, "what": "ok", "' + "a" * 2_000_000 + '": 1}]}')

    assert refused(answer, 400, "MW201")
    assert len(answer.content) < 5000


def test_more_problems_than_anybody_reads_are_cut(served: Running) -> None:
    details = refused(send(served, json.dumps([{"x": "bad", "what": "ok"}] * 50_000)), 400, "MW201")

    assert len(details) == 1000


def _filled(unit: str, *, before: str, after: str, size: int = MOST) -> bytes:
    times = (size - len(before) - len(after)) // (len(unit) + 1)
    return (before + ",".join([unit] * times) + after).encode()


def _hostile() -> dict[str, Callable[[], tuple[str, bytes]]]:
    """Bodies of as much as is taken, each the worst of its kind that is known."""
    named = '{"dataframe_split": {"columns": ["a"' + ',"a"' * 999_999 + '], "data": [[1'
    return {
        "empty objects": lambda: (FRIENDLY, _filled("{}", before='{"rows": [', after="]}")),
        "lists in lists": lambda: (INVOCATIONS, _filled("[[1]]", before='{"instances": [', after="]}")),
        "one key again and again": lambda: (FRIENDLY, _filled('"x":1', before='{"rows": [{', after="}]}")),
        "columns again and again": lambda: (INVOCATIONS, (named + ",1" * 999_999 + "]]}}").encode()),
        "keys that nobody knows": lambda: (INVOCATIONS, json.dumps(dict.fromkeys(map(str, range(1_000_000)))).encode()),
        "NaN at the end": lambda: (FRIENDLY, _filled("1", before='{"rows": [', after=", NaN]}")),
        "tensors without end": lambda: (TENSORS, _filled('{"name":"x"}', before='{"inputs":[', after="]}")),
        "outputs again and again": lambda: (
            TENSORS,
            _filled('{"name":"prediction"}', before=tensors()[:-1] + ', "outputs": [', after="]}"),
        ),
        "columns of text": lambda: (FRIENDLY, b"," * MOST),
        "outcomes": lambda: ("/outcomes", _filled("{}", before='{"outcomes": [', after="]}")),
    }


HOSTILE = _hostile()


@pytest.mark.parametrize("name", list(HOSTILE))
def test_largest_hostile_body_is_refused_while_others_are_answered(served: Running, name: str) -> None:
    path, body = HOSTILE[name]()
    assert len(body) <= MOST
    ended, waited = threading.Event(), [0.0]

    def others() -> None:
        with httpx2.Client(base_url=f"http://127.0.0.1:{served.port}") as http:
            while not ended.is_set():
                begun = time.monotonic()
                assert http.post(FRIENDLY, json={"rows": [{"x": 1.0, "what": "ok"}]}).status_code == 200
                waited[0] = max(waited[0], time.monotonic() - begun)
                time.sleep(0.002)

    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        asking = threads.submit(others)
        begun = time.process_time()
        answer = send(served, body, path, "text/csv" if body[:1] == b"," else "application/json")
        spent = time.process_time() - begun
        ended.set()
        asking.result()

    assert answer.status_code in (400, 413), answer.text[:300]
    assert len(answer.content) < 500_000
    assert spent < 60  # it is bounded; how quick it is depends on the machine
    assert waited[0] < 10
