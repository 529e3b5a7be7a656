//! Names of types and units as ClickHouse prints them.

use std::fmt;

use super::{IntervalUnit, Type};

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UInt8 => f.write_str("UInt8"),
            Self::UInt16 => f.write_str("UInt16"),
            Self::UInt32 => f.write_str("UInt32"),
            Self::UInt64 => f.write_str("UInt64"),
            Self::Int8 => f.write_str("Int8"),
            Self::Int16 => f.write_str("Int16"),
            Self::Int32 => f.write_str("Int32"),
            Self::Int64 => f.write_str("Int64"),
            Self::Float32 => f.write_str("Float32"),
            Self::Float64 => f.write_str("Float64"),
            Self::Bool => f.write_str("Bool"),
            Self::String => f.write_str("String"),
            Self::FixedString(bytes) => write!(f, "FixedString({bytes})"),
            Self::Date => f.write_str("Date"),
            Self::Date32 => f.write_str("Date32"),
            Self::DateTime(None) => f.write_str("DateTime"),
            Self::DateTime(Some(zone)) => write!(f, "DateTime({})", Quoted(zone)),
            Self::DateTime64(scale, None) => write!(f, "DateTime64({scale})"),
            Self::DateTime64(scale, Some(zone)) => {
                write!(f, "DateTime64({scale}, {})", Quoted(zone))
            }
            Self::Uuid => f.write_str("UUID"),
            Self::Enum8(items) => {
                f.write_str("Enum8(")?;
                for (i, (name, number)) in items.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    write!(f, "{comma}{} = {number}", Quoted(name))?;
                }
                f.write_str(")")
            }
            Self::Interval(unit) => write!(f, "Interval{}", unit.name()),
            Self::Decimal(precision, scale) => write!(f, "Decimal({precision}, {scale})"),
            Self::Array(item) => write!(f, "Array({item})"),
            Self::Tuple(items) => {
                f.write_str("Tuple(")?;
                for (i, (name, ty)) in items.iter().enumerate() {
                    let comma = if i == 0 { "" } else { ", " };
                    f.write_str(comma)?;
                    if let Some(name) = name {
                        write!(f, "{} ", Identifier(name))?;
                    }
                    write!(f, "{ty}")?;
                }
                f.write_str(")")
            }
            Self::Map(key, value) => write!(f, "Map({key}, {value})"),
            Self::Nullable(inner) => write!(f, "Nullable({inner})"),
            Self::LowCardinality(inner) => write!(f, "LowCardinality({inner})"),
            Self::Nothing => f.write_str("Nothing"),
        }
    }
}

/// A string literal: `'it\'s'`.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("'")?;
        for c in self.0.chars() {
            match c {
                '\'' => f.write_str("\\'")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\t' => f.write_str("\\t")?,
                '\r' => f.write_str("\\r")?,
                '\0' => f.write_str("\\0")?,
                '\u{8}' => f.write_str("\\b")?,
                '\u{c}' => f.write_str("\\f")?,
                other => write!(f, "{other}")?,
            }
        }
        f.write_str("'")
    }
}

/// A name as ClickHouse prints it: bare when it can be, else in backticks.
pub(crate) struct Identifier<'a>(pub(crate) &'a str);

impl fmt::Display for Identifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.0.bytes().next().unwrap_or(b'0');
        let bare = self
            .0
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if bare && !first.is_ascii_digit() && !self.0.eq_ignore_ascii_case("null") {
            return f.write_str(self.0);
        }
        write!(f, "`{}`", self.0.replace('\\', "\\\\").replace('`', "\\`"))
    }
}

impl IntervalUnit {
    /// Every unit, shortest first.
    pub const ALL: [Self; 11] = [
        Self::Nanosecond,
        Self::Microsecond,
        Self::Millisecond,
        Self::Second,
        Self::Minute,
        Self::Hour,
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::Year,
    ];

    /// Name as in `IntervalDay`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nanosecond => "Nanosecond",
            Self::Microsecond => "Microsecond",
            Self::Millisecond => "Millisecond",
            Self::Second => "Second",
            Self::Minute => "Minute",
            Self::Hour => "Hour",
            Self::Day => "Day",
            Self::Week => "Week",
            Self::Month => "Month",
            Self::Quarter => "Quarter",
            Self::Year => "Year",
        }
    }

    /// The unit of a word such as `day`, `DAYS`, `d`, `minute` or `SQL_TSI_DAY`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let lower = word.to_ascii_lowercase();
        let bare = lower.strip_prefix("sql_tsi_").unwrap_or(&lower);
        Some(match bare {
            "nanosecond" | "nanoseconds" | "ns" => Self::Nanosecond,
            "microsecond" | "microseconds" | "us" | "u" => Self::Microsecond,
            "millisecond" | "milliseconds" | "ms" => Self::Millisecond,
            "second" | "seconds" | "ss" | "s" => Self::Second,
            "minute" | "minutes" | "mi" | "n" => Self::Minute,
            "hour" | "hours" | "hh" | "h" => Self::Hour,
            "day" | "days" | "dd" | "d" => Self::Day,
            "week" | "weeks" | "wk" | "ww" | "w" => Self::Week,
            "month" | "months" | "mm" | "m" => Self::Month,
            "quarter" | "quarters" | "qq" | "q" => Self::Quarter,
            "year" | "years" | "yyyy" | "yy" | "y" => Self::Year,
            _ => return None,
        })
    }
}
