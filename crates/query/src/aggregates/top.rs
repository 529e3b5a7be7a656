//! topK: the most frequent values, counted exactly.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListBuilder, UInt64Builder};
use datafusion::arrow::datatypes::{DataType, Field, UInt64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result as DfResult;
use hashbrown::HashMap;

use super::fold::{Fold, aggregate};
use super::list::{lists, positive, values_of};
use super::{Choice, single, wrong_count};
use crate::error::Result;
use crate::types::{Type, Value};

/// How many values without a parameter.
const DEFAULT_COUNT: usize = 10;
/// Bytes of a table entry beside the value.
const ENTRY_BYTES: usize = 32;

pub(super) fn choose(name: &str, parameters: &[Value], types: &[Type]) -> Result<Choice> {
    let weighted = name.ends_with("Weighted");
    let item = match types {
        [item, weight] if weighted && weight.is_integer() => item.clone(),
        _ if weighted => return Err(wrong_count(name)),
        _ => single(name, types)?.clone(),
    };
    let count = match parameters.first() {
        None => DEFAULT_COUNT,
        Some(parameter) => positive(name, parameter)?,
    };
    let ty = Type::Array(Box::new(item.clone()));
    let fold = Top {
        ty: ty.clone(),
        count,
    };
    Ok(Choice {
        function: aggregate("topK", ty.arrow(), fold),
        arguments: if weighted {
            vec![item, Type::UInt64]
        } else {
            vec![item]
        },
        ty,
        default: Value::Array(Vec::new()),
        ignore_nulls: false,
    })
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Top {
    ty: Type,
    count: usize,
}

type Counts = HashMap<ScalarValue, u64>;

fn count(state: &mut Counts, value: ScalarValue, times: u64) -> usize {
    let bytes = value.size() + ENTRY_BYTES;
    let before = state.len();
    *state.entry(value).or_insert(0) += times;
    if state.len() > before { bytes } else { 0 }
}

impl Fold for Top {
    type State = Counts;

    fn saved_types(&self) -> Vec<DataType> {
        let counts = Arc::new(Field::new("item", DataType::UInt64, true));
        vec![self.ty.arrow(), DataType::List(counts)]
    }

    fn add(&self, state: &mut Counts, prepared: &[ArrayRef], row: usize) -> DfResult<usize> {
        let Some(array) = prepared.first() else {
            return Ok(0);
        };
        let mut value = ScalarValue::try_from_array(array, row)?;
        value.compact();
        let weights = prepared
            .get(1)
            .map(|array| array.as_primitive::<UInt64Type>());
        let weight = weights.map_or(1, |weights| weights.value(row));
        Ok(count(state, value, weight))
    }

    fn save(&self, states: Vec<Counts>) -> DfResult<Vec<ArrayRef>> {
        let mut groups = Vec::with_capacity(states.len());
        let mut counts = ListBuilder::new(UInt64Builder::new());
        for state in states {
            let mut values = Vec::with_capacity(state.len());
            for (value, times) in state {
                values.push(value);
                counts.values().append_value(times);
            }
            counts.append(true);
            groups.push(values);
        }
        Ok(vec![
            lists(&self.ty.arrow(), groups)?,
            Arc::new(counts.finish()),
        ])
    }

    fn merge(&self, state: &mut Counts, saved: &[ArrayRef], row: usize) -> DfResult<usize> {
        let [values, counts] = saved else {
            return Ok(0);
        };
        if counts.is_null(row) {
            return Ok(0);
        }
        let times = counts.as_list::<i32>().value(row);
        let times = times.as_primitive::<UInt64Type>();
        let mut grown = 0;
        for (value, times) in values_of(values, row)?.into_iter().zip(times.values()) {
            grown += count(state, value, *times);
        }
        Ok(grown)
    }

    fn finish(&self, states: Vec<Counts>) -> DfResult<ArrayRef> {
        let mut groups = Vec::with_capacity(states.len());
        for state in states {
            let mut counted: Vec<(ScalarValue, u64)> = state.into_iter().collect();
            // Ties are broken by the value, so that answers repeat.
            counted.sort_by(|(a, a_times), (b, b_times)| {
                b_times
                    .cmp(a_times)
                    .then_with(|| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal))
            });
            counted.truncate(self.count);
            groups.push(counted.into_iter().map(|(value, _)| value).collect());
        }
        lists(&self.ty.arrow(), groups)
    }
}
