//! What HTTP calls content type and content encoding, and decompression that stops at a bound.

use std::borrow::Cow;
use std::io::{self, Read};

use cairn_storage::{PayloadCompression, PayloadEncoding};

use crate::error::{IngestError, Result};
use crate::limits::MAX_ZSTD_WINDOW_LOG;

/// Bytes decompressed between two looks at the bound.
const STEP_BYTES: usize = 64 * 1024;

/// The payload encoding of a `Content-Type` header; parameters are ignored.
///
/// # Errors
///
/// `UnsupportedEncoding` for a type that is not OTLP.
pub fn encoding_of_content_type(header: &str) -> Result<PayloadEncoding, IngestError> {
    let essence = header.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/x-protobuf")
        || essence.eq_ignore_ascii_case("application/protobuf")
    {
        return Ok(PayloadEncoding::Protobuf);
    }
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(PayloadEncoding::Json);
    }
    Err(IngestError::UnsupportedEncoding(format!(
        "content type `{essence}` is not supported; send `application/x-protobuf` or `application/json`"
    )))
}

/// The payload compression of a `Content-Encoding` (or `grpc-encoding`) header.
///
/// # Errors
///
/// `UnsupportedEncoding` for an unknown or a nested encoding.
pub fn compression_of_content_encoding(header: &str) -> Result<PayloadCompression, IngestError> {
    let name = header.trim();
    let known = [
        ("", PayloadCompression::None),
        ("identity", PayloadCompression::None),
        ("gzip", PayloadCompression::Gzip),
        ("x-gzip", PayloadCompression::Gzip),
        ("zstd", PayloadCompression::Zstd),
        ("deflate", PayloadCompression::Deflate),
    ];
    known
        .into_iter()
        .find(|(known, _)| name.eq_ignore_ascii_case(known))
        .map(|(_, compression)| compression)
        .ok_or_else(|| {
            IngestError::UnsupportedEncoding(format!(
                "content encoding `{name}` is not supported; send one of `gzip`, `zstd`, `deflate`, `identity`"
            ))
        })
}

/// The decompressed payload, at most `limit_bytes` of it. `on_growth` hears of every step's new
/// bytes and may refuse.
pub(crate) fn decompress<'a>(
    payload: &'a [u8],
    compression: PayloadCompression,
    limit_bytes: usize,
    on_growth: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<Cow<'a, [u8]>> {
    let unpacked = match compression {
        PayloadCompression::None => {
            if payload.len() > limit_bytes {
                return Err(too_large(limit_bytes));
            }
            return Ok(Cow::Borrowed(payload));
        }
        // Nothing at all is an empty request in every compression.
        _ if payload.is_empty() => return Ok(Cow::Borrowed(payload)),
        PayloadCompression::Gzip => read_bounded(
            flate2::bufread::MultiGzDecoder::new(payload),
            limit_bytes,
            on_growth,
        ),
        PayloadCompression::Deflate => {
            let mut decoder = flate2::bufread::ZlibDecoder::new(payload);
            let unpacked = read_bounded(&mut decoder, limit_bytes, on_growth)?;
            // The other two notice by themselves when bytes follow the end.
            if !decoder.get_ref().is_empty() {
                return Err(IngestError::Malformed(
                    "bytes follow the end of the compressed body".to_owned(),
                ));
            }
            Ok(unpacked)
        }
        PayloadCompression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(payload)
                .map_err(|error| malformed(&error))?;
            decoder
                .window_log_max(MAX_ZSTD_WINDOW_LOG)
                .map_err(|error| malformed(&error))?;
            read_bounded(decoder, limit_bytes, on_growth)
        }
    };
    unpacked.map(Cow::Owned)
}

fn read_bounded(
    mut source: impl Read,
    limit_bytes: usize,
    on_growth: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let step_bytes = STEP_BYTES.max(out.len() / 2);
        on_growth(step_bytes)?;
        let limit = u64::try_from(step_bytes).unwrap_or(u64::MAX);
        let read = source
            .by_ref()
            .take(limit)
            .read_to_end(&mut out)
            .map_err(|error| malformed(&error))?;
        if out.len() > limit_bytes {
            return Err(too_large(limit_bytes));
        }
        if read < step_bytes {
            return Ok(out);
        }
    }
}

fn malformed(error: &io::Error) -> IngestError {
    IngestError::Malformed(format!("the body cannot be decompressed: {error}"))
}

