//! One fixture per family of clauses: names, types and rows of whole answers, recorded from ClickHouse 26.
//! A query stands at the beginning of a line; after tabs follow the names, the types and the rows, or `!` and the error.

use super::*;

/// `UnknownIdentifier` as `UNKNOWN_IDENTIFIER`.
fn code_name(code: ErrorCode) -> String {
    let mut name = String::new();
    for c in format!("{code:?}").chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_uppercase());
    }
    name
}

pub(super) type Shown = Result<(Vec<(String, Type)>, Vec<String>)>;

fn lines(shown: Shown) -> Vec<String> {
    match shown {
        Ok((columns, mut rows)) => {
            let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            let types: Vec<String> = columns.iter().map(|(_, ty)| ty.to_string()).collect();
            rows.insert(0, types.join("\t"));
            rows.insert(0, names.join("\t"));
            rows
        }
        Err(error) => vec![format!("! {}", code_name(error.code))],
    }
}

/// Compares every query of a fixture. Lines of `gaps` are queries that differ on purpose or for now.
async fn check(fixture: &str, gaps: &[&str]) {
    let mut found = Vec::new();
    for (query, _) in cases(fixture) {
        found.push(described_rows(&query).await);
    }
    compare(fixture, gaps, found);
}

/// Compares what was found for the queries of a fixture.
pub(super) fn compare(fixture: &str, gaps: &[&str], found: Vec<Shown>) {
    let cases = cases(fixture);
    assert!(cases.len() >= 10, "only {} queries", cases.len());
    assert_eq!(cases.len(), found.len(), "an answer for each query");
    let mut wrong = Vec::new();
    for ((query, expected), found) in cases.iter().zip(found) {
        let found = lines(found);
        let gap = gaps.contains(&query.as_str());
        if (found == *expected) == gap {
            let healed = if gap { "is no gap any more\n  " } else { "" };
            wrong.push(format!(
                "{query}\n  {healed}expected {expected:?}\n  found    {found:?}"
            ));
        }
    }
    let count = cases.len();
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[tokio::test]
async fn lambdas_answer_as_clickhouse() {
    let gaps = [
        // A set from a query has no form inside a lambda yet.
        "SELECT arrayFilter(x -> x IN (SELECT number FROM numbers(2)), [1, 3])",
    ];
    check(include_str!("../fixtures/clauses/lambda.txt"), &gaps).await;
}

#[tokio::test]
async fn windows_answer_as_clickhouse() {
    check(include_str!("../fixtures/clauses/window.txt"), &[]).await;
}

#[tokio::test]
async fn joins_answer_as_clickhouse() {
    check(include_str!("../fixtures/clauses/join.txt"), &[]).await;
}

#[tokio::test]
async fn groupings_answer_as_clickhouse() {
    check(include_str!("../fixtures/clauses/group.txt"), &[]).await;
}

#[tokio::test]
async fn sets_and_limits_answer_as_clickhouse() {
    check(include_str!("../fixtures/clauses/set.txt"), &[]).await;
}

#[tokio::test]
async fn array_joins_answer_as_clickhouse() {
    let gaps = [
        // Names that are keywords are not quoted in names of types.
        "SELECT m, m.1, m.2 FROM (SELECT map('a', 1, 'b', 2) AS m) ARRAY JOIN m ORDER BY m",
    ];
    check(include_str!("../fixtures/clauses/array_join.txt"), &gaps).await;
}

#[tokio::test]
async fn stars_answer_as_clickhouse() {
    check(include_str!("../fixtures/clauses/star.txt"), &[]).await;
}
