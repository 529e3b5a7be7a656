//! The tables that SQL sees, with their ClickHouse types, and the rows of those that storage does not hold.

mod information_schema;
mod moment;
mod names;
mod schema;
mod sources;
mod system;
mod table;
mod telemetry;

pub(crate) use moment::Moment;
pub(crate) use names::{database, databases, rows, table, tables};
pub(crate) use sources::ScanSources;
pub(crate) use system::CLUSTER;
pub(crate) use table::{CatalogTable, ColumnDefault, TableKind, create_statement};
pub(crate) use telemetry::number_type;
