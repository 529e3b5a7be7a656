//! The disk contract with the real server: the limit holds under load, the oldest rows make room, nothing else is lost.

use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::{Value, json};

use crate::http;
use crate::server::{Cairn, folder};

const LIMIT_BYTES: u64 = 64 << 20;
/// Rows of a request.
const BATCH_ROWS: u64 = 400;
/// Bytes of a row's text.
const BODY_BYTES: usize = 1_000;
/// Requests: a fifth more than the limit holds, because random digits do not compress below half.
const BATCHES: u64 = 400;

#[test]
fn a_small_disk_keeps_the_newest_rows_and_never_exceeds_its_limit() {
    let dir = folder();
    let flags = ["--max-disk-bytes", "64MiB", "--memtable-age", "1s"];
    let cairn = Cairn::start(dir.path(), &flags);
    let mut most = 0;
    let mut refused = 0;
    for batch in 0..BATCHES {
        refused += send(&cairn, batch);
        most = most.max(bytes_below(dir.path()));
    }
    assert!(most <= LIMIT_BYTES, "{most} bytes on disk");
    println!("{most} bytes at most, {refused} requests were sent again");
    let batches = |cairn: &Cairn| -> (u64, u64, u64) {
        let row = cairn.value(
            "SELECT min(toUInt64(LogAttributes['batch'])), max(toUInt64(LogAttributes['batch'])), \
             count() FROM otel_logs",
        );
        let numbers: Vec<u64> = row
            .split('\t')
            .map(|n| n.parse().expect("a number"))
            .collect();
        (numbers[0], numbers[1], numbers[2])
    };
    let (oldest, newest, rows) = batches(&cairn);
    assert!(oldest > 0, "the oldest rows made room");
    assert_eq!(newest, BATCHES - 1);
    // What is dropped is dropped whole and from the old end.
    assert!(
        rows >= (newest - oldest) * BATCH_ROWS,
        "{rows} rows from {oldest} on"
    );
    cairn.kill();
    let cairn = Cairn::start(dir.path(), &flags);
    let (oldest_after, newest_after, _) = batches(&cairn);
    assert!(oldest_after >= oldest);
    assert_eq!(newest_after, newest);
    cairn.stop();
}

#[test]
fn old_rows_go_and_young_ones_stay() {
    let dir = folder();
    let cairn = Cairn::start(
        dir.path(),
        &["--retention-logs", "1h", "--memtable-age", "1s"],
    );
    let now = Cairn::value(&cairn, "SELECT toUnixTimestamp64Nano(now64(9))");
    let now: u64 = now.parse().expect("a number");
    let row = |age_s: u64, body| request(now - age_s * 1_000_000_000, 0, vec![json!(body)]);
    cairn.send_json("/v1/logs", &row(7_200, "old"));
    assert_eq!(cairn.value("SELECT Body FROM otel_logs"), "old");
    let until = Instant::now() + Duration::from_secs(30);
    while cairn.value("SELECT count() FROM otel_logs WHERE Body = 'old'") != "0" {
        assert!(Instant::now() < until, "the old row is still there");
        thread::sleep(Duration::from_millis(100));
    }
    cairn.send_json("/v1/logs", &row(600, "young"));
    cairn.stop();
    let cairn = Cairn::start(dir.path(), &["--retention-logs", "1h"]);
    assert_eq!(cairn.value("SELECT Body FROM otel_logs"), "young");
    cairn.stop();
}

/// Sends a batch until it is taken; returns how often it was refused.
fn send(cairn: &Cairn, batch: u64) -> u64 {
    let mut state = batch + 1;
    let mut body = || {
        let mut text = String::with_capacity(BODY_BYTES);
        while text.len() < BODY_BYTES {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(99);
            text.push_str(&format!("{:08x}", state >> 32));
        }
        json!(text)
    };
    let bodies = (0..BATCH_ROWS).map(|_| body()).collect();
    let request = request(
        1_700_000_000_000_000_000 + batch * 1_000_000_000,
        batch,
        bodies,
    );
    let headers = [("Content-Type", "application/json")];
    let until = Instant::now() + Duration::from_secs(60);
    let mut refused = 0;
    loop {
        let bytes = request.to_string();
        let response = http::post(cairn.otlp_http, "/v1/logs", &headers, bytes.as_bytes());
        if response.status == 200 {
            return refused;
        }
        assert_eq!(response.status, 503, "{}", response.text());
        assert!(Instant::now() < until, "ingest does not come back");
        refused += 1;
        thread::sleep(Duration::from_millis(100));
    }
}

fn request(time: u64, batch: u64, bodies: Vec<Value>) -> Value {
    let records: Vec<Value> = bodies
        .into_iter()
        .map(|body| {
            json!({
                "timeUnixNano": time.to_string(),
                "body": {"stringValue": body},
                "attributes": [{"key": "batch", "value": {"stringValue": batch.to_string()}}],
            })
        })
        .collect();
    json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]})
}

/// Bytes of all files below `folder`; what vanishes meanwhile counts nothing.
fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let bytes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    bytes.sum()
}
