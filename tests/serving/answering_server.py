"""A small real HTTP server whose models answer in the shapes of our REST API; made for tests of the client."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.ipc
import uvicorn

from modelwright.capturing.answers import LiveModel
from modelwright.capturing.description import describe
from modelwright.errors import ModelwrightError, OutcomeError, UnknownModelError
from modelwright.runtime.encoding import decode_rows, decoder, encode
from modelwright.runtime.model import Model

ARROW = "application/vnd.apache.arrow.stream"


def described(native: Any, sample: Any, *, name: str, version: str = "1.0.0", methods: tuple[str, ...] = ()) -> Model:
    """Return a model as it is after capture and load, without the files in between."""
    live = LiveModel.of(native, methods=methods, declared={})
    signature = msgspec.to_builtins(describe(live, sample).signature)
    storage = {"methods": list(live.methods)}
    return Model(native, {"name": name, "version": version, "storage": storage, "signature": signature})


class Answering:
    """The application: models by name, and canned answers that come first.

    Attributes:
        canned: Answers ``(status, headers, body)`` that are given, one each, before any real one.
        seen: What was asked: ``(method, path, headers, body)``.
    """

    def __init__(self, *models: Model) -> None:
        self.models = {model.manifest["name"]: model for model in models}
        self.canned: deque[tuple[int, dict[str, str], bytes]] = deque()
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.arrow = True

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.seen.append((scope["method"], scope["path"], headers, body))
        status, more_headers, content = self._answer(scope["path"], headers, body)
        said = [(name.encode(), value.encode()) for name, value in more_headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": said})
        await send({"type": "http.response.body", "body": content})

    def _answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        if self.canned:
            return self.canned.popleft()
        request_id = headers.get("x-request-id", "made-here")
        try:
            return self._routed(path.strip("/").split("/"), headers, body, request_id)
        except ModelwrightError as error:
            status = 404 if isinstance(error, UnknownModelError) else 422
            content = json.dumps(error.to_dict() | {"request_id": request_id}).encode()
            return status, {"content-type": "application/json", "x-request-id": request_id}, content

    def _routed(self, parts: list[str], headers: dict[str, str], body: bytes, request_id: str) -> Any:
        if parts == ["models"]:
            return _json({"models": [self._about(model) for model in self.models.values()]})
        if parts == ["outcomes"]:
            raise OutcomeError("There is no such prediction.", hint="Outcomes name the request id.")
        model = self.models.get(parts[1])
        if model is None or (parts[2:3] == ["versions"] and parts[3] != model.manifest["version"]):
            raise UnknownModelError(
                f"There is no {'/'.join(parts[1:])}.", hint=f"Did you mean {next(iter(self.models))!r}?"
            )
        if len(parts) == 2:
            return _json(self._about(model) | {"signature": model.manifest["signature"], "example": []})
        about = {
            "model": parts[1],
            "version": model.manifest["version"],
            "variant": "control",
            "request_id": request_id,
        }
        named = {f"modelwright-{name}": about[name] for name in ("model", "version", "variant")} | {
            "x-request-id": request_id
        }
        if headers["content-type"] == ARROW:
            if not self.arrow:
                return 415, {}, b'{"error": "No Arrow here.", "code": "MW1204"}'
            sink = io.BytesIO()
            answer = model.call(parts[-1], pyarrow.ipc.open_stream(body).read_all())
            with pa.ipc.new_stream(sink, answer.schema) as writer:
                writer.write_table(answer)
            return 200, named | {"content-type": ARROW}, sink.getvalue()
        said = json.loads(body)
        fields = model.manifest["signature"]["inputs"]
        if "rows" in said:
            answer = {"predictions": encode(model.call(parts[-1], decode_rows(said["rows"], fields)))}
        else:
            known = {field["name"]: decoder(field) for field in fields}
            columns = {
                name: list(map(known.get(name, lambda v: v), column)) for name, column in said["columns"].items()
            }
            answer = {"columns": encode(model.call(parts[-1], columns))}
        return _json(about | answer, named)

    def _about(self, model: Model) -> dict[str, Any]:
        version = model.manifest["version"]
        variants = [{"name": "control", "version": version, "role": "live", "weight": 1.0, "ready": True}]
        about = {"name": model.manifest["name"], "version": version, "digest": "ab" * 32, "ready": True}
        return about | {"methods": list(model.methods), "variants": variants}


def _json(value: Any, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    return 200, {"content-type": "application/json"} | (headers or {}), json.dumps(value).encode()


@contextmanager
def listening(app: Any, *, unix: str = "") -> Iterator[str]:
    """Serve an application; give its address."""
    family = socket.AF_UNIX if unix else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind(unix or ("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="critical", lifespan="off", access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            yield "http://localhost" if unix else f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def same(found: Any, expected: Any) -> None:
    """Check that two answers are of one type, with the same values and datatypes."""
    assert type(found) is type(expected)
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
    elif isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    elif isinstance(expected, pl.DataFrame):
        assert found.schema == expected.schema
        assert found.equals(expected)
    else:
        assert found == expected
