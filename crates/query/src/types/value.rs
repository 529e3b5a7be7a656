//! A constant of the dialect: what a literal, a folded expression or a parameter holds.

/// A constant. Its type is kept beside it; this is only the value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL
    Null,
    /// `true` / `false` of type Bool.
    Bool(bool),
    /// Unsigned integers, also DateTime (seconds) and Date (days).
    UInt(u64),
    /// Signed integers, also DateTime64 ticks and intervals.
    Int(i64),
    /// Floating point.
    Float(f64),
    /// Text.
    String(String),
    /// `[a, b]`
    Array(Vec<Self>),
    /// `(a, b)`
    Tuple(Vec<Self>),
    /// `{k: v}` in order.
    Map(Vec<(Self, Self)>),
}
