//! Joins small batches into larger ones, bounded in rows and bytes.

use arrow::array::{Array, ArrayRef};
use arrow::compute::concat;
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;

use super::dictionary;
use crate::error::{Error, Result};
use crate::limits;

/// The rows of `batches` in the same order in as few batches as the bounds allow.
pub(super) fn merge_batches(batches: &[RecordBatch]) -> Result<Vec<RecordBatch>> {
    let mut merged = Vec::new();
    let mut group: Vec<RecordBatch> = Vec::new();
    let (mut rows, mut bytes) = (0, 0);
    for batch in batches {
        let batch_bytes = u64::try_from(batch.get_array_memory_size()).unwrap_or(u64::MAX);
        let fits = rows + batch.num_rows() <= limits::CHUNK_ROWS
            && batch_bytes.saturating_add(bytes) <= limits::CHUNK_BYTES;
        if !fits && !group.is_empty() {
            merged.push(concat_batches(&group)?);
            group.clear();
            (rows, bytes) = (0, 0);
        }
        rows += batch.num_rows();
        bytes = bytes.saturating_add(batch_bytes);
        group.push(batch.clone());
    }
    if !group.is_empty() {
        merged.push(concat_batches(&group)?);
    }
    Ok(merged)
}

/// One batch of all rows. Equal dictionary values become one.
pub(crate) fn concat_batches(batches: &[RecordBatch]) -> Result<RecordBatch> {
    let [first, ..] = batches else {
        return Err(Error::Internal {
            what: "a merge of no batches".to_owned(),
        });
    };
    if batches.len() == 1 {
        return Ok(first.clone());
    }
    let schema = first.schema();
    let columns = (0..schema.fields().len())
        .map(|column| {
            let parts: Vec<&dyn Array> = batches
                .iter()
                .filter_map(|batch| batch.columns().get(column))
                .map(AsRef::as_ref)
                .collect();
            concat_column(&parts)
        })
        .collect::<Result<Vec<ArrayRef>>>()?;
    RecordBatch::try_new(schema, columns).map_err(|source| Error::Arrow {
        what: "joining chunks",
        source,
    })
}

fn concat_column(parts: &[&dyn Array]) -> Result<ArrayRef> {
    let is_dictionary = parts
        .first()
        .is_some_and(|part| matches!(part.data_type(), DataType::Dictionary(..)));
    if is_dictionary {
        return dictionary::concat(parts);
    }
    concat(parts).map_err(|source| Error::Arrow {
        what: "joining a column",
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        DictionaryArray, Int32Array, MapBuilder, MapFieldNames, StringArray, StringBuilder,
    };
    use arrow::datatypes::{Field, Int32Type, Schema};
    use arrow::util::display::array_value_to_string;

    use super::*;
    use crate::schema::attributes_type;

    /// One row per name: a label and a map, each with a dictionary of its own.
    fn batch(names: &[&str]) -> RecordBatch {
        let labels: DictionaryArray<Int32Type> = names.iter().copied().collect();
        let fields = MapFieldNames {
            entry: "key_value".to_owned(),
            key: "key".to_owned(),
            value: "value".to_owned(),
        };
        let mut maps = MapBuilder::new(Some(fields), StringBuilder::new(), StringBuilder::new())
            .with_values_field(Field::new("value", DataType::Utf8, false));
        for name in names {
            maps.keys().append_value("service.name");
            maps.values().append_value(name);
            maps.append(true).unwrap();
        }
        let keys = Int32Array::from_iter_values(0..i32::try_from(names.len()).unwrap());
        let maps = DictionaryArray::new(keys, Arc::new(maps.finish()));
        let schema = Schema::new(vec![
            Field::new("label", labels.data_type().clone(), false),
            Field::new(
                "map",
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(attributes_type())),
                false,
            ),
            Field::new("text", DataType::Utf8, false),
        ]);
        let text = StringArray::from_iter_values(names.iter().copied());
        let columns: Vec<ArrayRef> = vec![Arc::new(labels), Arc::new(maps), Arc::new(text)];
        RecordBatch::try_new(Arc::new(schema), columns).unwrap()
    }

    fn rows(batches: &[RecordBatch]) -> Vec<String> {
        let mut rows = Vec::new();
        for batch in batches {
            for row in 0..batch.num_rows() {
                let cells: Vec<String> = batch
                    .columns()
                    .iter()
                    .map(|column| array_value_to_string(column, row).unwrap())
                    .collect();
                rows.push(cells.join("|"));
            }
        }
        rows
    }

    #[test]
    fn rows_stay_the_same_and_equal_dictionary_values_become_one() {
        let inputs: Vec<RecordBatch> = (0..500)
            .map(|at| batch(&["api", if at % 2 == 0 { "web" } else { "db" }]))
            .collect();
        let merged = merge_batches(&inputs).unwrap();
        assert_eq!(merged.len(), 1);
        assert_eq!(rows(&merged), rows(&inputs));
        for column in [0, 1] {
            let dictionary = merged[0]
                .column(column)
                .as_any()
                .downcast_ref::<DictionaryArray<Int32Type>>()
                .unwrap();
            assert_eq!(dictionary.values().len(), 3);
        }
    }

    #[test]
    fn slices_merge_with_only_the_values_they_use() {
        let inputs = vec![
            batch(&["a", "b", "c"]).slice(1, 1),
            batch(&["b", "d"]).slice(0, 1),
        ];
        let merged = merge_batches(&inputs).unwrap();
        assert_eq!(rows(&merged), rows(&inputs));
        let map = merged[0]
            .column(1)
            .as_any()
            .downcast_ref::<DictionaryArray<Int32Type>>()
            .unwrap();
        assert_eq!(map.values().len(), 1);
    }

    #[test]
    fn merged_chunks_stay_within_the_row_bound() {
        let names: Vec<&str> = vec!["x"; 1_000];
        let inputs: Vec<RecordBatch> = (0..20).map(|_| batch(&names)).collect();
        let merged = merge_batches(&inputs).unwrap();
        assert!(merged.iter().all(|b| b.num_rows() <= limits::CHUNK_ROWS));
        assert_eq!(
            merged.iter().map(RecordBatch::num_rows).sum::<usize>(),
            20_000
        );
        assert_eq!(merged.len(), 3);
    }
}
