//! Exact quantiles: all values of a group, as 64-bit keys that order like the values.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, Int64Builder, ListBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Field, Float64Type, Int64Type, UInt64Type,
};
use datafusion::error::Result as DfResult;

use super::fold::{Fold, aggregate};
use super::quantile::{levels, nothing_of};
use super::{Choice, illegal, wrong_count};
use crate::error::{QueryError, Result};
use crate::types::{Type, Value, values_to_array};

pub(super) fn choose(name: &str, parameters: &[Value], types: &[Type]) -> Result<Choice> {
    let weighted = name.ends_with("Weighted");
    let (ty, wide) = match types {
        [ty] if !weighted => (ty, vec![ty.clone()]),
        [ty, weight] if weighted && weight.is_unsigned() => (ty, vec![ty.clone(), Type::UInt64]),
        [_, weight] if weighted => return Err(illegal(name, weight)),
        _ => return Err(wrong_count(name)),
    };
    let known = ty.is_number() || ty.is_time() || matches!(ty, Type::Interval(_));
    if !known || matches!(ty, Type::Decimal(19.., _)) {
        return Err(illegal(name, ty));
    }
    let many = name.starts_with("quantiles");
    let rank = if name.ends_with("Low") {
        Rank::Low
    } else if name.ends_with("High") {
        Rank::High
    } else if name.ends_with("Exclusive") {
        Rank::Exclusive
    } else if name.ends_with("Inclusive") {
        Rank::Inclusive
    } else {
        Rank::Plain
    };
    let item = match rank {
        Rank::Exclusive | Rank::Inclusive => Type::Float64,
        Rank::Plain | Rank::Low | Rank::High => ty.clone(),
    };
    let levels = levels(name, parameters)?;
    let nothing = nothing_of(&item);
    let (result, default) = if many {
        (
            Type::Array(Box::new(item.clone())),
            Value::Array(vec![nothing; levels.len()]),
        )
    } else {
        (item.clone(), nothing)
    };
    let fold = Exact {
        levels: levels.iter().map(|level| level.to_bits()).collect(),
        keys: Keys::of(ty),
        rank,
        weighted,
        item,
        result: result.clone(),
    };
    Ok(Choice {
        function: aggregate("quantileExact", result.arrow(), fold),
        arguments: wide,
        ty: result,
        default,
        ignore_nulls: false,
    })
}

/// Which of the sorted values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Rank {
    Plain,
    Low,
    High,
    Exclusive,
    Inclusive,
}

/// How values become keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Keys {
    Signed,
    Unsigned,
    Float,
    Decimal,
}

impl Keys {
    fn of(ty: &Type) -> Self {
        match ty.arrow() {
            DataType::Float32 | DataType::Float64 => Self::Float,
            DataType::Decimal128(..) => Self::Decimal,
            DataType::UInt64 => Self::Unsigned,
            _ => Self::Signed,
        }
    }

    fn prepare(self, array: &ArrayRef) -> DfResult<ArrayRef> {
        let nulls = || array.logical_nulls();
        Ok(match self {
            Self::Signed => cast(array, &DataType::Int64)?,
            Self::Unsigned => {
                let values = array.as_primitive::<UInt64Type>().values().iter();
                let keys = values.map(|v| (v ^ (1 << 63)).cast_signed());
                Arc::new(Int64Array::new(keys.collect(), nulls()))
            }
            Self::Float => {
                let floats = cast(array, &DataType::Float64)?;
                let values = floats.as_primitive::<Float64Type>().values().iter();
                Arc::new(Int64Array::new(
                    values.map(|v| float_key(*v)).collect(),
                    nulls(),
                ))
            }
            Self::Decimal => {
                let units = array.as_primitive::<Decimal128Type>().values().iter();
                let keys = units.map(|v| i64::try_from(*v).unwrap_or(i64::MAX));
                Arc::new(Int64Array::new(keys.collect(), nulls()))
            }
        })
    }

    fn value(self, key: i64) -> Value {
        match self {
            Self::Signed | Self::Decimal => u64::try_from(key).map_or(Value::Int(key), Value::UInt),
            Self::Unsigned => Value::UInt(key.cast_unsigned() ^ (1 << 63)),
            Self::Float => Value::Float(float_of(key)),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "interpolation is done on floats"
    )]
    fn float(self, key: i64) -> f64 {
        match self {
            Self::Signed | Self::Decimal => key as f64,
            Self::Unsigned => (key.cast_unsigned() ^ (1 << 63)) as f64,
            Self::Float => float_of(key),
        }
    }
}

