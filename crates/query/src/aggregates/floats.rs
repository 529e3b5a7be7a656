//! Aggregates over rows of numbers that need them all: moments, histograms, intervals, regressions.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Builder, ListBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Float64Type};
use datafusion::error::Result as DfResult;

use super::fold::{Fold, aggregate};
use super::list::positive;
use super::{Call, Choice, curves, illegal, moments, wrong_count};
use crate::error::{ErrorCode, QueryError, Result};
use crate::limits::MAX_ARRAY_ELEMENTS;
use crate::types::{Type, Value, values_to_array};

/// The columns of one group, its parameter, and the answer.
pub(super) type Compute = fn(&[Vec<f64>], usize) -> Value;

/// Buckets of `histogram` and points of `lttb` without a parameter.
const DEFAULT_COUNT: usize = 10;

pub(super) fn choose(call: &Call<'_>, types: &[Type]) -> Result<Choice> {
    let number = |ty: &Type| ty.is_number() || ty.is_time() || *ty == Type::Bool;
    if let Some(wrong) = types.iter().find(|ty| !number(ty)) {
        return Err(illegal(call.name, wrong));
    }
    let (width, ty, compute): (usize, Type, Compute) = plan(call, types);
    if types.len() != width {
        return Err(wrong_count(call.name));
    }
    let parameter = match call.parameters {
        [] => DEFAULT_COUNT,
        [count] => positive(call.name, count)?,
        _ => return Err(wrong_count(call.name)),
    };
    let none: Vec<Vec<f64>> = vec![Vec::new(); width];
    let fold = Floats {
        ty: ty.clone(),
        width,
        parameter,
        compute: Computed(compute),
    };
    Ok(Choice {
        function: aggregate(call.base, ty.arrow(), fold),
        arguments: types.to_vec(),
        default: compute(&none, parameter),
        ty,
        ignore_nulls: false,
    })
}

fn plan(call: &Call<'_>, types: &[Type]) -> (usize, Type, Compute) {
    let float = Type::Float64;
    let tuple = |items: Vec<(Option<String>, Type)>| Type::Tuple(items);
    let first = types.first().cloned().unwrap_or(Type::Float64);
    let summed = |ty: &Type| {
        if ty.is_float() {
            Type::Float64
        } else if ty.is_signed() {
            Type::Int64
        } else {
            Type::UInt64
        }
    };
    match call.base {
        "skewPop" => (1, float, |c, _| moments::skew(c, false)),
        "skewSamp" => (1, float, |c, _| moments::skew(c, true)),
        "kurtPop" => (1, float, |c, _| moments::kurtosis(c, false)),
        "kurtSamp" => (1, float, |c, _| moments::kurtosis(c, true)),
        "entropy" => (1, float, |c, _| moments::entropy(c)),
        "avgWeighted" => (2, float, |c, _| moments::weighted_mean(c)),
        "rankCorr" => (2, float, |c, _| moments::rank_correlation(c)),
        "simpleLinearRegression" => {
            let named = |name: &str| (Some(name.to_owned()), Type::Float64);
            (2, tuple(vec![named("k"), named("b")]), |c, _| {
                moments::line(c)
            })
        }
        "boundingRatio" => (2, float, |c, _| curves::bounding_ratio(c)),
        "deltaSum" => (1, summed(&first), |c, _| curves::delta_sum(c)),
        "deltaSumTimestamp" => (2, summed(&first), |c, _| curves::delta_sum_by_time(c)),
        "histogram" => {
            let bucket = tuple(vec![(None, Type::Float64); 3]);
            (1, Type::Array(Box::new(bucket)), curves::histogram)
        }
        "intervalLengthSum" => {
            let ty = if first.is_float() {
                Type::Float64
            } else {
                Type::UInt64
            };
            (2, ty, |c, _| curves::covered_length(c))
        }
        "maxIntersections" => (2, Type::UInt64, |c, _| curves::most_open(c).0),
        "maxIntersectionsPosition" => (2, first, |c, _| curves::most_open(c).1),
        _ => {
            let second = types.get(1).cloned().unwrap_or(Type::Float64);
            let keep = |ty: Type| if ty.is_time() { ty } else { Type::Float64 };
            let point = tuple(vec![(None, keep(first)), (None, keep(second))]);
            (2, Type::Array(Box::new(point)), curves::triangles)
        }
    }
}

