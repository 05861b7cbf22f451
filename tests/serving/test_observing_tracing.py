"""Spans join the caller's trace, say what the conventions say, and arrive over OTLP."""

from __future__ import annotations

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from recorded import DIGEST, event

from modelwright.adapters.observers.opentelemetry import OpenTelemetryTracer
from modelwright.serving.inference import Table
from modelwright.serving.observing import tracing as module
from modelwright.serving.observing.tracing import Tracing, tracing

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def spans(*events) -> list:
    exporter = InMemorySpanExporter()
    traced = Tracing(OpenTelemetryTracer(exporter))
    for one in events:
        traced.observe(one)
    assert traced.close()
    return list(exporter.get_finished_spans())


def test_a_request_is_a_span_of_the_callers_trace():
    told = event(
        traceparent=PARENT,
        tracestate="vendor=1",
        seconds=0.004,
        queue_seconds=0.001,
        predict_seconds=0.002,
        rows=2,
        client="10.0.0.7",
        table=Table(1, columns={"name": ["secret"]}),
    )
    queue, predict, request = spans(told)
    assert f"{request.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert f"{request.parent.span_id:016x}" == "b7ad6b7169203331"
    assert request.context.trace_state.get("vendor") == "1"
    assert (request.name, request.kind) == ("POST /models/{name}/predict", SpanKind.SERVER)
    assert request.end_time - request.start_time == 4_000_000
    assert dict(request.attributes) == {
        "modelwright.request.id": "r-1",
        "modelwright.model.name": "churn",
        "modelwright.model.version": "1.3.0",
        "modelwright.model.digest": DIGEST,
        "modelwright.variant": "control",
        "modelwright.shadow": False,
        "modelwright.rows": 2,
        "client.address": "10.0.0.7",
        "http.request.method": "POST",
        "http.route": "/models/{name}/predict",
        "http.response.status_code": 200,
    }
    assert (queue.name, predict.name) == ("queue", "predict")
    assert queue.parent.span_id == predict.parent.span_id == request.context.span_id
    assert queue.end_time == predict.start_time
    assert predict.end_time - predict.start_time == 2_000_000


@pytest.mark.parametrize("parent", ["", "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "ff-x"])
def test_without_a_trace_of_the_caller_one_begins(parent):
    (span,) = spans(event(traceparent=parent))
    assert span.parent is None
    assert span.context.trace_id


def test_a_caller_that_does_not_want_a_trace_gets_none():
    assert spans(event(traceparent=PARENT[:-1] + "0")) == []


def test_only_the_servers_own_failures_are_errors():
    wrong, failed = spans(event(status=422, error="MW201"), event(status=500, error="MW202"))
    assert wrong.status.status_code is StatusCode.UNSET
    assert wrong.attributes["error.type"] == "MW201"
    assert failed.status.status_code is StatusCode.ERROR


def test_grpc_and_shadows_are_named_as_what_they_are():
    grpc, shadow = spans(event(transport="grpc"), event(shadow=True))
    assert grpc.attributes["rpc.system"] == "grpc"
    assert "http.route" not in grpc.attributes
    assert (shadow.name, shadow.kind) == ("shadow", SpanKind.INTERNAL)


@pytest.fixture
def receiver():
    """What OTLP over HTTP is posted to."""
    got: list[tuple[str, bytes]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()
        thread.join()


def test_spans_arrive_over_http_where_the_standard_variables_say(receiver, monkeypatch):
    url, got = receiver
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "churn-server")
    traced = tracing()
    for number in range(10):
        traced.observe(event(request_id=f"r-{number}"))
    assert traced.close()
    assert {path for path, _ in got} == {"/v1/traces"}
    (resource,) = [one for _, body in got for one in ExportTraceServiceRequest.FromString(body).resource_spans]
    assert sum(len(scope.spans) for scope in resource.scope_spans) == 10
    named = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert named["service.name"] == "churn-server"


def test_a_receiver_that_is_not_there_holds_up_nobody(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    traced = tracing()
    traced.observe(event())
    traced.close(timeout_s=0.5)


def test_nothing_is_imported_before_it_is_switched_on():
    code = "import sys, modelwright.serving.observing.tracing; assert 'opentelemetry' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_spans_that_are_left_out_are_counted_and_said_once(monkeypatch, caplog):
    class Slow:
        def observe(self, _event):
            free.wait(10)

        def close(self):
            pass

    free = threading.Event()
    monkeypatch.setattr(module, "LIMIT", 2)
    made = module.Tracing(Slow())
    for _ in range(5):
        made.observe(event())
    free.set()
    assert made.close()
    assert made.dropped == 3
    assert [record.getMessage() for record in caplog.records] == [
        "tracing: requests get no spans, because they come too fast: 1 so far"
    ]
