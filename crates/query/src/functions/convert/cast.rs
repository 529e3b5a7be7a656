//! One conversion between any two types, put together when the call is resolved.

use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, MapArray, NullArray, StructArray,
    new_null_array,
};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::error::Result as DfResult;

use super::read::{OnBad, Reading, read};
use super::to_text::to_text;
use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::kernel::{Col, Context};
use crate::functions::rows::{Doubles, Longs, numbers};
use crate::functions::time::{DAY_S, Grain, TimeKind, Times, parse_zone, power_of_ten};
use crate::functions::wrap::wrap;
use crate::types::{Type, entries_field, entry_fields, item_field, tuple_fields};

/// Converts arrays of one type to arrays of another.
pub(crate) type Caster = Arc<dyn Fn(&ArrayRef) -> DfResult<ArrayRef> + Send + Sync>;

fn no_conversion(from: &Type, to: &Type) -> QueryError {
    QueryError::new(
        ErrorCode::CannotConvertType,
        format!("Conversion from {from} to {to} is not supported"),
    )
}

/// The conversion from `from` to `to`.
///
/// # Errors
/// When there is none.
pub(crate) fn caster(from: &Type, to: &Type, on_bad: OnBad, context: &Context) -> Result<Caster> {
    if let Type::LowCardinality(inner) = to {
        return caster(from, inner, on_bad, context);
    }
    if let Type::LowCardinality(inner) = from {
        return caster(inner, to, on_bad, context);
    }
    if from == to {
        return Ok(Arc::new(|array| Ok(Arc::clone(array))));
    }
    if *from.bare() == Type::Nothing {
        let physical = to.arrow();
        let nullable = to.is_nullable() || on_bad == OnBad::Null;
        let target = to.clone();
        return Ok(Arc::new(move |array| {
            if array.is_empty() || nullable {
                return Ok(new_null_array(&physical, array.len()));
            }
            Err(null_to(&target).external())
        }));
    }
    if let Type::Nullable(inner) = to {
        return caster(from.bare(), inner, on_bad, context);
    }
    if let Type::Nullable(inner) = from {
        let convert = caster(inner, to, on_bad, context)?;
        let target = to.clone();
        return Ok(Arc::new(move |array| {
            if array.null_count() > 0 {
                return Err(null_to(&target).external());
            }
            convert(array)
        }));
    }
    nested(from, to, on_bad, context)
}

fn null_to(to: &Type) -> QueryError {
    QueryError::new(
        ErrorCode::CannotConvertType,
        format!("Cannot convert NULL value to non-Nullable type {to}"),
    )
}

fn nested(from: &Type, to: &Type, on_bad: OnBad, context: &Context) -> Result<Caster> {
    if let (Type::Array(a), Type::Array(b)) = (from, to) {
        let convert = caster(a, b, on_bad, context)?;
        let item = item_field(b);
        return Ok(Arc::new(move |array| {
            let list = array.as_list::<i32>();
            let items = convert(list.values())?;
            let (_, offsets, _, nulls) = list.clone().into_parts();
            Ok(Arc::new(ListArray::try_new(
                Arc::clone(&item),
                offsets,
                items,
                nulls,
            )?))
        }));
    }
    if let (Type::Map(ak, av), Type::Map(bk, bv)) = (from, to) {
        let keys = caster(ak, bk, on_bad, context)?;
        let values = caster(av, bv, on_bad, context)?;
        let (outer, inner) = (entries_field(bk, bv), entry_fields(bk, bv));
        return Ok(Arc::new(move |array| {
            let map = array.as_map();
            let columns = vec![keys(map.keys())?, values(map.values())?];
            let entries = StructArray::try_new(inner.clone(), columns, None)?;
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            Ok(Arc::new(MapArray::try_new(
                Arc::clone(&outer),
                offsets,
                entries,
                nulls,
                false,
            )?))
        }));
    }
    if let (Type::Tuple(a), Type::Tuple(b)) = (from, to)
        && a.len() == b.len()
        && !a.is_empty()
    {
        let parts = a
            .iter()
            .zip(b)
            .map(|((_, x), (_, y))| caster(x, y, on_bad, context));
        let parts = parts.collect::<Result<Vec<_>>>()?;
        let fields = tuple_fields(b);
        return Ok(Arc::new(move |array| {
            let tuple = array.as_struct();
            let columns = tuple
                .columns()
                .iter()
                .zip(&parts)
                .map(|(column, part)| part(column));
            let columns = columns.collect::<DfResult<Vec<_>>>()?;
            let nulls = tuple.nulls().cloned();
            Ok(Arc::new(StructArray::try_new(
                fields.clone(),
                columns,
                nulls,
            )?))
        }));
    }
    scalar(from, to, on_bad, context)
}

