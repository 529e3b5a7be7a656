//! Constants as Arrow arrays and scalars, and back.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeBinaryArray, ListArray, MapArray, StructArray,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::common::ScalarValue;

use super::arrow::{entries_field, entry_fields, item_field, tuple_fields};
use super::{Type, Value};
use crate::error::{ErrorCode, QueryError, Result};

impl Value {
    /// The constant as a DataFusion scalar of `ty`'s physical type.
    ///
    /// # Errors
    /// When the value is not of that type.
    pub(crate) fn to_scalar(&self, ty: &Type) -> Result<ScalarValue> {
        let array = values_to_array(ty, std::slice::from_ref(self))?;
        ScalarValue::try_from_array(&array, 0).map_err(QueryError::from)
    }

    /// The constant at `row` of an array of type `ty`.
    ///
    /// # Errors
    /// When the array is not of that type.
    pub(crate) fn from_array(array: &ArrayRef, row: usize, ty: &Type) -> Result<Self> {
        if array.is_null(row) || *array.data_type() == DataType::Null {
            return Ok(Self::Null);
        }
        read_value(array, row, ty).ok_or_else(|| mismatch(ty, array.data_type()))
    }
}

fn mismatch(ty: &Type, found: &DataType) -> QueryError {
    QueryError::new(
        ErrorCode::LogicalError,
        format!("a value of type {ty} is stored as `{found}`"),
    )
}

fn read_value(array: &ArrayRef, row: usize, ty: &Type) -> Option<Value> {
    Some(match ty {
        Type::UInt8 => Value::UInt(array.as_primitive_opt::<UInt8Type>()?.value(row).into()),
        Type::UInt16 | Type::Date => {
            Value::UInt(array.as_primitive_opt::<UInt16Type>()?.value(row).into())
        }
        Type::UInt32 | Type::DateTime(_) => {
            Value::UInt(array.as_primitive_opt::<UInt32Type>()?.value(row).into())
        }
        Type::UInt64 => Value::UInt(array.as_primitive_opt::<UInt64Type>()?.value(row)),
        Type::Int8 | Type::Enum8(_) => {
            Value::Int(array.as_primitive_opt::<Int8Type>()?.value(row).into())
        }
        Type::Int16 => Value::Int(array.as_primitive_opt::<Int16Type>()?.value(row).into()),
        Type::Int32 | Type::Date32 => {
            Value::Int(array.as_primitive_opt::<Int32Type>()?.value(row).into())
        }
        Type::Int64 | Type::DateTime64(..) | Type::Interval(_) => {
            Value::Int(array.as_primitive_opt::<Int64Type>()?.value(row))
        }
        Type::Float32 => Value::Float(array.as_primitive_opt::<Float32Type>()?.value(row).into()),
        Type::Float64 => Value::Float(array.as_primitive_opt::<Float64Type>()?.value(row)),
        Type::Bool => Value::Bool(array.as_boolean_opt()?.value(row)),
        Type::String | Type::FixedString(_) => {
            Value::String(array.as_string_view_opt()?.value(row).to_owned())
        }
        Type::Uuid => Value::String(uuid_text(array.as_fixed_size_binary_opt()?.value(row))),
        Type::Decimal(..) => {
            let units = array.as_primitive_opt::<Decimal128Type>()?.value(row);
            Value::Int(i64::try_from(units).ok()?)
        }
        Type::Array(item) => {
            let items = array.as_list_opt::<i32>()?.value(row);
            Value::Array(read_all(&items, item)?)
        }
        Type::Tuple(items) => {
            let fields = array.as_struct_opt()?;
            let read = |(column, (_, ty)): (&ArrayRef, &(Option<String>, Type))| {
                Value::from_array(column, row, ty).ok()
            };
            let all = fields.columns().iter().zip(items).map(read);
            Value::Tuple(all.collect::<Option<_>>()?)
        }
        Type::Map(key, value) => {
            let entries = array.as_map_opt()?.value(row);
            let keys = read_all(entries.column(0), key)?;
            let values = read_all(entries.column(1), value)?;
            Value::Map(keys.into_iter().zip(values).collect())
        }
        Type::Nullable(inner) | Type::LowCardinality(inner) => read_value(array, row, inner)?,
        Type::Nothing => Value::Null,
    })
}

fn read_all(array: &ArrayRef, ty: &Type) -> Option<Vec<Value>> {
    (0..array.len())
        .map(|row| Value::from_array(array, row, ty).ok())
        .collect()
}

/// `61f0c404-5cb3-11e7-907b-a6006ad3dba0`
pub(crate) fn uuid_text(bytes: &[u8]) -> String {
    uuid::Uuid::from_slice(bytes)
        .unwrap_or_default()
        .to_string()
}

