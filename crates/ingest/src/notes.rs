//! What the decoder had to repair, reject or guess, counted. The counters feed metrics and the
//! partial success.

use crate::error::{IngestError, Result};
use crate::limits::{MAX_DECODED_BYTES, MAX_RECORDS_PER_REQUEST};

/// Counters of one request, or of many once added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Notes {
    /// Strings in which invalid UTF-8 was replaced by U+FFFD.
    pub invalid_utf8: u64,
    /// Timestamps after the year 2262, set to its end.
    pub clamped_times: u64,
    /// Records and events without a time of their own.
    pub missing_times: u64,
    /// Values nested deeper than is kept, replaced by `null`.
    pub cut_values: u64,
    /// Spans that end before they start.
    pub negative_durations: u64,
    /// Attributes dropped because the same key came again later.
    pub duplicate_keys: u64,
    /// Trace and span ids of a wrong length, stored as absent.
    pub invalid_ids: u64,
    /// Log bodies whose JSON fields were merged into the attributes.
    pub merged_bodies: u64,
    /// Log bodies whose JSON fields would have passed a bound, so they were not merged.
    pub unmerged_bodies: u64,
}

impl Notes {
    /// Adds the counters of `other`.
    pub fn add(&mut self, other: &Self) {
        self.invalid_utf8 += other.invalid_utf8;
        self.clamped_times += other.clamped_times;
        self.missing_times += other.missing_times;
        self.cut_values += other.cut_values;
        self.negative_durations += other.negative_durations;
        self.duplicate_keys += other.duplicate_keys;
        self.invalid_ids += other.invalid_ids;
        self.merged_bodies += other.merged_bodies;
        self.unmerged_bodies += other.unmerged_bodies;
    }

    /// Every counter with its name, in a fixed order, for metrics.
    #[must_use]
    pub fn named(&self) -> [(&'static str, u64); 9] {
        [
            ("invalid_utf8", self.invalid_utf8),
            ("clamped_times", self.clamped_times),
            ("missing_times", self.missing_times),
            ("cut_values", self.cut_values),
            ("negative_durations", self.negative_durations),
            ("duplicate_keys", self.duplicate_keys),
            ("invalid_ids", self.invalid_ids),
            ("merged_bodies", self.merged_bodies),
            ("unmerged_bodies", self.unmerged_bodies),
        ]
    }
}

/// Why a record was rejected alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// More attributes than [`crate::limits::MAX_ATTRIBUTES_COUNT`].
    AttributeCount,
    /// A key, value, body or label over its bound.
    Length,
    /// More parts than a span or a data point may have.
    PartCount,
    /// Its day would be one too many for the request.
    DayCount,
}

/// Rejected records by reason, and the sentence for the sender.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rejections {
    counts: [u64; 4],
}

/// What became of the records of one request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    /// Records that became rows.
    pub(crate) accepted: u64,
    /// Records that did not.
    pub(crate) rejections: Rejections,
    /// What was repaired.
    pub(crate) notes: Notes,
}

impl Tally {
    /// Counts another record, accepted or not; an error when it is one too many.
    #[inline]
    pub(crate) fn admit(&self) -> Result<()> {
        if self.accepted + self.rejections.total() < MAX_RECORDS_PER_REQUEST {
            Ok(())
        } else {
            Err(IngestError::TooLarge {
                what: "records of one request",
                limit: MAX_RECORDS_PER_REQUEST,
            })
        }
    }
}

/// An error when the columns of a request hold more than they may.
#[inline]
pub(crate) fn check_decoded(bytes: usize) -> Result<()> {
    if bytes <= MAX_DECODED_BYTES {
        Ok(())
    } else {
        Err(IngestError::TooLarge {
            what: "decoded bytes of one request",
            limit: u64::try_from(MAX_DECODED_BYTES).unwrap_or(u64::MAX),
        })
    }
}

impl Rejection {
    const ALL: [Self; 4] = [
        Self::AttributeCount,
        Self::Length,
        Self::PartCount,
        Self::DayCount,
    ];

    fn sentence(self) -> String {
        use crate::limits;
        match self {
            Self::AttributeCount => {
                format!(
                    "more than {} attributes in one set",
                    limits::MAX_ATTRIBUTES_COUNT
                )
            }
            Self::Length => format!(
                "a key over {} bytes, a value over {}, a body over {} or a name over {}",
                limits::MAX_KEY_BYTES,
                limits::MAX_VALUE_BYTES,
                limits::MAX_BODY_BYTES,
                limits::MAX_LABEL_BYTES
            ),
            Self::PartCount => format!(
                "more than {} events or {} links in one span, or {} exemplars or {} buckets in one \
                 data point",
                limits::MAX_EVENTS_COUNT,
                limits::MAX_LINKS_COUNT,
                limits::MAX_EXEMPLARS_COUNT,
                limits::MAX_BUCKETS_COUNT
            ),
            Self::DayCount => format!(
                "more than {} distinct days in one request, send them in several",
                limits::MAX_DAYS_PER_REQUEST
            ),
        }
    }
}

impl Rejections {
    pub(crate) fn count(&mut self, reason: Rejection, records: u64) {
        for (count, known) in self.counts.iter_mut().zip(Rejection::ALL) {
            if known == reason {
                *count += records;
            }
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Empty when nothing was rejected.
    pub(crate) fn message(&self) -> String {
        let parts: Vec<String> = self
            .counts
            .iter()
            .zip(Rejection::ALL)
            .filter(|(count, _)| **count > 0)
            .map(|(count, reason)| format!("{count} rejected: {}", reason.sentence()))
            .collect();
        parts.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adding_sums_every_counter() {
        let mut sum = Notes::default();
        let one = Notes {
            invalid_utf8: 1,
            clamped_times: 2,
            missing_times: 3,
            cut_values: 4,
            negative_durations: 5,
            duplicate_keys: 6,
            invalid_ids: 7,
            merged_bodies: 8,
            unmerged_bodies: 9,
        };
        sum.add(&one);
        sum.add(&one);
        for ((_, twice), (_, once)) in sum.named().into_iter().zip(one.named()) {
            assert_eq!(twice, 2 * once);
        }
    }

    #[test]
    fn the_message_names_each_reason_once() {
        let mut rejections = Rejections::default();
        assert_eq!(rejections.message(), "");
        rejections.count(Rejection::DayCount, 2);
        rejections.count(Rejection::AttributeCount, 1);
        rejections.count(Rejection::DayCount, 1);
        assert_eq!(rejections.total(), 4);
        assert_eq!(
            rejections.message(),
            "1 rejected: more than 4096 attributes in one set; \
             3 rejected: more than 400 distinct days in one request, send them in several"
        );
    }
}