/// Negative floats order the other way round by their bits.
fn float_key(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

fn float_of(key: i64) -> f64 {
    f64::from_bits((key ^ ((key >> 63).cast_unsigned() >> 1).cast_signed()).cast_unsigned())
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Exact {
    levels: Vec<u64>,
    keys: Keys,
    rank: Rank,
    weighted: bool,
    item: Type,
    result: Type,
}

/// Key and weight of each value.
type All = Vec<(i64, u64)>;

impl Exact {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a position in a group's values"
    )]
    fn at(&self, all: &All, level: f64) -> Value {
        let count = all.len();
        let key = |i: usize| all.get(i.min(count - 1)).map_or(0, |(key, _)| *key);
        if count == 0 {
            return nothing_of(&self.item);
        }
        let position = level * count as f64;
        let plain = if level < 1.0 {
            position as usize
        } else {
            count - 1
        };
        match self.rank {
            Rank::Plain if self.weighted => self.keys.value(weighted_key(all, level)),
            Rank::Plain | Rank::High => self.keys.value(key(plain)),
            Rank::Low if level == 0.5 && count.is_multiple_of(2) => {
                self.keys.value(key(plain.saturating_sub(1)))
            }
            Rank::Low => self.keys.value(key(plain)),
            Rank::Exclusive | Rank::Inclusive => {
                let h = if self.rank == Rank::Exclusive {
                    level * (count as f64 + 1.0)
                } else {
                    level * (count as f64 - 1.0) + 1.0
                };
                let below = h as usize;
                if below < 1 {
                    return Value::Float(self.keys.float(key(0)));
                }
                if below >= count {
                    return Value::Float(self.keys.float(key(count - 1)));
                }
                let (low, high) = (self.keys.float(key(below - 1)), self.keys.float(key(below)));
                Value::Float(low + (h - below as f64) * (high - low))
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "weights are compared as floats")]
fn weighted_key(all: &All, level: f64) -> i64 {
    let total: u64 = all.iter().map(|(_, weight)| *weight).sum();
    let threshold = (total as f64 * level).ceil();
    let mut passed = 0_u64;
    for (key, weight) in all {
        passed = passed.saturating_add(*weight);
        if passed as f64 >= threshold {
            return *key;
        }
    }
    all.last().map_or(0, |(key, _)| *key)
}

impl Fold for Exact {
    type State = All;

    fn saved_types(&self) -> Vec<DataType> {
        let list = || DataType::List(Arc::new(Field::new("item", DataType::Int64, true)));
        vec![list(), list()]
    }

    fn prepare(&self, arguments: &[ArrayRef]) -> DfResult<Vec<ArrayRef>> {
        let mut prepared = Vec::with_capacity(arguments.len());
        for (i, array) in arguments.iter().enumerate() {
            prepared.push(if i == 0 {
                self.keys.prepare(array)?
            } else {
                cast(array, &DataType::UInt64)?
            });
        }
        Ok(prepared)
    }

    fn add(&self, state: &mut All, prepared: &[ArrayRef], row: usize) -> DfResult<usize> {
        let Some(keys) = prepared.first() else {
            return Ok(0);
        };
        let key = keys.as_primitive::<Int64Type>().value(row);
        if self.keys == Keys::Float && float_of(key).is_nan() {
            return Ok(0);
        }
        let weights = prepared
            .get(1)
            .map(|array| array.as_primitive::<UInt64Type>());
        let weight = weights.map_or(1, |weights| weights.value(row));
        let before = state.capacity();
        state.push((key, weight));
        Ok((state.capacity() - before) * size_of::<(i64, u64)>())
    }

    fn save(&self, states: Vec<All>) -> DfResult<Vec<ArrayRef>> {
        let mut keys = ListBuilder::new(Int64Builder::new());
        let mut weights = ListBuilder::new(Int64Builder::new());
        for state in states {
            for (key, weight) in state {
                keys.values().append_value(key);
                weights.values().append_value(weight.cast_signed());
            }
            keys.append(true);
            weights.append(true);
        }
        Ok(vec![Arc::new(keys.finish()), Arc::new(weights.finish())])
    }

    fn merge(&self, state: &mut All, saved: &[ArrayRef], row: usize) -> DfResult<usize> {
        let [keys, weights] = saved else { return Ok(0) };
        if keys.is_null(row) {
            return Ok(0);
        }
        let (keys, weights) = (
            keys.as_list::<i32>().value(row),
            weights.as_list::<i32>().value(row),
        );
        let before = state.capacity();
        let keys = keys.as_primitive::<Int64Type>().values();
        let weights = weights.as_primitive::<Int64Type>().values();
        state.extend(
            keys.iter()
                .zip(weights)
                .map(|(k, w)| (*k, w.cast_unsigned())),
        );
        Ok((state.capacity() - before) * size_of::<(i64, u64)>())
    }

    fn finish(&self, states: Vec<All>) -> DfResult<ArrayRef> {
        let many = self.result != self.item;
        let mut answers = Vec::with_capacity(states.len());
        for mut state in states {
            state.sort_unstable();
            let mut values = self
                .levels
                .iter()
                .map(|bits| self.at(&state, f64::from_bits(*bits)));
            answers.push(if many {
                Value::Array(values.collect())
            } else {
                values.next().unwrap_or(Value::Null)
            });
        }
        values_to_array(&self.result, &answers).map_err(QueryError::external)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_order_like_floats() {
        let sorted = [
            f64::NEG_INFINITY,
            -2.5,
            -0.0,
            0.0,
            1e-300,
            7.0,
            f64::INFINITY,
        ];
        let keys: Vec<i64> = sorted.iter().map(|v| float_key(*v)).collect();
        assert!(keys.is_sorted());
        for (value, key) in sorted.iter().zip(keys) {
            assert_eq!(value.to_bits(), float_of(key).to_bits());
        }
    }
}
