//! Moving times: adding intervals and numbers, differences.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{Decimal128Type, Int64Type};
use datafusion::error::Result as DfResult;

use super::civil::{Civil, DAY_S};
use super::instant::{Grain, TimeKind, Times, power_of_ten};
use super::part::{kind, rescale};
use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::kernel::{Col, Resolved};
use crate::functions::rows::{Longs, numbers};
use crate::functions::signature::{Call, Entry, strict};
use crate::functions::wrap::wrap;
use crate::types::{IntervalUnit, Type};

macro_rules! mover {
    ($add:literal, $subtract:literal, $unit:ident) => {
        [
            strict($add, (2, 2), |call| {
                by_interval(call, 0, 1, IntervalUnit::$unit, false)
            }),
            strict($subtract, (2, 2), |call| {
                by_interval(call, 0, 1, IntervalUnit::$unit, true)
            }),
        ]
    };
}

static MOVERS: [[Entry; 2]; 11] = [
    mover!("addNanoseconds", "subtractNanoseconds", Nanosecond),
    mover!("addMicroseconds", "subtractMicroseconds", Microsecond),
    mover!("addMilliseconds", "subtractMilliseconds", Millisecond),
    mover!("addSeconds", "subtractSeconds", Second),
    mover!("addMinutes", "subtractMinutes", Minute),
    mover!("addHours", "subtractHours", Hour),
    mover!("addDays", "subtractDays", Day),
    mover!("addWeeks", "subtractWeeks", Week),
    mover!("addMonths", "subtractMonths", Month),
    mover!("addQuarters", "subtractQuarters", Quarter),
    mover!("addYears", "subtractYears", Year),
];

pub(super) static ENTRIES: &[Entry] = MOVERS.as_flattened();

/// Scale that a unit below a second needs.
fn unit_scale(unit: IntervalUnit) -> u8 {
    match unit {
        IntervalUnit::Nanosecond => 9,
        IntervalUnit::Microsecond => 6,
        IntervalUnit::Millisecond => 3,
        IntervalUnit::Second
        | IntervalUnit::Minute
        | IntervalUnit::Hour
        | IntervalUnit::Day
        | IntervalUnit::Week
        | IntervalUnit::Month
        | IntervalUnit::Quarter
        | IntervalUnit::Year => 0,
    }
}

/// Type of `time + INTERVAL n unit`.
fn moved_type(ty: &Type, unit: IntervalUnit) -> Type {
    let scale = unit_scale(unit);
    if let Type::DateTime64(own, zone) = ty {
        return Type::DateTime64(scale.max(*own), zone.clone());
    }
    let zone = if let Type::DateTime(zone) = ty {
        zone.clone()
    } else {
        None
    };
    if scale > 0 {
        return Type::DateTime64(scale, zone);
    }
    let day = matches!(ty, Type::Date | Type::Date32);
    match ty {
        Type::Date32 if unit < IntervalUnit::Day => Type::DateTime64(0, None),
        _ if day && unit < IntervalUnit::Day => Type::DateTime(None),
        _ => ty.clone(),
    }
}

#[derive(Debug, Clone, Copy)]
struct Move {
    unit: IntervalUnit,
    backwards: bool,
    kind: TimeKind,
    /// `None` = the result counts days.
    scale: Option<u8>,
}

/// `args[time] ± args[amount]` units.
pub(in crate::functions) fn by_interval(
    call: &Call<'_>,
    time: usize,
    amount: usize,
    unit: IntervalUnit,
    backwards: bool,
) -> Result<Resolved> {
    let kind = kind(call, time, None)?;
    let number = call.ty(amount);
    if !number.is_integer() && !number.is_float() && !matches!(number, Type::Interval(_)) {
        return Err(call.illegal(amount));
    }
    if unit < IntervalUnit::Second && kind.grain == Grain::Day {
        return Err(call.illegal(time));
    }
    let ty = moved_type(call.ty(time), unit);
    let scale = match &ty {
        Type::DateTime64(scale, _) => Some(*scale),
        Type::DateTime(_) => Some(0),
        _ => None,
    };
    let step = Move {
        unit,
        backwards,
        kind,
        scale,
    };
    let physical = ty.arrow();
    Ok(Resolved::new(ty, move |cols, rows| {
        let times = Times::of(cols, time, step.kind)?;
        let amounts = Longs::of(cols, amount)?;
        let longs = numbers::<Int64Type>(cols, rows, |row| {
            let n = amounts.get(row);
            Ok(moved(
                &times,
                row,
                if step.backwards { n.wrapping_neg() } else { n },
                step,
            ))
        })?;
        wrap(&longs, &physical)
    }))
}

