//! Counted days, weeks and hours; times put together from parts and taken apart again.

use datafusion::arrow::datatypes::Int64Type;

use super::civil::{Civil, DAY_S, days_of_month, iso_week, weekday};
use super::instant::{Grain, TimeKind, Times, power_of_ten};
use super::part::kind;
use super::zone::{Zone, parse_zone};
use crate::error::{ErrorCode, Result};
use crate::functions::kernel::Resolved;
use crate::functions::rows::{Longs, arg, numbers};
use crate::functions::signature::{Call, Entry, strict};
use crate::functions::wrap::wrap;
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    strict("toRelativeYearNum", (1, 2), |call| {
        counted(call, Type::UInt16, |t, row| {
            Civil::of(t.local_day(row)).year
        })
    }),
    strict("toRelativeQuarterNum", (1, 2), |call| {
        counted(call, Type::UInt32, |t, row| {
            let civil = Civil::of(t.local_day(row));
            civil.year * 4 + (civil.month - 1) / 3
        })
    }),
    strict("toRelativeMonthNum", (1, 2), |call| {
        counted(call, Type::UInt32, |t, row| {
            let civil = Civil::of(t.local_day(row));
            civil.year * 12 + civil.month
        })
    }),
    strict("toRelativeWeekNum", (1, 2), |call| {
        counted(call, Type::UInt32, |t, row| {
            (t.local_day(row) + 8 - weekday(t.local_day(row))).div_euclid(7)
        })
    }),
    strict("toRelativeDayNum", (1, 2), |call| {
        counted(call, Type::UInt32, Times::local_day)
    }),
    strict("toRelativeHourNum", (1, 2), |call| {
        counted(call, Type::UInt32, |t, row| t.utc_s(row).div_euclid(3600))
    }),
    strict("toRelativeMinuteNum", (1, 2), |call| {
        counted(call, Type::UInt32, |t, row| t.utc_s(row).div_euclid(60))
    }),
    strict("toRelativeSecondNum", (1, 2), |call| {
        counted(call, Type::UInt32, Times::utc_s)
    }),
    strict("toDaysSinceYearZero", (1, 2), |call| {
        counted(call, Type::UInt32, |t, row| t.local_day(row) + 719_528)
    }),
    strict("TO_DAYS", (1, 2), |call| {
        counted(call, Type::UInt32, |t, row| t.local_day(row) + 719_528)
    })
    .any_case(),
    strict("toWeek", (1, 3), |call| week(call, Type::UInt8)),
    strict("WEEK", (1, 3), |call| week(call, Type::UInt8)).any_case(),
    strict("toYearWeek", (1, 3), |call| week(call, Type::UInt32)),
    strict("YEARWEEK", (1, 3), |call| week(call, Type::UInt32)).any_case(),
    strict("toStartOfISOYear", (1, 2), |call| {
        counted(call, Type::Date, |t, row| {
            let year = iso_week(t.local_day(row)).0;
            let fourth = Civil {
                year,
                month: 1,
                day: 4,
            }
            .days();
            fourth - (weekday(fourth) - 1)
        })
    }),
    strict("toLastDayOfWeek", (1, 3), |call| {
        let mode = mode_of(call)?;
        week_days(call, move |day| super::part::week_start(day, mode) + 6)
    }),
    strict("LAST_DAY", (1, 2), |call| {
        counted(call, Type::Date, |t, row| {
            let civil = Civil::of(t.local_day(row));
            t.local_day(row) - civil.day + days_of_month(civil.year, civil.month)
        })
    })
    .any_case(),
    strict("makeDate", (2, 3), |call| make_date(call, Type::Date)).any_case(),
    strict("makeDate32", (2, 3), |call| make_date(call, Type::Date32)),
    strict("makeDateTime", (6, 7), |call| make_time(call, false)).any_case(),
    strict("makeDateTime64", (6, 9), |call| make_time(call, true)).any_case(),
    strict("YYYYMMDDToDate", (1, 1), |call| {
        from_digits(call, Type::Date)
    }),
    strict("YYYYMMDDToDate32", (1, 1), |call| {
        from_digits(call, Type::Date32)
    }),
    strict("YYYYMMDDhhmmssToDateTime", (1, 2), |call| {
        let zone = call.optional_text(1)?.map(str::to_owned);
        from_digits(call, Type::DateTime(zone))
    }),
    strict("fromDaysSinceYearZero", (1, 1), |call| {
        call.want_integer(&[0])?;
        Ok(Resolved::new(Type::Date, |cols, rows| {
            let days = Longs::of(cols, 0)?;
            let all = numbers::<Int64Type>(cols, rows, |row| {
                Ok(days.get(row).saturating_sub(719_528).clamp(0, 65_535))
            })?;
            wrap(&all, &Type::Date.arrow())
        }))
    }),
    strict("changeYear", (2, 2), |call| changed(call, Part::Year)),
    strict("changeMonth", (2, 2), |call| changed(call, Part::Month)),
    strict("changeDay", (2, 2), |call| changed(call, Part::Day)),
    strict("changeHour", (2, 2), |call| changed(call, Part::Hour)),
    strict("changeMinute", (2, 2), |call| changed(call, Part::Minute)),
    strict("changeSecond", (2, 2), |call| changed(call, Part::Second)),
];

