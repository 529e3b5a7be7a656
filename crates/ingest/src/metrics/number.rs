//! Data points with one value: gauges and sums.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int32Array, UInt32Array};

use super::exemplars::ExemplarColumns;
use super::fields::{as_double, as_int, flags};
use super::metric::Metric;
use super::points::{PointColumns, PointTimes};
use crate::attributes::AttributeSet;
use crate::error::Result;
use crate::notes::{Notes, Rejection};
use crate::otlp::Fields;

/// The own columns of gauges.
#[derive(Debug, Default)]
pub(super) struct GaugeColumns<'a> {
    value: f64,
    flag_bits: u32,
    values: Vec<f64>,
    flags: Vec<u32>,
    exemplars: ExemplarColumns<'a>,
}

impl<'a> PointColumns<'a> for GaugeColumns<'a> {
    fn read(
        &mut self,
        bytes: &'a [u8],
        times: &mut PointTimes,
        set: &mut AttributeSet<'a>,
        notes: &mut Notes,
    ) -> Result<()> {
        (self.value, self.flag_bits) = (0.0, 0);
        self.exemplars.clear();
        let mut fields = Fields::new(bytes, "NumberDataPoint");
        while let Some(field) = fields.next()? {
            match field.number {
                2 => times.start_unix_nano = field.fixed64()?,
                3 => times.time_unix_nano = field.fixed64()?,
                4 => self.value = as_double(&field)?,
                5 => self.exemplars.read(field.bytes()?, notes)?,
                6 => self.value = as_int(&field)?,
                7 => set.add(field.bytes()?, notes)?,
                8 => self.flag_bits = flags(&field)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn rejection(&self) -> Option<Rejection> {
        self.exemplars.rejection()
    }

    fn push(&mut self, _metric: &Metric<'a>, seconds: i64, notes: &mut Notes) -> Result<()> {
        self.values.push(self.value);
        self.flags.push(self.flag_bits);
        self.exemplars.push(seconds, notes)
    }

    fn bytes(&self) -> usize {
        self.values.len() * (size_of::<f64>() + size_of::<u32>()) + self.exemplars.bytes()
    }

    fn finish(self, notes: &mut Notes) -> Result<Vec<ArrayRef>> {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(Float64Array::from(self.values)),
            Arc::new(UInt32Array::from(self.flags)),
        ];
        columns.extend(self.exemplars.finish(notes)?);
        Ok(columns)
    }
}

/// The own columns of sums: those of gauges, and what they add up.
#[derive(Debug, Default)]
pub(super) struct SumColumns<'a> {
    numbers: GaugeColumns<'a>,
    temporalities: Vec<i32>,
    monotonic: Vec<bool>,
}

impl<'a> PointColumns<'a> for SumColumns<'a> {
    fn read(
        &mut self,
        bytes: &'a [u8],
        times: &mut PointTimes,
        set: &mut AttributeSet<'a>,
        notes: &mut Notes,
    ) -> Result<()> {
        self.numbers.read(bytes, times, set, notes)
    }

    fn rejection(&self) -> Option<Rejection> {
        self.numbers.rejection()
    }

    fn push(&mut self, metric: &Metric<'a>, seconds: i64, notes: &mut Notes) -> Result<()> {
        self.temporalities.push(metric.temporality);
        self.monotonic.push(metric.is_monotonic);
        self.numbers.push(metric, seconds, notes)
    }

    fn bytes(&self) -> usize {
        self.monotonic.len() * (size_of::<bool>() + size_of::<i32>()) + self.numbers.bytes()
    }

    fn finish(self, notes: &mut Notes) -> Result<Vec<ArrayRef>> {
        let mut columns = self.numbers.finish(notes)?;
        columns.push(Arc::new(Int32Array::from(self.temporalities)));
        columns.push(Arc::new(BooleanArray::from(self.monotonic)));
        Ok(columns)
    }
}
