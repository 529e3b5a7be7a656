//! A protobuf message walked field by field, in place and without allocation.
//!
//! Strict where prost and the collector are strict (lengths, varints, field numbers, the wire type
//! of a known field), tolerant where protobuf is (unknown fields and groups are skipped, a later
//! field replaces an earlier one).

use crate::error::IngestError;
use crate::limits::MAX_GROUP_DEPTH;

/// The fields of one message that are still to be read.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    message: &'static str,
}

/// One field as it stands on the wire.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    /// The number that names it.
    pub(crate) number: u32,
    value: Value<'a>,
    message: &'static str,
}

/// The value of a field by wire type.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    /// int, bool, enum
    Varint(u64),
    /// fixed64, double
    Fixed64(u64),
    /// string, bytes, message
    Bytes(&'a [u8]),
    /// fixed32, float
    Fixed32(u32),
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    Truncated,
    LongVarint,
    FieldNumber,
    WireType,
    Group,
}

impl Fault {
    #[cold]
    fn of(self, message: &str) -> IngestError {
        let what = match self {
            Self::Truncated => "ends in the middle of a field",
            Self::LongVarint => "has a number of more than 64 bits",
            Self::FieldNumber => "has a field number out of range",
            Self::WireType => "has a field of an unknown wire type",
            Self::Group => "has a group that does not end, or is nested too deep",
        };
        IngestError::Malformed(format!("protobuf message `{message}` {what}"))
    }
}

impl<'a> Fields<'a> {
    /// The fields of `bytes`, which claim to be a `message`.
    #[inline]
    pub(crate) fn new(bytes: &'a [u8], message: &'static str) -> Self {
        Self {
            rest: bytes,
            message,
        }
    }

    /// The next field, `None` at the end of the message.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Field<'a>>, IngestError> {
        while !self.rest.is_empty() {
            match self.read() {
                Ok(Some(field)) => return Ok(Some(field)),
                Ok(None) => {}
                Err(fault) => return Err(fault.of(self.message)),
            }
        }
        Ok(None)
    }

    /// One field; `None` for a group, which is skipped.
    #[inline]
    fn read(&mut self) -> Result<Option<Field<'a>>, Fault> {
        let (number, wire_type) = tag(&mut self.rest)?;
        let value = match wire_type {
            0 => Value::Varint(varint(&mut self.rest)?),
            1 => Value::Fixed64(u64::from_le_bytes(chunk(&mut self.rest)?)),
            2 => Value::Bytes(prefixed(&mut self.rest)?),
            5 => Value::Fixed32(u32::from_le_bytes(chunk(&mut self.rest)?)),
            3 => {
                skip_group(&mut self.rest, number)?;
                return Ok(None);
            }
            4 => return Err(Fault::Group),
            _ => return Err(Fault::WireType),
        };
        Ok(Some(Field {
            number,
            value,
            message: self.message,
        }))
    }
}

impl<'a> Field<'a> {
    /// The bytes of a string, bytes or message field.
    #[inline]
    pub(crate) fn bytes(&self) -> Result<&'a [u8], IngestError> {
        match self.value {
            Value::Bytes(bytes) => Ok(bytes),
            Value::Varint(_) | Value::Fixed64(_) | Value::Fixed32(_) => Err(self.mismatch()),
        }
    }

    /// The number of an int, bool or enum field.
    #[inline]
    pub(crate) fn varint(&self) -> Result<u64, IngestError> {
        match self.value {
            Value::Varint(number) => Ok(number),
            Value::Bytes(_) | Value::Fixed64(_) | Value::Fixed32(_) => Err(self.mismatch()),
        }
    }

    /// The bits of a fixed64 or double field.
    #[inline]
    pub(crate) fn fixed64(&self) -> Result<u64, IngestError> {
        match self.value {
            Value::Fixed64(bits) => Ok(bits),
            Value::Bytes(_) | Value::Varint(_) | Value::Fixed32(_) => Err(self.mismatch()),
        }
    }

    /// The bits of a fixed32 field.
    #[inline]
    pub(crate) fn fixed32(&self) -> Result<u32, IngestError> {
        match self.value {
            Value::Fixed32(bits) => Ok(bits),
            Value::Bytes(_) | Value::Varint(_) | Value::Fixed64(_) => Err(self.mismatch()),
        }
    }

    /// Every number of a list of fixed64 or double, packed or one field each.
    #[inline]
    pub(crate) fn each_fixed64(&self, take: &mut impl FnMut(u64)) -> Result<(), IngestError> {
        match self.value {
            Value::Fixed64(bits) => take(bits),
            Value::Bytes(bytes) => {
                let (numbers, cut) = bytes.as_chunks::<8>();
                if !cut.is_empty() {
                    return Err(Fault::Truncated.of(self.message));
                }
                numbers
                    .iter()
                    .for_each(|bits| take(u64::from_le_bytes(*bits)));
            }
            Value::Varint(_) | Value::Fixed32(_) => return Err(self.mismatch()),
        }
        Ok(())
    }

    /// Every number of a list of varints, packed or one field each.
    pub(crate) fn each_varint(&self, take: &mut impl FnMut(u64)) -> Result<(), IngestError> {
        match self.value {
            Value::Varint(number) => take(number),
            Value::Bytes(mut rest) => {
                while !rest.is_empty() {
                    take(varint(&mut rest).map_err(|fault| fault.of(self.message))?);
                }
            }
            Value::Fixed64(_) | Value::Fixed32(_) => return Err(self.mismatch()),
        }
        Ok(())
    }

    #[cold]
    fn mismatch(&self) -> IngestError {
        let found = match self.value {
            Value::Varint(_) => "a varint",
            Value::Fixed64(_) => "8 bytes",
            Value::Bytes(_) => "a length and bytes",
            Value::Fixed32(_) => "4 bytes",
        };
        IngestError::Malformed(format!(
            "field {} of protobuf message `{}` is encoded as {found}, which is not its type",
            self.number, self.message
        ))
    }
}

