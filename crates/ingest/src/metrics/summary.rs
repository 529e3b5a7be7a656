//! Data points of summaries.

use arrow::array::ArrayRef;

use super::buckets::NumberLists;
use super::fields::{as_double, flags};
use super::histogram::{TotalColumns, Totals};
use super::metric::Metric;
use super::points::{PointColumns, PointTimes};
use crate::attributes::AttributeSet;
use crate::error::Result;
use crate::notes::{Notes, Rejection};
use crate::otlp::Fields;

/// The own columns of summaries.
#[derive(Debug, Default)]
pub(super) struct SummaryColumns {
    read: Totals,
    totals: TotalColumns,
    quantiles: NumberLists<f64>,
    values: NumberLists<f64>,
}

impl SummaryColumns {
    fn read_quantile(&mut self, bytes: &[u8]) -> Result<()> {
        let (mut quantile, mut value) = (0.0, 0.0);
        let mut fields = Fields::new(bytes, "ValueAtQuantile");
        while let Some(field) = fields.next()? {
            match field.number {
                1 => quantile = as_double(&field)?,
                2 => value = as_double(&field)?,
                _ => {}
            }
        }
        self.quantiles.add(quantile);
        self.values.add(value);
        Ok(())
    }
}

impl<'a> PointColumns<'a> for SummaryColumns {
    fn read(
        &mut self,
        bytes: &'a [u8],
        times: &mut PointTimes,
        set: &mut AttributeSet<'a>,
        notes: &mut Notes,
    ) -> Result<()> {
        self.read = Totals::default();
        self.quantiles.clear();
        self.values.clear();
        let mut fields = Fields::new(bytes, "SummaryDataPoint");
        while let Some(field) = fields.next()? {
            match field.number {
                2 => times.start_unix_nano = field.fixed64()?,
                3 => times.time_unix_nano = field.fixed64()?,
                4 => self.read.count = field.fixed64()?,
                5 => self.read.sum = as_double(&field)?,
                6 => self.read_quantile(field.bytes()?)?,
                7 => set.add(field.bytes()?, notes)?,
                8 => self.read.flags = flags(&field)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn rejection(&self) -> Option<Rejection> {
        self.quantiles.rejection()
    }

    fn push(&mut self, metric: &Metric<'a>, _seconds: i64, _notes: &mut Notes) -> Result<()> {
        self.totals.push(self.read, metric.temporality);
        self.quantiles.push();
        self.values.push();
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.totals.bytes() + self.quantiles.bytes() + self.values.bytes()
    }

    fn finish(self, _notes: &mut Notes) -> Result<Vec<ArrayRef>> {
        let totals = self.totals.finish();
        Ok(vec![
            totals.counts,
            totals.sums,
            self.quantiles.finish()?,
            self.values.finish()?,
            totals.flags,
        ])
    }
}
