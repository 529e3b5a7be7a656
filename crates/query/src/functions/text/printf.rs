//! `printf`: C's formats.

use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::convert::float_text;
use crate::functions::kernel::Resolved;
use crate::functions::rows::{Doubles, Longs, Texts, texts};
use crate::functions::signature::{Call, Entry, MANY, strict};
use crate::types::Type;

use super::budget::Budget;

pub(super) static ENTRIES: &[Entry] = &[strict("printf", (1, MANY), printf)];

/// Widest field of a format.
const MAX_WIDTH: usize = 64 * 1024;

#[derive(Debug, Clone)]
enum Piece {
    Literal(String),
    Value(Format),
}

#[derive(Debug, Clone, Default)]
struct Format {
    /// As written: `-`, `+`, blank, `0`, `#`.
    flags: String,
    width: usize,
    precision: Option<usize>,
    kind: char,
}

fn bad(what: &str) -> QueryError {
    QueryError::new(
        ErrorCode::BadArguments,
        format!("Bad format {what} in function printf"),
    )
}

fn parse(text: &str) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            literal.push(c);
            continue;
        }
        if chars.next_if_eq(&'%').is_some() {
            literal.push('%');
            continue;
        }
        pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        let mut format = Format::default();
        while let Some(flag) = chars.next_if(|c| "-+ 0#".contains(*c)) {
            format.flags.push(flag);
        }
        let mut width = String::new();
        while let Some(digit) = chars.next_if(char::is_ascii_digit) {
            width.push(digit);
        }
        format.width = width.parse().unwrap_or(0);
        let dot = chars.next_if_eq(&'.').is_some();
        if dot {
            let mut digits = String::new();
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            format.precision = Some(digits.parse().unwrap_or(0));
        }
        while chars.next_if(|c| "hlLqjzt".contains(*c)).is_some() {}
        format.kind = chars.next().ok_or_else(|| bad(text))?;
        let known = "diouxXeEfFgGaAcs".contains(format.kind);
        if !known || format.width.max(format.precision.unwrap_or(0)) > MAX_WIDTH {
            return Err(bad(text));
        }
        pieces.push(Piece::Value(format));
    }
    pieces.push(Piece::Literal(literal));
    Ok(pieces)
}

impl Format {
    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }

    fn takes_float(&self) -> bool {
        "eEfFgGaA".contains(self.kind)
    }

    /// Sign and digits with padding.
    fn put(&self, sign: &str, body: &str, numeric: bool, out: &mut String) {
        let length = sign.len() + body.chars().count();
        let missing = self.width.saturating_sub(length);
        let fill = |c: char, out: &mut String| out.extend(std::iter::repeat_n(c, missing));
        if self.has('-') {
            out.push_str(sign);
            out.push_str(body);
            fill(' ', out);
        } else if self.has('0') && numeric {
            out.push_str(sign);
            fill('0', out);
            out.push_str(body);
        } else {
            fill(' ', out);
            out.push_str(sign);
            out.push_str(body);
        }
    }

    fn sign_of(&self, negative: bool) -> &'static str {
        match (negative, self.has('+'), self.has(' ')) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        }
    }

    fn integer(&self, value: i64, out: &mut String) {
        let bits = value.cast_unsigned();
        let prefix = if self.has('#') { self.kind } else { ' ' };
        let (sign, mut digits) = match self.kind {
            'o' => ("", format!("{bits:o}")),
            'x' => (if prefix == 'x' { "0x" } else { "" }, format!("{bits:x}")),
            'X' => (if prefix == 'X' { "0X" } else { "" }, format!("{bits:X}")),
            'u' => ("", format!("{bits}")),
            _ => (self.sign_of(value < 0), format!("{}", value.unsigned_abs())),
        };
        if let Some(precision) = self.precision {
            let missing = precision.saturating_sub(digits.len());
            digits.insert_str(0, &"0".repeat(missing));
        }
        self.put(sign, &digits, self.precision.is_none(), out);
    }

    fn float(&self, value: f64, out: &mut String) {
        let sign = self.sign_of(value.is_sign_negative());
        let size = value.abs();
        let precision = self.precision.unwrap_or(6);
        let mut body = String::new();
        if !size.is_finite() {
            float_text(size, &mut body);
        } else {
            match self.kind.to_ascii_lowercase() {
                'f' => body = format!("{size:.precision$}"),
                'e' => body = exponent(size, precision),
                _ => {
                    // The shorter of both, without trailing zeros.
                    let digits = precision.max(1);
                    let scientific = exponent(size, digits - 1);
                    let power: i32 = scientific
                        .split_once('e')
                        .and_then(|(_, power)| power.parse().ok())
                        .unwrap_or(0);
                    let limit = i32::try_from(digits).unwrap_or(i32::MAX);
                    body = if power < -4 || power >= limit {
                        let (mantissa, power) = scientific.split_once('e').unwrap_or(("0", "+00"));
                        format!("{}e{power}", trimmed(mantissa))
                    } else {
                        let places = usize::try_from(limit - 1 - power).unwrap_or(0);
                        trimmed(&format!("{size:.places$}")).to_owned()
                    };
                }
            }
        }
        if self.kind.is_ascii_uppercase() {
            body = body.to_ascii_uppercase();
        }
        self.put(sign, &body, size.is_finite(), out);
    }
}

