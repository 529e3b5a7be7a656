//! Names, types and errors, compared with what ClickHouse answered.

use super::*;
use crate::syntax::parse;

const DESCRIBED: &str = include_str!("fixtures/describe.txt");
/// Recorded answers that differ on purpose or for now, each with its reason. A query that no longer differs must leave.
const GAPS: &str = include_str!("fixtures/gaps.txt");

fn context() -> AnalyzeContext {
    AnalyzeContext {
        functions: functions::Context {
            now_ns: 1_790_000_000_000_000_000,
            timezone: "UTC".to_owned(),
            server_timezone: "UTC".to_owned(),
            query_id: "q".to_owned(),
            database: "default".to_owned(),
            user: "default".to_owned(),
            host_name: "host".to_owned(),
            display_name: "host".to_owned(),
            uptime_s: 1,
        },
        database: "default".to_owned(),
        moment: Moment::default(),
        known: Arc::default(),
    }
}

fn analyzed(text: &str) -> Result<Analyzed> {
    let parsed = parse(text, &[("n".to_owned(), "5".to_owned())])?;
    analyze(&parsed, &context())
}

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

fn columns(text: &str) -> Vec<String> {
    match analyzed(text) {
        Ok(Analyzed::Query(statement)) => statement
            .query
            .output
            .iter()
            .map(|column| format!("{}\t{}", column.name, column.ty))
            .collect(),
        Ok(other) => vec![format!("{other:?}")],
        Err(error) => vec![format!("! {}", code_name(error.code))],
    }
}

#[test]
fn names_types_and_errors_are_those_of_clickhouse() {
    let mut gaps: Vec<&str> = GAPS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    let mut wrong = Vec::new();
    let mut compared = 0;
    let mut lines = DESCRIBED.lines().skip(2).peekable();
    while let Some(query) = lines.next() {
        if query.is_empty() {
            continue;
        }
        let mut expected = Vec::new();
        while let Some(column) = lines.peek().and_then(|line| line.strip_prefix('\t')) {
            expected.push(column.to_owned());
            lines.next();
        }
        compared += 1;
        let found = columns(query);
        let gap = gaps.iter().position(|gap| *gap == query);
        match (found == expected, gap) {
            (true, None) => {}
            (false, Some(gap)) => drop(gaps.remove(gap)),
            (true, Some(_)) => wrong.push(format!("{query}\n  is no gap any more")),
            (false, None) => {
                let why = analyzed(query)
                    .err()
                    .map_or_else(String::new, |e| e.to_string());
                wrong.push(format!(
                    "{query}\n  expected {expected:?}\n  found    {found:?} {why}"
                ));
            }
        }
    }
    assert!(compared >= 150, "only {compared} queries");
    assert!(
        wrong.is_empty(),
        "{} of {compared}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(gaps.is_empty(), "unknown queries in gaps: {gaps:?}");
}

#[test]
fn short_texts_that_expand_to_huge_trees_are_refused() {
    let mut aliases = "SELECT 1 + number AS a0".to_owned();
    for step in 1..60 {
        aliases.push_str(&format!(", a{} + a{} AS a{step}", step - 1, step - 1));
    }
    let error = analyzed(&format!("{aliases} FROM numbers(1)")).expect_err("is too large");
    assert_eq!(error.code, ErrorCode::TooBigAst);

    let mut queries = "WITH c0 AS (SELECT 1 AS x)".to_owned();
    for step in 1..40 {
        let before = step - 1;
        queries.push_str(&format!(
            ", c{step} AS (SELECT x FROM c{before} UNION ALL SELECT x FROM c{before})"
        ));
    }
    let error = analyzed(&format!("{queries} SELECT x FROM c39")).expect_err("is too large");
    assert_eq!(error.code, ErrorCode::TooBigAst);
}

#[test]
fn aliases_that_mean_each_other_end_in_an_error() {
    let error = analyzed("SELECT b + 1 AS a, a + 1 AS b").expect_err("is a circle");
    assert_eq!(error.code, ErrorCode::UnknownIdentifier);
}

#[test]
fn the_longest_honest_chains_are_analysed_on_a_planning_stack() {
    let chain = format!("SELECT number{} FROM numbers(1)", " + 1".repeat(499));
    let ors = format!(
        "SELECT 1 FROM otel_logs WHERE Body = 'a'{}",
        " OR Body = 'b'".repeat(3_000)
    );
    let deep = format!(
        "SELECT {}number{} FROM numbers(1)",
        "(1 + ".repeat(45),
        ")".repeat(45)
    );
    for text in [chain, ors, deep] {
        let run = move || analyzed(&text).map(|_| ());
        let thread = std::thread::Builder::new()
            .stack_size(64 * 1024 * 1024)
            .spawn(run);
        let outcome = thread.expect("starts").join().expect("does not panic");
        assert!(outcome.is_ok(), "{outcome:?}");
    }
}

#[test]
fn equalities_of_one_column_become_one_list() {
    let Ok(Analyzed::Query(statement)) = analyzed(
        "SELECT 1 FROM otel_logs WHERE SeverityNumber = 1 OR SeverityNumber = 2 OR SeverityNumber = 3",
    ) else {
        panic!("is a query");
    };
    let text = format!("{:?}", statement.query.node);
    assert!(
        text.contains("InList") && !text.contains("Compare"),
        "{text}"
    );
}

#[test]
fn lookups_in_stored_maps_become_columns_of_the_scan() {
    let Ok(Analyzed::Query(statement)) = analyzed(
        "SELECT LogAttributes['a'] FROM otel_logs \
         WHERE mapContains(LogAttributes, 'b') AND has(mapKeys(ResourceAttributes), 'c')",
    ) else {
        panic!("is a query");
    };
    let columns: Vec<String> = statement.scans[0]
        .columns
        .iter()
        .map(|(_, column)| column.to_string())
        .collect();
    for wanted in [
        "LogAttributes['a']",
        "mapContains(LogAttributes, 'b')",
        "mapContains(ResourceAttributes, 'c')",
    ] {
        assert!(
            columns.iter().any(|column| column == wanted),
            "{wanted} in {columns:?}"
        );
    }
}

#[test]
fn statements_about_tables_are_answered_from_the_catalog() {
    let rows = |text: &str| match analyzed(text) {
        Ok(Analyzed::Query(statement)) => {
            let Node::Values { rows, .. } = statement.query.node else {
                panic!("{text} is not answered by constants");
            };
            rows.len()
        }
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(rows("SHOW TABLES LIKE 'otel\\_traces%'"), 2);
    assert_eq!(rows("SHOW TABLES FROM system NOT LIKE 'o%' LIMIT 2"), 2);
    assert_eq!(rows("SHOW DATABASES"), 4);
    assert_eq!(rows("DESCRIBE TABLE otel_logs"), 20);
    assert_eq!(rows("DESC (SELECT 1 AS a, 2 AS b)"), 2);
    assert_eq!(rows("EXISTS TABLE otel_logs"), 1);
    assert_eq!(rows("SHOW CREATE TABLE otel_traces"), 1);
    assert_eq!(rows("SHOW COLUMNS FROM otel_traces"), 25);
    let error = analyzed("SHOW TABLES FROM nosuch").expect_err("is unknown");
    assert_eq!(error.code, ErrorCode::UnknownDatabase);
    let error = analyzed("DESCRIBE nosuch").expect_err("is unknown");
    assert_eq!(error.code, ErrorCode::UnknownTable);
}
