//! Repeating and padding, within a budget.

use super::budget::Budget;
use crate::error::Result;
use crate::functions::kernel::Resolved;
use crate::functions::rows::{Longs, Texts, texts};
use crate::functions::signature::{Call, Entry, strict};
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    strict("repeat", (2, 2), repeat).any_case(),
    strict("space", (1, 1), space).any_case(),
    strict("leftPad", (2, 3), |call| pad(call, true, false)).any_case(),
    strict("lpad", (2, 3), |call| pad(call, true, false)).any_case(),
    strict("rightPad", (2, 3), |call| pad(call, false, false)).any_case(),
    strict("rpad", (2, 3), |call| pad(call, false, false)).any_case(),
    strict("leftPadUTF8", (2, 3), |call| pad(call, true, true)),
    strict("rightPadUTF8", (2, 3), |call| pad(call, false, true)),
];

fn repeat(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0])?;
    call.want_integer(&[1])?;
    Ok(Resolved::new(Type::String, |cols, rows| {
        let (s, counts) = (Texts::of(cols, 0)?, Longs::of(cols, 1)?);
        let mut budget = Budget::new();
        texts(cols, rows, |row, out| {
            let times = usize::try_from(counts.get(row)).unwrap_or(0);
            budget.spend(s.get(row).len().checked_mul(times))?;
            (0..times).for_each(|_| out.push_str(s.get(row)));
            Ok(())
        })
    }))
}

fn space(call: &Call<'_>) -> Result<Resolved> {
    call.want_integer(&[0])?;
    Ok(Resolved::new(Type::String, |cols, rows| {
        let counts = Longs::of(cols, 0)?;
        let mut budget = Budget::new();
        texts(cols, rows, |row, out| {
            let times = usize::try_from(counts.get(row)).unwrap_or(0);
            budget.spend(Some(times))?;
            out.extend(std::iter::repeat_n(' ', times));
            Ok(())
        })
    }))
}

fn pad(call: &Call<'_>, left: bool, by_chars: bool) -> Result<Resolved> {
    call.want_text(&[0, 2])?;
    call.want_integer(&[1])?;
    let filler = call.optional_text(2)?.unwrap_or(" ").to_owned();
    let filler = if filler.is_empty() {
        " ".to_owned()
    } else {
        filler
    };
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let (s, widths) = (Texts::of(cols, 0)?, Longs::of(cols, 1)?);
        let mut budget = Budget::new();
        texts(cols, rows, |row, out| {
            let text = s.get(row);
            let width = usize::try_from(widths.get(row)).unwrap_or(0);
            budget.spend(width.checked_mul(if by_chars { 4 } else { 1 }))?;
            padded(text, width, &filler, (left, by_chars), out);
            Ok(())
        })
    }))
}

fn padded(
    text: &str,
    width: usize,
    filler: &str,
    (left, by_chars): (bool, bool),
    out: &mut String,
) {
    let size = if by_chars {
        text.chars().count()
    } else {
        text.len()
    };
    if size >= width {
        if by_chars {
            out.extend(text.chars().take(width));
        } else {
            out.push_str(&String::from_utf8_lossy(
                text.as_bytes().get(..width).unwrap_or_default(),
            ));
        }
        return;
    }
    let missing = width - size;
    let fill = |out: &mut String| {
        if by_chars || filler.is_ascii() {
            out.extend(filler.chars().cycle().take(missing));
        } else {
            let bytes: Vec<u8> = filler.bytes().cycle().take(missing).collect();
            out.push_str(&String::from_utf8_lossy(&bytes));
        }
    };
    if left {
        fill(out);
        out.push_str(text);
    } else {
        out.push_str(text);
        fill(out);
    }
}
