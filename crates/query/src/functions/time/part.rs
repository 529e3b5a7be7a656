//! Parts of times: year, hour, week of the year, Unix seconds.

use datafusion::arrow::datatypes::Int64Type;

use super::civil::{Civil, DAY_S, iso_week, monday, weekday};
use super::instant::{Grain, TimeKind, Times, power_of_ten};
use super::zone::parse_zone;
use crate::error::{ErrorCode, Result};
use crate::functions::kernel::{Context, Resolved};
use crate::functions::rows::{Longs, numbers};
use crate::functions::signature::{Call, Entry, strict};
use crate::functions::wrap::wrap;
use crate::types::Type;
use chrono_tz::Tz;

pub(super) static ENTRIES: &[Entry] = &[
    strict("toYear", (1, 2), |call| {
        day_part(call, Type::UInt16, |d| Civil::of(d).year)
    }),
    strict("YEAR", (1, 2), |call| {
        day_part(call, Type::UInt16, |d| Civil::of(d).year)
    })
    .any_case(),
    strict("toQuarter", (1, 2), |call| {
        day_part(call, Type::UInt8, |d| (Civil::of(d).month + 2) / 3)
    }),
    strict("QUARTER", (1, 2), |call| {
        day_part(call, Type::UInt8, |d| (Civil::of(d).month + 2) / 3)
    })
    .any_case(),
    strict("toMonth", (1, 2), |call| {
        day_part(call, Type::UInt8, |d| Civil::of(d).month)
    }),
    strict("MONTH", (1, 2), |call| {
        day_part(call, Type::UInt8, |d| Civil::of(d).month)
    })
    .any_case(),
    strict("toDayOfMonth", (1, 2), |call| {
        day_part(call, Type::UInt8, |d| Civil::of(d).day)
    }),
    strict("DAY", (1, 2), |call| {
        day_part(call, Type::UInt8, |d| Civil::of(d).day)
    })
    .any_case(),
    strict("DAYOFMONTH", (1, 2), |call| {
        day_part(call, Type::UInt8, |d| Civil::of(d).day)
    })
    .any_case(),
    strict("toDayOfYear", (1, 2), |call| {
        day_part(call, Type::UInt16, |d| Civil::of(d).day_of_year())
    }),
    strict("DAYOFYEAR", (1, 2), |call| {
        day_part(call, Type::UInt16, |d| Civil::of(d).day_of_year())
    })
    .any_case(),
    strict("toDayOfWeek", (1, 3), day_of_week),
    strict("DAYOFWEEK", (1, 3), day_of_week).any_case(),
    strict("toISOYear", (1, 2), |call| {
        day_part(call, Type::UInt16, |d| iso_week(d).0)
    }),
    strict("toISOWeek", (1, 2), |call| {
        day_part(call, Type::UInt8, |d| iso_week(d).1)
    }),
    strict("toYYYYMM", (1, 2), |call| {
        day_part(call, Type::UInt32, |d| {
            Civil::of(d).year * 100 + Civil::of(d).month
        })
    }),
    strict("toYYYYMMDD", (1, 2), |call| {
        day_part(call, Type::UInt32, yyyymmdd)
    }),
    strict("toYYYYMMDDhhmmss", (1, 2), |call| {
        second_part(call, Type::UInt64, |s| {
            let clock = s.rem_euclid(DAY_S);
            let time = clock / 3600 * 10_000 + clock / 60 % 60 * 100 + clock % 60;
            yyyymmdd(s.div_euclid(DAY_S)) * 1_000_000 + time
        })
    }),
    strict("toHour", (1, 2), |call| {
        second_part(call, Type::UInt8, |s| s.rem_euclid(DAY_S) / 3600)
    }),
    strict("HOUR", (1, 2), |call| {
        second_part(call, Type::UInt8, |s| s.rem_euclid(DAY_S) / 3600)
    })
    .any_case(),
    strict("toMinute", (1, 2), |call| {
        second_part(call, Type::UInt8, |s| s.rem_euclid(3600) / 60)
    }),
    strict("MINUTE", (1, 2), |call| {
        second_part(call, Type::UInt8, |s| s.rem_euclid(3600) / 60)
    })
    .any_case(),
    strict("toSecond", (1, 2), |call| {
        second_part(call, Type::UInt8, |s| s.rem_euclid(60))
    }),
    strict("SECOND", (1, 2), |call| {
        second_part(call, Type::UInt8, |s| s.rem_euclid(60))
    })
    .any_case(),
    strict("toMillisecond", (1, 2), millisecond).any_case(),
    strict("toUnixTimestamp64Second", (1, 1), |call| ticks(call, 0)),
    strict("toUnixTimestamp64Milli", (1, 1), |call| ticks(call, 3)),
    strict("toUnixTimestamp64Micro", (1, 1), |call| ticks(call, 6)),
    strict("toUnixTimestamp64Nano", (1, 1), |call| ticks(call, 9)),
    strict("fromUnixTimestamp64Second", (1, 2), |call| {
        from_ticks(call, 0)
    }),
    strict("fromUnixTimestamp64Milli", (1, 2), |call| {
        from_ticks(call, 3)
    }),
    strict("fromUnixTimestamp64Micro", (1, 2), |call| {
        from_ticks(call, 6)
    }),
    strict("fromUnixTimestamp64Nano", (1, 2), |call| {
        from_ticks(call, 9)
    }),
];

