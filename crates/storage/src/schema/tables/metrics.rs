//! `otel_metrics_*`: one row per OTLP data point, one table per kind of metric.

use super::ColumnKind::{
    Attributes, AttributesList, Label, Number, NumberList, Seconds, SecondsList, SharedAttributes,
    TextList, UInt64,
};
use super::NumberType::{Bool, Float64, Int32, UInt32};
use super::{Column, NumberType, column};
use crate::ids::TableId;
use crate::schema::table::TableDef;

/// Columns that every table of metrics begins with.
const HEAD_COUNT: usize = 14;

/// In `SELECT *` the time follows `StartTimeUnix`.
const TIME_POSITION: usize = HEAD_COUNT - 1;

pub(in crate::schema) static GAUGE: TableDef = metrics(
    TableId::MetricsGauge,
    &GAUGE_COLUMNS,
    "OpenTelemetry gauges, one row per data point.",
);

pub(in crate::schema) static SUM: TableDef = metrics(
    TableId::MetricsSum,
    &SUM_COLUMNS,
    "OpenTelemetry sums, one row per data point.",
);

pub(in crate::schema) static HISTOGRAM: TableDef = metrics(
    TableId::MetricsHistogram,
    &HISTOGRAM_COLUMNS,
    "OpenTelemetry histograms with explicit bounds, one row per data point.",
);

pub(in crate::schema) static EXPONENTIAL_HISTOGRAM: TableDef = metrics(
    TableId::MetricsExponentialHistogram,
    &EXPONENTIAL_HISTOGRAM_COLUMNS,
    "OpenTelemetry exponential histograms, one row per data point.",
);

pub(in crate::schema) static SUMMARY: TableDef = metrics(
    TableId::MetricsSummary,
    &SUMMARY_COLUMNS,
    "OpenTelemetry summaries, one row per data point.",
);

/// Who looks at metrics asks for one of them over a time, so their points lie together.
const fn metrics(id: TableId, columns: &'static [Column], doc: &'static str) -> TableDef {
    TableDef {
        id,
        columns,
        time_position: TIME_POSITION,
        cluster_column: "MetricName",
        doc,
    }
}

static GAUGE_COLUMNS: [Column; HEAD_COUNT + 7] = with_head(&[
    VALUE,
    FLAGS,
    EXEMPLARS[0],
    EXEMPLARS[1],
    EXEMPLARS[2],
    EXEMPLARS[3],
    EXEMPLARS[4],
]);

static SUM_COLUMNS: [Column; HEAD_COUNT + 9] = with_head(&[
    VALUE,
    FLAGS,
    EXEMPLARS[0],
    EXEMPLARS[1],
    EXEMPLARS[2],
    EXEMPLARS[3],
    EXEMPLARS[4],
    TEMPORALITY,
    column(
        "IsMonotonic",
        Number(Bool),
        "Whether the sum never goes down.",
    ),
]);

static HISTOGRAM_COLUMNS: [Column; HEAD_COUNT + 13] = with_head(&[
    COUNT,
    TOTAL,
    column(
        "BucketCounts",
        NumberList(NumberType::UInt64),
        "Number of values in each bucket.",
    ),
    column(
        "ExplicitBounds",
        NumberList(Float64),
        "Upper bound of each bucket but the last.",
    ),
    EXEMPLARS[0],
    EXEMPLARS[1],
    EXEMPLARS[2],
    EXEMPLARS[3],
    EXEMPLARS[4],
    FLAGS,
    MIN,
    MAX,
    TEMPORALITY,
]);

static EXPONENTIAL_HISTOGRAM_COLUMNS: [Column; HEAD_COUNT + 17] = with_head(&[
    COUNT,
    TOTAL,
    column("Scale", Number(Int32), "Resolution of the buckets."),
    column(
        "ZeroCount",
        UInt64,
        "Number of values that are zero or close to it.",
    ),
    column(
        "PositiveOffset",
        Number(Int32),
        "Index of the first positive bucket.",
    ),
    column(
        "PositiveBucketCounts",
        NumberList(NumberType::UInt64),
        "Number of values in each positive bucket.",
    ),
    column(
        "NegativeOffset",
        Number(Int32),
        "Index of the first negative bucket.",
    ),
    column(
        "NegativeBucketCounts",
        NumberList(NumberType::UInt64),
        "Number of values in each negative bucket.",
    ),
    EXEMPLARS[0],
    EXEMPLARS[1],
    EXEMPLARS[2],
    EXEMPLARS[3],
    EXEMPLARS[4],
    FLAGS,
    MIN,
    MAX,
    TEMPORALITY,
]);

