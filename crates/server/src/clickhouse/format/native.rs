//! Native: blocks of columns, laid out as the client's protocol version asks for.

use std::collections::HashMap;
use std::ops::Range;

use arrow::record_batch::RecordBatch;
use cairn_query::Type;

use super::binary::{decimal_width, push_length, push_scalar, push_sized};
use super::column::{Column, Values, item_range};
use super::{FormatError, FormatWriter, Schema, Totals};

/// Zones of `DateTime` are announced from this version on.
const VERSION_ZONES: u64 = 54_337;
/// `LowCardinality` is sent as such from this version on (and without any version).
const VERSION_LOW_CARDINALITY: u64 = 54_405;
/// A byte after each type says that the column has no custom serialisation.
const VERSION_SERIALIZATION: u64 = 54_454;
/// `is_overflows` = 0 and `bucket_num` = -1, by field number.
const BLOCK_INFO: [u8; 8] = [1, 0, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0];

/// Native.
pub(super) struct Native {
    schema: Schema,
    version: u64,
    /// Types as this version sends them.
    types: Vec<Type>,
    begun: bool,
}

impl Native {
    pub(super) fn new(schema: Schema) -> Self {
        let version = schema.settings.protocol_version;
        let types = schema
            .columns
            .iter()
            .map(|column| sent(&column.ty, version))
            .collect();
        Self {
            schema,
            version,
            types,
            begun: false,
        }
    }

    fn push_block(&self, columns: &[Column<'_>], rows: usize, out: &mut Vec<u8>) {
        if self.version > 0 {
            out.extend_from_slice(&BLOCK_INFO);
        }
        push_length(self.types.len(), out);
        push_length(rows, out);
        for (at, (ty, described)) in self.types.iter().zip(&self.schema.columns).enumerate() {
            push_sized(described.name.as_bytes(), out);
            push_sized(announced(ty, self.version).to_string().as_bytes(), out);
            if self.version >= VERSION_SERIALIZATION {
                out.push(0);
            }
            if let (Some(column), true) = (columns.get(at), rows > 0) {
                push_prefixes(ty, out);
                push_column(ty, column, 0..rows, out);
            }
        }
    }
}

impl FormatWriter for Native {
    fn head(&mut self, _out: &mut Vec<u8>) {}

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), FormatError> {
        if batch.num_rows() > 0 {
            let columns = self.schema.bind(batch)?;
            self.push_block(&columns, batch.num_rows(), out);
            self.begun = true;
        }
        Ok(())
    }

    fn tail(&mut self, _totals: &Totals, out: &mut Vec<u8>) {
        // Clients that name a version learn the columns of an empty result; old ones expect
        // nothing.
        if !self.begun && self.version > 0 {
            self.push_block(&[], 0, out);
        }
    }
}

/// The type whose data a version is sent: without `LowCardinality` where the client does not know
/// it.
fn sent(ty: &Type, version: u64) -> Type {
    let keeps = version == 0 || version >= VERSION_LOW_CARDINALITY;
    rewrite(ty, &|ty| {
        let Type::LowCardinality(inner) = ty else {
            return None;
        };
        (!keeps).then(|| sent(inner, version))
    })
}

/// The type as a version is told its name.
fn announced(ty: &Type, version: u64) -> Type {
    rewrite(ty, &|ty| {
        let hides = matches!(ty, Type::DateTime(Some(_))) && version < VERSION_ZONES;
        hides.then_some(Type::DateTime(None))
    })
}