#[inline]
fn tag(rest: &mut &[u8]) -> Result<(u32, u32), Fault> {
    let tag = u32::try_from(varint(rest)?).map_err(|_| Fault::FieldNumber)?;
    let number = tag >> 3;
    if number == 0 {
        return Err(Fault::FieldNumber);
    }
    Ok((number, tag & 7))
}

#[inline]
fn varint(rest: &mut &[u8]) -> Result<u64, Fault> {
    match rest.split_first() {
        Some((&first, tail)) if first < 0x80 => {
            *rest = tail;
            Ok(u64::from(first))
        }
        Some(_) => long_varint(rest),
        None => Err(Fault::Truncated),
    }
}

fn long_varint(rest: &mut &[u8]) -> Result<u64, Fault> {
    let mut value = 0u64;
    let mut shift = 0u32;
    for (index, &byte) in rest.iter().enumerate() {
        // The tenth byte holds the 64th bit and nothing else.
        if shift == 63 && byte > 1 {
            return Err(Fault::LongVarint);
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            *rest = rest.get(index + 1..).unwrap_or_default();
            return Ok(value);
        }
        shift += 7;
    }
    Err(Fault::Truncated)
}

#[inline]
fn chunk<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Fault> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(Fault::Truncated)?;
    *rest = tail;
    Ok(*head)
}

#[inline]
fn prefixed<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Fault> {
    let length = usize::try_from(varint(rest)?).map_err(|_| Fault::Truncated)?;
    let (head, tail) = rest.split_at_checked(length).ok_or(Fault::Truncated)?;
    *rest = tail;
    Ok(head)
}

