//! WITH FILL: rows for the values that are missing in a sorted column, made while the sorted rows pass.

use std::sync::Arc;

use chrono::{DateTime, Months};
use datafusion::arrow::array::{Array, ArrayRef, RecordBatch};
use datafusion::arrow::compute::interleave;
use datafusion::arrow::datatypes::SchemaRef;

use super::Result;
use crate::analyze::{Fill, FillStep};
use crate::error::QueryError;
use crate::types::{Type, Value, as_f64, values_to_array};

/// Rows of one batch that is made.
const BATCH_ROWS: usize = 8_192;
const SECONDS_PER_DAY: i64 = 86_400;

/// A value of the filled column.
#[derive(Debug, Clone, Copy, PartialEq)]
enum At {
    Whole(i128),
    Float(f64),
}

/// Where a row of the output comes from.
#[derive(Debug, Clone, Copy)]
enum Row {
    /// A row of the batch.
    Given(usize),
    /// A missing value, with the row that says its group and the one that values are carried over from.
    Missing(At, Source, Source),
}

/// A row that lends its values.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// Of the batch.
    Batch(usize),
    /// The last one of the batches before.
    Last,
    /// None: defaults.
    Nothing,
}

/// Fills one sorted stream of batches.
pub(crate) struct Filler {
    fill: Fill,
    types: Vec<Type>,
    schema: SchemaRef,
    /// The next value of the grid; none before the first row of a group.
    next: Option<At>,
    /// The last value that was seen, for staleness.
    seen: Option<At>,
    /// The values before the filled column, of the group that is being filled.
    group: Option<Vec<Value>>,
    /// The last row of the batches before.
    last: Option<RecordBatch>,
    skipped: u64,
    passed: u64,
}

impl Filler {
    /// A filler for columns of these types.
    pub(crate) fn new(fill: Fill, types: Vec<Type>, schema: SchemaRef) -> Self {
        Self {
            fill,
            types,
            schema,
            next: None,
            seen: None,
            group: None,
            last: None,
            skipped: 0,
            passed: 0,
        }
    }

    /// Whether the LIMIT is reached.
    pub(crate) fn is_full(&self) -> bool {
        self.fill.limit.is_some_and(|limit| self.passed >= limit)
    }

    /// The rows from `row` of a batch on, with missing ones between: about a batch of them, and where to go on.
    pub(crate) fn push(&mut self, batch: &RecordBatch, row: usize) -> Result<(RecordBatch, usize)> {
        let mut rows = Vec::new();
        let mut row = row;
        while row < batch.num_rows() && rows.len() < BATCH_ROWS {
            let before = match (row.checked_sub(1), &self.last) {
                (Some(before), _) => Source::Batch(before),
                (None, Some(_)) => Source::Last,
                (None, None) => Source::Nothing,
            };
            let group = self.group_of(batch, row)?;
            if self.group.as_ref() != Some(&group) {
                // The group before ends where TO or staleness says.
                if self.group.is_some()
                    && let Some(missing) = self.missing(None)
                {
                    rows.push(Row::Missing(missing, before, before));
                    continue;
                }
                self.next = self.bound(self.fill.from.as_ref());
                self.seen = None;
                self.group = Some(group);
            }
            if let Some(value) = self.value(batch, row)? {
                if let Some(missing) = self.missing(Some(value)) {
                    let group = match self.seen {
                        Some(_) => before,
                        None => Source::Batch(row),
                    };
                    rows.push(Row::Missing(missing, group, before));
                    continue;
                }
                self.next = match self.next {
                    Some(next) if self.is_before(value, next) => Some(next),
                    Some(next) => self.beyond(next, value),
                    None => self.after(value),
                };
                self.seen = Some(value);
            }
            rows.push(Row::Given(row));
            row += 1;
        }
        let made = self.made(batch, &rows)?;
        if row == batch.num_rows() && row > 0 {
            self.last = Some(batch.slice(row - 1, 1));
        }
        Ok((self.cut(&made), row))
    }

