//! Which keys of a map column get a column of their own in a segment. Pure: decides on counts, writes nothing.

use arrow::array::StringArray;
use rustc_hash::{FxHashSet, FxHasher};

use crate::limits;
use std::hash::{Hash, Hasher};

/// Longest key that gets a column, in bytes: a column's name stands in the footer twice for every row group.
const MAX_KEY_BYTES: usize = 256;

/// A key that is in one row of this many is worth a column.
const ROWS_PER_USE: u64 = 64;

/// So is one that is in this many rows, however many others there are.
const ALWAYS_ROWS: u64 = 2_000;

/// Bytes that a residual map spends on an entry besides its value: key code, offsets, levels.
const ENTRY_BYTES: u64 = 4;

/// Bounds of the choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PromoteLimits {
    /// Columns per map column at most; 0 also keeps shared sets as maps.
    pub(crate) max_keys: usize,
    /// Rows below which a column costs more than it saves.
    pub(crate) min_rows: u64,
    /// Rows that must share a set on average for a shared column to be stored as sets.
    pub(crate) rows_per_set: usize,
}

impl Default for PromoteLimits {
    fn default() -> Self {
        Self {
            max_keys: limits::KEY_COLUMNS,
            min_rows: 64,
            rows_per_set: 16,
        }
    }
}

/// How much a key is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct KeyUse {
    rows: u64,
    bytes: u64,
    /// The set that was seen last with it, counted from 1.
    last_set: usize,
    /// Whether one set has it twice.
    repeated: bool,
}

impl KeyUse {
    /// Counts an entry with `value_bytes` in set number `set` (from 1), which `rows` rows have.
    pub(super) fn add(&mut self, set: usize, rows: u64, value_bytes: usize) {
        self.repeated |= self.last_set == set;
        self.last_set = set;
        self.rows += rows;
        let bytes = u64::try_from(value_bytes).unwrap_or(u64::MAX);
        self.bytes = self
            .bytes
            .saturating_add(bytes.saturating_add(ENTRY_BYTES).saturating_mul(rows));
    }

    fn is_worth_it(&self, rows: u64, limits: PromoteLimits) -> bool {
        let often = self.rows.saturating_mul(ROWS_PER_USE) >= rows || self.rows >= ALWAYS_ROWS;
        // A repeated key stays in the map, where all its values fit.
        often && self.rows >= limits.min_rows && !self.repeated
    }
}

/// Codes of the keys that get a column, in the order of the keys: those with the most bytes when there are too many.
pub(super) fn choose(
    uses: &[KeyUse],
    keys: &StringArray,
    rows: usize,
    limits: PromoteLimits,
) -> Vec<usize> {
    let rows = u64::try_from(rows).unwrap_or(u64::MAX);
    let mut chosen: Vec<(u64, usize)> = uses
        .iter()
        .enumerate()
        .filter(|(code, usage)| {
            usage.is_worth_it(rows, limits) && keys.value(*code).len() <= MAX_KEY_BYTES
        })
        .map(|(code, usage)| (usage.bytes, code))
        .collect();
    chosen.sort_unstable_by_key(|(bytes, code)| (std::cmp::Reverse(*bytes), keys.value(*code)));
    chosen.truncate(limits.max_keys);
    let mut codes: Vec<usize> = chosen.into_iter().map(|(_, code)| code).collect();
    codes.sort_unstable_by_key(|code| keys.value(*code));
    codes
}

/// Some values of a key: whether they repeat.
#[derive(Debug, Clone, Default)]
pub(super) struct Sample {
    seen: usize,
    distinct: FxHashSet<u64>,
}

impl Sample {
    /// Rows that are looked at: enough to tell ids from labels, few enough to cost nothing.
    pub(super) const ROWS: usize = 16_384;

    pub(super) fn add(&mut self, value: &str) {
        let mut hasher = FxHasher::default();
        value.hash(&mut hasher);
        self.seen = self.seen.saturating_add(1);
        self.distinct.insert(hasher.finish());
    }

    /// Whether a dictionary pays: at most a third of the values are new.
    pub(super) fn repeats(&self) -> bool {
        self.distinct.len().saturating_mul(3) <= self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: PromoteLimits = PromoteLimits {
        max_keys: 2,
        min_rows: 3,
        rows_per_set: 16,
    };

    fn usage(rows: u64, value_bytes: usize) -> KeyUse {
        let mut usage = KeyUse::default();
        usage.add(1, rows, value_bytes);
        usage
    }

    fn chosen<'a>(rows: usize, uses: &[(&'a str, KeyUse)], limits: PromoteLimits) -> Vec<&'a str> {
        let keys = StringArray::from_iter_values(uses.iter().map(|(key, _)| key));
        let counts: Vec<KeyUse> = uses.iter().map(|(_, usage)| usage.clone()).collect();
        let codes = choose(&counts, &keys, rows, limits);
        codes.into_iter().map(|code| uses[code].0).collect()
    }

    #[test]
    fn keys_of_many_rows_are_chosen_in_the_order_of_their_names() {
        let uses = [
            ("z", usage(100, 1)),
            ("b", usage(90, 1)),
            ("a", usage(2, 1)),
        ];
        assert_eq!(chosen(100, &uses, LIMITS), ["b", "z"]);
    }

    #[test]
    fn a_rare_key_is_chosen_when_it_is_in_many_rows_all_the_same() {
        let uses = [("rare", usage(1_999, 1)), ("common", usage(2_000, 1))];
        assert_eq!(chosen(1_000_000, &uses, LIMITS), ["common"]);
    }

    #[test]
    fn of_too_many_keys_those_with_the_most_bytes_are_chosen() {
        let uses = [
            ("a", usage(9, 1)),
            ("b", usage(9, 100)),
            ("c", usage(9, 50)),
        ];
        assert_eq!(chosen(9, &uses, LIMITS), ["b", "c"]);
        let none = PromoteLimits {
            max_keys: 0,
            ..LIMITS
        };
        assert!(chosen(9, &uses, none).is_empty());
    }

    #[test]
    fn repeated_and_very_long_keys_stay_in_the_map() {
        let mut twice = usage(50, 1);
        twice.add(1, 50, 1);
        let long = "k".repeat(MAX_KEY_BYTES + 1);
        let uses = [("twice", twice), (long.as_str(), usage(50, 1))];
        assert!(chosen(50, &uses, LIMITS).is_empty());
    }

    #[test]
    fn values_that_mostly_differ_get_no_dictionary() {
        let mut ids = Sample::default();
        let mut labels = Sample::default();
        for n in 0..300 {
            ids.add(&n.to_string());
            labels.add(&(n % 100).to_string());
        }
        assert!(!ids.repeats() && labels.repeats());
    }
}
