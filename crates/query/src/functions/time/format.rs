//! `formatDateTime`: MySQL-style patterns.

use std::fmt::Write;

use super::civil::{Civil, DAY_S, iso_week, weekday};
use super::instant::Times;
use super::part::kind;
use crate::error::{ErrorCode, Result};
use crate::functions::kernel::Resolved;
use crate::functions::rows::texts;
use crate::functions::signature::{Call, Entry, strict};
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    strict("formatDateTime", (2, 3), format_date_time),
    strict("DATE_FORMAT", (2, 3), format_date_time).any_case(),
    strict("dateName", (2, 3), date_name).any_case(),
    strict("monthName", (1, 1), month_name).any_case(),
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

fn name_of(names: &[&'static str], number: i64) -> &'static str {
    usize::try_from(number - 1)
        .ok()
        .and_then(|i| names.get(i))
        .copied()
        .unwrap_or("")
}

/// A time taken apart.
struct Parts {
    civil: Civil,
    day: i64,
    clock: i64,
    fraction_ns: i64,
    offset_s: i64,
}

impl Parts {
    fn of(times: &Times, row: usize) -> Self {
        let local = times.local_s(row);
        let day = times.local_day(row);
        Self {
            civil: Civil::of(day),
            day,
            clock: local.rem_euclid(DAY_S),
            fraction_ns: times.fraction_ns(row),
            offset_s: local - times.utc_s(row),
        }
    }

    fn hour12(&self) -> i64 {
        match self.clock / 3600 % 12 {
            0 => 12,
            hour => hour,
        }
    }
}

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Field(char),
}

fn parse(pattern: &str, call: &Call<'_>) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('%') => text.push('%'),
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some(field) if "YyCmdeFTRDHhIlkiSsfMbajpuwWzQVGgcr".contains(field) => {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
                pieces.push(Piece::Field(field));
            }
            other => {
                let shown = other.map(String::from).unwrap_or_default();
                return Err(call.fail(
                    ErrorCode::BadArguments,
                    &format!("Wrong syntax '{pattern}', unexpected symbol '{shown}'"),
                ));
            }
        }
    }
    pieces.push(Piece::Text(text));
    Ok(pieces)
}

fn format_date_time(call: &Call<'_>) -> Result<Resolved> {
    let pieces = parse(call.constant_text(1)?, call)?;
    let kind = kind(call, 0, call.optional_text(2)?)?;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let times = Times::of(cols, 0, kind)?;
        texts(cols, rows, |row, out| {
            let parts = Parts::of(&times, row);
            for piece in &pieces {
                let written = match piece {
                    Piece::Text(text) => out.write_str(text),
                    Piece::Field(field) => write_field(&parts, *field, out),
                };
                // Writing into a String cannot fail.
                debug_assert!(written.is_ok());
            }
            Ok(())
        })
    }))
}

fn write_field(p: &Parts, field: char, out: &mut String) -> std::fmt::Result {
    let Civil { year, month, day } = p.civil;
    let (hour, minute, second) = (p.clock / 3600, p.clock / 60 % 60, p.clock % 60);
    match field {
        'Y' => write!(out, "{year:04}"),
        'y' => write!(out, "{:02}", year.rem_euclid(100)),
        'C' => write!(out, "{:02}", year / 100),
        'm' => write!(out, "{month:02}"),
        'c' => write!(out, "{month:02}"),
        'd' => write!(out, "{day:02}"),
        'e' => write!(out, "{day:2}"),
        'F' => write!(out, "{year:04}-{month:02}-{day:02}"),
        'D' => write!(out, "{month:02}/{day:02}/{:02}", year.rem_euclid(100)),
        'T' => write!(out, "{hour:02}:{minute:02}:{second:02}"),
        'R' => write!(out, "{hour:02}:{minute:02}"),
        'H' => write!(out, "{hour:02}"),
        'k' => write!(out, "{hour:2}"),
        'h' | 'I' | 'l' => write!(out, "{:02}", p.hour12()),
        'i' => write!(out, "{minute:02}"),
        'S' | 's' => write!(out, "{second:02}"),
        'f' => write!(out, "{:06}", p.fraction_ns / 1000),
        'r' => write!(out, "{:02}:{minute:02} {}", p.hour12(), half(hour)),
        'p' => out.write_str(half(hour)),
        'M' => out.write_str(name_of(&MONTHS, month)),
        'b' => out.write_str(name_of(&MONTHS, month).get(..3).unwrap_or("")),
        'W' => out.write_str(name_of(&DAYS, weekday(p.day))),
        'a' => out.write_str(name_of(&DAYS, weekday(p.day)).get(..3).unwrap_or("")),
        'j' => write!(out, "{:03}", p.civil.day_of_year()),
        'u' => write!(out, "{}", weekday(p.day)),
        'w' => write!(out, "{}", weekday(p.day) % 7),
        'Q' => write!(out, "{}", (month + 2) / 3),
        'V' => write!(out, "{:02}", iso_week(p.day).1),
        'G' => write!(out, "{:04}", iso_week(p.day).0),
        'g' => write!(out, "{:02}", iso_week(p.day).0.rem_euclid(100)),
        _ => {
            let sign = if p.offset_s < 0 { '-' } else { '+' };
            let minutes = p.offset_s.abs() / 60;
            write!(out, "{sign}{:02}{:02}", minutes / 60, minutes % 60)
        }
    }
}

fn half(hour: i64) -> &'static str {
    if hour < 12 { "AM" } else { "PM" }
}

fn date_name(call: &Call<'_>) -> Result<Resolved> {
    let field = match call.constant_text(0)?.to_ascii_lowercase().as_str() {
        "year" => 'Y',
        "month" => 'M',
        "weekday" => 'W',
        "day" => 'd',
        "hour" => 'H',
        "minute" => 'i',
        "second" => 'S',
        "quarter" => 'Q',
        "week" => 'V',
        "dayofyear" => 'j',
        other => {
            let what = format!("{other} doesn't look like datepart name");
            return Err(call.fail(ErrorCode::BadArguments, &what));
        }
    };
    let kind = kind(call, 1, call.optional_text(2)?)?;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let times = Times::of(cols, 1, kind)?;
        texts(cols, rows, |row, out| {
            let mut field_text = String::new();
            let written = write_field(&Parts::of(&times, row), field, &mut field_text);
            debug_assert!(written.is_ok());
            let number = field_text.trim_start_matches('0');
            let bare = if number.is_empty() { "0" } else { number };
            out.push_str(if field_text.starts_with('0') {
                bare
            } else {
                &field_text
            });
            Ok(())
        })
    }))
}

fn month_name(call: &Call<'_>) -> Result<Resolved> {
    let kind = kind(call, 0, None)?;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let times = Times::of(cols, 0, kind)?;
        texts(cols, rows, |row, out| {
            out.push_str(name_of(&MONTHS, Civil::of(times.local_day(row)).month));
            Ok(())
        })
    }))
}
