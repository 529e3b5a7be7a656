//! What statistics say about a condition: no row, every row, or some. Pure; the answer is never wrong, only undecided.

use std::collections::BTreeMap;

use super::condition::{ColumnTest, Condition, Ordered, Test, TextTest, compare};
use crate::predicate::{CompareOp, ScanColumn};
use crate::schema::TableDef;
use crate::segment::{ColumnStats, RowGroupMeta, SegmentMeta};
use crate::time::TimeRange;

/// How many of the rows meet a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// None: they need not be read.
    Nothing,
    /// Only reading them tells.
    Some,
    /// All: the condition need not be evaluated.
    Everything,
}

/// What is known about the values of one column in a set of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known<'a> {
    /// Nothing.
    Unknown,
    /// Bounds of times.
    Times(i64, i64),
    /// Bounds of numbers.
    Numbers(u64, u64),
    /// Bounds of texts, perhaps only from below.
    Texts(&'a [u8], Option<&'a [u8]>),
    /// Exactly these texts occur.
    Listed(&'a [String]),
    /// Only `''` occurs.
    Blank,
}

/// Something that knows about sets of rows.
pub(crate) trait Knowledge {
    /// What is known about `column`.
    fn about(&self, column: &ScanColumn) -> Known<'_>;
}

/// The statistics of a segment or of a row group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statistics<'a> {
    rows: u64,
    time_column: &'static str,
    time: TimeRange,
    columns: &'a BTreeMap<String, ColumnStats>,
}

impl<'a> Statistics<'a> {
    pub(super) fn of_segment(table: &TableDef, meta: &'a SegmentMeta) -> Self {
        Self {
            rows: meta.rows,
            time_column: table.time_column(),
            time: meta.time,
            columns: &meta.columns,
        }
    }

    pub(super) fn of_row_group(table: &TableDef, meta: &'a RowGroupMeta) -> Self {
        Self {
            rows: meta.rows,
            time_column: table.time_column(),
            time: meta.time,
            columns: &meta.columns,
        }
    }
}

impl Knowledge for Statistics<'_> {
    fn about(&self, column: &ScanColumn) -> Known<'_> {
        let stats = self.columns.get(column.source());
        match (column, stats) {
            (ScanColumn::Stored(name), _) if name == self.time_column => {
                Known::Times(self.time.min.0, self.time.max.0)
            }
            (ScanColumn::Stored(_), Some(ColumnStats::Numbers { min, max })) => {
                Known::Numbers(*min, *max)
            }
            (ScanColumn::Stored(_), Some(ColumnStats::Text { min, max })) => {
                Known::Texts(min.as_bytes(), max.as_ref().map(String::as_bytes))
            }
            (ScanColumn::Stored(_), Some(ColumnStats::Labels(labels))) => Known::Listed(labels),
            (ScanColumn::MapValue { key, .. }, Some(ColumnStats::Keys(keys)))
                if keys.binary_search(key).is_err() =>
            {
                Known::Blank
            }
            (ScanColumn::MapValue { key, .. }, Some(ColumnStats::KeyRows(keys)))
                if !keys.contains_key(key) =>
            {
                Known::Blank
            }
            (ScanColumn::MapContains { key, .. }, Some(ColumnStats::KeyRows(keys))) => {
                match keys.get(key) {
                    None => Known::Numbers(0, 0),
                    Some(rows) => Known::Numbers(u64::from(*rows == self.rows), 1),
                }
            }
            (ScanColumn::MapContains { key, .. }, Some(ColumnStats::Keys(keys)))
                if keys.binary_search(key).is_err() =>
            {
                Known::Numbers(0, 0)
            }
            _ => Known::Unknown,
        }
    }
}

/// How many rows of what `knowledge` describes meet `condition`.
pub(crate) fn judge(condition: &Condition, knowledge: &dyn Knowledge) -> Verdict {
    match condition {
        Condition::Constant(true) => Verdict::Everything,
        Condition::Constant(false) => Verdict::Nothing,
        Condition::And(parts) => fold(parts, knowledge, Verdict::Everything, Verdict::Nothing),
        Condition::Or(parts) => fold(parts, knowledge, Verdict::Nothing, Verdict::Everything),
        Condition::Not(part) => match judge(part, knowledge) {
            Verdict::Nothing => Verdict::Everything,
            Verdict::Some => Verdict::Some,
            Verdict::Everything => Verdict::Nothing,
        },
        Condition::Test(test) => judge_test(test, knowledge.about(&test.column)),
    }
}

/// `neutral` when all parts are, `decisive` when one is, otherwise undecided.
fn fold(
    parts: &[Condition],
    knowledge: &dyn Knowledge,
    neutral: Verdict,
    decisive: Verdict,
) -> Verdict {
    let mut all = neutral;
    for part in parts {
        let verdict = judge(part, knowledge);
        if verdict == decisive {
            return decisive;
        }
        if verdict != neutral {
            all = Verdict::Some;
        }
    }
    all
}

