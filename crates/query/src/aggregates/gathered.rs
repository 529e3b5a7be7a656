//! Aggregates over the values in the order they come: first and last with NULLs, joined text, moving sums.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::ScalarValue;
use datafusion::error::Result as DfResult;

use super::fold::{Fold, aggregate};
use super::list::{lists, positive, values_of};
use super::{Call, Choice, illegal, single, wrong_count};
use crate::error::{ErrorCode, QueryError, Result};
use crate::limits::{MAX_ARRAY_ELEMENTS, MAX_VALUE_BYTES};
use crate::types::{Type, Value, values_to_array};

pub(super) fn choose(call: &Call<'_>, types: &[Type]) -> Result<Choice> {
    let (item, ty, how) = plan(call, types)?;
    let fold = Gathered {
        item: item.clone(),
        ty: ty.clone(),
        how,
    };
    let arguments = vec![item; types.len()];
    Ok(Choice {
        function: aggregate(call.base, ty.arrow(), fold),
        arguments,
        default: ty.default_value(),
        ty,
        ignore_nulls: false,
    })
}

fn plan(call: &Call<'_>, types: &[Type]) -> Result<(Type, Type, How)> {
    if call.base == "retention" {
        if types.is_empty() || types.len() > MAX_CONDITIONS {
            return Err(wrong_count(call.name));
        }
        if let Some(wrong) = types.iter().find(|ty| !ty.is_integer()) {
            return Err(illegal(call.name, wrong));
        }
        return Ok((
            Type::UInt8,
            Type::Array(Box::new(Type::UInt8)),
            How::Retention,
        ));
    }
    let item = single(call.name, types)?.clone();
    Ok(match call.base {
        "firstWithNulls" => (item.clone(), item, How::First),
        "lastWithNulls" => (item.clone(), item, How::Last),
        "anyHeavy" => (item.clone(), item, How::Majority),
        "singleValueOrNull" => (item.clone(), item.nullable(), How::Single),
        "groupConcat" => {
            let (separator, most) = match call.parameters {
                [] => (String::new(), usize::MAX),
                [separator] => (text(call, separator)?, usize::MAX),
                [separator, most] => (text(call, separator)?, positive(call.name, most)?),
                _ => return Err(wrong_count(call.name)),
            };
            (item, Type::String, How::Concat { separator, most })
        }
        moving => {
            let window = match call.parameters {
                [] => usize::MAX,
                [window] => positive(call.name, window)?,
                _ => return Err(wrong_count(call.name)),
            };
            let average = moving == "groupArrayMovingAvg";
            let wide = if average || item.is_float() {
                Type::Float64
            } else if item.is_signed() {
                Type::Int64
            } else if item.is_unsigned() {
                Type::UInt64
            } else {
                return Err(illegal(call.name, &item));
            };
            let ty = Type::Array(Box::new(wide));
            (item, ty, How::Moving { window, average })
        }
    })
}

/// Most conditions of `retention`.
const MAX_CONDITIONS: usize = 32;

