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
