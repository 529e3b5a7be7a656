//! Text of dates and times, in a zone, without allocating. UTC is the fast path; other zones look
//! the offset up once per quarter of an hour.

use std::cell::Cell;

use chrono::Offset;
use chrono::TimeZone as _;
use chrono_tz::Tz;

use super::settings::TimeFormat;

const SECONDS_PER_DAY: i64 = 86_400;
/// No zone has changed its offset between quarters of an hour since this second (1973-01-01).
const QUARTERS_SINCE: i64 = 94_694_400;
const QUARTER: i64 = 900;

/// Two decimal digits of every number below 100.
const fn digit_pairs() -> [[u8; 2]; 100] {
    let mut pairs = [[b'0'; 2]; 100];
    let mut at = 0;
    while at < 100 {
        pairs[at] = [DIGITS[at / 10], DIGITS[at % 10]];
        at += 1;
    }
    pairs
}

const DIGITS: &[u8; 10] = b"0123456789";
static PAIRS: [[u8; 2]; 100] = digit_pairs();

fn pair(value: i64) -> [u8; 2] {
    usize::try_from(value)
        .ok()
        .and_then(|at| PAIRS.get(at))
        .copied()
        .unwrap_or(*b"00")
}

/// A zone with the offset it had last.
#[derive(Debug)]
pub(super) struct Zone {
    zone: Option<Tz>,
    quarter: Cell<i64>,
    offset: Cell<i64>,
}

impl Zone {
    pub(super) fn new(zone: Tz) -> Self {
        let is_utc = matches!(zone, Tz::UTC | Tz::Etc__UTC | Tz::Etc__GMT | Tz::GMT);
        Self {
            zone: (!is_utc).then_some(zone),
            quarter: Cell::new(i64::MIN),
            offset: Cell::new(0),
        }
    }

    /// Seconds to add to UTC at that moment.
    fn offset_at(&self, seconds: i64) -> i64 {
        let Some(zone) = self.zone else { return 0 };
        let quarter = seconds.div_euclid(QUARTER);
        if seconds >= QUARTERS_SINCE && self.quarter.get() == quarter {
            return self.offset.get();
        }
        let Some(utc) = chrono::DateTime::from_timestamp(seconds, 0) else {
            return 0;
        };
        let offset = zone
            .offset_from_utc_datetime(&utc.naive_utc())
            .fix()
            .local_minus_utc();
        self.quarter.set(quarter);
        self.offset.set(i64::from(offset));
        i64::from(offset)
    }
}

/// Year, month and day of a number of days since 1970-01-01, for any day a column can hold.
fn civil(days: i64) -> (i64, i64, i64) {
    // Eras of 400 years that begin on 1 March, so that the leap day is the last of its year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn date_bytes(days: i64) -> [u8; 10] {
    let (year, month, day) = civil(days);
    let year = year.clamp(0, 9999);
    let ([a, b], [c, d]) = (pair(year / 100), pair(year % 100));
    let ([e, f], [g, h]) = (pair(month), pair(day));
    [a, b, c, d, b'-', e, f, b'-', g, h]
}

/// `2024-02-29`
pub(super) fn push_date(days: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&date_bytes(days));
}

/// A moment in whole seconds since 1970.
pub(super) fn push_date_time(seconds: i64, zone: &Zone, format: TimeFormat, out: &mut Vec<u8>) {
    match format {
        TimeFormat::Simple => push_clock(seconds + zone.offset_at(seconds), b' ', out),
        TimeFormat::Iso => {
            push_clock(seconds, b'T', out);
            out.push(b'Z');
        }
        TimeFormat::UnixTimestamp => super::number::push_integer(seconds, out),
    }
}

/// A moment in ticks of 10^-precision seconds since 1970.
pub(super) fn push_date_time64(
    ticks: i64,
    precision: u8,
    zone: &Zone,
    format: TimeFormat,
    out: &mut Vec<u8>,
) {
    let per_second = 10_i64.pow(u32::from(precision.min(9)));
    let (seconds, fraction) = (ticks.div_euclid(per_second), ticks.rem_euclid(per_second));
    match format {
        TimeFormat::Simple => {
            push_clock(seconds + zone.offset_at(seconds), b' ', out);
            push_fraction(fraction, precision, out);
        }
        TimeFormat::Iso => {
            push_clock(seconds, b'T', out);
            push_fraction(fraction, precision, out);
            out.push(b'Z');
        }
        TimeFormat::UnixTimestamp => {
            if ticks < 0 && ticks > -per_second {
                out.push(b'-');
            }
            super::number::push_integer(ticks / per_second, out);
            push_fraction((ticks % per_second).abs(), precision, out);
        }
    }
}

