//! A column: its name, what it holds, and the Arrow types it has on the way in and on the way out.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};

/// One stored column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// SQL name.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnKind,
    /// One sentence for people; it becomes the table's documentation.
    pub doc: &'static str,
}

/// What a column holds. Decides encoding, statistics and types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// Nanoseconds since 1970, UTC.
    Timestamp,
    /// Whole seconds since 1970, UTC, before 2106; kept as nanoseconds.
    Seconds,
    /// 16 bytes, absent = NULL; read as 32 lower-case hex digits or `''`.
    TraceId,
    /// 8 bytes, absent = NULL; read as 16 lower-case hex digits or `''`.
    SpanId,
    /// Text with few distinct values (service, severity, span name).
    Label,
    /// Free text.
    Text,
    /// Small number.
    UInt8,
    /// Large number, such as a duration in nanoseconds.
    UInt64,
    /// Number that no condition is pushed down on.
    Number(NumberType),
    /// Key-value pairs shared by many rows (resource, scope).
    SharedAttributes,
    /// Key-value pairs of the row itself.
    Attributes,
    /// List of timestamps (span events).
    TimestampList,
    /// List of times in whole seconds; kept as nanoseconds.
    SecondsList,
    /// List of numbers.
    NumberList(NumberType),
    /// List of low-cardinality texts.
    LabelList,
    /// List of texts.
    TextList,
    /// List of key-value sets.
    AttributesList,
}

/// Type of a number that is only stored and returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumberType {
    /// Truth.
    Bool,
    /// Signed, 32 bits.
    Int32,
    /// Unsigned, 32 bits.
    UInt32,
    /// Unsigned, 64 bits.
    UInt64,
    /// Floating point, 64 bits.
    Float64,
}

impl NumberType {
    /// Its Arrow type.
    #[must_use]
    pub fn arrow(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int32 => DataType::Int32,
            Self::UInt32 => DataType::UInt32,
            Self::UInt64 => DataType::UInt64,
            Self::Float64 => DataType::Float64,
        }
    }
}

impl Column {
    /// Field of the batches that ingest hands over and memtables keep.
    #[must_use]
    pub fn write_field(&self) -> Field {
        Field::new(self.name, self.kind.write_type(), self.kind.is_id())
    }

    /// Field of the batches that a scan returns. Never NULL: an absent id is `''`.
    #[must_use]
    pub fn read_field(&self) -> Field {
        Field::new(self.name, self.kind.read_type(), false)
    }
}

impl ColumnKind {
    /// Whether the column is an id, the only kind that may be NULL inside the engine.
    #[must_use]
    pub fn is_id(self) -> bool {
        matches!(self, Self::TraceId | Self::SpanId)
    }

    /// Whether `Column['key']` makes sense.
    #[must_use]
    pub fn is_map(self) -> bool {
        matches!(self, Self::SharedAttributes | Self::Attributes)
    }

    /// Arrow type on the way in.
    #[must_use]
    pub fn write_type(self) -> DataType {
        match self {
            Self::TraceId => DataType::FixedSizeBinary(16),
            Self::SpanId => DataType::FixedSizeBinary(8),
            Self::Label => dictionary_of(DataType::Utf8),
            Self::Text => DataType::Utf8,
            Self::SharedAttributes => dictionary_of(attributes_type()),
            Self::Attributes => attributes_type(),
            Self::LabelList | Self::TextList => list_of(DataType::Utf8),
            Self::Timestamp
            | Self::Seconds
            | Self::UInt8
            | Self::UInt64
            | Self::Number(_)
            | Self::TimestampList
            | Self::SecondsList
            | Self::NumberList(_)
            | Self::AttributesList => self.read_type(),
        }
    }

    /// Arrow type that scans return.
    #[must_use]
    pub fn read_type(self) -> DataType {
        match self {
            Self::Timestamp | Self::Seconds => timestamp_type(),
            Self::TraceId | Self::SpanId | Self::Label | Self::Text => DataType::Utf8View,
            Self::UInt8 => DataType::UInt8,
            Self::UInt64 => DataType::UInt64,
            Self::Number(number) => number.arrow(),
            Self::SharedAttributes | Self::Attributes => attributes_type(),
            Self::TimestampList | Self::SecondsList => list_of(timestamp_type()),
            Self::NumberList(number) => list_of(number.arrow()),
            Self::LabelList | Self::TextList => list_of(DataType::Utf8),
            Self::AttributesList => list_of(attributes_type()),
        }
    }
}

fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some(Arc::from("UTC")))
}

fn dictionary_of(values: DataType) -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(values))
}

fn list_of(item: DataType) -> DataType {
    // `element` is the name the Parquet specification gives to the items of a list.
    DataType::List(Arc::new(Field::new("element", item, false)))
}

/// `Map<Utf8, Utf8>` with the field names of the Parquet specification; neither keys nor values are NULL.
#[must_use]
pub fn attributes_type() -> DataType {
    let entry = Fields::from(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", DataType::Utf8, false),
    ]);
    DataType::Map(
        Arc::new(Field::new("key_value", DataType::Struct(entry), false)),
        false,
    )
}

/// Appends the lower-case hex digits of `bytes` to `text`.
pub fn hex_text(bytes: &[u8], text: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        for nibble in [byte >> 4, byte & 0xf] {
            text.push(char::from(
                DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'?'),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_lower_case_and_padded() {
        let mut text = String::new();
        hex_text(&[0x00, 0xab, 0x0f], &mut text);
        assert_eq!(text, "00ab0f");
    }
}
