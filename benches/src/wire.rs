//! Writes protobuf fields. Only what OTLP needs; sizes are computed, nothing is written twice but
//! the bodies of nested messages.

/// An attribute's value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    Text(&'a [u8]),
    Int(u64),
    Double(f64),
}

const LENGTH_DELIMITED: u32 = 2;
const FIXED64: u32 = 1;
const FIXED32: u32 = 5;

pub(crate) fn put_varint(out: &mut Vec<u8>, value: u64) {
    let mut rest = value;
    while rest >= 0x80 {
        out.push(low_byte(rest) | 0x80);
        rest >>= 7;
    }
    out.push(low_byte(rest));
}

fn low_byte(value: u64) -> u8 {
    value.to_le_bytes()[0]
}

fn varint_length(value: u64) -> u64 {
    // 7 bits a byte: 1 for 0..=127, 2 up to 16 383, and so on.
    u64::from((70 - (value | 1).leading_zeros()) / 7)
}

pub(crate) fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn put_tag(out: &mut Vec<u8>, field: u32, kind: u32) {
    put_varint(out, u64::from(field << 3 | kind));
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    put_header(out, field, length_of(bytes));
    out.extend_from_slice(bytes);
}

/// Begin of a nested message of `length` bytes, which the caller appends.
pub(crate) fn put_header(out: &mut Vec<u8>, field: u32, length: u64) {
    put_tag(out, field, LENGTH_DELIMITED);
    put_varint(out, length);
}

/// What [`put_header`] writes, for fields below 16.
pub(crate) fn header_length(length: u64) -> u64 {
    1 + varint_length(length)
}

pub(crate) fn put_number(out: &mut Vec<u8>, field: u32, value: u64) {
    put_tag(out, field, 0);
    put_varint(out, value);
}

pub(crate) fn put_fixed64(out: &mut Vec<u8>, field: u32, value: u64) {
    put_tag(out, field, FIXED64);
    out.extend_from_slice(&value.to_le_bytes());
}

pub(crate) fn put_fixed32(out: &mut Vec<u8>, field: u32, value: u32) {
    put_tag(out, field, FIXED32);
    out.extend_from_slice(&value.to_le_bytes());
}

/// An `AnyValue` as field `field`.
pub(crate) fn put_value(out: &mut Vec<u8>, field: u32, value: Value<'_>) {
    put_header(out, field, value_length(value));
    match value {
        Value::Text(text) => put_bytes(out, 1, text),
        Value::Int(number) => put_number(out, 3, number),
        Value::Double(number) => put_fixed64(out, 4, number.to_bits()),
    }
}

/// A `KeyValue` as field `field`.
pub(crate) fn put_attribute(out: &mut Vec<u8>, field: u32, key: &str, value: Value<'_>) {
    let key_length = length_of(key.as_bytes());
    let inner = value_length(value);
    let whole = header_length(key_length) + key_length + header_length(inner) + inner;
    put_header(out, field, whole);
    put_bytes(out, 1, key.as_bytes());
    put_value(out, 2, value);
}

fn value_length(value: Value<'_>) -> u64 {
    match value {
        Value::Text(text) => header_length(length_of(text)) + length_of(text),
        Value::Int(number) => 1 + varint_length(number),
        Value::Double(_) => 9,
    }
}

/// The decimal digits of `value`.
pub(crate) fn put_decimal(out: &mut Vec<u8>, value: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = value;
    loop {
        at -= 1;
        digits[at] = b'0' + low_byte(rest % 10);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// The last `count` hex digits of `value`.
pub(crate) fn put_hex(out: &mut Vec<u8>, value: u64, count: u32) {
    for place in (0..count).rev() {
        let nibble = low_byte(value >> (place * 4)) & 0xf;
        out.push(if nibble < 10 {
            b'0' + nibble
        } else {
            b'a' + nibble - 10
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computed_lengths_are_the_written_lengths() {
        for number in [
            0,
            1,
            127,
            128,
            16_383,
            16_384,
            u64::from(u32::MAX),
            u64::MAX,
        ] {
            let mut out = Vec::new();
            put_varint(&mut out, number);
            assert_eq!(varint_length(number), length_of(&out), "{number}");
        }
    }

    #[test]
    fn digits_are_those_of_the_number() {
        let mut out = Vec::new();
        put_decimal(&mut out, 0);
        put_decimal(&mut out, 90_817);
        put_hex(&mut out, 0xab_cdef, 4);
        assert_eq!(out, b"090817cdef");
    }
}
