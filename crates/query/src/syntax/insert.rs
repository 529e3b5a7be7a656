//! The head of an INSERT: everything before its data. It works on bytes, because what follows the head may be of any
//! format and of any length, and is not SQL.

use super::ast::Setting;
use crate::error::{ErrorCode, QueryError, Result};

/// Bytes of a head at most: a table, its columns and some settings.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// What stands before the data of an INSERT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsertHead {
    /// The database, if written.
    pub database: Option<String>,
    /// The table.
    pub table: String,
    /// Which columns the data has, in order.
    pub columns: InsertColumns,
    /// `SETTINGS a = 1`
    pub settings: Vec<Setting>,
    /// What the data is.
    pub source: InsertSource,
    /// Where it begins.
    pub data_start: usize,
}

/// The columns of an INSERT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InsertColumns {
    /// All stored ones.
    All,
    /// These.
    Named(Vec<String>),
    /// `(* EXCEPT(a, b))`
    Except(Vec<String>),
}

/// What follows the head of an INSERT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InsertSource {
    /// `VALUES (…), (…)`
    Values,
    /// `FORMAT x` and data in it.
    Format(String),
    /// A query.
    Select,
}

/// The head of `text`, if it is an INSERT.
///
/// # Errors
/// When it begins as an INSERT and does not go on as one.
#[must_use]
pub fn parse_insert(text: &[u8]) -> Option<Result<InsertHead>> {
    let mut scanner = Scanner { text, at: 0 };
    if !scanner.word("INSERT") {
        return None;
    }
    Some(scanner.head())
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn head(mut self) -> Result<InsertHead> {
        if !self.word("INTO") {
            return Err(self.error("Expected INTO"));
        }
        self.word("TABLE");
        if self.word("FUNCTION") {
            return Err(not_implemented("INSERT INTO FUNCTION"));
        }
        let first = self.name()?;
        let (database, table) = match self.symbol(b'.') {
            true => (Some(first), self.name()?),
            false => (None, first),
        };
        let columns = self.columns()?;
        let mut settings = Vec::new();
        if self.word("SETTINGS") {
            settings = self.settings()?;
        }
        if self.word("FROM") {
            return Err(not_implemented("INSERT … FROM INFILE"));
        }
        let source = if self.word("VALUES") {
            InsertSource::Values
        } else if self.word("FORMAT") {
            let format = self.name()?;
            if format.eq_ignore_ascii_case("Values") {
                InsertSource::Values
            } else {
                self.end_of_line();
                InsertSource::Format(format)
            }
        } else {
            self.skip_blanks();
            let rest = self.text.get(self.at..).unwrap_or_default();
            let selects = [&b"SELECT"[..], b"WITH", b"("]
                .iter()
                .any(|word| starts_with(rest, word));
            if !selects {
                return Err(self.error("Expected one of: VALUES, FORMAT, SELECT"));
            }
            InsertSource::Select
        };
        Ok(InsertHead {
            database,
            table,
            columns,
            settings,
            source,
            data_start: self.at,
        })
    }

    fn columns(&mut self) -> Result<InsertColumns> {
        let before = self.at;
        if !self.symbol(b'(') {
            return Ok(InsertColumns::All);
        }
        if self.symbol(b'*') {
            let mut left_out = Vec::new();
            if self.word("EXCEPT") {
                let brackets = self.symbol(b'(');
                left_out = self.names()?;
                if brackets {
                    self.expect(b')')?;
                }
            }
            self.expect(b')')?;
            return Ok(InsertColumns::Except(left_out));
        }
        if self.word("SELECT") || self.word("WITH") || self.symbol(b'(') {
            // The bracket belongs to the query.
            self.at = before;
            return Ok(InsertColumns::All);
        }
        let mut names = Vec::new();
        if !self.symbol(b')') {
            names = self.names()?;
            self.expect(b')')?;
        }
        Ok(InsertColumns::Named(names))
    }

    fn names(&mut self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        loop {
            let mut name = self.name()?;
            // The parts of a nested column are columns of their own: `Events.Name`.
            while self.symbol(b'.') {
                name.push('.');
                name.push_str(&self.name()?);
            }
            names.push(name);
            if !self.symbol(b',') {
                return Ok(names);
            }
        }
    }

    fn settings(&mut self) -> Result<Vec<Setting>> {
        let mut settings = Vec::new();
        loop {
            let name = self.name()?;
            self.expect(b'=')?;
            settings.push((name, self.setting_value()?));
            if !self.symbol(b',') {
                return Ok(settings);
            }
        }
    }

    fn setting_value(&mut self) -> Result<String> {
        self.skip_blanks();
        if self.peek() == Some(b'\'') {
            return self.quoted(b'\'');
        }
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let value = self.take_while(is_part);
        if value.is_empty() {
            return Err(self.error("Expected the value of a setting"));
        }
        Ok(value)
    }

    /// What stands between the name of a format and its data.
    fn end_of_line(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | 0x0c)) {
            self.at += 1;
        }
        if self.peek() == Some(b'\r') {
            self.at += 1;
        }
        if self.peek() == Some(b'\n') {
            self.at += 1;
        }
    }

    fn name(&mut self) -> Result<String> {
        self.skip_blanks();
        match self.peek() {
            Some(quote @ (b'`' | b'"')) => self.quoted(quote),
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => {
                Ok(self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
            }
            _ => Err(self.error("Expected an identifier")),
        }
    }

    fn quoted(&mut self, quote: u8) -> Result<String> {
        self.at += 1;
        let mut bytes = Vec::new();
        loop {
            let byte = self
                .peek()
                .ok_or_else(|| self.error("A quoted text has no end"))?;
            self.at += 1;
            if byte == quote && self.peek() != Some(quote) {
                break;
            }
            let escapes = byte == quote || byte == b'\\';
            if escapes && let Some(next) = self.peek() {
                self.at += 1;
                bytes.push(next);
            } else {
                bytes.push(byte);
            }
        }
        String::from_utf8(bytes).map_err(|_| self.error("A quoted text is not UTF-8"))
    }

    fn take_while(&mut self, is_part: impl Fn(u8) -> bool) -> String {
        let begin = self.at;
        while self.peek().is_some_and(&is_part) {
            self.at += 1;
        }
        let bytes = self.text.get(begin..self.at).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn peek(&self) -> Option<u8> {
        match self.at < MAX_HEAD_BYTES {
            true => self.text.get(self.at).copied(),
            false => None,
        }
    }

    fn word(&mut self, word: &str) -> bool {
        self.skip_blanks();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let found = starts_with(rest, word.as_bytes());
        if found {
            self.at += word.len();
        }
        found
    }

    fn symbol(&mut self, symbol: u8) -> bool {
        self.skip_blanks();
        let found = self.peek() == Some(symbol);
        if found {
            self.at += 1;
        }
        found
    }

    fn expect(&mut self, symbol: u8) -> Result<()> {
        match self.symbol(symbol) {
            true => Ok(()),
            false => Err(self.error(&format!("Expected `{}`", char::from(symbol)))),
        }
    }

    /// White space and comments.
    fn skip_blanks(&mut self) {
        loop {
            while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
                self.at += 1;
            }
            let rest = self.text.get(self.at..).unwrap_or_default();
            let end: &[u8] = if rest.starts_with(b"--") {
                b"\n"
            } else if rest.starts_with(b"/*") {
                b"*/"
            } else {
                return;
            };
            let length = rest.windows(end.len()).position(|window| window == end);
            self.at += length.map_or(rest.len(), |at| at + end.len());
        }
    }

    fn error(&self, what: &str) -> QueryError {
        QueryError::new(
            ErrorCode::SyntaxError,
            format!(
                "Syntax error: failed at position {} of an INSERT: {what}",
                self.at + 1
            ),
        )
    }
}

