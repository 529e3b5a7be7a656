//! The present, constant within a query, and interval constructors.

use datafusion::arrow::datatypes::Int64Type;

use super::civil::DAY_S;
use super::instant::power_of_ten;
use super::zone::{Zone, parse_zone};
use crate::error::Result;
use crate::functions::kernel::{Kernel, Resolved};
use crate::functions::rows::{Longs, arg, numbers};
use crate::functions::signature::{Call, Entry, strict};
use crate::types::{IntervalUnit, Type, Value};

pub(super) static ENTRIES: &[Entry] = &[
    strict("now", (0, 1), now).any_case(),
    strict("CURRENT_TIMESTAMP", (0, 1), now).any_case(),
    strict("now64", (0, 2), now64).any_case(),
    strict("today", (0, 1), |call| day(call, 0)),
    strict("current_date", (0, 1), |call| day(call, 0)).any_case(),
    strict("yesterday", (0, 1), |call| day(call, -1)),
    strict("toTimeZone", (2, 2), to_time_zone),
    strict("toIntervalNanosecond", (1, 1), |call| {
        interval(call, IntervalUnit::Nanosecond)
    }),
    strict("toIntervalMicrosecond", (1, 1), |call| {
        interval(call, IntervalUnit::Microsecond)
    }),
    strict("toIntervalMillisecond", (1, 1), |call| {
        interval(call, IntervalUnit::Millisecond)
    }),
    strict("toIntervalSecond", (1, 1), |call| {
        interval(call, IntervalUnit::Second)
    }),
    strict("toIntervalMinute", (1, 1), |call| {
        interval(call, IntervalUnit::Minute)
    }),
    strict("toIntervalHour", (1, 1), |call| {
        interval(call, IntervalUnit::Hour)
    }),
    strict("toIntervalDay", (1, 1), |call| {
        interval(call, IntervalUnit::Day)
    }),
    strict("toIntervalWeek", (1, 1), |call| {
        interval(call, IntervalUnit::Week)
    }),
    strict("toIntervalMonth", (1, 1), |call| {
        interval(call, IntervalUnit::Month)
    }),
    strict("toIntervalQuarter", (1, 1), |call| {
        interval(call, IntervalUnit::Quarter)
    }),
    strict("toIntervalYear", (1, 1), |call| {
        interval(call, IntervalUnit::Year)
    }),
];

fn constant(value: &Value, ty: Type) -> Result<Resolved> {
    let kernel = Kernel::constant(value, &ty)?;
    Ok(Resolved { ty, kernel })
}

fn now_s(call: &Call<'_>) -> i64 {
    call.context.now_ns.div_euclid(1_000_000_000)
}

fn now(call: &Call<'_>) -> Result<Resolved> {
    let zone = call.optional_text(0)?;
    if let Some(zone) = zone {
        parse_zone(zone)?;
    }
    constant(
        &Value::Int(now_s(call)),
        Type::DateTime(zone.map(str::to_owned)),
    )
}

fn now64(call: &Call<'_>) -> Result<Resolved> {
    let scale = if call.args.is_empty() {
        3
    } else {
        call.constant_integer(0)?
    };
    let scale = u8::try_from(scale)
        .ok()
        .filter(|s| *s <= 9)
        .ok_or_else(|| call.illegal(0))?;
    let zone = call.optional_text(1)?;
    if let Some(zone) = zone {
        parse_zone(zone)?;
    }
    let ticks = call.context.now_ns.div_euclid(power_of_ten(9 - scale));
    constant(
        &Value::Int(ticks),
        Type::DateTime64(scale, zone.map(str::to_owned)),
    )
}

fn day(call: &Call<'_>, shift: i64) -> Result<Resolved> {
    let tz = parse_zone(call.optional_text(0)?.unwrap_or(&call.context.timezone))?;
    let local = Zone::new(tz).local_s(now_s(call));
    constant(&Value::Int(local.div_euclid(DAY_S) + shift), Type::Date)
}

/// The same instant, shown in another zone.
fn to_time_zone(call: &Call<'_>) -> Result<Resolved> {
    let zone = call.constant_text(1)?;
    parse_zone(zone)?;
    let zone = Some(zone.to_owned());
    let ty = if let Type::DateTime64(scale, _) = call.ty(0) {
        Type::DateTime64(*scale, zone)
    } else if matches!(call.ty(0), Type::DateTime(_)) {
        Type::DateTime(zone)
    } else {
        return Err(call.illegal(0));
    };
    Ok(Resolved::new(ty, |cols, rows| arg(cols, 0)?.full(rows)))
}

fn interval(call: &Call<'_>, unit: IntervalUnit) -> Result<Resolved> {
    if !call.ty(0).is_number() && !matches!(call.ty(0), Type::Interval(_)) {
        return Err(call.illegal(0));
    }
    Ok(Resolved::new(Type::Interval(unit), |cols, rows| {
        let longs = Longs::of(cols, 0)?;
        numbers::<Int64Type>(cols, rows, |row| Ok(longs.get(row)))
    }))
}
