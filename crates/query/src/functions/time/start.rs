//! Rounding times down: `toStartOf…`, `toStartOfInterval`, `date_trunc`.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::error::Result as DfResult;

use super::civil::{Civil, DAY_S, monday};
use super::instant::{Grain, TimeKind, Times, power_of_ten};
use super::part::{kind, week_start};
use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::kernel::{Col, Resolved};
use crate::functions::rows::numbers;
use crate::functions::signature::{Call, Entry, strict};
use crate::functions::wrap::wrap;
use crate::types::{IntervalUnit, Type};

pub(super) static ENTRIES: &[Entry] = &[
    strict("toStartOfInterval", (2, 4), interval),
    strict("toStartOfNanosecond", (1, 2), |call| {
        sub_second(call, IntervalUnit::Nanosecond)
    }),
    strict("toStartOfMicrosecond", (1, 2), |call| {
        sub_second(call, IntervalUnit::Microsecond)
    }),
    strict("toStartOfMillisecond", (1, 2), |call| {
        sub_second(call, IntervalUnit::Millisecond)
    }),
    strict("toStartOfSecond", (1, 2), second),
    strict("toStartOfMinute", (1, 2), |call| {
        fixed(call, IntervalUnit::Minute, 1)
    }),
    strict("toStartOfFiveMinutes", (1, 2), |call| {
        fixed(call, IntervalUnit::Minute, 5)
    }),
    strict("toStartOfFiveMinute", (1, 2), |call| {
        fixed(call, IntervalUnit::Minute, 5)
    }),
    strict("toStartOfTenMinutes", (1, 2), |call| {
        fixed(call, IntervalUnit::Minute, 10)
    }),
    strict("toStartOfFifteenMinutes", (1, 2), |call| {
        fixed(call, IntervalUnit::Minute, 15)
    }),
    strict("timeSlot", (1, 2), |call| {
        fixed(call, IntervalUnit::Minute, 30)
    }),
    strict("toStartOfHour", (1, 2), |call| {
        fixed(call, IntervalUnit::Hour, 1)
    }),
    strict("toStartOfDay", (1, 2), |call| {
        fixed(call, IntervalUnit::Day, 1)
    }),
    strict("toStartOfWeek", (1, 3), week),
    strict("toMonday", (1, 2), |call| {
        day(call, call.optional_text(1)?, monday)
    }),
    strict("toStartOfMonth", (1, 2), |call| {
        fixed(call, IntervalUnit::Month, 1)
    }),
    strict("toStartOfQuarter", (1, 2), |call| {
        fixed(call, IntervalUnit::Quarter, 1)
    }),
    strict("toStartOfYear", (1, 2), |call| {
        fixed(call, IntervalUnit::Year, 1)
    }),
    strict("toLastDayOfMonth", (1, 2), |call| {
        day(call, call.optional_text(1)?, |d| {
            let civil = Civil::of(d);
            Civil { day: 1, ..civil }.add_months(1).days() - 1
        })
    }),
    strict("date_trunc", (2, 3), truncate).any_case(),
    strict("dateTrunc", (2, 3), truncate).any_case(),
];

/// A rounding: so many of a unit, in a zone.
#[derive(Debug, Clone, Copy)]
struct Step {
    unit: IntervalUnit,
    count: i64,
    kind: TimeKind,
}

/// The zone that a result shows: the argument's own, or the one asked for.
fn shown_zone(call: &Call<'_>, zone: Option<&str>) -> Option<String> {
    if let Type::DateTime(own) | Type::DateTime64(_, own) = call.ty(0) {
        return zone.map(str::to_owned).or_else(|| own.clone());
    }
    zone.map(str::to_owned)
}

fn interval(call: &Call<'_>) -> Result<Resolved> {
    let Type::Interval(unit) = *call.ty(1) else {
        return Err(call.illegal(1));
    };
    let count = call.constant_integer(1)?;
    if count <= 0 {
        return Err(call.fail(
            ErrorCode::ArgumentOutOfBound,
            "the interval must be positive",
        ));
    }
    let last = call.args.len() - 1;
    let zone = if last >= 2 && call.ty(last).is_text() {
        call.optional_text(last)?
    } else {
        None
    };
    if last >= 2 && call.ty(2).is_time() {
        return Err(call.fail(ErrorCode::NotImplemented, "an origin is not supported"));
    }
    rounded(call, unit, count, zone)
}

