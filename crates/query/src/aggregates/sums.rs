//! Variance, deviation, covariance and correlation from running sums, added up as ClickHouse does.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::error::Result as DfResult;

use super::fold::{Fold, aggregate};
use super::{Choice, illegal, wrong_count};
use crate::error::Result;
use crate::types::{Type, Value};

pub(super) fn choose(name: &str, base: &str, types: &[Type]) -> Result<Choice> {
    let what = match base {
        "varPop" => What::Variance { sample: false },
        "varSamp" => What::Variance { sample: true },
        "stddevPop" => What::Deviation { sample: false },
        "stddevSamp" => What::Deviation { sample: true },
        "covarPop" => What::Covariance { sample: false },
        "covarSamp" => What::Covariance { sample: true },
        _ => What::Correlation,
    };
    let pairs = matches!(what, What::Covariance { .. } | What::Correlation);
    if types.len() != 1 + usize::from(pairs) {
        return Err(wrong_count(name));
    }
    if let Some(wrong) = types
        .iter()
        .find(|ty| !ty.is_number() && **ty != Type::Bool)
    {
        return Err(illegal(name, wrong));
    }
    Ok(Choice {
        function: aggregate(base, DataType::Float64, Sums { what }),
        arguments: vec![Type::Float64; types.len()],
        ty: Type::Float64,
        default: Value::Float(f64::NAN),
        ignore_nulls: false,
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    Variance { sample: bool },
    Deviation { sample: bool },
    Covariance { sample: bool },
    Correlation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Sums {
    what: What,
}

/// Count, sums, sums of squares and of products.
#[derive(Debug, Default, Clone, Copy)]
struct State {
    count: f64,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

impl State {
    fn parts(self) -> [f64; 6] {
        [self.count, self.x, self.y, self.xx, self.yy, self.xy]
    }

    fn variance(self, sample: bool) -> f64 {
        let squares = self.xx - self.x * self.x / self.count;
        let divisor = if sample { self.count - 1.0 } else { self.count };
        if divisor <= 0.0 {
            return f64::NAN;
        }
        // Rounding can leave a little less than nothing.
        (squares / divisor).max(0.0)
    }

    fn covariance(self, sample: bool) -> f64 {
        let divisor = if sample { self.count - 1.0 } else { self.count };
        if divisor <= 0.0 {
            return f64::NAN;
        }
        (self.xy - self.x * self.y / self.count) / divisor
    }

    fn correlation(self) -> f64 {
        let products = self.count * self.xy - self.x * self.y;
        let spread_x = self.count * self.xx - self.x * self.x;
        let spread_y = self.count * self.yy - self.y * self.y;
        products / (spread_x * spread_y).sqrt()
    }
}

impl Fold for Sums {
    type State = State;

    fn saved_types(&self) -> Vec<DataType> {
        vec![DataType::Float64; 6]
    }

    fn prepare(&self, arguments: &[ArrayRef]) -> DfResult<Vec<ArrayRef>> {
        let cast = |array: &ArrayRef| Ok(cast(array, &DataType::Float64)?);
        arguments.iter().map(cast).collect()
    }

    fn add(&self, state: &mut State, prepared: &[ArrayRef], row: usize) -> DfResult<usize> {
        let value = |i: usize| {
            let array = prepared.get(i)?.as_primitive_opt::<Float64Type>()?;
            Some(array.value(row))
        };
        let x = value(0).unwrap_or(f64::NAN);
        let y = value(1).unwrap_or(0.0);
        state.count += 1.0;
        state.x += x;
        state.y += y;
        state.xx += x * x;
        state.yy += y * y;
        state.xy += x * y;
        Ok(0)
    }

    fn save(&self, states: Vec<State>) -> DfResult<Vec<ArrayRef>> {
        let column = |i: usize| -> ArrayRef {
            let part = |state: &State| state.parts().get(i).copied().unwrap_or(0.0);
            Arc::new(states.iter().map(part).collect::<Float64Array>())
        };
        Ok((0..6).map(column).collect())
    }

    fn merge(&self, state: &mut State, saved: &[ArrayRef], row: usize) -> DfResult<usize> {
        let value = |i: usize| {
            let array = saved
                .get(i)
                .and_then(|a| a.as_primitive_opt::<Float64Type>());
            array.map_or(0.0, |array| array.value(row))
        };
        state.count += value(0);
        state.x += value(1);
        state.y += value(2);
        state.xx += value(3);
        state.yy += value(4);
        state.xy += value(5);
        Ok(0)
    }

    fn finish(&self, states: Vec<State>) -> DfResult<ArrayRef> {
        let answers = states.into_iter().map(|state| match self.what {
            What::Variance { sample } => state.variance(sample),
            What::Deviation { sample } => state.variance(sample).sqrt(),
            What::Covariance { sample } => state.covariance(sample),
            What::Correlation => state.correlation(),
        });
        Ok(Arc::new(answers.collect::<Float64Array>()))
    }
}
