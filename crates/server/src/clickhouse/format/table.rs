//! The table of formats: names, aliases, content types, and the writer of each.

use cairn_query::{AnswerColumn, FormatFact};

use super::json_columns::ColumnsFrame;
use super::null::Null;
use super::{
    FormatSettings, FormatWriter, Header, Schema, arrow_ipc, csv, exported_file, json,
    json_columns, json_progress, json_rows, markdown, native, pretty, row_binary, sql_insert, tsv,
    values, vertical, xml,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tsv { raw: bool, header: Header },
    Csv(Header),
    Json { compact: bool, strings: bool },
    JsonEachRow { strings: bool },
    JsonCompactEachRow { strings: bool, header: Header },
    Values,
    Vertical,
    Markdown,
    Tskv,
    Null,
    Pretty(pretty::Frame),
    RowBinary(Header),
    Native,
    RowsWithProgress { strings: bool, compact: bool },
    JsonColumns(ColumnsFrame),
    JsonObjectEachRow,
    Xml,
    SqlInsert,
    ArrowIpc { stream: bool },
    Parquet,
}

/// An output format.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Format {
    /// The canonical name.
    pub name: &'static str,
    /// The response's `Content-Type`.
    pub content_type: &'static str,
    /// Whether browsers should save it to a file.
    pub binary: bool,
    kind: Kind,
}

const TSV: &str = "text/tab-separated-values; charset=UTF-8";
const CSV: &str = "text/csv; charset=UTF-8; header=absent";
const CSV_HEADER: &str = "text/csv; charset=UTF-8; header=present";
const JSON: &str = "application/json; charset=UTF-8";
const XML: &str = "application/xml; charset=UTF-8";
const NDJSON: &str = "application/x-ndjson; charset=UTF-8";
/// Of statements without a result, and of errors.
pub(crate) const PLAIN: &str = "text/plain; charset=UTF-8";

const fn text(name: &'static str, content_type: &'static str, kind: Kind) -> Format {
    Format {
        name,
        content_type,
        binary: false,
        kind,
    }
}

const fn binary(name: &'static str, kind: Kind) -> Format {
    Format {
        name,
        content_type: "application/octet-stream",
        binary: true,
        kind,
    }
}

const fn tsv(name: &'static str, raw: bool, header: Header) -> Format {
    text(name, TSV, Kind::Tsv { raw, header })
}

const fn compact_rows(name: &'static str, strings: bool, header: Header) -> Format {
    text(name, PLAIN, Kind::JsonCompactEachRow { strings, header })
}

const fn with_progress(name: &'static str, strings: bool, compact: bool) -> Format {
    text(name, JSON, Kind::RowsWithProgress { strings, compact })
}

const fn pretty(name: &'static str, frame: pretty::Frame) -> Format {
    text(name, PLAIN, Kind::Pretty(frame))
}

