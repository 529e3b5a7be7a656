//! Which rows of a batch meet a condition.

use std::collections::BTreeSet;

use arrow::array::{Array, FixedSizeBinaryArray, StringArray, StringViewArray, make_view};
use arrow::buffer::BooleanBuffer;
use memchr::memmem::Finder;

use super::condition::{ColumnTest, Condition, Ordered, Test, TextTest};
use super::operand::{Operand, Texts, decode_flags, hex_pair};
use crate::error::{Error, Result};
use crate::predicate::{CompareOp, ScanColumn};

/// Where the columns of a batch come from.
pub(super) trait Columns {
    /// Number of rows.
    fn rows(&self) -> usize;
    /// The values of a column.
    fn operand(&self, column: &ScanColumn) -> Result<Operand>;
}

/// One bit per row of `batch`.
pub(super) fn evaluate(condition: &Condition, batch: &dyn Columns) -> Result<BooleanBuffer> {
    match condition {
        Condition::Constant(true) => Ok(BooleanBuffer::new_set(batch.rows())),
        Condition::Constant(false) => Ok(BooleanBuffer::new_unset(batch.rows())),
        Condition::Not(part) => Ok(!&evaluate(part, batch)?),
        Condition::And(parts) => {
            let mut all = BooleanBuffer::new_set(batch.rows());
            for part in parts {
                if all.count_set_bits() == 0 {
                    break;
                }
                all = &all & &evaluate(part, batch)?;
            }
            Ok(all)
        }
        Condition::Or(parts) => {
            let mut any = BooleanBuffer::new_unset(batch.rows());
            for part in parts {
                any = &any | &evaluate(part, batch)?;
            }
            Ok(any)
        }
        Condition::Test(test) => evaluate_test(test, &batch.operand(&test.column)?),
    }
}

fn evaluate_test(test: &ColumnTest, operand: &Operand) -> Result<BooleanBuffer> {
    match (&test.test, operand) {
        (Test::Time(test), Operand::Times(times)) => Ok(evaluate_ordered(test, times.values())),
        (Test::Number(test), Operand::Numbers(numbers)) => {
            Ok(evaluate_ordered(test, numbers.values()))
        }
        (Test::Number(test), Operand::Bytes(bytes)) => {
            let passes: Vec<bool> = (0..=u8::MAX)
                .map(|byte| test.test(&u64::from(byte)))
                .collect();
            let values = bytes.values();
            Ok(mask(values, |byte| {
                passes.get(usize::from(*byte)) == Some(&true)
            }))
        }
        (Test::Number(test), Operand::Flags(flags)) => {
            let (yes, no) = (test.test(&1), test.test(&0));
            Ok(match (yes, no) {
                (true, true) => BooleanBuffer::new_set(flags.len()),
                (true, false) => flags.clone(),
                (false, true) => !flags,
                (false, false) => BooleanBuffer::new_unset(flags.len()),
            })
        }
        (Test::Text(test), Operand::Texts(texts)) => Ok(evaluate_texts(test, texts)),
        (Test::Text(test), Operand::Ids(ids)) => Ok(evaluate_ids(test, ids)),
        _ => Err(Error::Internal {
            what: format!(
                "a condition on `{}` met a column of another type",
                test.column
            ),
        }),
    }
}

fn mask<T>(values: &[T], passes: impl Fn(&T) -> bool) -> BooleanBuffer {
    BooleanBuffer::collect_bool(values.len(), |row| values.get(row).is_some_and(&passes))
}

fn evaluate_ordered<T: Ord + Copy>(test: &Ordered<T>, values: &[T]) -> BooleanBuffer {
    match test {
        Ordered::In(set) => mask(values, |value| set.contains(value)),
        // One loop per operator: the branch must not be inside.
        Ordered::Compare(op, constant) => match op {
            CompareOp::Equal => mask(values, |value| value == constant),
            CompareOp::NotEqual => mask(values, |value| value != constant),
            CompareOp::Less => mask(values, |value| value < constant),
            CompareOp::LessOrEqual => mask(values, |value| value <= constant),
            CompareOp::Greater => mask(values, |value| value > constant),
            CompareOp::GreaterOrEqual => mask(values, |value| value >= constant),
        },
    }
}

fn evaluate_texts(test: &TextTest, texts: &Texts) -> BooleanBuffer {
    match texts {
        Texts::Coded(codes, values) => decode_flags(codes, &evaluate_texts(test, values)),
        Texts::Plain(texts) => evaluate_plain(test, texts),
        Texts::Viewed(texts) => match texts.nulls() {
            None => evaluate_views(test, texts),
            Some(nulls) if test.test(b"") => &evaluate_views(test, texts) | &!nulls.inner(),
            Some(nulls) => &evaluate_views(test, texts) & nulls.inner(),
        },
    }
}

fn evaluate_plain(test: &TextTest, texts: &StringArray) -> BooleanBuffer {
    if let TextTest::Match(matcher) = test
        && let Some(finder) = matcher.contained()
    {
        return contains_everywhere(finder, texts);
    }
    BooleanBuffer::collect_bool(texts.len(), |row| test.test(texts.value(row).as_bytes()))
}

