//! A JSON pull reader over bytes: tokens on demand, no tree, bounded nesting.
//!
//! Unlike a general parser it keeps what telemetry contains: strings are bytes whose UTF-8 is
//! repaired later, lone surrogates become U+FFFD, raw control characters pass, and numbers keep
//! their digits until somebody wants a value.

use crate::error::IngestError;
use crate::limits::MAX_JSON_DEPTH;

/// U+FFFD in UTF-8.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// What is wrong, and after how many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct JsonFault {
    what: &'static str,
    offset: usize,
}

/// Reads one JSON text.
#[derive(Debug)]
pub(crate) struct JsonReader<'a> {
    rest: &'a [u8],
    length: usize,
    depth: u32,
}

/// The start of a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Token<'a> {
    Null,
    Bool(bool),
    /// Digits as written; they follow JSON's grammar.
    Number(&'a str),
    Text(RawText<'a>),
    /// An object is open: call [`JsonReader::next_key`] until `None`.
    Object,
    /// An array is open: call [`JsonReader::next_item`] until `false`.
    Array,
}

/// A string between its quotes, escapes not yet resolved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawText<'a> {
    raw: &'a [u8],
    escaped: bool,
}

impl From<JsonFault> for IngestError {
    fn from(fault: JsonFault) -> Self {
        Self::Malformed(format!("JSON at byte {}: {}", fault.offset, fault.what))
    }
}

type Result<T, E = JsonFault> = std::result::Result<T, E>;

impl<'a> JsonReader<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self {
            rest: text,
            length: text.len(),
            depth: 0,
        }
    }

    /// The fault `what` at the current position.
    #[cold]
    pub(crate) fn fault(&self, what: &'static str) -> JsonFault {
        JsonFault {
            what,
            offset: self.offset(),
        }
    }

    /// Bytes read so far.
    pub(crate) fn offset(&self) -> usize {
        self.length.saturating_sub(self.rest.len())
    }

    /// The next value's start.
    pub(crate) fn value(&mut self) -> Result<Token<'a>> {
        self.skip_space();
        let Some((&first, tail)) = self.rest.split_first() else {
            return Err(self.fault("the text ends where a value is expected"));
        };
        match first {
            b'"' => {
                self.rest = tail;
                Ok(Token::Text(self.text()?))
            }
            b'{' => self.open(tail).map(|()| Token::Object),
            b'[' => self.open(tail).map(|()| Token::Array),
            b'-' | b'0'..=b'9' => self.number().map(Token::Number),
            b'n' => self.word(b"null").map(|()| Token::Null),
            b't' => self.word(b"true").map(|()| Token::Bool(true)),
            b'f' => self.word(b"false").map(|()| Token::Bool(false)),
            _ => Err(self.fault("a value is expected")),
        }
    }

    /// The next key of the open object, `None` at its end. `first` starts as `true`.
    pub(crate) fn next_key(&mut self, first: &mut bool) -> Result<Option<RawText<'a>>> {
        if !self.next_member(first, b'}')? {
            return Ok(None);
        }
        if !self.eat(b'"') {
            return Err(self.fault("a key in double quotes is expected"));
        }
        let key = self.text()?;
        self.skip_space();
        if !self.eat(b':') {
            return Err(self.fault("`:` is expected after a key"));
        }
        Ok(Some(key))
    }

    /// Whether the open array has another item. `first` starts as `true`.
    pub(crate) fn next_item(&mut self, first: &mut bool) -> Result<bool> {
        self.next_member(first, b']')
    }

    /// Reads over the rest of the value that starts with `token`. Its nesting is bounded like any
    /// other.
    pub(crate) fn skip(&mut self, token: Token<'a>) -> Result<()> {
        let mut first = true;
        match token {
            Token::Null | Token::Bool(_) | Token::Number(_) | Token::Text(_) => {}
            Token::Object => {
                while self.next_key(&mut first)?.is_some() {
                    let value = self.value()?;
                    self.skip(value)?;
                }
            }
            Token::Array => {
                while self.next_item(&mut first)? {
                    let value = self.value()?;
                    self.skip(value)?;
                }
            }
        }
        Ok(())
    }

    /// Only white space may be left.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.skip_space();
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.fault("text goes on after the end of the value"))
        }
    }

    fn open(&mut self, tail: &'a [u8]) -> Result<()> {
        if self.depth >= MAX_JSON_DEPTH {
            return Err(self.fault("nested deeper than 128 levels"));
        }
        self.depth += 1;
        self.rest = tail;
        Ok(())
    }

    fn next_member(&mut self, first: &mut bool, end: u8) -> Result<bool> {
        self.skip_space();
        if self.eat(end) {
            self.depth = self.depth.saturating_sub(1);
            return Ok(false);
        }
        if !*first {
            if !self.eat(b',') {
                return Err(self.fault("`,` or the end of the list is expected"));
            }
            self.skip_space();
        }
        *first = false;
        Ok(true)
    }

    fn eat(&mut self, expected: u8) -> bool {
        match self.rest.split_first() {
            Some((&byte, tail)) if byte == expected => {
                self.rest = tail;
                true
            }
            _ => false,
        }
    }

    fn skip_space(&mut self) {
        while let Some((b' ' | b'\n' | b'\r' | b'\t', tail)) = self.rest.split_first() {
            self.rest = tail;
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<()> {
        match self.rest.strip_prefix(word) {
            Some(tail) => {
                self.rest = tail;
                Ok(())
            }
            None => Err(self.fault("a value is expected")),
        }
    }

    /// The string after its opening quote.
    fn text(&mut self) -> Result<RawText<'a>> {
        let mut length = 0;
        let mut escaped = false;
        loop {
            let tail = self.rest.get(length..).unwrap_or_default();
            let Some(found) = memchr::memchr2(b'"', b'\\', tail) else {
                return Err(self.fault("a string does not end"));
            };
            length += found;
            if self.rest.get(length) == Some(&b'"') {
                break;
            }
            escaped = true;
            length += 2;
        }
        let (raw, tail) = self.rest.split_at_checked(length).unwrap_or_default();
        self.rest = tail.get(1..).unwrap_or_default();
        Ok(RawText { raw, escaped })
    }

    fn number(&mut self) -> Result<&'a str> {
        let start = self.rest;
        self.eat(b'-');
        if !self.eat(b'0') && self.digits() == 0 {
            return Err(self.fault("a digit is expected"));
        }
        if self.eat(b'.') && self.digits() == 0 {
            return Err(self.fault("a digit is expected after the point"));
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _signed = self.eat(b'+') || self.eat(b'-');
            if self.digits() == 0 {
                return Err(self.fault("a digit is expected in the exponent"));
            }
        }
        let length = start.len().saturating_sub(self.rest.len());
        let digits = start.get(..length).unwrap_or_default();
        std::str::from_utf8(digits).map_err(|_| self.fault("a number is expected"))
    }

    fn digits(&mut self) -> usize {
        let count = self
            .rest
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.rest = self.rest.get(count..).unwrap_or_default();
        count
    }
}

