"""Logs and traces with awkward values, the same ones on every run.

Writes each row twice: as OTLP/JSON, which is how Cairn gets it, and as the row of the table that must
come out of it, which is how ClickHouse gets it.
"""

import json
import random
from pathlib import Path

FOLDER = Path(__file__).parent / "data"
START_NS = 1_755_691_200_000_000_000  # 2025-08-20 12:00:00 UTC

TABLES = {
    "otel_logs": """CREATE TABLE otel_logs (
        Timestamp DateTime64(9), TraceId String, SpanId String, TraceFlags UInt8,
        SeverityText LowCardinality(String), SeverityNumber UInt8, ServiceName LowCardinality(String),
        Body String, ResourceSchemaUrl LowCardinality(String),
        ResourceAttributes Map(LowCardinality(String), String), ScopeSchemaUrl LowCardinality(String),
        ScopeName String, ScopeVersion LowCardinality(String),
        ScopeAttributes Map(LowCardinality(String), String),
        LogAttributes Map(LowCardinality(String), String), EventName String
    ) ENGINE = MergeTree ORDER BY Timestamp""",
    "otel_traces": """CREATE TABLE otel_traces (
        Timestamp DateTime64(9), TraceId String, SpanId String, ParentSpanId String, TraceState String,
        SpanName LowCardinality(String), SpanKind LowCardinality(String),
        ServiceName LowCardinality(String), ResourceAttributes Map(LowCardinality(String), String),
        ScopeName String, ScopeVersion String, SpanAttributes Map(LowCardinality(String), String),
        Duration UInt64, StatusCode LowCardinality(String), StatusMessage String,
        `Events.Timestamp` Array(DateTime64(9)), `Events.Name` Array(LowCardinality(String)),
        `Events.Attributes` Array(Map(LowCardinality(String), String)), `Links.TraceId` Array(String),
        `Links.SpanId` Array(String), `Links.TraceState` Array(String),
        `Links.Attributes` Array(Map(LowCardinality(String), String))
    ) ENGINE = MergeTree ORDER BY Timestamp""",
}

SERVICES = ["cart", "checkout", "payments", "frontend", ""]
SEVERITIES = [(1, "trace"), (5, "debug"), (9, "info"), (13, "warn"), (17, "error"), (21, "fatal")]
BODIES = [
    "",
    " leading and trailing ",
    "user 4711 logged in from 10.0.0.7",
    "GET /api/v1/orders?id=17&sort=asc 200 12.5ms",
    "größe überschritten: 5 µs – naïve café 日本語 🚀",
    'tab\there, "quotes", \'single\', back\\slash and a % and an _',
    'payload level="error" code=[500] nested(a, b)',
    "line one\nline two\r\nline three",
    "NULL",
    "0",
    "-17",
    "1e3",
    "ERROR Error error eRRor",
    "a" * 300,
    "connection refused: dial tcp 192.168.1.20:5432",
    "key=value other=thing empty= =nokey",
]
KEYS = ["http.status_code", "http.route", "user.id", "empty", "größe", "dotted.key.name", "k8s.pod.name"]
VALUES = ['{"a":{"b":[1,2]},"c":"d","n":null,"f":1.5}', "200", "404", "500", "/api/v1/orders/{id}", "", "4711", "ä", "true", "-1.5", "NULL", "a=b,c"]


def attributes(rng, most):
    keys = rng.sample(KEYS, rng.randint(0, most))
    return {key: rng.choice(VALUES) for key in sorted(keys, key=lambda k: k.encode())}


def hexadecimal(rng, size):
    return "".join(rng.choice("0123456789abcdef") for _ in range(size))


def otlp_attributes(pairs):
    return [{"key": key, "value": {"stringValue": value}} for key, value in pairs.items()]


def resource_of(service, extra):
    return dict(sorted({**extra, **({"service.name": service} if service else {})}.items()))


def logs(rng, count):
    rows, resource_logs = [], []
    time_ns = START_NS
    for number in range(count):
        time_ns += rng.choice([1, 999, 1_000_000, 1_500_000_000, 61_000_000_000, 3_599_999_999_999])
        service = rng.choice(SERVICES)
        severity, severity_text = rng.choice(SEVERITIES)
        traced = rng.random() < 0.6
        row = {
            "Timestamp": time_ns,
            "TraceId": hexadecimal(rng, 32) if traced else "",
            "SpanId": hexadecimal(rng, 16) if traced else "",
            "TraceFlags": rng.choice([0, 1]),
            "SeverityText": severity_text,
            "SeverityNumber": severity,
            "ServiceName": service,
            "Body": rng.choice(BODIES) if rng.random() < 0.8 else f"request {number} took {number * 7 % 1000} ms",
            "ResourceSchemaUrl": "",
            "ResourceAttributes": resource_of(service, rng.choice([{}, {"host.name": "node-1"}, {"host.name": "node-2"}])),
            "ScopeSchemaUrl": "",
            "ScopeName": rng.choice(["", "shop.orders"]),
            "ScopeVersion": rng.choice(["", "1.2.3"]),
            "ScopeAttributes": {},
            "LogAttributes": attributes(rng, 5),
            "EventName": rng.choice(["", "", "payment.failed"]),
        }
        rows.append(row)
        record = {
            "timeUnixNano": str(time_ns),
            "flags": row["TraceFlags"],
            "severityNumber": severity,
            "severityText": severity_text,
            "body": {"stringValue": row["Body"]},
            "attributes": otlp_attributes(row["LogAttributes"]),
            "eventName": row["EventName"],
        }
        if traced:
            record |= {"traceId": row["TraceId"], "spanId": row["SpanId"]}
        resource_logs.append(
            {
                "resource": {"attributes": otlp_attributes(row["ResourceAttributes"])},
                "scopeLogs": [
                    {"scope": {"name": row["ScopeName"], "version": row["ScopeVersion"]}, "logRecords": [record]}
                ],
            }
        )
    return rows, {"resourceLogs": resource_logs}


