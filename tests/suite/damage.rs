//! Damaged files: the server starts, says what it found, keeps the rest, and never answers with half
//! of the data as if it were the whole.

use std::path::Path;

use serde_json::json;

use crate::server::{Cairn, files_below, folder};

/// One request of `count` lines of the table's day `day`.
fn send_day(cairn: &Cairn, day: u64, count: u64) {
    let records: Vec<_> = (0..count)
        .map(|number| {
            let time = 1_700_000_000 + day * 86_400;
            json!({"timeUnixNano": format!("{time}{number:09}"),
                   "body": {"stringValue": format!("day {day} line {number}")}})
        })
        .collect();
    let body = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]});
    cairn.send_json("/v1/logs", &body);
}

fn flip_bit(path: &Path, offset: usize) {
    let mut bytes = std::fs::read(path).expect("the file");
    bytes[offset] ^= 0x10;
    std::fs::write(path, bytes).expect("the file");
}

#[test]
fn a_flipped_bit_in_the_wal_costs_one_record_and_is_reported() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    for day in 0..20 {
        send_day(&cairn, day, 50);
    }
    cairn.kill();
    let wal = files_below(&dir.path().join("wal"), "");
    let largest = wal
        .iter()
        .max_by_key(|path| path.metadata().map_or(0, |meta| meta.len()));
    let largest = largest.expect("a WAL file");
    let size = std::fs::read(largest)
        .expect("the WAL")
        .iter()
        .rposition(|&byte| byte != 0);
    flip_bit(largest, size.expect("records") / 2);
    let cairn = Cairn::start(dir.path(), &[]);
    assert_eq!(
        cairn.value("SELECT count() FROM otel_logs"),
        (19 * 50).to_string()
    );
    let log = cairn.log();
    assert!(
        log.contains("\"ERROR\"") && log.contains("WAL"),
        "it is loud:\n{log}"
    );
    assert!(
        !files_below(&dir.path().join("quarantine"), "").is_empty(),
        "the bytes are kept"
    );
    // It is skipped once, not at every start; and the store goes on.
    send_day(&cairn, 30, 10);
    cairn.stop();
    let cairn = Cairn::start(dir.path(), &[]);
    assert_eq!(
        cairn.value("SELECT count() FROM otel_logs"),
        (19 * 50 + 10).to_string()
    );
}

#[test]
fn a_torn_wal_tail_is_cut_without_a_complaint_about_loss() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    send_day(&cairn, 0, 50);
    cairn.kill();
    let newest = files_below(&dir.path().join("wal"), "")
        .pop()
        .expect("a WAL file");
    let mut bytes = std::fs::read(&newest).expect("the WAL");
    let end = bytes.iter().rposition(|&byte| byte != 0).expect("records") + 1;
    // Half a record: a plausible length, then nothing.
    bytes.splice(end..end, [0x40, 0, 0, 0, 1, 2, 3, 4, 5, 6]);
    std::fs::write(&newest, bytes).expect("the WAL");
    let cairn = Cairn::start(dir.path(), &[]);
    assert_eq!(cairn.value("SELECT count() FROM otel_logs"), "50");
}

#[test]
fn a_damaged_segment_is_named_quarantined_and_the_rest_answers() {
    for truncate in [false, true] {
        let dir = folder();
        let cairn = Cairn::start(dir.path(), &[]);
        for day in 0..3 {
            send_day(&cairn, day, 400);
        }
        cairn.stop();
        let segments = files_below(dir.path(), ".parquet");
        assert_eq!(segments.len(), 3, "one a day");
        let victim = &segments[1];
        if truncate {
            let bytes = std::fs::read(victim).expect("a segment");
            std::fs::write(victim, &bytes[..bytes.len() / 2]).expect("a segment");
        } else {
            flip_bit(victim, 2_000);
        }
        let cairn = Cairn::start(dir.path(), &[]);
        let all = "SELECT count(), sum(length(Body)) FROM otel_logs WHERE Body LIKE 'day%'";
        let first = cairn.query(all);
        let name = victim
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        if first.status == 200 {
            // Found at the start already: then it is in the log and out of the table.
            assert!(first.text().starts_with("800\t"), "{}", first.text());
        } else {
            assert!(
                first.text().contains(name),
                "the error names the file: {}",
                first.text()
            );
        }
        let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
        loop {
            let answer = cairn.query(all);
            if answer.status == 200 {
                assert!(answer.text().starts_with("800\t"), "{}", answer.text());
                break;
            }
            assert!(std::time::Instant::now() < until, "{}", answer.text());
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let id = name
            .trim_end_matches(".parquet")
            .rsplit('-')
            .next()
            .expect("an id");
        assert!(cairn.log().contains(id), "the log names it");
    }
}
