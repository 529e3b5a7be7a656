//! CREATE and DROP of what exists or does not exist anyway: clients set up their tables before they use them, and the
//! telemetry tables are always there.

use super::{Analyzed, Analyzer, Result};
use crate::catalog::{self, CatalogTable, TableKind};
use crate::error::{ErrorCode, QueryError};
use crate::syntax::{Definition, TableName};

impl Analyzer<'_> {
    /// What there is to do: nothing, or an error.
    pub(super) fn define(&self, definition: &Definition) -> Result<Analyzed> {
        match definition {
            Definition::Nothing => {}
            Definition::CreateDatabase {
                name,
                if_not_exists,
            } => create_database(name, *if_not_exists)?,
            Definition::DropDatabase { name, if_exists } => drop_database(name, *if_exists)?,
            Definition::CreateTable {
                name,
                columns,
                if_not_exists,
            } => self.create_table(name, columns, *if_not_exists)?,
            Definition::CreateFeed { target } => {
                let derived = |table: &CatalogTable| matches!(table.kind, TableKind::View(_));
                if !derived(self.find_table(target)?) {
                    return Err(not_implemented("a materialized view is not implemented"));
                }
            }
            Definition::DropTable { name, if_exists } => match self.find_table(name) {
                Ok(_) => return Err(protected(&name.table)),
                Err(_) if *if_exists => {}
                Err(error) => return Err(error),
            },
        }
        Ok(Analyzed::Session {
            settings: Vec::new(),
        })
    }

    fn create_table(
        &self,
        name: &TableName,
        columns: &[String],
        if_not_exists: bool,
    ) -> Result<()> {
        let table = match self.find_table(name) {
            Ok(table) => table,
            Err(error) if error.code == ErrorCode::UnknownTable => {
                return Err(not_implemented(
                    "tables of one's own are not implemented; there are only the telemetry tables",
                ));
            }
            Err(error) => return Err(error),
        };
        if !if_not_exists {
            return Err(QueryError::new(
                ErrorCode::TableAlreadyExists,
                format!("Table {}.{} already exists", table.database, table.name),
            ));
        }
        // A name may also stand for a nested group.
        let missing = columns.iter().find(|wanted| {
            let group = format!("{wanted}.");
            !table
                .columns
                .iter()
                .any(|column| column.name == **wanted || column.name.starts_with(&group))
        });
        match missing {
            Some(column) => Err(not_implemented(&format!(
                "table {} exists without the column `{column}`, and columns cannot be added",
                table.name
            ))),
            None => Ok(()),
        }
    }
}

fn create_database(name: &str, if_not_exists: bool) -> Result<()> {
    match (catalog::database(name), if_not_exists) {
        (true, true) => Ok(()),
        (true, false) => Err(QueryError::new(
            ErrorCode::DatabaseAlreadyExists,
            format!("Database {name} already exists"),
        )),
        (false, _) => Err(not_implemented(
            "databases of one's own are not implemented; the telemetry tables are in `default`",
        )),
    }
}

fn drop_database(name: &str, if_exists: bool) -> Result<()> {
    match (catalog::database(name), if_exists) {
        (true, _) => Err(protected(name)),
        (false, true) => Ok(()),
        (false, false) => Err(QueryError::new(
            ErrorCode::UnknownDatabase,
            format!("Database {name} does not exist"),
        )),
    }
}

fn protected(name: &str) -> QueryError {
    QueryError::new(
        ErrorCode::AccessDenied,
        format!("Not enough privileges. `{name}` is built in and cannot be dropped or emptied"),
    )
}

fn not_implemented(what: &str) -> QueryError {
    QueryError::new(ErrorCode::NotImplemented, what.to_owned())
}
