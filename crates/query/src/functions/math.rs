//! Numbers: rounding, roots, logarithms, NaN tests.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{Float64Type, Int8Type, Int64Type, UInt16Type, UInt64Type};
use datafusion::error::Result as DfResult;

use super::kernel::{Col, Kernel, Resolved};
use super::rows::{Doubles, Longs, arg, flags, numbers};
use super::signature::{Call, Entry, strict};
use super::wrap::wrap;
use crate::error::{ErrorCode, QueryError, Result};
use crate::types::{Type, Value};

pub(super) static ENTRIES: &[Entry] = &[
    strict("round", (1, 2), |call| {
        rounded(call, half_even, Integer::HalfUp)
    })
    .any_case(),
    strict("roundBankers", (1, 2), |call| {
        rounded(call, half_even, Integer::HalfEven)
    }),
    strict("floor", (1, 2), |call| {
        rounded(call, f64::floor, Integer::Floor)
    })
    .any_case(),
    strict("ceil", (1, 2), |call| {
        rounded(call, f64::ceil, Integer::Ceil)
    })
    .any_case(),
    strict("ceiling", (1, 2), |call| {
        rounded(call, f64::ceil, Integer::Ceil)
    })
    .any_case(),
    strict("trunc", (1, 2), |call| {
        rounded(call, f64::trunc, Integer::Trunc)
    })
    .any_case(),
    strict("truncate", (1, 2), |call| {
        rounded(call, f64::trunc, Integer::Trunc)
    })
    .any_case(),
    strict("sqrt", (1, 1), |call| real(call, f64::sqrt)).any_case(),
    strict("cbrt", (1, 1), |call| real(call, f64::cbrt)),
    strict("exp", (1, 1), |call| real(call, f64::exp)).any_case(),
    strict("exp2", (1, 1), |call| real(call, f64::exp2)),
    strict("exp10", (1, 1), |call| real(call, |v| 10_f64.powf(v))),
    strict("log", (1, 1), |call| real(call, f64::ln)).any_case(),
    strict("ln", (1, 1), |call| real(call, f64::ln)).any_case(),
    strict("log2", (1, 1), |call| real(call, f64::log2)).any_case(),
    strict("log10", (1, 1), |call| real(call, f64::log10)).any_case(),
    strict("log1p", (1, 1), |call| real(call, f64::ln_1p)),
    strict("sin", (1, 1), |call| real(call, f64::sin)).any_case(),
    strict("cos", (1, 1), |call| real(call, f64::cos)).any_case(),
    strict("tan", (1, 1), |call| real(call, f64::tan)).any_case(),
    strict("asin", (1, 1), |call| real(call, f64::asin)).any_case(),
    strict("acos", (1, 1), |call| real(call, f64::acos)).any_case(),
    strict("atan", (1, 1), |call| real(call, f64::atan)).any_case(),
    strict("sinh", (1, 1), |call| real(call, f64::sinh)),
    strict("cosh", (1, 1), |call| real(call, f64::cosh)),
    strict("tanh", (1, 1), |call| real(call, f64::tanh)).any_case(),
    strict("asinh", (1, 1), |call| real(call, f64::asinh)),
    strict("acosh", (1, 1), |call| real(call, f64::acosh)),
    strict("atanh", (1, 1), |call| real(call, f64::atanh)),
    strict("erf", (1, 1), |call| real(call, libm::erf)),
    strict("erfc", (1, 1), |call| real(call, libm::erfc)),
    strict("lgamma", (1, 1), |call| real(call, libm::lgamma)),
    strict("tgamma", (1, 1), |call| real(call, libm::tgamma)),
    strict("atan2", (2, 2), |call| real_pair(call, f64::atan2)).any_case(),
    strict("hypot", (2, 2), |call| real_pair(call, f64::hypot)),
    strict("max2", (2, 2), |call| real_pair(call, f64::max)).any_case(),
    strict("min2", (2, 2), |call| real_pair(call, f64::min)).any_case(),
    strict("degrees", (1, 1), |call| real(call, f64::to_degrees)).any_case(),
    strict("radians", (1, 1), |call| real(call, f64::to_radians)).any_case(),
    strict("pow", (2, 2), |call| real_pair(call, f64::powf)).any_case(),
    strict("power", (2, 2), |call| real_pair(call, f64::powf)).any_case(),
    strict("pi", (0, 0), |_| constant(std::f64::consts::PI)).any_case(),
    strict("e", (0, 0), |_| constant(std::f64::consts::E)),
    strict("sign", (1, 1), sign).any_case(),
    strict("isNaN", (1, 1), |call| test(call, f64::is_nan)),
    strict("isFinite", (1, 1), |call| test(call, f64::is_finite)),
    strict("isInfinite", (1, 1), |call| test(call, f64::is_infinite)),
    strict("widthBucket", (4, 4), width_bucket).any_case(),
    strict("width_bucket", (4, 4), width_bucket).any_case(),
    strict("factorial", (1, 1), factorial).any_case(),
];

fn constant(value: f64) -> Result<Resolved> {
    Ok(Resolved {
        ty: Type::Float64,
        kernel: Kernel::constant(&Value::Float(value), &Type::Float64)?,
    })
}

fn half_even(value: f64) -> f64 {
    value.round_ties_even()
}

/// How integers are rounded to a power of ten.
#[derive(Debug, Clone, Copy)]
enum Integer {
    HalfUp,
    HalfEven,
    Floor,
    Ceil,
    Trunc,
}

