//! The closed set of conditions that the read side understands, over columns as SQL sees them.
//!
//! Query translates WHERE conjuncts into these; whatever it cannot translate it evaluates itself. Storage uses them to
//! prune by statistics and to select rows, and both must agree with SQL: no condition is ever only approximately true.

use std::fmt;

/// A value that a scan can produce: a stored column, or one looked up inside a map column.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScanColumn {
    /// A stored column by its SQL name.
    Stored(String),
    /// `column['key']`: the value, `''` when the key is absent. Read type `Utf8View`.
    MapValue {
        /// A map column.
        column: String,
        /// The key.
        key: String,
    },
    /// `mapContains(column, 'key')`. Read type `Boolean`.
    MapContains {
        /// A map column.
        column: String,
        /// The key.
        key: String,
    },
}

impl ScanColumn {
    /// A stored column.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        Self::Stored(name.to_owned())
    }

    /// The stored column that has to be read for it.
    #[must_use]
    pub fn source(&self) -> &str {
        match self {
            Self::Stored(column)
            | Self::MapValue { column, .. }
            | Self::MapContains { column, .. } => column,
        }
    }
}

impl fmt::Display for ScanColumn {
    /// The name of the field in scan results: `Body`, `LogAttributes['k']`, `mapContains(LogAttributes, 'k')`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stored(column) => f.write_str(column),
            Self::MapValue { column, key } => write!(f, "{column}['{key}']"),
            Self::MapContains { column, key } => write!(f, "mapContains({column}, '{key}')"),
        }
    }
}

/// A constant to compare with. The variant must fit the column: `Time` for timestamps, `Number` for numbers and
/// `MapContains` (0 or 1), `Text` for everything that reads as text (ids as lower-case hex).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scalar {
    /// Nanoseconds since 1970.
    Time(i64),
    /// An unsigned number.
    Number(u64),
    /// Text, compared by bytes.
    Text(String),
}

/// How to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A condition on text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TextMatch {
    /// `LIKE`: `%` any bytes, `_` one character, `\` escapes; the pattern as SQL has it.
    Like(String),
    /// `ILIKE`: the same, ignoring case (Unicode).
    ILike(String),
    /// `match`: a regular expression found anywhere in the text; `.` matches newlines, classes are ASCII (RE2).
    Regex(String),
    /// `hasToken`: a maximal run of ASCII letters, digits and bytes ≥ 0x80 equals this.
    Token(String),
    /// `startsWith`
    Prefix(String),
}

/// A condition on a row. Rows for which it is true are returned.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Predicate {
    /// Every row.
    #[default]
    True,
    /// All of them; empty = every row.
    And(Vec<Self>),
    /// Any of them; empty = no row.
    Or(Vec<Self>),
    /// Not it. (Two-valued: nothing is NULL here.)
    Not(Box<Self>),
    /// `column op value`
    Compare {
        /// Left side.
        column: ScanColumn,
        /// Operator.
        op: CompareOp,
        /// Right side.
        value: Scalar,
    },
    /// `column IN (values)`
    In {
        /// Left side.
        column: ScanColumn,
        /// The set; empty = no row.
        values: Vec<Scalar>,
    },
    /// A condition on text.
    Match {
        /// A column that reads as text.
        column: ScanColumn,
        /// The condition.
        pattern: TextMatch,
    },
}

impl Predicate {
    /// Calls `visit` with every column that the condition reads, repeated ones too.
    pub fn for_each_column<'a>(&'a self, visit: &mut dyn FnMut(&'a ScanColumn)) {
        match self {
            Self::True => {}
            Self::And(parts) | Self::Or(parts) => {
                for part in parts {
                    part.for_each_column(visit);
                }
            }
            Self::Not(part) => part.for_each_column(visit),
            Self::Compare { column, .. } | Self::In { column, .. } | Self::Match { column, .. } => {
                visit(column);
            }
        }
    }
}
