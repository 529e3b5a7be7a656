//! `cairn check`, `inspect`, `compact`, `backup` and `restore`: a data directory without a server.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use cairn_ingest::{Decoder, DecoderConfig};
use cairn_storage::{
    CopyOptions, Disk, LocalDisk, Parts, SegmentMeta, Store, check, copy_store, inspect,
};

use super::error::AppError;
use super::runtime;
use super::storage::storage_config;
use crate::config::{Config, ToolKind};
use crate::telemetry;

/// Does `tool` and writes what it has to say to `out`.
///
/// # Errors
/// When it cannot, or when a check finds damage.
pub fn run_tool(config: &Config, tool: &ToolKind, out: &mut dyn Write) -> Result<(), AppError> {
    telemetry::init(&config.log)?;
    match tool {
        ToolKind::Check { repair } => run_check(config, *repair, out),
        ToolKind::Inspect { columns } => run_inspect(config, *columns, out),
        ToolKind::Compact => run_compact(config, out),
        ToolKind::Backup { to, dry_run } => {
            let options = CopyOptions {
                dry_run: *dry_run,
                fresh: false,
            };
            run_copy((&config.data_dir, to), options, out)
        }
        ToolKind::Restore { from, dry_run } => {
            let options = CopyOptions {
                dry_run: *dry_run,
                fresh: true,
            };
            run_copy((from, &config.data_dir), options, out)
        }
    }
}

fn disk() -> Arc<dyn Disk> {
    Arc::new(LocalDisk)
}

/// `otel_logs-<id>  level 2  123 rows  456 bytes`.
fn line(meta: &SegmentMeta) -> String {
    format!(
        "{}-{}  level {}  {} rows  {} bytes",
        meta.table, meta.id, meta.level, meta.rows, meta.file_bytes
    )
}

fn run_check(config: &Config, repair: bool, out: &mut dyn Write) -> Result<(), AppError> {
    let mut written = Ok(());
    let report = check(&disk(), &config.data_dir, repair, &mut |meta, damage| {
        let verdict = damage.unwrap_or("ok");
        if written.is_ok() {
            written = writeln!(out, "{}  {verdict}", line(meta));
        }
    });
    let report = report.map_err(AppError::Tool)?;
    written?;
    writeln!(
        out,
        "{} segments, {} rows, {} bytes verified; {} damaged{}",
        report.segment_count,
        report.row_count,
        report.bytes,
        report.damaged.len(),
        if report.repaired {
            ", moved to quarantine"
        } else {
            ""
        }
    )?;
    if report.damaged.is_empty() || report.repaired {
        return Ok(());
    }
    Err(AppError::Damaged {
        count: report.damaged.len(),
    })
}

fn run_inspect(config: &Config, columns: bool, out: &mut dyn Write) -> Result<(), AppError> {
    let segments = inspect(&disk(), &config.data_dir, columns).map_err(AppError::Tool)?;
    for segment in &segments {
        let meta = &segment.meta;
        writeln!(
            out,
            "{}  format {}  {} row groups  time {} to {}",
            line(meta),
            meta.format,
            meta.row_groups.len(),
            meta.time.min.0,
            meta.time.max.0
        )?;
        for column in &segment.columns {
            writeln!(
                out,
                "    {:>12} of {:>12} bytes  {}  {}",
                column.compressed_bytes, column.encoded_bytes, column.compression, column.name
            )?;
        }
    }
    let rows: u64 = segments.iter().map(|segment| segment.meta.rows).sum();
    let bytes: u64 = segments.iter().map(|segment| segment.meta.file_bytes).sum();
    writeln!(
        out,
        "{} segments, {rows} rows, {bytes} bytes",
        segments.len()
    )?;
    Ok(())
}

fn run_compact(config: &Config, out: &mut dyn Write) -> Result<(), AppError> {
    let io = runtime::io()?;
    let decoder = Arc::new(Decoder::new(DecoderConfig {
        normalize_logs: config.normalize_logs,
        max_request_bytes: usize::try_from(config.max_request_bytes).unwrap_or(usize::MAX),
    }));
    let store =
        Store::open(storage_config(config), Parts::real(decoder)).map_err(AppError::Open)?;
    let merges = io.block_on(async {
        store.flush().await?;
        let merges = store.compact(true).await?;
        store.shutdown().await?;
        Ok(merges)
    });
    let merges = merges.map_err(AppError::Tool)?;
    let stats = store.stats();
    let segments: u64 = stats.segments.iter().map(|table| table.count).sum();
    writeln!(
        out,
        "{merges} merges, {} bytes became {}; {segments} segments are left",
        stats.compaction.input_bytes, stats.compaction.output_bytes
    )?;
    Ok(())
}

fn run_copy(
    (from, to): (&Path, &Path),
    options: CopyOptions,
    out: &mut dyn Write,
) -> Result<(), AppError> {
    let mut written = Ok(());
    let report = copy_store(&disk(), (from, to), options, &mut |meta, copied| {
        let verb = match (copied, options.dry_run) {
            (true, false) => "copied",
            (true, true) => "would be copied",
            (false, _) => "is there",
        };
        if written.is_ok() {
            written = writeln!(out, "{}  {verb}", line(meta));
        }
    });
    let report = report.map_err(AppError::Tool)?;
    written?;
    writeln!(
        out,
        "{} segments, {} of them already there; {} WAL files; {} bytes {}",
        report.segment_count,
        report.kept_count,
        report.wal_file_count,
        report.copied_bytes,
        if options.dry_run { "to copy" } else { "copied" }
    )?;
    Ok(())
}
