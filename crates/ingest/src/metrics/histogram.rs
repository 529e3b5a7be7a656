//! Data points of histograms with explicit bounds.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, UInt32Array, UInt64Array};

use super::buckets::NumberLists;
use super::exemplars::ExemplarColumns;
use super::fields::{as_double, flags};
use super::metric::Metric;
use super::points::{PointColumns, PointTimes};
use crate::attributes::AttributeSet;
use crate::error::Result;
use crate::notes::{Notes, Rejection};
use crate::otlp::Fields;

/// What both kinds of histograms and summaries say of all values together; 0 when absent.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) count: u64,
    pub(super) sum: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) flags: u32,
}

/// Columns of [`Totals`].
#[derive(Debug, Default)]
pub(super) struct TotalColumns {
    counts: Vec<u64>,
    sums: Vec<f64>,
    mins: Vec<f64>,
    maxes: Vec<f64>,
    flags: Vec<u32>,
    temporalities: Vec<i32>,
}

/// Arrays of [`Totals`].
pub(super) struct TotalArrays {
    pub(super) counts: ArrayRef,
    pub(super) sums: ArrayRef,
    pub(super) mins: ArrayRef,
    pub(super) maxes: ArrayRef,
    pub(super) flags: ArrayRef,
    pub(super) temporalities: ArrayRef,
}

impl TotalColumns {
    pub(super) fn push(&mut self, totals: Totals, temporality: i32) {
        self.counts.push(totals.count);
        self.sums.push(totals.sum);
        self.mins.push(totals.min);
        self.maxes.push(totals.max);
        self.flags.push(totals.flags);
        self.temporalities.push(temporality);
    }

    pub(super) fn bytes(&self) -> usize {
        self.counts.len() * (4 * size_of::<u64>() + 2 * size_of::<u32>())
    }

    pub(super) fn finish(self) -> TotalArrays {
        TotalArrays {
            counts: Arc::new(UInt64Array::from(self.counts)),
            sums: Arc::new(Float64Array::from(self.sums)),
            mins: Arc::new(Float64Array::from(self.mins)),
            maxes: Arc::new(Float64Array::from(self.maxes)),
            flags: Arc::new(UInt32Array::from(self.flags)),
            temporalities: Arc::new(Int32Array::from(self.temporalities)),
        }
    }
}

/// The own columns of histograms.
#[derive(Debug, Default)]
pub(super) struct HistogramColumns<'a> {
    read: Totals,
    totals: TotalColumns,
    counts: NumberLists<u64>,
    bounds: NumberLists<f64>,
    exemplars: ExemplarColumns<'a>,
}

impl<'a> PointColumns<'a> for HistogramColumns<'a> {
    fn read(
        &mut self,
        bytes: &'a [u8],
        times: &mut PointTimes,
        set: &mut AttributeSet<'a>,
        notes: &mut Notes,
    ) -> Result<()> {
        self.read = Totals::default();
        self.counts.clear();
        self.bounds.clear();
        self.exemplars.clear();
        let mut fields = Fields::new(bytes, "HistogramDataPoint");
        while let Some(field) = fields.next()? {
            match field.number {
                2 => times.start_unix_nano = field.fixed64()?,
                3 => times.time_unix_nano = field.fixed64()?,
                4 => self.read.count = field.fixed64()?,
                5 => self.read.sum = as_double(&field)?,
                6 => field.each_fixed64(&mut |count| self.counts.add(count))?,
                7 => field.each_fixed64(&mut |bits| self.bounds.add(f64::from_bits(bits)))?,
                8 => self.exemplars.read(field.bytes()?, notes)?,
                9 => set.add(field.bytes()?, notes)?,
                10 => self.read.flags = flags(&field)?,
                11 => self.read.min = as_double(&field)?,
                12 => self.read.max = as_double(&field)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn rejection(&self) -> Option<Rejection> {
        let lists = self.counts.rejection().or_else(|| self.bounds.rejection());
        lists.or_else(|| self.exemplars.rejection())
    }

    fn push(&mut self, metric: &Metric<'a>, seconds: i64, notes: &mut Notes) -> Result<()> {
        self.totals.push(self.read, metric.temporality);
        self.counts.push();
        self.bounds.push();
        self.exemplars.push(seconds, notes)
    }

    fn bytes(&self) -> usize {
        self.totals.bytes() + self.counts.bytes() + self.bounds.bytes() + self.exemplars.bytes()
    }

    fn finish(self, notes: &mut Notes) -> Result<Vec<ArrayRef>> {
        let totals = self.totals.finish();
        let mut columns = vec![
            totals.counts,
            totals.sums,
            self.counts.finish()?,
            self.bounds.finish()?,
        ];
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
