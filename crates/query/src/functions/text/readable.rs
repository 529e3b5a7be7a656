//! Numbers for people.

use std::fmt::Write;

use crate::error::Result;
use crate::functions::kernel::Resolved;
use crate::functions::rows::{Doubles, texts};
use crate::functions::signature::{Call, Entry, strict};
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    strict("formatReadableSize", (1, 1), |call| {
        readable(call, readable_size)
    }),
    strict("formatReadableQuantity", (1, 1), |call| {
        readable(call, readable_quantity)
    }),
    strict("formatReadableTimeDelta", (1, 1), |call| {
        readable(call, readable_delta)
    }),
];

fn readable(call: &Call<'_>, print: fn(f64, &mut String)) -> Result<Resolved> {
    call.want_number(&[0])?;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let values = Doubles::of(cols, 0)?;
        texts(cols, rows, |row, out| {
            print(values.get(row), out);
            Ok(())
        })
    }))
}

fn scaled(value: f64, base: f64, units: &[&str], out: &mut String) {
    let mut value = value;
    let mut at = 0;
    while value.abs() >= base && at + 1 < units.len() {
        value /= base;
        at += 1;
    }
    let unit = units.get(at).copied().unwrap_or("");
    let written = write!(out, "{value:.2}{unit}");
    debug_assert!(written.is_ok());
}

fn readable_size(value: f64, out: &mut String) {
    scaled(
        value,
        1024.0,
        &[
            " B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB", " ZiB", " YiB",
        ],
        out,
    );
}

fn readable_quantity(value: f64, out: &mut String) {
    let units = [
        "",
        " thousand",
        " million",
        " billion",
        " trillion",
        " quadrillion",
        " quintillion",
    ];
    scaled(value, 1000.0, &units, out);
}

fn readable_delta(value: f64, out: &mut String) {
    const UNITS: [(f64, &str); 6] = [
        (31_556_952.0, "year"),
        (2_629_746.0, "month"),
        (86_400.0, "day"),
        (3_600.0, "hour"),
        (60.0, "minute"),
        (1.0, "second"),
    ];
    if value < 0.0 {
        out.push_str("- ");
    }
    let mut rest = value.abs().trunc();
    let mut parts = Vec::new();
    for (seconds, name) in UNITS {
        let count = (rest / seconds).floor();
        rest -= count * seconds;
        if count > 0.0 {
            let plural = if (count - 1.0).abs() < f64::EPSILON {
                ""
            } else {
                "s"
            };
            parts.push(format!("{count} {name}{plural}"));
        }
    }
    match parts.split_last() {
        None => out.push_str("0 seconds"),
        Some((last, [])) => out.push_str(last),
        Some((last, first)) => {
            out.push_str(&first.join(", "));
            out.push_str(" and ");
            out.push_str(last);
        }
    }
}
