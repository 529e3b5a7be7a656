//! `sumMap(keys, values…)`, `minMap`, `maxMap` on parallel arrays: sorted keys and what became of their values.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, StructArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result as DfResult};
use hashbrown::HashMap;

use super::fold::{Fold, aggregate};
use super::list::{lists, values_of};
use super::{Call, Choice, illegal, wrong_count};
use crate::error::Result;
use crate::types::{Type, Value};

/// Bytes of a table entry beside the values.
const ENTRY_BYTES: usize = 48;

pub(super) fn choose(call: &Call<'_>, types: &[Type]) -> Result<Choice> {
    // A single tuple of arrays is the same as the arrays.
    let [keys, values @ ..] = types else {
        return Err(wrong_count(call.name));
    };
    let Type::Array(key) = keys else {
        return Err(illegal(call.name, keys));
    };
    if values.is_empty() {
        return Err(wrong_count(call.name));
    }
    let how = match call.base {
        "sumMap" => How::Sum,
        "minMap" => How::Least,
        _ => How::Greatest,
    };
    let mut wide = vec![Type::Array(key.clone())];
    for ty in values {
        let Type::Array(item) = ty else {
            return Err(illegal(call.name, ty));
        };
        let item = match (how, item.bare()) {
            (How::Sum, bare) if bare.is_float() => Type::Float64,
            (How::Sum, bare) if bare.is_signed() => Type::Int64,
            (How::Sum, bare) if bare.is_integer() => Type::UInt64,
            (How::Least | How::Greatest, bare) if bare.is_number() => bare.clone(),
            _ => return Err(illegal(call.name, ty)),
        };
        wide.push(Type::Array(Box::new(item)));
    }
    let ty = Type::Tuple(wide.iter().map(|ty| (None, ty.clone())).collect());
    let default = Value::Tuple(wide.iter().map(|_| Value::Array(Vec::new())).collect());
    let fold = Mapped {
        ty: ty.clone(),
        columns: wide.iter().map(Type::arrow).collect(),
        how,
    };
    Ok(Choice {
        function: aggregate(call.base, ty.arrow(), fold),
        arguments: wide,
        ty,
        default,
        ignore_nulls: false,
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum How {
    Sum,
    Least,
    Greatest,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Mapped {
    ty: Type,
    columns: Vec<DataType>,
    how: How,
}

type Sums = HashMap<ScalarValue, Vec<ScalarValue>>;

fn is_zero(value: &ScalarValue) -> bool {
    ScalarValue::new_zero(&value.data_type()).is_ok_and(|zero| zero == *value)
}

impl Mapped {
    fn join(&self, old: &ScalarValue, new: &ScalarValue) -> DfResult<ScalarValue> {
        Ok(match self.how {
            How::Sum => old.add(new)?,
            How::Least if new < old => new.clone(),
            How::Greatest if new > old => new.clone(),
            How::Least | How::Greatest => old.clone(),
        })
    }

    fn offer(&self, state: &mut Sums, row: Vec<ScalarValue>) -> DfResult<usize> {
        let bytes: usize = row.iter().map(ScalarValue::size).sum();
        let mut parts = row.into_iter();
        let Some(key) = parts.next() else {
            return Ok(0);
        };
        let new: Vec<ScalarValue> = parts.collect();
        if let Some(old) = state.get_mut(&key) {
            for (old, new) in old.iter_mut().zip(&new) {
                *old = self.join(old, new)?;
            }
            return Ok(0);
        }
        state.insert(key, new);
        Ok(bytes + ENTRY_BYTES)
    }

    fn lists(&self, states: Vec<Sums>, drop_zeros: bool) -> DfResult<Vec<ArrayRef>> {
        let mut columns: Vec<Vec<Vec<ScalarValue>>> = vec![Vec::new(); self.columns.len()];
        for state in states {
            let mut entries: Vec<_> = state
                .into_iter()
                .filter(|(_, values)| !(drop_zeros && values.iter().all(is_zero)))
                .collect();
            entries.sort_by(|(a, _), (b, _)| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
            let mut row: Vec<Vec<ScalarValue>> = vec![Vec::new(); self.columns.len()];
            for (key, values) in entries {
                for (column, value) in row.iter_mut().zip([key].into_iter().chain(values)) {
                    column.push(value);
                }
            }
            for (column, values) in columns.iter_mut().zip(row) {
                column.push(values);
            }
        }
        let made = self.columns.iter().zip(columns);
        made.map(|(ty, column)| lists(ty, column)).collect()
    }

    fn read(&self, state: &mut Sums, arrays: &[ArrayRef], row: usize) -> DfResult<usize> {
        let columns = arrays
            .iter()
            .map(|array| values_of(array, row))
            .collect::<DfResult<Vec<_>>>()?;
        let count = columns.first().map_or(0, Vec::len);
        let mut grown = 0;
        for i in 0..count {
            let mut values = Vec::with_capacity(columns.len());
            for column in &columns {
                let mut value = column.get(i).cloned().unwrap_or(ScalarValue::Null);
                value.compact();
                values.push(value);
            }
            if values.iter().any(ScalarValue::is_null) {
                continue;
            }
            grown += self.offer(state, values)?;
        }
        Ok(grown)
    }
}

impl Fold for Mapped {
    type State = Sums;

    fn saved_types(&self) -> Vec<DataType> {
        self.columns.clone()
    }

    fn add(&self, state: &mut Sums, prepared: &[ArrayRef], row: usize) -> DfResult<usize> {
        let length = |array: &ArrayRef| array.as_list::<i32>().value_length(row);
        let mut lengths = prepared.iter().map(length);
        let first = lengths.next();
        if lengths.any(|length| Some(length) != first) {
            let what = "Sizes of keys and values arrays do not match";
            let code = crate::error::ErrorCode::BadArguments;
            return Err(crate::error::QueryError::new(code, what).external());
        }
        self.read(state, prepared, row)
    }

    fn save(&self, states: Vec<Sums>) -> DfResult<Vec<ArrayRef>> {
        self.lists(states, false)
    }

    fn merge(&self, state: &mut Sums, saved: &[ArrayRef], row: usize) -> DfResult<usize> {
        self.read(state, saved, row)
    }

    fn finish(&self, states: Vec<Sums>) -> DfResult<ArrayRef> {
        let columns = self.lists(states, self.how == How::Sum)?;
        let DataType::Struct(fields) = self.ty.arrow() else {
            return Err(DataFusionError::Internal("not a tuple".to_owned()));
        };
        Ok(Arc::new(StructArray::try_new(fields, columns, None)?))
    }
}