#[derive(Clone, Copy)]
struct Computed(Compute);

impl std::fmt::Debug for Computed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Computed")
    }
}

/// The name of the function and its types tell what is computed.
#[derive(Debug, Clone)]
struct Floats {
    ty: Type,
    width: usize,
    parameter: usize,
    compute: Computed,
}

impl PartialEq for Floats {
    fn eq(&self, other: &Self) -> bool {
        self.ty == other.ty && self.width == other.width && self.parameter == other.parameter
    }
}

impl Eq for Floats {}

impl std::hash::Hash for Floats {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.ty.hash(state);
        self.width.hash(state);
        self.parameter.hash(state);
    }
}

type Rows = Vec<Vec<f64>>;

impl Floats {
    fn push(&self, state: &mut Rows, row: impl Iterator<Item = f64>) -> DfResult<usize> {
        if state.is_empty() {
            state.resize(self.width, Vec::new());
        }
        if state.first().is_some_and(|c| c.len() >= MAX_ARRAY_ELEMENTS) {
            let what = format!("more than {MAX_ARRAY_ELEMENTS} values in one group");
            return Err(QueryError::new(ErrorCode::TooLargeArraySize, what).external());
        }
        for (column, value) in state.iter_mut().zip(row) {
            column.push(value);
        }
        Ok(self.width * size_of::<f64>())
    }
}

impl Fold for Floats {
    type State = Rows;

    fn saved_types(&self) -> Vec<DataType> {
        let list = || DataType::List(Arc::new(Field::new("item", DataType::Float64, true)));
        (0..self.width).map(|_| list()).collect()
    }

    fn prepare(&self, arguments: &[ArrayRef]) -> DfResult<Vec<ArrayRef>> {
        let cast = |array: &ArrayRef| Ok(cast(array, &DataType::Float64)?);
        arguments.iter().map(cast).collect()
    }

    fn add(&self, state: &mut Rows, prepared: &[ArrayRef], row: usize) -> DfResult<usize> {
        let value = |array: &ArrayRef| array.as_primitive::<Float64Type>().value(row);
        self.push(state, prepared.iter().map(value))
    }

    fn save(&self, states: Vec<Rows>) -> DfResult<Vec<ArrayRef>> {
        let mut columns: Vec<_> = (0..self.width)
            .map(|_| ListBuilder::new(Float64Builder::new()))
            .collect();
        for state in &states {
            for (i, column) in columns.iter_mut().enumerate() {
                column
                    .values()
                    .append_slice(state.get(i).map_or(&[], Vec::as_slice));
                column.append(true);
            }
        }
        Ok(columns
            .iter_mut()
            .map(|column| Arc::new(column.finish()) as ArrayRef)
            .collect())
    }

    fn merge(&self, state: &mut Rows, saved: &[ArrayRef], row: usize) -> DfResult<usize> {
        let columns: Vec<ArrayRef> = saved
            .iter()
            .filter(|array| array.is_valid(row))
            .map(|array| array.as_list::<i32>().value(row))
            .collect();
        let mut grown = 0;
        for i in 0..columns.first().map_or(0, |column| column.len()) {
            let values = columns
                .iter()
                .map(|column| column.as_primitive::<Float64Type>().value(i));
            grown += self.push(state, values)?;
        }
        Ok(grown)
    }

    fn finish(&self, states: Vec<Rows>) -> DfResult<ArrayRef> {
        let answers: Vec<Value> = states
            .into_iter()
            .map(|mut state| {
                state.resize(self.width, Vec::new());
                (self.compute.0)(&state, self.parameter)
            })
            .collect();
        values_to_array(&self.ty, &answers).map_err(QueryError::external)
    }
}
