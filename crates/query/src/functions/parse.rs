//! Reading numbers and times from text: exact forms and best effort. No zones are guessed.

use super::time::{Civil, DAY_S, Zone};
use crate::error::{ErrorCode, QueryError};

/// A point in time read from text: UTC seconds and nanoseconds after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant {
    pub(crate) utc_s: i64,
    pub(crate) fraction_ns: i64,
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while self.take(b' ') {}
    }

    /// A run of digits: value and length.
    fn digits(&mut self, most: usize) -> (i64, usize) {
        let mut value = 0_i64;
        let mut count = 0;
        while let Some(byte) = self.peek() {
            if !byte.is_ascii_digit() || count == most {
                break;
            }
            value = value
                .saturating_mul(10)
                .saturating_add(i64::from(byte - b'0'));
            self.at += 1;
            count += 1;
        }
        (value, count)
    }

    fn word(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_alphabetic()) {
            self.at += 1;
        }
        let bytes = self.bytes.get(start..self.at).unwrap_or_default();
        String::from_utf8_lossy(bytes).to_ascii_lowercase()
    }

    fn done(&self) -> bool {
        self.at >= self.bytes.len()
    }
}

/// `YYYY-MM-DD`
pub(crate) fn date(text: &str) -> Option<i64> {
    let mut cursor = Cursor {
        bytes: text.as_bytes(),
        at: 0,
    };
    let day = year_first(&mut cursor)?;
    cursor.done().then_some(day)
}

fn year_first(cursor: &mut Cursor<'_>) -> Option<i64> {
    let (year, digits) = cursor.digits(8);
    if digits == 8 {
        return valid(Civil {
            year: year / 10_000,
            month: year / 100 % 100,
            day: year % 100,
        });
    }
    let separator = cursor.peek().filter(|b| matches!(b, b'-' | b'/' | b'.'))?;
    cursor.at += 1;
    let (month, month_digits) = cursor.digits(2);
    if digits != 4 || month_digits == 0 || !cursor.take(separator) {
        return None;
    }
    let (day, day_digits) = cursor.digits(2);
    if day_digits == 0 {
        return None;
    }
    valid(Civil { year, month, day })
}

fn valid(civil: Civil) -> Option<i64> {
    civil.is_valid().then(|| civil.days())
}

/// Forms that conversions of text to a time read: ISO with or without zone, fractions, a date alone, Unix time.
pub(crate) fn time(text: &str, zone: &Zone) -> Option<Instant> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return None;
    }
    if let Some(instant) = unix(trimmed) {
        return Some(instant);
    }
    let mut cursor = Cursor {
        bytes: trimmed.as_bytes(),
        at: 0,
    };
    let day = if cursor.peek().is_some_and(|b| b.is_ascii_digit()) {
        leading_number(&mut cursor)?
    } else {
        month_first(&mut cursor)?
    };
    cursor.skip_space();
    if cursor.take(b'T') || cursor.take(b't') {
        cursor.skip_space();
    }
    let (clock_s, fraction_ns) = if cursor.peek().is_some_and(|b| b.is_ascii_digit()) {
        clock(&mut cursor)?
    } else {
        (0, 0)
    };
    let local_s = day.checked_mul(DAY_S)?.checked_add(clock_s)?;
    let offset = zone_suffix(&mut cursor)?;
    if !cursor.done() {
        return None;
    }
    let utc_s = match offset {
        Some(offset) => local_s - offset,
        None => zone.utc_s(local_s),
    };
    Some(Instant { utc_s, fraction_ns })
}

/// `1704164645`, `1704164645.5`, and 13, 16 or 19 digits by their scale.
fn unix(text: &str) -> Option<Instant> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let (sign, digits) = whole
        .strip_prefix('-')
        .map_or((1, whole), |rest| (-1, rest));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if digits.is_empty() || !all_digits(digits) || !all_digits(fraction) {
        return None;
    }
    let value: i64 = digits.parse().ok()?;
    let scaled = |per: i64| Instant {
        utc_s: sign * (value / per),
        fraction_ns: value % per * (1_000_000_000 / per),
    };
    match digits.len() {
        // Dates without separators.
        4 | 8 | 14 => None,
        13 => Some(scaled(1000)),
        16 => Some(scaled(1_000_000)),
        19 => Some(scaled(1_000_000_000)),
        5..=10 | 1..=3 => Some(Instant {
            utc_s: sign * value,
            fraction_ns: fraction_ns(fraction),
        }),
        _ => None,
    }
}

