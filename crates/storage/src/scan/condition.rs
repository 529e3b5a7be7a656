//! A predicate compiled for one table: columns checked, constants in the form of the column, patterns compiled once.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::predicate::{CompareOp, Predicate, Scalar, ScanColumn};
use crate::schema::{ColumnKind, TableDef};
use crate::text_match::TextMatcher;

/// A compiled predicate.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    /// Always so.
    Constant(bool),
    /// All of them.
    And(Vec<Self>),
    /// Any of them.
    Or(Vec<Self>),
    /// Not it.
    Not(Box<Self>),
    /// A test of one column.
    Test(Box<ColumnTest>),
}

/// A test of one column's value.
#[derive(Debug, Clone)]
pub(crate) struct ColumnTest {
    /// The column.
    pub(crate) column: ScanColumn,
    /// The test.
    pub(crate) test: Test,
}

/// A test, by the type that the column reads as.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    /// Of nanoseconds since 1970.
    Time(Ordered<i64>),
    /// Of a number.
    Number(Ordered<u64>),
    /// Of a text.
    Text(TextTest),
}

/// A test of values that have an order.
#[derive(Debug, Clone)]
pub(crate) enum Ordered<T> {
    /// `value op constant`
    Compare(CompareOp, T),
    /// `value IN (constants)`
    In(BTreeSet<T>),
}

/// A test of text, by bytes.
#[derive(Debug, Clone)]
pub(crate) enum TextTest {
    /// A comparison or a set.
    Ordered(Ordered<Vec<u8>>),
    /// A pattern.
    Match(TextMatcher),
}

impl<T: Ord> Ordered<T> {
    /// Whether `value` passes.
    pub(crate) fn test<Q: Ord + ?Sized>(&self, value: &Q) -> bool
    where
        T: std::borrow::Borrow<Q>,
    {
        match self {
            Self::Compare(op, constant) => compare(value, *op, constant.borrow()),
            Self::In(constants) => constants.contains(value),
        }
    }
}

/// `left op right`
pub(crate) fn compare<T: Ord + ?Sized>(left: &T, op: CompareOp, right: &T) -> bool {
    match op {
        CompareOp::Equal => left == right,
        CompareOp::NotEqual => left != right,
        CompareOp::Less => left < right,
        CompareOp::LessOrEqual => left <= right,
        CompareOp::Greater => left > right,
        CompareOp::GreaterOrEqual => left >= right,
    }
}

impl TextTest {
    /// Whether `text` passes.
    pub(crate) fn test(&self, text: &[u8]) -> bool {
        match self {
            Self::Ordered(test) => test.test(text),
            Self::Match(matcher) => matcher.is_match(text),
        }
    }
}

impl Condition {
    /// Compiles `predicate` for `table`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown column, a constant that does not fit its column, or a malformed pattern.
    pub(crate) fn compile(table: &TableDef, predicate: &Predicate) -> Result<Self> {
        let all = |parts: &[Predicate]| -> Result<Vec<Self>> {
            parts
                .iter()
                .map(|part| Self::compile(table, part))
                .collect()
        };
        Ok(match predicate {
            Predicate::True => Self::Constant(true),
            Predicate::And(parts) => Self::And(all(parts)?),
            Predicate::Or(parts) => Self::Or(all(parts)?),
            Predicate::Not(part) => Self::Not(Box::new(Self::compile(table, part)?)),
            Predicate::Compare { column, op, value } => {
                Self::compile_compare(table, column, *op, value)?
            }
            Predicate::In { column, values } => Self::compile_in(table, column, values)?,
            Predicate::Match { column, pattern } => {
                if read_class(table, column)? != Class::Text {
                    return Err(mismatch(column, "a text pattern"));
                }
                Self::test_of(
                    column,
                    Test::Text(TextTest::Match(TextMatcher::compile(pattern)?)),
                )
            }
        })
    }

    fn test_of(column: &ScanColumn, test: Test) -> Self {
        Self::Test(Box::new(ColumnTest {
            column: column.clone(),
            test,
        }))
    }

