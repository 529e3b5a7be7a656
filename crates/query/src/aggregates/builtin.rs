//! Aggregates that DataFusion computes: count, sum, min, max, avg, any, deviations.

use datafusion::functions_aggregate::average::avg_udaf;
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::first_last::{first_value_udaf, last_value_udaf};
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::functions_aggregate::stddev::{stddev_pop_udaf, stddev_udaf};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::functions_aggregate::variance::{var_pop_udaf, var_samp_udaf};

use super::{Choice, illegal, single, wrong_count};
use crate::error::Result;
use crate::types::{Type, Value};

pub(super) fn choose(name: &str, base: &str, types: &[Type]) -> Result<Choice> {
    if base == "count" {
        return count(name, types);
    }
    let ty = single(name, types)?.clone();
    match base {
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
        _ => {
            if !ty.is_number() && ty != Type::Bool {
                return Err(illegal(name, &ty));
            }
            let function = match base {
                "stddevPop" => stddev_pop_udaf(),
                "stddevSamp" => stddev_udaf(),
                "varPop" => var_pop_udaf(),
                _ => var_samp_udaf(),
            };
            let nothing = Value::Float(f64::NAN);
            Ok(plain(function, Type::Float64, Type::Float64, nothing))
        }
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

/// What an aggregate over nothing gives.
fn zero(ty: &Type) -> Value {
    ty.default_value()
}
