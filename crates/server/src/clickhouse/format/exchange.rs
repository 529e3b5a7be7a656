//! Columns as other programs know them: ClickHouse's mapping of its types to Arrow's.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, FixedSizeBinaryBuilder, ListArray, MapArray, NullArray, StringArray,
    StringViewArray, StructArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, TimestampSecondArray,
};
use arrow::array::{Date32Array, Int8Array, Int64Array, UInt16Array, UInt32Array};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Field, FieldRef, Fields, Schema as ArrowSchema, SchemaRef, TimeUnit,
};
use arrow::record_batch::RecordBatch;
use cairn_query::Type;

use super::value::{enum_name, padded};
use super::{FormatError, Schema};

/// Turns answers into batches for other programs.
pub(super) struct Exchange {
    types: Vec<Type>,
    schema: SchemaRef,
    mapping: Mapping,
}

/// The rules of one target.
#[derive(Debug, Clone)]
struct Mapping {
    /// Zone of times that name none.
    zone: Arc<str>,
    parquet: bool,
}

impl Exchange {
    /// For Arrow and ArrowStream.
    pub(super) fn new(schema: &Schema) -> Self {
        Self::with(schema, false)
    }

    /// For Parquet: times are UTC, enums are text.
    pub(super) fn for_parquet(schema: &Schema) -> Self {
        Self::with(schema, true)
    }

    fn with(schema: &Schema, parquet: bool) -> Self {
        let mapping = Mapping {
            zone: schema.settings.timezone.name().into(),
            parquet,
        };
        let fields: Vec<FieldRef> = schema
            .columns
            .iter()
            .map(|column| mapping.field(&column.name, &column.ty))
            .collect();
        Self {
            types: schema
                .columns
                .iter()
                .map(|column| column.ty.clone())
                .collect(),
            schema: Arc::new(ArrowSchema::new(fields)),
            mapping,
        }
    }

    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    pub(super) fn convert(&self, batch: &RecordBatch) -> Result<RecordBatch, FormatError> {
        if batch.num_columns() != self.types.len() {
            return Err(FormatError::ColumnCount {
                expected: self.types.len(),
                found: batch.num_columns(),
            });
        }
        let columns = self
            .types
            .iter()
            .zip(batch.columns())
            .map(|(ty, array)| self.mapping.array(ty, array))
            .collect::<Result<Vec<_>, _>>()?;
        let rows = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        Ok(RecordBatch::try_new_with_options(
            self.schema(),
            columns,
            &rows,
        )?)
    }
}

/// The unit of a DateTime64, and what its ticks are multiplied by to reach it.
fn unit(precision: u8) -> (TimeUnit, i64) {
    let (unit, digits) = match precision {
        0 => (TimeUnit::Second, 0),
        1..=3 => (TimeUnit::Millisecond, 3),
        4..=6 => (TimeUnit::Microsecond, 6),
        _ => (TimeUnit::Nanosecond, 9),
    };
    let missing = u32::from(digits.max(precision) - precision);
    (unit, 10_i64.pow(missing))
}

fn names_of(fields: &[(Option<String>, Type)]) -> impl Iterator<Item = (String, &Type)> {
    fields.iter().enumerate().map(|(at, (name, ty))| {
        let name = name.clone().unwrap_or_else(|| (at + 1).to_string());
        (name, ty)
    })
}

