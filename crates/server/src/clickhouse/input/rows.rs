//! Rows on their way in: a list of values for each column of the INSERT.

use std::collections::HashMap;

use arrow::array::ArrayRef;
use cairn_query::{AnswerColumn, ErrorCode, QueryError, Type, Value, column_of};

use super::{InputSettings, Result, adapt};

/// The rows read so far.
#[derive(Debug)]
pub(in crate::clickhouse) struct Rows {
    columns: Vec<AnswerColumn>,
    values: Vec<Vec<Value>>,
    by_name: HashMap<String, usize>,
    count: usize,
    pub(super) settings: InputSettings,
}

/// Where the fields of a row of the data go: the column's position, or nowhere.
pub(super) type Places = Vec<Option<usize>>;

impl Rows {
    pub(in crate::clickhouse) fn new(columns: Vec<AnswerColumn>, settings: InputSettings) -> Self {
        let names = columns.iter().enumerate();
        Self {
            by_name: names
                .map(|(at, column)| (column.name.clone(), at))
                .collect(),
            values: vec![Vec::new(); columns.len()],
            columns,
            count: 0,
            settings,
        }
    }

    pub(in crate::clickhouse) fn count(&self) -> usize {
        self.count
    }

    /// Zone of times without one.
    pub(in crate::clickhouse) fn timezone(&self) -> chrono_tz::Tz {
        self.settings.timezone
    }

    pub(in crate::clickhouse) fn width(&self) -> usize {
        self.columns.len()
    }

    pub(in crate::clickhouse) fn ty(&self, place: usize) -> Type {
        self.columns
            .get(place)
            .map_or(Type::Nothing, |column| column.ty.clone())
    }

    /// The places of columns that come in the table's order.
    pub(super) fn in_order(&self) -> Places {
        (0..self.columns.len()).map(Some).collect()
    }

    /// The place of a column, whatever the case of its name when no other has it.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied().or_else(|| {
            let same = |column: &AnswerColumn| column.name.eq_ignore_ascii_case(name);
            self.columns.iter().position(same)
        })
    }

    /// The places of columns named at the head of the data.
    pub(super) fn named(&self, names: &[String]) -> Places {
        names.iter().map(|name| self.place(name)).collect()
    }

    /// Whether a line of the data only names columns.
    pub(super) fn are_names(&self, fields: &[String]) -> bool {
        !fields.is_empty() && fields.iter().all(|field| self.by_name.contains_key(field))
    }

    /// Adds a row; `None` is the column's default.
    pub(in crate::clickhouse) fn push(&mut self, row: Vec<Option<Value>>) {
        for ((column, values), value) in self.columns.iter().zip(&mut self.values).zip(row) {
            values.push(value.unwrap_or_else(|| column.ty.default_value()));
        }
        self.count += 1;
    }

    /// Adds whole columns of equal length, by name and with the types that they have there.
    pub(super) fn push_columns(
        &mut self,
        columns: Vec<(String, Type, Vec<Value>)>,
        rows: usize,
    ) -> Result<()> {
        let mut given: HashMap<usize, Vec<Value>> = HashMap::new();
        for (name, from, values) in columns {
            let Some(place) = self.place(&name) else {
                continue;
            };
            let to = self.ty(place);
            let adapted = values
                .into_iter()
                .map(|value| adapt(value, &from, &to, self.settings.timezone))
                .collect::<Result<Vec<_>>>()?;
            given.insert(place, adapted);
        }
        for (place, (column, values)) in self.columns.iter().zip(&mut self.values).enumerate() {
            match given.remove(&place) {
                Some(mut more) => values.append(&mut more),
                None => values.extend(std::iter::repeat_n(column.ty.default_value(), rows)),
            }
        }
        self.count += rows;
        Ok(())
    }

    /// The rows as columns of the table's types.
    ///
    /// # Errors
    /// When a value does not fit its column, or the lists of a nested column differ in length.
    pub(in crate::clickhouse) fn finish(self) -> Result<Vec<(String, ArrayRef)>> {
        self.check_nested()?;
        let columns = self.columns.into_iter().zip(self.values);
        columns
            .map(|(column, values)| {
                let array = column_of(&column.ty, &values).map_err(|error| {
                    let what = format!("{}: column {}", error.message, column.name);
                    QueryError::new(ErrorCode::ValueIsOutOfRangeOfDataType, what)
                })?;
                Ok((column.name, array))
            })
            .collect()
    }

    /// `Events.Name` and `Events.Timestamp` are parts of one list.
    fn check_nested(&self) -> Result<()> {
        let mut first: HashMap<&str, &Vec<Value>> = HashMap::new();
        for (column, values) in self.columns.iter().zip(&self.values) {
            let Some((nested, _)) = column.name.split_once('.') else {
                continue;
            };
            let other = *first.entry(nested).or_insert(values);
            for (row, (one, two)) in values.iter().zip(other).enumerate() {
                if length(one) != length(two) {
                    return Err(QueryError::new(
                        ErrorCode::SizesOfArraysDontMatch,
                        format!(
                            "Elements '{nested}' of Nested data structure (Array columns) have \
                             different array sizes (at row {})",
                            row + 1
                        ),
                    ));
                }
            }
        }
        Ok(())
    }
}

fn length(value: &Value) -> usize {
    if let Value::Array(items) = value {
        return items.len();
    }
    0
}

/// The error of a row, with its number.
pub(super) fn at_row(error: &QueryError, row: usize) -> QueryError {
    QueryError::new(
        error.code,
        format!("{}: (at row {})", error.message, row + 1),
    )
}

/// The data is not in its format.
pub(super) fn incorrect(what: impl Into<String>) -> QueryError {
    QueryError::new(ErrorCode::IncorrectData, what)
}
