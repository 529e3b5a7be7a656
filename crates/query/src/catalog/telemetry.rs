//! The telemetry tables, with ClickStack's types and its computed columns.

use cairn_storage::{ColumnKind, NumberType, TableDef, TableId};

use super::table::{CatalogTable, ColumnDefault, Keys, SqlColumn, TableKind};
use crate::types::Type;

/// The database of the telemetry tables.
pub(super) const DEFAULT_DATABASE: &str = "default";

/// Every telemetry table, and what is derived from them.
pub(super) fn telemetry_tables() -> Vec<CatalogTable> {
    vec![
        stored(TableId::Logs, &LOGS_COMPUTED),
        stored(TableId::Traces, &TRACES_COMPUTED),
        stored(TableId::MetricsGauge, &[]),
        stored(TableId::MetricsSum, &[]),
        stored(TableId::MetricsHistogram, &[]),
        stored(TableId::MetricsExponentialHistogram, &[]),
        CatalogTable {
            // The name that the Collector's exporter gives it.
            name: "otel_metrics_exp_histogram".to_owned(),
            ..stored(TableId::MetricsExponentialHistogram, &[])
        },
        stored(TableId::MetricsSummary, &[]),
        CatalogTable {
            database: DEFAULT_DATABASE.to_owned(),
            name: "otel_traces_trace_id_ts".to_owned(),
            engine: "View",
            keys: Keys::default(),
            kind: TableKind::View(TRACE_ID_TS),
            columns: vec![
                SqlColumn::plain("TraceId", Type::String),
                SqlColumn::plain("Start", Type::DateTime(None)),
                SqlColumn::plain("End", Type::DateTime(None)),
            ],
            comment: "First and last second of every trace, derived from otel_traces.",
        },
    ]
}

const TRACE_ID_TS: &str = "SELECT TraceId, toDateTime(min(Timestamp)) AS Start, toDateTime(max(Timestamp)) AS End \
     FROM default.otel_traces WHERE TraceId != '' GROUP BY TraceId";

/// Name, type and expression of computed columns.
type Computed = (&'static str, Type, ColumnDefault);

const LOGS_COMPUTED: [Computed; 4] = [
    (
        "TimestampTime",
        Type::DateTime(None),
        ColumnDefault::Alias("toDateTime(Timestamp)"),
    ),
    items(
        "ResourceAttributeItems",
        "arrayMap((k, v) -> concat(k, '=', v), mapKeys(ResourceAttributes), mapValues(ResourceAttributes))",
    ),
    items(
        "ScopeAttributeItems",
        "arrayMap((k, v) -> concat(k, '=', v), mapKeys(ScopeAttributes), mapValues(ScopeAttributes))",
    ),
    items(
        "LogAttributeItems",
        "arrayMap((k, v) -> concat(k, '=', v), mapKeys(LogAttributes), mapValues(LogAttributes))",
    ),
];

const TRACES_COMPUTED: [Computed; 3] = [
    (
        "SampleRate",
        Type::UInt64,
        ColumnDefault::Materialized("greatest(toUInt64OrZero(SpanAttributes['SampleRate']), 1)"),
    ),
    items(
        "ResourceAttributeItems",
        "arrayMap((k, v) -> concat(k, '=', v), mapKeys(ResourceAttributes), mapValues(ResourceAttributes))",
    ),
    items(
        "SpanAttributeItems",
        "arrayMap((k, v) -> concat(k, '=', v), mapKeys(SpanAttributes), mapValues(SpanAttributes))",
    ),
];

/// A computed list of `key=value` texts. Its type is made when the table is.
const fn items(name: &'static str, expression: &'static str) -> Computed {
    (name, Type::Nothing, ColumnDefault::Alias(expression))
}

fn stored(id: TableId, computed: &[Computed]) -> CatalogTable {
    let def = TableDef::of(id);
    let time = def.time_column();
    let mut columns: Vec<SqlColumn> = def
        .columns
        .iter()
        .map(|column| SqlColumn {
            name: column.name.to_owned(),
            ty: sql_type(id, column.name, column.kind),
            default: ColumnDefault::None,
            comment: column.doc,
        })
        .collect();
    if let Some(head) = columns.get_mut(..=def.time_position) {
        head.rotate_left(1);
    }
    columns.extend(computed.iter().map(|(name, ty, default)| SqlColumn {
        name: (*name).to_owned(),
        ty: if *ty == Type::Nothing {
            Type::Array(Box::new(Type::String))
        } else {
            ty.clone()
        },
        default: *default,
        comment: "",
    }));
    CatalogTable {
        database: DEFAULT_DATABASE.to_owned(),
        name: id.name().to_owned(),
        engine: "MergeTree",
        keys: Keys {
            partition: format!("toDate({time})"),
            sorting: format!(
                "toStartOfFiveMinutes({time}), {}, {time}",
                def.cluster_column
            ),
        },
        kind: TableKind::Stored(id),
        columns,
        comment: def.doc,
    }
}

fn label() -> Type {
    Type::LowCardinality(Box::new(Type::String))
}

fn attributes() -> Type {
    Type::Map(Box::new(label()), Box::new(Type::String))
}

/// ClickStack's type of a stored column. What repeats much is stored as a label even where the type is plain `String`.
fn sql_type(table: TableId, name: &str, kind: ColumnKind) -> Type {
    let plain_text = match table {
        TableId::Logs => ["ScopeName", "EventName"].contains(&name),
        TableId::Traces => ["ScopeName", "ScopeVersion"].contains(&name),
        TableId::MetricsGauge
        | TableId::MetricsSum
        | TableId::MetricsHistogram
        | TableId::MetricsExponentialHistogram
        | TableId::MetricsSummary => !["ServiceName", "MetricName"].contains(&name),
    };
    match kind {
        ColumnKind::Timestamp => Type::DateTime64(9, None),
        ColumnKind::Seconds => Type::DateTime(None),
        ColumnKind::Label if !plain_text => label(),
        ColumnKind::Label | ColumnKind::Text | ColumnKind::TraceId | ColumnKind::SpanId => {
            Type::String
        }
        ColumnKind::UInt8 => Type::UInt8,
        ColumnKind::UInt64 => Type::UInt64,
        ColumnKind::Number(number) => number_type(number),
        ColumnKind::SharedAttributes | ColumnKind::Attributes => attributes(),
        ColumnKind::TimestampList => Type::Array(Box::new(Type::DateTime64(9, None))),
        ColumnKind::SecondsList => Type::Array(Box::new(Type::DateTime(None))),
        ColumnKind::NumberList(number) => Type::Array(Box::new(number_type(number))),
        ColumnKind::LabelList => Type::Array(Box::new(label())),
        ColumnKind::TextList => Type::Array(Box::new(Type::String)),
        ColumnKind::AttributesList => Type::Array(Box::new(attributes())),
    }
}

/// The SQL type of a stored number.
pub(crate) fn number_type(number: NumberType) -> Type {
    match number {
        NumberType::Bool => Type::Bool,
        NumberType::Int32 => Type::Int32,
        NumberType::UInt32 => Type::UInt32,
        NumberType::UInt64 => Type::UInt64,
        NumberType::Float64 => Type::Float64,
    }
}