impl<'a> RawText<'a> {
    /// The bytes as they stand, when no escape has to be resolved.
    pub(crate) fn plain(&self) -> Option<&'a [u8]> {
        (!self.escaped).then_some(self.raw)
    }

    /// Appends the string's bytes with every escape resolved.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let mut rest = self.raw;
        while let Some(at) = memchr::memchr(b'\\', rest) {
            let (before, escape) = rest.split_at_checked(at).unwrap_or_default();
            out.extend_from_slice(before);
            let (kind, tail) = match escape {
                [_, kind, tail @ ..] => (*kind, tail),
                _ => return Err("a string ends in the middle of an escape"),
            };
            rest = tail;
            match kind {
                b'"' | b'\\' | b'/' => out.push(kind),
                b'b' => out.push(0x08),
                b'f' => out.push(0x0c),
                b'n' => out.push(b'\n'),
                b'r' => out.push(b'\r'),
                b't' => out.push(b'\t'),
                b'u' => unicode_escape(&mut rest, out)?,
                _ => return Err("a string has an unknown escape"),
            }
        }
        out.extend_from_slice(rest);
        Ok(())
    }
}

/// The code point after `\u`, with its second half if it is a surrogate pair. A lone half becomes
/// U+FFFD.
fn unicode_escape(rest: &mut &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
    let high = hex4(rest)?;
    let mut code = u32::from(high);
    if (0xd800..0xdc00).contains(&high)
        && let Some(mut tail) = rest.strip_prefix(b"\\u")
    {
        let low = hex4(&mut tail)?;
        if (0xdc00..0xe000).contains(&low) {
            *rest = tail;
            code = 0x10000 + (u32::from(high - 0xd800) << 10) + u32::from(low - 0xdc00);
        }
    }
    match char::from_u32(code) {
        Some(symbol) => {
            out.extend_from_slice(symbol.encode_utf8(&mut [0; 4]).as_bytes());
        }
        None => out.extend_from_slice(REPLACEMENT),
    }
    Ok(())
}

