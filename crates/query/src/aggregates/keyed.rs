//! `-Map` and `-ForEach`: one inner aggregate per key of maps, or per position of arrays.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, MapArray, StructArray};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result as DfResult};
use datafusion::logical_expr::{Accumulator, AggregateUDF};
use hashbrown::HashMap;

use super::fold::{Fold, aggregate};
use super::inner::Inner;
use super::list::{lists, values_of};
use crate::types::Type;

/// Bytes of a table entry beside the key and the accumulator.
const ENTRY_BYTES: usize = 64;

/// One result for each key.
pub(super) fn map(inner: Inner, ty: &Type) -> Arc<AggregateUDF> {
    keyed("Map", inner, ty, true)
}

/// One result for each position.
pub(super) fn for_each(inner: Inner, ty: &Type) -> Arc<AggregateUDF> {
    keyed("ForEach", inner, ty, false)
}

fn keyed(name: &str, inner: Inner, ty: &Type, by_key: bool) -> Arc<AggregateUDF> {
    let fold = Keyed {
        inner,
        ty: ty.clone(),
        by_key,
    };
    aggregate(name, ty.arrow(), fold)
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Keyed {
    inner: Inner,
    ty: Type,
    /// Keys of maps, else positions of arrays.
    by_key: bool,
}

type States = HashMap<ScalarValue, Box<dyn Accumulator>>;

impl Keyed {
    fn key_type(&self) -> DataType {
        match &self.ty {
            Type::Map(key, _) if self.by_key => key.arrow(),
            _ => DataType::UInt64,
        }
    }

    /// Runs `f` on the accumulator of a key; answers by how much the state grew.
    fn with(
        &self,
        states: &mut States,
        key: ScalarValue,
        f: impl FnOnce(&mut dyn Accumulator) -> DfResult<()>,
    ) -> DfResult<usize> {
        if let Some(accumulator) = states.get_mut(&key) {
            let before = accumulator.size();
            f(accumulator.as_mut())?;
            return Ok(accumulator.size().saturating_sub(before));
        }
        let mut accumulator = self.inner.accumulator()?;
        f(accumulator.as_mut())?;
        let grown = key.size() + accumulator.size() + ENTRY_BYTES;
        states.insert(key, accumulator);
        Ok(grown)
    }

    fn sorted(states: States) -> Vec<(ScalarValue, Box<dyn Accumulator>)> {
        let mut entries: Vec<_> = states.into_iter().collect();
        entries.sort_by(|(a, _), (b, _)| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        entries
    }
}

fn range(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    let at = |i: usize| {
        let offset = offsets.get(i).copied().unwrap_or(0);
        usize::try_from(offset).unwrap_or(0)
    };
    at(row)..at(row + 1)
}

impl Fold for Keyed {
    type State = States;

    fn saved_types(&self) -> Vec<DataType> {
        let list = |ty: DataType| DataType::List(Arc::new(Field::new("item", ty, true)));
        let mut types = vec![list(self.key_type())];
        let fields = self.inner.state_fields().unwrap_or_default();
        types.extend(fields.iter().map(|field| list(field.data_type().clone())));
        types
    }

    fn add(&self, state: &mut States, prepared: &[ArrayRef], row: usize) -> DfResult<usize> {
        let mut grown = 0;
        if self.by_key {
            let Some(map) = prepared.first().and_then(|array| array.as_map_opt()) else {
                return Ok(0);
            };
            for at in range(map.value_offsets(), row) {
                let mut key = ScalarValue::try_from_array(map.keys(), at)?;
                key.compact();
                let value = map.values().slice(at, 1);
                grown += self.with(state, key, |inner| inner.update_batch(&[value]))?;
            }
            return Ok(grown);
        }
        let arrays: Vec<_> = prepared
            .iter()
            .map(|array| array.as_list::<i32>())
            .collect();
        let Some(first) = arrays.first() else {
            return Ok(0);
        };
        let count = range(first.value_offsets(), row).len();
        for position in 0..count {
            let values: Vec<ArrayRef> = arrays
                .iter()
                .filter_map(|list| {
                    let at = range(list.value_offsets(), row).nth(position)?;
                    Some(list.values().slice(at, 1))
                })
                .collect();
            let key = ScalarValue::UInt64(u64::try_from(position).ok());
            grown += self.with(state, key, |inner| inner.update_batch(&values))?;
        }
        Ok(grown)
    }

    fn save(&self, states: Vec<States>) -> DfResult<Vec<ArrayRef>> {
        let types = self.saved_types();
        let mut columns: Vec<Vec<Vec<ScalarValue>>> = vec![Vec::new(); types.len()];
        for state in states {
            let mut row: Vec<Vec<ScalarValue>> = vec![Vec::new(); types.len()];
            for (key, mut accumulator) in Self::sorted(state) {
                let saved = accumulator.state()?;
                for (column, value) in row.iter_mut().zip([key].into_iter().chain(saved)) {
                    column.push(value);
                }
            }
            for (column, values) in columns.iter_mut().zip(row) {
                column.push(values);
            }
        }
        types
            .iter()
            .zip(columns)
            .map(|(ty, column)| lists(ty, column))
            .collect()
    }

    fn merge(&self, state: &mut States, saved: &[ArrayRef], row: usize) -> DfResult<usize> {
        let Some((keys, states)) = saved.split_first() else {
            return Ok(0);
        };
        let mut grown = 0;
        for (position, key) in values_of(keys, row)?.into_iter().enumerate() {
            let parts: Vec<ArrayRef> = states
                .iter()
                .map(|array| array.as_list::<i32>().value(row).slice(position, 1))
                .collect();
            grown += self.with(state, key, |inner| inner.merge_batch(&parts))?;
        }
        Ok(grown)
    }

    fn finish(&self, states: Vec<States>) -> DfResult<ArrayRef> {
        let mut keys = Vec::with_capacity(states.len());
        let mut values = Vec::with_capacity(states.len());
        for state in states {
            let (mut own_keys, mut own_values) = (Vec::new(), Vec::new());
            for (key, mut accumulator) in Self::sorted(state) {
                own_keys.push(key);
                own_values.push(self.inner.finish(&accumulator.evaluate()?)?);
            }
            keys.push(own_keys);
            values.push(own_values);
        }
        match self.ty.arrow() {
            DataType::Map(entries, sorted) => maps(&entries, sorted, keys, values),
            list => lists(&list, values),
        }
    }
}

fn maps(
    field: &Arc<Field>,
    sorted: bool,
    keys: Vec<Vec<ScalarValue>>,
    values: Vec<Vec<ScalarValue>>,
) -> DfResult<ArrayRef> {
    let DataType::Struct(fields) = field.data_type() else {
        return Err(DataFusionError::Internal(
            "a map without entries".to_owned(),
        ));
    };
    let offsets = OffsetBuffer::from_lengths(keys.iter().map(Vec::len));
    let column = |at: usize, groups: Vec<Vec<ScalarValue>>| {
        let ty = fields
            .get(at)
            .map_or(DataType::Null, |f| f.data_type().clone());
        let list = DataType::List(Arc::new(Field::new("item", ty, true)));
        Ok::<_, DataFusionError>(Arc::clone(lists(&list, groups)?.as_list::<i32>().values()))
    };
    let columns = vec![column(0, keys)?, column(1, values)?];
    let entries = StructArray::try_new(fields.clone(), columns, None)?;
    let map = MapArray::try_new(Arc::clone(field), offsets, entries, None, sorted)?;
    Ok(Arc::new(map))
}
