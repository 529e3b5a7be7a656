//! A histogram of durations with fixed bounds, cheap enough for every request.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds in microseconds: from what memory takes to what clients give up at.
const BOUNDS_MICROS: [u64; 15] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 10_000_000, 60_000_000,
];

/// Counts durations by size.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    // One more than the bounds: the last counts what is longer than all of them.
    counts: [AtomicU64; BOUNDS_MICROS.len() + 1],
    sum_micros: AtomicU64,
}

/// A histogram as Prometheus wants it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HistogramReading {
    /// Upper bound in seconds and how many durations were at most that long.
    pub(crate) buckets: Vec<(f64, u64)>,
    pub(crate) count: u64,
    pub(crate) sum_seconds: f64,
}

impl Histogram {
    pub(crate) fn record(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_MICROS.partition_point(|&bound| bound < micros);
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum_micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> HistogramReading {
        let mut count = 0;
        let mut buckets = Vec::with_capacity(BOUNDS_MICROS.len());
        for (bound, own) in BOUNDS_MICROS.iter().zip(&self.counts) {
            count += own.load(Ordering::Relaxed);
            buckets.push((Duration::from_micros(*bound).as_secs_f64(), count));
        }
        let longer = self
            .counts
            .last()
            .map_or(0, |own| own.load(Ordering::Relaxed));
        let sum = Duration::from_micros(self.sum_micros.load(Ordering::Relaxed));
        HistogramReading {
            buckets,
            count: count + longer,
            sum_seconds: sum.as_secs_f64(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_count_what_is_at_most_their_bound() {
        let histogram = Histogram::default();
        for micros in [250, 251, 90_000_000] {
            histogram.record(Duration::from_micros(micros));
        }
        let reading = histogram.read();
        assert_eq!(reading.buckets[0], (0.000_25, 1));
        assert_eq!(reading.buckets[1], (0.000_5, 2));
        assert_eq!(reading.buckets.last(), Some(&(60.0, 2)));
        assert_eq!(reading.count, 3);
        assert!((reading.sum_seconds - 90.000_501).abs() < 1e-9);
    }
}
