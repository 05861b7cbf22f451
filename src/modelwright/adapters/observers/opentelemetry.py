"""Spans of requests by OpenTelemetry, sent with OTLP over HTTP.

Found by entry point in the group ``modelwright.observers``; called in the thread of
:mod:`modelwright.serving.observing.tracing`. Endpoint, headers, sampler, service name and the rest come from the
standard ``OTEL_*`` variables, which the SDK reads.

Source: W3C Trace Context; OpenTelemetry semantic conventions, "HTTP spans" and "RPC spans".
"""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from modelwright.serving.inference import Event

ROUTES = {
    "rest": "/models/{name}/predict",
    "v2": "/v2/models/{name}/infer",
    "invocations": "/invocations",
    "tfserving": "/v1/models/{name}:predict",
}
"""Route of each door of HTTP."""
GRPC_METHOD = "inference.GRPCInferenceService/ModelInfer"
_PROPAGATOR = TraceContextTextMapPropagator()


class OpenTelemetryTracer:
    """Makes spans of events; see :class:`modelwright.serving.observing.tracing.Tracer`.

    Args:
        exporter: Where spans go; by default OTLP over HTTP.
    """

    def __init__(self, exporter: SpanExporter | None = None) -> None:
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("modelwright.serving")

    def observe(self, event: Event) -> None:
        """Make the span of a request, and of the parts that are known of it.

        Of waiting and predicting only the duration is known: they are drawn as if the answer was sent right after.
        """
        begin, end = _nanoseconds(event.time_s), _nanoseconds(event.time_s + event.seconds)
        span = self._tracer.start_span(
            _name(event),
            context=_parent(event),
            kind=SpanKind.INTERNAL if event.shadow else SpanKind.SERVER,
            attributes=_attributes(event),
            start_time=begin,
        )
        if event.status >= 500:  # the convention: what the caller did wrong is no error of the server
            span.set_status(Status(StatusCode.ERROR, event.error))
        if span.is_recording() and event.predict_seconds > 0:
            inside = set_span_in_context(span)
            sent = end - _nanoseconds(event.predict_seconds)
            queued = max(begin, sent - _nanoseconds(event.queue_seconds))
            self._part("queue", inside, queued, sent)
            self._part("predict", inside, sent, end)
        span.end(end_time=end)

    def _part(self, name: str, inside: Context, begin: int, end: int) -> None:
        self._tracer.start_span(name, context=inside, start_time=begin).end(end_time=end)

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


def _resource() -> Resource:
    found = Resource.create()
    if str(found.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        found = found.merge(Resource({SERVICE_NAME: "modelwright"}))
    return found


def _name(event: Event) -> str:
    if event.shadow:
        return "shadow"
    return GRPC_METHOD if event.transport == "grpc" else f"POST {ROUTES.get(event.transport, '')}".strip()


def _parent(event: Event) -> Context:
    carrier = {"traceparent": event.traceparent, "tracestate": event.tracestate}
    return _PROPAGATOR.extract(carrier, context=Context())


def _attributes(event: Event) -> Mapping[str, str | int | bool]:
    found: dict[str, str | int | bool] = {
        "modelwright.request.id": event.request_id,
        "modelwright.model.name": event.model,
        "modelwright.model.version": event.version,
        "modelwright.model.digest": event.digest,
        "modelwright.variant": event.variant,
        "modelwright.shadow": event.shadow,
        "modelwright.rows": event.rows,
        "client.address": event.client,
        "error.type": event.error,
    }
    if event.transport == "grpc":
        service, _, method = GRPC_METHOD.partition("/")
        found |= {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}
    else:
        found |= {"http.request.method": "POST", "http.response.status_code": event.status}
        found["http.route"] = ROUTES.get(event.transport, "")
    return {name: value for name, value in found.items() if value != ""}


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1_000_000) * 1000


OBSERVER = OpenTelemetryTracer
