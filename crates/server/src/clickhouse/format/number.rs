//! Text of numbers as ClickHouse prints them.

/// Largest scale a decimal can have; the digits of an `i128` fit.
const MAX_DIGITS: usize = 39;

/// An integer in decimal.
pub(super) fn push_integer(value: impl itoa::Integer, out: &mut Vec<u8>) {
    let mut buffer = itoa::Buffer::new();
    out.extend_from_slice(buffer.format(value).as_bytes());
}

/// What to do with a value that has no shortest digits.
trait Special: ryu_js::Float {
    fn special(self) -> Option<&'static [u8]>;
}

macro_rules! special {
    ($float:ty) => {
        impl Special for $float {
            fn special(self) -> Option<&'static [u8]> {
                if self.is_nan() {
                    Some(b"nan")
                } else if self.is_infinite() {
                    Some(if self > 0.0 { b"inf" } else { b"-inf" })
                } else if self == 0.0 && self.is_sign_negative() {
                    Some(b"-0")
                } else {
                    None
                }
            }
        }
    };
}
special!(f32);
special!(f64);

fn push_float(value: impl Special, out: &mut Vec<u8>) {
    if let Some(text) = value.special() {
        out.extend_from_slice(text);
        return;
    }
    let mut buffer = ryu_js::Buffer::new();
    let text = buffer.format_finite(value);
    // ECMAScript writes `1e+21`, ClickHouse `1e21`; everything else is the same.
    match text.split_once('+') {
        None => out.extend_from_slice(text.as_bytes()),
        Some((mantissa, exponent)) => {
            out.extend_from_slice(mantissa.as_bytes());
            out.extend_from_slice(exponent.as_bytes());
        }
    }
}

/// The shortest digits that read back as the same `Float32`.
pub(super) fn push_float32(value: f32, out: &mut Vec<u8>) {
    push_float(value, out);
}

/// The shortest digits that read back as the same `Float64`.
pub(super) fn push_float64(value: f64, out: &mut Vec<u8>) {
    push_float(value, out);
}

/// A fixed-point number of `scale` digits after the point, without trailing zeros unless asked for.
pub(super) fn push_decimal(value: i128, scale: u8, trailing_zeros: bool, out: &mut Vec<u8>) {
    let scale = usize::from(scale);
    let mut buffer = itoa::Buffer::new();
    if value < 0 {
        out.push(b'-');
    }
    let digits = buffer.format(value.unsigned_abs()).as_bytes();
    let zeros = b"0".repeat((scale + 1).saturating_sub(digits.len()).min(MAX_DIGITS));
    let start = out.len();
    out.extend_from_slice(&zeros);
    out.extend_from_slice(digits);
    if scale == 0 {
        return;
    }
    let point = out.len() - scale.min(out.len() - start);
    out.insert(point, b'.');
    if trailing_zeros {
        return;
    }
    while out.last() == Some(&b'0') {
        out.pop();
    }
    if out.last() == Some(&b'.') {
        out.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn floats_are_shortest_and_plain_between_1e_minus_6_and_1e21() {
        for (value, expected) in [
            (0.1, "0.1"),
            (1.0, "1"),
            (1e21, "1e21"),
            (1e20, "100000000000000000000"),
            (1e-7, "1e-7"),
            (0.000_001, "0.000001"),
            (123_456_789.123, "123456789.123"),
            (1.0 / 3.0, "0.3333333333333333"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e308"),
            (-1.5e-9, "-1.5e-9"),
            (0.0, "0"),
            (-0.0, "-0"),
            (f64::NAN, "nan"),
            (-f64::NAN, "nan"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(text(|out| push_float64(value, out)), expected);
        }
        for (value, expected) in [(0.1_f32, "0.1"), (1e30, "1e30"), (-0.0, "-0")] {
            assert_eq!(text(|out| push_float32(value, out)), expected);
        }
    }

    #[test]
    fn decimals_lose_trailing_zeros_unless_the_setting_keeps_them() {
        for (value, scale, zeros, expected) in [
            (150, 2, false, "1.5"),
            (150, 2, true, "1.50"),
            (-123_456_789, 4, false, "-12345.6789"),
            (10_000_000_000, 10, false, "1"),
            (5, 3, false, "0.005"),
            (-5, 1, false, "-0.5"),
            (0, 2, false, "0"),
            (12, 0, false, "12"),
            (100, 0, false, "100"),
        ] {
            assert_eq!(text(|out| push_decimal(value, scale, zeros, out)), expected);
        }
    }
}
