//! The newest or oldest rows are those that sorting everything finds.

use proptest::prelude::*;

use super::rows::{Row, any_predicate, any_row, request, rows_of, snapshot};
use crate::scan::Top;

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn top_is_sort_and_limit(
        flushed in prop::collection::vec(prop::collection::vec(any_row(), 1..160), 0..3),
        fresh in prop::collection::vec(prop::collection::vec(any_row(), 1..60), 0..2),
        predicate in any_predicate(),
        count in 0..80_usize,
        newest: bool,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let snapshot = snapshot(dir.path(), &flushed, &fresh);
        let plan = snapshot.scan(&request(predicate.clone(), Some(Top { count, newest }))).unwrap();
        let found = rows_of(&plan.read_top().unwrap());
        let mut matching: Vec<&Row> =
            flushed.iter().chain(&fresh).flatten().filter(|row| row.meets(&predicate)).collect();
        matching.sort_by_key(|row| if newest { !row.time } else { row.time });
        let expected: Vec<i64> = matching.iter().take(count).map(|row| row.time).collect();
        let mut times: Vec<i64> = found.iter().map(|row| row.time).collect();
        times.sort_unstable_by_key(|time| if newest { !*time } else { *time });
        prop_assert_eq!(times, expected);
        // Ties may be cut anywhere, but every row is a real one, and none comes twice.
        for row in &found {
            let wanted = matching.iter().filter(|other| **other == row).count();
            let got = found.iter().filter(|other| *other == row).count();
            prop_assert!(got <= wanted, "{:?}", row);
        }
    }
}
