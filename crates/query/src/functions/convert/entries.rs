//! The conversion functions of the registry.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, new_null_array};
use datafusion::error::Result as DfResult;

use super::cast::caster;
use super::read::OnBad;
use crate::error::{ErrorCode, Result};
use crate::functions::kernel::{Col, Kernel, Resolved};
use crate::functions::rows::arg;
use crate::functions::signature::{Call, Entry, raw, strict};
use crate::functions::time::parse_zone;
use crate::types::{Type, Value, common_type, values_to_array};

pub(in crate::functions) static FAMILIES: [&[Entry]; 3] = [NUMBERS.as_flattened(), TIMES, OTHERS];

macro_rules! number {
    ($ty:expr, $plain:literal, $zero:literal, $null:literal, $default:literal) => {
        [
            strict($plain, (1, 1), |call| to_fixed(call, $ty, OnBad::Fail)),
            strict($zero, (1, 1), |call| to_fixed(call, $ty, OnBad::Default)),
            strict($null, (1, 1), |call| to_fixed(call, $ty, OnBad::Null)),
            raw($default, (1, 2), |call| or_default(call, $ty)),
        ]
    };
}

static NUMBERS: [[Entry; 4]; 12] = [
    number!(
        Type::UInt8,
        "toUInt8",
        "toUInt8OrZero",
        "toUInt8OrNull",
        "toUInt8OrDefault"
    ),
    number!(
        Type::UInt16,
        "toUInt16",
        "toUInt16OrZero",
        "toUInt16OrNull",
        "toUInt16OrDefault"
    ),
    number!(
        Type::UInt32,
        "toUInt32",
        "toUInt32OrZero",
        "toUInt32OrNull",
        "toUInt32OrDefault"
    ),
    number!(
        Type::UInt64,
        "toUInt64",
        "toUInt64OrZero",
        "toUInt64OrNull",
        "toUInt64OrDefault"
    ),
    number!(
        Type::Int8,
        "toInt8",
        "toInt8OrZero",
        "toInt8OrNull",
        "toInt8OrDefault"
    ),
    number!(
        Type::Int16,
        "toInt16",
        "toInt16OrZero",
        "toInt16OrNull",
        "toInt16OrDefault"
    ),
    number!(
        Type::Int32,
        "toInt32",
        "toInt32OrZero",
        "toInt32OrNull",
        "toInt32OrDefault"
    ),
    number!(
        Type::Int64,
        "toInt64",
        "toInt64OrZero",
        "toInt64OrNull",
        "toInt64OrDefault"
    ),
    number!(
        Type::Float32,
        "toFloat32",
        "toFloat32OrZero",
        "toFloat32OrNull",
        "toFloat32OrDefault"
    ),
    number!(
        Type::Float64,
        "toFloat64",
        "toFloat64OrZero",
        "toFloat64OrNull",
        "toFloat64OrDefault"
    ),
    number!(
        Type::Uuid,
        "toUUID",
        "toUUIDOrZero",
        "toUUIDOrNull",
        "toUUIDOrDefault"
    ),
    number!(
        Type::Date32,
        "toDate32",
        "toDate32OrZero",
        "toDate32OrNull",
        "toDate32OrDefault"
    ),
];

