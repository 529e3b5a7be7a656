//! What an INSERT may write: its table, its columns, and the values that texts spell. How the data is encoded, and how it
//! becomes durable, is not known here.

use cairn_storage::TableId;
use chrono_tz::Tz;
use datafusion::arrow::array::{ArrayRef, StringViewArray};

use crate::answer::AnswerColumn;
use crate::catalog::{self, CatalogTable, ColumnDefault, TableKind};
use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::convert_texts;
use crate::syntax::{InsertColumns, InsertHead};
use crate::types::{Type, Value, values_to_array};

/// Where the rows of an INSERT go.
#[derive(Debug, Clone)]
pub struct InsertTarget {
    /// The stored table.
    pub table: TableId,
    /// The columns of the data, in order.
    pub columns: Vec<AnswerColumn>,
}

/// The table and the columns that the head of an INSERT names. `database` is that of the request.
///
/// # Errors
/// When there is no such table or column, or it cannot be written.
pub fn insert_target(head: &InsertHead, database: Option<&str>) -> Result<InsertTarget> {
    let database = head.database.as_deref().or(database).unwrap_or("default");
    if !catalog::database(database) {
        return Err(QueryError::new(
            ErrorCode::UnknownDatabase,
            format!("Database {database} does not exist"),
        ));
    }
    let Some(table) = catalog::table(database, &head.table) else {
        return Err(QueryError::new(
            ErrorCode::UnknownTable,
            format!("Table {database}.{} does not exist", head.table),
        ));
    };
    let TableKind::Stored(id) = table.kind else {
        return Err(QueryError::new(
            ErrorCode::NotImplemented,
            format!("Method write is not supported by storage {}", table.engine),
        ));
    };
    Ok(InsertTarget {
        table: id,
        columns: columns(table, &head.columns)?,
    })
}

fn columns(table: &CatalogTable, wanted: &InsertColumns) -> Result<Vec<AnswerColumn>> {
    let stored = || {
        let stored = table
            .columns
            .iter()
            .filter(|c| c.default == ColumnDefault::None);
        stored.map(|column| AnswerColumn {
            name: column.name.clone(),
            ty: column.ty.clone(),
        })
    };
    match wanted {
        InsertColumns::All => Ok(stored().collect()),
        InsertColumns::Except(names) => Ok(stored()
            .filter(|column| !names.contains(&column.name))
            .collect()),
        InsertColumns::Named(names) => names.iter().map(|name| find(table, name)).collect(),
    }
}

fn find(table: &CatalogTable, name: &str) -> Result<AnswerColumn> {
    let Some(column) = table.columns.iter().find(|column| column.name == name) else {
        return Err(QueryError::new(
            ErrorCode::NoSuchColumnInTable,
            format!(
                "No such column {name} in table {}.{}",
                table.database, table.name
            ),
        ));
    };
    match column.default {
        ColumnDefault::None => Ok(AnswerColumn {
            name: column.name.clone(),
            ty: column.ty.clone(),
        }),
        ColumnDefault::Alias(_) => Err(QueryError::new(
            ErrorCode::NoSuchColumnInTable,
            format!("Cannot insert column {name}, because it is ALIAS column"),
        )),
        ColumnDefault::Materialized(_) => Err(QueryError::new(
            ErrorCode::IllegalColumn,
            format!("Cannot insert column {name}, because it is MATERIALIZED column"),
        )),
    }
}

/// The value of a type that is no container, as a text spells it. Times without a zone are in `timezone`.
///
/// # Errors
/// When the text does not spell one.
pub fn read_text(text: &str, ty: &Type, timezone: Tz) -> Result<Value> {
    let bare = ty.bare();
    if matches!(bare, Type::String) {
        return Ok(Value::String(text.to_owned()));
    }
    let texts = StringViewArray::from_iter_values([text]);
    let array = convert_texts(&texts, bare, timezone)?;
    Value::from_array(&array, 0, bare)
}

/// The value in a row of a column of a type.
///
/// # Errors
/// When the column is not of the type.
pub fn value_at(array: &ArrayRef, row: usize, ty: &Type) -> Result<Value> {
    Value::from_array(array, row, ty)
}

/// Values as a column of a type.
///
/// # Errors
/// When a value is not of the type.
pub fn column_of(ty: &Type, values: &[Value]) -> Result<ArrayRef> {
    values_to_array(ty, values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::parse_insert;

    fn target(text: &str) -> Result<InsertTarget> {
        insert_target(&parse_insert(text.as_bytes()).unwrap().unwrap(), None)
    }

    #[test]
    fn stored_tables_can_be_written_and_nothing_else() {
        let all = target("INSERT INTO otel_logs VALUES").unwrap();
        assert_eq!((all.table, all.columns.len()), (TableId::Logs, 16));
        assert_eq!(all.columns[0].name, "Timestamp");
        let some =
            target("INSERT INTO default.otel_traces (TraceId, `Events.Name`) VALUES").unwrap();
        assert_eq!(
            some.columns[1].ty.to_string(),
            "Array(LowCardinality(String))"
        );
        for (text, code) in [
            ("INSERT INTO nope VALUES", ErrorCode::UnknownTable),
            ("INSERT INTO nope.t VALUES", ErrorCode::UnknownDatabase),
            ("INSERT INTO system.one VALUES", ErrorCode::NotImplemented),
            (
                "INSERT INTO otel_logs (zz) VALUES",
                ErrorCode::NoSuchColumnInTable,
            ),
            (
                "INSERT INTO otel_logs (TimestampTime) VALUES",
                ErrorCode::NoSuchColumnInTable,
            ),
        ] {
            assert_eq!(target(text).unwrap_err().code, code, "{text}");
        }
    }

    #[test]
    fn texts_are_read_as_their_type() {
        let time = Type::DateTime64(9, None);
        for text in [
            "2023-11-14 22:13:20.5",
            "2023-11-14T22:13:20.5Z",
            "1700000000.5",
        ] {
            let value = read_text(text, &time, Tz::UTC).unwrap();
            assert_eq!(value, Value::Int(1_700_000_000_500_000_000), "{text}");
        }
        assert_eq!(
            read_text("7", &Type::UInt8, Tz::UTC).unwrap(),
            Value::UInt(7)
        );
        assert!(read_text("x", &Type::UInt8, Tz::UTC).is_err());
        let label = Type::LowCardinality(Box::new(Type::String));
        assert_eq!(
            read_text("x", &label, Tz::UTC).unwrap(),
            Value::String("x".to_owned())
        );
    }
}
