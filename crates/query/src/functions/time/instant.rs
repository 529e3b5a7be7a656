//! Reading days and points in time as one thing: local and UTC seconds with a fraction.

use chrono_tz::Tz;
use datafusion::error::Result as DfResult;

use super::civil::DAY_S;
use super::zone::{Zone, parse_zone};
use crate::error::Result;
use crate::functions::kernel::{Col, Context};
use crate::functions::rows::Longs;
use crate::types::Type;

/// What the stored number of a time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grain {
    /// Days.
    Day,
    /// Seconds.
    Second,
    /// 10^-scale seconds.
    Tick(u8),
}

/// How to read a time type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeKind {
    pub(crate) grain: Grain,
    pub(crate) tz: Tz,
}

impl TimeKind {
    /// Of a time type; `None` for anything else. `zone` overrides the type's.
    pub(crate) fn of(ty: &Type, zone: Option<&str>, context: &Context) -> Result<Option<Self>> {
        let (grain, own) = if let Type::DateTime64(scale, own) = ty {
            (Grain::Tick(*scale), own.as_deref())
        } else if let Type::DateTime(own) = ty {
            (Grain::Second, own.as_deref())
        } else if matches!(ty, Type::Date | Type::Date32) {
            (Grain::Day, None)
        } else {
            return Ok(None);
        };
        let tz = parse_zone(zone.or(own).unwrap_or(&context.timezone))?;
        Ok(Some(Self { grain, tz }))
    }
}

/// Times of an argument.
pub(crate) struct Times {
    longs: Longs,
    grain: Grain,
    pub(crate) zone: Zone,
    per_second: i64,
}

/// 10^scale.
pub(crate) fn power_of_ten(scale: u8) -> i64 {
    10_i64.pow(u32::from(scale.min(18)))
}

impl Times {
    pub(crate) fn of(cols: &[Col], i: usize, kind: TimeKind) -> DfResult<Self> {
        Ok(Self {
            longs: Longs::of(cols, i)?,
            grain: kind.grain,
            zone: Zone::new(kind.tz),
            per_second: match kind.grain {
                Grain::Tick(scale) => power_of_ten(scale),
                Grain::Day | Grain::Second => 1,
            },
        })
    }

    /// The stored number.
    pub(crate) fn raw(&self, row: usize) -> i64 {
        self.longs.get(row)
    }

    /// Seconds since 1970 in UTC; of a day, its local midnight.
    pub(crate) fn utc_s(&self, row: usize) -> i64 {
        match self.grain {
            Grain::Day => self.zone.utc_s(self.raw(row).saturating_mul(DAY_S)),
            Grain::Second => self.raw(row),
            Grain::Tick(_) => self.raw(row).div_euclid(self.per_second),
        }
    }

    /// Local seconds since 1970.
    pub(crate) fn local_s(&self, row: usize) -> i64 {
        match self.grain {
            Grain::Day => self.raw(row).saturating_mul(DAY_S),
            Grain::Second | Grain::Tick(_) => self.zone.local_s(self.utc_s(row)),
        }
    }

    /// Local day number.
    pub(crate) fn local_day(&self, row: usize) -> i64 {
        match self.grain {
            Grain::Day => self.raw(row),
            Grain::Second | Grain::Tick(_) => self.local_s(row).div_euclid(DAY_S),
        }
    }

    /// Nanoseconds after the second.
    pub(crate) fn fraction_ns(&self, row: usize) -> i64 {
        match self.grain {
            Grain::Day | Grain::Second => 0,
            Grain::Tick(_) => {
                self.raw(row).rem_euclid(self.per_second) * (1_000_000_000 / self.per_second)
            }
        }
    }

    /// The instant in ticks of `scale`, saturating.
    pub(crate) fn ticks(&self, row: usize, scale: u8) -> i64 {
        let fraction = self.fraction_ns(row) / power_of_ten(9 - scale.min(9));
        self.utc_s(row)
            .saturating_mul(power_of_ten(scale))
            .saturating_add(fraction)
    }
}