fn fraction_ns(digits: &str) -> i64 {
    let mut value = 0;
    for i in 0..9 {
        let digit = digits
            .as_bytes()
            .get(i)
            .map_or(0, |b| i64::from(b.saturating_sub(b'0')));
        value = value * 10 + digit;
    }
    value
}

fn leading_number(cursor: &mut Cursor<'_>) -> Option<i64> {
    let start = cursor.at;
    let (value, digits) = cursor.digits(14);
    if digits == 14 {
        // YYYYMMDDhhmmss: step back so that the clock is read next.
        cursor.at = start + 8;
        let date = value / 1_000_000;
        return valid(Civil {
            year: date / 10_000,
            month: date / 100 % 100,
            day: date % 100,
        });
    }
    if digits == 8 || digits == 4 {
        cursor.at = start;
        if digits == 4 && cursor.bytes.len() == 4 {
            return valid(Civil {
                year: value,
                month: 1,
                day: 1,
            });
        }
        return year_first(cursor);
    }
    if !(1..=2).contains(&digits) {
        return None;
    }
    // Day first: `20 Aug 2026`, `20/08/2026`, `20-08-2026`.
    let day = value;
    if let Some(separator) = cursor.peek().filter(|b| matches!(b, b'/' | b'-' | b'.')) {
        cursor.at += 1;
        let month = if cursor.peek().is_some_and(|b| b.is_ascii_digit()) {
            cursor.digits(2).0
        } else {
            month_number(&cursor.word())?
        };
        if !cursor.take(separator) {
            return None;
        }
        let (year, year_digits) = cursor.digits(4);
        return (year_digits == 4).then(|| valid(Civil { year, month, day }))?;
    }
    cursor.skip_space();
    let month = month_number(&cursor.word())?;
    cursor.skip_space();
    let (year, year_digits) = cursor.digits(4);
    (year_digits == 4).then(|| valid(Civil { year, month, day }))?
}

/// `Aug 20 2026`, `Thu, 20 Aug 2026`
fn month_first(cursor: &mut Cursor<'_>) -> Option<i64> {
    let mut word = cursor.word();
    if month_number(&word).is_none() {
        let weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        if !weekdays.contains(&word.get(..3)?) {
            return None;
        }
        cursor.take(b',');
        cursor.skip_space();
        if cursor.peek().is_some_and(|b| b.is_ascii_digit()) {
            return leading_number(cursor);
        }
        word = cursor.word();
    }
    let month = month_number(&word)?;
    cursor.skip_space();
    let (day, _) = cursor.digits(2);
    cursor.take(b',');
    cursor.skip_space();
    let (year, digits) = cursor.digits(4);
    (digits == 4).then(|| valid(Civil { year, month, day }))?
}

fn month_number(word: &str) -> Option<i64> {
    const NAMES: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let at = NAMES.iter().position(|name| word.starts_with(name))?;
    i64::try_from(at).ok().map(|at| at + 1)
}

fn clock(cursor: &mut Cursor<'_>) -> Option<(i64, i64)> {
    let (mut hour, digits) = cursor.digits(2);
    let (mut minute, mut second, mut fraction) = (0, 0, 0);
    if cursor.take(b':') {
        let (value, count) = cursor.digits(2);
        if count == 0 {
            return None;
        }
        minute = value;
        if cursor.take(b':') {
            let (value, count) = cursor.digits(2);
            if count == 0 {
                return None;
            }
            second = value;
        }
    } else if digits == 2 && cursor.peek().is_some_and(|b| b.is_ascii_digit()) {
        minute = cursor.digits(2).0;
        second = cursor.digits(2).0;
    }
    if cursor.take(b'.') || cursor.take(b',') {
        let start = cursor.at;
        let (_, count) = cursor.digits(usize::MAX);
        let bytes = cursor.bytes.get(start..start + count)?;
        fraction = fraction_ns(std::str::from_utf8(bytes).ok()?);
    }
    let before = cursor.at;
    cursor.skip_space();
    match cursor.word().as_str() {
        "am" => hour %= 12,
        "pm" => hour = hour % 12 + 12,
        _ => cursor.at = before,
    }
    let fits = hour < 24 && minute < 60 && second < 60;
    fits.then_some((hour * 3600 + minute * 60 + second, fraction))
}