fn counted(call: &Call<'_>, ty: Type, count: fn(&Times, usize) -> i64) -> Result<Resolved> {
    let kind = kind(call, 0, call.optional_text(1)?)?;
    let physical = ty.arrow();
    Ok(Resolved::new(ty, move |cols, rows| {
        let times = Times::of(cols, 0, kind)?;
        let longs = numbers::<Int64Type>(cols, rows, |row| Ok(count(&times, row)))?;
        wrap(&longs, &physical)
    }))
}

fn mode_of(call: &Call<'_>) -> Result<i64> {
    if call.args.len() > 1 {
        call.constant_integer(1)
    } else {
        Ok(0)
    }
}

fn week_days(call: &Call<'_>, f: impl Fn(i64) -> i64 + Send + Sync + 'static) -> Result<Resolved> {
    let kind = kind(call, 0, call.optional_text(2)?)?;
    Ok(Resolved::new(Type::Date, move |cols, rows| {
        let times = Times::of(cols, 0, kind)?;
        let longs = numbers::<Int64Type>(cols, rows, |row| Ok(f(times.local_day(row))))?;
        wrap(&longs, &Type::Date.arrow())
    }))
}

/// The week of the year, or the year and the week as `YYYYWW`, by MySQL's modes.
fn week(call: &Call<'_>, ty: Type) -> Result<Resolved> {
    let mode = mode_of(call)?;
    let kind = kind(call, 0, call.optional_text(2)?)?;
    let physical = ty.arrow();
    let with_year = ty == Type::UInt32;
    Ok(Resolved::new(ty, move |cols, rows| {
        let times = Times::of(cols, 0, kind)?;
        let longs = numbers::<Int64Type>(cols, rows, |row| {
            let (year, week) = year_week(
                times.local_day(row),
                if with_year { mode | 2 } else { mode },
            );
            Ok(if with_year { year * 100 + week } else { week })
        })?;
        wrap(&longs, &physical)
    }))
}

