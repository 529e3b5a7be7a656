//! `-Array`: the aggregate over the items of arrays.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result as DfResult;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};

use super::inner::Inner;
use crate::error::{ErrorCode, QueryError};

pub(super) fn aggregate(inner: Inner) -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(Flatten {
        inner,
        signature: Signature::variadic_any(Volatility::Immutable),
    }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Flatten {
    inner: Inner,
    signature: Signature,
}

impl AggregateUDFImpl for Flatten {
    fn name(&self) -> &'static str {
        "Array"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DfResult<DataType> {
        Ok(self.inner.result())
    }

    fn accumulator(&self, _arguments: AccumulatorArgs<'_>) -> DfResult<Box<dyn Accumulator>> {
        Ok(Box::new(Whole {
            inner: self.inner.clone(),
            accumulator: self.inner.accumulator()?,
        }))
    }

    fn state_fields(&self, _arguments: StateFieldsArgs<'_>) -> DfResult<Vec<FieldRef>> {
        self.inner.state_fields()
    }

    fn groups_accumulator_supported(&self, _arguments: AccumulatorArgs<'_>) -> bool {
        self.inner.has_groups()
    }

    fn create_groups_accumulator(
        &self,
        _arguments: AccumulatorArgs<'_>,
    ) -> DfResult<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups {
            inner: self.inner.clone(),
            accumulator: self.inner.groups()?,
        }))
    }
}

/// The items of all rows that are wanted, and the row of each.
fn items(
    values: &[ArrayRef],
    wanted: impl Fn(usize) -> bool,
) -> DfResult<(Vec<ArrayRef>, Vec<usize>)> {
    let Some(first) = values.first() else {
        return Ok((Vec::new(), Vec::new()));
    };
    let lengths = |array: &ArrayRef, row: usize| array.as_list::<i32>().value_length(row);
    let mut rows = Vec::new();
    let mut picked = vec![Vec::new(); values.len()];
    for row in 0..first.len() {
        if !wanted(row) || values.iter().any(|array| array.is_null(row)) {
            continue;
        }
        let length = lengths(first, row);
        for (array, picked) in values.iter().zip(&mut picked) {
            if lengths(array, row) != length {
                let what = "Arrays passed to an aggregate with -Array must have equal lengths";
                return Err(QueryError::new(ErrorCode::SizesOfArraysDontMatch, what).external());
            }
            let from = array.as_list::<i32>().value_offsets().get(row).copied();
            let from = u32::try_from(from.unwrap_or(0)).unwrap_or(0);
            picked.extend(from..from + u32::try_from(length).unwrap_or(0));
        }
        rows.extend(std::iter::repeat_n(
            row,
            usize::try_from(length).unwrap_or(0),
        ));
    }
    let arrays = values.iter().zip(picked).map(|(array, picked)| {
        let items = array.as_list::<i32>().values();
        Ok(take(items, &UInt32Array::from(picked), None)?)
    });
    Ok((arrays.collect::<DfResult<_>>()?, rows))
}

#[derive(Debug)]
struct Whole {
    inner: Inner,
    accumulator: Box<dyn Accumulator>,
}

impl Accumulator for Whole {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        let (items, rows) = items(values, |_| true)?;
        if rows.is_empty() {
            return Ok(());
        }
        self.accumulator.update_batch(&items)
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        let result = self.accumulator.evaluate()?;
        self.inner.finish(&result)
    }

    fn size(&self) -> usize {
        self.accumulator.size()
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        self.accumulator.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        self.accumulator.merge_batch(states)
    }
}

struct Groups {
    inner: Inner,
    accumulator: Box<dyn GroupsAccumulator>,
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> DfResult<()> {
        let wanted =
            |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        let (items, rows) = items(values, wanted)?;
        let group = |row: &usize| group_indices.get(*row).copied().unwrap_or(0);
        let item_groups: Vec<usize> = rows.iter().map(group).collect();
        self.accumulator
            .update_batch(&items, &item_groups, None, groups)
    }

    fn evaluate(&mut self, emit: EmitTo) -> DfResult<ArrayRef> {
        let results = self.accumulator.evaluate(emit)?;
        self.inner.finish_all(&results)
    }

    fn state(&mut self, emit: EmitTo) -> DfResult<Vec<ArrayRef>> {
        self.accumulator.state(emit)
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        groups: usize,
    ) -> DfResult<()> {
        self.accumulator.merge_batch(values, group_indices, groups)
    }

    /// Each row as a group of its own.
    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> DfResult<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |array| array.len());
        let mut fresh = Self {
            inner: self.inner.clone(),
            accumulator: self.inner.groups()?,
        };
        let groups: Vec<usize> = (0..rows).collect();
        fresh.update_batch(values, &groups, filter, rows)?;
        fresh.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.accumulator.size()
    }
}
