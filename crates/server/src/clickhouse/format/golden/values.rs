//! One value of every type in every format.

use std::collections::BTreeMap;

use super::arrays::{batch, value_of};
use super::{column, print, settings_without_statistics, unhex};
use crate::clickhouse::format::Format;

#[derive(serde::Deserialize)]
struct Recorded {
    value: String,
    format: String,
    #[serde(default)]
    version: u64,
    body: Option<String>,
    hex: Option<String>,
}

/// The recorded values, one after the other.
pub(super) fn recorded_names() -> Vec<String> {
    include_str!("values.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<Recorded>(line).unwrap().value)
        .collect()
}

#[test]
fn every_value_is_printed_as_clickhouse_prints_it() {
    let mut wrong = Vec::new();
    let mut checked = BTreeMap::<String, usize>::new();
    for line in include_str!("values.jsonl").lines() {
        let recorded: Recorded = serde_json::from_str(line).unwrap();
        let Some(format) = Format::find(&recorded.format) else {
            continue;
        };
        let (ty, value) = value_of(&recorded.value);
        let columns = vec![column("v", ty)];
        let batch = batch(&[(&columns[0].ty, vec![value])]);
        let mut settings = settings_without_statistics();
        settings.protocol_version = recorded.version;
        let printed = print(format.name, columns, &[batch], settings);
        let expected = match (&recorded.body, &recorded.hex) {
            (Some(body), _) => body.clone().into_bytes(),
            (None, Some(hex)) => unhex(hex),
            (None, None) => panic!("no body: {line}"),
        };
        *checked.entry(recorded.format.clone()).or_default() += 1;
        if printed != expected {
            wrong.push(format!(
                "{} as {} {}:\n   printed {:?}\n  expected {:?}",
                recorded.value,
                recorded.format,
                recorded.version,
                String::from_utf8_lossy(&printed),
                String::from_utf8_lossy(&expected)
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(
        checked.len() == 23 && checked.values().all(|count| *count > 50),
        "{checked:?}"
    );
}
