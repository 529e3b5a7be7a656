//! Which filters storage evaluates: DataFusion expressions to storage's closed set of conditions, exactly or not at all.

use cairn_storage::{
    ColumnKind, CompareOp, NANOS_PER_SECOND, Predicate, Scalar, ScanColumn, TableDef, TableId,
    TextMatch,
};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{InList, Like, ScalarFunction};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

/// Seconds after which a 32-bit `DateTime` starts again at 1970.
const DATE_TIME_PERIOD_S: i64 = 1 << 32;
/// Periods of `DateTime` that nanoseconds since 1970 reach into (they end in 2262).
const DATE_TIME_PERIODS: i64 = 3;

/// The condition that is true for exactly the rows for which `filter` is; none when storage has no such condition.
pub(super) fn to_predicate(
    filter: &Expr,
    columns: &[ScanColumn],
    table: TableId,
) -> Option<Predicate> {
    Pushdown { columns, table }.predicate(filter)
}

struct Pushdown<'a> {
    columns: &'a [ScanColumn],
    table: TableId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reads {
    Time,
    /// Whole seconds, stored as nanoseconds.
    Seconds,
    Number,
    Flag,
    Text,
}

impl Pushdown<'_> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "DataFusion has many expressions, storage few"
    )]
    fn predicate(&self, filter: &Expr) -> Option<Predicate> {
        match filter {
            Expr::BinaryExpr(binary) => self.binary(binary),
            Expr::Not(inner) => Some(Predicate::Not(Box::new(self.predicate(inner)?))),
            Expr::InList(list) => self.in_list(list),
            Expr::Like(like) => self.like(like),
            Expr::Column(_) => {
                let (column, reads) = self.column(filter)?;
                (reads == Reads::Flag).then(|| is_set(&column))
            }
            Expr::Literal(ScalarValue::Boolean(Some(truth)), _) => Some(match truth {
                true => Predicate::True,
                false => Predicate::Or(Vec::new()),
            }),
            _ => None,
        }
    }

    fn binary(&self, binary: &BinaryExpr) -> Option<Predicate> {
        let BinaryExpr { left, op, right } = binary;
        if *op == Operator::And {
            return Some(Predicate::And(vec![
                self.predicate(left)?,
                self.predicate(right)?,
            ]));
        }
        if *op == Operator::Or {
            return Some(Predicate::Or(vec![
                self.predicate(left)?,
                self.predicate(right)?,
            ]));
        }
        let op = compare_op(*op)?;
        match (&**left, &**right) {
            (side, Expr::Literal(value, _)) => self.compare(side, op, value),
            (Expr::Literal(value, _), side) => self.compare(side, flipped(op), value),
            _ => None,
        }
    }

    fn compare(&self, side: &Expr, op: CompareOp, value: &ScalarValue) -> Option<Predicate> {
        if let Expr::ScalarFunction(call) = side {
            return self.call(call, op, value);
        }
        let (column, reads) = self.column(side)?;
        let value = scalar(value, reads)?;
        Some(Predicate::Compare { column, op, value })
    }

    /// Functions that answer 0 or 1 about a text, and seconds of the timestamp.
    fn call(&self, call: &ScalarFunction, op: CompareOp, value: &ScalarValue) -> Option<Predicate> {
        match (call.func.name(), call.args.as_slice()) {
            ("toDateTime", [argument]) => self.seconds(argument, op, value),
            (name @ ("empty" | "notEmpty"), [text]) => {
                let (column, Reads::Text) = self.column(text)? else {
                    return None;
                };
                let empty = truth(op, value)? == (name == "empty");
                let op = if empty {
                    CompareOp::Equal
                } else {
                    CompareOp::NotEqual
                };
                Some(compare(&column, op, Scalar::Text(String::new())))
            }
            (name, [text, Expr::Literal(pattern, _)]) => {
                let wanted = truth(op, value)?;
                let pattern = pattern.try_as_str()??.to_owned();
                let pattern = match name {
                    "hasToken" => TextMatch::Token(pattern),
                    "startsWith" => TextMatch::Prefix(pattern),
                    "match" => TextMatch::Regex(pattern),
                    "like" => TextMatch::Like(pattern),
                    "ilike" => TextMatch::ILike(pattern),
                    _ => return None,
                };
                let found = self.matches(text, pattern)?;
                Some(if wanted {
                    found
                } else {
                    Predicate::Not(Box::new(found))
                })
            }
            _ => None,
        }
    }

    /// `toDateTime(Timestamp) op seconds`: a range of nanoseconds in every period of the 32-bit seconds.
    fn seconds(&self, argument: &Expr, op: CompareOp, value: &ScalarValue) -> Option<Predicate> {
        let (column, Reads::Time | Reads::Seconds) = self.column(argument)? else {
            return None;
        };
        let second = i64::try_from(unsigned(value)?).ok()?;
        if op == CompareOp::NotEqual {
            let same = self.seconds(argument, CompareOp::Equal, value)?;
            return Some(Predicate::Not(Box::new(same)));
        }
        let (from, to) = match op {
            CompareOp::Equal | CompareOp::NotEqual => (second, second.checked_add(1)?),
            CompareOp::Less => (0, second),
            CompareOp::LessOrEqual => (0, second.checked_add(1)?),
            CompareOp::Greater => (second.checked_add(1)?, DATE_TIME_PERIOD_S),
            CompareOp::GreaterOrEqual => (second, DATE_TIME_PERIOD_S),
        };
        let mut ranges = Vec::new();
        for period in 0..DATE_TIME_PERIODS {
            let bound = |second: i64| {
                let second = period
                    .saturating_mul(DATE_TIME_PERIOD_S)
                    .saturating_add(second);
                Scalar::Time(second.saturating_mul(NANOS_PER_SECOND))
            };
            let mut range = vec![compare(&column, CompareOp::GreaterOrEqual, bound(from))];
            // A bound past the end of time excludes nothing.
            if bound(to) != Scalar::Time(i64::MAX) {
                range.push(compare(&column, CompareOp::Less, bound(to)));
            }
            ranges.push(Predicate::And(range));
        }
        Some(Predicate::Or(ranges))
    }

    fn in_list(&self, list: &InList) -> Option<Predicate> {
        let (column, reads) = self.column(&list.expr)?;
        let values = list
            .list
            .iter()
            .map(|item| item.as_literal().and_then(|value| scalar(value, reads)))
            .collect::<Option<Vec<_>>>()?;
        let found = Predicate::In { column, values };
        Some(if list.negated {
            Predicate::Not(Box::new(found))
        } else {
            found
        })
    }

    fn like(&self, like: &Like) -> Option<Predicate> {
        let Expr::Literal(pattern, _) = &*like.pattern else {
            return None;
        };
        if like.escape_char.is_some_and(|escape| escape != '\\') {
            return None;
        }
        let pattern = pattern.try_as_str()??.to_owned();
        let pattern = match like.case_insensitive {
            true => TextMatch::ILike(pattern),
            false => TextMatch::Like(pattern),
        };
        let found = self.matches(&like.expr, pattern)?;
        Some(if like.negated {
            Predicate::Not(Box::new(found))
        } else {
            found
        })
    }

    fn matches(&self, text: &Expr, pattern: TextMatch) -> Option<Predicate> {
        let (column, Reads::Text) = self.column(text)? else {
            return None;
        };
        Some(Predicate::Match { column, pattern })
    }

    fn column(&self, expr: &Expr) -> Option<(ScanColumn, Reads)> {
        let Expr::Column(name) = expr else {
            return None;
        };
        let column = self
            .columns
            .iter()
            .find(|column| column.to_string() == name.name)?;
        let reads = match column {
            ScanColumn::MapValue { .. } => Reads::Text,
            ScanColumn::MapContains { .. } => Reads::Flag,
            ScanColumn::Stored(name) => match TableDef::of(self.table).column(name)?.kind {
                ColumnKind::Timestamp => Reads::Time,
                ColumnKind::Seconds => Reads::Seconds,
                ColumnKind::UInt8 | ColumnKind::UInt64 => Reads::Number,
                ColumnKind::TraceId | ColumnKind::SpanId | ColumnKind::Label | ColumnKind::Text => {
                    Reads::Text
                }
                ColumnKind::SharedAttributes
                | ColumnKind::Attributes
                | ColumnKind::Number(_)
                | ColumnKind::TimestampList
                | ColumnKind::SecondsList
                | ColumnKind::NumberList(_)
                | ColumnKind::LabelList
                | ColumnKind::TextList
                | ColumnKind::AttributesList => return None,
            },
        };
        Some((column.clone(), reads))
    }
}