static TIMES: &[Entry] = &[
    strict("toDate", (1, 2), |call| to_date(call, OnBad::Fail)),
    strict("toDateOrNull", (1, 2), |call| to_date(call, OnBad::Null)),
    strict("toDateOrZero", (1, 2), |call| to_date(call, OnBad::Default)),
    strict("DATE", (1, 2), |call| to_date(call, OnBad::Fail)).any_case(),
    strict("toDateTime", (1, 2), |call| to_date_time(call, OnBad::Fail)),
    strict("toDateTime32", (1, 2), |call| {
        to_date_time(call, OnBad::Fail)
    }),
    strict("toDateTimeOrNull", (1, 2), |call| {
        to_date_time(call, OnBad::Null)
    }),
    strict("toDateTimeOrZero", (1, 2), |call| {
        to_date_time(call, OnBad::Default)
    }),
    strict("fromUnixTimestamp", (1, 1), |call| {
        to_date_time(call, OnBad::Fail)
    })
    .any_case(),
    strict("parseDateTimeBestEffort", (1, 2), |call| {
        best_effort(call, OnBad::Fail)
    }),
    strict("parseDateTimeBestEffortOrNull", (1, 2), |call| {
        best_effort(call, OnBad::Null)
    }),
    strict("parseDateTimeBestEffortOrZero", (1, 2), |call| {
        best_effort(call, OnBad::Default)
    }),
    strict("toDateTime64", (2, 3), |call| {
        to_date_time64(call, OnBad::Fail)
    }),
    strict("toDateTime64OrNull", (2, 3), |call| {
        to_date_time64(call, OnBad::Null)
    }),
    strict("toDateTime64OrZero", (2, 3), |call| {
        to_date_time64(call, OnBad::Default)
    }),
    strict("parseDateTime64BestEffort", (1, 3), |call| {
        best_effort64(call, OnBad::Fail)
    }),
    strict("parseDateTime64BestEffortOrNull", (1, 3), |call| {
        best_effort64(call, OnBad::Null)
    }),
    strict("parseDateTime64BestEffortOrZero", (1, 3), |call| {
        best_effort64(call, OnBad::Default)
    }),
    strict("toUnixTimestamp", (1, 2), to_unix),
    strict("toBool", (1, 1), |call| {
        to_fixed(call, Type::Bool, OnBad::Fail)
    }),
];

static OTHERS: &[Entry] = &[
    strict("toString", (1, 2), to_string),
    strict("toFixedString", (2, 2), to_fixed_string),
    strict("toDecimal32", (2, 2), |call| to_decimal(call, 9)),
    strict("toDecimal64", (2, 2), |call| to_decimal(call, 18)),
    strict("toDecimal128", (2, 2), |call| to_decimal(call, 38)),
    raw("CAST", (2, 2), |call| cast(call, OnBad::Fail)).any_case(),
    raw("_CAST", (2, 2), |call| cast(call, OnBad::Fail)),
    raw("accurateCast", (2, 2), |call| cast(call, OnBad::Fail)),
    raw("accurateCastOrNull", (2, 2), cast_or_null),
    raw("toNullable", (1, 1), |call| {
        retyped(call, call.ty(0).nullable())
    }),
    raw("assumeNotNull", (1, 1), assume_not_null),
    raw("toLowCardinality", (1, 1), |call| {
        let ty = call.ty(0).clone();
        retyped(
            call,
            if ty.is_low_cardinality() {
                ty
            } else {
                Type::LowCardinality(Box::new(ty))
            },
        )
    }),
    raw("lowCardinalityKeys", (1, 1), |call| {
        retyped(call, call.ty(0).without_low_cardinality())
    }),
    raw("materialize", (1, 1), |call| {
        retyped(call, call.ty(0).without_low_cardinality())
    }),
    raw("identity", (1, 1), |call| retyped(call, call.ty(0).clone())),
    raw("toTypeName", (1, 1), |call| {
        let name = Value::String(call.ty(0).to_string());
        Ok(Resolved {
            kernel: Kernel::constant(&name, &Type::String)?,
            ty: Type::String,
        })
    }),
];

/// `toX(x)`: the conversion, with the result made Nullable for -OrNull.
fn convert(call: &Call<'_>, to: Type, on_bad: OnBad) -> Result<Resolved> {
    let convert = caster(call.ty(0), &to, on_bad, call.context)?;
    let ty = if on_bad == OnBad::Null {
        to.nullable()
    } else {
        to
    };
    Ok(Resolved::new(ty, move |cols, rows| {
        let col = arg(cols, 0)?;
        if col.constant {
            let one = Col {
                array: convert(&col.array)?,
                constant: true,
            };
            return one.full(rows);
        }
        convert(&col.array)
    }))
}