/// One search over the bytes of all rows; a hit across the edge of two rows does not count.
fn contains_everywhere(finder: &Finder<'_>, texts: &StringArray) -> BooleanBuffer {
    let mut hits = vec![false; texts.len()];
    let mut ends = texts.value_offsets().iter().skip(1).enumerate();
    let start_of = |row: usize| -> Option<usize> {
        texts
            .value_offsets()
            .get(row)
            .and_then(|start| usize::try_from(*start).ok())
    };
    let data = texts.value_data();
    let mut from = start_of(0).unwrap_or_default();
    let stop = start_of(texts.len()).unwrap_or_default();
    while let Some(at) = data.get(from..stop).and_then(|rest| finder.find(rest)) {
        let at = from.saturating_add(at);
        let row = ends.find(|(_, end)| usize::try_from(**end).is_ok_and(|end| end > at));
        let Some((row, end)) = row else { break };
        let end = usize::try_from(*end).unwrap_or(stop);
        if at.saturating_add(finder.needle().len()) <= end
            && let Some(hit) = hits.get_mut(row)
        {
            *hit = true;
        }
        // A hit that crosses the edge is the first of its row, so any later one in this row crosses it as well.
        from = end;
    }
    BooleanBuffer::from(hits)
}

fn evaluate_views(test: &TextTest, texts: &StringViewArray) -> BooleanBuffer {
    let views = texts.views();
    if let TextTest::Ordered(Ordered::Compare(op, constant)) = test
        && constant.len() <= 12
    {
        // A text of at most 12 bytes is its view.
        let wanted = make_view(constant, 0, 0);
        match op {
            CompareOp::Equal => return mask(views, |view| *view == wanted),
            CompareOp::NotEqual => return mask(views, |view| *view != wanted),
            CompareOp::Less
            | CompareOp::LessOrEqual
            | CompareOp::Greater
            | CompareOp::GreaterOrEqual => {}
        }
    }
    // Equal views are equal texts, and sorted labels come in long runs.
    let mut last = None;
    let mut answers = Vec::with_capacity(views.len());
    for (row, view) in views.iter().enumerate() {
        let answer = match last {
            Some((seen, answer)) if seen == *view => answer,
            _ => test.test(texts.value(row).as_bytes()),
        };
        last = Some((*view, answer));
        answers.push(answer);
    }
    BooleanBuffer::from(answers)
}

fn evaluate_ids(test: &TextTest, ids: &FixedSizeBinaryArray) -> BooleanBuffer {
    let length = usize::try_from(ids.value_length()).unwrap_or_default();
    if let TextTest::Ordered(ordered) = test {
        match ordered {
            Ordered::Compare(op @ (CompareOp::Equal | CompareOp::NotEqual), text) => {
                let found = is_among(ids, &BTreeSet::from([text.clone()]), length);
                return if *op == CompareOp::Equal {
                    found
                } else {
                    !&found
                };
            }
            Ordered::In(texts) => return is_among(ids, texts, length),
            Ordered::Compare(..) => {}
        }
    }
    let mut hex = Vec::with_capacity(length.saturating_mul(2));
    ids.iter()
        .map(|id| {
            hex.clear();
            for byte in id.unwrap_or_default() {
                hex.extend_from_slice(&hex_pair(*byte));
            }
            test.test(&hex)
        })
        .collect()
}

/// Ids among `texts`, compared as bytes. A text that is not an id in lower-case hex equals none of them.
fn is_among(ids: &FixedSizeBinaryArray, texts: &BTreeSet<Vec<u8>>, length: usize) -> BooleanBuffer {
    let absent = texts.contains(&[][..]);
    let wanted: Vec<Vec<u8>> = texts
        .iter()
        .filter_map(|text| id_bytes(text, length))
        .collect();
    let found: BooleanBuffer = match wanted.as_slice() {
        [] => BooleanBuffer::new_unset(ids.len()),
        [only] => ids
            .values()
            .chunks_exact(length.max(1))
            .map(|id| id == only)
            .collect(),
        many => ids
            .values()
            .chunks_exact(length.max(1))
            .map(|id| {
                many.binary_search_by(|known| known.as_slice().cmp(id))
                    .is_ok()
            })
            .collect(),
    };
    match ids.nulls() {
        None => found,
        Some(nulls) if absent => &(&found & nulls.inner()) | &!nulls.inner(),
        Some(nulls) => &found & nulls.inner(),
    }
}

/// The id that `text` is the hex form of.
pub(super) fn id_bytes(text: &[u8], length: usize) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if text.len() != length.saturating_mul(2) {
        return None;
    }
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some((digit(*high)? << 4) | digit(*low)?),
        _ => None,
    };
    text.chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predicate::TextMatch;
    use crate::text_match::TextMatcher;

    #[test]
    fn one_search_over_all_rows_finds_what_a_search_per_row_finds() {
        let rows = ["", "aab", "b", "a", "aa", "xaax", "aaa", "", "ba", "aab"];
        let texts = StringArray::from(rows.to_vec());
        for needle in ["a", "aa", "ab", "b", "xaax", "aab", "zz"] {
            for start in 0..rows.len() {
                let part = texts.slice(start, rows.len() - start);
                let found = contains_everywhere(&Finder::new(needle), &part);
                let expected: Vec<bool> =
                    part.iter().map(|t| t.unwrap().contains(needle)).collect();
                assert_eq!(
                    found.iter().collect::<Vec<_>>(),
                    expected,
                    "{needle} from {start}"
                );
            }
        }
    }

    #[test]
    fn the_needle_of_like_reaches_the_whole_buffer_search() {
        let matcher = TextMatcher::compile(&TextMatch::Like("%b%".to_owned())).unwrap();
        let found = evaluate_plain(
            &TextTest::Match(matcher),
            &StringArray::from(vec!["abc", "c"]),
        );
        assert_eq!(found.iter().collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn only_lower_case_hex_of_the_right_length_is_an_id() {
        assert_eq!(id_bytes(b"0aff", 2), Some(vec![0x0a, 0xff]));
        for text in ["0AFF", "0af", "0aff00", "0afg", ""] {
            assert_eq!(id_bytes(text.as_bytes(), 2), None, "{text}");
        }
    }
}