fn zone_of(ty: &Type, context: &Context) -> Result<Tz> {
    let own = if let Type::DateTime(zone) | Type::DateTime64(_, zone) = ty {
        zone.as_deref()
    } else {
        None
    };
    parse_zone(own.unwrap_or(&context.timezone))
}

fn scalar(from: &Type, to: &Type, on_bad: OnBad, context: &Context) -> Result<Caster> {
    let (source, target) = (from.clone(), to.clone());
    if *to == Type::String {
        let zone = context.timezone.clone();
        return Ok(Arc::new(move |array| to_text(array, &source, &zone)));
    }
    if from.is_text() {
        let known = to.is_number() || to.is_time() || to.is_text();
        if !known && !matches!(to, Type::Uuid | Type::Enum8(_)) {
            return Err(no_conversion(from, to));
        }
        let how = Reading {
            on_bad,
            tz: zone_of(to, context)?,
        };
        return Ok(Arc::new(move |array| {
            read(array.as_string_view(), &target, how)
        }));
    }
    if let Some(kind) = TimeKind::of(from, None, context)? {
        return from_time(kind, from, to, zone_of(to, context)?);
    }
    if matches!(from, Type::Enum8(_) | Type::Interval(_)) && (to.is_integer() || to.is_float()) {
        let physical = to.arrow();
        return Ok(Arc::new(move |array| wrap(array, &physical)));
    }
    if from.is_number() {
        return from_number(from, to);
    }
    Err(no_conversion(from, to))
}

fn one(array: &ArrayRef) -> [Col; 1] {
    [Col {
        array: Arc::clone(array),
        constant: false,
    }]
}

fn from_number(from: &Type, to: &Type) -> Result<Caster> {
    let physical = to.arrow();
    if *to == Type::Bool {
        return Ok(Arc::new(|array| {
            let cols = one(array);
            let values = Doubles::of(&cols, 0)?;
            let flags: BooleanArray = (0..array.len())
                .map(|row| array.is_valid(row).then(|| values.get(row) != 0.0))
                .collect();
            Ok(Arc::new(flags))
        }));
    }
    if matches!(from, Type::Decimal(..)) || matches!(to, Type::Decimal(..)) {
        return from_decimal(from, to);
    }
    if from.is_float() && to.is_integer() {
        return Ok(Arc::new(move |array| {
            let cols = one(array);
            let values = Doubles::of(&cols, 0)?;
            if (0..array.len()).any(|row| array.is_valid(row) && !values.get(row).is_finite()) {
                let what = "Unexpected inf or nan to integer conversion";
                return Err(QueryError::new(ErrorCode::CannotConvertType, what).external());
            }
            wrap(array, &physical)
        }));
    }
    if to.is_number() || matches!(to, Type::Interval(_) | Type::Enum8(_)) {
        return Ok(Arc::new(move |array| wrap(array, &physical)));
    }
    let bounded: fn(i64) -> i64 = match to {
        // Numbers beyond the days of the type are seconds.
        Type::Date => |v| if v > 65_535 { v / DAY_S } else { v.max(0) },
        Type::Date32 => |v| if v > 120_529 { v / DAY_S } else { v },
        Type::DateTime(_) => |v| v.clamp(0, 4_294_967_295),
        Type::DateTime64(scale, _) => return Ok(to_ticks(from, *scale)),
        _ => return Err(no_conversion(from, to)),
    };
    Ok(Arc::new(move |array| {
        let cols = one(array);
        let longs = Longs::of(&cols, 0)?;
        let all = numbers::<Int64Type>(&cols, array.len(), |row| Ok(bounded(longs.get(row))))?;
        wrap(&all, &physical)
    }))
}

