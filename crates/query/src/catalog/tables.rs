//! Databases, tables and columns as clients see them.

use cairn_storage::{ColumnKind, TableDef, TableId};

use crate::types::Type;

/// The database of the telemetry tables.
pub(crate) const DEFAULT_DATABASE: &str = "default";
const SYSTEM_DATABASE: &str = "system";

/// A table.
#[derive(Debug, Clone)]
pub(crate) struct CatalogTable {
    /// Its database.
    pub(crate) database: &'static str,
    /// Its name.
    pub(crate) name: &'static str,
    /// The engine that clients are told.
    pub(crate) engine: &'static str,
    /// Where its rows come from.
    pub(crate) kind: TableKind,
    /// Its columns, computed ones last.
    pub(crate) columns: Vec<SqlColumn>,
    /// One sentence.
    pub(crate) comment: &'static str,
}

/// Where the rows of a table come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TableKind {
    /// Storage.
    Stored(TableId),
    /// A query over other tables.
    View(&'static str),
    /// One row.
    One,
    /// Numbers without end.
    Numbers,
    /// The databases.
    Databases,
    /// The tables.
    Tables,
    /// The columns.
    Columns,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SqlColumn {
    /// Its name; it may have dots.
    pub(crate) name: String,
    /// Its type.
    pub(crate) ty: Type,
    /// Whether and how it is computed.
    pub(crate) default: ColumnDefault,
    /// One sentence.
    pub(crate) comment: &'static str,
}

/// Whether a column is computed. Computed columns are not part of `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnDefault {
    /// Stored.
    None,
    /// Computed when read.
    Alias(&'static str),
    /// In ClickHouse computed when written; here when read.
    Materialized(&'static str),
}

impl ColumnDefault {
    /// `default_type` and `default_expression` of DESCRIBE.
    pub(crate) fn described(self) -> (&'static str, &'static str) {
        match self {
            Self::None => ("", ""),
            Self::Alias(expression) => ("ALIAS", expression),
            Self::Materialized(expression) => ("MATERIALIZED", expression),
        }
    }
}

/// Names of all databases.
pub(crate) fn databases() -> [&'static str; 2] {
    [DEFAULT_DATABASE, SYSTEM_DATABASE]
}

/// The table, if it exists. Names are case-sensitive.
pub(crate) fn table(database: &str, name: &str) -> Option<CatalogTable> {
    tables()
        .into_iter()
        .find(|table| table.database == database && table.name == name)
}

/// Every table, by database and name.
pub(crate) fn tables() -> Vec<CatalogTable> {
    vec![
        stored(TableId::Logs, "otel_logs", &LOGS_COMPUTED),
        stored(TableId::Traces, "otel_traces", &TRACES_COMPUTED),
        CatalogTable {
            database: DEFAULT_DATABASE,
            name: "otel_traces_trace_id_ts",
            engine: "View",
            kind: TableKind::View(TRACE_ID_TS),
            columns: vec![
                plain("TraceId", Type::String),
                plain("Start", Type::DateTime(None)),
                plain("End", Type::DateTime(None)),
            ],
            comment: "First and last second of every trace, derived from otel_traces.",
        },
        system("columns", TableKind::Columns, &COLUMNS_COLUMNS),
        system("databases", TableKind::Databases, &DATABASES_COLUMNS),
        system("numbers", TableKind::Numbers, &[("number", Type::UInt64)]),
        system("one", TableKind::One, &[("dummy", Type::UInt8)]),
        system("tables", TableKind::Tables, &TABLES_COLUMNS),
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

const DATABASES_COLUMNS: [(&str, Type); 3] = [
    ("name", Type::String),
    ("engine", Type::String),
    ("comment", Type::String),
];

const TABLES_COLUMNS: [(&str, Type); 6] = [
    ("database", Type::String),
    ("name", Type::String),
    ("engine", Type::String),
    ("is_temporary", Type::UInt8),
    ("create_table_query", Type::String),
    ("comment", Type::String),
];

const COLUMNS_COLUMNS: [(&str, Type); 8] = [
    ("database", Type::String),
    ("table", Type::String),
    ("name", Type::String),
    ("type", Type::String),
    ("position", Type::UInt64),
    ("default_kind", Type::String),
    ("default_expression", Type::String),
    ("comment", Type::String),
];

/// A computed list of `key=value` texts. Its type is made when the table is.
const fn items(name: &'static str, expression: &'static str) -> Computed {
    (name, Type::Nothing, ColumnDefault::Alias(expression))
}

fn plain(name: &str, ty: Type) -> SqlColumn {
    SqlColumn {
        name: name.to_owned(),
        ty,
        default: ColumnDefault::None,
        comment: "",
    }
}

fn system(name: &'static str, kind: TableKind, columns: &[(&str, Type)]) -> CatalogTable {
    CatalogTable {
        database: SYSTEM_DATABASE,
        name,
        engine: "System",
        kind,
        columns: columns
            .iter()
            .map(|(name, ty)| plain(name, ty.clone()))
            .collect(),
        comment: "",
    }
}

fn stored(id: TableId, name: &'static str, computed: &[Computed]) -> CatalogTable {
    let def = TableDef::of(id);
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
        database: DEFAULT_DATABASE,
        name,
        engine: "MergeTree",
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
    };
    match kind {
        ColumnKind::Timestamp => Type::DateTime64(9, None),
        ColumnKind::Label if !plain_text => label(),
        ColumnKind::Label | ColumnKind::Text | ColumnKind::TraceId | ColumnKind::SpanId => {
            Type::String
        }
        ColumnKind::UInt8 => Type::UInt8,
        ColumnKind::UInt64 => Type::UInt64,
        ColumnKind::SharedAttributes | ColumnKind::Attributes => attributes(),
        ColumnKind::TimestampList => Type::Array(Box::new(Type::DateTime64(9, None))),
        ColumnKind::LabelList => Type::Array(Box::new(label())),
        ColumnKind::TextList => Type::Array(Box::new(Type::String)),
        ColumnKind::AttributesList => Type::Array(Box::new(attributes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stored_table_is_in_the_catalog() {
        for id in TableId::ALL {
            assert!(
                tables()
                    .iter()
                    .any(|table| table.kind == TableKind::Stored(id)),
                "{id}"
            );
        }
    }

    #[test]
    fn names_are_case_sensitive() {
        assert!(table("default", "otel_logs").is_some());
        assert!(table("default", "OTEL_LOGS").is_none());
        assert!(table("system", "otel_logs").is_none());
    }
}
