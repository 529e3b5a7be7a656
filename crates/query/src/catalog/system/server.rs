//! The process: figures, disks, formats, users, build.

use super::objects::uuid_of;
use super::row::{Row, flag, text, texts, uint};
use crate::catalog::moment::Moment;
use crate::facts::FigureFact;
use crate::types::Value;

/// The only cluster: this process.
pub(crate) const CLUSTER: &str = "default";

pub(super) fn clusters() -> Vec<Row> {
    vec![Row::of([
        ("cluster", text(CLUSTER)),
        ("shard_num", uint(1u8)),
        ("shard_weight", uint(1u8)),
        ("replica_num", uint(1u8)),
        ("host_name", text("localhost")),
        ("host_address", text("127.0.0.1")),
        ("is_local", flag(true)),
    ])]
}

fn figures(moment: &Moment, counters: bool) -> Vec<FigureFact> {
    let mut figures = moment.server.figures();
    figures.retain(|figure| figure.is_counter == counters);
    figures
}

/// The whole number next to `value`, towards zero; beyond 64 bits the largest.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast from float to integer saturates, which is what is wanted"
)]
fn whole(value: f64) -> i64 {
    value as i64
}

pub(super) fn events(moment: &Moment) -> Vec<Row> {
    figures(moment, true)
        .into_iter()
        .map(|figure| {
            let value = u64::try_from(whole(figure.value)).unwrap_or(0);
            Row::of([
                ("event", text(figure.name)),
                ("value", uint(value)),
                ("description", text(figure.description)),
            ])
        })
        .collect()
}

pub(super) fn metrics(moment: &Moment) -> Vec<Row> {
    figures(moment, false)
        .into_iter()
        .map(|figure| {
            Row::of([
                ("metric", text(figure.name)),
                ("value", Value::Int(whole(figure.value))),
                ("description", text(figure.description)),
            ])
        })
        .collect()
}

pub(super) fn asynchronous_metrics(moment: &Moment) -> Vec<Row> {
    figures(moment, false)
        .into_iter()
        .map(|figure| {
            Row::of([
                ("metric", text(figure.name)),
                ("value", Value::Float(figure.value)),
                ("description", text(figure.description)),
            ])
        })
        .collect()
}

pub(super) fn disks(moment: &Moment) -> Vec<Row> {
    moment
        .server
        .disks()
        .into_iter()
        .map(|disk| {
            let usable = disk.free_bytes.saturating_sub(disk.keep_free_bytes);
            Row::of([
                ("name", text(disk.name)),
                ("path", text(disk.path)),
                ("free_space", uint(disk.free_bytes)),
                ("total_space", uint(disk.total_bytes)),
                ("unreserved_space", uint(usable)),
                ("keep_free_space", uint(disk.keep_free_bytes)),
                ("type", text("Local")),
                ("object_storage_type", text("None")),
                ("metadata_type", text("None")),
            ])
        })
        .collect()
}

pub(super) fn storage_policies(moment: &Moment) -> Vec<Row> {
    let disks = moment.server.disks();
    let names = disks.into_iter().map(|disk| disk.name);
    vec![Row::of([
        ("policy_name", text("default")),
        ("volume_name", text("default")),
        ("volume_priority", uint(1u8)),
        ("disks", texts(names)),
    ])]
}

pub(super) fn formats(moment: &Moment) -> Vec<Row> {
    moment
        .server
        .formats()
        .into_iter()
        .map(|format| {
            Row::of([
                ("name", text(format.name)),
                ("is_input", flag(format.is_input)),
                ("is_output", flag(format.is_output)),
                ("content_type", text(format.content_type)),
            ])
        })
        .collect()
}

pub(super) fn build_options(moment: &Moment) -> Vec<Row> {
    moment
        .server
        .build_options()
        .into_iter()
        .map(|(name, value)| Row::of([("name", text(name)), ("value", text(value))]))
        .collect()
}

pub(super) fn users(moment: &Moment) -> Vec<Row> {
    moment
        .server
        .users()
        .into_iter()
        .map(|name| {
            let id = uuid_of("user", &name);
            Row::of([
                ("name", text(name)),
                ("id", text(id)),
                ("storage", text("config")),
                ("host_ip", texts(["::/0".to_owned()])),
                ("default_roles_all", flag(true)),
            ])
        })
        .collect()
}