/// An array of the physical type of `ty` that holds `values`.
///
/// # Errors
/// When a value is not of that type.
pub(crate) fn values_to_array(ty: &Type, values: &[Value]) -> Result<ArrayRef> {
    build(ty, values).ok_or_else(|| {
        QueryError::new(
            ErrorCode::TypeMismatch,
            format!("Cannot convert a constant to {ty}: it does not fit"),
        )
    })
}

macro_rules! primitive {
    ($arrow:ty, $values:expr, $get:expr) => {{
        let mut builder =
            datafusion::arrow::array::PrimitiveBuilder::<$arrow>::with_capacity($values.len());
        for value in $values {
            if *value == Value::Null {
                builder.append_null();
            } else {
                builder.append_value($get(value)?);
            }
        }
        Arc::new(builder.finish()) as ArrayRef
    }};
}

fn integer<N: TryFrom<u64> + TryFrom<i64>>(value: &Value) -> Option<N> {
    if let Value::UInt(v) = value {
        return N::try_from(*v).ok();
    }
    if let Value::Int(v) = value {
        return N::try_from(*v).ok();
    }
    if let Value::Bool(v) = value {
        return N::try_from(u64::from(*v)).ok();
    }
    None
}

fn float(value: &Value) -> Option<f64> {
    if let Value::Float(v) = value {
        return Some(*v);
    }
    super::value::as_f64(value)
}

fn text(value: &Value) -> Option<&str> {
    if let Value::String(v) = value {
        return Some(v);
    }
    None
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a Float32 is the nearest one by definition"
)]
fn float32(value: &Value) -> Option<f32> {
    float(value).map(|v| v as f32)
}

fn build(ty: &Type, values: &[Value]) -> Option<ArrayRef> {
    Some(match ty {
        Type::UInt8 => primitive!(UInt8Type, values, integer),
        Type::UInt16 | Type::Date => primitive!(UInt16Type, values, integer),
        Type::UInt32 | Type::DateTime(_) => primitive!(UInt32Type, values, integer),
        Type::UInt64 => primitive!(UInt64Type, values, integer),
        Type::Int8 | Type::Enum8(_) => primitive!(Int8Type, values, integer),
        Type::Int16 => primitive!(Int16Type, values, integer),
        Type::Int32 | Type::Date32 => primitive!(Int32Type, values, integer),
        Type::Int64 | Type::DateTime64(..) | Type::Interval(_) => {
            primitive!(Int64Type, values, integer)
        }
        Type::Float32 => primitive!(Float32Type, values, float32),
        Type::Float64 => primitive!(Float64Type, values, float),
        Type::Decimal(..) => {
            let units = build_decimal(values)?;
            Arc::new(units.with_data_type(ty.arrow()))
        }
        Type::Bool => {
            let mut builder = datafusion::arrow::array::BooleanBuilder::new();
            for value in values {
                if value.is_null() {
                    builder.append_null();
                } else {
                    builder.append_value(integer::<u8>(value)? != 0);
                }
            }
            Arc::new(builder.finish())
        }
        Type::String | Type::FixedString(_) => {
            let mut builder = datafusion::arrow::array::StringViewBuilder::new();
            for value in values {
                if value.is_null() {
                    builder.append_null();
                } else {
                    builder.append_value(text(value)?);
                }
            }
            Arc::new(builder.finish())
        }
        Type::Uuid => build_uuids(values)?,
        Type::Array(item) => build_list(item, values)?,
        Type::Tuple(items) => build_tuple(items, values)?,
        Type::Map(key, value) => build_map(key, value, values)?,
        Type::Nullable(inner) | Type::LowCardinality(inner) => build(inner, values)?,
        Type::Nothing => Arc::new(datafusion::arrow::array::NullArray::new(values.len())),
    })
}

fn build_decimal(
    values: &[Value],
) -> Option<datafusion::arrow::array::PrimitiveArray<Decimal128Type>> {
    values
        .iter()
        .map(|value| {
            if value.is_null() {
                return Some(None);
            }
            value.as_i128().map(Some)
        })
        .collect()
}

fn build_uuids(values: &[Value]) -> Option<ArrayRef> {
    let parsed: Option<Vec<Option<uuid::Uuid>>> = values
        .iter()
        .map(|value| {
            if value.is_null() {
                return Some(None);
            }
            uuid::Uuid::parse_str(text(value)?).ok().map(Some)
        })
        .collect();
    let items = parsed?.into_iter().map(|id| id.map(uuid::Uuid::into_bytes));
    let array = FixedSizeBinaryArray::try_from_sparse_iter_with_size(items, 16).ok()?;
    Some(Arc::new(array))
}

