//! Identifiers that cross room borders, as newtypes: never a bare number.
//!
//! Each prints and parses its own text form, because the text is what file names are made of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Position of a record in the WAL, counted from 1 for the life of a data directory. 0 means "nothing yet".
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct WalSeq(pub u64);

/// Number of a manifest version, counted from 1. 0 is the empty store.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Version(pub u64);

/// Globally unique name of a segment: a UUIDv7, so that names sort by creation time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(u128);

/// A stored table. The number is on disk (manifest, segment footer): never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TableId {
    /// `otel_logs`
    Logs,
    /// `otel_traces`
    Traces,
    /// `otel_metrics_gauge`
    MetricsGauge,
    /// `otel_metrics_sum`
    MetricsSum,
    /// `otel_metrics_histogram`
    MetricsHistogram,
    /// `otel_metrics_exponential_histogram`
    MetricsExponentialHistogram,
    /// `otel_metrics_summary`
    MetricsSummary,
}

/// What kind of telemetry a WAL record carries. The number is on disk: never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// OTLP `ExportLogsServiceRequest`
    Logs,
    /// OTLP `ExportTraceServiceRequest`
    Traces,
    /// OTLP `ExportMetricsServiceRequest`
    Metrics,
}

impl WalSeq {
    /// The sequence that follows this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl Version {
    /// The version that follows this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl SegmentId {
    /// A new, never used id.
    #[must_use]
    pub fn generate() -> Self {
        Self(uuid::Uuid::now_v7().as_u128())
    }
}

impl TableId {
    /// Every stored table, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Logs,
        Self::Traces,
        Self::MetricsGauge,
        Self::MetricsSum,
        Self::MetricsHistogram,
        Self::MetricsExponentialHistogram,
        Self::MetricsSummary,
    ];

    /// The number that stands for this table on disk.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Logs => 1,
            Self::Traces => 2,
            Self::MetricsGauge => 3,
            Self::MetricsSum => 4,
            Self::MetricsHistogram => 5,
            Self::MetricsExponentialHistogram => 6,
            Self::MetricsSummary => 7,
        }
    }

    /// The table of an on-disk number; `None` for a number this release does not know.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.number() == number)
    }

    /// The SQL name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Logs => "otel_logs",
            Self::Traces => "otel_traces",
            Self::MetricsGauge => "otel_metrics_gauge",
            Self::MetricsSum => "otel_metrics_sum",
            Self::MetricsHistogram => "otel_metrics_histogram",
            Self::MetricsExponentialHistogram => "otel_metrics_exponential_histogram",
            Self::MetricsSummary => "otel_metrics_summary",
        }
    }
}

impl Signal {
    /// Every signal, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Logs, Self::Traces, Self::Metrics];

    /// The number that stands for this signal in a WAL record.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Logs => 1,
            Self::Traces => 2,
            Self::Metrics => 3,
        }
    }

    /// The signal of an on-disk number; `None` for a number this release does not know.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|signal| signal.number() == number)
    }

    /// Lower-case name for metrics and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Traces => "traces",
            Self::Metrics => "metrics",
        }
    }
}

impl fmt::Display for WalSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SegmentId({self})")
    }
}

/// The text is not 32 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a segment id is 32 lower-case hex digits")]
pub struct BadSegmentId;

impl FromStr for SegmentId {
    type Err = BadSegmentId;

    fn from_str(text: &str) -> Result<Self, BadSegmentId> {
        let lower_hex = text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if text.len() != 32 || !lower_hex {
            return Err(BadSegmentId);
        }
        u128::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| BadSegmentId)
    }
}

// The manifest stores ids as what they print and tables as their numbers.
impl Serialize for SegmentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SegmentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl Serialize for TableId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.number())
    }
}

impl<'de> Deserialize<'de> for TableId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u8::deserialize(deserializer)?;
        Self::from_number(number)
            .ok_or_else(|| serde::de::Error::custom(format!("unknown table number `{number}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segment_ids_print_and_parse_back() {
        let id = SegmentId::generate();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(
            "../../../../etc/passwd".parse::<SegmentId>(),
            Err(BadSegmentId)
        );
        assert_eq!(
            "0123456789ABCDEF0123456789ABCDEF".parse::<SegmentId>(),
            Err(BadSegmentId)
        );
    }

    #[test]
    fn table_and_signal_numbers_round_trip() {
        for table in TableId::ALL {
            assert_eq!(TableId::from_number(table.number()), Some(table));
        }
        for signal in Signal::ALL {
            assert_eq!(Signal::from_number(signal.number()), Some(signal));
        }
        assert_eq!(TableId::from_number(0), None);
    }
}
