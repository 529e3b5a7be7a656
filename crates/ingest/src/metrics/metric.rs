//! One metric read from the wire: its name, its kind, and what all its points have in common.

use crate::error::Result;
use crate::limits::MAX_LABEL_BYTES;
use crate::notes::Rejection;
use crate::otlp::Fields;

/// The kinds of metrics, each with a table of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Gauge,
    Sum,
    Histogram,
    ExponentialHistogram,
    Summary,
}

/// A `Metric` with its points still encoded.
#[derive(Debug, Default)]
pub(super) struct Metric<'a> {
    pub(super) name: &'a [u8],
    pub(super) description: &'a [u8],
    pub(super) unit: &'a [u8],
    /// None for a metric without data, or of a kind that does not exist yet.
    pub(super) kind: Option<Kind>,
    data: &'a [u8],
    /// 0 unspecified, 1 delta, 2 cumulative.
    pub(super) temporality: i32,
    pub(super) is_monotonic: bool,
    /// The bound that the metric passes, for all its points.
    pub(super) rejection: Option<Rejection>,
}

impl<'a> Metric<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut metric = Self::default();
        let mut fields = Fields::new(bytes, "Metric");
        while let Some(field) = fields.next()? {
            let kind = match field.number {
                1 => {
                    metric.name = field.bytes()?;
                    continue;
                }
                2 => {
                    metric.description = field.bytes()?;
                    continue;
                }
                3 => {
                    metric.unit = field.bytes()?;
                    continue;
                }
                5 => Kind::Gauge,
                7 => Kind::Sum,
                9 => Kind::Histogram,
                10 => Kind::ExponentialHistogram,
                11 => Kind::Summary,
                _ => continue,
            };
            (metric.kind, metric.data) = (Some(kind), field.bytes()?);
        }
        metric.read_data()?;
        let longest = metric.name.len().max(metric.description.len());
        if longest.max(metric.unit.len()) > MAX_LABEL_BYTES {
            metric.rejection = Some(Rejection::Length);
        }
        Ok(metric)
    }

    /// What stands beside the points; it may come after them.
    fn read_data(&mut self) -> Result<()> {
        let has_temporality = match self.kind {
            Some(Kind::Sum | Kind::Histogram | Kind::ExponentialHistogram) => true,
            Some(Kind::Gauge | Kind::Summary) | None => false,
        };
        if !has_temporality {
            return Ok(());
        }
        let mut fields = self.data_fields();
        while let Some(field) = fields.next()? {
            match field.number {
                2 => {
                    let number = field.varint()?.cast_signed();
                    self.temporality = i32::try_from(number).unwrap_or_default();
                }
                3 if self.kind == Some(Kind::Sum) => self.is_monotonic = field.varint()? != 0,
                _ => {}
            }
        }
        Ok(())
    }

    /// The fields of `Gauge`, `Sum` and so on; number 1 is a data point in all of them.
    pub(super) fn data_fields(&self) -> Fields<'a> {
        let message = match self.kind {
            Some(Kind::Gauge) | None => "Gauge",
            Some(Kind::Sum) => "Sum",
            Some(Kind::Histogram) => "Histogram",
            Some(Kind::ExponentialHistogram) => "ExponentialHistogram",
            Some(Kind::Summary) => "Summary",
        };
        Fields::new(self.data, message)
    }
}