KINDS = ["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"]
STATUSES = ["Unset", "Ok", "Error"]


def traces(rng, count):
    rows, resource_spans = [], []
    time_ns = START_NS
    trace, parent = hexadecimal(rng, 32), ""
    for _ in range(count):
        time_ns += rng.choice([1, 250_000, 2_000_000_000, 45_000_000_000])
        if rng.random() < 0.3:
            trace, parent = hexadecimal(rng, 32), ""
        service = rng.choice(SERVICES)
        kind, status = rng.randrange(len(KINDS)), rng.randrange(len(STATUSES))
        duration = rng.choice([0, 1, 999, 1_000_000, 2**31, 2**40 + 1, rng.randrange(10**9)])
        events = [
            (time_ns + rng.randrange(1000), rng.choice(["exception", "retry", ""]), attributes(rng, 2))
            for _ in range(rng.choice([0, 0, 1, 3]))
        ]
        links = [
            (hexadecimal(rng, 32), hexadecimal(rng, 16), rng.choice(["", "a=1"]), attributes(rng, 1))
            for _ in range(rng.choice([0, 0, 2]))
        ]
        row = {
            "Timestamp": time_ns,
            "TraceId": trace,
            "SpanId": hexadecimal(rng, 16),
            "ParentSpanId": parent,
            "TraceState": rng.choice(["", "vendor=1"]),
            "SpanName": rng.choice(["GET /orders", "POST /cart", "SELECT shop.orders", "größe", ""]),
            "SpanKind": KINDS[kind],
            "ServiceName": service,
            "ResourceAttributes": resource_of(service, {}),
            "ScopeName": rng.choice(["", "http"]),
            "ScopeVersion": rng.choice(["", "0.9"]),
            "SpanAttributes": attributes(rng, 4),
            "Duration": duration,
            "StatusCode": STATUSES[status],
            "StatusMessage": rng.choice(["", "deadline exceeded"]) if status == 2 else "",
            "Events.Timestamp": [at for at, _, _ in events],
            "Events.Name": [name for _, name, _ in events],
            "Events.Attributes": [pairs for _, _, pairs in events],
            "Links.TraceId": [link[0] for link in links],
            "Links.SpanId": [link[1] for link in links],
            "Links.TraceState": [link[2] for link in links],
            "Links.Attributes": [link[3] for link in links],
        }
        rows.append(row)
        span = {
            "traceId": trace,
            "spanId": row["SpanId"],
            "parentSpanId": parent,
            "traceState": row["TraceState"],
            "name": row["SpanName"],
            "kind": kind,
            "startTimeUnixNano": str(time_ns),
            "endTimeUnixNano": str(time_ns + duration),
            "attributes": otlp_attributes(row["SpanAttributes"]),
            "status": {"code": status, "message": row["StatusMessage"]},
            "events": [
                {"timeUnixNano": str(at), "name": name, "attributes": otlp_attributes(pairs)}
                for at, name, pairs in events
            ],
            "links": [
                {"traceId": link[0], "spanId": link[1], "traceState": link[2], "attributes": otlp_attributes(link[3])}
                for link in links
            ],
        }
        parent = row["SpanId"]
        resource_spans.append(
            {
                "resource": {"attributes": otlp_attributes(row["ResourceAttributes"])},
                "scopeSpans": [
                    {"scope": {"name": row["ScopeName"], "version": row["ScopeVersion"]}, "spans": [span]}
                ],
            }
        )
    return rows, {"resourceSpans": resource_spans}


def tables():
    """Rows and OTLP request of each table."""
    rng = random.Random(20250820)
    return {"otel_logs": logs(rng, 240), "otel_traces": traces(rng, 160)}


def decimal_time(ns):
    return f"{ns // 1_000_000_000}.{ns % 1_000_000_000:09d}"


def as_clickhouse(row):
    """A row for JSONEachRow: times as decimal seconds."""
    shown = dict(row)
    shown["Timestamp"] = decimal_time(row["Timestamp"])
    if "Events.Timestamp" in row:
        shown["Events.Timestamp"] = [decimal_time(at) for at in row["Events.Timestamp"]]
    return json.dumps(shown, ensure_ascii=False)


def write():
    """The requests that the tests of the workspace send."""
    FOLDER.mkdir(exist_ok=True)
    for table, (_, request) in tables().items():
        path = FOLDER / f"{table}.json"
        path.write_text(json.dumps(request, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