    fn compile_compare(
        table: &TableDef,
        column: &ScanColumn,
        op: CompareOp,
        value: &Scalar,
    ) -> Result<Self> {
        let test = match Constants::of(table, column, std::slice::from_ref(value))? {
            Constants::Times(mut set) => set
                .pop_first()
                .map(|value| Test::Time(Ordered::Compare(op, value))),
            Constants::Numbers(mut set) => set
                .pop_first()
                .map(|value| Test::Number(Ordered::Compare(op, value))),
            Constants::Texts(mut set) => set
                .pop_first()
                .map(|value| Test::Text(TextTest::Ordered(Ordered::Compare(op, value)))),
        };
        Ok(test.map_or(Self::Constant(false), |test| Self::test_of(column, test)))
    }

    fn compile_in(table: &TableDef, column: &ScanColumn, values: &[Scalar]) -> Result<Self> {
        let test = match Constants::of(table, column, values)? {
            Constants::Times(set) => Test::Time(Ordered::In(set)),
            Constants::Numbers(set) => Test::Number(Ordered::In(set)),
            Constants::Texts(set) => Test::Text(TextTest::Ordered(Ordered::In(set))),
        };
        Ok(Self::test_of(column, test))
    }

    /// Calls `visit` with every column that has to be read, repeated ones too.
    pub(crate) fn for_each_column<'a>(&'a self, visit: &mut dyn FnMut(&'a ScanColumn)) {
        match self {
            Self::Constant(_) => {}
            Self::And(parts) | Self::Or(parts) => {
                for part in parts {
                    part.for_each_column(visit);
                }
            }
            Self::Not(part) => part.for_each_column(visit),
            Self::Test(test) => visit(&test.column),
        }
    }

    /// The parts that all have to hold.
    pub(crate) fn conjuncts(self) -> Vec<Self> {
        match self {
            Self::And(parts) => parts.into_iter().flat_map(Self::conjuncts).collect(),
            Self::Constant(true) => Vec::new(),
            other @ (Self::Constant(false) | Self::Or(_) | Self::Not(_) | Self::Test(_)) => {
                vec![other]
            }
        }
    }
}

enum Constants {
    Times(BTreeSet<i64>),
    Numbers(BTreeSet<u64>),
    Texts(BTreeSet<Vec<u8>>),
}

impl Constants {
    fn of(table: &TableDef, column: &ScanColumn, values: &[Scalar]) -> Result<Self> {
        Ok(match read_class(table, column)? {
            Class::Time => Self::Times(
                values
                    .iter()
                    .map(|value| match value {
                        Scalar::Time(time) => Ok(*time),
                        Scalar::Number(_) | Scalar::Text(_) => Err(mismatch(column, "a time")),
                    })
                    .collect::<Result<_>>()?,
            ),
            Class::Number => Self::Numbers(
                values
                    .iter()
                    .map(|value| match value {
                        Scalar::Number(number) => Ok(*number),
                        Scalar::Time(_) | Scalar::Text(_) => Err(mismatch(column, "a number")),
                    })
                    .collect::<Result<_>>()?,
            ),
            Class::Text => Self::Texts(
                values
                    .iter()
                    .map(|value| match value {
                        Scalar::Text(text) => Ok(text.clone().into_bytes()),
                        Scalar::Time(_) | Scalar::Number(_) => Err(mismatch(column, "a text")),
                    })
                    .collect::<Result<_>>()?,
            ),
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Time,
    Number,
    Text,
}

fn read_class(table: &TableDef, column: &ScanColumn) -> Result<Class> {
    // Checks that the column exists, and that it is a map when a key is looked up.
    super::request::read_field(table, column)?;
    let kind = table.column(column.source()).map(|column| column.kind);
    match (column, kind) {
        (ScanColumn::MapValue { .. }, _) => Ok(Class::Text),
        (ScanColumn::MapContains { .. }, _) => Ok(Class::Number),
        (ScanColumn::Stored(_), Some(ColumnKind::Timestamp | ColumnKind::Seconds)) => {
            Ok(Class::Time)
        }
        (ScanColumn::Stored(_), Some(ColumnKind::UInt8 | ColumnKind::UInt64)) => Ok(Class::Number),
        (
            ScanColumn::Stored(_),
            Some(ColumnKind::TraceId | ColumnKind::SpanId | ColumnKind::Label | ColumnKind::Text),
        ) => Ok(Class::Text),
        (ScanColumn::Stored(_), _) => Err(mismatch(column, "a scalar column")),
    }
}

fn mismatch(column: &ScanColumn, needs: &str) -> Error {
    Error::Invalid(format!(
        "a condition on `{column}` does not fit the column: it would need {needs}"
    ))
}
