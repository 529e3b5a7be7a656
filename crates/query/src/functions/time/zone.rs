//! Zones: offsets of instants, instants of local times. Offsets are remembered per quarter of an hour.

use std::cell::Cell;

use chrono::{DateTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

use crate::error::{ErrorCode, QueryError, Result};

const QUARTER_HOUR_S: i64 = 900;

/// A zone with its last answer. One per batch, not shared.
#[derive(Debug)]
pub(crate) struct Zone {
    tz: Tz,
    utc: bool,
    last: Cell<(i64, i64)>,
}

/// The zone called `name`.
pub(crate) fn parse_zone(name: &str) -> Result<Tz> {
    name.parse().map_err(|_| {
        QueryError::new(
            ErrorCode::BadArguments,
            format!("Cannot load time zone {name}"),
        )
    })
}

impl Zone {
    pub(crate) fn new(tz: Tz) -> Self {
        Self {
            tz,
            utc: matches!(tz, Tz::UTC | Tz::Etc__UTC | Tz::GMT),
            last: Cell::new((i64::MIN, 0)),
        }
    }

    /// Seconds that local time is ahead of UTC at an instant.
    pub(crate) fn offset_s(&self, utc_s: i64) -> i64 {
        if self.utc {
            return 0;
        }
        let bucket = utc_s.div_euclid(QUARTER_HOUR_S);
        let (known, offset) = self.last.get();
        if known == bucket {
            return offset;
        }
        let offset = DateTime::from_timestamp(utc_s, 0).map_or(0, |at| {
            i64::from(
                self.tz
                    .offset_from_utc_datetime(&at.naive_utc())
                    .fix()
                    .local_minus_utc(),
            )
        });
        self.last.set((bucket, offset));
        offset
    }

    /// Local seconds of an instant.
    pub(crate) fn local_s(&self, utc_s: i64) -> i64 {
        utc_s.saturating_add(self.offset_s(utc_s))
    }

    /// The instant of a local time: the earlier of two, the moment after a gap.
    pub(crate) fn utc_s(&self, local_s: i64) -> i64 {
        if self.utc {
            return local_s;
        }
        let naive: Option<NaiveDateTime> =
            DateTime::from_timestamp(local_s, 0).map(|at| at.naive_utc());
        let found = naive.and_then(|naive| self.tz.from_local_datetime(&naive).earliest());
        match found {
            Some(at) => at.timestamp(),
            None => local_s - self.offset_s(local_s - self.offset_s(local_s)),
        }
    }
}