fn validity(values: &[Value]) -> NullBuffer {
    values.iter().map(|value| *value != Value::Null).collect()
}

fn build_list(item: &Type, values: &[Value]) -> Option<ArrayRef> {
    let mut flat = Vec::new();
    let mut lengths = Vec::with_capacity(values.len());
    for value in values {
        if let Value::Array(items) = value {
            flat.extend(items.iter().cloned());
            lengths.push(items.len());
        } else if *value == Value::Null {
            lengths.push(0);
        } else {
            return None;
        }
    }
    let items = build(item, &flat)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    ListArray::try_new(item_field(item), offsets, items, Some(validity(values)))
        .ok()
        .map(|list| Arc::new(list) as ArrayRef)
}

fn build_tuple(items: &[(Option<String>, Type)], values: &[Value]) -> Option<ArrayRef> {
    let mut columns = Vec::with_capacity(items.len());
    for (i, (_, ty)) in items.iter().enumerate() {
        let column: Option<Vec<Value>> = values
            .iter()
            .map(|value| {
                if let Value::Tuple(fields) = value
                    && fields.len() == items.len()
                {
                    return fields.get(i).cloned();
                }
                value.is_null().then_some(Value::Null)
            })
            .collect();
        columns.push(build(ty, &column?)?);
    }
    if columns.is_empty() {
        return Some(Arc::new(StructArray::new_empty_fields(
            values.len(),
            Some(validity(values)),
        )));
    }
    StructArray::try_new(tuple_fields(items), columns, Some(validity(values)))
        .ok()
        .map(|tuple| Arc::new(tuple) as ArrayRef)
}

fn build_map(key: &Type, value: &Type, values: &[Value]) -> Option<ArrayRef> {
    let mut keys = Vec::new();
    let mut items = Vec::new();
    let mut lengths = Vec::with_capacity(values.len());
    for map in values {
        if let Value::Map(entries) = map {
            keys.extend(entries.iter().map(|(k, _)| k.clone()));
            items.extend(entries.iter().map(|(_, v)| v.clone()));
            lengths.push(entries.len());
        } else if *map == Value::Null {
            lengths.push(0);
        } else {
            return None;
        }
    }
    let columns = vec![build(key, &keys)?, build(value, &items)?];
    let entries = StructArray::try_new(entry_fields(key, value), columns, None).ok()?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    let nulls = Some(validity(values));
    MapArray::try_new(entries_field(key, value), offsets, entries, nulls, false)
        .ok()
        .map(|map| Arc::new(map) as ArrayRef)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ty: &str, value: &Value) {
        let ty: Type = ty.parse().unwrap();
        let scalar = value.to_scalar(&ty).unwrap();
        assert_eq!(scalar.data_type(), ty.arrow(), "{ty}");
        let array = scalar.to_array().unwrap();
        assert_eq!(Value::from_array(&array, 0, &ty).unwrap(), *value, "{ty}");
    }

    #[test]
    fn constants_survive_the_way_through_arrow() {
        let text = |s: &str| Value::String(s.to_owned());
        check("UInt8", &Value::UInt(255));
        check("DateTime64(9)", &Value::Int(-1));
        check("Float32", &Value::Float(0.5));
        check("Bool", &Value::Bool(true));
        check("Nullable(String)", &Value::Null);
        check("LowCardinality(String)", &text("x"));
        check("UUID", &text("61f0c404-5cb3-11e7-907b-a6006ad3dba0"));
        check(
            "Array(Nullable(Int8))",
            &Value::Array(vec![Value::Int(-1), Value::Null]),
        );
        check("Array(Nothing)", &Value::Array(vec![]));
        check(
            "Tuple(a UInt8, b String)",
            &Value::Tuple(vec![Value::UInt(1), text("b")]),
        );
        check(
            "Map(String, Array(UInt64))",
            &Value::Map(vec![(text("k"), Value::Array(vec![Value::UInt(7)]))]),
        );
        check("Decimal(9, 2)", &Value::Int(150));
        check("Nullable(Nothing)", &Value::Null);
    }

    #[test]
    fn values_of_another_type_are_refused() {
        assert!(Value::UInt(256).to_scalar(&Type::UInt8).is_err());
        assert!(Value::Int(-1).to_scalar(&Type::UInt64).is_err());
        assert!(
            Value::String("x".to_owned())
                .to_scalar(&Type::UInt8)
                .is_err()
        );
        assert!(
            Value::String("x".to_owned())
                .to_scalar(&Type::Uuid)
                .is_err()
        );
    }
}
