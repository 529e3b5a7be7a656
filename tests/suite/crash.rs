//! kill -9 at random moments under load, checked against the list of what was acknowledged: every
//! acknowledged record is there once, no request is there in part.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use benches::{GeneratorConfig, Landscape, LogGenerator, SpanGenerator, Timeline};

use crate::http;
use crate::server::{Cairn, Process, folder};

/// Records of each request.
const BATCH_ROWS: u64 = 40;
/// Connections that send at the same time.
const SENDERS: usize = 6;
/// Time between the first records of two rounds: rounds can be told apart, and cross days.
const ROUND_NS: u64 = 5 * 3_600 * 1_000_000_000;
const START_NS: u64 = 1_700_000_000_000_000_000;

/// What the senders know about one round and one table.
#[derive(Debug, Default)]
struct Sent {
    /// Batch number → whether it was acknowledged.
    batches: BTreeMap<u64, bool>,
}

/// Everything sent so far: index is the round, then logs and traces.
type Oracle = Vec<[Sent; 2]>;

#[test]
fn nothing_acknowledged_is_lost_or_doubled_by_kill_9() {
    let rounds = setting("CAIRN_CRASH_ROUNDS", 20);
    let seed = setting("CAIRN_CRASH_SEED", clock_seed());
    println!("CAIRN_CRASH_ROUNDS={rounds} CAIRN_CRASH_SEED={seed}");
    let dir = folder();
    let mut oracle: Oracle = Vec::new();
    let mut merges = 0;
    for round in 0..rounds {
        let cairn = start(dir.path());
        // Old rounds are looked at again now and then; the last ones always.
        let from = if round % 10 == 0 {
            0
        } else {
            round.saturating_sub(2)
        };
        check(&cairn, &oracle, from);
        let (sent, merged) = load_and_kill(cairn, round, seed);
        oracle.push(sent);
        merges += merged;
        if random(seed, round, 1).is_multiple_of(4) {
            kill_while_starting(dir.path(), random(seed, round, 2) % 150);
        }
    }
    let cairn = start(dir.path());
    check(&cairn, &oracle, 0);
    let merges = merges + wait_for_merges(&cairn);
    check(&cairn, &oracle, 0);
    cairn.stop();
    let cairn = start(dir.path());
    check(&cairn, &oracle, 0);
    let acked = oracle
        .iter()
        .flatten()
        .flat_map(|sent| sent.batches.values());
    let acked = acked.filter(|acked| **acked).count();
    println!(
        "{acked} acknowledged batches of {BATCH_ROWS} records survived {rounds} kills and {merges} merges"
    );
    assert!(acked > 0, "the load was real");
    assert!(merges > 0, "segments were merged");
}