/// Bit 0 of the mode: weeks begin on Monday. Bit 1: days before the first week belong to the year before. Bit 2 (turned
/// for Monday): the first week begins in the year, else it has most of its days there.
fn year_week(day: i64, mode: i64) -> (i64, i64) {
    let monday_first = mode & 1 != 0;
    let mut whole_year = mode & 2 != 0;
    let first_weekday = (mode & 4 != 0) != monday_first;
    let starts_in_year = !first_weekday;
    let civil = Civil::of(day);
    let mut year = civil.year;
    let january = |year: i64| {
        Civil {
            year,
            month: 1,
            day: 1,
        }
        .days()
    };
    // Days since the first day of the week.
    let within = |day: i64| {
        if monday_first {
            weekday(day) - 1
        } else {
            weekday(day) % 7
        }
    };
    let first_day = january(year);
    let mut offset = within(first_day);
    let before = |offset: i64| {
        if starts_in_year {
            offset != 0
        } else {
            offset >= 4
        }
    };
    if civil.month == 1 && civil.day <= 7 - offset {
        if !whole_year && before(offset) {
            return (year, 0);
        }
        whole_year = true;
        if before(offset) {
            year -= 1;
            let first_day = january(year);
            offset = within(first_day);
            return (year, weeks(day - first_day, offset, before(offset)));
        }
    }
    let week = weeks(day - first_day, offset, before(offset));
    if whole_year && week == 53 {
        let next = january(year + 1);
        if !before(within(next)) && day >= next - within(next) {
            return (year + 1, 1);
        }
    }
    (year, week)
}

fn weeks(days: i64, offset: i64, skip_first: bool) -> i64 {
    let from = if skip_first {
        days - (7 - offset)
    } else {
        days + offset
    };
    from.div_euclid(7) + 1
}

fn make_date(call: &Call<'_>, ty: Type) -> Result<Resolved> {
    let count = call.args.len();
    call.want_number(&[0, 1, 2])?;
    let physical = ty.arrow();
    let low = if ty == Type::Date { 0 } else { -25_567 };
    let high = if ty == Type::Date { 65_535 } else { 120_529 };
    Ok(Resolved::new(ty, move |cols, rows| {
        let parts = (0..count)
            .map(|i| Longs::of(cols, i))
            .collect::<datafusion::error::Result<Vec<_>>>()?;
        let all = numbers::<Int64Type>(cols, rows, |row| {
            let part = |i: usize| parts.get(i).map_or(1, |part| part.get(row));
            let days = if count == 2 {
                let first = Civil {
                    year: part(0),
                    month: 1,
                    day: 1,
                };
                (part(1) >= 1 && part(1) <= 366).then(|| first.days() + part(1) - 1)
            } else {
                let civil = Civil {
                    year: part(0),
                    month: part(1),
                    day: part(2),
                };
                civil.is_valid().then(|| civil.days())
            };
            Ok(days
                .filter(|d| (low..=high).contains(d))
                .unwrap_or_else(|| low.min(0)))
        })?;
        wrap(&all, &physical)
    }))
}

fn make_time(call: &Call<'_>, fine: bool) -> Result<Resolved> {
    let count = call.args.len();
    call.want_number(&[0, 1, 2, 3, 4, 5])?;
    let (scale, zone) = if fine {
        let scale = if count > 7 {
            call.constant_integer(7)?
        } else {
            3
        };
        let scale = u8::try_from(scale).ok().filter(|s| *s <= 9);
        let bad = || {
            call.fail(
                ErrorCode::ArgumentOutOfBound,
                "the precision must be 0 to 9",
            )
        };
        (scale.ok_or_else(bad)?, call.optional_text(8)?)
    } else {
        (0, call.optional_text(6)?)
    };
    let tz = parse_zone(zone.unwrap_or(&call.context.timezone))?;
    let zone = zone.map(str::to_owned);
    let ty = if fine {
        Type::DateTime64(scale, zone)
    } else {
        Type::DateTime(zone)
    };
    let physical = ty.arrow();
    let read = if fine { count.min(7) } else { 6 };
    Ok(Resolved::new(ty, move |cols, rows| {
        let parts = (0..read)
            .map(|i| Longs::of(cols, i))
            .collect::<datafusion::error::Result<Vec<_>>>()?;
        let zone = Zone::new(tz);
        let all = numbers::<Int64Type>(cols, rows, |row| {
            let part = |i: usize| parts.get(i).map_or(0, |part| part.get(row));
            let civil = Civil {
                year: part(0),
                month: part(1),
                day: part(2),
            };
            let clock = part(3) * 3600 + part(4) * 60 + part(5);
            let valid = civil.is_valid() && part(3) < 24 && part(4) < 60 && part(5) < 60;
            let seconds = if valid {
                zone.utc_s(civil.days() * DAY_S + clock)
            } else {
                0
            };
            if !fine {
                return Ok(seconds.clamp(0, 4_294_967_295));
            }
            let ticks = seconds.saturating_mul(power_of_ten(scale));
            Ok(ticks.saturating_add(part(6).clamp(0, power_of_ten(scale) - 1)))
        })?;
        wrap(&all, &physical)
    }))
}

