//! Sizes and durations as people write them: `64MiB`, `2GiB`, `1500`; `5s`, `10m`, `250ms`.

use std::time::Duration;

const SIZE_UNITS: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

const DURATION_UNITS_MS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// Bytes; a number without a unit is bytes.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text);
    let factor = if unit.is_empty() {
        1
    } else {
        find(&SIZE_UNITS, unit).unwrap_or(0)
    };
    scaled(number, factor).ok_or_else(|| {
        "not a size; write a whole number with a unit, such as `64MiB` or `2GiB`".to_owned()
    })
}

/// A duration; a number without a unit is refused, because nobody agrees on what it would be.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    scaled(number, find(&DURATION_UNITS_MS, unit).unwrap_or(0))
        .map(Duration::from_millis)
        .ok_or_else(|| {
            "not a duration; write a whole number with a unit, such as `500ms`, `30s` or `5m`"
                .to_owned()
        })
}

/// Bytes with the largest unit that keeps the number whole: `128MiB`.
pub(crate) fn print_size(bytes: u64) -> String {
    let mut best = (bytes, "B");
    for (name, factor) in SIZE_UNITS.iter().take(4) {
        if bytes >= *factor && bytes.is_multiple_of(*factor) {
            best = (bytes / factor, name);
        }
    }
    format!("{}{}", best.0, best.1)
}

fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '_')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    (number, unit.trim())
}

fn find(units: &[(&str, u64)], unit: &str) -> Option<u64> {
    units
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit))
        .map(|(_, factor)| *factor)
}

/// `None` for a bad number, an unknown unit (factor 0) or an overflow.
fn scaled(number: &str, factor: u64) -> Option<u64> {
    if factor == 0 {
        return None;
    }
    number
        .replace('_', "")
        .parse::<u64>()
        .ok()?
        .checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_take_binary_and_decimal_units() {
        let cases = [
            ("0", 0),
            ("1500", 1_500),
            ("64MiB", 64 << 20),
            ("64 mib", 64 << 20),
            ("2GiB", 2 << 30),
            ("2GB", 2_000_000_000),
            ("1_024B", 1_024),
        ];
        for (text, bytes) in cases {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for bad in ["", "GiB", "1.5GiB", "-1", "2GX", "99999999999TiB"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("5m"), Ok(Duration::from_secs(300)));
        for bad in ["5", "", "s", "1w", "1.5s"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_print_with_their_largest_whole_unit() {
        assert_eq!(print_size(64 << 20), "64MiB");
        assert_eq!(print_size(1_500), "1500B");
        assert_eq!(print_size(0), "0B");
        assert_eq!(print_size(2 << 30), "2GiB");
    }
}
