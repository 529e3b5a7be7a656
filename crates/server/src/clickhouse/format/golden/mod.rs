//! Every format against bytes recorded from ClickHouse: single values of every type, and a whole
//! result.

mod arrays;
mod binary;
mod results;
mod settings;
mod values;

use arrow::record_batch::RecordBatch;
use cairn_query::AnswerColumn;
use chrono_tz::Tz;

use super::{Format, FormatSettings, Totals};

fn print(
    format: &str,
    columns: Vec<AnswerColumn>,
    batches: &[RecordBatch],
    settings: FormatSettings,
) -> Vec<u8> {
    let format = Format::find(format).unwrap();
    let mut writer = format.writer(columns, settings);
    let mut out = Vec::new();
    writer.head(&mut out);
    for batch in batches {
        writer.rows(batch, &mut out).unwrap();
    }
    writer.tail(&Totals::default(), &mut out);
    out
}

/// One value of every type that is recorded, as a column of one row.
pub(super) fn all_values() -> Vec<(Vec<AnswerColumn>, RecordBatch)> {
    let mut names: Vec<String> = values::recorded_names();
    names.dedup();
    names
        .iter()
        .map(|name| {
            let (ty, value) = arrays::value_of(name);
            let columns = vec![column("v", ty)];
            let batch = arrays::batch(&[(&columns[0].ty, vec![value])]);
            (columns, batch)
        })
        .collect()
}

/// A whole answer in a format.
pub(super) fn print_all(
    format: &str,
    columns: Vec<AnswerColumn>,
    batches: &[RecordBatch],
) -> Vec<u8> {
    print(format, columns, batches, settings_without_statistics())
}

fn settings_without_statistics() -> FormatSettings {
    let mut settings = FormatSettings::new(Tz::UTC);
    settings
        .apply("output_format_write_statistics", "0")
        .unwrap();
    settings
}

fn column(name: &str, ty: &str) -> AnswerColumn {
    AnswerColumn {
        name: name.to_owned(),
        ty: ty.parse().unwrap(),
    }
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}
