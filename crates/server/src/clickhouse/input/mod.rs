//! The data of an INSERT as values of the table's columns. The readers know formats and types, not
//! tables or storage.

mod adapt;
mod binary;
mod csv;
mod json;
mod literal;
mod native;
mod rows;
mod tsv;
mod values;

#[cfg(test)]
mod tests;

use cairn_query::{ErrorCode, FormatFact, QueryError};
use chrono_tz::Tz;

pub(super) use adapt::adapt;
pub(super) use rows::Rows;
pub(super) use values::{ValueRow, read_values};

type Result<T, E = QueryError> = std::result::Result<T, E>;

/// What readers need to know besides the columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct InputSettings {
    /// Zone of times without one.
    pub(super) timezone: Tz,
    /// Between CSV fields.
    pub(super) csv_delimiter: u8,
}

/// The names that stand at the head of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    None,
    Names,
    NamesAndTypes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tsv { raw: bool, names: Head },
    Csv(Head),
    JsonEachRow,
    JsonCompactEachRow(Head),
    RowBinary(Head),
    Native,
}

/// Formats that INSERT reads, `VALUES` aside.
const FORMATS: [(&str, Kind); 24] = [
    ("TabSeparated", tsv(false, Head::None)),
    ("TSV", tsv(false, Head::None)),
    ("TabSeparatedWithNames", tsv(false, Head::Names)),
    ("TSVWithNames", tsv(false, Head::Names)),
    (
        "TabSeparatedWithNamesAndTypes",
        tsv(false, Head::NamesAndTypes),
    ),
    ("TSVWithNamesAndTypes", tsv(false, Head::NamesAndTypes)),
    ("TabSeparatedRaw", tsv(true, Head::None)),
    ("TSVRaw", tsv(true, Head::None)),
    ("Raw", tsv(true, Head::None)),
    ("CSV", Kind::Csv(Head::None)),
    ("CSVWithNames", Kind::Csv(Head::Names)),
    ("CSVWithNamesAndTypes", Kind::Csv(Head::NamesAndTypes)),
    ("JSONEachRow", Kind::JsonEachRow),
    ("JSONLines", Kind::JsonEachRow),
    ("NDJSON", Kind::JsonEachRow),
    ("JSONL", Kind::JsonEachRow),
    ("JSON", Kind::JsonEachRow),
    ("JSONCompactEachRow", Kind::JsonCompactEachRow(Head::None)),
    (
        "JSONCompactEachRowWithNames",
        Kind::JsonCompactEachRow(Head::Names),
    ),
    (
        "JSONCompactEachRowWithNamesAndTypes",
        Kind::JsonCompactEachRow(Head::NamesAndTypes),
    ),
    ("RowBinary", Kind::RowBinary(Head::None)),
    ("RowBinaryWithNames", Kind::RowBinary(Head::Names)),
    (
        "RowBinaryWithNamesAndTypes",
        Kind::RowBinary(Head::NamesAndTypes),
    ),
    ("Native", Kind::Native),
];

const fn tsv(raw: bool, names: Head) -> Kind {
    Kind::Tsv { raw, names }
}

/// Every format of the port, and what it can do.
pub(crate) fn format_facts() -> Vec<FormatFact> {
    let facts = super::format::format_facts().into_iter();
    facts
        .map(|fact| FormatFact {
            is_input: fact.name == "Values" || kind(&fact.name).is_some(),
            ..fact
        })
        .collect()
}

fn kind(format: &str) -> Option<Kind> {
    let found = FORMATS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(format));
    found.map(|(_, kind)| *kind)
}

/// Reads data in a format into rows.
///
/// # Errors
/// When the format is not read by INSERT, or the data is not in it; then the rows are of no use.
pub(super) fn read(format: &str, data: &[u8], rows: &mut Rows) -> Result<()> {
    let kind = kind(format).ok_or_else(|| {
        let known = super::format::Format::find(format).is_some();
        let (code, what) = match known {
            true => (ErrorCode::NotImplemented, "is not read by INSERT"),
            false => (ErrorCode::UnknownFormat, "is unknown"),
        };
        QueryError::new(code, format!("Format {format} {what}"))
    })?;
    match kind {
        Kind::Tsv { raw, names } => tsv::read(data, raw, names, rows),
        Kind::Csv(names) => csv::read(data, names, rows),
        Kind::JsonEachRow => json::read_objects(data, rows),
        Kind::JsonCompactEachRow(names) => json::read_arrays(data, names, rows),
        Kind::RowBinary(names) => binary::read(data, names, rows),
        Kind::Native => native::read(data, rows),
    }
}
