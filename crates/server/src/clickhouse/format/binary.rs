//! Values as bytes: the form that RowBinary and Native share. Little endian, lengths as variable
//! integers.

use cairn_query::Type;

use super::column::{Column, Values, item_range};
use super::value::padded;

/// A length: seven bits a byte, lowest first.
pub(super) fn push_varuint(mut value: u64, out: &mut Vec<u8>) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            out.push(low & 0x7F);
            return;
        }
        out.push(low | 0x80);
    }
}

/// A length in memory.
pub(super) fn push_length(length: usize, out: &mut Vec<u8>) {
    push_varuint(u64::try_from(length).unwrap_or(u64::MAX), out);
}

/// Bytes with their length.
pub(super) fn push_sized(bytes: &[u8], out: &mut Vec<u8>) {
    push_length(bytes.len(), out);
    out.extend_from_slice(bytes);
}

/// Writes the value of a row, as RowBinary does: NULLs are marked, everything is in place.
pub(super) fn push_row_value(ty: &Type, column: &Column<'_>, row: usize, out: &mut Vec<u8>) {
    match (ty, &column.values) {
        (Type::LowCardinality(inner), _) => push_row_value(inner, column, row, out),
        (Type::Nullable(inner), _) => {
            let null = column.is_null(row);
            out.push(u8::from(null));
            if !null {
                push_row_value(inner, column, row, out);
            }
        }
        (Type::Array(item), Values::Array(offsets, items)) => {
            let range = item_range(offsets, row);
            push_length(range.len(), out);
            for at in range {
                push_row_value(item, items, at, out);
            }
        }
        (Type::Map(key, value), Values::Map(offsets, entries)) => {
            let range = item_range(offsets, row);
            push_length(range.len(), out);
            for at in range {
                push_row_value(key, &entries.0, at, out);
                push_row_value(value, &entries.1, at, out);
            }
        }
        (Type::Tuple(types), Values::Tuple(fields)) => {
            for ((_, ty), (_, field)) in types.iter().zip(fields) {
                push_row_value(ty, field, row, out);
            }
        }
        _ => push_scalar(column, row, out),
    }
}

/// Writes a value that holds no others. Under a NULL stands whatever the array holds there.
pub(super) fn push_scalar(column: &Column<'_>, row: usize, out: &mut Vec<u8>) {
    match &column.values {
        Values::UInt8(values) => out.push(values[row]),
        Values::UInt16(values) | Values::Date(values) => {
            out.extend_from_slice(&values[row].to_le_bytes());
        }
        Values::UInt32(values) | Values::DateTime(values, ..) => {
            out.extend_from_slice(&values[row].to_le_bytes());
        }
        Values::UInt64(values) => out.extend_from_slice(&values[row].to_le_bytes()),
        Values::Int8(values) | Values::Enum8(values, _) => {
            out.extend_from_slice(&values[row].to_le_bytes());
        }
        Values::Int16(values) => out.extend_from_slice(&values[row].to_le_bytes()),
        Values::Int32(values) | Values::Date32(values) => {
            out.extend_from_slice(&values[row].to_le_bytes());
        }
        Values::Int64(values) | Values::Interval(values) | Values::DateTime64(values, ..) => {
            out.extend_from_slice(&values[row].to_le_bytes());
        }
        Values::Float32(values) => out.extend_from_slice(&values[row].to_le_bytes()),
        Values::Float64(values) => out.extend_from_slice(&values[row].to_le_bytes()),
        Values::Bool(values) => out.push(u8::from(values.value(row))),
        Values::String(values) => push_sized(values.value(row).as_bytes(), out),
        Values::FixedString(values, length) => {
            let bytes = padded(values.value(row), *length);
            out.extend_from_slice(&bytes[..*length]);
        }
        Values::Uuid(ids) => push_uuid(ids.value(row), out),
        Values::Decimal(values, precision, ..) => {
            let width = decimal_width(*precision);
            out.extend_from_slice(&values[row].to_le_bytes()[..width]);
        }
        Values::Array(..) | Values::Map(..) | Values::Tuple(_) | Values::Nothing => {}
    }
}

/// Bytes of a decimal: they follow from its precision, and its values fit them.
pub(super) fn decimal_width(precision: u8) -> usize {
    match precision {
        0..=9 => 4,
        10..=18 => 8,
        _ => 16,
    }
}

/// Two 64-bit numbers, the high half first, each little endian.
fn push_uuid(bytes: &[u8], out: &mut Vec<u8>) {
    let (high, low) = bytes.split_at(bytes.len() / 2);
    out.extend(high.iter().rev());
    out.extend(low.iter().rev());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_seven_bits_a_byte() {
        for (value, expected) in [
            (0, vec![0]),
            (127, vec![0x7F]),
            (128, vec![0x80, 1]),
            (300, vec![0xAC, 2]),
            (
                u64::MAX,
                vec![255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
            ),
        ] {
            let mut out = Vec::new();
            push_varuint(value, &mut out);
            assert_eq!(out, expected);
        }
    }
}
