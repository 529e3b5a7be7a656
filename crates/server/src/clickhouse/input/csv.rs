//! CSV and its forms.

use super::rows::{Rows, at_row, incorrect};
use super::tsv::fields_to_row;
use super::{Head, Result};

/// Reads lines of fields, quoted or not.
pub(super) fn read(data: &[u8], names: Head, rows: &mut Rows) -> Result<()> {
    let text = String::from_utf8_lossy(data);
    let mut lines = Lines {
        rest: &text,
        delimiter: char::from(rows.settings.csv_delimiter),
    };
    let mut places = rows.in_order();
    let mut pending = None;
    if let Some(first) = lines.next()? {
        let words: Vec<String> = first.iter().map(|(text, _)| text.clone()).collect();
        if names != Head::None || rows.are_names(&words) {
            places = rows.named(&words);
            if names == Head::NamesAndTypes {
                lines.next()?;
            }
        } else {
            pending = Some(first);
        }
    }
    loop {
        let next = match pending.take() {
            Some(first) => Some(first),
            None => lines.next().map_err(|error| at_row(&error, rows.count()))?,
        };
        let Some(fields) = next else { return Ok(()) };
        let fields = fields.into_iter().map(|(text, quoted)| {
            let absent = !quoted && (text.is_empty() || text == "\\N");
            (!absent).then_some(text)
        });
        let row = fields_to_row(fields, &places, rows);
        let row = row.map_err(|error| at_row(&error, rows.count()))?;
        rows.push(row);
    }
}

/// A field, and whether it was quoted.
type Field = (String, bool);

struct Lines<'a> {
    rest: &'a str,
    delimiter: char,
}

impl Lines<'_> {
    fn next(&mut self) -> Result<Option<Vec<Field>>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let mut fields = Vec::new();
        loop {
            fields.push(self.field()?);
            let mut rest = self.rest.chars();
            match rest.next() {
                None => return Ok(Some(fields)),
                Some('\n') => {
                    self.rest = rest.as_str();
                    return Ok(Some(fields));
                }
                Some('\r') => {
                    let after = rest.as_str();
                    self.rest = after.strip_prefix('\n').unwrap_or(after);
                    return Ok(Some(fields));
                }
                Some(next) if next == self.delimiter => self.rest = rest.as_str(),
                Some(_) => return Err(incorrect("a CSV field goes on behind its quotes")),
            }
        }
    }

    fn field(&mut self) -> Result<Field> {
        let trimmed = self.rest.trim_start_matches(' ');
        for quote in ['"', '\''] {
            if let Some(inner) = trimmed.strip_prefix(quote) {
                return self.quoted(inner, quote);
            }
        }
        let ends = |c: char| c == self.delimiter || c == '\n' || c == '\r';
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (field, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok((field.trim().to_owned(), false))
    }

    fn quoted(&mut self, mut inner: &str, quote: char) -> Result<Field> {
        let begin = self.rest.len() - inner.len();
        let mut text = String::new();
        let mut used = begin;
        loop {
            let end = inner
                .find(quote)
                .ok_or_else(|| incorrect("a quoted CSV field has no end"))?;
            text.push_str(&inner[..end]);
            inner = &inner[end + 1..];
            used += end + 1;
            if !inner.starts_with(quote) {
                break;
            }
            text.push(quote);
            inner = &inner[1..];
            used += 1;
        }
        let rest = &self.rest[used..];
        self.rest = rest.trim_start_matches(' ');
        Ok((text, true))
    }
}
