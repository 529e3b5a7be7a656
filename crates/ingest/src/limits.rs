//! Every bound of the decoder, one constant each, with its reason.
//!
//! A request that passes a request bound is refused whole; a record that passes a record bound is
//! rejected alone and counted in the partial success.

/// Bytes of one request after decompression. Collectors batch far below it; a bomb stops here.
pub const MAX_REQUEST_BYTES: usize = 64 * 1024 * 1024;

/// Bytes that one request may occupy as columns. Small records cost more as rows than on the wire;
/// this keeps the sum below what two concurrent worst cases may take of a 2 GiB process.
pub const MAX_DECODED_BYTES: usize = 256 * 1024 * 1024;

/// Log records, spans or data points of one request. An empty record is 2 bytes on the wire and about 90 bytes
/// as a row.
pub const MAX_RECORDS_PER_REQUEST: u64 = 1 << 20;

/// Attributes of one record, resource, scope, event or link.
pub(crate) const MAX_ATTRIBUTES_COUNT: usize = 4_096;

/// Bytes of one attribute key. Keys become dictionaries and columns, so they must stay names.
pub(crate) const MAX_KEY_BYTES: usize = 16 * 1024;

/// Bytes of one attribute value as encoded on the wire.
pub(crate) const MAX_VALUE_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of one log body as encoded on the wire.
pub(crate) const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// Events of one span.
pub(crate) const MAX_EVENTS_COUNT: usize = 10_000;

/// Links of one span.
pub(crate) const MAX_LINKS_COUNT: usize = 10_000;

/// Exemplars of one data point.
pub(crate) const MAX_EXEMPLARS_COUNT: usize = 10_000;

/// Buckets, bounds or quantiles of one data point. SDKs stop at 160 buckets; this leaves room for
/// histograms that were merged.
pub(crate) const MAX_BUCKETS_COUNT: usize = 16_384;

/// Bytes of one label (service, span or event name, severity, scope name, schema URL), which lives
/// in a dictionary. So do names, descriptions and units of metrics.
pub(crate) const MAX_LABEL_BYTES: usize = 64 * 1024;

/// Distinct UTC days of one request: a year of backfill with some slack. Each day becomes a segment
/// of its own, so a request must not open one for every day since 1970. Records of further days are
/// rejected, never moved in time.
pub(crate) const MAX_DAYS_PER_REQUEST: usize = 400;

/// Levels of nested lists and key-value lists that are kept of a value; deeper ones become `null`
/// and are counted.
pub(crate) const MAX_VALUE_DEPTH: u32 = 32;

/// Levels of nested arrays and objects in a JSON text; deeper text is malformed.
pub(crate) const MAX_JSON_DEPTH: u32 = 128;

/// Levels of nested protobuf groups, an encoding that OTLP never uses and that is only skipped.
pub(crate) const MAX_GROUP_DEPTH: usize = 64;

/// Characters at the start of a log body that are searched for a severity word.
pub(crate) const SEVERITY_SEARCH_CHARS: usize = 256;

/// Bytes that the flattened fields of a JSON body may take, as a multiple of the body: every leaf
/// repeats the path to it, so deep bodies grow. A body that grows more stays a plain body.
pub(crate) const MAX_FLATTEN_GROWTH: usize = 8;

/// Window of a zstd frame, as a power of two (8 MiB): what RFC 8878 asks every decoder to support.
pub(crate) const MAX_ZSTD_WINDOW_LOG: u32 = 23;

/// Bytes granted to a compressed request before its true size is known, per byte received.
/// Telemetry compresses 8 to 10 times; what is larger grows its permit while it is decompressed.
pub(crate) const COMPRESSED_GROWTH_ESTIMATE: u64 = 8;

/// Entries of one nested key-value list that are sorted into JSON; a longer list becomes `null` and
/// is counted.
pub(crate) const MAX_NESTED_PAIRS_COUNT: usize = 16_384;
