//! Content codings: which one a response gets, encoding it piece by piece, and decoding request
//! bodies within a bound. It does not touch headers.

use std::io::{self, Read, Write};

use super::limits::{BROTLI_BUFFER_BYTES, BROTLI_QUALITY, BROTLI_WINDOW_LOG, MAX_ZSTD_WINDOW_LOG};

/// A content coding that we write and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// As it is.
    Identity,
    /// `gzip`
    Gzip,
    /// `deflate`, a zlib stream.
    Deflate,
    /// `zstd`
    Zstd,
    /// `br`
    Brotli,
    /// `lz4`, the frame format.
    Lz4,
}

impl Coding {
    /// What a response may get, most wanted first: the server's order decides, as in ClickHouse.
    const PREFERRED: [Self; 5] = [
        Self::Zstd,
        Self::Brotli,
        Self::Lz4,
        Self::Gzip,
        Self::Deflate,
    ];

    /// The name in `Content-Encoding`; none for identity.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Deflate => Some("deflate"),
            Self::Zstd => Some("zstd"),
            Self::Brotli => Some("br"),
            Self::Lz4 => Some("lz4"),
        }
    }

    /// The coding of a request's `Content-Encoding`; none when it is not known.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::PREFERRED.into_iter().find(|coding| {
            coding
                .name()
                .is_some_and(|known| known.eq_ignore_ascii_case(name))
        })
    }
}

/// The coding of a response. The server's own order decides; weights do not matter, except that
/// `q=0` excludes.
pub(crate) fn response_coding(accept_encoding: &str) -> Coding {
    let accepted = |name: &str| {
        accept_encoding.split(',').any(|item| {
            let mut parts = item.split(';').map(str::trim);
            let named = parts
                .next()
                .is_some_and(|coding| coding.eq_ignore_ascii_case(name));
            named && !parts.any(is_zero_weight)
        })
    };
    if accepted("*") {
        return Coding::Zstd;
    }
    Coding::PREFERRED
        .into_iter()
        .find(|coding| coding.name().is_some_and(accepted))
        .unwrap_or(Coding::Identity)
}

fn is_zero_weight(parameter: &str) -> bool {
    let Some(weight) = parameter
        .strip_prefix("q=")
        .or_else(|| parameter.strip_prefix("Q="))
    else {
        return false;
    };
    weight
        .trim()
        .parse::<f32>()
        .is_ok_and(|weight| weight <= 0.0)
}

/// An encoder that writes into memory.
trait Sink: Write + Send + Sync {
    /// What was written since the last call.
    fn take(&mut self) -> Vec<u8>;

    /// Ends the stream.
    fn end(self: Box<Self>) -> io::Result<Vec<u8>>;
}

impl Sink for flate2::write::GzEncoder<Vec<u8>> {
    fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.get_mut())
    }

    fn end(self: Box<Self>) -> io::Result<Vec<u8>> {
        self.finish()
    }
}

impl Sink for flate2::write::ZlibEncoder<Vec<u8>> {
    fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.get_mut())
    }

    fn end(self: Box<Self>) -> io::Result<Vec<u8>> {
        self.finish()
    }
}

impl Sink for zstd::stream::write::Encoder<'static, Vec<u8>> {
    fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.get_mut())
    }

    fn end(self: Box<Self>) -> io::Result<Vec<u8>> {
        self.finish()
    }
}

impl Sink for brotli::CompressorWriter<Vec<u8>> {
    fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.get_mut())
    }

    fn end(self: Box<Self>) -> io::Result<Vec<u8>> {
        Ok(self.into_inner())
    }
}

impl Sink for lz4_flex::frame::FrameEncoder<Vec<u8>> {
    fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.get_mut())
    }

    fn end(self: Box<Self>) -> io::Result<Vec<u8>> {
        self.finish().map_err(io::Error::other)
    }
}

/// Encodes a response body piece by piece; what was written so far can be taken out at any time.
pub(crate) struct BodyEncoder(Option<Box<dyn Sink>>);

impl std::fmt::Debug for BodyEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BodyEncoder")
            .field("encodes", &self.0.is_some())
            .finish_non_exhaustive()
    }
}

impl BodyEncoder {
    /// `level` is gzip's and zlib's, 1 to 9.
    pub(crate) fn new(coding: Coding, level: u32) -> io::Result<Self> {
        let deflate = flate2::Compression::new(level.clamp(1, 9));
        let sink: Box<dyn Sink> = match coding {
            Coding::Identity => return Ok(Self(None)),
            Coding::Gzip => Box::new(flate2::write::GzEncoder::new(Vec::new(), deflate)),
            Coding::Deflate => Box::new(flate2::write::ZlibEncoder::new(Vec::new(), deflate)),
            Coding::Zstd => Box::new(zstd::stream::write::Encoder::new(Vec::new(), 1)?),
            Coding::Brotli => Box::new(brotli::CompressorWriter::new(
                Vec::new(),
                BROTLI_BUFFER_BYTES,
                BROTLI_QUALITY,
                BROTLI_WINDOW_LOG,
            )),
            Coding::Lz4 => Box::new(lz4_flex::frame::FrameEncoder::new(Vec::new())),
        };
        Ok(Self(Some(sink)))
    }

