//! Quantiles: exact up to a bound, then over a uniform sample of that size.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Float64Builder, ListBuilder, UInt64Array,
};
use datafusion::arrow::datatypes::{DataType, Field, Float64Type, UInt64Type};
use datafusion::error::Result as DfResult;

use super::fold::{Fold, aggregate};
use super::{Choice, illegal, single};
use crate::error::{ErrorCode, QueryError, Result};
use crate::types::{Type, Value, as_f64};

/// Values kept per group; beyond it a uniform sample stands for all. The error of a quantile of a sample this large is
/// about 0.3 % of the rank.
const MAX_SAMPLE: usize = 32_768;

pub(super) fn choose(name: &str, parameters: &[Value], types: &[Type]) -> Result<Choice> {
    // The second argument of quantileDeterministic only seeds the sampling.
    let types = match types {
        [value, _] if name.contains("Deterministic") => std::slice::from_ref(value),
        types => types,
    };
    let ty = single(name, types)?;
    if !(ty.is_number() || ty.is_time() || *ty == Type::Bool) {
        return Err(illegal(name, ty));
    }
    let many = name.starts_with("quantiles");
    let item = if ty.is_time() {
        ty.clone()
    } else if name.contains("TDigest") || name.contains("Timing") {
        Type::Float32
    } else {
        Type::Float64
    };
    let levels = levels(name, parameters)?;
    let fold = Quantile {
        levels: levels.iter().map(|level| level.to_bits()).collect(),
        interpolate: true,
        many,
        zero: ty.is_time(),
    };
    if many {
        let raw = Type::Array(Box::new(Type::Float64));
        let result = Type::Array(Box::new(item));
        let nothing = levels.iter().map(|_| nothing_of(&result)).collect();
        return Ok(Choice {
            function: aggregate("quantiles", raw.arrow(), fold),
            arguments: vec![Type::Float64],
            ty: result,
            default: Value::Array(nothing),
            ignore_nulls: false,
        });
    }
    let default = nothing_of(&item);
    Ok(Choice {
        function: aggregate("quantile", DataType::Float64, fold),
        arguments: vec![Type::Float64],
        ty: item,
        default,
        ignore_nulls: false,
    })
}

pub(super) fn nothing_of(ty: &Type) -> Value {
    let item = if let Type::Array(item) = ty { item } else { ty };
    if item.is_float() {
        return Value::Float(f64::NAN);
    }
    item.default_value()
}

pub(super) fn levels(name: &str, parameters: &[Value]) -> Result<Vec<f64>> {
    if parameters.is_empty() {
        return Ok(vec![0.5]);
    }
    parameters
        .iter()
        .map(|parameter| {
            as_f64(parameter)
                .filter(|level| (0.0..=1.0).contains(level))
                .ok_or_else(|| {
                    QueryError::new(
                        ErrorCode::BadArguments,
                        format!("Level of {name} must be a number between 0 and 1"),
                    )
                })
        })
        .collect()
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Quantile {
    /// Bits of the levels: floats have no equality.
    levels: Vec<u64>,
    /// Between neighbours, instead of one of the values.
    interpolate: bool,
    /// An array of results.
    many: bool,
    /// Zero stands for nothing: no time is NaN.
    zero: bool,
}

/// Values of a group, or a uniform sample of them.
#[derive(Debug, Default)]
struct Sample {
    values: Vec<f64>,
    /// How many there were.
    seen: u64,
    /// State of the generator that picks what to keep; seeded by what came, so that results repeat.
    random: u64,
}

impl Sample {
    fn push(&mut self, value: f64) -> usize {
        self.seen += 1;
        if self.values.len() < MAX_SAMPLE {
            let before = self.values.capacity();
            self.values.push(value);
            return (self.values.capacity() - before) * size_of::<f64>();
        }
        // Keep each value with the same probability: place it at a random position of all that came.
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(value.to_bits() | 1);
        let position = usize::try_from((self.random >> 11) % self.seen);
        if let Some(slot) = position.ok().and_then(|at| self.values.get_mut(at)) {
            *slot = value;
        }
        0
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a position inside a sample of bounded size"
    )]
    fn at(&self, level: f64, interpolate: bool) -> f64 {
        let count = self.values.len();
        if count == 0 {
            return f64::NAN;
        }
        if !interpolate {
            let index = ((level * count as f64) as usize).min(count - 1);
            return self.values.get(index).copied().unwrap_or(f64::NAN);
        }
        let position = level * (count - 1) as f64;
        let below = position.floor();
        let value = |index: usize| self.values.get(index.min(count - 1)).copied();
        let low = value(below as usize).unwrap_or(f64::NAN);
        let high = value(below as usize + 1).unwrap_or(f64::NAN);
        if low == high {
            return low;
        }
        low * (below + 1.0 - position) + high * (position - below)
    }
}

