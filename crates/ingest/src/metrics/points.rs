//! The columns that all tables of metrics have, and the frame around those that only one has.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use cairn_storage::{NANOS_PER_SECOND, Nanos, TableBatch, TableId};

use super::metric::Metric;
use crate::attributes::{AttributeSet, Envelope, EnvelopeArrays, Shared};
use crate::batch::{AttributesColumn, LabelColumn, table_batch, timestamps};
use crate::error::Result;
use crate::notes::{Notes, Rejection};
use crate::time::{WireTime, first_set};

/// Nanoseconds of the last second that 32 bits can count.
const LAST_SECOND: i64 = NANOS_PER_SECOND * 0xffff_ffff;

/// What every data point has.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PointTimes {
    pub(super) start_unix_nano: u64,
    pub(super) time_unix_nano: u64,
}

/// The columns that only one kind of metric has.
pub(super) trait PointColumns<'a>: Default {
    /// Reads an encoded data point in place of the one before; its attributes go to `set`.
    fn read(
        &mut self,
        bytes: &'a [u8],
        times: &mut PointTimes,
        set: &mut AttributeSet<'a>,
        notes: &mut Notes,
    ) -> Result<()>;

    /// The bound that the point passes, if any.
    fn rejection(&self) -> Option<Rejection>;

    /// Appends the point that was read last, measured at `seconds`.
    fn push(&mut self, metric: &Metric<'a>, seconds: i64, notes: &mut Notes) -> Result<()>;

    /// Bytes held.
    fn bytes(&self) -> usize;

    /// The arrays in the order of the table.
    fn finish(self, notes: &mut Notes) -> Result<Vec<ArrayRef>>;
}

/// The rows of one table of metrics.
#[derive(Debug, Default)]
pub(super) struct PointTable<C> {
    own: C,
    read_times: PointTimes,
    /// Which of the request's rows are this table's.
    rows: Vec<u32>,
    times: Vec<i64>,
    starts: Vec<i64>,
    scope_dropped: Vec<u32>,
    names: LabelColumn,
    descriptions: LabelColumn,
    units: LabelColumn,
    attributes: AttributesColumn,
}

impl<'a, C: PointColumns<'a>> PointTable<C> {
    /// Reads an encoded data point in place of the one before.
    pub(super) fn read(
        &mut self,
        bytes: &'a [u8],
        set: &mut AttributeSet<'a>,
        notes: &mut Notes,
    ) -> Result<()> {
        set.clear();
        self.read_times = PointTimes::default();
        self.own.read(bytes, &mut self.read_times, set, notes)
    }

    /// The bound that the point passes, if any.
    pub(super) fn rejection(&self) -> Option<Rejection> {
        self.own.rejection()
    }

    /// When the point that was read last was measured, in whole seconds.
    pub(super) fn time(&self, received_at: Nanos) -> WireTime {
        whole_seconds(self.read_times.time_unix_nano, received_at)
    }

    /// Appends the point that was read last.
    pub(super) fn push(
        &mut self,
        metric: &Metric<'a>,
        shared: &Shared,
        time: WireTime,
        envelope: &mut Envelope<'a>,
    ) -> Result<()> {
        let notes = &mut envelope.tally.notes;
        // Records of one request are far fewer than 2^32.
        self.rows
            .push(u32::try_from(envelope.tally.accepted).unwrap_or(u32::MAX));
        self.times.push(time.nanos);
        let start = whole_seconds(self.read_times.start_unix_nano, Nanos(0));
        notes.clamped_times += u64::from(start.clamped);
        self.starts.push(start.nanos);
        self.scope_dropped.push(shared.scope_dropped());
        self.names.push(metric.name);
        self.descriptions.push(metric.description);
        self.units.push(metric.unit);
        envelope.set.write(&mut self.attributes, notes)?;
        self.own.push(metric, time.nanos, notes)
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.rows.len() * (2 * size_of::<u32>() + 2 * size_of::<i64>())
            + self.names.bytes()
            + self.descriptions.bytes()
            + self.units.bytes()
            + self.attributes.bytes()
            + self.own.bytes()
    }

    /// The batch, columns in the order of the table; none when there are no rows.
    pub(super) fn finish(
        self,
        table: TableId,
        shared: &EnvelopeArrays,
        notes: &mut Notes,
    ) -> Result<Option<TableBatch>> {
        if self.rows.is_empty() {
            return Ok(None);
        }
        let rows = UInt32Array::from(self.rows);
        // Of a dictionary only the keys are copied; the tables share the values.
        let mine = |column: &ArrayRef| -> Result<ArrayRef> {
            if rows.len() == column.len() {
                return Ok(Arc::clone(column));
            }
            Ok(take(column, &rows, None)?)
        };
        let mut columns = vec![
            timestamps(self.times),
            mine(&shared.resource_attributes)?,
            mine(&shared.resource_schemas)?,
            mine(&shared.scope_names)?,
            mine(&shared.scope_versions)?,
            mine(&shared.scope_attributes)?,
            Arc::new(UInt32Array::from(self.scope_dropped)),
            mine(&shared.scope_schemas)?,
            mine(&shared.services)?,
            self.names.finish(notes)?,
            self.descriptions.finish(notes)?,
            self.units.finish(notes)?,
            self.attributes.finish(notes)?,
            timestamps(self.starts),
        ];
        columns.extend(self.own.finish(notes)?);
        table_batch(table, columns).map(Some)
    }
}

/// A time on the wire in whole seconds of the range that a 32-bit second reaches.
pub(super) fn whole_seconds(nanos: u64, fallback: Nanos) -> WireTime {
    let mut time = first_set([nanos, 0], fallback);
    if time.nanos > LAST_SECOND {
        time.clamped = true;
        time.nanos = LAST_SECOND;
    }
    time.nanos -= time.nanos % NANOS_PER_SECOND;
    time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_seconds_before_2106() {
        let read = |nanos| {
            let time = whole_seconds(nanos, Nanos(7_900_000_000));
            (time.nanos, time.clamped, time.missing)
        };
        assert_eq!(read(1_999_999_999), (1_000_000_000, false, false));
        assert_eq!(read(0), (7_000_000_000, false, true));
        assert_eq!(read(u64::MAX), (LAST_SECOND, true, false));
        let last = LAST_SECOND.unsigned_abs();
        assert_eq!(read(last), (LAST_SECOND, false, false));
        assert_eq!(read(last + 1_000_000_000), (LAST_SECOND, true, false));
    }
}
