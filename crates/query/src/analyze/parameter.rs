//! Values of query parameters: one field of escaped text, read as its type. Lists, tuples and maps are literals with
//! quoted texts inside.

use super::tree::Typed;
use super::{Analyzer, Result};
use crate::error::{ErrorCode, QueryError};
use crate::types::{Type, Value};

impl Analyzer<'_> {
    /// The value of a query parameter.
    pub(super) fn parameter(&mut self, ty: &str, value: &str) -> Result<Typed> {
        let wanted: Type = ty.parse()?;
        if wanted.is_nullable() && value == "\\N" {
            return Ok(Typed::constant(Value::Null, wanted));
        }
        let read = match is_composite(&wanted) {
            true => self.literal(value, &wanted),
            false => {
                let text = Typed::literal(Value::String(unescape(value)?));
                self.cast(text, &wanted)
            }
        };
        read.map_err(|error| {
            let code = if error.code == ErrorCode::AttemptToReadAfterEof {
                error.code
            } else {
                ErrorCode::BadQueryParameter
            };
            QueryError::new(
                code,
                format!("Value `{value}` cannot be parsed as {ty} for a query parameter: {error}"),
            )
        })
    }

    /// A list, tuple or map as it is written.
    pub(super) fn literal(&mut self, text: &str, ty: &Type) -> Result<Typed> {
        let mut reader = Reader { rest: text };
        let value = self.item(&mut reader, ty)?;
        reader.skip_space();
        if !reader.rest.is_empty() {
            return Err(malformed(reader.rest));
        }
        Ok(Typed::constant(value, ty.clone()))
    }

    /// One value inside a literal. Types are bounded in depth, and so is this.
    fn item(&mut self, reader: &mut Reader<'_>, ty: &Type) -> Result<Value> {
        let bare = ty.bare();
        if let Type::Array(item) = bare {
            let mut items = Vec::new();
            reader.list('[', ']', |reader| {
                items.push(self.item(reader, item)?);
                Ok(())
            })?;
            return Ok(Value::Array(items));
        }
        if let Type::Tuple(types) = bare {
            let mut items = Vec::new();
            reader.list('(', ')', |reader| {
                let (_, ty) = types
                    .get(items.len())
                    .ok_or_else(|| malformed(reader.rest))?;
                items.push(self.item(reader, ty)?);
                Ok(())
            })?;
            return match items.len() == types.len() {
                true => Ok(Value::Tuple(items)),
                false => Err(malformed(reader.rest)),
            };
        }
        if let Type::Map(key, value) = bare {
            let mut entries = Vec::new();
            reader.list('{', '}', |reader| {
                let key = self.item(reader, key)?;
                reader.expect(':')?;
                entries.push((key, self.item(reader, value)?));
                Ok(())
            })?;
            return Ok(Value::Map(entries));
        }
        match reader.scalar()? {
            None if ty.is_nullable() => Ok(Value::Null),
            None => self.scalar("NULL".to_owned(), bare),
            Some(text) => self.scalar(text, bare),
        }
    }

    fn scalar(&mut self, text: String, ty: &Type) -> Result<Value> {
        let typed = self.cast(Typed::literal(Value::String(text)), ty)?;
        let value = typed.value().cloned();
        value.ok_or_else(|| malformed("a value that is no constant"))
    }
}

fn is_composite(ty: &Type) -> bool {
    matches!(ty.bare(), Type::Array(_) | Type::Tuple(_) | Type::Map(..))
}

fn malformed(rest: &str) -> QueryError {
    let near: String = rest.chars().take(20).collect();
    QueryError::new(
        ErrorCode::BadQueryParameter,
        format!("the literal is malformed at `{near}`"),
    )
}

/// A literal that is being read.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, symbol: char) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, symbol: char) -> Result<()> {
        match self.take(symbol) {
            true => Ok(()),
            false => Err(malformed(self.rest)),
        }
    }

    /// Items between brackets, with commas between them.
    fn list(
        &mut self,
        open: char,
        close: char,
        mut item: impl FnMut(&mut Self) -> Result<()>,
    ) -> Result<()> {
        self.expect(open)?;
        if self.take(close) {
            return Ok(());
        }
        loop {
            item(self)?;
            if self.take(close) {
                return Ok(());
            }
            self.expect(',')?;
        }
    }

    /// A quoted text or a bare word; nothing for NULL.
    fn scalar(&mut self) -> Result<Option<String>> {
        self.skip_space();
        if let Some(quoted) = self.rest.strip_prefix('\'') {
            let mut end = None;
            let mut escaped = false;
            for (index, c) in quoted.char_indices() {
                if c == '\'' && !escaped {
                    end = Some(index);
                    break;
                }
                escaped = c == '\\' && !escaped;
            }
            let (text, rest) = end
                .and_then(|end| quoted.split_at_checked(end))
                .ok_or_else(|| malformed(self.rest))?;
            self.rest = rest.strip_prefix('\'').unwrap_or(rest);
            return Ok(Some(unescaped(text)));
        }
        let end = self.rest.find([',', ']', ')', '}', ':']);
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        let word = word.trim_end();
        if word.is_empty() {
            return Err(malformed(rest));
        }
        Ok((!word.eq_ignore_ascii_case("NULL")).then(|| word.to_owned()))
    }
}

/// One field of escaped text: a raw tab or newline would end it.
fn unescape(text: &str) -> Result<String> {
    let mut escaped = false;
    for c in text.chars() {
        if matches!(c, '\t' | '\n') && !escaped {
            return Err(QueryError::new(
                ErrorCode::BadQueryParameter,
                "a query parameter isn't parsed completely: a tab or newline ends it; escape it",
            ));
        }
        escaped = c == '\\' && !escaped;
    }
    Ok(unescaped(text))
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('0') => out.push('\0'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('x') => {
                let digits: String = chars.by_ref().take(2).collect();
                match u8::from_str_radix(&digits, 16) {
                    Ok(byte) => out.push(char::from(byte)),
                    Err(_) => out.push_str(&digits),
                }
            }
            Some(other) => out.push(other),
            None => out.push('\\'),
        }
    }
    out
}