fn push_clock(local_seconds: i64, between: u8, out: &mut Vec<u8>) {
    let days = local_seconds.div_euclid(SECONDS_PER_DAY);
    let second = local_seconds.rem_euclid(SECONDS_PER_DAY);
    out.extend_from_slice(&date_bytes(days));
    let ([a, b], [c, d], [e, f]) = (
        pair(second / 3600),
        pair(second / 60 % 60),
        pair(second % 60),
    );
    out.extend_from_slice(&[between, a, b, b':', c, d, b':', e, f]);
}

fn push_fraction(fraction: i64, precision: u8, out: &mut Vec<u8>) {
    if precision == 0 {
        return;
    }
    let mut digits = [b'0'; 9];
    let width = usize::from(precision.min(9));
    let mut rest = fraction;
    for place in digits[..width].iter_mut().rev() {
        *place = pair(rest % 10)[1];
        rest /= 10;
    }
    out.push(b'.');
    out.extend_from_slice(&digits[..width]);
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
    fn dates_reach_from_1900_to_2299() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (19_782, "2024-02-29"),
            (-16_436, "1925-01-01"),
            (-25_567, "1900-01-01"),
            (120_529, "2299-12-31"),
            (11_016, "2000-02-29"),
        ] {
            assert_eq!(text(|out| push_date(days, out)), expected);
        }
    }

    #[test]
    fn every_day_of_four_centuries_agrees_with_the_calendar() {
        for days in -25_567..120_530 {
            let date =
                chrono::NaiveDate::from_ymd_opt(1970, 1, 1).unwrap() + chrono::Duration::days(days);
            assert_eq!(text(|out| push_date(days, out)), date.to_string());
        }
    }

    #[test]
    fn times_are_shown_in_their_zone() {
        for (zone, seconds, expected) in [
            (Tz::UTC, 1_709_168_523, "2024-02-29 01:02:03"),
            (Tz::America__New_York, 1_709_168_523, "2024-02-28 20:02:03"),
            (Tz::Asia__Kolkata, 0, "1970-01-01 05:30:00"),
            // One second before and at the change to summer time.
            (Tz::Europe__Berlin, 1_711_846_799, "2024-03-31 01:59:59"),
            (Tz::Europe__Berlin, 1_711_846_800, "2024-03-31 03:00:00"),
        ] {
            let zone = Zone::new(zone);
            let shown = text(|out| push_date_time(seconds, &zone, TimeFormat::Simple, out));
            assert_eq!(shown, expected);
        }
    }

    #[test]
    fn the_remembered_offset_does_not_leak_over_a_change() {
        let zone = Zone::new(Tz::Europe__Berlin);
        let shown: Vec<String> = [1_711_846_799, 1_711_846_800, 1_711_846_799]
            .into_iter()
            .map(|seconds| text(|out| push_date_time(seconds, &zone, TimeFormat::Simple, out)))
            .collect();
        assert_eq!(
            shown,
            [
                "2024-03-31 01:59:59",
                "2024-03-31 03:00:00",
                "2024-03-31 01:59:59"
            ]
        );
    }

    #[test]
    fn fractions_have_as_many_digits_as_the_type() {
        let utc = Zone::new(Tz::UTC);
        for (ticks, precision, format, expected) in [
            (
                1_709_168_523_400,
                3,
                TimeFormat::Simple,
                "2024-02-29 01:02:03.400",
            ),
            (1_709_168_523, 0, TimeFormat::Simple, "2024-02-29 01:02:03"),
            (
                -315_619_199_500,
                3,
                TimeFormat::Simple,
                "1960-01-01 00:00:00.500",
            ),
            (
                1_704_164_645_678,
                3,
                TimeFormat::Iso,
                "2024-01-02T03:04:05.678Z",
            ),
            (
                1_704_164_645_678,
                3,
                TimeFormat::UnixTimestamp,
                "1704164645.678",
            ),
            (-500, 3, TimeFormat::UnixTimestamp, "-0.500"),
        ] {
            let shown = text(|out| push_date_time64(ticks, precision, &utc, format, out));
            assert_eq!(shown, expected);
        }
        let kolkata = Zone::new(Tz::Asia__Kolkata);
        assert_eq!(
            text(|out| push_date_time64(
                1_709_148_723_123_456_789,
                9,
                &kolkata,
                TimeFormat::Simple,
                out
            )),
            "2024-02-29 01:02:03.123456789"
        );
    }
}
