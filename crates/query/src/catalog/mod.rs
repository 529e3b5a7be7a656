//! The tables that SQL sees, with their ClickHouse types. Data only: rows come from `scan` and from the analyzer.

mod sources;
mod tables;

pub(crate) use sources::ScanSources;
pub(crate) use tables::{CatalogTable, ColumnDefault, TableKind, databases, table, tables};