fn text(call: &Call<'_>, value: &Value) -> Result<String> {
    value.as_text().map(str::to_owned).ok_or_else(|| {
        QueryError::new(
            ErrorCode::BadArguments,
            format!("the first parameter of {} must be a string", call.name),
        )
    })
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum How {
    First,
    Last,
    Majority,
    Single,
    Concat { separator: String, most: usize },
    Moving { window: usize, average: bool },
    Retention,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Gathered {
    item: Type,
    ty: Type,
    how: How,
}

impl Gathered {
    fn push(&self, state: &mut Vec<ScalarValue>, value: ScalarValue) -> DfResult<usize> {
        match (&self.how, state.first()) {
            (How::First, Some(_)) => return Ok(0),
            (How::Last, Some(_)) => state.clear(),
            // Two different values are all that must be known.
            (How::Single, Some(known)) if *known == value || state.len() > 1 => return Ok(0),
            _ => {}
        }
        if state.len() >= MAX_ARRAY_ELEMENTS {
            let what = format!("more than {MAX_ARRAY_ELEMENTS} values in one group");
            return Err(QueryError::new(ErrorCode::TooLargeArraySize, what).external());
        }
        let bytes = value.size();
        state.push(value);
        Ok(bytes)
    }

    fn answer(&self, state: &[ScalarValue]) -> DfResult<Value> {
        let values = || -> DfResult<Vec<Value>> {
            if state.is_empty() {
                return Ok(Vec::new());
            }
            let array = ScalarValue::iter_to_array(state.iter().cloned())?;
            (0..array.len())
                .map(|i| Value::from_array(&array, i, &self.item).map_err(QueryError::external))
                .collect()
        };
        Ok(match &self.how {
            How::First | How::Last => values()?.into_iter().next().unwrap_or(Value::Null),
            How::Single if state.len() > 1 => Value::Null,
            How::Single => values()?.into_iter().next().unwrap_or(Value::Null),
            How::Majority => majority(values()?),
            How::Concat { separator, most } => concat(state, separator, *most)?,
            How::Moving { window, average } => moving(&values()?, *window, *average, &self.ty),
            How::Retention => Value::Null,
        })
    }
}

/// The value that wins when different ones cancel each other out.
fn majority(values: Vec<Value>) -> Value {
    let mut candidate = Value::Null;
    let mut lead = 0_usize;
    for value in values {
        if lead == 0 {
            candidate = value;
            lead = 1;
        } else if candidate == value {
            lead += 1;
        } else {
            lead -= 1;
        }
    }
    candidate
}

fn concat(state: &[ScalarValue], separator: &str, most: usize) -> DfResult<Value> {
    let mut joined = String::new();
    for (i, value) in state.iter().take(most).enumerate() {
        joined.push_str(if i > 0 { separator } else { "" });
        joined.push_str(&value.to_string());
        if joined.len() > MAX_VALUE_BYTES {
            let what = format!("the text would be longer than {MAX_VALUE_BYTES} bytes");
            return Err(QueryError::new(ErrorCode::TooLargeStringSize, what).external());
        }
    }
    Ok(Value::String(joined))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "windows and sums as floats are what is asked for"
)]
fn moving(values: &[Value], window: usize, average: bool, ty: &Type) -> Value {
    let number = |value: &Value| crate::types::as_f64(value).unwrap_or(0.0);
    let whole = |value: &Value| value.as_i128().unwrap_or(0);
    let float = matches!(ty, Type::Array(item) if item.is_float());
    let width = window.min(values.len().max(1));
    let shown = (0..values.len()).map(|i| {
        let from = (i + 1).saturating_sub(window);
        let part = values.get(from..=i).unwrap_or_default();
        if float {
            let sum: f64 = part.iter().map(number).sum();
            return Value::Float(if average { sum / width as f64 } else { sum });
        }
        let sum: i128 = part.iter().map(whole).sum();
        u64::try_from(sum).map_or_else(
            |_| Value::Int(i64::try_from(sum).unwrap_or(i64::MIN)),
            Value::UInt,
        )
    });
    Value::Array(shown.collect())
}

impl Fold for Gathered {
    type State = Vec<ScalarValue>;

    fn saved_types(&self) -> Vec<DataType> {
        let item = if self.how == How::Retention {
            DataType::UInt8
        } else {
            self.item.arrow()
        };
        vec![DataType::List(Arc::new(Field::new("item", item, true)))]
    }

    fn skips_nulls(&self) -> bool {
        !matches!(self.how, How::First | How::Last)
    }

    fn add(
        &self,
        state: &mut Vec<ScalarValue>,
        prepared: &[ArrayRef],
        row: usize,
    ) -> DfResult<usize> {
        if self.how == How::Retention {
            state.resize(prepared.len(), ScalarValue::UInt8(Some(0)));
            for (flag, array) in state.iter_mut().zip(prepared) {
                let value = ScalarValue::try_from_array(array, row)?;
                if value != ScalarValue::UInt8(Some(0)) {
                    *flag = ScalarValue::UInt8(Some(1));
                }
            }
            return Ok(0);
        }
        let Some(array) = prepared.first() else {
            return Ok(0);
        };
        let mut value = ScalarValue::try_from_array(array, row)?;
        value.compact();
        self.push(state, value)
    }

    fn save(&self, states: Vec<Vec<ScalarValue>>) -> DfResult<Vec<ArrayRef>> {
        let types = self.saved_types();
        let list = types.first().cloned().unwrap_or(DataType::Null);
        Ok(vec![lists(&list, states)?])
    }

    fn merge(
        &self,
        state: &mut Vec<ScalarValue>,
        saved: &[ArrayRef],
        row: usize,
    ) -> DfResult<usize> {
        let mut grown = 0;
        for array in saved {
            let values = values_of(array, row)?;
            if self.how == How::Retention {
                let wanted = values.len().max(state.len());
                state.resize(wanted, ScalarValue::UInt8(Some(0)));
                for (flag, value) in state.iter_mut().zip(values) {
                    if value == ScalarValue::UInt8(Some(1)) {
                        *flag = value;
                    }
                }
                continue;
            }
            for value in values {
                grown += self.push(state, value)?;
            }
        }
        Ok(grown)
    }

    fn finish(&self, states: Vec<Vec<ScalarValue>>) -> DfResult<ArrayRef> {
        if self.how == How::Retention {
            let answers = states.into_iter().map(|state| {
                // Later conditions count only for those who met the first.
                let met = state.first() == Some(&ScalarValue::UInt8(Some(1)));
                let flag = |v: &ScalarValue| u64::from(met && *v == ScalarValue::UInt8(Some(1)));
                Value::Array(state.iter().map(|v| Value::UInt(flag(v))).collect())
            });
            let answers: Vec<Value> = answers.collect();
            return values_to_array(&self.ty, &answers).map_err(QueryError::external);
        }
        let answers = states
            .iter()
            .map(|state| self.answer(state))
            .collect::<DfResult<Vec<_>>>()?;
        values_to_array(&self.ty, &answers).map_err(QueryError::external)
    }
}
