//! The tables that SQL sees, with their ClickHouse types. Data only: rows come from `scan` and from the analyzer.

mod tables;

pub(crate) use tables::{
    CatalogTable, ColumnDefault, SqlColumn, TableKind, databases, table, tables,
};