fn moved(times: &Times, row: usize, n: i64, step: Move) -> i64 {
    let Some(scale) = step.scale else {
        return moved_day(times.local_day(row), n, step.unit);
    };
    let per_second = power_of_ten(scale);
    let fixed = match step.unit {
        IntervalUnit::Nanosecond | IntervalUnit::Microsecond | IntervalUnit::Millisecond => {
            Some(n.saturating_mul(power_of_ten(scale - unit_scale(step.unit))))
        }
        IntervalUnit::Second => Some(n.saturating_mul(per_second)),
        IntervalUnit::Minute => Some(n.saturating_mul(60).saturating_mul(per_second)),
        IntervalUnit::Hour => Some(n.saturating_mul(3600).saturating_mul(per_second)),
        IntervalUnit::Day
        | IntervalUnit::Week
        | IntervalUnit::Month
        | IntervalUnit::Quarter
        | IntervalUnit::Year => None,
    };
    if let Some(ticks) = fixed {
        return times.ticks(row, scale).saturating_add(ticks);
    }
    // Days and longer keep the local time of the day.
    let local = times.local_s(row);
    let day = moved_day(local.div_euclid(DAY_S), n, step.unit);
    let utc = times.zone.utc_s(
        day.saturating_mul(DAY_S)
            .saturating_add(local.rem_euclid(DAY_S)),
    );
    let fraction = rescale(times.fraction_ns(row), 9, scale);
    utc.saturating_mul(per_second).saturating_add(fraction)
}

fn moved_day(day: i64, n: i64, unit: IntervalUnit) -> i64 {
    // Far beyond every type's range; keeps calendar arithmetic from overflowing.
    let n = n.clamp(-4_000_000, 4_000_000);
    match unit {
        IntervalUnit::Week => day + n * 7,
        IntervalUnit::Month => Civil::of(day).add_months(n).days(),
        IntervalUnit::Quarter => Civil::of(day).add_months(n * 3).days(),
        IntervalUnit::Year => Civil::of(day).add_months(n * 12).days(),
        IntervalUnit::Nanosecond
        | IntervalUnit::Microsecond
        | IntervalUnit::Millisecond
        | IntervalUnit::Second
        | IntervalUnit::Minute
        | IntervalUnit::Hour
        | IntervalUnit::Day => day + n,
    }
}

/// `time + 1`: a day for days, a second for points in time.
pub(in crate::functions) fn by_number(
    call: &Call<'_>,
    time: usize,
    amount: usize,
    backwards: bool,
) -> Result<Resolved> {
    let kind = kind(call, time, None)?;
    let unit = if kind.grain == Grain::Day {
        IntervalUnit::Day
    } else {
        IntervalUnit::Second
    };
    by_interval(call, time, amount, unit, backwards)
}

/// `time - time`: days or seconds as Int32, Decimal with a fraction.
pub(in crate::functions) fn difference(call: &Call<'_>) -> Result<Resolved> {
    let (a, b) = (kind(call, 0, None)?, kind(call, 1, None)?);
    let scale = |kind: TimeKind| {
        if let Grain::Tick(scale) = kind.grain {
            scale
        } else {
            0
        }
    };
    let fine = matches!(a.grain, Grain::Tick(_)) || matches!(b.grain, Grain::Tick(_));
    if fine {
        let scale = scale(a).max(scale(b));
        let ty = Type::Decimal(18, scale);
        let physical = ty.arrow();
        return Ok(Resolved::new(ty, move |cols, rows| {
            let (x, y) = (Times::of(cols, 0, a)?, Times::of(cols, 1, b)?);
            let units = numbers::<Decimal128Type>(cols, rows, |row| {
                Ok(i128::from(x.ticks(row, scale)) - i128::from(y.ticks(row, scale)))
            })?;
            let typed = units.as_primitive::<Decimal128Type>().clone();
            Ok(std::sync::Arc::new(typed.with_data_type(physical.clone())))
        }));
    }
    if (a.grain == Grain::Day) != (b.grain == Grain::Day) {
        return Err(QueryError::new(
            ErrorCode::IllegalTypeOfArgument,
            format!(
                "Illegal types {} and {} of arguments of function minus",
                call.ty(0),
                call.ty(1)
            ),
        ));
    }
    Ok(Resolved::new(
        Type::Int32,
        move |cols: &[Col], rows| -> DfResult<_> {
            let (x, y) = (Times::of(cols, 0, a)?, Times::of(cols, 1, b)?);
            let longs = numbers::<Int64Type>(cols, rows, |row| Ok(x.raw(row) - y.raw(row)))?;
            wrap(&longs, &Type::Int32.arrow())
        },
    ))
}