static FORMATS: [Format; 51] = [
    tsv("TabSeparated", false, Header::None),
    tsv("TabSeparatedWithNames", false, Header::Names),
    tsv(
        "TabSeparatedWithNamesAndTypes",
        false,
        Header::NamesAndTypes,
    ),
    tsv("TabSeparatedRaw", true, Header::None),
    tsv("TabSeparatedRawWithNames", true, Header::Names),
    tsv(
        "TabSeparatedRawWithNamesAndTypes",
        true,
        Header::NamesAndTypes,
    ),
    text("CSV", CSV, Kind::Csv(Header::None)),
    text("CSVWithNames", CSV_HEADER, Kind::Csv(Header::Names)),
    text(
        "CSVWithNamesAndTypes",
        CSV_HEADER,
        Kind::Csv(Header::NamesAndTypes),
    ),
    text(
        "JSON",
        JSON,
        Kind::Json {
            compact: false,
            strings: false,
        },
    ),
    text(
        "JSONCompact",
        JSON,
        Kind::Json {
            compact: true,
            strings: false,
        },
    ),
    text(
        "JSONStrings",
        JSON,
        Kind::Json {
            compact: false,
            strings: true,
        },
    ),
    text(
        "JSONCompactStrings",
        JSON,
        Kind::Json {
            compact: true,
            strings: true,
        },
    ),
    text("JSONEachRow", NDJSON, Kind::JsonEachRow { strings: false }),
    text(
        "JSONStringsEachRow",
        NDJSON,
        Kind::JsonEachRow { strings: true },
    ),
    compact_rows("JSONCompactEachRow", false, Header::None),
    compact_rows("JSONCompactEachRowWithNames", false, Header::Names),
    compact_rows(
        "JSONCompactEachRowWithNamesAndTypes",
        false,
        Header::NamesAndTypes,
    ),
    compact_rows("JSONCompactStringsEachRow", true, Header::None),
    compact_rows("JSONCompactStringsEachRowWithNames", true, Header::Names),
    compact_rows(
        "JSONCompactStringsEachRowWithNamesAndTypes",
        true,
        Header::NamesAndTypes,
    ),
    text("Values", PLAIN, Kind::Values),
    text("Vertical", PLAIN, Kind::Vertical),
    text("Markdown", PLAIN, Kind::Markdown),
    text("TSKV", TSV, Kind::Tskv),
    text("Null", PLAIN, Kind::Null),
    pretty("Pretty", pretty::Frame::Full),
    pretty("PrettyNoEscapes", pretty::Frame::Full),
    pretty("PrettyMonoBlock", pretty::Frame::Full),
    pretty("PrettyCompact", pretty::Frame::Compact),
    pretty("PrettyCompactNoEscapes", pretty::Frame::Compact),
    pretty("PrettyCompactMonoBlock", pretty::Frame::Compact),
    pretty("PrettySpace", pretty::Frame::Space),
    pretty("PrettySpaceNoEscapes", pretty::Frame::Space),
    binary("RowBinary", Kind::RowBinary(Header::None)),
    binary("RowBinaryWithNames", Kind::RowBinary(Header::Names)),
    binary(
        "RowBinaryWithNamesAndTypes",
        Kind::RowBinary(Header::NamesAndTypes),
    ),
    binary("Native", Kind::Native),
    with_progress("JSONEachRowWithProgress", false, false),
    with_progress("JSONStringsEachRowWithProgress", true, false),
    with_progress("JSONCompactEachRowWithProgress", false, true),
    with_progress("JSONCompactStringsEachRowWithProgress", true, true),
    text("JSONColumns", JSON, Kind::JsonColumns(ColumnsFrame::Object)),
    text(
        "JSONCompactColumns",
        JSON,
        Kind::JsonColumns(ColumnsFrame::Array),
    ),
    text(
        "JSONColumnsWithMetadata",
        JSON,
        Kind::JsonColumns(ColumnsFrame::Metadata),
    ),
    text("JSONObjectEachRow", JSON, Kind::JsonObjectEachRow),
    text("XML", XML, Kind::Xml),
    text("SQLInsert", PLAIN, Kind::SqlInsert),
    binary("ArrowStream", Kind::ArrowIpc { stream: true }),
    binary("Arrow", Kind::ArrowIpc { stream: false }),
    binary("Parquet", Kind::Parquet),
];

const ALIASES: [(&str, &str); 11] = [
    ("TSV", "TabSeparated"),
    ("TSVWithNames", "TabSeparatedWithNames"),
    ("TSVWithNamesAndTypes", "TabSeparatedWithNamesAndTypes"),
    ("TSVRaw", "TabSeparatedRaw"),
    ("Raw", "TabSeparatedRaw"),
    ("TSVRawWithNames", "TabSeparatedRawWithNames"),
    (
        "TSVRawWithNamesAndTypes",
        "TabSeparatedRawWithNamesAndTypes",
    ),
    ("JSONLines", "JSONEachRow"),
    ("NDJSON", "JSONEachRow"),
    ("JSONL", "JSONEachRow"),
    ("MD", "Markdown"),
];

