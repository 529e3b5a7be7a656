//! A scan returns exactly the rows that a naive reading of all rows returns (QU-1).

use arrow::array::{Array, RecordBatch};
use proptest::prelude::*;

use super::rows::{Row, any_predicate, any_row, request, rows_of, snapshot};
use crate::ids::TableId;
use crate::predicate::{CompareOp, Predicate, Scalar, ScanColumn};
use crate::scan::{KeyRows, ScanPlan, ScanRequest, Snapshot};
use crate::time::{NANOS_PER_BUCKET, NANOS_PER_DAY};

fn read(plan: &ScanPlan) -> Vec<RecordBatch> {
    let units = plan.units.iter();
    units
        .flat_map(|unit| unit.open().unwrap().map(Result::unwrap))
        .collect()
}

fn parts(rows: usize, count: usize) -> impl Strategy<Value = Vec<Vec<Row>>> {
    prop::collection::vec(prop::collection::vec(any_row(), 1..rows), 0..count)
}

fn expected(parts: &[&[Vec<Row>]], predicate: &Predicate) -> Vec<Row> {
    let all = parts.iter().copied().flatten().flatten();
    let mut rows: Vec<Row> = all.filter(|row| row.meets(predicate)).cloned().collect();
    rows.sort();
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_scan_returns_exactly_the_matching_rows(
        flushed in parts(160, 3),
        fresh in parts(60, 2),
        predicates in prop::collection::vec(any_predicate(), 1..6),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let snapshot = snapshot(dir.path(), &flushed, &fresh);
        for predicate in predicates {
            let plan = snapshot.scan(&request(predicate.clone(), None)).unwrap();
            let expected = expected(&[&flushed, &fresh], &predicate);
            check_keys(&plan, &expected);
            let count = u64::try_from(expected.len()).unwrap();
            prop_assert_eq!(rows_of(&read(&plan)), expected, "{:?}", &predicate);
            prop_assert!(plan.estimate.rows >= count);
            if let Some(exact) = plan.exact_rows() {
                prop_assert_eq!(exact, count, "{:?}", &predicate);
            }
            prop_assert_eq!(counted(&snapshot, predicate), count);
        }
    }
}

/// The keys of the scanned rows, against those of the rows themselves.
fn check_keys(plan: &ScanPlan, rows: &[Row]) {
    for column in ["LogAttributes", "ResourceAttributes"] {
        let mut found = KeyRows::new();
        for unit in &plan.units {
            for (key, rows) in unit.key_rows(column).unwrap() {
                assert!(rows > 0);
                *found.entry(key).or_default() += rows;
            }
        }
        let mut expected = KeyRows::new();
        for row in rows {
            let map = if column == "LogAttributes" {
                &row.attributes
            } else {
                &row.resource
            };
            for key in map.keys() {
                *expected.entry(key.clone()).or_default() += 1;
            }
        }
        assert_eq!(found, expected, "{column}");
    }
}

/// Rows of a scan without columns.
fn counted(snapshot: &Snapshot, predicate: Predicate) -> u64 {
    let request = ScanRequest {
        table: TableId::Logs,
        projection: Vec::new(),
        predicate,
        top: None,
    };
    let rows: usize = read(&snapshot.scan(&request).unwrap())
        .iter()
        .map(RecordBatch::num_rows)
        .sum();
    u64::try_from(rows).unwrap()
}

fn row(time: i64, service: &str) -> Row {
    Row {
        time,
        trace: None,
        severity: 9,
        service: service.to_owned(),
        body: format!("row {time}"),
        resource: [("host".to_owned(), "h".to_owned())].into(),
        attributes: [("n".to_owned(), time.to_string())].into(),
    }
}

#[test]
fn segments_lie_in_one_day_and_their_rows_in_the_order_of_the_sort_key() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<Row> = (0..200_i64)
        .map(|n| {
            row(
                NANOS_PER_DAY - 100 + (n * 37) % 200,
                ["b", "a", ""][usize::try_from(n % 3).unwrap()],
            )
        })
        .collect();
    let snapshot = snapshot(dir.path(), &[rows], &[]);
    let metas: Vec<_> = snapshot.segments().collect();
    assert_eq!(metas.len(), 2);
    for meta in metas {
        assert_eq!(meta.time.min.day(), meta.day);
        assert_eq!(meta.time.max.day(), meta.day);
        let groups: u64 = meta.row_groups.iter().map(|group| group.rows).sum();
        assert_eq!((meta.rows, groups), (100, 100));
        assert!(meta.row_groups.len() > 1);
    }
    let plan = snapshot.scan(&request(Predicate::True, None)).unwrap();
    for batch in read(&plan) {
        let keys: Vec<_> = (0..batch.num_rows())
            .map(|at| {
                let row = &rows_of(&[batch.slice(at, 1)])[0];
                (row.time / NANOS_PER_BUCKET, row.service.clone(), row.time)
            })
            .collect();
        assert!(keys.is_sorted(), "{keys:?}");
    }
}

