//! `-Distinct`: each combination of values goes into the aggregate once.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::ScalarValue;
use datafusion::error::Result as DfResult;
use datafusion::logical_expr::AggregateUDF;
use indexmap::IndexSet;

use super::fold::{self, Fold};
use super::inner::Inner;
use super::list::{lists, values_of};

/// Bytes of a table entry beside the values.
const ENTRY_BYTES: usize = 32;

pub(super) fn aggregate(inner: Inner) -> Arc<AggregateUDF> {
    let result = inner.result();
    fold::aggregate("Distinct", result, Once { inner })
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Once {
    inner: Inner,
}

type Seen = IndexSet<Vec<ScalarValue>>;

fn insert(state: &mut Seen, row: Vec<ScalarValue>) -> usize {
    let bytes: usize = row.iter().map(ScalarValue::size).sum();
    if state.insert(row) {
        bytes + ENTRY_BYTES
    } else {
        0
    }
}

impl Once {
    fn columns(&self, rows: impl Iterator<Item = Vec<ScalarValue>>) -> Vec<Vec<ScalarValue>> {
        let mut columns = vec![Vec::new(); self.inner.arguments().len()];
        for row in rows {
            for (column, value) in columns.iter_mut().zip(row) {
                column.push(value);
            }
        }
        columns
    }
}

impl Fold for Once {
    type State = Seen;

    fn saved_types(&self) -> Vec<DataType> {
        let list = |ty| DataType::List(Arc::new(Field::new("item", ty, true)));
        self.inner.arguments().into_iter().map(list).collect()
    }

    fn add(&self, state: &mut Seen, prepared: &[ArrayRef], row: usize) -> DfResult<usize> {
        let mut values = Vec::with_capacity(prepared.len());
        for array in prepared {
            let mut value = ScalarValue::try_from_array(array, row)?;
            value.compact();
            values.push(value);
        }
        Ok(insert(state, values))
    }

    fn save(&self, states: Vec<Seen>) -> DfResult<Vec<ArrayRef>> {
        let types = self.saved_types();
        let mut saved: Vec<Vec<Vec<ScalarValue>>> = vec![Vec::new(); types.len()];
        for state in states {
            for (column, values) in saved.iter_mut().zip(self.columns(state.into_iter())) {
                column.push(values);
            }
        }
        types
            .iter()
            .zip(saved)
            .map(|(ty, column)| lists(ty, column))
            .collect()
    }

    fn merge(&self, state: &mut Seen, saved: &[ArrayRef], row: usize) -> DfResult<usize> {
        let columns = saved
            .iter()
            .map(|array| values_of(array, row))
            .collect::<DfResult<Vec<_>>>()?;
        let count = columns.first().map_or(0, Vec::len);
        let mut grown = 0;
        for i in 0..count {
            let values = columns.iter().filter_map(|column| column.get(i).cloned());
            grown += insert(state, values.collect());
        }
        Ok(grown)
    }

    fn finish(&self, states: Vec<Seen>) -> DfResult<ArrayRef> {
        let mut results = Vec::with_capacity(states.len());
        for state in states {
            let mut accumulator = self.inner.accumulator()?;
            if !state.is_empty() {
                let columns = self.columns(state.into_iter()).into_iter();
                let arrays = columns
                    .map(ScalarValue::iter_to_array)
                    .collect::<DfResult<Vec<_>>>()?;
                accumulator.update_batch(&arrays)?;
            }
            results.push(self.inner.finish(&accumulator.evaluate()?)?);
        }
        if results.is_empty() {
            return Ok(datafusion::arrow::array::new_empty_array(
                &self.inner.result(),
            ));
        }
        ScalarValue::iter_to_array(results)
    }
}