/// What a comparison of a 0-or-1 function with a constant asks for: that it is 1 (true) or 0.
fn truth(op: CompareOp, value: &ScalarValue) -> Option<bool> {
    match (op, unsigned(value)?) {
        (CompareOp::Equal, 1) | (CompareOp::NotEqual, 0) => Some(true),
        (CompareOp::Equal, 0) | (CompareOp::NotEqual, 1) => Some(false),
        _ => None,
    }
}

fn is_set(column: &ScanColumn) -> Predicate {
    compare(column, CompareOp::Equal, Scalar::Number(1))
}

fn compare(column: &ScanColumn, op: CompareOp, value: Scalar) -> Predicate {
    let column = column.clone();
    Predicate::Compare { column, op, value }
}

fn scalar(value: &ScalarValue, reads: Reads) -> Option<Scalar> {
    match reads {
        Reads::Text => Some(Scalar::Text(value.try_as_str()??.to_owned())),
        Reads::Number => Some(Scalar::Number(unsigned(value)?)),
        Reads::Flag => {
            let flag = bool::try_from(value.clone()).ok()?;
            Some(Scalar::Number(u64::from(flag)))
        }
        Reads::Time => Some(Scalar::Time(i64::try_from(value.clone()).ok()?)),
        Reads::Seconds => {
            let second = i64::try_from(unsigned(value)?).ok()?;
            Some(Scalar::Time(second.checked_mul(NANOS_PER_SECOND)?))
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other scalars are no unsigned numbers"
)]
fn unsigned(value: &ScalarValue) -> Option<u64> {
    match value {
        ScalarValue::UInt8(number) => number.map(u64::from),
        ScalarValue::UInt16(number) => number.map(u64::from),
        ScalarValue::UInt32(number) => number.map(u64::from),
        ScalarValue::UInt64(number) => *number,
        _ => None,
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all other operators are no comparisons"
)]
fn compare_op(op: Operator) -> Option<CompareOp> {
    Some(match op {
        Operator::Eq => CompareOp::Equal,
        Operator::NotEq => CompareOp::NotEqual,
        Operator::Lt => CompareOp::Less,
        Operator::LtEq => CompareOp::LessOrEqual,
        Operator::Gt => CompareOp::Greater,
        Operator::GtEq => CompareOp::GreaterOrEqual,
        _ => return None,
    })
}

fn flipped(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Equal | CompareOp::NotEqual => op,
        CompareOp::Less => CompareOp::Greater,
        CompareOp::LessOrEqual => CompareOp::GreaterOrEqual,
        CompareOp::Greater => CompareOp::Less,
        CompareOp::GreaterOrEqual => CompareOp::LessOrEqual,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{col, lit};

    use super::*;
    use crate::scan::columns::scan_columns;

    fn check(filter: &Expr) -> Option<Predicate> {
        let key = "http.route".to_owned();
        let column = "LogAttributes".to_owned();
        let columns = scan_columns(TableId::Logs, &[ScanColumn::MapValue { column, key }]);
        to_predicate(filter, &columns, TableId::Logs)
    }

    fn severity(op: CompareOp, number: u64) -> Predicate {
        compare(
            &ScanColumn::stored("SeverityNumber"),
            op,
            Scalar::Number(number),
        )
    }

    #[test]
    fn comparisons_are_turned_so_that_the_column_is_on_the_left() {
        let found = check(&lit(9_u8).lt(col("\"SeverityNumber\"")));
        assert_eq!(found, Some(severity(CompareOp::Greater, 9)));
        let both = col("\"SeverityNumber\"")
            .eq(lit(9_u8))
            .and(col("\"Body\"").is_null());
        assert_eq!(check(&both), None, "half a conjunction is not pushed");
    }

    #[test]
    fn values_in_maps_are_columns() {
        let name = datafusion::common::Column::new_unqualified("LogAttributes['http.route']");
        let found = check(&Expr::Column(name).eq(lit("/cart"))).unwrap();
        let Predicate::Compare { column, .. } = found else {
            panic!("{found:?}");
        };
        assert_eq!(column.to_string(), "LogAttributes['http.route']");
    }

    #[test]
    fn values_of_another_type_are_not_pushed() {
        assert_eq!(check(&col("\"SeverityNumber\"").eq(lit("9"))), None);
        assert_eq!(check(&col("\"Timestamp\"").gt(lit(1_u64))), None);
        assert_eq!(check(&col("\"LogAttributes\"").eq(lit("x"))), None);
    }
}
