//! An OTLP value as the text that is stored.
//!
//! Scalars are written plainly, lists and maps as compact JSON. Recursion is bounded: what is
//! nested deeper than [`MAX_VALUE_DEPTH`] is not looked at, so hostile nesting costs one pass over
//! its bytes and no stack.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::Result;
use crate::limits::{MAX_NESTED_PAIRS_COUNT, MAX_VALUE_DEPTH};
use crate::notes::Notes;
use crate::otlp::Fields;

/// `AnyValue`: the last field on the wire counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum AnyValue<'a> {
    /// No field is set.
    Empty,
    /// string
    Text(&'a [u8]),
    /// bool
    Bool(bool),
    /// int64
    Int(i64),
    /// double
    Double(f64),
    /// `ArrayValue`, not yet read
    List(&'a [u8]),
    /// `KeyValueList`, not yet read
    Map(&'a [u8]),
    /// bytes
    Bytes(&'a [u8]),
}

impl<'a> AnyValue<'a> {
    /// Reads the message `bytes`.
    #[inline]
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut fields = Fields::new(bytes, "AnyValue");
        let mut value = Self::Empty;
        while let Some(field) = fields.next()? {
            value = match field.number {
                1 => Self::Text(field.bytes()?),
                2 => Self::Bool(field.varint()? != 0),
                3 => Self::Int(field.varint()?.cast_signed()),
                4 => Self::Double(f64::from_bits(field.fixed64()?)),
                5 => Self::List(field.bytes()?),
                6 => Self::Map(field.bytes()?),
                7 => Self::Bytes(field.bytes()?),
                _ => value,
            };
        }
        Ok(value)
    }
}

/// A key and its encoded value.
type EncodedPair<'a> = (&'a [u8], &'a [u8]);

/// Key and value of a `KeyValue`, the value not yet read.
#[inline]
pub(super) fn key_value(bytes: &[u8]) -> Result<EncodedPair<'_>> {
    let mut fields = Fields::new(bytes, "KeyValue");
    let (mut key, mut value) = (&[][..], &[][..]);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => key = field.bytes()?,
            2 => value = field.bytes()?,
            _ => {}
        }
    }
    Ok((key, value))
}

/// Appends `value` as the text of an attribute or a body.
#[inline]
pub(crate) fn append_text(out: &mut Vec<u8>, value: AnyValue<'_>, notes: &mut Notes) -> Result<()> {
    match value {
        AnyValue::Empty => {}
        AnyValue::Text(text) => out.extend_from_slice(text),
        AnyValue::Bool(truth) => append_bool(out, truth),
        AnyValue::Int(number) => append_int(out, number),
        AnyValue::Double(number) => append_double(out, number),
        AnyValue::Bytes(bytes) => append_base64(out, bytes),
        AnyValue::List(_) | AnyValue::Map(_) => append_json(out, value, 0, notes)?,
    }
    Ok(())
}

/// Appends `value` as JSON; it stands inside `depth` lists or maps.
fn append_json(
    out: &mut Vec<u8>,
    value: AnyValue<'_>,
    depth: u32,
    notes: &mut Notes,
) -> Result<()> {
    match value {
        AnyValue::Empty => out.extend_from_slice(b"null"),
        AnyValue::Text(text) => append_json_string(out, text),
        AnyValue::Bool(truth) => append_bool(out, truth),
        AnyValue::Int(number) => append_int(out, number),
        AnyValue::Double(number) if number.is_finite() => append_double(out, number),
        // JSON has no such numbers: the same words as outside JSON, as strings.
        AnyValue::Double(number) => {
            out.push(b'"');
            append_double(out, number);
            out.push(b'"');
        }
        AnyValue::Bytes(bytes) => {
            out.push(b'"');
            append_base64(out, bytes);
            out.push(b'"');
        }
        AnyValue::List(_) | AnyValue::Map(_) if depth >= MAX_VALUE_DEPTH => {
            notes.cut_values += 1;
            out.extend_from_slice(b"null");
        }
        AnyValue::List(bytes) => append_json_list(out, bytes, depth + 1, notes)?,
        AnyValue::Map(bytes) => append_json_map(out, bytes, depth + 1, notes)?,
    }
    Ok(())
}

fn append_json_list(out: &mut Vec<u8>, bytes: &[u8], depth: u32, notes: &mut Notes) -> Result<()> {
    out.push(b'[');
    let mut fields = Fields::new(bytes, "ArrayValue");
    let mut first = true;
    while let Some(field) = fields.next()? {
        if field.number != 1 {
            continue;
        }
        if !first {
            out.push(b',');
        }
        first = false;
        append_json(out, AnyValue::read(field.bytes()?)?, depth, notes)?;
    }
    out.push(b']');
    Ok(())
}

fn append_json_map(out: &mut Vec<u8>, bytes: &[u8], depth: u32, notes: &mut Notes) -> Result<()> {
    let Some(pairs) = sorted_pairs(bytes)? else {
        notes.cut_values += 1;
        out.extend_from_slice(b"null");
        return Ok(());
    };
    out.push(b'{');
    let mut first = true;
    let mut pairs = pairs.into_iter().peekable();
    while let Some((key, value)) = pairs.next() {
        if pairs.peek().is_some_and(|(next, _)| *next == key) {
            notes.duplicate_keys += 1;
            continue;
        }
        if !first {
            out.push(b',');
        }
        first = false;
        append_json_string(out, key);
        out.push(b':');
        append_json(out, AnyValue::read(value)?, depth, notes)?;
    }
    out.push(b'}');
    Ok(())
}

/// The pairs of a `KeyValueList`, equal keys in the order they came; `None` when there are too many
/// to sort.
fn sorted_pairs(bytes: &[u8]) -> Result<Option<Vec<EncodedPair<'_>>>> {
    let mut pairs = Vec::new();
    let mut fields = Fields::new(bytes, "KeyValueList");
    while let Some(field) = fields.next()? {
        if field.number != 1 {
            continue;
        }
        if pairs.len() >= MAX_NESTED_PAIRS_COUNT {
            return Ok(None);
        }
        pairs.push(key_value(field.bytes()?)?);
    }
    pairs.sort_by_key(|(key, _)| *key);
    Ok(Some(pairs))
}

fn append_bool(out: &mut Vec<u8>, truth: bool) {
    out.extend_from_slice(if truth { b"true" } else { b"false" });
}

fn append_int(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Shortest digits that read back, in ECMAScript's form; infinities have a sign.
pub(super) fn append_double(out: &mut Vec<u8>, number: f64) {
    if number.is_finite() {
        out.extend_from_slice(ryu_js::Buffer::new().format_finite(number).as_bytes());
    } else if number.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if number > 0.0 {
        out.extend_from_slice(b"+Inf");
    } else {
        out.extend_from_slice(b"-Inf");
    }
}

fn append_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
}

/// A JSON string. Only what JSON demands is escaped; bytes that are not UTF-8 pass and are repaired
/// with the column.
fn append_json_string(out: &mut Vec<u8>, text: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest
        .iter()
        .position(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\')
    {
        let (plain, tail) = rest.split_at_checked(at).unwrap_or_default();
        out.extend_from_slice(plain);
        let Some((&byte, tail)) = tail.split_first() else {
            break;
        };
        rest = tail;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            control => {
                out.extend_from_slice(b"\\u00");
                for nibble in [control >> 4, control & 0xf] {
                    out.push(HEX.get(usize::from(nibble)).copied().unwrap_or(b'0'));
                }
            }
        }
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}