    /// The rows behind the last given one; nothing at the end.
    pub(crate) fn finish(&mut self) -> Result<Option<RecordBatch>> {
        if self.group.is_none() && self.fill.to.is_some() {
            self.next = self.bound(self.fill.from.as_ref());
            self.group = Some(Vec::new());
        }
        let mut rows = Vec::new();
        let before = self.last.as_ref().map_or(Source::Nothing, |_| Source::Last);
        while rows.len() < BATCH_ROWS {
            let Some(missing) = self.missing(None) else {
                break;
            };
            rows.push(Row::Missing(missing, before, before));
        }
        if rows.is_empty() {
            return Ok(None);
        }
        let nothing = RecordBatch::new_empty(Arc::clone(&self.schema));
        let made = self.made(&nothing, &rows)?;
        Ok(Some(self.cut(&made)))
    }

    fn group_of(&self, batch: &RecordBatch, row: usize) -> Result<Vec<Value>> {
        let mut group = Vec::new();
        for column in &self.fill.prefix {
            if let Some(ty) = self.types.get(*column) {
                group.push(Value::from_array(batch.column(*column), row, ty)?);
            }
        }
        Ok(group)
    }

    /// The next missing value before `value`, or before the end, and moves on.
    fn missing(&mut self, value: Option<At>) -> Option<At> {
        let next = self.next?;
        let to = self.bound(self.fill.to.as_ref());
        if to.is_some_and(|to| !self.is_before(next, to)) {
            return None;
        }
        let stale = match (&self.fill.staleness, self.seen) {
            (Some(staleness), Some(seen)) => self
                .stepped(seen, staleness)
                .is_some_and(|end| !self.is_before(next, end)),
            _ => false,
        };
        let wanted = match value {
            Some(value) => self.is_before(next, value),
            None => to.is_some() || self.fill.staleness.is_some() && self.seen.is_some(),
        };
        if stale || !wanted {
            return None;
        }
        self.next = self.after(next);
        Some(next)
    }

    fn is_before(&self, a: At, b: At) -> bool {
        let below = match (a, b) {
            (At::Whole(a), At::Whole(b)) => a < b,
            (At::Float(a), At::Float(b)) => a < b,
            (At::Whole(_), At::Float(_)) | (At::Float(_), At::Whole(_)) => false,
        };
        if self.fill.descending {
            return !below && a != b;
        }
        below
    }

    fn after(&self, at: At) -> Option<At> {
        self.stepped(at, &self.fill.step)
    }

    /// The first value of the grid behind `value`.
    fn beyond(&self, next: At, value: At) -> Option<At> {
        let (At::Whole(from), At::Whole(to), FillStep::Whole(step)) =
            (next, value, &self.fill.step)
        else {
            let mut next = Some(next);
            while let Some(at) = next
                && !self.is_before(value, at)
            {
                next = self.after(at);
            }
            return next;
        };
        let steps = (to - from) / step + 1;
        Some(At::Whole(from + steps * step))
    }

    fn stepped(&self, at: At, step: &FillStep) -> Option<At> {
        match (at, step) {
            (At::Whole(at), FillStep::Whole(step)) => at.checked_add(*step).map(At::Whole),
            (At::Float(at), FillStep::Float(step)) => Some(At::Float(at + step)),
            (At::Whole(at), FillStep::Months(months)) => {
                self.months_later(at, *months).map(At::Whole)
            }
            (At::Whole(_), FillStep::Float(_))
            | (At::Float(_), FillStep::Whole(_) | FillStep::Months(_)) => None,
        }
    }

    fn months_later(&self, at: i128, months: i64) -> Option<i128> {
        let ty = self.types.get(self.fill.column)?.bare();
        let per_second = if let Type::DateTime64(precision, _) = ty {
            10_i64.pow(u32::from(*precision))
        } else {
            1
        };
        let is_day = matches!(ty, Type::Date | Type::Date32);
        let at = i64::try_from(at).ok()?;
        let seconds = if is_day {
            at.checked_mul(SECONDS_PER_DAY)?
        } else {
            at.div_euclid(per_second)
        };
        let time = DateTime::from_timestamp(seconds, 0)?;
        let count = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
        let moved = if months < 0 {
            time.checked_sub_months(count)?
        } else {
            time.checked_add_months(count)?
        };
        let seconds = moved.timestamp();
        Some(i128::from(if is_day {
            seconds.div_euclid(SECONDS_PER_DAY)
        } else {
            seconds.checked_mul(per_second)? + at.rem_euclid(per_second)
        }))
    }

