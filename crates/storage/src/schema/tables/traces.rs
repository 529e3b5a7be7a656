//! `otel_traces`: one row per OTLP span.

use super::ColumnKind::{
    Attributes, AttributesList, Label, LabelList, SharedAttributes, SpanId, Text, TextList,
    Timestamp, TimestampList, TraceId, UInt64,
};
use super::{Column, column};
use crate::ids::TableId;
use crate::schema::table::TableDef;

pub(in crate::schema) static TRACES: TableDef = TableDef {
    id: TableId::Traces,
    columns: &COLUMNS,
    time_position: 0,
    cluster_column: "TraceId",
    doc: "OpenTelemetry spans, one row per span.",
};

static COLUMNS: [Column; 22] = [
    column("Timestamp", Timestamp, "Start of the span."),
    column("TraceId", TraceId, "Trace of the span, lower-case hex."),
    column("SpanId", SpanId, "Id of the span, lower-case hex."),
    column(
        "ParentSpanId",
        SpanId,
        "Id of the parent span, '' for a root.",
    ),
    column("TraceState", Text, "W3C trace state."),
    column("SpanName", Label, "Name of the operation."),
    column(
        "SpanKind",
        Label,
        "Unspecified, Internal, Server, Client, Producer or Consumer.",
    ),
    column(
        "ServiceName",
        Label,
        "Resource attribute `service.name`, '' when absent.",
    ),
    column(
        "ResourceAttributes",
        SharedAttributes,
        "Attributes of the resource, keys sorted.",
    ),
    column("ScopeName", Label, "Name of the instrumentation scope."),
    column(
        "ScopeVersion",
        Label,
        "Version of the instrumentation scope.",
    ),
    column(
        "SpanAttributes",
        Attributes,
        "Attributes of the span, keys sorted.",
    ),
    column(
        "Duration",
        UInt64,
        "End minus start in nanoseconds, 0 when the end is before the start.",
    ),
    column("StatusCode", Label, "Unset, Ok or Error."),
    column("StatusMessage", Text, "Message of the status."),
    column(
        "Events.Timestamp",
        TimestampList,
        "When each event happened.",
    ),
    column("Events.Name", LabelList, "Name of each event."),
    column(
        "Events.Attributes",
        AttributesList,
        "Attributes of each event, keys sorted.",
    ),
    column(
        "Links.TraceId",
        TextList,
        "Trace each link points to, lower-case hex.",
    ),
    column(
        "Links.SpanId",
        TextList,
        "Span each link points to, lower-case hex.",
    ),
    column(
        "Links.TraceState",
        TextList,
        "W3C trace state of each link.",
    ),
    column(
        "Links.Attributes",
        AttributesList,
        "Attributes of each link, keys sorted.",
    ),
];