static SUMMARY_COLUMNS: [Column; HEAD_COUNT + 5] = with_head(&[
    COUNT,
    TOTAL,
    column(
        "ValueAtQuantiles.Quantile",
        NumberList(Float64),
        "The quantiles, 0 to 1.",
    ),
    column(
        "ValueAtQuantiles.Value",
        NumberList(Float64),
        "The value at each quantile.",
    ),
    FLAGS,
]);

const HEAD: [Column; HEAD_COUNT] = [
    column(
        "TimeUnix",
        Seconds,
        "When the point was measured, in whole seconds.",
    ),
    column(
        "ResourceAttributes",
        SharedAttributes,
        "Attributes of the resource, keys sorted.",
    ),
    column("ResourceSchemaUrl", Label, "Schema URL of the resource."),
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
        "ScopeDroppedAttrCount",
        Number(UInt32),
        "Attributes of the scope that the sender dropped.",
    ),
    column(
        "ScopeSchemaUrl",
        Label,
        "Schema URL of the instrumentation scope.",
    ),
    column(
        "ServiceName",
        Label,
        "Resource attribute `service.name`, '' when absent.",
    ),
    column("MetricName", Label, "Name of the metric."),
    column("MetricDescription", Label, "What the metric measures."),
    column("MetricUnit", Label, "Unit of the metric."),
    column(
        "Attributes",
        Attributes,
        "Attributes of the data point, keys sorted.",
    ),
    column(
        "StartTimeUnix",
        Seconds,
        "Since when the point counts, in whole seconds; 1970 when unknown.",
    ),
];

const VALUE: Column = column("Value", Number(Float64), "The value; integers as numbers.");
const COUNT: Column = column("Count", UInt64, "Number of values.");
const TOTAL: Column = column("Sum", Number(Float64), "Sum of the values, 0 when absent.");
const MIN: Column = column("Min", Number(Float64), "Smallest value, 0 when absent.");
const MAX: Column = column("Max", Number(Float64), "Largest value, 0 when absent.");
const FLAGS: Column = column(
    "Flags",
    Number(UInt32),
    "Flags of the data point; bit 0 = it has no recorded value.",
);
const TEMPORALITY: Column = column(
    "AggregationTemporality",
    Number(Int32),
    "0 unspecified, 1 delta, 2 cumulative.",
);

const EXEMPLARS: [Column; 5] = [
    column(
        "Exemplars.FilteredAttributes",
        AttributesList,
        "Attributes of each exemplar that the point does not have.",
    ),
    column(
        "Exemplars.TimeUnix",
        SecondsList,
        "When each exemplar was measured, in whole seconds.",
    ),
    column(
        "Exemplars.Value",
        NumberList(Float64),
        "Value of each exemplar.",
    ),
    column(
        "Exemplars.SpanId",
        TextList,
        "Span of each exemplar, lower-case hex.",
    ),
    column(
        "Exemplars.TraceId",
        TextList,
        "Trace of each exemplar, lower-case hex.",
    ),
];

#[expect(
    clippy::indexing_slicing,
    reason = "runs at compile time, where a bad index does not compile"
)]
/// The columns of a table of metrics, of which `rest` are its own.
const fn with_head<const OWN: usize, const ALL: usize>(rest: &[Column; OWN]) -> [Column; ALL] {
    assert!(
        ALL == HEAD_COUNT + OWN,
        "a table has its head and its own columns"
    );
    let mut columns = [HEAD[0]; ALL];
    let mut at = 0;
    while at < HEAD_COUNT {
        columns[at] = HEAD[at];
        at += 1;
    }
    while at < ALL {
        columns[at] = rest[at - HEAD_COUNT];
        at += 1;
    }
    columns
}