fn too_large(limit_bytes: usize) -> IngestError {
    IngestError::TooLarge {
        what: "decompressed bytes of one request",
        limit: u64::try_from(limit_bytes).unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn compress(data: &[u8], compression: PayloadCompression) -> Vec<u8> {
        match compression {
            PayloadCompression::None => data.to_vec(),
            PayloadCompression::Gzip => {
                let mut encoder =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(data).unwrap();
                encoder.finish().unwrap()
            }
            PayloadCompression::Deflate => {
                let mut encoder =
                    flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(data).unwrap();
                encoder.finish().unwrap()
            }
            PayloadCompression::Zstd => zstd::stream::encode_all(data, 1).unwrap(),
        }
    }

    fn unpack(payload: &[u8], compression: PayloadCompression, limit: usize) -> Result<Vec<u8>> {
        decompress(payload, compression, limit, &mut |_| Ok(())).map(Cow::into_owned)
    }

    #[test]
    fn every_compression_gives_back_what_was_packed_up_to_the_limit() {
        let data: Vec<u8> = (0..300_000u32).flat_map(u32::to_le_bytes).collect();
        for compression in PayloadCompression::ALL {
            let packed = compress(&data, compression);
            assert_eq!(unpack(&packed, compression, data.len()).unwrap(), data);
            assert!(matches!(
                unpack(&packed, compression, data.len() - 1),
                Err(IngestError::TooLarge { .. })
            ));
            assert_eq!(unpack(&[], compression, 10), Ok(Vec::new()));
        }
    }

    #[test]
    fn truncated_and_foreign_bodies_are_malformed() {
        let data = vec![7; 100_000];
        for compression in [
            PayloadCompression::Gzip,
            PayloadCompression::Zstd,
            PayloadCompression::Deflate,
        ] {
            let packed = compress(&data, compression);
            for end in [1, packed.len() / 2, packed.len() - 1] {
                assert!(
                    matches!(
                        unpack(&packed[..end], compression, 1 << 20),
                        Err(IngestError::Malformed(_))
                    ),
                    "{compression:?} {end}"
                );
            }
            let mut longer = packed.clone();
            longer.extend_from_slice(b"garbage");
            assert!(
                matches!(
                    unpack(&longer, compression, 1 << 20),
                    Err(IngestError::Malformed(_))
                ),
                "{compression:?}"
            );
            assert!(matches!(
                unpack(b"plain text, not packed", compression, 1 << 20),
                Err(IngestError::Malformed(_))
            ));
        }
    }

    #[test]
    fn a_bomb_stops_near_the_limit() {
        let bomb = compress(&vec![0; 50_000_000], PayloadCompression::Gzip);
        let mut granted = 0;
        let result = decompress(&bomb, PayloadCompression::Gzip, 1_000_000, &mut |bytes| {
            granted += bytes;
            Ok(())
        });
        assert!(matches!(result, Err(IngestError::TooLarge { .. })));
        assert!(granted < 2_000_000, "{granted}");
    }

    #[test]
    fn a_large_zstd_window_is_refused() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(24).unwrap();
        encoder.write_all(&vec![1; 20_000_000]).unwrap();
        let packed = encoder.finish().unwrap();
        assert!(matches!(
            unpack(&packed, PayloadCompression::Zstd, 64_000_000),
            Err(IngestError::Malformed(_))
        ));
    }

    #[test]
    fn growth_may_be_refused() {
        let packed = compress(&vec![1; 1_000_000], PayloadCompression::Zstd);
        let refusal = IngestError::Overloaded {
            used_bytes: 1,
            limit_bytes: 1,
        };
        let result = decompress(&packed, PayloadCompression::Zstd, 1 << 21, &mut |_| {
            Err(refusal.clone())
        });
        assert_eq!(result, Err(refusal));
    }

    #[test]
    fn headers_are_read_without_regard_to_case_and_parameters() {
        let encoding = |header| encoding_of_content_type(header).ok();
        assert_eq!(
            encoding("application/x-protobuf"),
            Some(PayloadEncoding::Protobuf)
        );
        assert_eq!(
            encoding("Application/JSON; charset=utf-8"),
            Some(PayloadEncoding::Json)
        );
        assert_eq!(encoding("text/plain"), None);
        assert_eq!(encoding(""), None);
        let compression = |header| compression_of_content_encoding(header).ok();
        assert_eq!(compression("GZIP"), Some(PayloadCompression::Gzip));
        assert_eq!(compression("identity"), Some(PayloadCompression::None));
        assert_eq!(compression("br"), None);
        assert_eq!(compression("gzip, gzip"), None);
    }
}
