//! Calendar arithmetic on days since 1970, proleptic Gregorian. No zones here.

pub(crate) const DAY_S: i64 = 86_400;

/// Year, month (1–12), day (1–31).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
}

impl Civil {
    /// The date of a day number.
    pub(crate) fn of(days: i64) -> Self {
        // Days are counted from 0000-03-01, so that a leap day ends its year.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self { year, month, day }
    }

    /// The day number of a date.
    pub(crate) fn days(self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let shifted_month = if self.month > 2 {
            self.month - 3
        } else {
            self.month + 9
        };
        let day_of_year = (153 * shifted_month + 2) / 5 + self.day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    /// Whether the date exists.
    pub(crate) fn is_valid(self) -> bool {
        (1..=12).contains(&self.month)
            && self.day >= 1
            && self.day <= days_of_month(self.year, self.month)
    }

    /// The same day `months` later, or the last day of that month.
    pub(crate) fn add_months(self, months: i64) -> Self {
        let all = self
            .year
            .saturating_mul(12)
            .saturating_add(self.month - 1)
            .saturating_add(months);
        let (year, month) = (all.div_euclid(12), all.rem_euclid(12) + 1);
        Self {
            year,
            month,
            day: self.day.min(days_of_month(year, month)),
        }
    }

    /// Day of the year, from 1.
    pub(crate) fn day_of_year(self) -> i64 {
        self.days()
            - Self {
                year: self.year,
                month: 1,
                day: 1,
            }
            .days()
            + 1
    }
}

pub(crate) fn days_of_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Monday = 1 … Sunday = 7.
pub(crate) fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}

/// The Monday of the week.
pub(crate) fn monday(days: i64) -> i64 {
    days - (weekday(days) - 1)
}

/// ISO year and week.
pub(crate) fn iso_week(days: i64) -> (i64, i64) {
    // The Thursday of a week lies in the week's year.
    let thursday = monday(days) + 3;
    let year = Civil::of(thursday).year;
    let first = Civil {
        year,
        month: 1,
        day: 1,
    }
    .days();
    (year, (thursday - first) / 7 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_day_numbers_are_inverse() {
        for days in (-800_000..800_000).step_by(37) {
            let civil = Civil::of(days);
            assert!(civil.is_valid(), "{civil:?}");
            assert_eq!(civil.days(), days);
        }
        assert_eq!(
            Civil::of(19_782),
            Civil {
                year: 2024,
                month: 2,
                day: 29
            }
        );
    }

    #[test]
    fn weeks_begin_on_monday() {
        assert_eq!(weekday(0), 4);
        assert_eq!(monday(0), -3);
        assert_eq!(
            iso_week(
                Civil {
                    year: 2021,
                    month: 1,
                    day: 3
                }
                .days()
            ),
            (2020, 53)
        );
        assert_eq!(
            iso_week(
                Civil {
                    year: 2024,
                    month: 12,
                    day: 30
                }
                .days()
            ),
            (2025, 1)
        );
    }

    #[test]
    fn months_end_where_they_end() {
        let january = Civil {
            year: 2024,
            month: 1,
            day: 31,
        };
        assert_eq!(january.add_months(1).day, 29);
        assert_eq!(
            january.add_months(-2),
            Civil {
                year: 2023,
                month: 11,
                day: 30
            }
        );
    }
}
