//! Text to tokens. Knows literals, comments and quoting; knows no keywords.

use super::error::syntax_error;
use crate::error::QueryError;
use crate::limits::{MAX_QUERY_BYTES, MAX_QUERY_TOKENS};

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: TokenKind,
    /// First byte.
    pub(crate) start: usize,
    /// Byte after the last.
    pub(crate) end: usize,
}

/// The kinds of tokens.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TokenKind {
    /// A bare word.
    Word(String),
    /// A quoted identifier.
    Quoted(String),
    /// A number without its underscores.
    Number(String),
    /// Text.
    String(String),
    /// Brackets and operators.
    Symbol(&'static str),
    /// The end of the text.
    End,
}

/// Longest first, so that `<=>` is not read as `<=`, `>`.
const SYMBOLS: [&str; 33] = [
    "<=>", "||", "->", "::", "<=", ">=", "<>", "!=", "==", "(", ")", "[", "]", "{", "}", ",", ";",
    ".", ":", "?", "+", "-", "*", "/", "%", "=", "<", ">", "@", "^", "|", "&", "!",
];

/// Reads all tokens of `text`; the last one is [`TokenKind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, QueryError> {
    if text.len() > MAX_QUERY_BYTES {
        return Err(QueryError::new(
            crate::error::ErrorCode::SyntaxError,
            format!(
                "Max query size exceeded (can be increased up to {MAX_QUERY_BYTES} bytes only): the query has {} bytes",
                text.len()
            ),
        ));
    }
    let mut lexer = Lexer {
        text,
        at: 0,
        before: Before::Other,
    };
    let mut tokens = Vec::new();
    loop {
        let glued = lexer.at;
        lexer.skip_blanks()?;
        let start = lexer.at;
        if start != glued && lexer.before == Before::Operand {
            lexer.before = Before::Other;
        }
        let kind = lexer.token()?;
        lexer.before = lexer.before.after(&kind);
        let done = kind == TokenKind::End;
        tokens.push(Token {
            kind,
            start,
            end: lexer.at,
        });
        if done {
            return Ok(tokens);
        }
        if tokens.len() > MAX_QUERY_TOKENS {
            return Err(QueryError::new(
                crate::error::ErrorCode::TooBigAst,
                format!("the query has more than {MAX_QUERY_TOKENS} tokens; make it shorter"),
            ));
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    before: Before,
}

/// What came just before: decides whether `.1` is a number or the first element of a tuple.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// A name or a closing bracket, without a blank after it.
    Operand,
    /// The point after an operand.
    Point,
    /// Anything else.
    Other,
}

impl Before {
    fn after(self, kind: &TokenKind) -> Self {
        match kind {
            TokenKind::Word(_) | TokenKind::Quoted(_) | TokenKind::Symbol(")" | "]") => {
                Self::Operand
            }
            TokenKind::Number(_) if self == Self::Point => Self::Operand,
            TokenKind::Symbol(".") if self == Self::Operand => Self::Point,
            TokenKind::Number(_) | TokenKind::String(_) | TokenKind::Symbol(_) | TokenKind::End => {
                Self::Other
            }
        }
    }
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn fail<T>(&self, at: usize, what: &str) -> Result<T, QueryError> {
        Err(syntax_error(self.text, at, what))
    }