fn to_fixed(call: &Call<'_>, to: Type, on_bad: OnBad) -> Result<Resolved> {
    convert(call, to, on_bad)
}

/// `toXOrDefault(x[, default])`
fn or_default(call: &Call<'_>, to: Type) -> Result<Resolved> {
    let from = call.ty(0).bare();
    if *from == Type::Nothing {
        let value = call.constant(1).cloned().unwrap_or(Value::UInt(0));
        return Ok(Resolved {
            kernel: Kernel::constant(&value, &to)?,
            ty: to,
        });
    }
    let convert = caster(from, &to, OnBad::Null, call.context)?;
    let fallback: ArrayRef = if call.args.len() > 1 {
        let value = call
            .constant(1)
            .ok_or_else(|| call.fail(ErrorCode::IllegalColumn, "the default must be a constant"))?;
        values_to_array(&to, std::slice::from_ref(value))?
    } else {
        default_array(&to)?
    };
    Ok(Resolved::new(to, move |cols, rows| {
        let converted = convert(&arg(cols, 0)?.full(rows)?)?;
        if converted.null_count() == 0 {
            return Ok(converted);
        }
        let valid = datafusion::arrow::compute::is_not_null(&converted)?;
        let scalar = datafusion::arrow::array::Scalar::new(Arc::clone(&fallback));
        Ok(datafusion::arrow::compute::kernels::zip::zip(
            &valid, &converted, &scalar,
        )?)
    }))
}

fn default_array(ty: &Type) -> Result<ArrayRef> {
    values_to_array(ty, &[ty.default_value()])
}

fn zone(call: &Call<'_>, i: usize) -> Result<Option<String>> {
    let zone = call.optional_text(i)?;
    if let Some(zone) = zone {
        parse_zone(zone)?;
    }
    Ok(zone.map(str::to_owned))
}

fn to_date(call: &Call<'_>, on_bad: OnBad) -> Result<Resolved> {
    let Some(zone) = zone(call, 1)? else {
        return convert(call, Type::Date, on_bad);
    };
    // The day in another zone than the value's own.
    let mut context = call.context.clone();
    context.timezone.clone_from(&zone);
    let from = match call.ty(0) {
        Type::DateTime(_) => Type::DateTime(Some(zone)),
        Type::DateTime64(scale, _) => Type::DateTime64(*scale, Some(zone)),
        other => other.bare().clone(),
    };
    let args = [crate::functions::Argument {
        ty: from,
        constant: None,
    }];
    convert(
        &Call {
            name: call.name,
            args: &args,
            context: &context,
        },
        Type::Date,
        on_bad,
    )
}

fn to_date_time(call: &Call<'_>, on_bad: OnBad) -> Result<Resolved> {
    let own = if let Type::DateTime(zone) | Type::DateTime64(_, zone) = call.ty(0) {
        zone.clone()
    } else {
        None
    };
    convert(call, Type::DateTime(zone(call, 1)?.or(own)), on_bad)
}

fn best_effort(call: &Call<'_>, on_bad: OnBad) -> Result<Resolved> {
    call.want_text(&[0])?;
    convert(call, Type::DateTime(zone(call, 1)?), on_bad)
}

fn scale(call: &Call<'_>, i: usize) -> Result<u8> {
    let scale = call.constant_integer(i)?;
    u8::try_from(scale).ok().filter(|s| *s <= 9).ok_or_else(|| {
        call.fail(
            ErrorCode::ArgumentOutOfBound,
            &format!("Scale {scale} is too large for DateTime64, maximum is 9"),
        )
    })
}

fn to_date_time64(call: &Call<'_>, on_bad: OnBad) -> Result<Resolved> {
    let own = if let Type::DateTime(zone) | Type::DateTime64(_, zone) = call.ty(0) {
        zone.clone()
    } else {
        None
    };
    convert(
        call,
        Type::DateTime64(scale(call, 1)?, zone(call, 2)?.or(own)),
        on_bad,
    )
}

