//! Counting distinct values. Exact but for collisions of 128-bit hashes: 16 bytes a value, whatever its size.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, UInt64Array};
use datafusion::arrow::datatypes::{DataType, UInt64Type};
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::error::Result as DfResult;
use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

use super::fold::{Fold, aggregate};
use super::list::positive;
use super::{Choice, wrong_count};
use crate::error::Result;
use crate::types::{Type, Value};

/// Bytes of one hash.
const HASH_BYTES: usize = 16;
/// Bytes of one hash in a half-full table.
const ENTRY_BYTES: usize = 34;

pub(super) fn choose(name: &str, parameters: &[Value], types: &[Type]) -> Result<Choice> {
    let most = match parameters {
        [most] if name == "uniqUpTo" => u64::try_from(positive(name, most)?).unwrap_or(u64::MAX),
        _ => u64::MAX,
    };
    if types.is_empty() {
        return Err(wrong_count(name));
    }
    Ok(Choice {
        function: aggregate("uniq", DataType::UInt64, Uniq { most }),
        arguments: types.to_vec(),
        ty: Type::UInt64,
        default: Value::UInt(0),
        ignore_nulls: false,
    })
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Uniq {
    /// One more than this stands for all beyond.
    most: u64,
}

type Seen = HashSet<u128, FxBuildHasher>;

fn insert(seen: &mut Seen, hash: u128) -> usize {
    if seen.insert(hash) { ENTRY_BYTES } else { 0 }
}

fn hashes(arguments: &[ArrayRef], seed: u64) -> DfResult<ArrayRef> {
    let rows = arguments.first().map_or(0, |array| array.len());
    let mut buffer = vec![0; rows];
    create_hashes(arguments, &RandomState::with_seed(seed), &mut buffer)?;
    Ok(Arc::new(UInt64Array::from(buffer)))
}

impl Fold for Uniq {
    type State = Seen;

    fn saved_types(&self) -> Vec<DataType> {
        vec![DataType::Binary]
    }

    fn prepare(&self, arguments: &[ArrayRef]) -> DfResult<Vec<ArrayRef>> {
        Ok(vec![
            hashes(arguments, 0x9e37_79b9_7f4a_7c15)?,
            hashes(arguments, 0xc2b2_ae3d_27d4_eb4f)?,
        ])
    }

    fn add(&self, state: &mut Seen, prepared: &[ArrayRef], row: usize) -> DfResult<usize> {
        let mut hash = 0_u128;
        for array in prepared {
            let half = array.as_primitive::<UInt64Type>().value(row);
            hash = hash << 64 | u128::from(half);
        }
        Ok(insert(state, hash))
    }

    fn save(&self, states: Vec<Seen>) -> DfResult<Vec<ArrayRef>> {
        let mut builder = BinaryBuilder::new();
        let mut bytes = Vec::new();
        for state in states {
            bytes.clear();
            for hash in state {
                bytes.extend_from_slice(&hash.to_le_bytes());
            }
            builder.append_value(&bytes);
        }
        Ok(vec![Arc::new(builder.finish())])
    }

    fn merge(&self, state: &mut Seen, saved: &[ArrayRef], row: usize) -> DfResult<usize> {
        let mut grown = 0;
        for array in saved.iter().filter(|array| array.is_valid(row)) {
            let bytes = array.as_binary::<i32>().value(row);
            for chunk in bytes.chunks_exact(HASH_BYTES) {
                if let Ok(hash) = chunk.try_into() {
                    grown += insert(state, u128::from_le_bytes(hash));
                }
            }
        }
        Ok(grown)
    }

    fn finish(&self, states: Vec<Seen>) -> DfResult<ArrayRef> {
        let counts = states
            .into_iter()
            .map(|state| u64::try_from(state.len()).unwrap_or(u64::MAX))
            .map(|count| count.min(self.most.saturating_add(1)));
        Ok(Arc::new(UInt64Array::from_iter_values(counts)))
    }
}
