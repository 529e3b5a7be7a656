//! `VALUES (…), (…)`: literals here, rows with expressions as text for the engine.

use cairn_query::{ErrorCode, QueryError, Value};

use super::Result;
use super::literal::Literal;
use super::rows::{Rows, at_row};

/// A row of VALUES.
#[derive(Debug, PartialEq)]
pub(in crate::clickhouse) enum ValueRow {
    /// Literals; `None` is the column's default.
    Literals(Vec<Option<Value>>),
    /// The text between the brackets: expressions.
    Expressions(String),
}

/// The rows behind VALUES.
pub(in crate::clickhouse) fn read_values(data: &[u8], rows: &Rows) -> Result<Vec<ValueRow>> {
    let text = String::from_utf8_lossy(data);
    let mut literal = Literal::new(&text, rows.settings.timezone);
    let mut read = Vec::new();
    loop {
        literal.skip_blanks();
        while literal.symbol(',') || literal.symbol(';') {}
        literal.skip_blanks();
        if literal.rest().is_empty() {
            return Ok(read);
        }
        let begin = literal.at();
        let row = match literals(&mut literal, rows) {
            Ok(row) => ValueRow::Literals(row),
            Err(_) => {
                literal.go_to(begin);
                let text = expressions(&mut literal).map_err(|error| at_row(&error, read.len()))?;
                ValueRow::Expressions(text)
            }
        };
        read.push(row);
    }
}

fn literals(literal: &mut Literal<'_>, rows: &Rows) -> Result<Vec<Option<Value>>> {
    literal.expect('(')?;
    let mut row = Vec::new();
    for place in 0..rows.width() {
        if place > 0 {
            literal.expect(',')?;
        }
        literal.skip_blanks();
        let begin = literal.at();
        let word = literal.word();
        let default = word.eq_ignore_ascii_case("DEFAULT") || word.eq_ignore_ascii_case("NULL");
        if default {
            row.push(None);
            continue;
        }
        literal.go_to(begin);
        row.push(Some(literal.value(&rows.ty(place))?));
    }
    literal.expect(')')?;
    Ok(row)
}

/// The text up to the bracket that closes the row.
fn expressions(literal: &mut Literal<'_>) -> Result<String> {
    literal
        .expect('(')
        .map_err(|error| QueryError::new(ErrorCode::SyntaxError, error.message))?;
    let begin = literal.at();
    let text = literal.rest();
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (1_usize, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\'' => {
                literal.go_to(begin + at);
                literal.quoted()?;
                at = literal.at() - begin;
                continue;
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            literal.go_to(begin + at + 1);
            return Ok(text.get(..at).unwrap_or_default().to_owned());
        }
        at += 1;
    }
    Err(QueryError::new(
        ErrorCode::SyntaxError,
        "Cannot parse expression: a row of VALUES has no end",
    ))
}
