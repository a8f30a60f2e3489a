"""OpenTelemetry traces, on when a collector is configured: one tree from the gateway through services and jobs.

Off by default: FastAPI's automatic instrumentation costs half the throughput even when nothing is sampled, so spans are
opened by hand at the three edges (request, call to a peer, job) and only when there is somewhere to send them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from libs.kit import context

_propagator = TraceContextTextMapPropagator()
_provider: TracerProvider | None = None


def configure(service: str, endpoint: str | None, processor: SpanProcessor | None = None) -> None:
    """Export spans to an OTLP/HTTP collector. Without an endpoint (or a processor, in tests) nothing is traced."""
    global _provider
    if endpoint is None and processor is None:
        return
    _provider = TracerProvider(resource=Resource.create({"service.name": f"encours-{service}"}))
    _provider.add_span_processor(
        processor or BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces"))
    )


def shutdown() -> None:
    """Send what is still held, and stop."""
    global _provider
    if _provider is not None:
        _provider.shutdown()
        _provider = None


@contextmanager
def span(name: str, kind: SpanKind, **attributes: Any) -> Iterator[None]:
    """A span under the current traceparent; what is called inside belongs to it."""
    if _provider is None:
        yield
        return
    parent = _propagator.extract({"traceparent": context.traceparent()})
    tracer = _provider.get_tracer("encours")
    with tracer.start_as_current_span(name, context=parent, kind=kind, attributes=attributes) as current:
        carrier: dict[str, str] = {}
        _propagator.inject(carrier, trace.set_span_in_context(current))
        with context.under(carrier["traceparent"]):
            yield
