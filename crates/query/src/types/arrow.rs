//! The physical Arrow type of each type, and the names of fields inside.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields};

use super::Type;

impl Type {
    /// The physical Arrow type; see the table at [`Type`]. Items of lists, fields of tuples and values of maps are
    /// declared nullable whatever the type says, so that arrays of one SQL type always have one Arrow type.
    #[must_use]
    pub fn arrow(&self) -> DataType {
        match self {
            Self::UInt8 => DataType::UInt8,
            Self::UInt16 | Self::Date => DataType::UInt16,
            Self::UInt32 | Self::DateTime(_) => DataType::UInt32,
            Self::UInt64 => DataType::UInt64,
            Self::Int8 | Self::Enum8(_) => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 | Self::Date32 => DataType::Int32,
            Self::Int64 | Self::DateTime64(..) | Self::Interval(_) => DataType::Int64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Bool => DataType::Boolean,
            Self::String | Self::FixedString(_) => DataType::Utf8View,
            Self::Uuid => DataType::FixedSizeBinary(16),
            Self::Decimal(precision, scale) => {
                DataType::Decimal128(*precision, i8::try_from(*scale).unwrap_or(0))
            }
            Self::Array(item) => DataType::List(item_field(item)),
            Self::Tuple(items) => DataType::Struct(tuple_fields(items)),
            Self::Map(key, value) => DataType::Map(entries_field(key, value), false),
            Self::Nullable(inner) | Self::LowCardinality(inner) => inner.arrow(),
            Self::Nothing => DataType::Null,
        }
    }

    /// A nullable field of the physical type.
    #[must_use]
    pub fn field(&self, name: &str) -> Field {
        Field::new(name, self.arrow(), true)
    }
}

/// The field of a list's items.
pub(crate) fn item_field(item: &Type) -> FieldRef {
    Arc::new(Field::new("item", item.arrow(), true))
}

/// The fields of a tuple. Unnamed ones are called by their position.
pub(crate) fn tuple_fields(items: &[(Option<String>, Type)]) -> Fields {
    items
        .iter()
        .enumerate()
        .map(|(i, (name, ty))| {
            let name = name.clone().unwrap_or_else(|| (i + 1).to_string());
            Field::new(name, ty.arrow(), true)
        })
        .collect()
}

/// The field of a map's entries.
pub(crate) fn entries_field(key: &Type, value: &Type) -> FieldRef {
    let entry = DataType::Struct(entry_fields(key, value));
    Arc::new(Field::new("entries", entry, false))
}

/// Key and value of a map's entry.
pub(crate) fn entry_fields(key: &Type, value: &Type) -> Fields {
    Fields::from(vec![
        Field::new("keys", key.arrow(), false),
        Field::new("values", value.arrow(), true),
    ])
}