/// Whether the text begins with the word, whatever its case, and the word ends there.
fn starts_with(text: &[u8], word: &[u8]) -> bool {
    let Some((head, rest)) = text.split_at_checked(word.len()) else {
        return false;
    };
    let ends = rest
        .first()
        .is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    head.eq_ignore_ascii_case(word) && (ends || word == b"(")
}

fn not_implemented(what: &str) -> QueryError {
    QueryError::new(
        ErrorCode::NotImplemented,
        format!("{what} is not implemented"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> InsertHead {
        parse_insert(text.as_bytes()).unwrap().unwrap()
    }

    fn data(text: &str) -> &str {
        &text[head(text).data_start..]
    }

    #[test]
    fn tables_columns_and_settings_are_read() {
        let text = "insert into TABLE `default`.otel_logs (Timestamp, `Events.Name`, Links.TraceId) \
             SETTINGS async_insert=1, b = 'x y' FORMAT JSONEachRow\n{}";
        let found = head(text);
        assert_eq!(found.database.as_deref(), Some("default"));
        assert_eq!(found.table, "otel_logs");
        let names = ["Timestamp", "Events.Name", "Links.TraceId"].map(str::to_owned);
        assert_eq!(found.columns, InsertColumns::Named(names.to_vec()));
        assert_eq!(found.settings[1], ("b".to_owned(), "x y".to_owned()));
        assert_eq!(found.source, InsertSource::Format("JSONEachRow".to_owned()));
        assert_eq!(data(text), "{}");
    }

    #[test]
    fn data_begins_behind_the_format_and_one_line_end() {
        assert_eq!(data("INSERT INTO t FORMAT Native\n\n\u{1}"), "\n\u{1}");
        assert_eq!(data("INSERT INTO t FORMAT CSV \r\n1,2"), "1,2");
        assert_eq!(data("INSERT INTO t VALUES (1)"), " (1)");
        assert_eq!(data("/* c */ INSERT INTO t -- c\n VALUES(1)"), "(1)");
        assert_eq!(data("INSERT INTO t (a) SELECT 1"), "SELECT 1");
        assert_eq!(data("INSERT INTO t (SELECT 1)"), "(SELECT 1)");
        assert_eq!(head("INSERT INTO t (* EXCEPT(a, b)) VALUES").columns, {
            InsertColumns::Except(vec!["a".to_owned(), "b".to_owned()])
        });
    }

    #[test]
    fn other_statements_are_none_and_broken_ones_errors() {
        for text in ["SELECT 1", "", "INSERTED", "WITH 1 AS INSERT SELECT INSERT"] {
            assert!(parse_insert(text.as_bytes()).is_none(), "{text}");
        }
        for text in [
            "INSERT",
            "INSERT INTO",
            "INSERT INTO t",
            "INSERT INTO t (a",
            "INSERT INTO t (a,) VALUES",
            "INSERT INTO t FORMAT",
            "INSERT INTO `t",
            "INSERT INTO t SETTINGS a FORMAT CSV",
        ] {
            let error = parse_insert(text.as_bytes()).unwrap().unwrap_err();
            assert_eq!(error.code, ErrorCode::SyntaxError, "{text}");
        }
        let endless = format!("INSERT INTO {}", "x".repeat(MAX_HEAD_BYTES * 2));
        assert!(parse_insert(endless.as_bytes()).unwrap().is_err());
    }
}
