//! INSERT: its data becomes rows, and the answer comes when they are durable. A statement is written
//! whole or not at all.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use cairn_query::{
    Access, Answer, Cancel, ErrorCode, InsertHead, InsertSource, Progress, Query, QueryError, Type,
    Value, insert_target, value_at,
};
use chrono_tz::Tz;
use futures::StreamExt as _;

use super::exception::Exception;
use super::input::{InputSettings, Rows, ValueRow, adapt, read, read_values};
use super::limits::{MAX_EXPRESSION_ROWS, MAX_INSERT_SELECT_ROWS};
use super::runner::RunQuery;

/// An INSERT as a request brought it.
#[derive(Debug, Clone)]
pub(super) struct Insert {
    pub(super) head: InsertHead,
    /// What stands behind the head.
    pub(super) data: Vec<u8>,
}

/// Inserts for one request.
pub(super) struct Inserter {
    pub(super) runner: Arc<dyn RunQuery>,
    /// The statement; its text is only the head.
    pub(super) query: Query,
    pub(super) cancel: Cancel,
    pub(super) timezone: Tz,
    /// Whether the method is the reason why nothing may be written.
    pub(super) by_get: bool,
}

impl Inserter {
    /// Writes the rows.
    ///
    /// # Errors
    /// What is wrong with the statement or its data, or why it cannot be written now.
    pub(super) async fn insert(mut self, insert: Insert) -> Result<Answer, Exception> {
        self.check_access()?;
        let Insert { head, data } = insert;
        self.query.settings.extend(head.settings.iter().cloned());
        let target = insert_target(&head, self.query.database.as_deref())?;
        let mut rows = Rows::new(target.columns, self.input_settings()?);
        match &head.source {
            InsertSource::Values => self.read_values(&data, &mut rows).await?,
            InsertSource::Format(format) => read(format, &data, &mut rows)?,
            InsertSource::Select => self.read_query(data.clone(), &mut rows).await?,
        }
        let count = u64::try_from(rows.count()).unwrap_or(u64::MAX);
        let bytes = u64::try_from(data.len()).unwrap_or(u64::MAX);
        drop(data);
        if count > 0 {
            let columns = rows.finish()?;
            self.runner.insert(target.table, columns, bytes).await?;
        }
        self.query.progress.add_written(count, bytes);
        Ok(self.done())
    }

    fn check_access(&self) -> Result<(), Exception> {
        let message = match self.query.access {
            Access::Full => return Ok(()),
            Access::ReadOnly | Access::Frozen if self.by_get => {
                "Cannot execute query in readonly mode. For queries over HTTP, method GET implies \
                 readonly. You should use method POST for modifying queries"
                    .to_owned()
            }
            Access::ReadOnly | Access::Frozen => {
                format!("{}: Cannot execute query in readonly mode", self.query.user)
            }
        };
        Err(Exception::new(ErrorCode::Readonly, message))
    }

