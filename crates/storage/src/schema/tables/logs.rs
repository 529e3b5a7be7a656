//! `otel_logs`: one row per OTLP log record.

use super::ColumnKind::{
    Attributes, Label, SharedAttributes, SpanId, Text, Timestamp, TraceId, UInt8,
};
use super::{Column, column};
use crate::ids::TableId;
use crate::schema::table::TableDef;

pub(in crate::schema) static LOGS: TableDef = TableDef {
    id: TableId::Logs,
    columns: &COLUMNS,
    time_position: 0,
    cluster_column: "ServiceName",
    doc: "OpenTelemetry log records, one row per record.",
};

static COLUMNS: [Column; 16] = [
    column(
        "Timestamp",
        Timestamp,
        "When it happened: the record's time, else its observed time, else its arrival.",
    ),
    column(
        "TraceId",
        TraceId,
        "Trace the record belongs to, lower-case hex, '' when absent.",
    ),
    column(
        "SpanId",
        SpanId,
        "Span the record belongs to, lower-case hex, '' when absent.",
    ),
    column(
        "TraceFlags",
        UInt8,
        "Low 8 bits of the record's flags; bit 0 = sampled.",
    ),
    column("SeverityText", Label, "Severity as a lower-case word."),
    column(
        "SeverityNumber",
        UInt8,
        "OpenTelemetry severity number, 1 to 24, 0 when unknown.",
    ),
    column(
        "ServiceName",
        Label,
        "Resource attribute `service.name`, '' when absent.",
    ),
    column(
        "Body",
        Text,
        "The message; structured bodies as compact JSON.",
    ),
    column("ResourceSchemaUrl", Label, "Schema URL of the resource."),
    column(
        "ResourceAttributes",
        SharedAttributes,
        "Attributes of the resource, keys sorted.",
    ),
    column(
        "ScopeSchemaUrl",
        Label,
        "Schema URL of the instrumentation scope.",
    ),
    column("ScopeName", Label, "Name of the instrumentation scope."),
    column(
        "ScopeVersion",
        Label,
        "Version of the instrumentation scope.",
    ),
    column(
        "ScopeAttributes",
        SharedAttributes,
        "Attributes of the instrumentation scope, keys sorted.",
    ),
    column(
        "LogAttributes",
        Attributes,
        "Attributes of the record, keys sorted.",
    ),
    column(
        "EventName",
        Label,
        "Name of the event that the record describes, '' when it is an ordinary log.",
    ),
];
