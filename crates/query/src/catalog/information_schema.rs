//! Rows of `information_schema.*`: the catalog in the words of standard SQL.

use super::system::{Row, measures, text, uint};
use super::table::{CatalogTable, SqlColumn, TableKind};
use crate::types::{Type, Value};

/// The rows of the table called `name` in small or capital letters.
pub(super) fn rows(name: &str, tables: &[CatalogTable], databases: &[&str]) -> Vec<Row> {
    match name.to_ascii_lowercase().as_str() {
        "schemata" => databases.iter().map(|name| schema(name)).collect(),
        "tables" => tables.iter().map(table).collect(),
        "views" => tables.iter().filter_map(view).collect(),
        "columns" => tables.iter().flat_map(columns).collect(),
        "engines" => ["MergeTree", "View"]
            .map(|name| Row::of([("engine", text(name)), ("support", text("YES"))]))
            .into(),
        "character_sets" => vec![Row::of([("character_set_name", text("utf8mb4"))])],
        // Keys, references and statistics of indexes: there are none.
        _ => Vec::new(),
    }
}

fn schema(name: &str) -> Row {
    Row::of([
        ("catalog_name", text(name)),
        ("schema_name", text(name)),
        ("schema_owner", text("default")),
        ("default_collation_name", text("utf8mb4_0900_ai_ci")),
        ("default_encryption", text("NO")),
    ])
}

fn named(table: &CatalogTable) -> Row {
    Row::of([
        ("table_catalog", text(table.database.as_str())),
        ("table_schema", text(table.database.as_str())),
        ("table_name", text(table.name.as_str())),
    ])
}

fn table(table: &CatalogTable) -> Row {
    let kind = match table.kind {
        TableKind::Stored(_) => "BASE TABLE",
        TableKind::View(_) => "VIEW",
        TableKind::Numbers | TableKind::System => "SYSTEM VIEW",
    };
    named(table).with([
        ("table_type", text(kind)),
        ("table_collation", text("utf8mb4_0900_ai_ci")),
        ("table_comment", text(table.comment)),
        ("engine", text(table.engine)),
    ])
}

fn view(table: &CatalogTable) -> Option<Row> {
    let TableKind::View(query) = table.kind else {
        return None;
    };
    Some(named(table).with([
        ("view_definition", text(query)),
        ("check_option", text("NONE")),
    ]))
}

fn columns(table: &CatalogTable) -> Vec<Row> {
    (1u64..)
        .zip(&table.columns)
        .map(|(position, column)| named(table).with(described(position, column)))
        .collect()
}

fn described(position: u64, column: &SqlColumn) -> [(&'static str, Value); 13] {
    let [octets, precision, radix, scale, datetime] = measures(&column.ty);
    let nullable = matches!(column.ty, Type::Nullable(_));
    let (_, expression) = column.default.described();
    [
        ("column_name", text(column.name.as_str())),
        ("ordinal_position", uint(position)),
        ("column_default", text(expression)),
        ("is_nullable", text(if nullable { "1" } else { "0" })),
        ("data_type", text(column.ty.to_string())),
        ("character_octet_length", octets.clone()),
        ("character_maximum_length", octets),
        ("numeric_precision", precision),
        ("numeric_precision_radix", radix),
        ("numeric_scale", scale),
        ("datetime_precision", datetime),
        ("column_comment", text(column.comment)),
        ("column_type", text(column.ty.to_string())),
    ]
}