    fn bound(&self, value: Option<&Value>) -> Option<At> {
        self.at(value?)
    }

    fn at(&self, value: &Value) -> Option<At> {
        let ty = self.types.get(self.fill.column)?.bare();
        if ty.is_float() {
            return as_f64(value).filter(|value| !value.is_nan()).map(At::Float);
        }
        value.as_i128().map(At::Whole)
    }

    fn value(&self, batch: &RecordBatch, row: usize) -> Result<Option<At>> {
        let (Some(ty), true) = (
            self.types.get(self.fill.column),
            self.fill.column < batch.num_columns(),
        ) else {
            return Ok(None);
        };
        let value = Value::from_array(batch.column(self.fill.column), row, ty)?;
        Ok(self.at(&value))
    }

    /// The rows as a batch.
    fn made(&self, batch: &RecordBatch, rows: &[Row]) -> Result<RecordBatch> {
        let mut columns = Vec::with_capacity(self.types.len());
        for (at, ty) in self.types.iter().enumerate() {
            columns.push(self.column(batch, rows, at, ty)?);
        }
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map_err(|error| QueryError::from(datafusion::error::DataFusionError::from(error)))
    }

    /// One column: given values, values of the grid, what is carried over, and defaults.
    fn column(&self, batch: &RecordBatch, rows: &[Row], at: usize, ty: &Type) -> Result<ArrayRef> {
        let given = batch.column(at);
        let last = self.last.as_ref().map(|last| Arc::clone(last.column(at)));
        let is_key = at == self.fill.column;
        let (is_prefix, is_carried) = (
            self.fill.prefix.contains(&at),
            self.fill.carried.contains(&at),
        );
        let mut own = vec![ty.default_value()];
        let mut picks = Vec::with_capacity(rows.len());
        for row in rows {
            let source = match row {
                Row::Given(row) => Source::Batch(*row),
                Row::Missing(value, ..) if is_key => {
                    own.push(value_of(*value, ty));
                    picks.push((1, own.len() - 1));
                    continue;
                }
                Row::Missing(_, group, _) if is_prefix => *group,
                Row::Missing(_, _, carried) if is_carried => *carried,
                Row::Missing(..) => Source::Nothing,
            };
            picks.push(match source {
                Source::Batch(row) => (0, row),
                Source::Last => (2, 0),
                Source::Nothing => (1, 0),
            });
        }
        let own = values_to_array(ty, &own)?;
        let last = last.unwrap_or_else(|| Arc::clone(&own));
        let sources: [&dyn Array; 3] = [given, &own, &last];
        interleave(&sources, &picks)
            .map_err(|error| QueryError::from(datafusion::error::DataFusionError::from(error)))
    }

    /// OFFSET and LIMIT.
    fn cut(&mut self, batch: &RecordBatch) -> RecordBatch {
        let rows = u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        let skip = self.fill.offset.saturating_sub(self.skipped).min(rows);
        self.skipped += skip;
        let left = self
            .fill
            .limit
            .map_or(u64::MAX, |limit| limit - self.passed.min(limit));
        let keep = (rows - skip).min(left);
        self.passed += keep;
        let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        batch.slice(count(skip), count(keep))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the type of the column is a 32-bit float"
)]
fn value_of(at: At, ty: &Type) -> Value {
    match at {
        At::Float(value) if *ty.bare() == Type::Float32 => Value::Float(f64::from(value as f32)),
        At::Float(value) => Value::Float(value),
        At::Whole(value) => {
            let bare = ty.bare();
            let signed = bare.is_signed() || matches!(bare, Type::Date32 | Type::DateTime64(..));
            match (u64::try_from(value), i64::try_from(value)) {
                (Ok(value), _) if !signed => Value::UInt(value),
                (_, Ok(value)) => Value::Int(value),
                (Ok(value), Err(_)) => Value::UInt(value),
                (Err(_), Err(_)) => ty.default_value(),
            }
        }
    }
}