impl Mapping {
    fn field(&self, name: &str, ty: &Type) -> FieldRef {
        let nullable = is_nullable(ty);
        let field = Field::new(name, self.data_type(ty), nullable);
        if !matches!(plain(ty), Type::Uuid) {
            return Arc::new(field);
        }
        let extension = ("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned());
        Arc::new(field.with_metadata(HashMap::from([extension])))
    }

    fn data_type(&self, ty: &Type) -> DataType {
        match ty {
            Type::Nullable(inner) | Type::LowCardinality(inner) => self.data_type(inner),
            Type::UInt8 => DataType::UInt8,
            Type::UInt16 => DataType::UInt16,
            Type::UInt32 => DataType::UInt32,
            Type::UInt64 => DataType::UInt64,
            Type::Int8 => DataType::Int8,
            Type::Int16 => DataType::Int16,
            Type::Int32 => DataType::Int32,
            Type::Int64 | Type::Interval(_) => DataType::Int64,
            Type::Float32 => DataType::Float32,
            Type::Float64 => DataType::Float64,
            Type::Decimal(precision, scale) => {
                DataType::Decimal128(*precision, i8::try_from(*scale).unwrap_or(i8::MAX))
            }
            Type::Bool => DataType::Boolean,
            Type::String => DataType::Utf8,
            Type::FixedString(length) => {
                DataType::FixedSizeBinary(i32::try_from(*length).unwrap_or(i32::MAX))
            }
            Type::Enum8(_) if self.parquet => DataType::Utf8,
            Type::Enum8(_) => DataType::Int8,
            Type::Date | Type::Date32 => DataType::Date32,
            Type::DateTime(_) if self.parquet => {
                DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
            }
            Type::DateTime(_) => DataType::UInt32,
            Type::DateTime64(precision, zone) => {
                let zone = match zone {
                    _ if self.parquet => "UTC".into(),
                    Some(zone) => zone.as_str().into(),
                    None => Arc::clone(&self.zone),
                };
                // Parquet has no seconds.
                let mut unit = unit(*precision).0;
                if self.parquet && unit == TimeUnit::Second {
                    unit = TimeUnit::Millisecond;
                }
                DataType::Timestamp(unit, Some(zone))
            }
            Type::Uuid => DataType::FixedSizeBinary(16),
            Type::Array(item) => DataType::List(self.field("item", item)),
            Type::Tuple(fields) => DataType::Struct(self.fields(fields)),
            Type::Map(key, value) => DataType::Map(self.entries(key, value), false),
            Type::Nothing => DataType::Null,
        }
    }

    fn fields(&self, fields: &[(Option<String>, Type)]) -> Fields {
        names_of(fields)
            .map(|(name, ty)| self.field(&name, ty))
            .collect()
    }

    fn entries(&self, key: &Type, value: &Type) -> FieldRef {
        let entries = Fields::from(vec![self.field("key", key), self.field("value", value)]);
        Arc::new(Field::new("entries", DataType::Struct(entries), false))
    }

    fn array(&self, ty: &Type, array: &ArrayRef) -> Result<ArrayRef, FormatError> {
        let unexpected = || FormatError::unexpected(ty, array);
        Ok(match ty {
            Type::Nullable(inner) | Type::LowCardinality(inner) => self.array(inner, array)?,
            Type::String => cast(array, &DataType::Utf8)?,
            Type::FixedString(length) => fixed(array, *length).ok_or_else(unexpected)??,
            Type::Enum8(names) if self.parquet => {
                enum_texts(array, names).ok_or_else(unexpected)?
            }
            Type::Date => {
                let days = array
                    .as_any()
                    .downcast_ref::<UInt16Array>()
                    .ok_or_else(unexpected)?;
                let days: Date32Array = days.unary(i32::from);
                Arc::new(days)
            }
            Type::Date32 => cast(array, &DataType::Date32)?,
            Type::DateTime(_) if self.parquet => {
                let seconds = array
                    .as_any()
                    .downcast_ref::<UInt32Array>()
                    .ok_or_else(unexpected)?;
                let times: TimestampMillisecondArray =
                    seconds.unary(|seconds| i64::from(seconds) * 1000);
                Arc::new(times.with_timezone("UTC"))
            }
            Type::DateTime64(precision, _) => {
                let ticks = array
                    .as_any()
                    .downcast_ref::<Int64Array>()
                    .ok_or_else(unexpected)?;
                let time = self.times(*precision, ticks);
                cast(&time, &self.data_type(ty))?
            }
            Type::Array(_) | Type::Map(..) | Type::Tuple(_) => self.container(ty, array)?,
            Type::Nothing => Arc::new(NullArray::new(array.len())),
            Type::UInt8
            | Type::UInt16
            | Type::UInt32
            | Type::UInt64
            | Type::Int8
            | Type::Int16
            | Type::Int32
            | Type::Int64
            | Type::Float32
            | Type::Float64
            | Type::Bool
            | Type::Enum8(_)
            | Type::Interval(_)
            | Type::Decimal(..)
            | Type::DateTime(_)
            | Type::Uuid => cast(array, &self.data_type(ty))?,
        })
    }

    /// Arrays, maps and tuples: the same offsets over converted values.
    fn container(&self, ty: &Type, array: &ArrayRef) -> Result<ArrayRef, FormatError> {
        let unexpected = || FormatError::unexpected(ty, array);
        if let Type::Array(item) = ty {
            let list = array
                .as_any()
                .downcast_ref::<ListArray>()
                .ok_or_else(unexpected)?;
            let values = self.array(item, list.values())?;
            let field = self.field("item", item);
            let offsets = list.offsets().clone();
            return Ok(Arc::new(ListArray::try_new(
                field,
                offsets,
                values,
                list.nulls().cloned(),
            )?));
        }
        if let Type::Map(key, value) = ty {
            let map = array
                .as_any()
                .downcast_ref::<MapArray>()
                .ok_or_else(unexpected)?;
            let columns = vec![
                self.array(key, map.keys())?,
                self.array(value, map.values())?,
            ];
            let field = self.entries(key, value);
            let DataType::Struct(fields) = field.data_type().clone() else {
                return Err(unexpected());
            };
            let entries = StructArray::try_new(fields, columns, None)?;
            let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
            return Ok(Arc::new(MapArray::try_new(
                field, offsets, entries, nulls, false,
            )?));
        }
        if let Type::Tuple(fields) = ty {
            let tuple = array
                .as_any()
                .downcast_ref::<StructArray>()
                .ok_or_else(unexpected)?;
            let columns = fields
                .iter()
                .zip(tuple.columns())
                .map(|((_, ty), array)| self.array(ty, array))
                .collect::<Result<Vec<_>, _>>()?;
            let fields = self.fields(fields);
            let nulls = tuple.nulls().cloned();
            return Ok(Arc::new(StructArray::try_new_with_length(
                fields,
                columns,
                nulls,
                array.len(),
            )?));
        }
        Err(unexpected())
    }

    fn times(&self, precision: u8, ticks: &Int64Array) -> ArrayRef {
        let (unit, factor) = unit(precision);
        let scale = |tick: i64| tick.saturating_mul(factor);
        match unit {
            TimeUnit::Second => {
                let times: TimestampSecondArray = ticks.unary(scale);
                Arc::new(times.with_timezone("UTC"))
            }
            TimeUnit::Millisecond => {
                let times: TimestampMillisecondArray = ticks.unary(scale);
                Arc::new(times.with_timezone("UTC"))
            }
            TimeUnit::Microsecond => {
                let times: TimestampMicrosecondArray = ticks.unary(scale);
                Arc::new(times.with_timezone("UTC"))
            }
            TimeUnit::Nanosecond => {
                let times: TimestampNanosecondArray = ticks.unary(scale);
                Arc::new(times.with_timezone("UTC"))
            }
        }
    }
}

fn plain(ty: &Type) -> &Type {
    if let Type::Nullable(inner) | Type::LowCardinality(inner) = ty {
        return plain(inner);
    }
    ty
}

fn is_nullable(ty: &Type) -> bool {
    if let Type::LowCardinality(inner) = ty {
        return is_nullable(inner);
    }
    matches!(ty, Type::Nullable(_) | Type::Nothing)
}

fn fixed(array: &ArrayRef, length: u32) -> Option<Result<ArrayRef, arrow::error::ArrowError>> {
    let texts = array.as_any().downcast_ref::<StringViewArray>()?;
    let width = usize::try_from(length).ok()?;
    let mut builder =
        FixedSizeBinaryBuilder::with_capacity(texts.len(), i32::try_from(length).ok()?);
    for text in texts {
        match text {
            None => builder.append_null(),
            Some(text) => {
                if let Err(error) = builder.append_value(padded(text, width)) {
                    return Some(Err(error));
                }
            }
        }
    }
    Some(Ok(Arc::new(builder.finish())))
}

fn enum_texts(array: &ArrayRef, names: &[(String, i8)]) -> Option<ArrayRef> {
    let numbers = array.as_any().downcast_ref::<Int8Array>()?;
    let texts: StringArray = numbers
        .iter()
        .map(|number| number.map(|number| String::from_utf8_lossy(enum_name(names, number))))
        .collect();
    Some(Arc::new(texts))
}

#[cfg(test)]
mod tests {
    use arrow::ipc::reader::StreamReader;
    use cairn_query::AnswerColumn;

