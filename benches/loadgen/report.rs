//! Counts and latencies of a run, and how they are shown.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What one connection saw; added up at the end.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) rejected_rows: u64,
    pub(crate) retries: u64,
    /// Requests given up, by reason.
    pub(crate) lost: BTreeMap<String, u64>,
    pub(crate) latencies: Vec<Duration>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.rows += other.rows;
        self.bytes += other.bytes;
        self.rejected_rows += other.rejected_rows;
        self.retries += other.retries;
        for (reason, count) in other.lost {
            *self.lost.entry(reason).or_default() += count;
        }
        self.latencies.extend(other.latencies);
    }
}

/// A finished run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) tally: Tally,
    pub(crate) elapsed: Duration,
}

impl Report {
    /// `latencies` must be sorted.
    fn percentile(&self, percent: usize) -> Duration {
        let latencies = &self.tally.latencies;
        let place = latencies.len().saturating_sub(1) * percent / 100;
        latencies.get(place).copied().unwrap_or_default()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tally = &self.tally;
        let millis = u64::try_from(self.elapsed.as_millis())
            .unwrap_or(u64::MAX)
            .max(1);
        let rows_per_s = u128::from(tally.rows) * 1_000 / u128::from(millis);
        let kb_per_s = u128::from(tally.bytes) / u128::from(millis);
        writeln!(
            f,
            "rows       {} in {:.1} s = {rows_per_s} rows/s",
            tally.rows,
            self.elapsed.as_secs_f64()
        )?;
        let (whole, tenth) = (kb_per_s / 1_000, kb_per_s % 1_000 / 100);
        writeln!(
            f,
            "bytes      {} of OTLP = {whole}.{tenth} MB/s",
            tally.bytes
        )?;
        writeln!(
            f,
            "latency    p50 {:.1?}  p95 {:.1?}  p99 {:.1?}  max {:.1?}  ({} requests)",
            self.percentile(50),
            self.percentile(95),
            self.percentile(99),
            self.percentile(100),
            tally.requests,
        )?;
        writeln!(f, "rejected   {} rows", tally.rejected_rows)?;
        writeln!(f, "retries    {}", tally.retries)?;
        for (reason, count) in &tally.lost {
            writeln!(f, "lost       {count} requests: {reason}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_percentiles_are_those_of_the_run() {
        let report = Report {
            tally: Tally {
                requests: 100,
                rows: 50_000,
                bytes: 25_000_000,
                latencies: (1..=100).map(Duration::from_millis).collect(),
                ..Tally::default()
            },
            elapsed: Duration::from_millis(500),
        };
        let text = report.to_string();
        assert!(text.contains("= 100000 rows/s"), "{text}");
        assert!(text.contains("= 50.0 MB/s"), "{text}");
        assert!(
            text.contains("p50 50.0ms  p95 95.0ms  p99 99.0ms  max 100.0ms"),
            "{text}"
        );
    }
}
