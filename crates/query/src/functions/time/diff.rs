//! Distances between times: boundaries crossed (`dateDiff`) and full units (`age`).

use datafusion::arrow::datatypes::Int64Type;

use super::civil::{Civil, DAY_S, monday};
use super::instant::Times;
use super::part::kind;
use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::kernel::Resolved;
use crate::functions::rows::numbers;
use crate::functions::signature::{Call, Entry, strict};
use crate::types::IntervalUnit;
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    strict("dateDiff", (3, 4), |call| difference(call, boundaries)).any_case(),
    strict("date_diff", (3, 4), |call| difference(call, boundaries)).any_case(),
    strict("timestampDiff", (3, 4), |call| difference(call, boundaries)).any_case(),
    strict("timestamp_diff", (3, 4), |call| {
        difference(call, boundaries)
    })
    .any_case(),
    strict("age", (3, 4), |call| difference(call, full_units)),
];

type Distance = fn(&Times, &Times, usize, IntervalUnit) -> i64;

fn difference(call: &Call<'_>, distance: Distance) -> Result<Resolved> {
    let word = call.constant_text(0)?;
    let Some(unit) = IntervalUnit::parse(word) else {
        return Err(QueryError::new(
            ErrorCode::BadArguments,
            format!("Function {} does not support '{word}' unit", call.name),
        ));
    };
    let zone = call.optional_text(3)?;
    let (a, b) = (kind(call, 1, zone)?, kind(call, 2, zone)?);
    Ok(Resolved::new(Type::Int64, move |cols, rows| {
        let (from, to) = (Times::of(cols, 1, a)?, Times::of(cols, 2, b)?);
        numbers::<Int64Type>(cols, rows, |row| Ok(distance(&from, &to, row, unit)))
    }))
}

fn month(day: i64) -> i64 {
    let civil = Civil::of(day);
    civil.year * 12 + civil.month - 1
}

/// Position of a time on the ruler of a unit.
fn mark(times: &Times, row: usize, unit: IntervalUnit) -> i64 {
    match unit {
        IntervalUnit::Nanosecond => times.ticks(row, 9),
        IntervalUnit::Microsecond => times.ticks(row, 6),
        IntervalUnit::Millisecond => times.ticks(row, 3),
        IntervalUnit::Second => times.utc_s(row),
        IntervalUnit::Minute => times.local_s(row).div_euclid(60),
        IntervalUnit::Hour => times.local_s(row).div_euclid(3600),
        IntervalUnit::Day => times.local_day(row),
        IntervalUnit::Week => monday(times.local_day(row)).div_euclid(7),
        IntervalUnit::Month => month(times.local_day(row)),
        IntervalUnit::Quarter => month(times.local_day(row)).div_euclid(3),
        IntervalUnit::Year => Civil::of(times.local_day(row)).year,
    }
}

fn boundaries(from: &Times, to: &Times, row: usize, unit: IntervalUnit) -> i64 {
    mark(to, row, unit).saturating_sub(mark(from, row, unit))
}

fn full_units(from: &Times, to: &Times, row: usize, unit: IntervalUnit) -> i64 {
    let nanos = to.ticks(row, 9).saturating_sub(from.ticks(row, 9));
    let second = 1_000_000_000;
    match unit {
        IntervalUnit::Nanosecond => nanos,
        IntervalUnit::Microsecond => nanos / 1000,
        IntervalUnit::Millisecond => nanos / 1_000_000,
        IntervalUnit::Second => nanos / second,
        IntervalUnit::Minute => nanos / (60 * second),
        IntervalUnit::Hour => nanos / (3600 * second),
        IntervalUnit::Day => nanos / (DAY_S * second),
        IntervalUnit::Week => nanos / (7 * DAY_S * second),
        IntervalUnit::Month => full_months(from, to, row),
        IntervalUnit::Quarter => full_months(from, to, row) / 3,
        IntervalUnit::Year => full_months(from, to, row) / 12,
    }
}

fn full_months(from: &Times, to: &Times, row: usize) -> i64 {
    let rest = |times: &Times| {
        let day = Civil::of(times.local_day(row)).day;
        (
            day,
            times.local_s(row).rem_euclid(DAY_S),
            times.fraction_ns(row),
        )
    };
    let whole = month(to.local_day(row)) - month(from.local_day(row));
    if whole > 0 && rest(to) < rest(from) {
        whole - 1
    } else if whole < 0 && rest(to) > rest(from) {
        whole + 1
    } else {
        whole
    }
}