fn rounded(
    call: &Call<'_>,
    unit: IntervalUnit,
    count: i64,
    zone: Option<&str>,
) -> Result<Resolved> {
    let kind = kind(call, 0, zone)?;
    let sub_second = unit < IntervalUnit::Second;
    let fine = matches!(kind.grain, Grain::Tick(_));
    if sub_second && !fine {
        return Err(call.fail(
            ErrorCode::IllegalTypeOfArgument,
            "units below a second need a DateTime64",
        ));
    }
    if kind.grain == Grain::Day && unit < IntervalUnit::Day {
        return Err(call.illegal(0));
    }
    let ty = match unit {
        IntervalUnit::Nanosecond => Type::DateTime64(9, shown_zone(call, zone)),
        IntervalUnit::Microsecond => Type::DateTime64(6, shown_zone(call, zone)),
        IntervalUnit::Millisecond => Type::DateTime64(3, shown_zone(call, zone)),
        IntervalUnit::Second | IntervalUnit::Minute | IntervalUnit::Hour | IntervalUnit::Day => {
            Type::DateTime(shown_zone(call, zone))
        }
        IntervalUnit::Week | IntervalUnit::Month | IntervalUnit::Quarter | IntervalUnit::Year => {
            Type::Date
        }
    };
    let step = Step { unit, count, kind };
    let physical = ty.arrow();
    Ok(Resolved::new(ty, move |cols, rows| {
        wrap(&round(cols, rows, step)?, &physical)
    }))
}

/// Ticks, seconds or days, by the unit's result type.
fn round(cols: &[Col], rows: usize, step: Step) -> DfResult<ArrayRef> {
    let times = Times::of(cols, 0, step.kind)?;
    let n = step.count;
    let each = |f: &dyn Fn(usize) -> i64| numbers::<Int64Type>(cols, rows, |row| Ok(f(row)));
    let down = |value: i64, period: i64| value.div_euclid(period) * period;
    match step.unit {
        IntervalUnit::Nanosecond => each(&|row| down(times.ticks(row, 9), n)),
        IntervalUnit::Microsecond => each(&|row| down(times.ticks(row, 6), n)),
        IntervalUnit::Millisecond => each(&|row| down(times.ticks(row, 3), n)),
        IntervalUnit::Second => each(&|row| down(times.utc_s(row), n)),
        IntervalUnit::Minute => {
            let period = n.saturating_mul(60);
            each(&|row| down(times.utc_s(row), period))
        }
        IntervalUnit::Hour => each(&|row| hour(&times, row, n)),
        IntervalUnit::Day => each(&|row| {
            let day = down(times.local_day(row), n);
            times.zone.utc_s(day.saturating_mul(DAY_S))
        }),
        IntervalUnit::Week => each(&|row| {
            let day = times.local_day(row);
            // 1970-01-05 was a Monday.
            4 + down(day - 4, n.saturating_mul(7))
        }),
        IntervalUnit::Month => each(&|row| month_start(times.local_day(row), n)),
        IntervalUnit::Quarter => {
            each(&|row| month_start(times.local_day(row), n.saturating_mul(3)))
        }
        IntervalUnit::Year => each(&|row| {
            let year = down(Civil::of(times.local_day(row)).year, n);
            Civil {
                year,
                month: 1,
                day: 1,
            }
            .days()
        }),
    }
}

/// Hours are counted from local midnight.
fn hour(times: &Times, row: usize, n: i64) -> i64 {
    let utc = times.utc_s(row);
    let local = times.local_s(row);
    let period = n.saturating_mul(3600);
    let into_day = local.rem_euclid(DAY_S);
    let start = local - into_day % period;
    let candidate = utc - (local - start);
    if times.zone.local_s(candidate) == start {
        candidate
    } else {
        times.zone.utc_s(start)
    }
}

