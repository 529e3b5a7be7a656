//! For tests: a batch as text, row by row, column by name.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Float64Type, Int32Type, TimestampNanosecondType, UInt8Type, UInt32Type, UInt64Type,
};
use cairn_storage::hex_text;

/// The value of `column` in `row`: maps as `{k=v, …}`, lists as `[a, …]`, ids as hex.
pub(crate) fn cell(batch: &RecordBatch, column: &str, row: usize) -> String {
    let array = batch
        .column_by_name(column)
        .unwrap_or_else(|| panic!("no column `{column}`"));
    value(array, row)
}

/// Every row with all its columns.
pub(crate) fn rows(batch: &RecordBatch) -> Vec<Vec<String>> {
    (0..batch.num_rows())
        .map(|row| {
            batch
                .columns()
                .iter()
                .map(|column| value(column, row))
                .collect()
        })
        .collect()
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enum is Arrow's, and our tables use few of its types"
)]
fn value(array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) {
        return String::new();
    }
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::UInt8 => array.as_primitive::<UInt8Type>().value(row).to_string(),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().value(row).to_string(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Float64 => format!("{:?}", array.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row).to_string(),
        DataType::Timestamp(..) => array
            .as_primitive::<TimestampNanosecondType>()
            .value(row)
            .to_string(),
        DataType::FixedSizeBinary(_) => {
            let mut text = String::new();
            hex_text(array.as_fixed_size_binary().value(row), &mut text);
            text
        }
        DataType::Dictionary(..) => {
            let dictionary = array.as_dictionary::<Int32Type>();
            value(dictionary.values(), dictionary.key(row).unwrap())
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let pairs: Vec<String> = (0..entries.len())
                .map(|index| {
                    let [key, text] = [0, 1].map(|side| value(entries.column(side), index));
                    format!("{key}={text}")
                })
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            let texts: Vec<String> = (0..items.len()).map(|index| value(&items, index)).collect();
            format!("[{}]", texts.join(", "))
        }
        other => panic!("unexpected type `{other}`"),
    }
}