#[test]
fn segments_and_row_groups_are_pruned_without_opening_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<Row> = (0..96)
        .map(|n| row(n, if n < 48 { "a" } else { "b" }))
        .collect();
    let snapshot = snapshot(dir.path(), &[rows], &[]);
    // Whatever is planned from now on is planned from memory.
    std::fs::remove_dir_all(dir.path()).unwrap();
    let service = ScanColumn::stored("ServiceName");
    let equal = |column: &ScanColumn, text: &str| Predicate::Compare {
        column: column.clone(),
        op: CompareOp::Equal,
        value: Scalar::Text(text.to_owned()),
    };
    let time = |op, time| Predicate::Compare {
        column: ScanColumn::stored("Timestamp"),
        op,
        value: Scalar::Time(time),
    };
    let key = |key: &str| ScanColumn::MapValue {
        column: "LogAttributes".into(),
        key: key.into(),
    };
    for (predicate, units, exact) in [
        (Predicate::True, 2, Some(96)),
        (equal(&service, "a"), 1, Some(48)),
        (equal(&service, "c"), 0, Some(0)),
        (time(CompareOp::Less, 48), 1, Some(48)),
        (time(CompareOp::Less, 10), 1, None),
        (time(CompareOp::Greater, 95), 0, Some(0)),
        (equal(&key("n"), "7"), 2, None),
        (equal(&key("missing"), "7"), 0, Some(0)),
        (equal(&key("missing"), ""), 2, Some(96)),
        (equal(&ScanColumn::stored("TraceId"), "00"), 0, Some(0)),
    ] {
        let plan = snapshot.scan(&request(predicate.clone(), None)).unwrap();
        assert_eq!(
            (plan.units.len(), plan.exact_rows()),
            (units, exact),
            "{predicate:?}"
        );
    }
}

#[test]
fn a_scan_without_columns_and_conditions_opens_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let snapshot = snapshot(dir.path(), &[(0..100).map(|n| row(n, "a")).collect()], &[]);
    std::fs::remove_dir_all(dir.path()).unwrap();
    assert_eq!(counted(&snapshot, Predicate::True), 100);
    assert_eq!(snapshot.row_count(TableId::Logs), 100);
    assert_eq!(snapshot.row_count(TableId::Traces), 0);
}

#[test]
fn requests_that_do_not_fit_the_table_are_refused() {
    let snapshot = Snapshot::default();
    for predicate in [
        Predicate::Compare {
            column: ScanColumn::stored("Nope"),
            op: CompareOp::Equal,
            value: Scalar::Text(String::new()),
        },
        Predicate::Compare {
            column: ScanColumn::stored("Body"),
            op: CompareOp::Equal,
            value: Scalar::Number(1),
        },
        Predicate::In {
            column: ScanColumn::MapValue {
                column: "Body".into(),
                key: "k".into(),
            },
            values: vec![],
        },
    ] {
        assert!(
            snapshot.scan(&request(predicate.clone(), None)).is_err(),
            "{predicate:?}"
        );
    }
}

#[test]
fn read_batches_have_the_schema_of_the_request() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<Row> = (0..20).map(|n| row(n, "a")).collect();
    let snapshot = snapshot(
        dir.path(),
        std::slice::from_ref(&rows),
        std::slice::from_ref(&rows),
    );
    let request = request(Predicate::True, None);
    for batch in read(&snapshot.scan(&request).unwrap()) {
        assert_eq!(batch.schema(), request.schema().unwrap());
        assert!(
            batch
                .columns()
                .iter()
                .all(|column| column.null_count() == 0)
        );
    }
}

#[test]
fn rows_are_found_by_trace_id_whatever_the_filters_say() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<Row> = (0..200_u8)
        .map(|n| Row {
            trace: (n % 3 > 0).then(|| [n / 50 + 1; 16]),
            ..row(i64::from(n) * NANOS_PER_BUCKET, "a")
        })
        .collect();
    let snapshot = snapshot(dir.path(), std::slice::from_ref(&rows), &[]);
    let segment = snapshot.segments().next().unwrap();
    assert!(segment.row_groups.len() > 3);
    let trace = |values: &[&str]| Predicate::In {
        column: ScanColumn::stored("TraceId"),
        values: values
            .iter()
            .map(|text| Scalar::Text((*text).to_owned()))
            .collect(),
    };
    let (first, last, unknown) = ("01".repeat(16), "04".repeat(16), "02ff".repeat(8));
    for wanted in [
        trace(&[&first]),
        trace(&[&last, &unknown]),
        trace(&[&unknown]),
        trace(&["", &first]),
        trace(&["not an id"]),
        Predicate::Not(Box::new(trace(&[&first]))),
    ] {
        let plan = snapshot.scan(&request(wanted.clone(), None)).unwrap();
        let expected: Vec<Row> = rows
            .iter()
            .filter(|row| row.meets(&wanted))
            .cloned()
            .collect();
        let mut found = rows_of(&read(&plan));
        found.sort_by_key(|row| row.time);
        assert_eq!(found, expected, "{wanted:?}");
    }
}