    /// Encodes `piece` and returns all bytes that are ready after a flush, so that the client can
    /// decode everything written so far.
    pub(crate) fn encode(&mut self, piece: Vec<u8>) -> io::Result<Vec<u8>> {
        let Some(sink) = &mut self.0 else {
            return Ok(piece);
        };
        sink.write_all(&piece)?;
        sink.flush()?;
        Ok(sink.take())
    }

    /// Encodes the last piece and ends the stream.
    pub(crate) fn finish(self, piece: Vec<u8>) -> io::Result<Vec<u8>> {
        let Some(mut sink) = self.0 else {
            return Ok(piece);
        };
        sink.write_all(&piece)?;
        sink.end()
    }
}

/// Bounds of decoding a request body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DecodeLimits {
    /// Bytes after decoding.
    pub decoded_bytes: usize,
}

/// Why a request body could not be decoded.
#[derive(Debug)]
pub(crate) enum DecodeError {
    /// The stream is damaged or cut.
    Damaged(io::Error),
    /// More bytes than the limit.
    TooLarge,
}

/// Decodes a whole body and stops as soon as the limit is passed, so that a small body cannot grow
/// without bound.
pub(crate) fn decode_body(
    coding: Coding,
    body: &[u8],
    limits: DecodeLimits,
) -> Result<Vec<u8>, DecodeError> {
    match coding {
        Coding::Identity => read_bounded(body, limits),
        Coding::Gzip => read_bounded(flate2::bufread::MultiGzDecoder::new(body), limits),
        Coding::Deflate => read_bounded(flate2::bufread::ZlibDecoder::new(body), limits),
        Coding::Zstd => {
            let mut decoder =
                zstd::stream::read::Decoder::with_buffer(body).map_err(DecodeError::Damaged)?;
            decoder
                .window_log_max(MAX_ZSTD_WINDOW_LOG)
                .map_err(DecodeError::Damaged)?;
            read_bounded(decoder, limits)
        }
        Coding::Brotli => {
            read_bounded(brotli::Decompressor::new(body, BROTLI_BUFFER_BYTES), limits)
        }
        Coding::Lz4 => read_bounded(lz4_flex::frame::FrameDecoder::new(body), limits),
    }
}

fn read_bounded(source: impl Read, limits: DecodeLimits) -> Result<Vec<u8>, DecodeError> {
    let mut decoded = Vec::new();
    let one_more = u64::try_from(limits.decoded_bytes)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    source
        .take(one_more)
        .read_to_end(&mut decoded)
        .map_err(DecodeError::Damaged)?;
    if decoded.len() > limits.decoded_bytes {
        return Err(DecodeError::TooLarge);
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Coding; 5] = Coding::PREFERRED;

    #[test]
    fn the_servers_own_order_decides_the_response_coding() {
        for (accept, expected) in [
            ("gzip, zstd", Coding::Zstd),
            ("gzip, zstd, br", Coding::Zstd),
            ("gzip, deflate, br", Coding::Brotli),
            ("lz4,br,gzip", Coding::Brotli),
            ("lz4, gzip", Coding::Lz4),
            ("gzip;q=0.5, br;q=0.1", Coding::Brotli),
            ("br;q=0", Coding::Identity),
            ("deflate, gzip", Coding::Gzip),
            ("deflate", Coding::Deflate),
            ("xz, gzip", Coding::Gzip),
            ("gzip;q=0.1, zstd;q=0.1", Coding::Zstd),
            ("zstd;q=0, gzip", Coding::Gzip),
            ("*", Coding::Zstd),
            ("identity", Coding::Identity),
            ("bz2", Coding::Identity),
            ("", Coding::Identity),
        ] {
            assert_eq!(response_coding(accept), expected, "{accept}");
        }
    }

    #[test]
    fn pieces_can_be_decoded_before_the_stream_ends() {
        for coding in ALL.into_iter().chain([Coding::Identity]) {
            let mut encoder = BodyEncoder::new(coding, 3).unwrap();
            let first = encoder.encode(b"hello ".to_vec()).unwrap();
            assert!(!first.is_empty(), "{coding:?} kept everything back");
            let mut all = first;
            all.extend(encoder.finish(b"world\n".to_vec()).unwrap());
            let decoded = decode_body(coding, &all, DecodeLimits { decoded_bytes: 100 }).unwrap();
            assert_eq!(decoded, b"hello world\n", "{coding:?}");
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        for coding in ALL {
            let encoder = BodyEncoder::new(coding, 9).unwrap();
            let bomb = encoder.finish(vec![0; 10_000_000]).unwrap();
            let result = decode_body(
                coding,
                &bomb,
                DecodeLimits {
                    decoded_bytes: 1000,
                },
            );
            assert!(matches!(result, Err(DecodeError::TooLarge)), "{coding:?}");
        }
    }

    #[test]
    fn a_damaged_stream_is_an_error() {
        for coding in ALL {
            let result = decode_body(
                coding,
                b"not compressed",
                DecodeLimits { decoded_bytes: 99 },
            );
            assert!(matches!(result, Err(DecodeError::Damaged(_))), "{coding:?}");
        }
    }
}