fn yyyymmdd(day: i64) -> i64 {
    let civil = Civil::of(day);
    civil.year * 10_000 + civil.month * 100 + civil.day
}

pub(super) fn kind(call: &Call<'_>, i: usize, zone: Option<&str>) -> Result<TimeKind> {
    TimeKind::of(call.ty(i), zone, call.context)?.ok_or_else(|| call.illegal(i))
}

/// The zone of a type, else the session's.
pub(super) fn zone_of(ty: &Type, context: &Context) -> Result<Tz> {
    let own = if let Type::DateTime(zone) | Type::DateTime64(_, zone) = ty {
        zone.as_deref()
    } else {
        None
    };
    parse_zone(own.unwrap_or(&context.timezone))
}

fn day_part(call: &Call<'_>, ty: Type, part: fn(i64) -> i64) -> Result<Resolved> {
    let kind = kind(call, 0, call.optional_text(1)?)?;
    let physical = ty.arrow();
    Ok(Resolved::new(ty, move |cols, rows| {
        let times = Times::of(cols, 0, kind)?;
        let longs = numbers::<Int64Type>(cols, rows, |row| Ok(part(times.local_day(row))))?;
        wrap(&longs, &physical)
    }))
}

fn second_part(call: &Call<'_>, ty: Type, part: fn(i64) -> i64) -> Result<Resolved> {
    let kind = kind(call, 0, call.optional_text(1)?)?;
    if kind.grain == Grain::Day && call.name != "toYYYYMMDDhhmmss" {
        return Err(call.illegal(0));
    }
    let physical = ty.arrow();
    Ok(Resolved::new(ty, move |cols, rows| {
        let times = Times::of(cols, 0, kind)?;
        let longs = numbers::<Int64Type>(cols, rows, |row| Ok(part(times.local_s(row))))?;
        wrap(&longs, &physical)
    }))
}

fn day_of_week(call: &Call<'_>) -> Result<Resolved> {
    let kind = kind(call, 0, call.optional_text(2)?)?;
    let mode = if call.args.len() > 1 {
        call.constant_integer(1)?
    } else {
        0
    };
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let times = Times::of(cols, 0, kind)?;
        let longs = numbers::<Int64Type>(cols, rows, |row| {
            let from_monday = weekday(times.local_day(row));
            Ok(match mode & 3 {
                0 => from_monday,
                1 => from_monday - 1,
                2 => from_monday % 7,
                _ => from_monday % 7 + 1,
            })
        })?;
        wrap(&longs, &Type::UInt8.arrow())
    }))
}

fn millisecond(call: &Call<'_>) -> Result<Resolved> {
    let kind = kind(call, 0, call.optional_text(1)?)?;
    Ok(Resolved::new(Type::UInt16, move |cols, rows| {
        let times = Times::of(cols, 0, kind)?;
        let longs = numbers::<Int64Type>(cols, rows, |row| Ok(times.fraction_ns(row) / 1_000_000))?;
        wrap(&longs, &Type::UInt16.arrow())
    }))
}

fn ticks(call: &Call<'_>, scale: u8) -> Result<Resolved> {
    if !matches!(call.ty(0), Type::DateTime64(..)) {
        return Err(call.fail(
            ErrorCode::IllegalTypeOfArgument,
            "the first argument must be of type DateTime64",
        ));
    }
    let kind = kind(call, 0, None)?;
    Ok(Resolved::new(Type::Int64, move |cols, rows| {
        let times = Times::of(cols, 0, kind)?;
        numbers::<Int64Type>(cols, rows, |row| Ok(times.ticks(row, scale)))
    }))
}

fn from_ticks(call: &Call<'_>, scale: u8) -> Result<Resolved> {
    call.want_integer(&[0])?;
    let zone = call.optional_text(1)?.map(str::to_owned);
    Ok(Resolved::new(
        Type::DateTime64(scale, zone),
        |cols, rows| {
            let longs = Longs::of(cols, 0)?;
            numbers::<Int64Type>(cols, rows, |row| Ok(longs.get(row)))
        },
    ))
}

/// The first day of the week of `day`: Sunday for even modes, Monday for odd ones.
pub(super) fn week_start(day: i64, mode: i64) -> i64 {
    if mode & 1 == 1 {
        monday(day)
    } else {
        day - weekday(day) % 7
    }
}

/// Ticks of `to` from ticks of `from`, rounding towards the past.
pub(in crate::functions) fn rescale(value: i64, from: u8, to: u8) -> i64 {
    if to >= from {
        value.saturating_mul(power_of_ten(to - from))
    } else {
        value.div_euclid(power_of_ten(from - to))
    }
}
