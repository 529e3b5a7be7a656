//! groupArray and groupUniqArray: the values themselves.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result as DfResult};
use hashbrown::HashSet;

use super::fold::{Fold, aggregate};
use super::{Choice, single};
use crate::error::{ErrorCode, QueryError, Result};
use crate::limits::MAX_ARRAY_ELEMENTS;
use crate::types::{Type, Value};

pub(super) fn choose(name: &str, parameters: &[Value], types: &[Type]) -> Result<Choice> {
    let item = single(name, types)?.clone();
    let most = match parameters {
        [] => None,
        [count] => Some(positive(name, count)?),
        _ => {
            return Err(QueryError::new(
                ErrorCode::NumberOfArgumentsDoesntMatch,
                format!("Function {name} takes one parameter: how many values"),
            ));
        }
    };
    let ty = Type::Array(Box::new(item.clone()));
    let fold = List {
        ty: ty.clone(),
        most,
        how: match name {
            "groupUniqArray" => How::Distinct,
            "groupArrayLast" => How::Last,
            "groupArraySorted" => How::Sorted,
            _ => How::First,
        },
    };
    Ok(Choice {
        function: aggregate("groupArray", ty.arrow(), fold),
        arguments: vec![item],
        ty,
        default: Value::Array(Vec::new()),
        ignore_nulls: false,
    })
}

/// A parameter that counts something.
pub(super) fn positive(name: &str, value: &Value) -> Result<usize> {
    value
        .as_i128()
        .and_then(|count| usize::try_from(count).ok())
        .filter(|count| *count > 0)
        .ok_or_else(|| {
            QueryError::new(
                ErrorCode::BadArguments,
                format!("Parameter of aggregate function {name} must be a positive number"),
            )
        })
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct List {
    ty: Type,
    most: Option<usize>,
    how: How,
}

/// Which values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum How {
    First,
    Distinct,
    Last,
    Sorted,
}

#[derive(Debug, Default)]
struct Values {
    items: Vec<ScalarValue>,
    seen: HashSet<ScalarValue>,
}

impl List {
    fn insert_sorted(&self, state: &mut Values, value: ScalarValue) -> usize {
        let at = state.items.partition_point(|known| *known <= value);
        if self.most.is_some_and(|most| at >= most) {
            return 0;
        }
        let bytes = value.size();
        state.items.insert(at, value);
        if let Some(most) = self.most {
            state.items.truncate(most);
        }
        bytes
    }

    fn push(&self, state: &mut Values, value: ScalarValue) -> DfResult<usize> {
        let full = self.most.is_some_and(|most| state.items.len() >= most);
        match self.how {
            How::First | How::Distinct if full => return Ok(0),
            How::Last if full => {
                state.items.remove(0);
            }
            How::Sorted => return Ok(self.insert_sorted(state, value)),
            How::First | How::Distinct | How::Last => {}
        }
        if state.items.len() >= MAX_ARRAY_ELEMENTS {
            let error = QueryError::new(
                ErrorCode::TooLargeArraySize,
                format!(
                    "groupArray has more than {MAX_ARRAY_ELEMENTS} values; give it a maximum: groupArray(1000)(x)"
                ),
            );
            return Err(error.external());
        }
        let mut bytes = value.size();
        if self.how == How::Distinct {
            if !state.seen.insert(value.clone()) {
                return Ok(0);
            }
            bytes *= 2;
        }
        state.items.push(value);
        Ok(bytes)
    }
}

/// One list per group of values.
pub(super) fn lists(ty: &DataType, groups: Vec<Vec<ScalarValue>>) -> DfResult<ArrayRef> {
    let DataType::List(field) = ty else {
        return Err(DataFusionError::Internal(format!("`{ty}` is not a list")));
    };
    let lengths: Vec<usize> = groups.iter().map(Vec::len).collect();
    let mut items = groups.into_iter().flatten().peekable();
    let values = if items.peek().is_none() {
        datafusion::arrow::array::new_empty_array(field.data_type())
    } else {
        ScalarValue::iter_to_array(items)?
    };
    let offsets = OffsetBuffer::from_lengths(lengths);
    let list = ListArray::try_new(Arc::clone(field), offsets, values, None)?;
    Ok(Arc::new(list))
}

/// The values of one row of a list column.
pub(super) fn values_of(array: &ArrayRef, row: usize) -> DfResult<Vec<ScalarValue>> {
    if array.is_null(row) {
        return Ok(Vec::new());
    }
    let values = array.as_list::<i32>().value(row);
    (0..values.len())
        .map(|index| ScalarValue::try_from_array(&values, index))
        .collect()
}

impl Fold for List {
    type State = Values;

    fn saved_types(&self) -> Vec<DataType> {
        vec![self.ty.arrow()]
    }

    fn add(&self, state: &mut Values, prepared: &[ArrayRef], row: usize) -> DfResult<usize> {
        let Some(array) = prepared.first() else {
            return Ok(0);
        };
        let mut value = ScalarValue::try_from_array(array, row)?;
        value.compact();
        self.push(state, value)
    }

    fn save(&self, states: Vec<Values>) -> DfResult<Vec<ArrayRef>> {
        Ok(vec![self.finish(states)?])
    }

    fn merge(&self, state: &mut Values, saved: &[ArrayRef], row: usize) -> DfResult<usize> {
        let mut grown = 0;
        for array in saved {
            for value in values_of(array, row)? {
                grown += self.push(state, value)?;
            }
        }
        Ok(grown)
    }

    fn finish(&self, states: Vec<Values>) -> DfResult<ArrayRef> {
        let groups = states.into_iter().map(|state| state.items).collect();
        lists(&self.ty.arrow(), groups)
    }
}