/// Replaces types inside a type.
fn rewrite(ty: &Type, replace: &dyn Fn(&Type) -> Option<Type>) -> Type {
    if let Some(replaced) = replace(ty) {
        return replaced;
    }
    let inside = |ty: &Type| Box::new(rewrite(ty, replace));
    match ty {
        Type::Nullable(inner) => Type::Nullable(inside(inner)),
        Type::LowCardinality(inner) => Type::LowCardinality(inside(inner)),
        Type::Array(item) => Type::Array(inside(item)),
        Type::Map(key, value) => Type::Map(inside(key), inside(value)),
        Type::Tuple(fields) => Type::Tuple(
            fields
                .iter()
                .map(|(name, ty)| (name.clone(), rewrite(ty, replace)))
                .collect(),
        ),
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
        | Type::String
        | Type::FixedString(_)
        | Type::Date
        | Type::Date32
        | Type::DateTime(_)
        | Type::DateTime64(..)
        | Type::Uuid
        | Type::Enum8(_)
        | Type::Interval(_)
        | Type::Decimal(..)
        | Type::Nothing => ty.clone(),
    }
}

/// What stands once before the data of a column: the key version of every dictionary inside.
fn push_prefixes(ty: &Type, out: &mut Vec<u8>) {
    match ty {
        Type::LowCardinality(_) => out.extend_from_slice(&1_u64.to_le_bytes()),
        Type::Nullable(inner) | Type::Array(inner) => push_prefixes(inner, out),
        Type::Map(key, value) => {
            push_prefixes(key, out);
            push_prefixes(value, out);
        }
        Type::Tuple(fields) => fields.iter().for_each(|(_, ty)| push_prefixes(ty, out)),
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
        | Type::String
        | Type::FixedString(_)
        | Type::Date
        | Type::Date32
        | Type::DateTime(_)
        | Type::DateTime64(..)
        | Type::Uuid
        | Type::Enum8(_)
        | Type::Interval(_)
        | Type::Decimal(..)
        | Type::Nothing => {}
    }
}

/// The data of some rows of a column.
fn push_column(ty: &Type, column: &Column<'_>, rows: Range<usize>, out: &mut Vec<u8>) {
    match (ty, &column.values) {
        (Type::Nullable(inner), _) => {
            out.extend(rows.clone().map(|row| u8::from(column.is_null(row))));
            push_column(inner, column, rows, out);
        }
        (Type::LowCardinality(inner), _) => push_dictionary(inner, column, rows, out),
        (Type::Array(item), Values::Array(offsets, items)) => {
            let inside = push_offsets(offsets, rows, out);
            push_column(item, items, inside, out);
        }
        (Type::Map(key, value), Values::Map(offsets, entries)) => {
            let inside = push_offsets(offsets, rows, out);
            push_column(key, &entries.0, inside.clone(), out);
            push_column(value, &entries.1, inside, out);
        }
        (Type::Tuple(types), Values::Tuple(fields)) => {
            for ((_, ty), (_, field)) in types.iter().zip(fields) {
                push_column(ty, field, rows.clone(), out);
            }
        }
        // ClickHouse fills columns that have no values with this byte.
        (_, Values::Nothing) | (Type::Nothing, _) => {
            out.extend(std::iter::repeat_n(b'0', rows.len()));
        }
        _ => push_scalars(column, rows, out),
    }
}

/// Values that hold no others, with the default in place of NULL: what an array holds under a NULL
/// is no value.
fn push_scalars(column: &Column<'_>, rows: Range<usize>, out: &mut Vec<u8>) {
    let default = default_key(column);
    for row in rows {
        if column.is_null(row) {
            out.extend_from_slice(&default);
        } else {
            push_scalar(column, row, out);
        }
    }
}

/// The cumulative ends of lists; answers which items they hold.
fn push_offsets(offsets: &[i32], rows: Range<usize>, out: &mut Vec<u8>) -> Range<usize> {
    let first = item_range(offsets, rows.start).start;
    let mut end = first;
    for row in rows {
        end = item_range(offsets, row).end;
        let cumulative = u64::try_from(end - first).unwrap_or(u64::MAX);
        out.extend_from_slice(&cumulative.to_le_bytes());
    }
    first..end
}

