//! What a table is to SQL: its names, columns and keys, and the statement that would create it.

use cairn_storage::TableId;

use crate::syntax::quoted;
use crate::types::Type;

/// A table.
#[derive(Debug, Clone)]
pub(crate) struct CatalogTable {
    /// Its database.
    pub(crate) database: String,
    /// Its name.
    pub(crate) name: String,
    /// The engine that clients are told.
    pub(crate) engine: &'static str,
    /// What its rows are ordered and divided by.
    pub(crate) keys: Keys,
    /// Where its rows come from.
    pub(crate) kind: TableKind,
    /// Its columns, computed ones last.
    pub(crate) columns: Vec<SqlColumn>,
    /// One sentence.
    pub(crate) comment: &'static str,
}

/// Keys of a stored table as clients are told: comma-joined expressions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Keys {
    /// How rows are divided into segments.
    pub(crate) partition: String,
    /// How rows of a segment are sorted.
    pub(crate) sorting: String,
}

/// Where the rows of a table come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TableKind {
    /// Storage.
    Stored(TableId),
    /// A query over other tables.
    View(&'static str),
    /// Numbers without end.
    Numbers,
    /// The process: the moment of the query knows them.
    System,
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

impl SqlColumn {
    /// A column that is stored or made by the process.
    pub(crate) fn plain(name: &str, ty: Type) -> Self {
        Self {
            name: name.to_owned(),
            ty,
            default: ColumnDefault::None,
            comment: "",
        }
    }

    fn definition(&self) -> String {
        let (kind, expression) = self.default.described();
        let mut text = format!("`{}` {}", self.name, self.ty);
        for part in [kind, expression] {
            if !part.is_empty() {
                text.push(' ');
                text.push_str(part);
            }
        }
        text
    }
}

impl CatalogTable {
    /// `engine_full`: the engine and its keys.
    pub(crate) fn engine_full(&self) -> String {
        let Keys { partition, sorting } = &self.keys;
        if matches!(self.kind, TableKind::View(_)) {
            return String::new();
        }
        if sorting.is_empty() {
            return self.engine.to_owned();
        }
        format!(
            "{} PARTITION BY {partition} ORDER BY ({sorting}) SETTINGS index_granularity = 8192",
            self.engine
        )
    }
}

/// The statement that would make a table, on one line or, as SHOW CREATE has it, on several.
pub(crate) fn create_statement(table: &CatalogTable, on_lines: bool) -> String {
    let (gap, open, between, close) = match on_lines {
        true => ("\n", "\n(\n    ", ",\n    ", "\n)"),
        false => (" ", " (", ", ", ")"),
    };
    let columns: Vec<String> = table.columns.iter().map(SqlColumn::definition).collect();
    let query = match table.kind {
        TableKind::View(query) => Some(query),
        TableKind::Stored(_) | TableKind::Numbers | TableKind::System => None,
    };
    let what = if query.is_some() { "VIEW" } else { "TABLE" };
    let mut text = format!(
        "CREATE {what} {}.{}{open}{}{close}{gap}",
        name(&table.database),
        name(&table.name),
        columns.join(between)
    );
    match query {
        Some(query) => text.push_str(&format!("AS {query}")),
        None => {
            let mut engine = table.engine_full();
            if on_lines {
                for clause in ["PARTITION BY", "ORDER BY", "SETTINGS"] {
                    engine = engine.replace(&format!(" {clause} "), &format!("\n{clause} "));
                }
            }
            text.push_str(&format!("ENGINE = {engine}"));
        }
    }
    if !table.comment.is_empty() {
        text.push_str(gap);
        text.push_str("COMMENT ");
        text.push_str(&quoted(table.comment));
    }
    text
}

/// A name as it stands in a statement: in back quotes unless it is a plain word.
fn name(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match plain {
        true => text.to_owned(),
        false => format!("`{}`", text.replace('\\', "\\\\").replace('`', "\\`")),
    }
}
