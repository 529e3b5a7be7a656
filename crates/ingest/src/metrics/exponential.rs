//! Data points of exponential histograms.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, UInt64Array};

use super::buckets::NumberLists;
use super::exemplars::ExemplarColumns;
use super::fields::{as_double, flags};
use super::histogram::{TotalColumns, Totals};
use super::metric::Metric;
use super::points::{PointColumns, PointTimes};
use crate::attributes::AttributeSet;
use crate::error::Result;
use crate::notes::{Notes, Rejection};
use crate::otlp::{Field, Fields};

/// The own columns of exponential histograms.
#[derive(Debug, Default)]
pub(super) struct ExponentialColumns<'a> {
    read: Totals,
    read_scale: i32,
    read_zero_count: u64,
    totals: TotalColumns,
    scales: Vec<i32>,
    zero_counts: Vec<u64>,
    positive: BucketColumns,
    negative: BucketColumns,
    exemplars: ExemplarColumns<'a>,
}

/// `Buckets`: where they begin, and how many values are in each.
#[derive(Debug, Default)]
struct BucketColumns {
    read_offset: i32,
    offsets: Vec<i32>,
    counts: NumberLists<u64>,
}

impl BucketColumns {
    fn clear(&mut self) {
        self.read_offset = 0;
        self.counts.clear();
    }

    fn read(&mut self, bytes: &[u8]) -> Result<()> {
        self.clear();
        let mut fields = Fields::new(bytes, "Buckets");
        while let Some(field) = fields.next()? {
            match field.number {
                1 => self.read_offset = zigzag(&field)?,
                2 => field.each_varint(&mut |count| self.counts.add(count))?,
                _ => {}
            }
        }
        Ok(())
    }

    fn push(&mut self) {
        self.offsets.push(self.read_offset);
        self.counts.push();
    }

    fn bytes(&self) -> usize {
        self.offsets.len() * size_of::<i32>() + self.counts.bytes()
    }

    fn finish(self) -> Result<[ArrayRef; 2]> {
        let offsets = Arc::new(Int32Array::from(self.offsets));
        Ok([offsets, self.counts.finish()?])
    }
}

/// A `sint32` field: small numbers of either sign are short on the wire.
fn zigzag(field: &Field<'_>) -> Result<i32> {
    let bits = u32::try_from(field.varint()? & u64::from(u32::MAX)).unwrap_or_default();
    Ok((bits >> 1).cast_signed() ^ -(bits & 1).cast_signed())
}

impl<'a> PointColumns<'a> for ExponentialColumns<'a> {
    fn read(
        &mut self,
        bytes: &'a [u8],
        times: &mut PointTimes,
        set: &mut AttributeSet<'a>,
        notes: &mut Notes,
    ) -> Result<()> {
        self.read = Totals::default();
        (self.read_scale, self.read_zero_count) = (0, 0);
        self.positive.clear();
        self.negative.clear();
        self.exemplars.clear();
        let mut fields = Fields::new(bytes, "ExponentialHistogramDataPoint");
        while let Some(field) = fields.next()? {
            match field.number {
                1 => set.add(field.bytes()?, notes)?,
                2 => times.start_unix_nano = field.fixed64()?,
                3 => times.time_unix_nano = field.fixed64()?,
                4 => self.read.count = field.fixed64()?,
                5 => self.read.sum = as_double(&field)?,
                6 => self.read_scale = zigzag(&field)?,
                7 => self.read_zero_count = field.fixed64()?,
                8 => self.positive.read(field.bytes()?)?,
                9 => self.negative.read(field.bytes()?)?,
                10 => self.read.flags = flags(&field)?,
                11 => self.exemplars.read(field.bytes()?, notes)?,
                12 => self.read.min = as_double(&field)?,
                13 => self.read.max = as_double(&field)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn rejection(&self) -> Option<Rejection> {
        let positive = self.positive.counts.rejection();
        let lists = positive.or_else(|| self.negative.counts.rejection());
        lists.or_else(|| self.exemplars.rejection())
    }

    fn push(&mut self, metric: &Metric<'a>, seconds: i64, notes: &mut Notes) -> Result<()> {
        self.totals.push(self.read, metric.temporality);
        self.scales.push(self.read_scale);
        self.zero_counts.push(self.read_zero_count);
        self.positive.push();
        self.negative.push();
        self.exemplars.push(seconds, notes)
    }

    fn bytes(&self) -> usize {
        self.scales.len() * (size_of::<i32>() + size_of::<u64>())
            + self.totals.bytes()
            + self.positive.bytes()
            + self.negative.bytes()
            + self.exemplars.bytes()
    }

    fn finish(self, notes: &mut Notes) -> Result<Vec<ArrayRef>> {
        let totals = self.totals.finish();
        let mut columns = vec![
            totals.counts,
            totals.sums,
            Arc::new(Int32Array::from(self.scales)),
            Arc::new(UInt64Array::from(self.zero_counts)),
        ];
        columns.extend(self.positive.finish()?);
        columns.extend(self.negative.finish()?);
        columns.extend(self.exemplars.finish(notes)?);
        columns.extend([
            totals.flags,
            totals.mins,
            totals.maxes,
            totals.temporalities,
        ]);
        Ok(columns)
    }
}
