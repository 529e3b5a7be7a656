//! Columns of the tables that the process makes up: `schema.txt` has a table a block, a column a line
//! (name, type, and the expression of a computed one). Names and types are those of ClickHouse.

use std::str::FromStr;
use std::sync::LazyLock;

use super::table::{CatalogTable, ColumnDefault, Keys, SqlColumn, TableKind};
use crate::types::Type;

static TEXT: &str = include_str!("schema.txt");

static TABLES: LazyLock<Vec<CatalogTable>> = LazyLock::new(|| read_tables(TEXT));

/// `system.*` and `information_schema.*`.
pub(super) fn process_tables() -> &'static [CatalogTable] {
    &TABLES
}

fn read_tables(text: &'static str) -> Vec<CatalogTable> {
    let mut tables: Vec<CatalogTable> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("  ") {
            Some(column) => {
                if let (Some(table), Some(column)) = (tables.last_mut(), read_column(column)) {
                    table.columns.push(column);
                }
            }
            None => tables.extend(read_head(line)),
        }
    }
    for table in &mut tables {
        let computed = |column: &SqlColumn| column.default != ColumnDefault::None;
        table.columns.sort_by_key(computed);
    }
    tables
}

fn read_head(line: &str) -> Option<CatalogTable> {
    let (database, name) = line.split_once('.')?;
    let kind = match name {
        "numbers" | "numbers_mt" => TableKind::Numbers,
        "zeros" | "zeros_mt" => TableKind::View("SELECT toUInt8(0) AS zero FROM system.numbers"),
        _ => TableKind::System,
    };
    let engine = match kind {
        TableKind::View(_) => "View",
        TableKind::Stored(_) | TableKind::Numbers | TableKind::System => "System",
    };
    Some(CatalogTable {
        database: database.to_owned(),
        name: name.to_owned(),
        engine,
        keys: Keys::default(),
        kind,
        columns: Vec::new(),
        comment: "",
    })
}

fn read_column(line: &'static str) -> Option<SqlColumn> {
    let mut fields = line.split('\t');
    let name = fields.next()?;
    let ty = Type::from_str(fields.next()?).ok()?;
    Some(SqlColumn {
        default: fields
            .next()
            .map_or(ColumnDefault::None, ColumnDefault::Alias),
        ..SqlColumn::plain(name, ty)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_schema_is_a_table_or_a_column() {
        let tables = process_tables();
        let heads = TEXT.lines().filter(|line| !line.starts_with(' ')).count();
        let columns: usize = tables.iter().map(|table| table.columns.len()).sum();
        assert_eq!(tables.len(), heads);
        for line in TEXT.lines().filter_map(|line| line.strip_prefix("  ")) {
            assert!(read_column(line).is_some(), "{line}");
        }
        assert_eq!(columns + heads, TEXT.lines().count());
    }
}
