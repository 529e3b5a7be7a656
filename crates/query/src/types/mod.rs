//! ClickHouse types and constants. The type of an expression stands beside its Arrow array, because Arrow cannot tell a
//! `DateTime` from a `UInt32` or a `LowCardinality(String)` from a `String`.

mod arrow;
mod common;
mod constant;
mod name;
mod parse;
mod value;

pub(crate) use arrow::{entries_field, entry_fields, item_field, tuple_fields};
pub(crate) use common::common_type;
pub(crate) use constant::{uuid_text, values_to_array};
pub(crate) use name::Quoted;
pub use value::Value;
pub(crate) use value::as_f64;

/// A ClickHouse type. [`std::fmt::Display`] prints the name that clients see, `FromStr` reads it.
///
/// Physical form of each (what [`Type::arrow`] answers and every kernel and output format relies on):
///
/// | type | Arrow |
/// |---|---|
/// | `UInt8`…`UInt64`, `Int8`…`Int64`, `Float32`, `Float64` | the same |
/// | `Bool` | `Boolean` |
/// | `String`, `LowCardinality(String)`, `FixedString(n)` | `Utf8View` |
/// | `Date` | `UInt16`, days since 1970 |
/// | `Date32` | `Int32`, days since 1970 |
/// | `DateTime[(zone)]` | `UInt32`, seconds since 1970 |
/// | `DateTime64(p[, zone])` | `Int64`, ticks of 10^-p seconds since 1970 |
/// | `UUID` | `FixedSizeBinary(16)`, big endian |
/// | `Enum8` | `Int8` |
/// | `Interval*` | `Int64` |
/// | `Decimal(p, s)`, p ≤ 38 | `Decimal128(p, s)` |
/// | `Array(T)` | `List` |
/// | `Tuple(…)` | `Struct` |
/// | `Map(K, V)` | `Map` |
/// | `Nullable(T)` | as `T`, with NULLs |
/// | `LowCardinality(T)` | as `T` |
/// | `Nothing` | `Null` |
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Type {
    /// 8-bit unsigned; also what comparisons return.
    UInt8,
    /// 16-bit unsigned.
    UInt16,
    /// 32-bit unsigned.
    UInt32,
    /// 64-bit unsigned.
    UInt64,
    /// 8-bit signed.
    Int8,
    /// 16-bit signed.
    Int16,
    /// 32-bit signed.
    Int32,
    /// 64-bit signed.
    Int64,
    /// 32-bit float.
    Float32,
    /// 64-bit float.
    Float64,
    /// `true` or `false`.
    Bool,
    /// Text. Valid UTF-8 here; functions that cut bytes replace broken sequences.
    String,
    /// Text of a fixed number of bytes.
    FixedString(u32),
    /// Day since 1970, 16 bits.
    Date,
    /// Day, 32 bits signed.
    Date32,
    /// Second since 1970, shown in the zone or the server's zone.
    DateTime(Option<String>),
    /// Ticks of 10^-precision seconds since 1970.
    DateTime64(u8, Option<String>),
    /// A UUID.
    Uuid,
    /// Named numbers, sorted by number.
    Enum8(Vec<(String, i8)>),
    /// A span of time in one unit.
    Interval(IntervalUnit),
    /// Fixed-point number: precision, scale.
    Decimal(u8, u8),
    /// List.
    Array(Box<Self>),
    /// Fields with optional names (all or none).
    Tuple(Vec<(Option<String>, Self)>),
    /// Key to value.
    Map(Box<Self>, Box<Self>),
    /// May be NULL.
    Nullable(Box<Self>),
    /// Dictionary-encoded for clients; the same values.
    LowCardinality(Box<Self>),
    /// The type of a literal NULL inside `Nullable`, and of the items of `[]`.
    Nothing,
}

/// Unit of an `Interval` type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IntervalUnit {
    /// `IntervalNanosecond`
    Nanosecond,
    /// `IntervalMicrosecond`
    Microsecond,
    /// `IntervalMillisecond`
    Millisecond,
    /// `IntervalSecond`
    Second,
    /// `IntervalMinute`
    Minute,
    /// `IntervalHour`
    Hour,
    /// `IntervalDay`
    Day,
    /// `IntervalWeek`
    Week,
    /// `IntervalMonth`
    Month,
    /// `IntervalQuarter`
    Quarter,
    /// `IntervalYear`
    Year,
}
