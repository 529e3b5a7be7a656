//! Looking tables up by name, and the rows of those that the process makes up.

use std::sync::LazyLock;

use super::moment::Moment;
use super::schema::process_tables;
use super::table::CatalogTable;
use super::telemetry::{DEFAULT_DATABASE, telemetry_tables};
use super::{information_schema, system};
use crate::types::Value;

const SYSTEM: &str = "system";
const INFORMATION_SCHEMA: &str = "information_schema";
/// The same database once more, as standard SQL writes it.
const UPPER_INFORMATION_SCHEMA: &str = "INFORMATION_SCHEMA";

static TABLES: LazyLock<Vec<CatalogTable>> = LazyLock::new(|| {
    let mut tables = telemetry_tables();
    for table in process_tables() {
        tables.push(table.clone());
        if table.database == INFORMATION_SCHEMA {
            let upper = table.name.to_ascii_uppercase();
            for (database, name) in [
                (INFORMATION_SCHEMA, &upper),
                (UPPER_INFORMATION_SCHEMA, &table.name),
                (UPPER_INFORMATION_SCHEMA, &upper),
            ] {
                tables.push(CatalogTable {
                    database: database.to_owned(),
                    name: name.clone(),
                    ..table.clone()
                });
            }
        }
    }
    tables.sort_by(|a, b| (&a.database, &a.name).cmp(&(&b.database, &b.name)));
    tables
});

/// Names of all databases, sorted.
pub(crate) fn databases() -> [&'static str; 4] {
    [
        UPPER_INFORMATION_SCHEMA,
        DEFAULT_DATABASE,
        INFORMATION_SCHEMA,
        SYSTEM,
    ]
}

/// Whether the database exists. Names are case-sensitive.
pub(crate) fn database(name: &str) -> bool {
    databases().contains(&name)
}

/// The table, if it exists. Names are case-sensitive.
pub(crate) fn table(database: &str, name: &str) -> Option<&'static CatalogTable> {
    TABLES
        .iter()
        .find(|table| table.database == database && table.name == name)
}

/// Every table, by database and name.
pub(crate) fn tables() -> &'static [CatalogTable] {
    &TABLES
}

/// The rows of a table that the process makes up: the values of its columns that are not computed.
pub(crate) fn rows(table: &CatalogTable, moment: &Moment) -> Vec<Vec<Value>> {
    let rows = match table.database.as_str() {
        SYSTEM => system::rows(&table.name, moment, &TABLES, &databases()),
        _ => information_schema::rows(&table.name, &TABLES, &databases()),
    };
    rows.into_iter().map(|row| row.complete(table)).collect()
}

#[cfg(test)]
mod tests {
    use cairn_storage::TableId;

    use super::*;
    use crate::catalog::TableKind;

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
        assert!(table("INFORMATION_SCHEMA", "TABLES").is_some());
    }

    #[test]
    fn every_table_of_the_process_has_rows_that_fit_its_columns() {
        let moment = Moment::default();
        for table in tables() {
            if table.kind != TableKind::System {
                continue;
            }
            let stored = table
                .columns
                .iter()
                .filter(|column| column.default == crate::catalog::ColumnDefault::None);
            let columns: Vec<_> = stored.collect();
            for row in rows(table, &moment) {
                assert_eq!(row.len(), columns.len(), "{}", table.name);
                for (value, column) in row.iter().zip(&columns) {
                    assert!(
                        crate::types::values_to_array(&column.ty, std::slice::from_ref(value))
                            .is_ok(),
                        "{}.{}: {value:?}",
                        table.name,
                        column.name
                    );
                }
            }
        }
    }
}
