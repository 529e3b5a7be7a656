//! Databases, tables and columns.

use cairn_storage::{SegmentMeta, TableId};

use super::row::{Row, flag, text, texts, uint};
use crate::catalog::moment::Moment;
use crate::catalog::table::{CatalogTable, TableKind, create_statement};
use crate::types::{Type, Value};

pub(super) fn databases(moment: &Moment, names: &[&str]) -> Vec<Row> {
    names
        .iter()
        .map(|name| {
            let engine = if *name == "default" {
                "Atomic"
            } else {
                "Memory"
            };
            Row::of([
                ("name", text(*name)),
                ("engine", text(engine)),
                ("data_path", text(moment.data_path.as_str())),
                ("uuid", text(uuid_of(name, ""))),
                ("engine_full", text(engine)),
            ])
        })
        .collect()
}

/// The same id for the same name, always: clients keep it.
pub(super) fn uuid_of(database: &str, table: &str) -> String {
    let half = |salt: u64| {
        let bytes = database.bytes().chain([0]).chain(table.bytes());
        bytes.fold(salt, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    };
    let (high, low) = (half(0xcbf2_9ce4_8422_2325), half(0x8422_2325_cbf2_9ce4));
    uuid::Builder::from_u128((u128::from(high) << 64) | u128::from(low))
        .with_version(uuid::Version::Custom)
        .with_variant(uuid::Variant::RFC4122)
        .into_uuid()
        .to_string()
}

pub(super) fn tables(moment: &Moment, tables: &[CatalogTable]) -> Vec<Row> {
    tables
        .iter()
        .map(|table| {
            let row = Row::of([
                ("database", text(table.database.as_str())),
                ("name", text(table.name.as_str())),
                ("table", text(table.name.as_str())),
                ("uuid", text(uuid_of(&table.database, &table.name))),
                ("engine", text(table.engine)),
                ("create_table_query", text(create_statement(table, false))),
                ("engine_full", text(table.engine_full())),
                ("partition_key", text(table.keys.partition.as_str())),
                ("sorting_key", text(table.keys.sorting.as_str())),
                ("primary_key", text(table.keys.sorting.as_str())),
                ("metadata_modification_time", uint(moment.started_s)),
                ("comment", text(table.comment)),
            ]);
            match table.kind {
                TableKind::Stored(id) => stored(row, id, moment),
                TableKind::View(query) => row.with([("as_select", text(query))]),
                TableKind::Numbers | TableKind::System => row,
            }
        })
        .collect()
}

fn stored(row: Row, id: TableId, moment: &Moment) -> Row {
    let segments: Vec<&SegmentMeta> = moment
        .snapshot
        .segments()
        .filter(|meta| meta.table == id)
        .collect();
    let bytes: u64 = segments.iter().map(|meta| meta.file_bytes).sum();
    let count = u64::try_from(segments.len()).unwrap_or(u64::MAX);
    let groups: usize = segments.iter().map(|meta| meta.row_groups.len()).sum();
    let groups = u64::try_from(groups).unwrap_or(u64::MAX);
    row.with([
        ("data_paths", texts([moment.data_path.clone()])),
        ("storage_policy", text("default")),
        ("total_rows", uint(moment.snapshot.row_count(id))),
        ("total_bytes", uint(bytes)),
        ("total_bytes_uncompressed", uint(bytes)),
        ("parts", uint(count)),
        ("active_parts", uint(count)),
        ("total_marks", uint(groups)),
        ("has_own_data", flag(true)),
    ])
}

pub(super) fn columns(tables: &[CatalogTable]) -> Vec<Row> {
    tables.iter().flat_map(columns_of).collect()
}

fn columns_of(table: &CatalogTable) -> Vec<Row> {
    let key = |name: &str, keys: &str| {
        let words = keys.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        flag(words.into_iter().any(|word| word == name))
    };
    (1u64..)
        .zip(&table.columns)
        .map(|(position, column)| {
            let (kind, expression) = column.default.described();
            let [octets, precision, radix, scale, datetime] = measures(&column.ty);
            Row::of([
                ("database", text(table.database.as_str())),
                ("table", text(table.name.as_str())),
                ("name", text(column.name.as_str())),
                ("type", text(column.ty.to_string())),
                ("position", uint(position)),
                ("default_kind", text(kind)),
                ("default_expression", text(expression)),
                ("comment", text(column.comment)),
                (
                    "is_in_partition_key",
                    key(&column.name, &table.keys.partition),
                ),
                ("is_in_sorting_key", key(&column.name, &table.keys.sorting)),
                ("is_in_primary_key", key(&column.name, &table.keys.sorting)),
                ("character_octet_length", octets),
                ("numeric_precision", precision),
                ("numeric_precision_radix", radix),
                ("numeric_scale", scale),
                ("datetime_precision", datetime),
            ])
        })
        .collect()
}

/// Octets of text, precision, radix and scale of a number, digits of a second.
pub(in crate::catalog) fn measures(ty: &Type) -> [Value; 5] {
    let mut measures = [const { Value::Null }; 5];
    let [octets, precision, radix, scale, datetime] = &mut measures;
    let bare = ty.bare();
    if let Type::FixedString(bytes) = bare {
        *octets = uint(*bytes);
    } else if let Type::Decimal(digits, fraction) = bare {
        (*precision, *radix, *scale) = (uint(*digits), uint(10u8), uint(*fraction));
    } else if let Type::DateTime64(digits, _) = bare {
        *datetime = uint(*digits);
    } else if matches!(bare, Type::DateTime(_) | Type::Date | Type::Date32) {
        *datetime = uint(0u8);
    } else if let Some(bits) = integer_bits(bare) {
        (*precision, *radix, *scale) = (uint(bits), uint(2u8), uint(0u8));
    }
    measures
}

fn integer_bits(ty: &Type) -> Option<u64> {
    let name = ty.to_string();
    if *ty == Type::Bool {
        return Some(8);
    }
    let bits = name
        .strip_prefix('U')
        .unwrap_or(&name)
        .strip_prefix("Int")?;
    bits.parse().ok()
}