    use super::super::golden::{all_values, print_all};
    use super::*;

    #[test]
    fn every_type_survives_the_way_through_an_arrow_stream() {
        for (columns, batch) in all_values() {
            let name = columns[0].ty.to_string();
            let stream = print_all("ArrowStream", columns, &[batch]);
            let mut reader = StreamReader::try_new(stream.as_slice(), None).unwrap();
            let read = reader.next().unwrap().unwrap();
            assert_eq!((read.num_rows(), read.num_columns()), (1, 1), "{name}");
            assert!(reader.next().is_none(), "{name}");
        }
    }

    #[test]
    fn every_type_has_a_form_in_parquet_and_arrow_files() {
        for (columns, batch) in all_values() {
            // Parquet has no column that is only NULL inside a list, and nobody stores one.
            for (format, magic) in [("Parquet", &b"PAR1"[..]), ("Arrow", b"ARROW1")] {
                let file = print_all(format, columns.clone(), std::slice::from_ref(&batch));
                assert!(file.starts_with(magic), "{format} {:?}", columns[0].ty);
                assert!(file.ends_with(magic), "{format} {:?}", columns[0].ty);
            }
        }
    }

    #[test]
    fn types_are_those_that_clickhouse_exports() {
        let types = [
            ("DateTime", "UInt32"),
            ("DateTime64(3, 'UTC')", "Timestamp(ms, \"UTC\")"),
            ("DateTime64(9, 'UTC')", "Timestamp(ns, \"UTC\")"),
            ("LowCardinality(String)", "Utf8"),
            ("Date", "Date32"),
            ("Enum8('a' = 1)", "Int8"),
            ("UUID", "FixedSizeBinary(16)"),
        ];
        for (ty, expected) in types {
            let column = AnswerColumn {
                name: "v".to_owned(),
                ty: ty.parse().unwrap(),
            };
            let schema = Schema {
                columns: vec![column],
                settings: super::super::FormatSettings::new(chrono_tz::Tz::UTC),
            };
            let exported = Exchange::new(&schema).schema();
            assert_eq!(exported.field(0).data_type().to_string(), expected, "{ty}");
        }
    }
}
