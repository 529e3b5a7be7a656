//! Values as text: one field of a text format, and the literals inside arrays, maps and tuples.

use cairn_query::{ErrorCode, QueryError, Type, Value, read_text};
use chrono_tz::Tz;

use super::Result;

/// Containers inside containers, at most; no column of a table comes near it.
const MAX_DEPTH: usize = 32;

/// The value that a whole, unescaped field spells.
pub(super) fn read_field(text: &str, ty: &Type, timezone: Tz) -> Result<Value> {
    let bare = ty.bare();
    if !matches!(bare, Type::Array(_) | Type::Map(..) | Type::Tuple(_)) {
        return read_text(text, bare, timezone);
    }
    let mut literal = Literal::new(text, timezone);
    let value = literal.value(bare)?;
    literal.skip_blanks();
    match literal.rest().is_empty() {
        true => Ok(value),
        false => Err(literal.error("it goes on behind its end")),
    }
}

/// A cursor over literals.
pub(super) struct Literal<'a> {
    text: &'a str,
    at: usize,
    timezone: Tz,
    depth: usize,
}

impl<'a> Literal<'a> {
    pub(super) fn new(text: &'a str, timezone: Tz) -> Self {
        Self {
            text,
            at: 0,
            timezone,
            depth: 0,
        }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Takes the symbol if it is next.
    pub(super) fn symbol(&mut self, symbol: char) -> bool {
        self.skip_blanks();
        let found = self.rest().starts_with(symbol);
        if found {
            self.at += symbol.len_utf8();
        }
        found
    }

    pub(super) fn expect(&mut self, symbol: char) -> Result<()> {
        match self.symbol(symbol) {
            true => Ok(()),
            false => Err(self.error(&format!("expected `{symbol}`"))),
        }
    }

    pub(super) fn error(&self, what: &str) -> QueryError {
        let here: String = self.rest().chars().take(32).collect();
        QueryError::new(
            ErrorCode::CannotParseInputAssertionFailed,
            format!("Cannot parse input: {what} before: '{here}'"),
        )
    }

    /// A literal of the type. NULL is the type's default.
    pub(super) fn value(&mut self, ty: &Type) -> Result<Value> {
        if self.depth == MAX_DEPTH {
            return Err(self.error("too many brackets"));
        }
        self.depth += 1;
        let value = self.any(ty);
        self.depth -= 1;
        value
    }

    fn any(&mut self, ty: &Type) -> Result<Value> {
        let bare = ty.bare();
        self.skip_blanks();
        if let Type::Array(item) = bare {
            self.expect('[')?;
            return Ok(Value::Array(self.items(']', |this| this.value(item))?));
        }
        if let Type::Map(key, item) = bare {
            self.expect('{')?;
            let entries = self.items('}', |this| {
                let key = this.value(key)?;
                this.expect(':')?;
                Ok((key, this.value(item)?))
            })?;
            return Ok(Value::Map(entries));
        }
        if let Type::Tuple(parts) = bare {
            self.expect('(')?;
            let mut types = parts.iter();
            let values = self.items(')', |this| match types.next() {
                Some((_, ty)) => this.value(ty),
                None => Err(this.error("the tuple has too many values")),
            })?;
            return match values.len() == parts.len() {
                true => Ok(Value::Tuple(values)),
                false => Err(self.error("the tuple has too few values")),
            };
        }
        if self.rest().starts_with('\'') {
            let text = self.quoted()?;
            return read_text(&text, bare, self.timezone);
        }
        let word = self.word();
        if word.is_empty() {
            return Err(self.error("expected a value"));
        }
        if word.eq_ignore_ascii_case("NULL") {
            return Ok(bare.default_value());
        }
        if matches!(bare, Type::String) && word.parse::<f64>().is_err() {
            return Err(self.error("expected a quoted text"));
        }
        read_text(word, bare, self.timezone)
    }

    fn items<T>(
        &mut self,
        close: char,
        mut item: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut items = Vec::new();
        if self.symbol(close) {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.symbol(close) {
                return Ok(items);
            }
            self.expect(',')?;
        }
    }

    /// A bare word: up to whatever may follow a value.
    pub(super) fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let ends =
            |c: char| c.is_whitespace() || matches!(c, ',' | ')' | ']' | '}' | ':' | '(' | ';');
        let end = rest.find(ends).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// A text in single quotes.
    pub(super) fn quoted(&mut self) -> Result<String> {
        self.expect('\'')?;
        let begin = self.at;
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                None => return Err(self.error("a quoted text has no end")),
                Some(b'\\') => self.at += 2,
                Some(b'\'') if bytes.get(self.at + 1) == Some(&b'\'') => self.at += 2,
                Some(b'\'') => break,
                Some(_) => self.at += 1,
            }
        }
        let text = self.text.get(begin..self.at).unwrap_or_default();
        self.at += 1;
        Ok(unescape(&text.replace("''", "\\'")))
    }
}

/// Resolves the escapes of TSV and of quoted texts.
pub(super) fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, more)) = rest.split_first() {
        rest = more;
        if *byte != b'\\' {
            bytes.push(*byte);
            continue;
        }
        let Some((escaped, more)) = rest.split_first() else {
            bytes.push(b'\\');
            break;
        };
        rest = more;
        match escaped {
            b't' => bytes.push(b'\t'),
            b'n' => bytes.push(b'\n'),
            b'r' => bytes.push(b'\r'),
            b'0' => bytes.push(0),
            b'b' => bytes.push(8),
            b'f' => bytes.push(12),
            b'x' => {
                let digits = rest
                    .get(..2)
                    .and_then(|digits| std::str::from_utf8(digits).ok());
                match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                    Some(byte) => {
                        bytes.push(byte);
                        rest = &rest[2..];
                    }
                    None => bytes.push(b'x'),
                }
            }
            other => bytes.push(*other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
