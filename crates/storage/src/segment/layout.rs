//! Format version 0 of a segment file: schema, encodings, page and row group sizes, footer entries.
//!
//! Everything is plain standard Parquet: other tools read the file without knowing us. `docs/format.md` describes it.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::columns::{file_map_entries, label_type};
use super::meta::SEGMENT_FORMAT;
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
}

impl Default for SegmentSizes {
    fn default() -> Self {
        Self {
            row_group_rows: ROW_GROUP_ROWS,
            row_group_bytes: ROW_GROUP_BYTES,
            page_rows: PAGE_ROWS,
        }
    }
}

/// Arrow schema of the batches that the Parquet writer gets.
pub(super) fn file_schema(table: &TableDef) -> SchemaRef {
    let fields = table.columns.iter().map(|column| {
        let data_type = match column.kind {
            ColumnKind::Label => label_type(),
            ColumnKind::SharedAttributes | ColumnKind::Attributes => {
                DataType::Map(file_map_entries(), false)
            }
            ColumnKind::Timestamp
            | ColumnKind::TraceId
            | ColumnKind::SpanId
            | ColumnKind::Text
            | ColumnKind::UInt8
            | ColumnKind::UInt64
            | ColumnKind::TimestampList
            | ColumnKind::LabelList
            | ColumnKind::TextList
            | ColumnKind::AttributesList => column.kind.write_type(),
        };
        Field::new(column.name, data_type, column.kind.is_id())
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Writer properties of a new file.
pub(super) fn writer_properties(
    table: &TableDef,
    id: SegmentId,
    time: TimeRange,
    sizes: SegmentSizes,
) -> Result<WriterProperties, ParquetError> {
    let entry = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let sort_key = format!(
        "toStartOfFiveMinutes(Timestamp), {}, Timestamp",
        table.cluster_column
    );
    let mut builder = WriterProperties::builder()
        .set_created_by(format!("cairn {}", env!("CARGO_PKG_VERSION")))
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
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
    for column in table.columns {
        builder = column_properties(builder, table, column);
    }
    Ok(builder.build())
}

fn column_properties(
    builder: WriterPropertiesBuilder,
    table: &TableDef,
    column: &Column,
) -> WriterPropertiesBuilder {
    let path = ColumnPath::new(vec![column.name.to_owned()]);
    let paged = |builder: WriterPropertiesBuilder| {
        builder.set_column_statistics_enabled(path.clone(), EnabledStatistics::Page)
    };
    match column.kind {
        ColumnKind::Timestamp | ColumnKind::UInt64 => paged(builder)
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
        ColumnKind::TimestampList => {
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
                let leaf = vec![
                    column.name.to_owned(),
                    "key_value".to_owned(),
                    leaf.to_owned(),
                ];
                builder.set_column_data_page_size_limit(ColumnPath::new(leaf), MAP_PAGE_BYTES)
            })
        }
        ColumnKind::LabelList | ColumnKind::TextList | ColumnKind::AttributesList => builder,
    }
}

/// How a reader wants the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadForm {
    /// As scans return them, except that ids are still bytes.
    Whole,
    /// Maps with text views inside: for looking up single keys without copying every text.
    LookUp,
}

/// Arrow schema to read the file with.
pub(super) fn reader_schema(table: &TableDef, form: ReadForm) -> SchemaRef {
    let fields = table.columns.iter().map(|column| {
        let data_type = match column.kind {
            ColumnKind::TraceId | ColumnKind::SpanId => column.kind.write_type(),
            ColumnKind::SharedAttributes | ColumnKind::Attributes if form == ReadForm::LookUp => {
                viewed_map()
            }
            ColumnKind::Timestamp
            | ColumnKind::Label
            | ColumnKind::Text
            | ColumnKind::UInt8
            | ColumnKind::UInt64
            | ColumnKind::SharedAttributes
            | ColumnKind::Attributes
            | ColumnKind::TimestampList
            | ColumnKind::LabelList
            | ColumnKind::TextList
            | ColumnKind::AttributesList => column.kind.read_type(),
        };
        Field::new(column.name, data_type, column.kind.is_id())
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn viewed_map() -> DataType {
    let entry = vec![
        Field::new("key", DataType::Utf8View, false),
        Field::new("value", DataType::Utf8View, false),
    ];
    let entry = DataType::Struct(entry.into());
    DataType::Map(Arc::new(Field::new("key_value", entry, false)), false)
}