/// Seconds, whole or with a fraction, to ticks.
fn to_ticks(from: &Type, scale: u8) -> Caster {
    let per_second = power_of_ten(scale);
    if from.is_float() {
        return Arc::new(move |array| {
            let cols = one(array);
            let seconds = Doubles::of(&cols, 0)?;
            #[expect(
                clippy::cast_precision_loss,
                reason = "a power of ten up to 10^9 is exact"
            )]
            let factor = per_second as f64;
            let ticks =
                numbers::<Float64Type>(&cols, array.len(), |row| Ok(seconds.get(row) * factor))?;
            wrap(&ticks, &DataType::Int64)
        });
    }
    Arc::new(move |array| {
        let cols = one(array);
        let seconds = Longs::of(&cols, 0)?;
        numbers::<Int64Type>(&cols, array.len(), |row| {
            seconds.get(row).checked_mul(per_second).ok_or_else(|| {
                QueryError::new(ErrorCode::DecimalOverflow, "DateTime64 convert overflow")
                    .external()
            })
        })
    })
}

fn from_decimal(from: &Type, to: &Type) -> Result<Caster> {
    let physical = to.arrow();
    if !to.is_number() {
        return Err(no_conversion(from, to));
    }
    let through_float = from.is_float() || to.is_float();
    Ok(Arc::new(move |array| {
        if through_float && !matches!(physical, DataType::Decimal128(..)) {
            return wrap(array, &physical);
        }
        let options = datafusion::arrow::compute::CastOptions {
            safe: false,
            ..Default::default()
        };
        datafusion::arrow::compute::cast_with_options(array, &physical, &options).map_err(|error| {
            QueryError::new(
                ErrorCode::DecimalOverflow,
                format!("Decimal convert overflow: {error}"),
            )
            .external()
        })
    }))
}

fn from_time(kind: TimeKind, from: &Type, to: &Type, target_zone: Tz) -> Result<Caster> {
    let physical = to.arrow();
    // A day becomes midnight in the target's zone.
    let kind = if kind.grain == Grain::Day {
        TimeKind {
            tz: target_zone,
            ..kind
        }
    } else {
        kind
    };
    let read: fn(&Times, usize, u8) -> i64 = match to {
        Type::Date | Type::Date32 => |times, row, _| times.local_day(row),
        Type::DateTime(_) => |times, row, _| times.utc_s(row).clamp(0, 4_294_967_295),
        Type::DateTime64(..) => Times::ticks,
        _ if to.is_float() && matches!(kind.grain, Grain::Tick(_)) => {
            return Ok(fractional(kind, physical));
        }
        _ if to.is_integer() || to.is_float() => match kind.grain {
            Grain::Day => |times, row, _| times.raw(row),
            Grain::Second | Grain::Tick(_) => |times, row, _| times.utc_s(row),
        },
        _ => return Err(no_conversion(from, to)),
    };
    let narrow = to.is_integer() && to.bits() < 32 && matches!(kind.grain, Grain::Tick(_));
    let scale = if let Type::DateTime64(scale, _) = to {
        *scale
    } else {
        0
    };
    Ok(Arc::new(move |array| {
        let cols = one(array);
        let times = Times::of(&cols, 0, kind)?;
        let longs = numbers::<Int64Type>(&cols, array.len(), |row| Ok(read(&times, row, scale)))?;
        if narrow && (0..array.len()).any(|row| array.is_valid(row) && times.utc_s(row) > 65_535) {
            let what = "Convert overflow: the seconds do not fit the type";
            return Err(QueryError::new(ErrorCode::DecimalOverflow, what).external());
        }
        if physical == DataType::Boolean {
            return Ok(Arc::new(NullArray::new(array.len())));
        }
        wrap(&longs, &physical)
    }))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds as a float are the nearest float"
)]
fn fractional(kind: TimeKind, physical: DataType) -> Caster {
    let scale = if let Grain::Tick(scale) = kind.grain {
        scale
    } else {
        0
    };
    let per_second = power_of_ten(scale) as f64;
    Arc::new(move |array| {
        let cols = one(array);
        let ticks = Longs::of(&cols, 0)?;
        let seconds = numbers::<Float64Type>(&cols, array.len(), |row| {
            Ok(ticks.get(row) as f64 / per_second)
        })?;
        wrap(&seconds, &physical)
    })
}