    fn setting(&self, name: &str) -> Option<&str> {
        let found = self
            .query
            .settings
            .iter()
            .rev()
            .find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    fn input_settings(&self) -> Result<InputSettings, Exception> {
        let timezone = match self.setting("session_timezone") {
            None => self.timezone,
            Some(name) => name.parse().map_err(|_| {
                Exception::new(
                    ErrorCode::BadArguments,
                    format!("Invalid time zone: {name}"),
                )
            })?,
        };
        let delimiter = self.setting("format_csv_delimiter").map(str::as_bytes);
        Ok(InputSettings {
            timezone,
            csv_delimiter: match delimiter {
                Some([byte]) => *byte,
                _ => b',',
            },
        })
    }

    async fn read_values(&self, data: &[u8], rows: &mut Rows) -> Result<(), Exception> {
        let mut expressions = 0;
        for row in read_values(data, rows)? {
            let row = match row {
                ValueRow::Literals(row) => row,
                ValueRow::Expressions(text) => {
                    expressions += 1;
                    if expressions > MAX_EXPRESSION_ROWS {
                        return Err(Exception::new(
                            ErrorCode::NotImplemented,
                            format!(
                                "more than {MAX_EXPRESSION_ROWS} rows of VALUES are not literals; \
                                 use INSERT … SELECT or literals"
                            ),
                        ));
                    }
                    self.evaluate(&text, rows).await?
                }
            };
            rows.push(row);
        }
        Ok(())
    }

    /// A row of expressions.
    async fn evaluate(&self, text: &str, rows: &Rows) -> Result<Vec<Option<Value>>, Exception> {
        let mut answer = self.ask(format!("SELECT tuple({text})")).await?;
        let types: Vec<Type> = match answer.columns.first().map(|column| &column.ty) {
            Some(Type::Tuple(parts)) => parts.iter().map(|(_, ty)| ty.clone()).collect(),
            _ => Vec::new(),
        };
        let mut values = Vec::new();
        while let Some(batch) = self.next(&mut answer).await? {
            let tuple = Type::Tuple(types.iter().map(|ty| (None, ty.clone())).collect());
            if let (Value::Tuple(items), 1) =
                (value_at(batch.column(0), 0, &tuple)?, batch.num_rows())
            {
                values = items;
            }
        }
        adapted(values, &types, rows)
    }

    async fn read_query(&self, text: Vec<u8>, rows: &mut Rows) -> Result<(), Exception> {
        let text = String::from_utf8(text)
            .map_err(|_| Exception::new(ErrorCode::SyntaxError, "the statement is not UTF-8"))?;
        let mut answer = self.ask(text).await?;
        let types: Vec<Type> = answer
            .columns
            .iter()
            .map(|column| column.ty.clone())
            .collect();
        while let Some(batch) = self.next(&mut answer).await? {
            if rows.count() + batch.num_rows() > MAX_INSERT_SELECT_ROWS {
                return Err(Exception::new(
                    ErrorCode::TooManyRows,
                    format!(
                        "INSERT … SELECT writes at most {MAX_INSERT_SELECT_ROWS} rows at once; \
                         insert in several statements"
                    ),
                ));
            }
            for row in 0..batch.num_rows() {
                let values = batch.columns().iter().zip(&types);
                let values = values
                    .map(|(column, ty)| value_at(column, row, ty))
                    .collect::<Result<Vec<_>, QueryError>>()?;
                let row = adapted(values, &types, rows)?;
                rows.push(row);
            }
        }
        Ok(())
    }

    async fn ask(&self, text: String) -> Result<Answer, Exception> {
        let query = Query {
            text,
            progress: Arc::<Progress>::clone(&self.query.progress),
            ..self.query.clone()
        };
        // A signal of its own: an answer that has been read stops whatever shares its signal.
        tokio::select! {
            answer = self.runner.run(query, Cancel::new()) => Ok(answer?),
            () = self.cancel.cancelled() => Err(cancelled()),
        }
    }

    /// The next batch of such a query.
    async fn next(&self, answer: &mut Answer) -> Result<Option<RecordBatch>, Exception> {
        tokio::select! {
            batch = answer.rows.next() => Ok(batch.transpose()?),
            () = self.cancel.cancelled() => Err(cancelled()),
        }
    }

    fn done(self) -> Answer {
        Answer {
            columns: Vec::new(),
            has_result: false,
            format: None,
            settings: self.query.settings,
            rows: futures::stream::empty().boxed(),
            progress: self.query.progress,
            totals: None,
            limited: false,
            session: Vec::new(),
            kill: None,
            refusal: cairn_query::Refusal::default(),
        }
    }
}

fn cancelled() -> Exception {
    Exception::new(ErrorCode::QueryWasCancelled, "Query was cancelled")
}

fn adapted(
    values: Vec<Value>,
    types: &[Type],
    rows: &Rows,
) -> Result<Vec<Option<Value>>, Exception> {
    if values.len() != rows.width() || types.len() != rows.width() {
        return Err(Exception::new(
            ErrorCode::NumberOfColumnsDoesntMatch,
            format!(
                "Number of columns doesn't match (source: {} and result: {})",
                values.len(),
                rows.width()
            ),
        ));
    }
    let each = values.into_iter().zip(types).enumerate();
    each.map(|(place, (value, ty))| {
        let value = adapt(value, ty, &rows.ty(place), rows.timezone())?;
        Ok(Some(value))
    })
    .collect::<Result<_, QueryError>>()
    .map_err(Exception::from)
}