impl Fold for Quantile {
    type State = Sample;

    fn saved_types(&self) -> Vec<DataType> {
        let item = Arc::new(Field::new("item", DataType::Float64, true));
        vec![DataType::List(item), DataType::UInt64]
    }

    fn add(&self, state: &mut Sample, prepared: &[ArrayRef], row: usize) -> DfResult<usize> {
        let Some(array) = prepared.first() else {
            return Ok(0);
        };
        let value = array.as_primitive::<Float64Type>().value(row);
        Ok(if value.is_nan() { 0 } else { state.push(value) })
    }

    fn save(&self, states: Vec<Sample>) -> DfResult<Vec<ArrayRef>> {
        let mut lists = ListBuilder::new(Float64Builder::new());
        let mut seen = Vec::with_capacity(states.len());
        for state in states {
            lists.values().append_slice(&state.values);
            lists.append(true);
            seen.push(state.seen);
        }
        Ok(vec![
            Arc::new(lists.finish()),
            Arc::new(UInt64Array::from(seen)),
        ])
    }

    fn merge(&self, state: &mut Sample, saved: &[ArrayRef], row: usize) -> DfResult<usize> {
        let [lists, seen] = saved else {
            return Ok(0);
        };
        if lists.is_null(row) {
            return Ok(0);
        }
        let values = lists.as_list::<i32>().value(row);
        let values = values.as_primitive::<Float64Type>();
        let mut grown = 0;
        for value in values.values() {
            grown += state.push(*value);
        }
        // A sample stands for more rows than it has values.
        let stood_for = seen.as_primitive::<UInt64Type>().value(row);
        let pushed = u64::try_from(values.len()).unwrap_or(u64::MAX);
        state.seen += stood_for.saturating_sub(pushed);
        Ok(grown)
    }

    fn finish(&self, states: Vec<Sample>) -> DfResult<ArrayRef> {
        let levels: Vec<f64> = self
            .levels
            .iter()
            .map(|bits| f64::from_bits(*bits))
            .collect();
        let mut results = Vec::with_capacity(states.len() * levels.len());
        let groups = states.len();
        for mut state in states {
            state.values.sort_unstable_by(f64::total_cmp);
            for level in &levels {
                let found = state.at(*level, self.interpolate);
                results.push(if found.is_nan() && self.zero {
                    0.0
                } else {
                    found
                });
            }
        }
        if !self.many {
            return Ok(Arc::new(Float64Array::from(results)));
        }
        let ty = Type::Array(Box::new(Type::Float64));
        let DataType::List(field) = ty.arrow() else {
            return Ok(Arc::new(Float64Array::from(results)));
        };
        let lengths = std::iter::repeat_n(levels.len(), groups);
        Ok(Arc::new(datafusion::arrow::array::ListArray::try_new(
            field,
            datafusion::arrow::buffer::OffsetBuffer::from_lengths(lengths),
            Arc::new(Float64Array::from(results)),
            None,
        )?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        let mut sample = Sample::default();
        for value in [1.0, 2.0, 3.0, 4.0] {
            sample.push(value);
        }
        assert_eq!(sample.at(0.5, true), 2.5);
        assert_eq!(sample.at(0.5, false), 3.0);
        assert_eq!(sample.at(0.0, true), 1.0);
        assert_eq!(sample.at(1.0, false), 4.0);
        assert!(Sample::default().at(0.5, true).is_nan());
    }

    #[test]
    fn a_large_sample_stays_bounded_and_near_the_truth() {
        let mut sample = Sample::default();
        for value in 0..1_000_000_u32 {
            sample.push(f64::from(value));
        }
        assert_eq!(sample.values.len(), MAX_SAMPLE);
        sample.values.sort_unstable_by(f64::total_cmp);
        let median = sample.at(0.5, true);
        assert!((480_000.0..520_000.0).contains(&median), "{median}");
    }
}
