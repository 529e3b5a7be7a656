//! ClickHouse's own compressed frames (`compress=1`, `decompress=1`): checksum, method, sizes,
//! payload, back to back. It knows nothing of HTTP codings, which may lie around the frames.

use cityhash_rs::cityhash_102_128;

use super::limits::{FRAME_RAW_BYTES, MAX_BODY_BYTES};

/// Checksum, method and the two sizes.
const HEAD_BYTES: usize = CHECKSUM_BYTES + SIZED_HEAD_BYTES;
const CHECKSUM_BYTES: usize = 16;
/// The part of the head that the compressed size counts: method and sizes.
const SIZED_HEAD_BYTES: usize = 9;

const STORED: u8 = 0x02;
const LZ4: u8 = 0x82;
const ZSTD: u8 = 0x90;

/// How the payload of the frames that we write is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FrameMethod {
    /// What every client reads.
    Lz4,
    /// On request.
    Zstd,
    /// Not at all.
    Stored,
}

impl FrameMethod {
    /// The method that `network_compression_method` names; LZ4 for names that we do not have.
    pub(super) fn from_setting(name: Option<&str>) -> Self {
        match name.map(str::to_ascii_uppercase).as_deref() {
            Some("ZSTD") => Self::Zstd,
            Some("NONE") => Self::Stored,
            _ => Self::Lz4,
        }
    }
}

/// Why frames could not be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameError {
    /// The bytes end inside a frame.
    #[error("Cannot read all data. Bytes read: {read}. Bytes expected: {expected}")]
    Cut {
        /// What was there.
        read: usize,
        /// What the frame needs.
        expected: usize,
    },
    /// The checksum does not fit.
    #[error(
        "Checksum doesn't match: corrupted data. Reference: {expected:032x}. Actual: {found:032x}"
    )]
    Checksum {
        /// What the frame says.
        expected: u128,
        /// What its bytes give.
        found: u128,
    },
    /// Not a method of ours.
    #[error("Unknown codec family code: {0}")]
    UnknownMethod(u8),
    /// The payload is not what the head says.
    #[error("Cannot decompress a frame: {0}")]
    Damaged(String),
    /// More bytes than a body may have.
    #[error("The request body is larger than {MAX_BODY_BYTES} bytes")]
    TooLarge,
}

/// The frames of `raw`; none when it is empty.
pub(super) fn encode_frames(raw: &[u8], method: FrameMethod) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    for piece in raw.chunks(FRAME_RAW_BYTES) {
        let (code, payload) = match method {
            FrameMethod::Lz4 => (LZ4, lz4_flex::block::compress(piece)),
            FrameMethod::Zstd => (ZSTD, zstd::bulk::compress(piece, 1)?),
            FrameMethod::Stored => (STORED, piece.to_vec()),
        };
        let at = out.len();
        out.resize(at + CHECKSUM_BYTES, 0);
        out.push(code);
        out.extend_from_slice(&size(payload.len() + SIZED_HEAD_BYTES)?);
        out.extend_from_slice(&size(piece.len())?);
        out.extend_from_slice(&payload);
        let checksum = checksum(&out[at + CHECKSUM_BYTES..]);
        out[at..at + CHECKSUM_BYTES].copy_from_slice(&checksum.to_le_bytes());
    }
    Ok(out)
}

fn size(bytes: usize) -> std::io::Result<[u8; 4]> {
    u32::try_from(bytes)
        .map(u32::to_le_bytes)
        .map_err(std::io::Error::other)
}

/// CityHash128 of version 1.0.2, whose first half is the low one on the wire.
fn checksum(bytes: &[u8]) -> u128 {
    cityhash_102_128(bytes).rotate_left(64)
}

/// What a sequence of frames holds, at most [`MAX_BODY_BYTES`] of it.
///
/// # Errors
/// When a frame is cut, damaged, or of a method that we do not know.
pub(super) fn decode_frames(mut body: &[u8]) -> Result<Vec<u8>, FrameError> {
    let mut out = Vec::new();
    while !body.is_empty() {
        body = decode_frame(body, &mut out)?;
    }
    Ok(out)
}

