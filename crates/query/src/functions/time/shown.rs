//! Zones of times, ids that carry a time, slots.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{Int32Type, Int64Type, UInt64Type};

use super::civil::DAY_S;
use super::instant::{Grain, Times};
use super::part::kind;
use super::zone::{Zone, parse_zone};
use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::kernel::{Kernel, Resolved};
use crate::functions::rows::{Longs, arg, list, numbers};
use crate::functions::signature::{Call, Entry, strict};
use crate::functions::wrap::wrap;
use crate::types::{Type, Value};

pub(super) static ENTRIES: &[Entry] = &[
    strict("timezoneOf", (1, 1), timezone_of).any_case(),
    strict("timezoneOffset", (1, 1), timezone_offset).any_case(),
    strict("toUTCTimestamp", (2, 2), |call| as_if(call, true)),
    strict("to_utc_timestamp", (2, 2), |call| as_if(call, true)).any_case(),
    strict("fromUTCTimestamp", (2, 2), |call| as_if(call, false)),
    strict("from_utc_timestamp", (2, 2), |call| as_if(call, false)).any_case(),
    strict("snowflakeIDToDateTime", (1, 3), |call| {
        from_snowflake(call, false)
    }),
    strict("snowflakeIDToDateTime64", (1, 3), |call| {
        from_snowflake(call, true)
    }),
    strict("dateTimeToSnowflakeID", (1, 2), to_snowflake),
    strict("dateTime64ToSnowflakeID", (1, 2), to_snowflake),
    strict("UUIDv7ToDateTime", (1, 2), uuid_time),
    strict("timeSlots", (2, 3), slots),
];

/// Bits below the milliseconds of a Snowflake id.
const SNOWFLAKE_SHIFT: u32 = 22;

fn timezone_of(call: &Call<'_>) -> Result<Resolved> {
    kind(call, 0, None)?;
    let own = match call.ty(0) {
        Type::DateTime(zone) | Type::DateTime64(_, zone) => zone.clone(),
        _ => return Err(call.illegal(0)),
    };
    let name = own.unwrap_or_else(|| call.context.timezone.clone());
    Ok(Resolved {
        ty: Type::String,
        kernel: Kernel::constant(&Value::String(name), &Type::String)?,
    })
}

fn timezone_offset(call: &Call<'_>) -> Result<Resolved> {
    let kind = kind(call, 0, None)?;
    Ok(Resolved::new(Type::Int32, move |cols, rows| {
        let times = Times::of(cols, 0, kind)?;
        numbers::<Int32Type>(cols, rows, |row| {
            let offset = times.zone.offset_s(times.utc_s(row));
            Ok(i32::try_from(offset).unwrap_or(0))
        })
    }))
}

/// The shown time taken as local time of a zone and turned into UTC, or the other way round.
fn as_if(call: &Call<'_>, to_utc: bool) -> Result<Resolved> {
    let kind = kind(call, 0, None)?;
    if kind.grain == Grain::Day {
        return Err(call.illegal(0));
    }
    call.want_text(&[1])?;
    let tz = parse_zone(call.constant_text(1)?)?;
    let ty = call.ty(0).clone();
    let physical = ty.arrow();
    Ok(Resolved::new(ty, move |cols, rows| {
        let times = Times::of(cols, 0, kind)?;
        let zone = Zone::new(tz);
        let all = numbers::<Int64Type>(cols, rows, |row| {
            let seconds = times.utc_s(row);
            let moved = if to_utc {
                zone.utc_s(seconds)
            } else {
                zone.local_s(seconds)
            };
            let per_second = match kind.grain {
                Grain::Tick(scale) => super::instant::power_of_ten(scale),
                Grain::Day | Grain::Second => 1,
            };
            Ok(times
                .raw(row)
                .saturating_add((moved - seconds).saturating_mul(per_second)))
        })?;
        wrap(&all, &physical)
    }))
}

fn epoch(call: &Call<'_>, at: usize) -> Result<i64> {
    if call.args.len() > at {
        call.constant_integer(at)
    } else {
        Ok(0)
    }
}

