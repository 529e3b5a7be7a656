//! Arrays of the physical form of a type, from plain values; and the values that were recorded.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, FixedSizeBinaryArray, Int8Array, Int16Array,
    Int32Array, Int64Array, ListArray, MapArray, NullArray, StringViewArray, StructArray,
    UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow::array::{Float32Array, Float64Array};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields, Schema};
use arrow::record_batch::RecordBatch;
use cairn_query::{Type, Value};

/// A batch of columns `c0`, `c1`, ….
pub(super) fn batch(columns: &[(&Type, Vec<Value>)]) -> RecordBatch {
    let arrays: Vec<ArrayRef> = columns
        .iter()
        .map(|(ty, values)| array(ty, values))
        .collect();
    let fields: Vec<Field> = arrays
        .iter()
        .enumerate()
        .map(|(at, array)| Field::new(format!("c{at}"), array.data_type().clone(), true))
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

fn integer(value: &Value) -> Option<i128> {
    if let Value::UInt(value) = value {
        return Some(i128::from(*value));
    }
    let Value::Int(value) = value else {
        return None;
    };
    Some(i128::from(*value))
}

fn float(value: &Value) -> Option<f64> {
    let Value::Float(value) = value else {
        return None;
    };
    Some(*value)
}

fn text(value: &Value) -> Option<String> {
    let Value::String(value) = value else {
        return None;
    };
    Some(value.clone())
}

fn truth(value: &Value) -> Option<bool> {
    let Value::Bool(value) = value else {
        return None;
    };
    Some(*value)
}

macro_rules! integers {
    ($array:ty, $values:expr) => {
        Arc::new(
            $values
                .iter()
                .map(|value| integer(value).map(|value| value.try_into().unwrap()))
                .collect::<$array>(),
        )
    };
}

fn array(ty: &Type, values: &[Value]) -> ArrayRef {
    match ty {
        Type::Nullable(inner) | Type::LowCardinality(inner) => array(inner, values),
        Type::UInt8 => integers!(UInt8Array, values),
        Type::UInt16 | Type::Date => integers!(UInt16Array, values),
        Type::UInt32 | Type::DateTime(_) => integers!(UInt32Array, values),
        Type::UInt64 => integers!(UInt64Array, values),
        Type::Int8 | Type::Enum8(_) => integers!(Int8Array, values),
        Type::Int16 => integers!(Int16Array, values),
        Type::Int32 | Type::Date32 => integers!(Int32Array, values),
        Type::Int64 | Type::DateTime64(..) | Type::Interval(_) => integers!(Int64Array, values),
        Type::Float32 => {
            #[expect(clippy::cast_possible_truncation, reason = "test values are exact")]
            let floats = values
                .iter()
                .map(|value| float(value).map(|value| value as f32));
            Arc::new(floats.collect::<Float32Array>())
        }
        Type::Float64 => Arc::new(values.iter().map(float).collect::<Float64Array>()),
        Type::Bool => Arc::new(values.iter().map(truth).collect::<BooleanArray>()),
        Type::String | Type::FixedString(_) => {
            Arc::new(values.iter().map(text).collect::<StringViewArray>())
        }
        Type::Uuid => Arc::new(
            FixedSizeBinaryArray::try_from_iter(
                values
                    .iter()
                    .map(|value| super::unhex(&text(value).unwrap().replace('-', ""))),
            )
            .unwrap(),
        ),
        Type::Decimal(precision, scale) => Arc::new(
            values
                .iter()
                .map(integer)
                .collect::<Decimal128Array>()
                .with_precision_and_scale(*precision, i8::try_from(*scale).unwrap())
                .unwrap(),
        ),
        Type::Array(item) => list(item, values),
        Type::Map(key, value) => map(key, value, values),
        Type::Tuple(fields) => tuple(fields, values),
        Type::Nothing => Arc::new(NullArray::new(values.len())),
    }
}

fn list(item: &Type, values: &[Value]) -> ArrayRef {
    let lists: Vec<&[Value]> = values
        .iter()
        .map(|value| {
            let Value::Array(items) = value else {
                panic!("not an array: {value:?}")
            };
            items.as_slice()
        })
        .collect();
    let items = array(item, &lists.concat());
    let field = Arc::new(Field::new("item", items.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths(lists.iter().map(|list| list.len()));
    Arc::new(ListArray::new(field, offsets, items, None))
}

fn map(key: &Type, value: &Type, values: &[Value]) -> ArrayRef {
    let maps: Vec<&[(Value, Value)]> = values
        .iter()
        .map(|value| {
            let Value::Map(entries) = value else {
                panic!("not a map: {value:?}")
            };
            entries.as_slice()
        })
        .collect();
    let (keys, items): (Vec<Value>, Vec<Value>) = maps.concat().into_iter().unzip();
    let (keys, items) = (array(key, &keys), array(value, &items));
    let fields = Fields::from(vec![
        Field::new("keys", keys.data_type().clone(), false),
        Field::new("values", items.data_type().clone(), true),
    ]);
    let entries = StructArray::new(fields.clone(), vec![keys, items], None);
    let field = Arc::new(Field::new("entries", DataType::Struct(fields), false));
    let offsets = OffsetBuffer::from_lengths(maps.iter().map(|map| map.len()));
    Arc::new(MapArray::new(field, offsets, entries, None, false))
}

fn tuple(fields: &[(Option<String>, Type)], values: &[Value]) -> ArrayRef {
    let parts: Vec<ArrayRef> = fields
        .iter()
        .enumerate()
        .map(|(at, (_, ty))| {
            let part: Vec<Value> = values
                .iter()
                .map(|value| {
                    let Value::Tuple(parts) = value else {
                        panic!("not a tuple: {value:?}")
                    };
                    parts[at].clone()
                })
                .collect();
            array(ty, &part)
        })
        .collect();
    let fields: Fields = parts
        .iter()
        .enumerate()
        .map(|(at, part)| Field::new((at + 1).to_string(), part.data_type().clone(), true))
        .collect();
    Arc::new(StructArray::new(fields, parts, None))
}

/// Type and value of a recorded case.
#[expect(clippy::too_many_lines, reason = "one line for each case")]
pub(super) fn value_of(case: &str) -> (&'static str, Value) {
    let string = |text: &str| Value::String(text.to_owned());
    let uints = |items: &[u64]| Value::Array(items.iter().copied().map(Value::UInt).collect());
    let pair = || Value::Tuple(vec![Value::UInt(1), string("a")]);
    match case {
        "UInt8" => ("UInt8", Value::UInt(255)),
        "UInt16" => ("UInt16", Value::UInt(65535)),
        "UInt32" => ("UInt32", Value::UInt(4_294_967_295)),
        "UInt64" => ("UInt64", Value::UInt(u64::MAX)),
        "Int8" => ("Int8", Value::Int(-128)),
        "Int16" => ("Int16", Value::Int(-2)),
        "Int32" => ("Int32", Value::Int(-2)),
        "Int64" => ("Int64", Value::Int(i64::MIN)),
        "Float32" => ("Float32", Value::Float(0.1)),
        "Float32 big" => ("Float32", Value::Float(1e30)),
        "Float64" => ("Float64", Value::Float(0.1)),
        "Float64 1" => ("Float64", Value::Float(1.0)),
        "Float64 1e21" => ("Float64", Value::Float(1e21)),
        "Float64 1e20" => ("Float64", Value::Float(1e20)),
        "Float64 1e-7" => ("Float64", Value::Float(1e-7)),
        "Float64 0.000001" => ("Float64", Value::Float(0.000_001)),
        "Float64 123456789.123" => ("Float64", Value::Float(123_456_789.123)),
        "Float64 1/3" => ("Float64", Value::Float(1.0 / 3.0)),
        "Float64 denorm" => ("Float64", Value::Float(5e-324)),
        "Float64 max" => ("Float64", Value::Float(f64::MAX)),
        "Float64 -0" => ("Float64", Value::Float(-0.0)),
        "nan" => ("Float64", Value::Float(f64::NAN)),
        // ClickHouse computes a positive one; the text of a negative one is tested with the
        // numbers.
        "-nan" => ("Float64", Value::Float(f64::NAN)),
        "inf" => ("Float64", Value::Float(f64::INFINITY)),
        "-inf" => ("Float64", Value::Float(f64::NEG_INFINITY)),
        "String" => ("String", string("a\tb\nc\\d'e\"f/g")),
        "String ctl" => ("String", string("\0\u{8}\u{c}\r\u{b}\u{1b}\u{1}\u{7f}")),
        "String utf8" => ("String", string("héllo ✓ 🎉")),
        "String empty" => ("String", string("")),
        "String <>&" => ("String", string("<a>&b;\\u2028")),
        "String comma" => ("String", string("a,b")),
        "FixedString(4)" => ("FixedString(4)", string("ab")),
        "Date" => ("Date", Value::UInt(19_782)),
        "Date32" => ("Date32", Value::Int(-16_436)),
        "DateTime" => ("DateTime('UTC')", Value::UInt(1_709_168_523)),
        "DateTime tz" => ("DateTime('America/New_York')", Value::UInt(1_709_168_523)),
        "DateTime notz" => ("DateTime", Value::UInt(1_709_168_523)),
        "DateTime64(3)" => ("DateTime64(3, 'UTC')", Value::Int(1_709_168_523_400)),
        "DateTime64(9)" => (
            "DateTime64(9, 'Asia/Kolkata')",
            Value::Int(1_709_148_723_123_456_789),
        ),
        "DateTime64(0)" => ("DateTime64(0)", Value::Int(1_709_168_523)),
        "DateTime64 neg" => ("DateTime64(3, 'UTC')", Value::Int(-315_619_199_500)),
        "Bool" => ("Bool", Value::Bool(true)),
        "UUID" => ("UUID", string("61f0c404-5cb3-11e7-907b-a6006ad3dba0")),
        "Enum8" => ("Enum8('b' = -2, 'a' = 1)", Value::Int(-2)),
        "LowCardinality(String)" => ("LowCardinality(String)", string("x")),
        "LC(Nullable(String)) NULL" => ("LowCardinality(Nullable(String))", Value::Null),
        "Nullable(UInt8) NULL" => ("Nullable(UInt8)", Value::Null),
        "Nullable(String) val" => ("Nullable(String)", string("NULL")),
        "Nothing NULL" => ("Nullable(Nothing)", Value::Null),
        "Array(UInt8)" => ("Array(UInt8)", uints(&[1, 2, 3])),
        "Array(String)" => {
            let items = ["a", "b'c", "d\te"].map(string);
            ("Array(String)", Value::Array(items.to_vec()))
        }
        "Array empty" => ("Array(String)", uints(&[])),
        "Array(Array)" => (
            "Array(Array(UInt64))",
            Value::Array(vec![uints(&[1]), uints(&[])]),
        ),
        "Array(Nullable)" => (
            "Array(Nullable(Int32))",
            Value::Array(vec![Value::Null, Value::Int(1)]),
        ),
        "Array(DateTime)" => ("Array(DateTime)", uints(&[1_709_168_523])),
        "Array(Bool)" => (
            "Array(Bool)",
            Value::Array(vec![Value::Bool(true), Value::Bool(false)]),
        ),
        "Array(Float64)" => {
            let items = [f64::NAN, f64::INFINITY, 1.5].map(Value::Float);
            ("Array(Float64)", Value::Array(items.to_vec()))
        }
        "Map(String,String)" => {
            let entries = [("k", "v"), ("k2", "a\"b")].map(|(k, v)| (string(k), string(v)));
            ("Map(String, String)", Value::Map(entries.to_vec()))
        }
        "Map(String,UInt64)" => (
            "Map(String, UInt64)",
            Value::Map(vec![(string("a"), Value::UInt(1))]),
        ),
        "Map(LC,Array)" => (
            "Map(LowCardinality(String), Array(UInt8))",
            Value::Map(vec![(string("a"), uints(&[1, 2]))]),
        ),
        "Map(UInt8,String)" => (
            "Map(UInt8, String)",
            Value::Map(vec![(Value::UInt(1), string("x"))]),
        ),
        "Map empty" => ("Map(String, String)", Value::Map(Vec::new())),
        "Tuple" => ("Tuple(UInt8, String)", pair()),
        "Tuple named" => ("Tuple(x UInt8, y String)", pair()),
        "Tuple(1)" => ("Tuple(UInt8)", Value::Tuple(vec![Value::UInt(5)])),
        "Nested arr" => (
            "Array(Tuple(k UInt8, v String))",
            Value::Array(vec![pair()]),
        ),
        "Decimal(9,2)" => ("Decimal(9, 2)", Value::Int(150)),
        "Decimal(18,4)" => ("Decimal(18, 4)", Value::Int(-123_456_789)),
        "Decimal(38,10)" => ("Decimal(38, 10)", Value::Int(10_000_000_000)),
        "IntervalSecond" => ("IntervalSecond", Value::Int(5)),
        other => panic!("unknown case {other}"),
    }
}
