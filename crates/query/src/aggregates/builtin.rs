//! Aggregates that DataFusion computes: count, sum, min, max, avg, any, bits.

use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::functions_aggregate::bit_and_or_xor::{bit_and_udaf, bit_or_udaf, bit_xor_udaf};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::first_last::{first_value_udaf, last_value_udaf};
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::functions_aggregate::sum::sum_udaf;

use super::{Choice, illegal, single, wrong_count};
use crate::error::Result;
use crate::types::{Type, Value};

pub(super) fn choose(name: &str, base: &str, types: &[Type]) -> Result<Choice> {
    if base == "count" {
        return count(name, types);
    }
    if matches!(base, "corr" | "covarPop" | "covarSamp") {
        return super::sums::choose(name, base, types);
    }
    let ty = single(name, types)?.clone();
    match base {
        "sumKahan" if ty.is_number() => Ok(plain(
            sum_udaf(),
            Type::Float64,
            Type::Float64,
            Value::Float(0.0),
        )),
        "groupBitAnd" | "groupBitOr" | "groupBitXor" => bits(name, base, &ty),
        "sumWithOverflow" if ty.is_number() => {
            let nothing = ty.default_value();
            let wide = sum(name, &ty)?.arguments.remove(0);
            Ok(Choice {
                ty: ty.clone(),
                ..plain(sum_udaf(), wide, ty, nothing)
            })
        }
        "sum" => sum(name, &ty),
        "avg" => {
            // A point in time has an average of its own kind; a number a float.
            let result = if ty.is_time() {
                ty.clone()
            } else {
                Type::Float64
            };
            if !(ty.is_number() || ty.is_time() || ty == Type::Bool) {
                return Err(illegal(name, &ty));
            }
            let default = if ty.is_time() {
                zero(&ty)
            } else {
                Value::Float(f64::NAN)
            };
            Ok(plain(avg_udaf(), Type::Float64, result, default))
        }
        "min" | "max" => {
            if matches!(ty, Type::Array(_) | Type::Map(..) | Type::Tuple(_)) {
                return Err(illegal(name, &ty));
            }
            let function = if base == "min" {
                min_udaf()
            } else {
                max_udaf()
            };
            let default = zero(&ty);
            Ok(plain(function, ty.clone(), ty, default))
        }
        "any" | "anyLast" => {
            let function = if base == "any" {
                first_value_udaf()
            } else {
                last_value_udaf()
            };
            let default = zero(&ty);
            Ok(Choice {
                ignore_nulls: true,
                ..plain(function, ty.clone(), ty, default)
            })
        }
        _ => super::sums::choose(name, base, std::slice::from_ref(&ty)),
    }
}

fn plain(
    function: std::sync::Arc<datafusion::logical_expr::AggregateUDF>,
    argument: Type,
    ty: Type,
    default: Value,
) -> Choice {
    Choice {
        function,
        arguments: vec![argument],
        ty,
        default,
        ignore_nulls: false,
    }
}

fn count(name: &str, types: &[Type]) -> Result<Choice> {
    if types.len() > 1 {
        return Err(wrong_count(name));
    }
    Ok(Choice {
        function: count_udaf(),
        arguments: types.to_vec(),
        ty: Type::UInt64,
        default: Value::UInt(0),
        ignore_nulls: false,
    })
}

fn sum(name: &str, ty: &Type) -> Result<Choice> {
    let (wide, nothing) = if let Type::Decimal(_, scale) = ty {
        (Type::Decimal(38, *scale), Value::Int(0))
    } else if ty.is_float() {
        (Type::Float64, Value::Float(0.0))
    } else if ty.is_signed() || matches!(ty, Type::Interval(_)) {
        (Type::Int64, Value::Int(0))
    } else if ty.is_unsigned() || *ty == Type::Bool {
        (Type::UInt64, Value::UInt(0))
    } else {
        return Err(illegal(name, ty));
    };
    Ok(plain(sum_udaf(), wide.clone(), wide, nothing))
}

fn bits(name: &str, base: &str, ty: &Type) -> Result<Choice> {
    if !ty.is_integer() {
        return Err(illegal(name, ty));
    }
    let function = match base {
        "groupBitAnd" => bit_and_udaf(),
        "groupBitOr" => bit_or_udaf(),
        _ => bit_xor_udaf(),
    };
    let nothing = match (base, ty.is_signed()) {
        ("groupBitAnd", true) => Value::Int(-1),
        ("groupBitAnd", false) => Value::UInt(u64::MAX >> (64 - ty.bits().clamp(1, 64))),
        _ => ty.default_value(),
    };
    Ok(plain(function, ty.clone(), ty.clone(), nothing))
}

/// What an aggregate over nothing gives.
fn zero(ty: &Type) -> Value {
    ty.default_value()
}
