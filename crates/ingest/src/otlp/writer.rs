//! Protobuf written into one growing buffer with a bound.

/// Bytes kept free for the length of a message that is still being written.
const LENGTH_BYTES: usize = 5;

/// A protobuf encoder. Messages are opened and closed; their length is filled in at the end.
#[derive(Debug)]
pub(crate) struct ProtoWriter {
    out: Vec<u8>,
    /// Where the content of each open message starts, outermost first.
    open: Vec<usize>,
    limit_bytes: usize,
}

impl ProtoWriter {
    /// An empty buffer that should not pass `limit_bytes`.
    pub(crate) fn new(limit_bytes: usize) -> Self {
        Self {
            out: Vec::new(),
            open: Vec::new(),
            limit_bytes,
        }
    }

    /// Whether more was written than allowed. Checked by the caller after each field, so that the
    /// overshoot is one field, which is no longer than its source.
    pub(crate) fn is_over(&self) -> bool {
        self.out.len() > self.limit_bytes
    }

    pub(crate) fn varint_field(&mut self, number: u32, value: u64) {
        self.tag(number, 0);
        self.varint(value);
    }

    pub(crate) fn fixed64_field(&mut self, number: u32, bits: u64) {
        self.tag(number, 1);
        self.out.extend_from_slice(&bits.to_le_bytes());
    }

    pub(crate) fn fixed32_field(&mut self, number: u32, bits: u32) {
        self.tag(number, 5);
        self.out.extend_from_slice(&bits.to_le_bytes());
    }

    pub(crate) fn bytes_field(&mut self, number: u32, bytes: &[u8]) {
        self.tag(number, 2);
        self.varint(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.out.extend_from_slice(bytes);
    }

    /// Starts the message of field `number`; everything until [`Self::close`] belongs to it.
    pub(crate) fn open(&mut self, number: u32) {
        self.tag(number, 2);
        self.out.extend_from_slice(&[0; LENGTH_BYTES]);
        self.open.push(self.out.len());
    }

    /// Ends the innermost open message. A short one moves up to a length of one byte; a long one
    /// keeps a padded length, which protobuf allows, so that closing never costs more than moving
    /// 127 bytes.
    pub(crate) fn close(&mut self) {
        let start = self.open.pop().unwrap_or_default();
        let Some(length_at) = start.checked_sub(LENGTH_BYTES) else {
            return;
        };
        let length = self.out.len().saturating_sub(start);
        if let Ok(short) = u8::try_from(length)
            && short < 0x80
        {
            self.out.copy_within(start.., length_at + 1);
            self.out.truncate(length_at + 1 + length);
            if let Some(byte) = self.out.get_mut(length_at) {
                *byte = short;
            }
            return;
        }
        let mut rest = length;
        for (index, byte) in self
            .out
            .iter_mut()
            .skip(length_at)
            .take(LENGTH_BYTES)
            .enumerate()
        {
            let more = if index + 1 < LENGTH_BYTES { 0x80 } else { 0 };
            *byte = low_bits(rest) | more;
            rest >>= 7;
        }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    fn tag(&mut self, number: u32, wire_type: u32) {
        self.varint(u64::from(number << 3 | wire_type));
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push(low_bits64(value) | 0x80);
            value >>= 7;
        }
        self.out.push(low_bits64(value));
    }
}

fn low_bits64(value: u64) -> u8 {
    let [low, ..] = value.to_le_bytes();
    low & 0x7f
}

fn low_bits(value: usize) -> u8 {
    let [low, ..] = value.to_le_bytes();
    low & 0x7f
}

#[cfg(test)]
mod tests {
    use super::super::wire::Fields;
    use super::*;

    #[test]
    fn short_and_long_messages_read_back() {
        for size in [0usize, 1, 127, 128, 70_000] {
            let mut writer = ProtoWriter::new(usize::MAX);
            writer.open(3);
            writer.open(1);
            writer.bytes_field(2, &vec![7; size]);
            writer.close();
            writer.varint_field(4, u64::MAX);
            writer.close();
            writer.fixed32_field(9, 5);
            let bytes = writer.into_bytes();

            let mut fields = Fields::new(&bytes, "Outer");
            let outer = fields.next().unwrap().unwrap();
            assert_eq!(outer.number, 3);
            let mut message = Fields::new(outer.bytes().unwrap(), "Inner");
            let mut inner = Fields::new(message.next().unwrap().unwrap().bytes().unwrap(), "Leaf");
            assert_eq!(inner.next().unwrap().unwrap().bytes().unwrap().len(), size);
            assert_eq!(message.next().unwrap().unwrap().varint().unwrap(), u64::MAX);
            assert_eq!(fields.next().unwrap().unwrap().fixed32().unwrap(), 5);
            assert!(fields.next().unwrap().is_none());
        }
    }
}