    fn skip_blanks(&mut self) -> Result<(), QueryError> {
        loop {
            let rest = self.rest();
            let trimmed = rest
                .trim_start_matches(|c: char| c.is_whitespace() || c == '\0' || c == '\u{feff}');
            self.at += rest.len() - trimmed.len();
            let line_comment = ["--", "# ", "#!"]
                .iter()
                .any(|mark| trimmed.starts_with(mark))
                || trimmed == "#";
            if line_comment {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                match trimmed.find("*/") {
                    Some(end) => self.at += end + 2,
                    None => return self.fail(self.at, "Multiline comment is not closed"),
                }
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<TokenKind, QueryError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(TokenKind::End);
        };
        match first {
            '\'' => self.quoted('\'').map(TokenKind::String),
            '`' | '"' => self.quoted(first).map(TokenKind::Quoted),
            '\u{2018}' => self.curly('\u{2019}').map(TokenKind::String),
            '\u{201c}' => self.curly('\u{201d}').map(TokenKind::Quoted),
            '$' => self.heredoc(),
            '0'..='9' if self.before == Before::Point => Ok(self.position()),
            '0'..='9' => self.number(),
            '.' if self.before == Before::Operand => self.symbol(),
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(),
            'x' | 'X' | 'b' | 'B' if rest[1..].starts_with('\'') => self.coded_string(first),
            _ if first.is_alphabetic() || first == '_' => Ok(self.word()),
            '\u{2212}' => {
                self.at += first.len_utf8();
                Ok(TokenKind::Symbol("-"))
            }
            _ => self.symbol(),
        }
    }

    /// The `1` of `t.1`.
    fn position(&mut self) -> TokenKind {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        self.at += end;
        TokenKind::Number(rest[..end].to_owned())
    }

    fn word(&mut self) -> TokenKind {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
            .unwrap_or(rest.len());
        self.at += end;
        TokenKind::Word(rest[..end].to_owned())
    }

    fn symbol(&mut self) -> Result<TokenKind, QueryError> {
        let rest = self.rest();
        match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            Some(symbol) => {
                self.at += symbol.len();
                Ok(TokenKind::Symbol(symbol))
            }
            None => self.fail(self.at, "Unrecognized token"),
        }
    }

    /// Text between two `quote`s with backslash escapes and doubled quotes.
    fn quoted(&mut self, quote: char) -> Result<String, QueryError> {
        let start = self.at;
        self.at += quote.len_utf8();
        let mut text = Vec::new();
        loop {
            let rest = self.rest();
            let stop = rest.find(['\\', quote]);
            let Some(stop) = stop else {
                return self.fail(start, "Quote is not closed");
            };
            text.extend_from_slice(&rest.as_bytes()[..stop]);
            self.at += stop;
            if self.peek() == Some('\\') {
                self.escape(start, &mut text)?;
            } else if rest[stop + 1..].starts_with(quote) {
                text.extend_from_slice(quote.to_string().as_bytes());
                self.at += 2;
            } else {
                self.at += 1;
                return Ok(String::from_utf8_lossy(&text).into_owned());
            }
        }
    }

    /// One backslash escape. Unknown ones keep the backslash, as LIKE patterns need.
    fn escape(&mut self, start: usize, text: &mut Vec<u8>) -> Result<(), QueryError> {
        self.at += 1;
        let Some(escaped) = self.peek() else {
            return self.fail(start, "Quote is not closed");
        };
        self.at += escaped.len_utf8();
        let byte = match escaped {
            'n' => b'\n',
            't' => b'\t',
            'r' => b'\r',
            'b' => 0x08,
            'f' => 0x0c,
            'a' => 0x07,
            'v' => 0x0b,
            '0' => 0,
            'e' => 0x1b,
            '\\' => b'\\',
            '\'' => b'\'',
            '"' => b'"',
            '`' => b'`',
            '/' => b'/',
            '=' => b'=',
            'N' => return Ok(()),
            'x' => {
                let digits = self.rest().get(..2).unwrap_or_default();
                match u8::from_str_radix(digits, 16) {
                    Ok(byte) => {
                        self.at += 2;
                        byte
                    }
                    Err(_) => {
                        text.extend_from_slice(b"\\x");
                        return Ok(());
                    }
                }
            }
            other => {
                text.push(b'\\');
                text.extend_from_slice(other.to_string().as_bytes());
                return Ok(());
            }
        };
        text.push(byte);
        Ok(())
    }

