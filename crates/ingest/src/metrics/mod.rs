//! `ExportMetricsServiceRequest` to rows of `otel_metrics_*`: one row per data point, one table per kind of metric.

mod buckets;
mod exemplars;
mod exponential;
mod fields;
mod histogram;
mod metric;
mod number;
mod points;
mod summary;

#[cfg(test)]
mod tests;

use cairn_storage::{Nanos, TableBatch, TableId};

use self::exponential::ExponentialColumns;
use self::histogram::HistogramColumns;
use self::metric::{Kind, Metric};
use self::number::{GaugeColumns, SumColumns};
use self::points::{PointColumns, PointTable};
use self::summary::SummaryColumns;
use crate::attributes::{Envelope, MessageNames, RecordSink, Shared};
use crate::error::Result;
use crate::notes::Tally;

const NAMES: MessageNames = MessageNames {
    request: "ExportMetricsServiceRequest",
    resource: "ResourceMetrics",
    scope: "ScopeMetrics",
};

/// The rows of an encoded request, one batch a table that has any; points without a time are dated `received_at`.
pub(crate) fn decode(request: &[u8], received_at: Nanos) -> Result<(Vec<TableBatch>, Tally)> {
    let mut envelope = Envelope::new();
    let mut sink = MetricSink {
        received_at,
        tables: Tables::default(),
    };
    envelope.walk(request, &NAMES, &mut sink)?;
    sink.tables.finish(envelope)
}

struct MetricSink<'a> {
    received_at: Nanos,
    tables: Tables<'a>,
}

#[derive(Default)]
struct Tables<'a> {
    gauges: PointTable<GaugeColumns<'a>>,
    sums: PointTable<SumColumns<'a>>,
    histograms: PointTable<HistogramColumns<'a>>,
    exponentials: PointTable<ExponentialColumns<'a>>,
    summaries: PointTable<SummaryColumns>,
}

impl<'a> RecordSink<'a> for MetricSink<'a> {
    fn record(
        &mut self,
        bytes: &'a [u8],
        shared: &Shared,
        envelope: &mut Envelope<'a>,
    ) -> Result<()> {
        let metric = Metric::read(bytes)?;
        let tables = &mut self.tables;
        let source = Source {
            metric: &metric,
            shared,
            received_at: self.received_at,
            held_bytes: tables.bytes(),
        };
        match metric.kind {
            None => Ok(()),
            Some(Kind::Gauge) => take_points(&mut tables.gauges, &source, envelope),
            Some(Kind::Sum) => take_points(&mut tables.sums, &source, envelope),
            Some(Kind::Histogram) => take_points(&mut tables.histograms, &source, envelope),
            Some(Kind::ExponentialHistogram) => {
                take_points(&mut tables.exponentials, &source, envelope)
            }
            Some(Kind::Summary) => take_points(&mut tables.summaries, &source, envelope),
        }
    }
}

/// Where the points of one metric come from.
struct Source<'s, 'a> {
    metric: &'s Metric<'a>,
    shared: &'s Shared,
    received_at: Nanos,
    /// What all tables hold before the metric.
    held_bytes: usize,
}

fn take_points<'a, C: PointColumns<'a>>(
    table: &mut PointTable<C>,
    source: &Source<'_, 'a>,
    envelope: &mut Envelope<'a>,
) -> Result<()> {
    let other_bytes = source.held_bytes.saturating_sub(table.bytes());
    let mut fields = source.metric.data_fields();
    while let Some(field) = fields.next()? {
        if field.number != 1 {
            continue;
        }
        envelope.tally.admit()?;
        table.read(field.bytes()?, &mut envelope.set, &mut envelope.tally.notes)?;
        let time = table.time(source.received_at);
        let own = source.metric.rejection.or_else(|| table.rejection());
        if !envelope.admit(source.shared, own, time) {
            continue;
        }
        table.push(source.metric, source.shared, time, envelope)?;
        envelope.push(source.shared, other_bytes + table.bytes())?;
    }
    Ok(())
}

impl<'a> Tables<'a> {
    fn bytes(&self) -> usize {
        self.gauges.bytes()
            + self.sums.bytes()
            + self.histograms.bytes()
            + self.exponentials.bytes()
            + self.summaries.bytes()
    }

    fn finish(self, envelope: Envelope<'a>) -> Result<(Vec<TableBatch>, Tally)> {
        let (shared, mut tally) = envelope.finish()?;
        let notes = &mut tally.notes;
        let batches = [
            self.gauges.finish(TableId::MetricsGauge, &shared, notes)?,
            self.sums.finish(TableId::MetricsSum, &shared, notes)?,
            self.histograms
                .finish(TableId::MetricsHistogram, &shared, notes)?,
            self.exponentials
                .finish(TableId::MetricsExponentialHistogram, &shared, notes)?,
            self.summaries
                .finish(TableId::MetricsSummary, &shared, notes)?,
        ];
        Ok((batches.into_iter().flatten().collect(), tally))
    }
}
