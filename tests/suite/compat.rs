//! The cases of `tests/compat` against the answers that ClickHouse gave to them: column names, types, values and order,
//! or the number of the error. `tests/compat/compat.py` records the answers and compares live.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use serde_json::Value;

use crate::http;
use crate::server::{Cairn, folder};

/// Queries that are asked at a time.
const CLIENTS: usize = 4;
/// Differing cases that a failure shows.
const SHOWN: usize = 40;
const FORMAT: &str = "/?default_format=TabSeparatedWithNamesAndTypes";

#[test]
fn recorded_answers_of_clickhouse_are_ours() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    for (table, path) in [("otel_logs", "/v1/logs"), ("otel_traces", "/v1/traces")] {
        let text = read(&place(&format!("data/{table}.json")));
        cairn.send_json(
            path,
            &serde_json::from_str(&text).expect("a request in JSON"),
        );
    }
    let address = cairn.clickhouse;
    let gaps = gaps();
    let answers: Vec<Value> = recorded()
        .into_iter()
        .filter(|answer| !gaps.contains(sql(answer)))
        .collect();
    assert!(answers.len() > 500, "cases are missing");
    let waiting = Mutex::new(answers.iter());
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().expect("the cases").next();
                    let Some(answer) = next else { break };
                    if let Some(problem) = difference(address, answer) {
                        wrong.lock().expect("the problems").push(problem);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("the problems");
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        answers.len(),
        wrong[..wrong.len().min(SHOWN)].join("\n")
    );
}

#[test]
fn every_case_has_an_answer_and_every_gap_is_a_case() {
    let mut cases = HashSet::new();
    for path in files("cases") {
        cases.extend(lines(&read(&path)));
    }
    let answered: HashSet<String> = recorded().iter().map(|a| sql(a).to_owned()).collect();
    let unanswered: Vec<_> = cases.difference(&answered).collect();
    assert!(
        unanswered.is_empty(),
        "run compat.py record: {unanswered:#?}"
    );
    let unasked: Vec<_> = answered.difference(&cases).collect();
    assert!(unasked.is_empty(), "no longer cases: {unasked:#?}");
    let gaps = gaps();
    let unknown: Vec<_> = gaps.difference(&cases).collect();
    assert!(unknown.is_empty(), "gaps that are no cases: {unknown:#?}");
}

fn place(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("compat")
        .join(name)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files(name: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(place(name)).expect("a folder");
    entries
        .map(|entry| entry.expect("an entry").path())
        .collect()
}

fn lines(text: &str) -> Vec<String> {
    let kept = text
        .split('\n')
        .filter(|line| !line.trim().is_empty() && !line.starts_with("--"));
    kept.map(str::to_owned).collect()
}

fn gaps() -> HashSet<String> {
    lines(&read(&place("gaps.txt"))).into_iter().collect()
}

fn recorded() -> Vec<Value> {
    let mut answers = Vec::new();
    for path in files("answers") {
        let text = read(&path);
        answers.extend(
            text.lines()
                .map(|line| serde_json::from_str::<Value>(line).expect("an answer in JSON")),
        );
    }
    answers
}

fn sql(answer: &Value) -> &str {
    answer["sql"].as_str().expect("a query")
}

/// What differs; nothing when all is the same.
fn difference(address: SocketAddr, answer: &Value) -> Option<String> {
    let response = http::post(address, FORMAT, &[], sql(answer).as_bytes());
    let body = response.text();
    let found = error_number(&body);
    let same = match answer["error"].as_u64() {
        Some(number) => found == Some(number),
        None => {
            let expected: Vec<&str> = answer["lines"]
                .as_array()
                .expect("lines")
                .iter()
                .map(|line| line.as_str().expect("a line"))
                .collect();
            found.is_none() && expected == body.lines().collect::<Vec<_>>()
        }
    };
    (!same).then(|| format!("{answer}\n   found: {}", body.trim_end()))
}

/// The number in `Code: 46. DB::Exception: …`.
fn error_number(body: &str) -> Option<u64> {
    let (_, rest) = body.split_once("Code: ")?;
    let (number, rest) = rest.split_once('.')?;
    rest.starts_with(" DB::Exception").then_some(())?;
    number.parse().ok()
}