/// Keys and indexes. Key 0 is the default value; of a nullable dictionary it stands for NULL, and
/// key 1 is the default.
fn push_dictionary(inner: &Type, column: &Column<'_>, rows: Range<usize>, out: &mut Vec<u8>) {
    const ADDITIONAL_KEYS: u64 = 0x200;
    const UPDATE_DICTIONARY: u64 = 0x400;
    if rows.is_empty() {
        return;
    }
    let nullable = matches!(inner, Type::Nullable(_));
    let default = default_key(column);
    let mut keys = default.clone();
    if nullable {
        keys.extend_from_slice(&default);
    }
    let mut known: HashMap<Vec<u8>, u32> = HashMap::from([(default, u32::from(nullable))]);
    let mut next = u32::from(nullable) + 1;
    let mut indexes = Vec::with_capacity(rows.len());
    let mut key = Vec::new();
    for row in rows {
        if nullable && column.is_null(row) {
            indexes.push(0);
            continue;
        }
        key.clear();
        push_scalar(column, row, &mut key);
        let index = match known.get(&key) {
            Some(index) => *index,
            None => {
                keys.extend_from_slice(&key);
                known.insert(key.clone(), next);
                next += 1;
                next - 1
            }
        };
        indexes.push(index);
    }
    let (width, bytes) = match next {
        0..=0x100 => (0_u64, 1),
        0x101..=0x1_0000 => (1, 2),
        _ => (2, 4),
    };
    out.extend_from_slice(&(width | ADDITIONAL_KEYS | UPDATE_DICTIONARY).to_le_bytes());
    out.extend_from_slice(&u64::from(next).to_le_bytes());
    out.extend_from_slice(&keys);
    out.extend_from_slice(
        &u64::try_from(indexes.len())
            .unwrap_or(u64::MAX)
            .to_le_bytes(),
    );
    for index in indexes {
        out.extend_from_slice(&index.to_le_bytes()[..bytes]);
    }
}

/// The bytes of the type's default value: empty text or zero.
fn default_key(column: &Column<'_>) -> Vec<u8> {
    let width = match &column.values {
        Values::UInt8(_) | Values::Int8(_) | Values::Bool(_) | Values::Enum8(..) => 1,
        Values::UInt16(_) | Values::Int16(_) | Values::Date(_) => 2,
        Values::UInt32(_)
        | Values::Int32(_)
        | Values::Float32(_)
        | Values::Date32(_)
        | Values::DateTime(..) => 4,
        Values::UInt64(_)
        | Values::Int64(_)
        | Values::Float64(_)
        | Values::Interval(_)
        | Values::DateTime64(..) => 8,
        Values::Uuid(_) => 16,
        Values::Decimal(_, precision, ..) => decimal_width(*precision),
        Values::FixedString(_, length) => *length,
        // The length of an empty string.
        Values::String(_) => 1,
        Values::Array(..) | Values::Map(..) | Values::Tuple(_) | Values::Nothing => 0,
    };
    vec![0; width]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_are_told_simpler_types() {
        let ty: Type = "Map(LowCardinality(String), Array(DateTime('UTC')))"
            .parse()
            .unwrap();
        for (version, expected_sent, expected_announced) in [
            (
                0,
                "Map(LowCardinality(String), Array(DateTime('UTC')))",
                "Map(LowCardinality(String), Array(DateTime))",
            ),
            (
                1,
                "Map(String, Array(DateTime('UTC')))",
                "Map(String, Array(DateTime))",
            ),
            (
                54_337,
                "Map(String, Array(DateTime('UTC')))",
                "Map(String, Array(DateTime('UTC')))",
            ),
            (
                54_460,
                "Map(LowCardinality(String), Array(DateTime('UTC')))",
                "Map(LowCardinality(String), Array(DateTime('UTC')))",
            ),
        ] {
            let sent = sent(&ty, version);
            assert_eq!(sent.to_string(), expected_sent, "{version}");
            assert_eq!(
                announced(&sent, version).to_string(),
                expected_announced,
                "{version}"
            );
        }
    }
}
