//! A constant of the dialect: what a literal, a folded expression or a parameter holds.

use super::Type;

/// A constant. Its type is kept beside it; this is only the value.
#[derive(Debug, Clone)]
pub enum Value {
    /// NULL
    Null,
    /// `true` / `false` of type Bool.
    Bool(bool),
    /// Unsigned integers, also DateTime (seconds) and Date (days).
    UInt(u64),
    /// Signed integers, also DateTime64 ticks and intervals, and the units of a Decimal.
    Int(i64),
    /// Floating point.
    Float(f64),
    /// Text, also of a UUID.
    String(String),
    /// `[a, b]`
    Array(Vec<Self>),
    /// `(a, b)`
    Tuple(Vec<Self>),
    /// `{k: v}` in order.
    Map(Vec<(Self, Self)>),
}

/// Whether it is the same constant. NaN is the same as itself: the analyzer looks for expressions that it has seen
/// before, and would never find one with a NaN inside.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::UInt(a), Self::UInt(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Array(a), Self::Array(b)) | (Self::Tuple(a), Self::Tuple(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            (
                Self::Null
                | Self::Bool(_)
                | Self::UInt(_)
                | Self::Int(_)
                | Self::Float(_)
                | Self::String(_)
                | Self::Array(_)
                | Self::Tuple(_)
                | Self::Map(_),
                _,
            ) => false,
        }
    }
}

impl Eq for Value {}

impl Value {
    /// The type that the dialect gives to this value as a literal: the smallest that holds it.
    #[must_use]
    pub fn literal_type(&self) -> Type {
        match self {
            Self::Null => Type::Nullable(Box::new(Type::Nothing)),
            Self::Bool(_) => Type::Bool,
            Self::UInt(v) => unsigned_type(*v),
            Self::Int(v) => u64::try_from(*v).map_or_else(|_| signed_type(*v), unsigned_type),
            Self::Float(_) => Type::Float64,
            Self::String(_) => Type::String,
            Self::Array(items) => {
                let item = super::common_type(&literal_types(items)).unwrap_or(Type::Nothing);
                Type::Array(Box::new(item))
            }
            Self::Tuple(items) => {
                let types = literal_types(items);
                Type::Tuple(types.into_iter().map(|ty| (None, ty)).collect())
            }
            Self::Map(entries) => {
                let keys: Vec<_> = entries.iter().map(|(k, _)| k.literal_type()).collect();
                let values: Vec<_> = entries.iter().map(|(_, v)| v.literal_type()).collect();
                Type::Map(
                    Box::new(super::common_type(&keys).unwrap_or(Type::Nothing)),
                    Box::new(super::common_type(&values).unwrap_or(Type::Nothing)),
                )
            }
        }
    }

    /// Whether it is NULL.
    #[must_use]
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// The text of a string constant.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::String(text) = self {
            return Some(text);
        }
        None
    }

    /// An integer constant, Bool included.
    #[must_use]
    pub fn as_i128(&self) -> Option<i128> {
        match self {
            Self::Bool(v) => Some(i128::from(*v)),
            Self::UInt(v) => Some(i128::from(*v)),
            Self::Int(v) => Some(i128::from(*v)),
            Self::Null
            | Self::Float(_)
            | Self::String(_)
            | Self::Array(_)
            | Self::Tuple(_)
            | Self::Map(_) => None,
        }
    }
}

impl Type {
    /// The value that stands for "nothing" in a column of this type: 0, `''`, 1970, an empty array.
    #[must_use]
    pub fn default_value(&self) -> Value {
        match self {
            Self::UInt8
            | Self::UInt16
            | Self::UInt32
            | Self::UInt64
            | Self::Date
            | Self::DateTime(_) => Value::UInt(0),
            Self::Int8
            | Self::Int16
            | Self::Int32
            | Self::Int64
            | Self::Date32
            | Self::DateTime64(..)
            | Self::Interval(_)
            | Self::Decimal(..) => Value::Int(0),
            Self::Float32 | Self::Float64 => Value::Float(0.0),
            Self::Bool => Value::Bool(false),
            Self::String => Value::String(String::new()),
            Self::FixedString(bytes) => {
                Value::String("\0".repeat(usize::try_from(*bytes).unwrap_or(0)))
            }
            Self::Uuid => Value::String("00000000-0000-0000-0000-000000000000".to_owned()),
            Self::Enum8(items) => Value::Int(items.first().map_or(0, |(_, n)| i64::from(*n))),
            Self::Array(_) => Value::Array(Vec::new()),
            Self::Map(..) => Value::Map(Vec::new()),
            Self::Tuple(items) => {
                Value::Tuple(items.iter().map(|(_, ty)| ty.default_value()).collect())
            }
            Self::LowCardinality(inner) => inner.default_value(),
            Self::Nullable(_) | Self::Nothing => Value::Null,
        }
    }
}

fn literal_types(values: &[Value]) -> Vec<Type> {
    values.iter().map(Value::literal_type).collect()
}

fn unsigned_type(value: u64) -> Type {
    match value {
        0..=0xff => Type::UInt8,
        0x100..=0xffff => Type::UInt16,
        0x1_0000..=0xffff_ffff => Type::UInt32,
        _ => Type::UInt64,
    }
}

fn signed_type(value: i64) -> Type {
    if i8::try_from(value).is_ok() {
        Type::Int8
    } else if i16::try_from(value).is_ok() {
        Type::Int16
    } else if i32::try_from(value).is_ok() {
        Type::Int32
    } else {
        Type::Int64
    }
}

/// A numeric constant as the nearest float.
#[expect(
    clippy::cast_precision_loss,
    reason = "the nearest float is what the dialect means"
)]
pub(crate) fn as_f64(value: &Value) -> Option<f64> {
    if let Value::Float(v) = value {
        return Some(*v);
    }
    value.as_i128().map(|v| v as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &Value, ty: &str) {
        assert_eq!(value.literal_type().to_string(), ty);
    }

    #[test]
    fn literals_take_the_smallest_type() {
        check(&Value::UInt(1), "UInt8");
        check(&Value::UInt(300), "UInt16");
        check(&Value::UInt(2_147_483_648), "UInt32");
        check(&Value::UInt(1 << 40), "UInt64");
        check(&Value::Int(-1), "Int8");
        check(&Value::Int(-129), "Int16");
        check(
            &Value::Array(vec![Value::UInt(1), Value::Int(-1)]),
            "Array(Int16)",
        );
        check(
            &Value::Array(vec![Value::UInt(1), Value::Null]),
            "Array(Nullable(UInt8))",
        );
        check(&Value::Array(vec![]), "Array(Nothing)");
        check(
            &Value::Tuple(vec![Value::UInt(1), Value::String("a".to_owned())]),
            "Tuple(UInt8, String)",
        );
        check(&Value::Null, "Nullable(Nothing)");
    }
}