    fn curly(&mut self, close: char) -> Result<String, QueryError> {
        let start = self.at;
        let rest = self.rest();
        let skip = rest.chars().next().map_or(0, char::len_utf8);
        let Some(end) = rest.find(close) else {
            return self.fail(start, "Quote is not closed");
        };
        self.at += end + close.len_utf8();
        Ok(rest.get(skip..end).unwrap_or_default().to_owned())
    }

    /// `$$raw$$` and `$tag$raw$tag$`.
    fn heredoc(&mut self) -> Result<TokenKind, QueryError> {
        let rest = self.rest();
        let tag_end = rest[1..]
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map(|end| end + 1);
        let Some(tag_end) = tag_end.filter(|end| rest[*end..].starts_with('$')) else {
            return self.fail(self.at, "Unrecognized token");
        };
        let mark = &rest[..=tag_end];
        let Some(length) = rest[mark.len()..].find(mark) else {
            return self.fail(self.at, "Heredoc is not closed");
        };
        let raw = &rest[mark.len()..mark.len() + length];
        self.at += 2 * mark.len() + length;
        Ok(TokenKind::String(raw.to_owned()))
    }

    /// `x'41'` and `b'01'`.
    fn coded_string(&mut self, base: char) -> Result<TokenKind, QueryError> {
        let start = self.at;
        self.at += 1;
        let digits = self.quoted('\'')?;
        let (radix, per_byte) = if base.eq_ignore_ascii_case(&'x') {
            (16, 2)
        } else {
            (2, 8)
        };
        if !digits.is_ascii() {
            return self.fail(start, "Unrecognized token");
        }
        // The first byte may be short: `x'F41'` is 0F 41.
        let mut bytes = Vec::with_capacity(digits.len() / per_byte + 1);
        let mut at = 0;
        let mut next = match digits.len() % per_byte {
            0 => per_byte,
            short => short,
        };
        while at < digits.len() {
            match u8::from_str_radix(&digits[at..next], radix) {
                Ok(byte) => bytes.push(byte),
                Err(_) => return self.fail(start, "Unrecognized token"),
            }
            at = next;
            next += per_byte;
        }
        Ok(TokenKind::String(
            String::from_utf8_lossy(&bytes).into_owned(),
        ))
    }

    /// Decimal, hexadecimal and binary numbers with underscores, fractions and exponents.
    fn number(&mut self) -> Result<TokenKind, QueryError> {
        let rest = self.rest();
        let start = self.at;
        let bytes = rest.as_bytes();
        let coded = bytes.len() > 2
            && bytes[0] == b'0'
            && matches!(bytes[1], b'x' | b'X' | b'b' | b'B')
            && bytes[2].is_ascii_hexdigit();
        let is_hex = coded && matches!(bytes[1], b'x' | b'X');
        let mut end = if coded { 2 } else { 0 };
        let mut seen_point = false;
        let mut seen_exponent = false;
        while let Some(&byte) = bytes.get(end) {
            let is_exponent = if is_hex {
                matches!(byte, b'p' | b'P')
            } else {
                !coded && matches!(byte, b'e' | b'E')
            };
            if is_exponent && !seen_exponent {
                let signed = matches!(bytes.get(end + 1), Some(b'+' | b'-'));
                let digit = bytes.get(end + 1 + usize::from(signed));
                if !digit.is_some_and(u8::is_ascii_digit) {
                    break;
                }
                seen_exponent = true;
                seen_point = true;
                end += 1 + usize::from(signed);
            } else if byte == b'.' && !seen_point {
                seen_point = true;
                end += 1;
            } else if byte.is_ascii_digit()
                || byte == b'_'
                || (is_hex && !seen_exponent && byte.is_ascii_hexdigit())
            {
                end += 1;
            } else {
                break;
            }
        }
        self.at += end;
        let follows = self.peek();
        if follows.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            // Identifiers may begin with digits in ClickHouse; nothing that clients send needs it.
            return self.fail(start, "Unrecognized token");
        }
        Ok(TokenKind::Number(rest[..end].replace('_', "")))
    }
}
