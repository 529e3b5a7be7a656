//! argMin and argMax: the value of one column where another is smallest or largest.

use std::cmp::Ordering;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::error::Result as DfResult;

use super::fold::{Fold, aggregate};
use super::{Choice, illegal, wrong_count};
use crate::error::Result;
use crate::types::Type;

pub(super) fn choose(name: &str, base: &str, types: &[Type]) -> Result<Choice> {
    let [value, by] = types else {
        return Err(wrong_count(name));
    };
    if matches!(by, Type::Map(..)) {
        return Err(illegal(name, by));
    }
    let fold = Extreme {
        value: value.arrow(),
        by: by.arrow(),
        wanted: if base == "argMax" {
            Side::Largest
        } else {
            Side::Smallest
        },
    };
    Ok(Choice {
        function: aggregate(base, value.arrow(), fold),
        arguments: vec![value.clone(), by.clone()],
        ty: value.clone(),
        default: value.default_value(),
        ignore_nulls: false,
    })
}

/// `min` and `max` of arrays and tuples: the value is what it is chosen by.
pub(super) fn of_itself(base: &str, types: &[Type]) -> Result<Choice> {
    let [value] = types else {
        return Err(wrong_count(base));
    };
    let fold = Extreme {
        value: value.arrow(),
        by: value.arrow(),
        wanted: if base == "max" {
            Side::Largest
        } else {
            Side::Smallest
        },
    };
    Ok(Choice {
        // A name of its own: the plain ones are known to slide over window frames.
        function: aggregate(&format!("{base}OfItself"), value.arrow(), fold),
        arguments: vec![value.clone()],
        ty: value.clone(),
        default: value.default_value(),
        ignore_nulls: false,
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Side {
    Smallest,
    Largest,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Extreme {
    value: DataType,
    by: DataType,
    wanted: Side,
}

/// The value and what it was chosen by.
type Best = Option<(ScalarValue, ScalarValue)>;

impl Extreme {
    fn offer(&self, best: &mut Best, arrays: &[ArrayRef], row: usize) -> DfResult<usize> {
        let (Some(values), Some(by)) = (arrays.first(), arrays.last()) else {
            return Ok(0);
        };
        let by = ScalarValue::try_from_array(by, row)?;
        // A saved state of no rows: NULL would count as smaller than everything.
        if by.is_null() {
            return Ok(0);
        }
        let wanted = match self.wanted {
            Side::Smallest => Ordering::Less,
            Side::Largest => Ordering::Greater,
        };
        let better = match best {
            None => true,
            Some((_, known)) => by.partial_cmp(known) == Some(wanted),
        };
        if !better {
            return Ok(0);
        }
        let mut value = ScalarValue::try_from_array(values, row)?;
        value.compact();
        let bytes = value.size() + by.size();
        let before = best
            .as_ref()
            .map_or(0, |(value, by)| value.size() + by.size());
        *best = Some((value, by));
        Ok(bytes.saturating_sub(before))
    }
}

fn column(
    states: &[Best],
    ty: &DataType,
    pick: fn(&(ScalarValue, ScalarValue)) -> &ScalarValue,
) -> DfResult<ArrayRef> {
    let null = ScalarValue::try_from(ty)?;
    if states.is_empty() {
        return Ok(datafusion::arrow::array::new_empty_array(ty));
    }
    ScalarValue::iter_to_array(states.iter().map(|best| {
        best.as_ref()
            .map_or_else(|| null.clone(), |best| pick(best).clone())
    }))
}

impl Fold for Extreme {
    type State = Best;

    fn saved_types(&self) -> Vec<DataType> {
        vec![self.value.clone(), self.by.clone()]
    }

    fn add(&self, state: &mut Best, prepared: &[ArrayRef], row: usize) -> DfResult<usize> {
        self.offer(state, prepared, row)
    }

    fn save(&self, states: Vec<Best>) -> DfResult<Vec<ArrayRef>> {
        Ok(vec![
            column(&states, &self.value, |(value, _)| value)?,
            column(&states, &self.by, |(_, by)| by)?,
        ])
    }

    fn merge(&self, state: &mut Best, saved: &[ArrayRef], row: usize) -> DfResult<usize> {
        self.offer(state, saved, row)
    }

    fn finish(&self, states: Vec<Best>) -> DfResult<ArrayRef> {
        column(&states, &self.value, |(value, _)| value)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::Int64Array;

    use super::*;

    #[test]
    fn a_state_of_no_rows_changes_nothing_when_merged() {
        let fold = Extreme {
            value: DataType::Int64,
            by: DataType::Int64,
            wanted: Side::Smallest,
        };
        let column = |values: Vec<Option<i64>>| Arc::new(Int64Array::from(values)) as ArrayRef;
        let rows = [column(vec![Some(7)]), column(vec![Some(-1)])];
        let mut best = None;
        fold.add(&mut best, &rows, 0).expect("adds");
        let nothing = fold.save(vec![None]).expect("saves");
        fold.merge(&mut best, &nothing, 0).expect("merges");
        let result = fold.finish(vec![best]).expect("finishes");
        assert_eq!(*result, *column(vec![Some(7)]));
    }
}