/// `Z`, `UTC`, `+02:00`, `-0530`; `Some(None)` = none given.
fn zone_suffix(cursor: &mut Cursor<'_>) -> Option<Option<i64>> {
    cursor.skip_space();
    let start = cursor.at;
    match cursor.word().as_str() {
        "z" => return Some(Some(0)),
        "utc" | "gmt" => {}
        "" => {}
        _ => {
            cursor.at = start;
            return None;
        }
    }
    let named = cursor.at > start;
    let negative = match cursor.peek() {
        Some(b'+') => false,
        Some(b'-') => true,
        _ => return Some(named.then_some(0)),
    };
    cursor.at += 1;
    let (hours, count) = cursor.digits(2);
    if count == 0 {
        return None;
    }
    cursor.take(b':');
    let (minutes, _) = cursor.digits(2);
    let offset = hours * 3600 + minutes * 60;
    Some(Some(if negative { -offset } else { offset }))
}

/// Why a number could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadNumber {
    Empty,
    Malformed,
}

impl BadNumber {
    pub(crate) fn error(self, text: &str, ty: &str, float: bool) -> QueryError {
        match self {
            Self::Empty if float => QueryError::new(
                ErrorCode::CannotParseNumber,
                format!("Cannot read {ty} from an empty string"),
            ),
            Self::Empty => QueryError::new(
                ErrorCode::AttemptToReadAfterEof,
                format!(
                    "Attempt to read after eof: Cannot parse {ty} from String, because value is too short"
                ),
            ),
            Self::Malformed => QueryError::new(
                // Text after a number, or no number at all.
                if (float && !text.starts_with(|c: char| c.is_ascii_digit()))
                    || (!float && text.starts_with('-'))
                {
                    ErrorCode::CannotParseNumber
                } else {
                    ErrorCode::CannotParseText
                },
                format!(
                    "Cannot parse string '{}' as {ty}: syntax error",
                    shortened(text)
                ),
            ),
        }
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

/// A whole decimal integer, wrapping beyond 64 bits as ClickHouse's reader does.
pub(crate) fn integer(text: &str) -> Result<i128, BadNumber> {
    if text.is_empty() {
        return Err(BadNumber::Empty);
    }
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    if digits.is_empty() {
        return Err(BadNumber::Malformed);
    }
    let mut value = 0_i128;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return Err(BadNumber::Malformed);
        }
        value = value.wrapping_mul(10).wrapping_add(i128::from(byte - b'0'));
    }
    Ok(if negative {
        value.wrapping_neg()
    } else {
        value
    })
}

/// A float, `inf` and `nan` included.
pub(crate) fn float(text: &str) -> Result<f64, BadNumber> {
    if text.is_empty() {
        return Err(BadNumber::Empty);
    }
    let plausible = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    if !plausible {
        return Err(BadNumber::Malformed);
    }
    text.parse().map_err(|_| BadNumber::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(i64, i64)>) {
        let found = time(text, &Zone::new(chrono_tz::Tz::UTC));
        assert_eq!(found.map(|i| (i.utc_s, i.fraction_ns)), expected, "{text}");
    }

    #[test]
    fn times_are_read_in_many_forms() {
        check("2026-08-20 00:00:01.5", Some((1_787_184_001, 500_000_000)));
        check("2026-08-20T00:00:01Z", Some((1_787_184_001, 0)));
        check("2026-08-20T02:00:01+02:00", Some((1_787_184_001, 0)));
        check("2026-08-20", Some((1_787_184_000, 0)));
        check("Aug 20 2026 1:04 PM", Some((1_787_231_040, 0)));
        check("20 Aug 2026 13:04:00", Some((1_787_231_040, 0)));
        check("1787184001", Some((1_787_184_001, 0)));
        check("1787184001500", Some((1_787_184_001, 500_000_000)));
        check("20260820", Some((1_787_184_000, 0)));
        check("20260820000001", Some((1_787_184_001, 0)));
        check("", None);
        check("abc", None);
        check("2026-13-01", None);
        check("2026-08-20 25:00:00", None);
        check("2026-08-20 00:00:01 nonsense", None);
    }

    #[test]
    fn numbers_must_be_read_completely() {
        assert_eq!(integer("-12"), Ok(-12));
        assert_eq!(integer(""), Err(BadNumber::Empty));
        assert_eq!(integer("1 "), Err(BadNumber::Malformed));
        assert_eq!(float("1e3"), Ok(1000.0));
        assert_eq!(float("x"), Err(BadNumber::Malformed));
    }
}