fn trimmed(digits: &str) -> &str {
    if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    }
}

/// C writes at least two digits of the exponent, with its sign.
fn exponent(size: f64, precision: usize) -> String {
    let text = format!("{size:.precision$e}");
    let (mantissa, power) = text.split_once('e').unwrap_or((text.as_str(), "0"));
    let (sign, digits) = match power.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', power),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}

enum Values<'a> {
    Text(Texts<'a>),
    Long(Longs),
    Double(Doubles),
}

fn printf(call: &Call<'_>) -> Result<Resolved> {
    let pieces = parse(call.constant_text(0)?)?;
    let formats: Vec<&Format> = pieces
        .iter()
        .filter_map(|piece| match piece {
            Piece::Value(format) => Some(format),
            Piece::Literal(_) => None,
        })
        .collect();
    if formats.len() != call.args.len() - 1 {
        return Err(bad("with another number of arguments"));
    }
    for (i, format) in formats.iter().enumerate() {
        let ty = call.ty(i + 1);
        let fits = match format.kind {
            's' => ty.is_text(),
            _ if format.takes_float() => ty.is_float(),
            _ => ty.is_integer(),
        };
        if !fits {
            return Err(bad(&format!("{} for a {ty}", format.kind)));
        }
    }
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let mut values = Vec::new();
        for piece in &pieces {
            if let Piece::Value(format) = piece {
                let i = values.len() + 1;
                values.push(match format.kind {
                    's' => Values::Text(Texts::of(cols, i)?),
                    _ if format.takes_float() => Values::Double(Doubles::of(cols, i)?),
                    _ => Values::Long(Longs::of(cols, i)?),
                });
            }
        }
        let mut budget = Budget::new();
        texts(cols, rows, |row, out| {
            let mut next = values.iter();
            for piece in &pieces {
                match piece {
                    Piece::Literal(text) => out.push_str(text),
                    Piece::Value(format) => match next.next() {
                        Some(Values::Text(texts)) => {
                            let text = texts.get(row);
                            let kept = format.precision.unwrap_or(usize::MAX);
                            let shown: String = text.chars().take(kept).collect();
                            format.put("", &shown, false, out);
                        }
                        Some(Values::Long(longs)) if format.kind == 'c' => {
                            let byte = u8::try_from(longs.get(row) & 0xff).unwrap_or(0);
                            format.put("", &char::from(byte).to_string(), false, out);
                        }
                        Some(Values::Long(longs)) => format.integer(longs.get(row), out),
                        Some(Values::Double(doubles)) => format.float(doubles.get(row), out),
                        None => {}
                    },
                }
            }
            budget.spend(Some(out.len()))
        })
    }))
}
