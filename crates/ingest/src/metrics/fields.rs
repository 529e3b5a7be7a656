//! Numbers of data points as they stand on the wire.

use crate::error::Result;
use crate::otlp::Field;

/// The number of a field that is `double` or `sfixed64`; a whole number beyond 2^53 loses its last digits.
pub(super) fn as_double(field: &Field<'_>) -> Result<f64> {
    Ok(f64::from_bits(field.fixed64()?))
}

/// The number of a `sfixed64` field.
pub(super) fn as_int(field: &Field<'_>) -> Result<f64> {
    Ok(field.fixed64()?.cast_signed() as f64)
}

/// Flags of a data point: 32 bits.
pub(super) fn flags(field: &Field<'_>) -> Result<u32> {
    // Protobuf keeps the low bits of a number that is too wide for its field.
    Ok(u32::try_from(field.varint()? & u64::from(u32::MAX)).unwrap_or_default())
}
