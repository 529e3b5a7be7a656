//! TabSeparated and its forms.

use cairn_query::{ErrorCode, QueryError, Value};

use super::literal::{read_field, unescape};
use super::rows::{Places, Rows, at_row};
use super::{Head, Result};

/// Reads lines of fields between tabs; `raw` fields have no escapes.
pub(super) fn read(data: &[u8], raw: bool, names: Head, rows: &mut Rows) -> Result<()> {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.lines().peekable();
    let split = |line: &str| -> Vec<String> { line.split('\t').map(unescape).collect() };
    let mut places = rows.in_order();
    if names == Head::None {
        if let Some(first) = lines.peek()
            && rows.are_names(&split(first))
        {
            places = rows.named(&split(first));
            lines.next();
        }
    } else if let Some(line) = lines.next() {
        places = rows.named(&split(line));
        if names == Head::NamesAndTypes {
            lines.next();
        }
    }
    for line in lines {
        let fields = line.split('\t').map(|field| match (field, raw) {
            ("\\N", _) => None,
            (field, true) => Some(field.to_owned()),
            (field, false) => Some(unescape(field)),
        });
        let row = fields_to_row(fields, &places, rows);
        let row = row.map_err(|error| at_row(&error, rows.count()))?;
        rows.push(row);
    }
    Ok(())
}

/// A row of text fields; an absent text is the column's default.
pub(super) fn fields_to_row(
    fields: impl Iterator<Item = Option<String>>,
    places: &Places,
    rows: &Rows,
) -> Result<Vec<Option<Value>>> {
    let mut row = vec![None; rows.width()];
    let mut count = 0;
    for (at, field) in fields.enumerate() {
        count += 1;
        let Some(place) = places.get(at).copied().flatten() else {
            continue;
        };
        if let (Some(text), Some(slot)) = (field, row.get_mut(place)) {
            *slot = Some(read_field(&text, &rows.ty(place), rows.settings.timezone)?);
        }
    }
    if count != places.len() {
        return Err(QueryError::new(
            ErrorCode::CannotParseInputAssertionFailed,
            format!(
                "Cannot parse input: {count} fields instead of {}",
                places.len()
            ),
        ));
    }
    Ok(row)
}