fn decode_frame<'a>(body: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], FrameError> {
    let cut = |expected: usize| FrameError::Cut {
        read: body.len(),
        expected,
    };
    let head = body.get(..HEAD_BYTES).ok_or_else(|| cut(HEAD_BYTES))?;
    let (expected, sized) = head.split_at(CHECKSUM_BYTES);
    let (method, sizes) = (sized[0], &sized[1..]);
    let (compressed, raw) = (length(&sizes[..4]), length(&sizes[4..]));
    let end = CHECKSUM_BYTES.saturating_add(compressed);
    let payload = body.get(HEAD_BYTES..end).ok_or_else(|| cut(end))?;
    let expected = u128::from_le_bytes(expected.try_into().unwrap_or_default());
    let found = checksum(&body[CHECKSUM_BYTES..end]);
    if expected != found {
        return Err(FrameError::Checksum { expected, found });
    }
    if out.len().saturating_add(raw) > MAX_BODY_BYTES {
        return Err(FrameError::TooLarge);
    }
    let damaged = |error: &dyn std::fmt::Display| FrameError::Damaged(error.to_string());
    let begin = out.len();
    match method {
        STORED => out.extend_from_slice(payload),
        LZ4 => {
            out.resize(begin + raw, 0);
            let written = lz4_flex::block::decompress_into(payload, &mut out[begin..])
                .map_err(|error| damaged(&error))?;
            out.truncate(begin + written);
        }
        ZSTD => {
            let bytes = zstd::bulk::decompress(payload, raw).map_err(|error| damaged(&error))?;
            out.extend_from_slice(&bytes);
        }
        other => return Err(FrameError::UnknownMethod(other)),
    }
    if out.len() - begin != raw {
        return Err(damaged(&format!(
            "{} bytes instead of {raw}",
            out.len() - begin
        )));
    }
    Ok(&body[end..])
}

fn length(bytes: &[u8]) -> usize {
    let number = u32::from_le_bytes(bytes.try_into().unwrap_or_default());
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHODS: [FrameMethod; 3] = [FrameMethod::Lz4, FrameMethod::Zstd, FrameMethod::Stored];
    /// `hello` and a newline as ClickHouse sends it.
    const HELLO: [&str; 3] = [
        "08f0793acfb1087ddacf389a022f7d1082100000000600000060",
        "a40ef5bd58dc52d0b9aa8f7f338e6ab390180000000600000028b52ffd2006310000",
        "3336b27ff7bab8c1c8560fbf470a1a57020f00000006000000",
    ];

    fn recorded(at: usize) -> Vec<u8> {
        let text = HELLO[at];
        let mut bytes: Vec<u8> = (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect();
        bytes.extend_from_slice(b"hello\n");
        bytes
    }

    #[test]
    fn recorded_frames_are_read() {
        for at in 0..HELLO.len() {
            assert_eq!(decode_frames(&recorded(at)).unwrap(), b"hello\n", "{at}");
        }
        let all = [recorded(0), recorded(1), recorded(2)].concat();
        assert_eq!(decode_frames(&all).unwrap(), b"hello\nhello\nhello\n");
        assert_eq!(decode_frames(b"").unwrap(), b"");
    }

    #[test]
    fn small_frames_are_written_as_clickhouse_writes_them() {
        for (at, method) in METHODS.into_iter().enumerate() {
            let frames = encode_frames(b"hello\n", method).unwrap();
            assert_eq!(frames, recorded(at), "{method:?}");
        }
    }

    #[test]
    fn large_bodies_are_several_frames_and_come_back() {
        let raw: Vec<u8> = (0..FRAME_RAW_BYTES * 2 + 7)
            .map(|at| u8::try_from(at * at % 251).unwrap())
            .collect();
        for method in METHODS {
            let frames = encode_frames(&raw, method).unwrap();
            assert!(decode_frames(&frames).unwrap() == raw, "{method:?}");
        }
        assert!(encode_frames(b"", FrameMethod::Lz4).unwrap().is_empty());
    }

    #[test]
    fn a_changed_or_missing_byte_is_an_error() {
        for method in METHODS {
            let frames = encode_frames(b"hello hello hello hello hello", method).unwrap();
            for at in 0..frames.len() {
                let mut changed = frames.clone();
                changed[at] ^= 0x40;
                assert!(decode_frames(&changed).is_err(), "{method:?} {at}");
            }
            for end in 1..frames.len() {
                let error = decode_frames(&frames[..end]).unwrap_err();
                assert!(matches!(error, FrameError::Cut { .. }), "{method:?} {end}");
            }
        }
        let garbage = decode_frames(b"not frame").unwrap_err();
        assert_eq!(
            garbage.to_string(),
            "Cannot read all data. Bytes read: 9. Bytes expected: 25"
        );
    }

    #[test]
    fn sizes_that_lie_are_errors() {
        let mut frame = encode_frames(&[b'x'; 1000], FrameMethod::Lz4).unwrap();
        let mut lie = |raw: u32| {
            frame[21..25].copy_from_slice(&raw.to_le_bytes());
            let checksum = checksum(&frame[CHECKSUM_BYTES..]);
            frame[..CHECKSUM_BYTES].copy_from_slice(&checksum.to_le_bytes());
            decode_frames(&frame).unwrap_err()
        };
        assert!(matches!(lie(999), FrameError::Damaged(_)));
        assert!(matches!(lie(1001), FrameError::Damaged(_)));
        assert_eq!(lie(u32::MAX), FrameError::TooLarge);
    }
}
