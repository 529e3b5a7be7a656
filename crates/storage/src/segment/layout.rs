//! Format version 1 of a segment file: encodings, page and row group sizes, footer entries.
//!
//! Everything is plain standard Parquet: other tools read the file without knowing us. `docs/format.md` describes it.

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::columns::ColumnPlan;
use super::meta::SEGMENT_FORMAT;
use super::promote::PromoteLimits;
use super::shape::Shape;
use crate::ids::SegmentId;
use crate::schema::{Column, ColumnKind, TableDef};
use crate::time::TimeRange;

/// Rows of a row group at most: the unit of parallel reading; a multiple of the batch size.
const ROW_GROUP_ROWS: usize = 131_072;

/// Bytes of gathered rows after which a row group ends early: bounds what a reader has to hold.
const ROW_GROUP_BYTES: usize = 64 << 20;

/// Rows of a page at most, and of a batch.
pub(crate) const PAGE_ROWS: usize = 8_192;

/// Bytes of a page at most, before compression.
const PAGE_BYTES: usize = 256 * 1024;

/// Bytes of a page of a map's keys or values at most. Maps are dear to decode, so that fetching a few
/// rows of one must not decode thousands of others.
const MAP_PAGE_BYTES: usize = 64 * 1024;

/// Bytes of a dictionary page at most; a column with more falls back to plain values.
const DICTIONARY_BYTES: usize = 1 << 20;

/// Bytes of the dictionary page of a promoted key at most: there may be more than a hundred of them in memory.
const KEY_DICTIONARY_BYTES: usize = 256 * 1024;

/// Bytes of the dictionary page of a column of sets at most.
const SET_DICTIONARY_BYTES: usize = 8 << 20;

/// How often an id filter says "perhaps" of an id that a row group does not have. Each such answer costs a millisecond;
/// a smaller share costs bytes in every row group.
const ID_FILTER_ERROR_RATE: f64 = 0.02;

/// Values that the Parquet writer takes before it looks whether a page is full.
const WRITE_BATCH_ROWS: usize = 1_024;

/// Sizes of the parts of a file. Tests make them small, so that few rows fill many parts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SegmentSizes {
    /// Rows of a row group at most.
    pub(crate) row_group_rows: usize,
    /// Gathered bytes of a row group, roughly at most.
    pub(crate) row_group_bytes: usize,
    /// Rows of a page at most.
    pub(crate) page_rows: usize,
    /// Which keys of maps get columns of their own.
    pub(crate) promote: PromoteLimits,
}

impl Default for SegmentSizes {
    fn default() -> Self {
        Self {
            row_group_rows: ROW_GROUP_ROWS,
            row_group_bytes: ROW_GROUP_BYTES,
            page_rows: PAGE_ROWS,
            promote: PromoteLimits::default(),
        }
    }
}

/// How hard the writer tries to make a file small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// zstd level 1: the rows are written again soon.
    Quick,
    /// zstd level 3: the rows stay as they are. Higher levels cost several times the time for a few percent.
    Thorough,
}

impl Effort {
    fn zstd_level(self) -> i32 {
        match self {
            Self::Quick => 1,
            Self::Thorough => 3,
        }
    }
}

/// Writer properties of a new file.
pub(super) fn writer_properties(
    table: &TableDef,
    (id, time): (SegmentId, TimeRange),
    (shape, plans): (&Shape, &[ColumnPlan]),
    (sizes, effort): (SegmentSizes, Effort),
) -> Result<WriterProperties, ParquetError> {
    let entry = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let sort_key = format!(
        "toStartOfFiveMinutes({time}), {}, {time}",
        table.cluster_column,
        time = table.time_column()
    );
    let mut builder = WriterProperties::builder()
        .set_created_by(format!("cairn {}", env!("CARGO_PKG_VERSION")))
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(effort.zstd_level())?))
        .set_max_row_group_row_count(None)
        .set_data_page_row_count_limit(sizes.page_rows)
        .set_write_batch_size(WRITE_BATCH_ROWS.min(sizes.page_rows))
        .set_data_page_size_limit(PAGE_BYTES)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_key_value_metadata(Some(vec![
            entry("cairn.format", SEGMENT_FORMAT.to_string()),
            entry("cairn.table", table.id.name().to_owned()),
            entry("cairn.segment", id.to_string()),
            entry("cairn.sort_key", sort_key),
            entry("cairn.time_min", time.min.0.to_string()),
            entry("cairn.time_max", time.max.0.to_string()),
        ]));
    for (index, column) in table.columns.iter().enumerate() {
        let path = ColumnPath::new(vec![shape.name(index).to_owned()]);
        let plan = plans.get(index);
        if column.kind == ColumnKind::TraceId {
            builder = id_filter(builder, path.clone(), sizes);
        }
        builder = if plan.is_some_and(|plan| plan.sets) {
            // A set is a text as long as a whole map, and without a dictionary it would be stored for every row.
            builder.set_column_dictionary_page_size_limit(path, SET_DICTIONARY_BYTES)
        } else {
            column_properties(builder, table, column, path)
        };
        let promoted = plan.map(|plan| plan.promoted.as_slice());
        for (key, (_, root)) in promoted
            .unwrap_or_default()
            .iter()
            .zip(shape.promoted(index))
        {
            let path = ColumnPath::new(vec![shape.name(root).to_owned()]);
            builder = key_properties(builder, path, key.dictionary);
        }
    }
    Ok(builder.build())
}