/// What remains to be evaluated where `knowledge` holds: conjuncts that every row meets are dropped. `None` = no row.
pub(crate) fn simplify(conjuncts: &[Condition], knowledge: &dyn Knowledge) -> Option<Vec<usize>> {
    let mut left = Vec::new();
    for (number, conjunct) in conjuncts.iter().enumerate() {
        match judge(conjunct, knowledge) {
            Verdict::Nothing => return None,
            Verdict::Some => left.push(number),
            Verdict::Everything => {}
        }
    }
    Some(left)
}

fn judge_test(test: &ColumnTest, known: Known<'_>) -> Verdict {
    match (&test.test, known) {
        (Test::Time(test), Known::Times(min, max)) => judge_bounds(test, &min, Some(&max)),
        (Test::Number(test), Known::Numbers(min, max)) => judge_bounds(test, &min, Some(&max)),
        (Test::Text(test), Known::Texts(min, max)) => judge_text_bounds(test, min, max),
        (Test::Text(test), Known::Listed(texts)) => {
            judge_all(texts.iter().map(|text| test.test(text.as_bytes())))
        }
        (Test::Text(test), Known::Blank) => judge_all([test.test(b"")].into_iter()),
        _ => Verdict::Some,
    }
}

fn judge_all(answers: impl Iterator<Item = bool>) -> Verdict {
    let (mut some, mut all) = (false, true);
    for answer in answers {
        some |= answer;
        all &= answer;
    }
    match (some, all) {
        (false, _) => Verdict::Nothing,
        (true, true) => Verdict::Everything,
        (true, false) => Verdict::Some,
    }
}

fn judge_text_bounds(test: &TextTest, min: &[u8], max: Option<&[u8]>) -> Verdict {
    match test {
        TextTest::Ordered(test) => {
            judge_bounds(test, &min.to_vec(), max.map(<[u8]>::to_vec).as_ref())
        }
        TextTest::Match(matcher) => {
            let prefix = matcher.prefix();
            let above = max.is_some_and(|max| max < prefix);
            // Everything that begins with the prefix is below a minimum that is above it and does not begin so.
            let below = min > prefix && !min.starts_with(prefix);
            if above || below {
                Verdict::Nothing
            } else {
                Verdict::Some
            }
        }
    }
}

/// `min` and `max` bound the values, but need not occur.
fn judge_bounds<T: Ord>(test: &Ordered<T>, min: &T, max: Option<&T>) -> Verdict {
    let (op, constant) = match test {
        Ordered::Compare(op, constant) => (*op, constant),
        Ordered::In(set) => {
            let mut inside = set
                .iter()
                .filter(|value| *value >= min && max.is_none_or(|max| *value <= max));
            return match inside.next() {
                None => Verdict::Nothing,
                Some(_) if max == Some(min) => Verdict::Everything,
                Some(_) => Verdict::Some,
            };
        }
    };
    let at_min = compare(min, op, constant);
    let at_max = max.map(|max| compare(max, op, constant));
    let yes_no = |all: bool, none: bool| match (all, none) {
        (true, _) => Verdict::Everything,
        (false, true) => Verdict::Nothing,
        (false, false) => Verdict::Some,
    };
    match op {
        CompareOp::Less | CompareOp::LessOrEqual => yes_no(at_max == Some(true), !at_min),
        CompareOp::Greater | CompareOp::GreaterOrEqual => yes_no(at_min, at_max == Some(false)),
        CompareOp::Equal => yes_no(only(min, max, constant), outside(min, max, constant)),
        CompareOp::NotEqual => yes_no(outside(min, max, constant), only(min, max, constant)),
    }
}

fn outside<T: Ord>(min: &T, max: Option<&T>, constant: &T) -> bool {
    constant < min || max.is_some_and(|max| constant > max)
}

fn only<T: Ord>(min: &T, max: Option<&T>, constant: &T) -> bool {
    max == Some(min) && min == constant
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(op: CompareOp, constant: u64, min: u64, max: u64) -> Verdict {
        judge_bounds(&Ordered::Compare(op, constant), &min, Some(&max))
    }

    #[test]
    fn verdicts_agree_with_every_value_between_the_bounds() {
        for op in [
            CompareOp::Equal,
            CompareOp::NotEqual,
            CompareOp::Less,
            CompareOp::LessOrEqual,
            CompareOp::Greater,
            CompareOp::GreaterOrEqual,
        ] {
            for (min, max) in [(1, 1), (1, 3), (2, 5)] {
                for constant in 0..7 {
                    let values = (min..=max).map(|value| compare(&value, op, &constant));
                    assert_eq!(
                        bounds(op, constant, min, max),
                        judge_all(values),
                        "{min}..={max} {op:?} {constant}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_text_without_upper_bound_is_never_above_it() {
        let equal = TextTest::Ordered(Ordered::Compare(CompareOp::Equal, b"zzz".to_vec()));
        assert_eq!(judge_text_bounds(&equal, b"b", None), Verdict::Some);
        assert_eq!(
            judge_text_bounds(&equal, b"b", Some(b"y")),
            Verdict::Nothing
        );
        let less = TextTest::Ordered(Ordered::Compare(CompareOp::Less, b"a".to_vec()));
        assert_eq!(judge_text_bounds(&less, b"b", None), Verdict::Nothing);
    }
}
