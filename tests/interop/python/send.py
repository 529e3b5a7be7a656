"""Sends one trace of two spans and a few log records with the OpenTelemetry SDK, as an application
would, and prints as JSON what was sent, for the test to find again by SQL."""

import importlib.metadata
import json
import math
import sys
import time

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags


def exporters(protocol, endpoint):
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        return (
            OTLPLogExporter(endpoint=endpoint, insecure=True, timeout=20),
            OTLPSpanExporter(endpoint=endpoint, insecure=True, timeout=20),
            OTLPMetricExporter(endpoint=endpoint, insecure=True, timeout=20),
        )
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return (
        OTLPLogExporter(
            endpoint=f"{endpoint}/v1/logs", compression=Compression.Gzip, timeout=20
        ),
        OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", timeout=20),
        OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics", timeout=20),
    )


def send_spans(tracer, service):
    """A server span with everything a span can carry, and a client span below it that fails."""
    remote = SpanContext(
        trace_id=0x0AF7651916CD43DD8448EB211C80319C,
        span_id=0x00F067AA0BA902B7,
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    start = time.time_ns()
    with tracer.start_as_current_span(
        "GET /orders/{id}",
        kind=SpanKind.SERVER,
        links=[Link(remote, {"link.kind": "retry"})],
        attributes={
            "http.request.method": "GET",
            "http.response.status_code": 200,
            "sampled.ratio": 0.25,
            "cache.hit": True,
            "tags": ["a", "b"],
            "text": "grüße, 世界",
        },
        start_time=start,
        end_on_exit=False,
    ) as parent:
        parent.add_event("queue.wait", {"queue.depth": 3}, timestamp=start + 1_000)
        with tracer.start_as_current_span(
            "SELECT orders", kind=SpanKind.CLIENT, start_time=start + 2_000, end_on_exit=False
        ) as child:
            child.set_status(Status(StatusCode.ERROR, "connection reset"))
            child.record_exception(ValueError("bad row"))
            child.end(end_time=start + 5_000)
        parent.set_status(Status(StatusCode.OK))
        parent.end(end_time=start + 1_500_000)
    return {
        "trace_id": format(parent.context.trace_id, "032x"),
        "parent_id": format(parent.context.span_id, "016x"),
        "child_id": format(child.context.span_id, "016x"),
        "start_ns": start,
        "service": service,
    }


def send_logs(logger, spans):
    now = time.time_ns()
    context = trace.set_span_in_context(
        trace.NonRecordingSpan(
            SpanContext(
                trace_id=int(spans["trace_id"], 16),
                span_id=int(spans["child_id"], 16),
                is_remote=False,
                trace_flags=TraceFlags(TraceFlags.SAMPLED),
            )
        )
    )
    logger.emit(
        LogRecord(
            timestamp=now,
            observed_timestamp=now + 1,
            context=context,
            severity_text="ERROR",
            severity_number=SeverityNumber.ERROR,
            body="charging order 4711 failed: card expired",
            attributes={
                "order.id": 4711,
                "amount": 12.5,
                "retryable": False,
                "codes": [1, 2, 3],
                "nested": {"b": 1, "a": "x"},
            },
            event_name="payment.failed",
        )
    )
    logger.emit(
        LogRecord(
            timestamp=now + 2,
            observed_timestamp=now + 3,
            severity_text="INFO",
            severity_number=SeverityNumber.INFO,
            body={"kind": "structured", "count": 2, "list": [1.5, True, "x"]},
        )
    )
    return {"log_ns": now}


def send_metrics(meter):
    """One instrument of each kind that the SDK has; one histogram is exponential by a view."""
    meter.create_counter("orders.placed", "{order}", "orders placed").add(3, {"shop.region": "eu"})
    meter.create_up_down_counter("orders.open", "{order}").add(-2)
    meter.create_gauge("queue.fill", "1").set(0.75, {"queue": "mail"})
    duration = meter.create_histogram(
        "orders.duration", "ms", explicit_bucket_boundaries_advisory=[10.0, 100.0]
    )
    size = meter.create_histogram("orders.size", "By")
    for value in (5, 50, 500):
        duration.record(value)
        size.record(value)


def main():
    protocol, endpoint, service = sys.argv[1:4]
    log_exporter, span_exporter, metric_exporter = exporters(protocol, endpoint)
    resource = Resource.create(
        {"service.name": service, "service.version": "1.2.3", "host.name": "test-host"},
        schema_url="https://opentelemetry.io/schemas/1.21.0",
    )
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(span_exporter))
    loggers = LoggerProvider(resource=resource)
    loggers.add_log_record_processor(BatchLogRecordProcessor(log_exporter))
    meters = MeterProvider(
        resource=resource,
        metric_readers=[PeriodicExportingMetricReader(metric_exporter, math.inf)],
        views=[
            View(
                instrument_name="orders.size",
                aggregation=ExponentialBucketHistogramAggregation(),
            )
        ],
    )
    scope = {"scope.team": "shop"}
    tracer = tracers.get_tracer("shop.orders", "0.9.1", attributes=scope)
    logger = loggers.get_logger("shop.orders", "0.9.1", "https://example.org/schema", scope)

    sent = send_spans(tracer, service)
    sent.update(send_logs(logger, sent))
    send_metrics(meters.get_meter("shop.orders", "0.9.1", "https://example.org/schema", scope))
    sent["flushed"] = (
        tracers.force_flush(20_000)
        and loggers.force_flush(20_000)
        and meters.force_flush(20_000)
    )
    sent["client"] = "opentelemetry-sdk (Python) " + importlib.metadata.version("opentelemetry-sdk")
    tracers.shutdown()
    loggers.shutdown()
    meters.shutdown()
    print(json.dumps(sent))


main()
