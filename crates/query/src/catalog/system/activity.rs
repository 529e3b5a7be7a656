//! Running and finished queries.

use std::collections::BTreeMap;

use super::row::{Row, flag, int, text, uint};
use crate::catalog::moment::Moment;
use crate::facts::{LoggedFact, LoggedKind, RunningFact, SenderFact};
use crate::functions::CLICKHOUSE_VERSION;
use crate::types::Value;

/// `HTTP` of the column `interface`.
const HTTP: i64 = 2;
const NANOS_PER_MICRO: i64 = 1_000;
const NANOS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

pub(super) fn processes(moment: &Moment) -> Vec<Row> {
    moment.server.running().iter().map(process).collect()
}

fn process(query: &RunningFact) -> Row {
    let work = query.work;
    sender(&query.sender, &query.query_id).with([
        ("elapsed", Value::Float(query.elapsed_s)),
        ("is_cancelled", flag(query.is_cancelled)),
        ("read_rows", uint(work.read_rows)),
        ("read_bytes", uint(work.read_bytes)),
        ("total_rows_approx", uint(work.total_rows)),
        ("written_rows", uint(work.written_rows)),
        ("written_bytes", uint(work.written_bytes)),
        ("memory_usage", int(work.memory_bytes)),
        ("peak_memory_usage", int(work.memory_bytes)),
        ("query", text(query.query.as_str())),
        ("query_kind", text(query.query_kind.as_str())),
        ("Settings", map(&query.settings)),
        ("current_database", text(query.database.as_str())),
    ])
}

fn sender(sender: &SenderFact, query_id: &str) -> Row {
    let method = match sender.http_method.as_str() {
        "GET" => 1,
        "POST" => 2,
        "OPTIONS" => 3,
        "PUT" => 4,
        "DELETE" => 5,
        "HEAD" => 6,
        _ => 0,
    };
    Row::of([
        ("is_initial_query", flag(true)),
        ("user", text(sender.user.as_str())),
        ("initial_user", text(sender.user.as_str())),
        ("query_id", text(query_id)),
        ("initial_query_id", text(query_id)),
        ("address", text(sender.address.as_str())),
        ("initial_address", text(sender.address.as_str())),
        ("port", uint(sender.port)),
        ("initial_port", uint(sender.port)),
        ("interface", Value::Int(HTTP)),
        ("http_method", Value::Int(method)),
        ("http_user_agent", text(sender.user_agent.as_str())),
        ("http_referer", text(sender.referer.as_str())),
        ("forwarded_for", text(sender.forwarded_for.as_str())),
    ])
}

fn map(settings: &[(String, String)]) -> Value {
    let entries = settings.iter();
    Value::Map(
        entries
            .map(|(name, value)| (text(name.as_str()), text(value.as_str())))
            .collect(),
    )
}

pub(super) fn query_log(moment: &Moment) -> Vec<Row> {
    moment.server.logged().iter().map(logged).collect()
}

fn logged(line: &LoggedFact) -> Row {
    let kind = match line.kind {
        LoggedKind::QueryStart => 1,
        LoggedKind::QueryFinish => 2,
        LoggedKind::ExceptionBeforeStart => 3,
        LoggedKind::ExceptionWhileProcessing => 4,
    };
    let seconds = |ns: i64| {
        let seconds = ns.div_euclid(NANOS_PER_SECOND);
        Value::UInt(u64::from(u32::try_from(seconds.max(0)).unwrap_or(u32::MAX)))
    };
    let micros = |ns: i64| Value::Int(ns.div_euclid(NANOS_PER_MICRO));
    let day = line.at_ns.div_euclid(NANOS_PER_SECOND * SECONDS_PER_DAY);
    let day = u16::try_from(day.max(0)).unwrap_or(u16::MAX);
    let work = line.work;
    sender(&line.sender, &line.query_id)
        .with([
            ("type", Value::Int(kind)),
            ("event_date", uint(day)),
            ("event_time", seconds(line.at_ns)),
            ("event_time_microseconds", micros(line.at_ns)),
            ("query_start_time", seconds(line.started_ns)),
            ("query_start_time_microseconds", micros(line.started_ns)),
            ("query_duration_ms", uint(line.duration_ms)),
            ("read_rows", uint(work.read_rows)),
            ("read_bytes", uint(work.read_bytes)),
            ("written_rows", uint(work.written_rows)),
            ("written_bytes", uint(work.written_bytes)),
            ("result_rows", uint(work.result_rows)),
            ("result_bytes", uint(work.result_bytes)),
            ("memory_usage", uint(work.memory_bytes)),
        ])
        .with([
            ("clickhouse_version", text(CLICKHOUSE_VERSION)),
            ("query", text(line.query.as_str())),
            ("query_kind", text(line.query_kind.as_str())),
            ("current_database", text(line.database.as_str())),
            ("exception_code", Value::Int(line.exception_code.into())),
            ("exception", text(line.exception.as_str())),
            ("Settings", map(&line.settings)),
        ])
}

pub(super) fn user_processes(moment: &Moment) -> Vec<Row> {
    let mut users: BTreeMap<String, u64> = BTreeMap::new();
    for query in moment.server.running() {
        let memory = users.entry(query.sender.user).or_default();
        *memory = memory.saturating_add(query.work.memory_bytes);
    }
    users
        .into_iter()
        .map(|(user, memory)| {
            Row::of([
                ("user", text(user)),
                ("memory_usage", int(memory)),
                ("peak_memory_usage", int(memory)),
            ])
        })
        .collect()
}