fn rounded(call: &Call<'_>, float: fn(f64) -> f64, integer: Integer) -> Result<Resolved> {
    call.want_number(&[0])?;
    let digits = if call.args.len() > 1 {
        call.constant_integer(1)?
    } else {
        0
    };
    let ty = call.ty(0).clone();
    let physical = ty.arrow();
    if ty.is_float() {
        let power = 10_f64.powi(i32::try_from(digits.clamp(-300, 300)).unwrap_or(0));
        return Ok(Resolved::new(ty, move |cols, rows| {
            let a = Doubles::of(cols, 0)?;
            let all = numbers::<Float64Type>(cols, rows, |row| {
                let value = a.get(row);
                let scaled = value * power;
                // Beyond the float's digits nothing is rounded.
                Ok(if scaled.is_finite() {
                    float(scaled) / power
                } else {
                    value
                })
            })?;
            wrap(&all, &physical)
        }));
    }
    if digits >= 0 || !ty.is_integer() {
        return Ok(Resolved::new(ty, |cols, rows| arg(cols, 0)?.full(rows)));
    }
    let unit = u32::try_from(-digits)
        .ok()
        .and_then(|d| 10_i64.checked_pow(d));
    Ok(Resolved::new(ty, move |cols, rows| {
        let a = Longs::of(cols, 0)?;
        let all = numbers::<Int64Type>(cols, rows, |row| {
            Ok(unit.map_or(0, |unit| to_multiple(a.get(row), unit, integer)))
        })?;
        wrap(&all, &physical)
    }))
}

fn to_multiple(value: i64, unit: i64, how: Integer) -> i64 {
    let low = value.div_euclid(unit).saturating_mul(unit);
    let rest = value.rem_euclid(unit);
    let high = if rest == 0 {
        low
    } else {
        low.saturating_add(unit)
    };
    let twice = rest.saturating_mul(2);
    match how {
        Integer::Floor => low,
        Integer::Ceil => high,
        Integer::Trunc => {
            if value < 0 {
                high
            } else {
                low
            }
        }
        Integer::HalfUp => {
            if twice > unit || (twice == unit && value > 0) {
                high
            } else {
                low
            }
        }
        Integer::HalfEven => {
            let odd = value.div_euclid(unit) % 2 != 0;
            if twice > unit || (twice == unit && odd) {
                high
            } else {
                low
            }
        }
    }
}

fn real(call: &Call<'_>, f: fn(f64) -> f64) -> Result<Resolved> {
    call.want_number(&[0])?;
    Ok(Resolved::new(Type::Float64, move |cols, rows| {
        let a = Doubles::of(cols, 0)?;
        numbers::<Float64Type>(cols, rows, |row| Ok(f(a.get(row))))
    }))
}

fn real_pair(call: &Call<'_>, f: fn(f64, f64) -> f64) -> Result<Resolved> {
    call.want_number(&[0, 1])?;
    Ok(Resolved::new(Type::Float64, move |cols, rows| {
        let (a, b) = (Doubles::of(cols, 0)?, Doubles::of(cols, 1)?);
        numbers::<Float64Type>(cols, rows, |row| Ok(f(a.get(row), b.get(row))))
    }))
}

/// Of numbers up to 20: larger results do not fit.
fn factorial(call: &Call<'_>) -> Result<Resolved> {
    call.want_integer(&[0])?;
    Ok(Resolved::new(Type::UInt64, |cols, rows| {
        let values = Longs::of(cols, 0)?;
        numbers::<UInt64Type>(cols, rows, |row| {
            let n = u64::try_from(values.get(row)).unwrap_or(0);
            (2..=n).try_fold(1_u64, u64::checked_mul).ok_or_else(|| {
                let what = "The maximum supported value for function factorial is 20";
                QueryError::new(ErrorCode::BadArguments, what).external()
            })
        })
    }))
}

fn sign(call: &Call<'_>) -> Result<Resolved> {
    call.want_number(&[0])?;
    Ok(Resolved::new(
        Type::Int8,
        |cols, rows| -> DfResult<ArrayRef> {
            let a = Doubles::of(cols, 0)?;
            numbers::<Int8Type>(cols, rows, |row| {
                Ok(i8::from(a.get(row) > 0.0) - i8::from(a.get(row) < 0.0))
            })
        },
    ))
}

fn test(call: &Call<'_>, f: fn(f64) -> bool) -> Result<Resolved> {
    call.want_number(&[0])?;
    Ok(Resolved::new(Type::UInt8, move |cols: &[Col], rows| {
        let a = Doubles::of(cols, 0)?;
        flags(cols, rows, |row| Ok(f(a.get(row))))
    }))
}

/// 0 below, count + 1 at or above the upper bound.
fn width_bucket(call: &Call<'_>) -> Result<Resolved> {
    call.want_number(&[0, 1, 2])?;
    call.want_integer(&[3])?;
    Ok(Resolved::new(Type::UInt16, |cols, rows| {
        let (x, low, high) = (
            Doubles::of(cols, 0)?,
            Doubles::of(cols, 1)?,
            Doubles::of(cols, 2)?,
        );
        let counts = Longs::of(cols, 3)?;
        let all = numbers::<Int64Type>(cols, rows, |row| {
            let (x, low, high, count) = (x.get(row), low.get(row), high.get(row), counts.get(row));
            if x < low {
                return Ok(0);
            }
            if x >= high {
                return Ok(count.saturating_add(1));
            }
            #[expect(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                reason = "the position lies between 0 and a small count"
            )]
            let bucket = ((x - low) / (high - low) * count as f64) as i64 + 1;
            Ok(bucket)
        })?;
        wrap(
            &(Arc::clone(&all) as ArrayRef),
            &<UInt16Type as datafusion::arrow::datatypes::ArrowPrimitiveType>::DATA_TYPE,
        )
    }))
}