/// Lets the server merge what is due; returns the number of merges.
fn wait_for_merges(cairn: &Cairn) -> u64 {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let merges = merges_of(cairn);
        let pending = metric(cairn, "cairn_merges_pending");
        if merges > 0 && pending == 0 || Instant::now() > until {
            return merges;
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Merges since the start of the server, as it counts them.
fn merges_of(cairn: &Cairn) -> u64 {
    metric(cairn, "cairn_merges_total")
}

fn metric(cairn: &Cairn, name: &str) -> u64 {
    let metrics = http::request(cairn.ops, "GET", "/metrics", &[], b"").expect("metrics");
    let text = metrics.text();
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.expect("the metric").parse().expect("a number")
}

/// A short life of memtables brings flushes, merges and manifest edits into the few moments of a round.
const FLAGS: [&str; 4] = ["--memtable-age", "1s", "--merge-after", "2"];

fn start(dir: &Path) -> Cairn {
    Cairn::start(dir, &FLAGS)
}

fn kill_while_starting(dir: &Path, after_ms: u64) {
    let mut process = Process::spawn(dir, &FLAGS);
    thread::sleep(Duration::from_millis(after_ms));
    process.kill();
}

/// Sends from several threads, kills the server at a random moment, returns what was sent and how often segments were
/// merged until then.
fn load_and_kill(cairn: Cairn, round: u64, seed: u64) -> ([Sent; 2], u64) {
    let config = GeneratorConfig {
        seed,
        batch_rows: BATCH_ROWS,
        services: 4,
        marked: true,
        timeline: Timeline {
            start_ns: START_NS + round * ROUND_NS,
            step_ns: 1_000_000,
        },
        ..GeneratorConfig::default()
    };
    let landscape = Arc::new(Landscape::new(&config));
    let over = Arc::new(AtomicBool::new(false));
    let next = Arc::new(AtomicU64::new(0));
    let senders: Vec<_> = (0..SENDERS)
        .map(|number| {
            let (over, next) = (Arc::clone(&over), Arc::clone(&next));
            let (config, landscape) = (config.clone(), Arc::clone(&landscape));
            let addr = cairn.otlp_http;
            thread::spawn(move || {
                let mut logs = LogGenerator::new(config.clone(), Arc::clone(&landscape));
                let mut spans = SpanGenerator::new(config, landscape);
                let traces = number % 3 == 0;
                let mut sent = Vec::new();
                let mut body = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    let batch = next.fetch_add(1, Ordering::Relaxed);
                    if traces {
                        spans.write_batch(batch, &mut body);
                    } else {
                        logs.write_batch(batch, &mut body);
                    }
                    sent.push((batch, send(addr, traces, &body)));
                }
                (traces, sent)
            })
        })
        .collect();
    // Mostly within the first half second, sometimes across a flush.
    let bits = random(seed, round, 3);
    let wait_ms = if bits.is_multiple_of(4) {
        500 + bits / 4 % 2_500
    } else {
        5 + bits / 4 % 500
    };
    thread::sleep(Duration::from_millis(wait_ms));
    let merges = merges_of(&cairn);
    cairn.kill();
    over.store(true, Ordering::Relaxed);
    let mut all = [Sent::default(), Sent::default()];
    for sender in senders {
        let (traces, sent) = sender.join().expect("a sender");
        all[usize::from(traces)].batches.extend(sent);
    }
    (all, merges)
}

/// Whether the request was acknowledged. Each batch is sent once: an unknown end stays unknown.
fn send(addr: SocketAddr, traces: bool, body: &[u8]) -> bool {
    let path = if traces { "/v1/traces" } else { "/v1/logs" };
    let headers = [("Content-Type", "application/x-protobuf")];
    match http::request(addr, "POST", path, &headers, body) {
        Ok(response) if response.status == 200 => {
            assert!(response.body.is_empty(), "some records were rejected");
            true
        }
        Ok(response) => {
            assert!([429, 503].contains(&response.status), "{}", response.text());
            false
        }
        Err(_) => false,
    }
}

/// Compares the tables with the oracle, rounds `from` and later.
fn check(cairn: &Cairn, oracle: &Oracle, from: u64) {
    let tables = [
        ("otel_logs", "LogAttributes"),
        ("otel_traces", "SpanAttributes"),
    ];
    let first = usize::try_from(from).expect("a round");
    for (place, (table, map)) in tables.into_iter().enumerate() {
        for (round, sent) in (from..).zip(&oracle[first..]) {
            let begin = START_NS + round * ROUND_NS;
            let rows = cairn.rows(&format!(
                "SELECT toUInt64({map}['load.batch']) AS batch, toUInt64(count()) AS records, \
                 toUInt64(uniqExact({map}['load.index'])) AS places FROM {table} \
                 WHERE Timestamp >= fromUnixTimestamp64Nano({begin}) \
                 AND Timestamp < fromUnixTimestamp64Nano({}) GROUP BY batch",
                begin + ROUND_NS
            ));
            compare(&rows, &sent[place], &format!("round {round}, {table}"));
        }
    }
}

fn compare(rows: &[serde_json::Value], sent: &Sent, place: &str) {
    let number = |row: &serde_json::Value, name: &str| -> u64 {
        let value = &row[name];
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        text.parse().expect("a number")
    };
    let mut found: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for row in rows {
        let counts = (number(row, "records"), number(row, "places"));
        found.insert(number(row, "batch"), counts);
    }
    for (batch, acked) in &sent.batches {
        match found.remove(batch) {
            Some(counts) => {
                assert_eq!(
                    counts,
                    (BATCH_ROWS, BATCH_ROWS),
                    "{place}: batch {batch} in part or twice"
                );
            }
            None => assert!(!acked, "{place}: acknowledged batch {batch} is lost"),
        }
    }
    assert!(found.is_empty(), "{place}: never sent: {found:?}");
}

/// A number that depends on nothing but its arguments.
fn random(seed: u64, round: u64, salt: u64) -> u64 {
    let mut z = seed ^ (round << 8) ^ salt;
    for factor in [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb] {
        z = (z ^ (z >> 29)).wrapping_mul(factor);
    }
    z ^ (z >> 32)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a person sets how long the test runs, and which seed it repeats"
)]
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a whole number"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a new seed each run finds more; it is printed, so that a failure can be repeated"
)]
fn clock_seed() -> u64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("after 1970");
    since.as_secs()
}