impl Format {
    /// The format of a name or alias, whatever its case.
    pub(crate) fn find(name: &str) -> Option<&'static Self> {
        let canonical = ALIASES
            .iter()
            .find_map(|(alias, canonical)| alias.eq_ignore_ascii_case(name).then_some(*canonical))
            .unwrap_or(name);
        FORMATS
            .iter()
            .find(|format| format.name.eq_ignore_ascii_case(canonical))
    }

    /// A writer for one answer.
    pub(crate) fn writer(
        &self,
        columns: Vec<AnswerColumn>,
        settings: FormatSettings,
    ) -> Box<dyn FormatWriter> {
        let schema = Schema { columns, settings };
        match self.kind {
            Kind::Tsv { raw, header } => Box::new(tsv::Tsv::new(schema, raw, header)),
            Kind::Csv(header) => Box::new(csv::Csv::new(schema, header)),
            Kind::Json { compact, strings } => Box::new(json::Json::new(schema, compact, strings)),
            Kind::JsonEachRow { strings } => Box::new(json_rows::ObjectRows::new(schema, strings)),
            Kind::JsonCompactEachRow { strings, header } => {
                Box::new(json_rows::ArrayRows::new(schema, strings, header))
            }
            Kind::Values => Box::new(values::ValueRows::new(schema)),
            Kind::Vertical => Box::new(vertical::Vertical::new(schema)),
            Kind::Markdown => Box::new(markdown::Markdown::new(schema)),
            Kind::Tskv => Box::new(tsv::Tskv::new(schema)),
            Kind::Null => Box::new(Null),
            Kind::Pretty(frame) => Box::new(pretty::Pretty::new(schema, frame)),
            Kind::RowBinary(header) => Box::new(row_binary::RowBinary::new(schema, header)),
            Kind::Native => Box::new(native::Native::new(schema)),
            Kind::RowsWithProgress { strings, compact } => Box::new(
                json_progress::RowsWithProgress::new(schema, strings, compact),
            ),
            Kind::JsonColumns(frame) => Box::new(json_columns::ColumnArrays::new(schema, frame)),
            Kind::JsonObjectEachRow => Box::new(json_columns::NamedRows::new(schema)),
            Kind::Xml => Box::new(xml::Xml::new(schema)),
            Kind::SqlInsert => Box::new(sql_insert::SqlInsert::new(schema)),
            Kind::ArrowIpc { stream } => Box::new(arrow_ipc::ArrowIpc::new(&schema, stream)),
            Kind::Parquet => Box::new(exported_file::ExportedFile::new(&schema)),
        }
    }
}

/// Every format, for `system.formats`.
pub(crate) fn format_facts() -> Vec<FormatFact> {
    let facts = FORMATS.iter().map(|format| FormatFact {
        name: format.name.to_owned(),
        is_input: false,
        is_output: true,
        content_type: format.content_type.to_owned(),
    });
    facts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases_are_found_in_any_case() {
        for (name, canonical) in [
            ("TSV", "TabSeparated"),
            ("tabseparated", "TabSeparated"),
            ("ndjson", "JSONEachRow"),
            ("JSONEACHROW", "JSONEachRow"),
            ("raw", "TabSeparatedRaw"),
            ("NULL", "Null"),
            ("md", "Markdown"),
        ] {
            assert_eq!(
                Format::find(name).map(|format| format.name),
                Some(canonical)
            );
        }
        assert_eq!(Format::find("nope"), None);
        assert_eq!(Format::find(""), None);
    }

    #[test]
    fn every_name_is_listed_once_and_every_alias_leads_somewhere() {
        let mut names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FORMATS.len());
        for (alias, canonical) in ALIASES {
            assert!(Format::find(alias).is_some_and(|format| format.name == canonical));
        }
    }
}
