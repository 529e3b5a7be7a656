//! Starting and stopping: clean restarts, one process a folder, health, metrics, bad configuration.

use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::http;
use crate::server::{Cairn, Process, files_below, folder};

fn send_lines(cairn: &Cairn, from: u64, count: u64) {
    let records: Vec<_> = (from..from + count)
        .map(|number| {
            json!({"timeUnixNano": (1_700_000_000_000_000_000 + number).to_string(),
                   "body": {"stringValue": format!("line {number}")}})
        })
        .collect();
    let body = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]});
    cairn.send_json("/v1/logs", &body);
}

#[test]
fn a_stopped_server_starts_again_with_everything() {
    let dir = folder();
    let mut expected = 0;
    for round in 0..3 {
        let cairn = Cairn::start(dir.path(), &[]);
        assert_eq!(
            cairn.value("SELECT count() FROM otel_logs"),
            expected.to_string()
        );
        send_lines(&cairn, round * 500, 500);
        expected += 500;
        let distinct = cairn.value("SELECT uniqExact(Body) FROM otel_logs");
        assert_eq!(distinct, expected.to_string());
        cairn.stop();
    }
    let segments = files_below(dir.path(), ".parquet");
    assert!(!segments.is_empty(), "a clean stop leaves segments");
}

#[test]
fn a_second_process_on_the_same_folder_is_refused_and_says_why() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    send_lines(&cairn, 0, 10);
    let mut second = Process::spawn(dir.path(), &[]);
    let status = second.wait(Duration::from_secs(60)).expect("it gives up");
    assert!(!status.success());
    let log = second.log();
    assert!(log.contains("lock") || log.contains("use"), "{log}");
    assert_eq!(
        cairn.value("SELECT count() FROM otel_logs"),
        "10",
        "the first lives on"
    );
    cairn.kill();
    // The lock died with its holder.
    let cairn = Cairn::start(dir.path(), &[]);
    assert_eq!(cairn.value("SELECT count() FROM otel_logs"), "10");
}

#[test]
fn health_and_metrics_tell_the_state() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    send_lines(&cairn, 0, 25);
    assert_eq!(cairn.value("SELECT 1"), "1");
    assert_eq!(http::get(cairn.ops, "/livez").status, 200);
    assert_eq!(http::get(cairn.ops, "/readyz").status, 200);
    assert_eq!(http::get(cairn.clickhouse, "/ping").text(), "Ok.\n");
    let metrics = http::get(cairn.ops, "/metrics");
    assert_eq!(metrics.status, 200);
    let text = metrics.text();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        assert!(
            name.starts_with("cairn_") || name.starts_with("process_"),
            "{line}"
        );
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
    for part in ["wal", "memtable", "segment", "quer", "request"] {
        assert!(text.contains(part), "no metric about `{part}`\n{text}");
    }
}

#[test]
fn a_start_that_cannot_work_says_what_to_do() {
    let dir = folder();
    let file = dir.path().join("plain-file");
    std::fs::write(&file, "not a folder").expect("a file");
    let mut process = Process::spawn(&file, &[]);
    let status = process.wait(Duration::from_secs(60)).expect("it ends");
    assert!(!status.success());
    let log = process.log();
    assert!(log.contains("plain-file"), "names the path: {log}");

    let mut process = Process::spawn(dir.path(), &["--max-disk-bytes", "lots"]);
    let status = process.wait(Duration::from_secs(60)).expect("it ends");
    assert!(!status.success());
    let log = process.log();
    assert!(log.contains("max-disk-bytes"), "names the flag: {log}");
}

#[test]
fn the_demo_answers_its_own_questions() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cairn-under-test"));
    command.args(["demo", "--once"]);
    for port in ["clickhouse", "otlp-grpc", "otlp-http", "ops"] {
        command.arg(format!("--{port}-addr")).arg("127.0.0.1:0");
    }
    let output = command.output().expect("the demo starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    assert!(
        text.contains("SELECT") && text.contains("curl"),
        "{text}\n{errors}"
    );
}
