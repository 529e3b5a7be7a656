//! A row with the columns that are known; the others are their types' defaults.

use hashbrown::HashMap;

use crate::catalog::table::{CatalogTable, ColumnDefault};
use crate::types::Value;

/// A row on its way to a table.
#[derive(Debug, Default)]
pub(in crate::catalog) struct Row(HashMap<&'static str, Value>);

impl Row {
    /// A row with these columns.
    pub(in crate::catalog) fn of<const N: usize>(known: [(&'static str, Value); N]) -> Self {
        Self(known.into_iter().collect())
    }

    /// Adds more columns.
    pub(in crate::catalog) fn with<const N: usize>(
        mut self,
        known: [(&'static str, Value); N],
    ) -> Self {
        self.0.extend(known);
        self
    }

    /// One value per column of `table` that is not computed. Columns in capitals repeat those in small letters.
    pub(in crate::catalog) fn complete(mut self, table: &CatalogTable) -> Vec<Value> {
        let stored = table
            .columns
            .iter()
            .filter(|column| column.default == ColumnDefault::None);
        stored
            .map(|column| {
                let lower = || {
                    self.0
                        .get(column.name.to_ascii_lowercase().as_str())
                        .cloned()
                };
                let value = match self.0.contains_key(column.name.as_str()) {
                    true if table.database == "system" => self.0.remove(column.name.as_str()),
                    true | false => lower(),
                };
                value.unwrap_or_else(|| column.ty.default_value())
            })
            .collect()
    }
}

/// A text.
pub(in crate::catalog) fn text(value: impl Into<String>) -> Value {
    Value::String(value.into())
}

/// A number without sign.
pub(in crate::catalog) fn uint(value: impl Into<u64>) -> Value {
    Value::UInt(value.into())
}

/// A count as a signed number.
pub(super) fn int(value: u64) -> Value {
    Value::Int(i64::try_from(value).unwrap_or(i64::MAX))
}

/// 0 or 1.
pub(in crate::catalog) fn flag(value: bool) -> Value {
    Value::UInt(u64::from(value))
}

/// A list of texts.
pub(super) fn texts(values: impl IntoIterator<Item = String>) -> Value {
    Value::Array(values.into_iter().map(Value::String).collect())
}