fn month_start(day: i64, months: i64) -> i64 {
    let civil = Civil::of(day);
    let all = (civil.year - 1970) * 12 + civil.month - 1;
    let first = all.div_euclid(months) * months;
    Civil {
        year: 1970 + first.div_euclid(12),
        month: first.rem_euclid(12) + 1,
        day: 1,
    }
    .days()
}

fn fixed(call: &Call<'_>, unit: IntervalUnit, count: i64) -> Result<Resolved> {
    rounded(call, unit, count, call.optional_text(1)?)
}

fn day(
    call: &Call<'_>,
    zone: Option<&str>,
    f: impl Fn(i64) -> i64 + Send + Sync + 'static,
) -> Result<Resolved> {
    let kind = kind(call, 0, zone)?;
    Ok(Resolved::new(Type::Date, move |cols, rows| {
        let times = Times::of(cols, 0, kind)?;
        let days = numbers::<Int64Type>(cols, rows, |row| Ok(f(times.local_day(row))))?;
        wrap(&days, &Type::Date.arrow())
    }))
}

fn week(call: &Call<'_>) -> Result<Resolved> {
    let mode = if call.args.len() > 1 {
        call.constant_integer(1)?
    } else {
        0
    };
    day(call, call.optional_text(2)?, move |d| week_start(d, mode))
}

/// `toStartOfSecond` and finer keep the argument's scale where it is finer.
fn sub_second(call: &Call<'_>, unit: IntervalUnit) -> Result<Resolved> {
    let Type::DateTime64(own, _) = *call.ty(0) else {
        return Err(call.illegal(0));
    };
    let zone = call.optional_text(1)?;
    let kind = kind(call, 0, zone)?;
    let wanted = match unit {
        IntervalUnit::Nanosecond => 9,
        IntervalUnit::Microsecond => 6,
        _ => 3,
    };
    let scale = own.max(wanted);
    let period = power_of_ten(scale - wanted);
    Ok(Resolved::new(
        Type::DateTime64(scale, shown_zone(call, zone)),
        move |cols, rows| {
            let times = Times::of(cols, 0, kind)?;
            numbers::<Int64Type>(cols, rows, |row| {
                Ok(times.ticks(row, scale).div_euclid(period) * period)
            })
        },
    ))
}

fn second(call: &Call<'_>) -> Result<Resolved> {
    let Type::DateTime64(scale, _) = *call.ty(0) else {
        return Err(call.illegal(0));
    };
    let zone = call.optional_text(1)?;
    let kind = kind(call, 0, zone)?;
    let period = power_of_ten(scale);
    Ok(Resolved::new(
        Type::DateTime64(scale, shown_zone(call, zone)),
        move |cols, rows| {
            let times = Times::of(cols, 0, kind)?;
            numbers::<Int64Type>(cols, rows, |row| {
                Ok(times.raw(row).div_euclid(period) * period)
            })
        },
    ))
}

/// `date_trunc('unit', t)`: the type of the argument decides how fine the result is kept.
fn truncate(call: &Call<'_>) -> Result<Resolved> {
    let word = call.constant_text(0)?;
    let Some(unit) = IntervalUnit::parse(word) else {
        return Err(QueryError::new(
            ErrorCode::BadArguments,
            format!("{word} doesn't look like datepart name in {}", call.name),
        ));
    };
    let inner = Call {
        name: call.name,
        args: call.args.get(1..).unwrap_or_default(),
        context: call.context,
    };
    let zone = call.optional_text(2)?;
    let day_or_shorter = unit <= IntervalUnit::Day;
    let resolved = rounded(&inner, unit, 1, zone)?;
    let fine = matches!(inner.ty(0), Type::DateTime64(..));
    let ty = match &resolved.ty {
        Type::DateTime(zone) if fine && day_or_shorter => Type::DateTime64(0, zone.clone()),
        Type::Date if fine => Type::Date32,
        other => other.clone(),
    };
    let physical = ty.arrow();
    let kernel = resolved.kernel;
    Ok(Resolved::new(ty, move |cols, rows| {
        let answer = kernel.run(cols.get(1..).unwrap_or_default(), rows)?;
        wrap(&answer, &physical)
    }))
}