/// Bloom filters of a column of ids, one per row group, as small as their ids allow.
fn id_filter(
    builder: WriterPropertiesBuilder,
    path: ColumnPath,
    sizes: SegmentSizes,
) -> WriterPropertiesBuilder {
    let ids = u64::try_from(sizes.row_group_rows).unwrap_or(u64::MAX);
    builder
        .set_column_bloom_filter_enabled(path.clone(), true)
        .set_column_bloom_filter_fpp(path.clone(), ID_FILTER_ERROR_RATE)
        .set_column_bloom_filter_max_ndv(path, ids)
}

/// A promoted key. The page index tells where it is absent, and often which values a service has.
fn key_properties(
    builder: WriterPropertiesBuilder,
    path: ColumnPath,
    dictionary: bool,
) -> WriterPropertiesBuilder {
    let builder = builder
        .set_column_statistics_enabled(path.clone(), EnabledStatistics::Page)
        .set_column_data_page_size_limit(path.clone(), MAP_PAGE_BYTES);
    if dictionary {
        return builder.set_column_dictionary_page_size_limit(path, KEY_DICTIONARY_BYTES);
    }
    builder
        .set_column_dictionary_enabled(path.clone(), false)
        .set_column_encoding(path, Encoding::DELTA_LENGTH_BYTE_ARRAY)
}

fn column_properties(
    builder: WriterPropertiesBuilder,
    table: &TableDef,
    column: &Column,
    path: ColumnPath,
) -> WriterPropertiesBuilder {
    let paged = |builder: WriterPropertiesBuilder| {
        builder.set_column_statistics_enabled(path.clone(), EnabledStatistics::Page)
    };
    match column.kind {
        ColumnKind::Timestamp | ColumnKind::Seconds | ColumnKind::UInt64 => paged(builder)
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED),
        ColumnKind::TraceId if column.name == table.cluster_column => {
            // Sorted by it: the runs compress to almost nothing.
            paged(builder).set_column_dictionary_enabled(path, false)
        }
        // Random bytes: neither a dictionary nor compression gains anything.
        ColumnKind::TraceId | ColumnKind::SpanId => paged(builder)
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_compression(path, Compression::UNCOMPRESSED),
        ColumnKind::Label | ColumnKind::UInt8 => paged(builder),
        ColumnKind::Text => builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_LENGTH_BYTE_ARRAY),
        ColumnKind::TimestampList | ColumnKind::SecondsList => {
            let leaf = vec![
                column.name.to_owned(),
                "list".to_owned(),
                "element".to_owned(),
            ];
            let leaf = ColumnPath::new(leaf);
            builder
                .set_column_dictionary_enabled(leaf.clone(), false)
                .set_column_encoding(leaf, Encoding::DELTA_BINARY_PACKED)
        }
        ColumnKind::SharedAttributes | ColumnKind::Attributes => {
            ["key", "value"].into_iter().fold(builder, |builder, leaf| {
                let mut leaf_path = path.parts().to_vec();
                leaf_path.extend(["key_value".to_owned(), leaf.to_owned()]);
                let leaf = leaf_path;
                builder.set_column_data_page_size_limit(ColumnPath::new(leaf), MAP_PAGE_BYTES)
            })
        }
        ColumnKind::Number(_)
        | ColumnKind::NumberList(_)
        | ColumnKind::LabelList
        | ColumnKind::TextList
        | ColumnKind::AttributesList => builder,
    }
}