fn from_snowflake(call: &Call<'_>, fine: bool) -> Result<Resolved> {
    call.want_integer(&[0, 1])?;
    let epoch = epoch(call, 1)?;
    let zone = call.optional_text(2)?.map(str::to_owned);
    let ty = if fine {
        Type::DateTime64(3, zone)
    } else {
        Type::DateTime(zone)
    };
    let physical = ty.arrow();
    Ok(Resolved::new(ty, move |cols, rows| {
        let ids = Longs::of(cols, 0)?;
        let all = numbers::<Int64Type>(cols, rows, |row| {
            let milliseconds = (ids.get(row) >> SNOWFLAKE_SHIFT).saturating_add(epoch);
            Ok(if fine {
                milliseconds
            } else {
                milliseconds.div_euclid(1000)
            })
        })?;
        wrap(&all, &physical)
    }))
}

fn to_snowflake(call: &Call<'_>) -> Result<Resolved> {
    let kind = kind(call, 0, None)?;
    let epoch = epoch(call, 1)?;
    Ok(Resolved::new(Type::UInt64, move |cols, rows| {
        let times = Times::of(cols, 0, kind)?;
        numbers::<UInt64Type>(cols, rows, |row| {
            let milliseconds = times.ticks(row, 3).saturating_sub(epoch);
            Ok((milliseconds << SNOWFLAKE_SHIFT).cast_unsigned())
        })
    }))
}

fn uuid_time(call: &Call<'_>) -> Result<Resolved> {
    if *call.ty(0) != Type::Uuid {
        return Err(call.illegal(0));
    }
    let zone = call.optional_text(1)?.map(str::to_owned);
    Ok(Resolved::new(Type::DateTime64(3, zone), |cols, rows| {
        let col = arg(cols, 0)?;
        let ids = col.array.as_fixed_size_binary();
        numbers::<Int64Type>(cols, rows, |row| {
            let bytes = ids.value(col.at(row));
            let is_v7 = bytes.get(6).is_some_and(|byte| byte >> 4 == 7);
            let milliseconds = bytes
                .iter()
                .take(6)
                .fold(0_i64, |all, byte| all << 8 | i64::from(*byte));
            Ok(if is_v7 { milliseconds } else { 0 })
        })
    }))
}

/// The starts of the slots that a span touches.
fn slots(call: &Call<'_>) -> Result<Resolved> {
    let kind = kind(call, 0, None)?;
    if kind.grain != Grain::Second {
        return Err(call.illegal(0));
    }
    call.want_integer(&[1, 2])?;
    let size = if call.args.len() > 2 {
        call.constant_integer(2)?.clamp(1, DAY_S)
    } else {
        1800
    };
    let item = call.ty(0).clone();
    let ty = Type::Array(Box::new(item.clone()));
    Ok(Resolved::new(ty, move |cols, rows| {
        let times = Times::of(cols, 0, kind)?;
        let spans = Longs::of(cols, 1)?;
        let mask = crate::functions::rows::validity(cols, rows);
        let (mut starts, mut lengths) = (Vec::new(), Vec::with_capacity(rows));
        for row in 0..rows {
            let before = starts.len();
            if mask.as_ref().is_none_or(|mask| mask.is_valid(row)) {
                let from = times.utc_s(row).div_euclid(size);
                let to = times
                    .utc_s(row)
                    .saturating_add(spans.get(row))
                    .div_euclid(size);
                let count = usize::try_from(to - from).unwrap_or(0);
                if count >= crate::limits::MAX_ARRAY_ELEMENTS {
                    let what = "the time slots of a row are too many";
                    return Err(QueryError::new(ErrorCode::TooLargeArraySize, what).external());
                }
                starts.extend((from..=to).map(|slot| slot * size));
            }
            lengths.push(starts.len() - before);
        }
        let starts = datafusion::arrow::array::Int64Array::from(starts);
        let starts = wrap(&(std::sync::Arc::new(starts) as _), &item.arrow())?;
        list(&item, lengths, starts, None)
    }))
}
