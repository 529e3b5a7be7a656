//! The bytes of a WAL file: a header, then records back to back. Little-endian, checksums are CRC-32C.
//!
//! ```text
//! file    magic "CAIRNWAL" · version u32 · 0 u32 · file id u128 · first seq u64 · durable seq u64 · created i64 · 0 u32 · crc u32
//! record  marker u32 · payload length u32 · seq u64 · received i64 · signal u8 · encoding u8 · compression u8 · options u8
//!         · payload crc u32 · header crc u32 · payload
//! ```
//! Both checksums of a record start from the file's id, so that bytes of a foreign or recycled file never validate.
//! *Durable seq* is the last record that was acknowledged when the file was created: it tells a torn tail of the file
//! before (nothing acknowledged is missing) from rot.

use bytes::Bytes;

use crate::ids::{Signal, WalSeq};
use crate::limits;
use crate::names::WalFileName;
use crate::record::{PayloadCompression, PayloadEncoding, RawRecord};
use crate::time::Nanos;

const MAGIC: [u8; 8] = *b"CAIRNWAL";
const VERSION: u32 = 1;
/// First bytes of every record: where a reader looks for the next one after damage.
pub(super) const MARKER: [u8; 4] = [0xca, 0x17, 0x4e, 0xc0];

pub(crate) const FILE_HEADER_BYTES: usize = 64;
pub(crate) const RECORD_HEADER_BYTES: usize = 36;

/// First bytes of a WAL file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileHeader {
    pub(super) first_seq: WalSeq,
    pub(super) durable_seq: WalSeq,
    pub(super) created_at: Nanos,
}

/// What precedes a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordHeader {
    pub(super) payload_bytes: u32,
    pub(super) seq: WalSeq,
    received_at: Nanos,
    signal: u8,
    encoding: u8,
    compression: u8,
    options: u8,
    payload_crc: u32,
}

/// What the checksums of a file's records start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Salt(u32);

impl Salt {
    pub(super) fn of(name: WalFileName) -> Self {
        Self(crc32c::crc32c(&name.id.to_le_bytes()))
    }

    fn checksum(self, bytes: &[u8]) -> u32 {
        crc32c::crc32c_append(self.0, bytes)
    }
}

impl FileHeader {
    pub(super) fn encode(&self, name: WalFileName) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FILE_HEADER_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&name.id.to_le_bytes());
        bytes.extend_from_slice(&self.first_seq.0.to_le_bytes());
        bytes.extend_from_slice(&self.durable_seq.0.to_le_bytes());
        bytes.extend_from_slice(&self.created_at.0.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The header, or why these bytes are not one.
    pub(super) fn decode(bytes: &[u8], name: WalFileName) -> Result<Self, &'static str> {
        let mut fields = Fields(bytes);
        let short = "the file is shorter than its header";
        let header = bytes.get(..FILE_HEADER_BYTES).ok_or(short)?;
        let covered = header.get(..FILE_HEADER_BYTES - 4).ok_or(short)?;
        let magic = fields.take::<8>().ok_or(short)?;
        let version = fields.u32().ok_or(short)?;
        fields.u32().ok_or(short)?;
        let id = u128::from_le_bytes(fields.take().ok_or(short)?);
        let decoded = Self {
            first_seq: WalSeq(fields.u64().ok_or(short)?),
            durable_seq: WalSeq(fields.u64().ok_or(short)?),
            created_at: Nanos(fields.i64().ok_or(short)?),
        };
        fields.u32().ok_or(short)?;
        let crc = fields.u32().ok_or(short)?;
        if magic != MAGIC || crc != crc32c::crc32c(covered) {
            return Err("the file header is damaged");
        }
        if version != VERSION {
            return Err("the file was written by a newer release");
        }
        if id != name.id {
            return Err("the file belongs to another name");
        }
        Ok(decoded)
    }
}

impl RecordHeader {
    /// The header of `record`. `None` when its payload is longer than a record may be.
    pub(super) fn of(record: &RawRecord, seq: WalSeq, salt: Salt) -> Option<Self> {
        let payload_bytes = u32::try_from(record.payload.len()).ok()?;
        (u64::from(payload_bytes) <= limits::MAX_RECORD_BYTES).then(|| Self {
            payload_bytes,
            seq,
            received_at: record.received_at,
            signal: record.signal.number(),
            encoding: record.encoding.number(),
            compression: record.compression.number(),
            options: record.options,
            payload_crc: salt.checksum(&record.payload),
        })
    }

    pub(super) fn encode_into(&self, salt: Salt, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        bytes.extend_from_slice(&MARKER);
        bytes.extend_from_slice(&self.payload_bytes.to_le_bytes());
        bytes.extend_from_slice(&self.seq.0.to_le_bytes());
        bytes.extend_from_slice(&self.received_at.0.to_le_bytes());
        bytes.extend_from_slice(&[self.signal, self.encoding, self.compression, self.options]);
        bytes.extend_from_slice(&self.payload_crc.to_le_bytes());
        let crc = salt.checksum(bytes.get(start..).unwrap_or_default());
        bytes.extend_from_slice(&crc.to_le_bytes());
    }

    /// The header at the front of `bytes`; `None` when there is none.
    pub(super) fn decode(bytes: &[u8], salt: Salt) -> Option<Self> {
        let covered = bytes.get(..RECORD_HEADER_BYTES - 4)?;
        let mut fields = Fields(bytes);
        if fields.take::<4>()? != MARKER {
            return None;
        }
        let payload_bytes = fields.u32()?;
        let seq = WalSeq(fields.u64()?);
        let received_at = Nanos(fields.i64()?);
        let [signal, encoding, compression, options] = fields.take()?;
        let header = Self {
            payload_bytes,
            seq,
            received_at,
            signal,
            encoding,
            compression,
            options,
            payload_crc: fields.u32()?,
        };
        let valid = fields.u32()? == salt.checksum(covered)
            && u64::from(payload_bytes) <= limits::MAX_RECORD_BYTES;
        valid.then_some(header)
    }

    /// Whether `payload` is the one that was written.
    pub(super) fn matches(&self, payload: &[u8], salt: Salt) -> bool {
        salt.checksum(payload) == self.payload_crc
    }

    /// The record; `None` when it has a kind that only a newer release knows.
    pub(super) fn into_record(self, payload: Bytes) -> Option<RawRecord> {
        Some(RawRecord {
            signal: Signal::from_number(self.signal)?,
            encoding: PayloadEncoding::from_number(self.encoding)?,
            compression: PayloadCompression::from_number(self.compression)?,
            options: self.options,
            received_at: self.received_at,
            payload,
        })
    }
}

/// Takes fixed-size fields off the front.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }
}