fn hex4(rest: &mut &[u8]) -> Result<u16, &'static str> {
    const WRONG: &str = "a string has an escape `\\u` without four hex digits";
    let (digits, tail) = rest.split_first_chunk::<4>().ok_or(WRONG)?;
    let mut value = 0u16;
    for digit in digits {
        let digit = char::from(*digit).to_digit(16).ok_or(WRONG)?;
        value = value << 4 | u16::try_from(digit).map_err(|_| WRONG)?;
    }
    *rest = tail;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes back what was read, so that a test can compare it with its source.
    fn read(text: &[u8]) -> Result<String> {
        fn value(reader: &mut JsonReader<'_>, out: &mut String) -> Result<()> {
            match reader.value()? {
                Token::Null => out.push_str("null"),
                Token::Bool(truth) => out.push_str(if truth { "true" } else { "false" }),
                Token::Number(digits) => out.push_str(digits),
                Token::Text(text) => string(reader, text, out)?,
                Token::Object => {
                    out.push('{');
                    let mut first = true;
                    while let Some(key) = reader.next_key(&mut first)? {
                        string(reader, key, out)?;
                        out.push(':');
                        value(reader, out)?;
                        out.push(';');
                    }
                    out.push('}');
                }
                Token::Array => {
                    out.push('[');
                    let mut first = true;
                    while reader.next_item(&mut first)? {
                        value(reader, out)?;
                        out.push(';');
                    }
                    out.push(']');
                }
            }
            Ok(())
        }
        fn string(reader: &JsonReader<'_>, text: RawText<'_>, out: &mut String) -> Result<()> {
            let mut bytes = Vec::new();
            text.append_to(&mut bytes)
                .map_err(|what| reader.fault(what))?;
            out.push_str(&String::from_utf8_lossy(&bytes));
            Ok(())
        }
        let mut reader = JsonReader::new(text);
        let mut out = String::new();
        value(&mut reader, &mut out)?;
        reader.finish()?;
        Ok(out)
    }

    #[test]
    fn values_of_every_kind_are_read() {
        let text = br#" { "a" : [ 1 , -0.5e+3 , true,false , null , { } , [] ] , "b":"x\n\u00e9\ud83d\ude00\/\"" } "#;
        assert_eq!(
            read(text).unwrap(),
            "{a:[1;-0.5e+3;true;false;null;{};[];];b:x\n\u{e9}\u{1f600}/\";}"
        );
    }

    #[test]
    fn lone_surrogates_become_the_replacement_character() {
        assert_eq!(read(br#""a\ud800b""#).unwrap(), "a\u{fffd}b");
        assert_eq!(read(br#""\udc00""#).unwrap(), "\u{fffd}");
        assert_eq!(read(br#""\ud800\u0041""#).unwrap(), "\u{fffd}A");
        assert_eq!(
            read(br#""\ud800\ud800\udc00""#).unwrap(),
            "\u{fffd}\u{10000}"
        );
    }

    #[test]
    fn control_characters_and_nul_pass() {
        assert_eq!(read(b"\"a\x00\n\x7f\\u0000\"").unwrap(), "a\0\n\u{7f}\0");
    }

    #[test]
    fn malformed_text_is_refused_with_its_place() {
        for text in [
            "",
            "{",
            "[",
            "\"",
            "\"\\",
            "\"\\\"",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1",
            "{a:1}",
            "{\"a\" 1}",
            "[1 2]",
            "[1,]",
            "{\"a\":1,}",
            "[,1]",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "1e+",
            "+1",
            "nul",
            "truefalse",
            "1 2",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\u12\"",
            "NaN",
            "'a'",
            "\u{feff}1",
            "]",
            "}",
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(
            read(b"[1, x]").unwrap_err(),
            JsonFault {
                what: "a value is expected",
                offset: 4
            }
        );
    }

    #[test]
    fn nesting_is_bounded_in_read_and_skipped_values() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let inner = if open == "[" { "" } else { "1" };
            let nested =
                |levels: usize| format!("{}{inner}{}", open.repeat(levels), close.repeat(levels));
            assert!(read(nested(128).as_bytes()).is_ok());
            assert!(read(nested(129).as_bytes()).is_err());
            assert!(read(nested(200_000).as_bytes()).is_err());
            let text = nested(200_000);
            let mut reader = JsonReader::new(text.as_bytes());
            let token = reader.value().unwrap();
            assert!(reader.skip(token).is_err());
        }
    }
}