fn best_effort64(call: &Call<'_>, on_bad: OnBad) -> Result<Resolved> {
    call.want_text(&[0])?;
    let scale = if call.args.len() > 1 {
        scale(call, 1)?
    } else {
        3
    };
    convert(call, Type::DateTime64(scale, zone(call, 2)?), on_bad)
}

/// Seconds since 1970 of a time or of text that spells one.
fn to_unix(call: &Call<'_>) -> Result<Resolved> {
    let ty = call.ty(0);
    if !ty.is_time() && !ty.is_text() {
        return Err(call.illegal(0));
    }
    let through = Type::DateTime(zone(call, 1)?);
    let seconds = caster(ty, &through, OnBad::Fail, call.context)?;
    Ok(Resolved::new(Type::UInt32, move |cols, rows| {
        seconds(&arg(cols, 0)?.full(rows)?)
    }))
}

fn to_string(call: &Call<'_>) -> Result<Resolved> {
    let Some(zone) = zone(call, 1)? else {
        return convert(call, Type::String, OnBad::Fail);
    };
    let from = match call.ty(0) {
        Type::DateTime(_) => Type::DateTime(Some(zone)),
        Type::DateTime64(scale, _) => Type::DateTime64(*scale, Some(zone)),
        _ => return Err(call.illegal(0)),
    };
    let args = [crate::functions::Argument {
        ty: from,
        constant: None,
    }];
    let inner = Call {
        name: call.name,
        args: &args,
        context: call.context,
    };
    convert(&inner, Type::String, OnBad::Fail)
}

fn to_fixed_string(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0])?;
    let size = u32::try_from(call.constant_integer(1)?).map_err(|_| call.illegal(1))?;
    convert(call, Type::FixedString(size), OnBad::Fail)
}

fn to_decimal(call: &Call<'_>, precision: u8) -> Result<Resolved> {
    let scale = call.constant_integer(1)?;
    let scale = u8::try_from(scale)
        .ok()
        .filter(|s| *s <= precision)
        .ok_or_else(|| {
            call.fail(
                ErrorCode::ArgumentOutOfBound,
                &format!("Decimal scale {scale} is out of bounds"),
            )
        })?;
    convert(call, Type::Decimal(precision, scale), OnBad::Fail)
}

fn cast(call: &Call<'_>, on_bad: OnBad) -> Result<Resolved> {
    let to: Type = call.constant_text(1)?.parse()?;
    convert(call, to, on_bad)
}

fn cast_or_null(call: &Call<'_>) -> Result<Resolved> {
    cast(call, OnBad::Null)
}

/// The same values under another type with the same physical form.
fn retyped(_call: &Call<'_>, ty: Type) -> Result<Resolved> {
    Ok(Resolved::new(ty, |cols, rows| arg(cols, 0)?.full(rows)))
}

fn assume_not_null(call: &Call<'_>) -> Result<Resolved> {
    let ty = call.ty(0).not_nullable();
    let physical = ty.arrow();
    let fallback = default_array(&ty)?;
    Ok(Resolved::new(ty, move |cols, rows| -> DfResult<ArrayRef> {
        let full = arg(cols, 0)?.full(rows)?;
        if full.data_type() != &physical {
            return Ok(new_null_array(&physical, rows));
        }
        if full.null_count() == 0 {
            return Ok(full);
        }
        let valid = datafusion::arrow::compute::is_not_null(&full)?;
        let scalar = datafusion::arrow::array::Scalar::new(Arc::clone(&fallback));
        Ok(datafusion::arrow::compute::kernels::zip::zip(
            &valid, &full, &scalar,
        )?)
    }))
}

/// The common type of a call's arguments from `first` on.
pub(in crate::functions) fn common(call: &Call<'_>, types: &[Type]) -> Result<Type> {
    common_type(types).ok_or_else(|| {
        let names: Vec<String> = types.iter().map(ToString::to_string).collect();
        call.fail(
            ErrorCode::NoCommonType,
            &format!("There is no supertype for types {}", names.join(", ")),
        )
    })
}
