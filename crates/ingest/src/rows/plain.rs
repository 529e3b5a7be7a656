//! Columns as the WAL keeps them: no dictionaries, no views, ids as hex text.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, MapArray, StringArray, StructArray,
    UInt8Array, UInt32Array, new_empty_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type, UInt32Type};
use cairn_storage::{ColumnKind, NANOS_PER_SECOND};

use crate::batch::timestamps;

/// The Arrow type of a column in the WAL.
fn plain_type(kind: ColumnKind) -> DataType {
    match kind {
        ColumnKind::TraceId | ColumnKind::SpanId | ColumnKind::Label | ColumnKind::Text => {
            DataType::Utf8
        }
        ColumnKind::Timestamp
        | ColumnKind::Seconds
        | ColumnKind::UInt8
        | ColumnKind::UInt64
        | ColumnKind::Number(_)
        | ColumnKind::SharedAttributes
        | ColumnKind::Attributes
        | ColumnKind::TimestampList
        | ColumnKind::SecondsList
        | ColumnKind::NumberList(_)
        | ColumnKind::LabelList
        | ColumnKind::TextList
        | ColumnKind::AttributesList => kind.read_type(),
    }
}

/// So many rows of nothing: 0, `''`, 1970, an empty map or list.
pub(super) fn default(kind: ColumnKind, rows: usize) -> ArrayRef {
    nothing(&plain_type(kind), rows)
}

fn nothing(ty: &DataType, rows: usize) -> ArrayRef {
    let offsets = || OffsetBuffer::new_zeroed(rows);
    if let DataType::List(item) = ty {
        let values = new_empty_array(item.data_type());
        return Arc::new(ListArray::new(Arc::clone(item), offsets(), values, None));
    }
    if let DataType::Map(field, ordered) = ty {
        let entries = new_empty_array(field.data_type());
        let entries = entries.as_struct().clone();
        return Arc::new(MapArray::new(
            Arc::clone(field),
            offsets(),
            entries,
            None,
            *ordered,
        ));
    }
    let zero: ArrayRef = if *ty == DataType::Utf8 {
        Arc::new(StringArray::from(vec![""]))
    } else if *ty == DataType::Boolean {
        Arc::new(BooleanArray::from(vec![false]))
    } else if matches!(ty, DataType::Timestamp(..)) {
        timestamps(vec![0])
    } else {
        let zero: ArrayRef = Arc::new(UInt8Array::from(vec![0]));
        cast(&zero, ty).unwrap_or(zero)
    };
    let take = UInt32Array::from(vec![0; rows]);
    arrow::compute::take(&zero, &take, None).unwrap_or(zero)
}

/// A column of SQL's physical type.
pub(super) fn from_sql(kind: ColumnKind, array: &ArrayRef) -> Result<ArrayRef, String> {
    if array.null_count() > 0 {
        return Err("NULL in a column that has none".to_owned());
    }
    to_plain(array, &plain_type(kind))
}

fn to_plain(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, String> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    let text = |error: arrow::error::ArrowError| error.to_string();
    if let (DataType::List(_), DataType::List(item)) = (array.data_type(), to) {
        let list = array.as_list::<i32>();
        let values = to_plain(list.values(), item.data_type())?;
        let offsets = list.offsets().clone();
        let list = ListArray::try_new(Arc::clone(item), offsets, values, None).map_err(text)?;
        return Ok(Arc::new(list));
    }
    if let (DataType::Map(..), DataType::Map(field, ordered)) = (array.data_type(), to) {
        return map(array.as_map(), field, *ordered);
    }
    let from = array.data_type();
    let times = matches!(to, DataType::Timestamp(..));
    if times && *from == DataType::Int64 {
        let ticks = array.as_primitive::<Int64Type>().values();
        return Ok(timestamps(ticks.to_vec()));
    }
    if times && *from == DataType::UInt32 {
        let seconds = array.as_primitive::<UInt32Type>().values().iter();
        let nanos = seconds.map(|s| i64::from(*s) * NANOS_PER_SECOND);
        return Ok(timestamps(nanos.collect()));
    }
    if *to == DataType::Utf8 && *from == DataType::Utf8View {
        return cast(array, to).map_err(text);
    }
    Err(format!("it has the type `{from}`, not `{to}`"))
}

fn map(array: &MapArray, field: &Arc<Field>, ordered: bool) -> Result<ArrayRef, String> {
    let text = |error: arrow::error::ArrowError| error.to_string();
    let DataType::Struct(fields) = field.data_type() else {
        return Err("a map without entries".to_owned());
    };
    let keys = to_plain(array.keys(), &DataType::Utf8)?;
    let values = to_plain(array.values(), &DataType::Utf8)?;
    let entries = StructArray::try_new(fields.clone(), vec![keys, values], None).map_err(text)?;
    let offsets = array.offsets().clone();
    let field = Arc::clone(field);
    let map = MapArray::try_new(field, offsets, entries, None, ordered).map_err(text)?;
    Ok(Arc::new(map))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::TimestampNanosecondType;
    use cairn_storage::{TableDef, TableId};

    use super::*;

    #[test]
    fn every_column_of_every_table_has_a_default() {
        for table in TableId::ALL {
            for column in TableDef::of(table).columns {
                let rows = default(column.kind, 3);
                assert_eq!((rows.len(), rows.null_count()), (3, 0), "{}", column.name);
                assert_eq!(
                    *rows.data_type(),
                    plain_type(column.kind),
                    "{}",
                    column.name
                );
            }
        }
    }

    #[test]
    fn times_are_nanoseconds() {
        let seconds: ArrayRef = Arc::new(UInt32Array::from(vec![7]));
        let times = from_sql(ColumnKind::Seconds, &seconds).unwrap();
        let times = times.as_primitive::<TimestampNanosecondType>();
        assert_eq!(times.value(0), 7_000_000_000);
    }
}
