//! What is in a data directory: its segments, and where the bytes of their columns are.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{dirs_of, open_manifest};
use crate::error::Result;
use crate::io::Disk;
use crate::segment::{LiveSegment, SegmentAccess, SegmentMeta};

/// A segment and the sizes of its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentSizesReport {
    /// What the manifest knows.
    pub meta: SegmentMeta,
    /// Root columns of the file, the largest first; empty unless asked for.
    pub columns: Vec<ColumnSize>,
}

/// What a column takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSize {
    /// Its name in the file; those of promoted attribute keys begin with the map's prefix.
    pub name: String,
    /// Bytes in the file.
    pub compressed_bytes: u64,
    /// Bytes of its encoded pages before compression.
    pub encoded_bytes: u64,
    /// Codec of its pages.
    pub compression: String,
}

/// The segments of `data_dir` by table, day and time; with `columns`, what is in them.
///
/// # Errors
/// When it is no data directory, or, with `columns`, when a segment cannot be read.
pub fn inspect(
    disk: &Arc<dyn Disk>,
    data_dir: &Path,
    columns: bool,
) -> Result<Vec<SegmentSizesReport>> {
    let dirs = dirs_of(data_dir);
    let (_, state) = open_manifest(disk, &dirs)?;
    let access = SegmentAccess::new(Arc::clone(disk));
    let mut metas: Vec<_> = state.segments.values().collect();
    metas.sort_by_key(|meta| (meta.table, meta.day, meta.time.min));
    metas
        .into_iter()
        .map(|meta| {
            let path = dirs.segment_file(meta.table, meta.day, meta.id);
            let segment = LiveSegment::open(SegmentMeta::clone(meta), path, &access);
            Ok(SegmentSizesReport {
                meta: SegmentMeta::clone(meta),
                columns: if columns {
                    columns_of(&segment)?
                } else {
                    Vec::new()
                },
            })
        })
        .collect()
}

fn columns_of(segment: &LiveSegment) -> Result<Vec<ColumnSize>> {
    let footer = segment.footer()?;
    let mut columns: BTreeMap<String, ColumnSize> = BTreeMap::new();
    let groups = footer.parquet().row_groups().iter();
    for chunk in groups.flat_map(|group| group.columns()) {
        let Some(name) = chunk.column_path().parts().first() else {
            continue;
        };
        let column = columns.entry(name.clone()).or_insert_with(|| ColumnSize {
            name: name.clone(),
            compressed_bytes: 0,
            encoded_bytes: 0,
            compression: chunk.compression().to_string(),
        });
        column.compressed_bytes += u64::try_from(chunk.compressed_size()).unwrap_or_default();
        column.encoded_bytes += u64::try_from(chunk.uncompressed_size()).unwrap_or_default();
    }
    let mut columns: Vec<ColumnSize> = columns.into_values().collect();
    columns.sort_by_key(|column| std::cmp::Reverse(column.compressed_bytes));
    Ok(columns)
}
