//! Rows of `system.*`. A family of tables a file; a table without rows here is empty.

mod activity;
mod dialect;
mod objects;
mod parts;
mod row;
mod server;
mod settings;

pub(super) use objects::measures;
pub(super) use row::{Row, text, uint};
pub(crate) use server::CLUSTER;

use super::moment::Moment;
use super::table::CatalogTable;

/// The rows of `system.name`, with the columns that are known.
pub(super) fn rows(
    name: &str,
    moment: &Moment,
    tables: &[CatalogTable],
    databases: &[&str],
) -> Vec<Row> {
    match name {
        "aggregate_function_combinators" => dialect::combinators(),
        "asynchronous_metrics" => server::asynchronous_metrics(moment),
        "build_options" => server::build_options(moment),
        "clusters" => server::clusters(),
        "columns" => objects::columns(tables),
        "data_type_families" => dialect::data_types(),
        "database_engines" => dialect::database_engines(),
        "databases" => objects::databases(moment, databases),
        "disks" => server::disks(moment),
        "events" => server::events(moment),
        "formats" => server::formats(moment),
        "functions" => dialect::functions(),
        "metrics" => server::metrics(moment),
        "one" => vec![Row::default()],
        "parts" => parts::parts(moment),
        "processes" => activity::processes(moment),
        "query_log" => activity::query_log(moment),
        "settings" => settings::settings(moment),
        "storage_policies" => server::storage_policies(moment),
        "table_engines" => dialect::table_engines(),
        "table_functions" => dialect::table_functions(),
        "tables" => objects::tables(moment, tables),
        "time_zones" => dialect::time_zones(),
        "user_processes" => activity::user_processes(moment),
        "users" => server::users(moment),
        _ => Vec::new(),
    }
}