/// Skips to the end of group `number`. A stack of our own, so that nesting costs neither call stack
/// nor a second walk.
#[cold]
fn skip_group(rest: &mut &[u8], number: u32) -> Result<(), Fault> {
    let mut open = vec![number];
    while let Some(&innermost) = open.last() {
        let (number, wire_type) = tag(rest)?;
        match wire_type {
            0 => drop(varint(rest)?),
            1 => drop(chunk::<8>(rest)?),
            2 => drop(prefixed(rest)?),
            5 => drop(chunk::<4>(rest)?),
            3 if open.len() < MAX_GROUP_DEPTH => open.push(number),
            4 if number == innermost => drop(open.pop()),
            3 | 4 => return Err(Fault::Group),
            _ => return Err(Fault::WireType),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(bytes: &[u8]) -> Result<Vec<u32>, String> {
        let mut fields = Fields::new(bytes, "Test");
        let mut numbers = Vec::new();
        while let Some(field) = fields.next().map_err(|error| error.to_string())? {
            numbers.push(field.number);
        }
        Ok(numbers)
    }

    #[test]
    fn fields_of_every_wire_type_are_read_in_order() {
        let bytes = [
            0x08, 0x96, 0x01, // 1: varint 150
            0x11, 1, 0, 0, 0, 0, 0, 0, 0, // 2: fixed64 1
            0x1a, 2, b'h', b'i', // 3: bytes
            0x25, 7, 0, 0, 0, // 4: fixed32 7
        ];
        let mut fields = Fields::new(&bytes, "Test");
        assert_eq!(fields.next().unwrap().unwrap().varint().unwrap(), 150);
        assert_eq!(fields.next().unwrap().unwrap().fixed64().unwrap(), 1);
        assert_eq!(fields.next().unwrap().unwrap().bytes().unwrap(), b"hi");
        assert_eq!(fields.next().unwrap().unwrap().fixed32().unwrap(), 7);
        assert!(fields.next().unwrap().is_none());
    }

    #[test]
    fn groups_are_skipped_and_must_end() {
        // 5: start group { 1: varint 1, 6: group {} } end, then 1: varint 2
        let bytes = [0x2b, 0x08, 1, 0x33, 0x34, 0x2c, 0x08, 2];
        assert_eq!(numbers(&bytes), Ok(vec![1]));
        for end in 1..6 {
            assert!(numbers(&bytes[..end]).is_err(), "{end}");
        }
        assert!(numbers(&[0x2b, 0x34]).is_err());
        assert!(numbers(&[0x2c]).is_err());
        assert!(numbers(&[0x2b; 200_000]).is_err());
    }

    #[test]
    fn bad_tags_and_lengths_are_malformed() {
        for bytes in [
            &[0x00u8, 0x00][..], // field 0
            &[0x0e, 0x00],       // wire type 6
            &[0x0f, 0x00],       // wire type 7
            &[0x0a, 0x02, 0x00], // length past the end
            &[
                0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
            ], // length u64::MAX
            &[0x08, 0x80],       // varint cut
            &[
                0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02,
            ], // 65 bits
            &[
                0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0,
            ], // 11 bytes
            &[0x80, 0x80, 0x80, 0x80, 0x10, 0x00], // field number too large
            &[0x09, 0, 0, 0],    // fixed64 cut
            &[0x0d, 0, 0],       // fixed32 cut
        ] {
            assert!(numbers(bytes).is_err(), "{bytes:?}");
        }
        assert_eq!(
            numbers(&[
                0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01
            ]),
            Ok(vec![1])
        );
        // A length may be written longer than needed.
        assert_eq!(numbers(&[0x0a, 0x81, 0x80, 0x00, b'x']), Ok(vec![1]));
    }

    #[test]
    fn lists_of_numbers_are_read_packed_or_not_and_never_cut() {
        let bytes = [
            0x08, 3, // 1: 3
            0x0a, 3, 0x96, 0x01, 5, // 1: 150, 5
            0x0a, 0, // 1: nothing
        ];
        let mut numbers = Vec::new();
        let mut fields = Fields::new(&bytes, "Test");
        while let Some(field) = fields.next().unwrap() {
            field
                .each_varint(&mut |number| numbers.push(number))
                .unwrap();
        }
        assert_eq!(numbers, [3, 150, 5]);
        let bytes = [
            0x09, 1, 0, 0, 0, 0, 0, 0, 0, // 1: 1
            0x0a, 8, 2, 0, 0, 0, 0, 0, 0, 0, // 1: 2
        ];
        let mut fields = Fields::new(&bytes, "Test");
        numbers.clear();
        while let Some(field) = fields.next().unwrap() {
            field
                .each_fixed64(&mut |number| numbers.push(number))
                .unwrap();
        }
        assert_eq!(numbers, [1, 2]);
        let only = |bytes: &'static [u8]| Fields::new(bytes, "Test").next().unwrap().unwrap();
        assert!(only(&[0x0a, 1, 0x80]).each_varint(&mut |_| ()).is_err());
        assert!(only(&[0x0a, 3, 0, 0, 0]).each_fixed64(&mut |_| ()).is_err());
        assert!(only(&[0x08, 3]).each_fixed64(&mut |_| ()).is_err());
        assert!(only(&[0x0d, 0, 0, 0, 0]).each_varint(&mut |_| ()).is_err());
    }

    #[test]
    fn a_known_field_of_another_type_is_malformed() {
        let field = Fields::new(&[0x08, 1], "Test").next().unwrap().unwrap();
        assert_eq!(
            field.bytes().unwrap_err().to_string(),
            "malformed request: field 1 of protobuf message `Test` is encoded as a varint, which is not its type"
        );
        assert!(field.fixed64().is_err());
        assert!(field.fixed32().is_err());
    }
}