/// `20240229` or `20240229134556` as a date or time.
fn from_digits(call: &Call<'_>, ty: Type) -> Result<Resolved> {
    call.want_number(&[0])?;
    let timed = matches!(ty, Type::DateTime(_));
    let tz = super::part::zone_of(&ty, call.context)?;
    let physical = ty.arrow();
    Ok(Resolved::new(ty, move |cols, rows| {
        let digits = Longs::of(cols, 0)?;
        let zone = Zone::new(tz);
        let all = numbers::<Int64Type>(cols, rows, |row| {
            let value = digits.get(row);
            let (date, clock) = if timed {
                (value / 1_000_000, value % 1_000_000)
            } else {
                (value, 0)
            };
            let civil = Civil {
                year: date / 10_000,
                month: date / 100 % 100,
                day: date % 100,
            };
            if !civil.is_valid() {
                return Ok(0);
            }
            if !timed {
                return Ok(civil.days());
            }
            let clock = clock / 10_000 * 3600 + clock / 100 % 100 * 60 + clock % 100;
            Ok(zone
                .utc_s(civil.days() * DAY_S + clock)
                .clamp(0, 4_294_967_295))
        })?;
        wrap(&all, &physical)
    }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

/// A date that does not exist runs over into the next month.
fn changed(call: &Call<'_>, part: Part) -> Result<Resolved> {
    let kind: TimeKind = kind(call, 0, None)?;
    call.want_integer(&[1])?;
    let clock = matches!(part, Part::Hour | Part::Minute | Part::Second);
    if clock && kind.grain == Grain::Day {
        return Err(call.illegal(0));
    }
    let ty = call.ty(0).clone();
    let physical = ty.arrow();
    Ok(Resolved::new(ty, move |cols, rows| {
        let times = Times::of(cols, 0, kind)?;
        arg(cols, 1)?;
        let values = Longs::of(cols, 1)?;
        let all = numbers::<Int64Type>(cols, rows, |row| {
            let (day, value) = (times.local_day(row), values.get(row));
            let civil = Civil::of(day);
            let second = times.local_s(row).rem_euclid(DAY_S);
            let moved = |year: i64, month: i64, days: i64| {
                Civil {
                    year,
                    month,
                    day: 1,
                }
                .days()
                    + days
                    - 1
            };
            let (day, second) = match part {
                Part::Year => (moved(value, civil.month, civil.day), second),
                Part::Month => (moved(civil.year, value.clamp(1, 12), civil.day), second),
                Part::Day => (moved(civil.year, civil.month, value), second),
                Part::Hour => (day, second % 3600 + value * 3600),
                Part::Minute => (day, second / 3600 * 3600 + second % 60 + value * 60),
                Part::Second => (day, second / 60 * 60 + value),
            };
            Ok(match kind.grain {
                Grain::Day => day,
                Grain::Second => times.zone.utc_s(day * DAY_S + second),
                Grain::Tick(scale) => {
                    let whole = times.zone.utc_s(day * DAY_S + second);
                    whole.saturating_mul(power_of_ten(scale))
                        + times.fraction_ns(row) / power_of_ten(9 - scale)
                }
            })
        })?;
        wrap(&all, &physical)
    }))
}
