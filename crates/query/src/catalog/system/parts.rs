//! Segments, as ClickHouse shows parts.

use cairn_storage::{NANOS_PER_SECOND, Nanos, SegmentMeta};

use super::row::{Row, flag, int, text, uint};
use crate::catalog::moment::Moment;
use crate::types::Value;

const SECONDS_PER_DAY: i64 = 86_400;

pub(super) fn parts(moment: &Moment) -> Vec<Row> {
    moment
        .snapshot
        .segments()
        .map(|meta| part(meta, moment))
        .collect()
}

fn part(meta: &SegmentMeta, moment: &Moment) -> Row {
    let day = meta.day;
    let id = civil(day).replace('-', "");
    let uuid = uuid::Uuid::parse_str(&meta.id.to_string()).unwrap_or_default();
    let groups = u64::try_from(meta.row_groups.len()).unwrap_or(u64::MAX);
    Row::of([
        ("database", text("default")),
        ("table", text(meta.table.name())),
        ("engine", text("MergeTree")),
        ("partition", text(civil(day))),
        ("partition_id", text(id)),
        ("name", text(meta.id.to_string())),
        ("uuid", text(uuid.to_string())),
        ("part_type", text("Wide")),
        ("part_storage_type", text("Full")),
        ("active", flag(true)),
        ("visible", flag(true)),
        ("marks", uint(groups)),
        ("rows", uint(meta.rows)),
        ("files", uint(1u8)),
        ("refcount", uint(1u8)),
    ])
    .with([
        ("bytes_on_disk", uint(meta.file_bytes)),
        ("data_compressed_bytes", uint(meta.file_bytes)),
        ("data_uncompressed_bytes", uint(meta.file_bytes)),
        ("modification_time", seconds(meta.created_at)),
        ("min_date", date(day)),
        ("max_date", date(day)),
        ("min_time", seconds(meta.time.min)),
        ("max_time", seconds(meta.time.max)),
        ("min_block_number", int(meta.first_seq.0)),
        ("max_block_number", int(meta.last_seq.0)),
        ("level", uint(meta.level)),
        ("disk_name", text("default")),
        ("path", text(moment.data_path.as_str())),
        ("default_compression_codec", text("ZSTD")),
    ])
}

fn seconds(time: Nanos) -> Value {
    Value::UInt(u64::try_from(time.0.div_euclid(NANOS_PER_SECOND)).unwrap_or(0))
}

fn date(day: i64) -> Value {
    Value::UInt(u64::from(u16::try_from(day.max(0)).unwrap_or(u16::MAX)))
}

/// `2026-08-20`
fn civil(day: i64) -> String {
    let at = chrono::DateTime::from_timestamp(day.saturating_mul(SECONDS_PER_DAY), 0);
    at.unwrap_or_default().format("%Y-%m-%d").to_string()
}
