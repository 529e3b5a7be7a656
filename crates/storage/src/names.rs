//! Every file and directory name of a data directory: written here, parsed here, nowhere else.
//!
//! Names are made of numbers and ids that we made ourselves; text that is not exactly such a name parses to `None`.

use std::path::{Path, PathBuf};

use crate::ids::{SegmentId, TableId, Version};

/// The directories and files of one data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataDir {
    root: PathBuf,
}

/// What a name in the manifest directory stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ManifestFile {
    /// One change.
    Edit(Version),
    /// The whole state.
    Checkpoint(Version),
}

/// A WAL file: its place in the order of files, and the random id that salts its checksums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WalFileName {
    /// Counts up for the life of the data directory.
    pub(crate) number: u64,
    /// Random.
    pub(crate) id: u128,
}

impl DataDir {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn lock_file(&self) -> PathBuf {
        self.root.join("LOCK")
    }

    /// Says that the directory is a copy, which the next copy may replace.
    pub(crate) fn copy_marker(&self) -> PathBuf {
        self.root.join("BACKUP")
    }

    pub(crate) fn ballast_file(&self) -> PathBuf {
        self.root.join("ballast")
    }

    pub(crate) fn wal_dir(&self) -> PathBuf {
        self.root.join("wal")
    }

    pub(crate) fn manifest_dir(&self) -> PathBuf {
        self.root.join("manifest")
    }

    pub(crate) fn segments_dir(&self) -> PathBuf {
        self.root.join("data")
    }

    pub(crate) fn tmp_dir(&self) -> PathBuf {
        self.root.join("tmp")
    }

    pub(crate) fn quarantine_dir(&self) -> PathBuf {
        self.root.join("quarantine")
    }

    pub(crate) fn wal_file(&self, name: WalFileName) -> PathBuf {
        self.wal_dir().join(name.print())
    }

    pub(crate) fn manifest_file(&self, file: ManifestFile) -> PathBuf {
        self.manifest_dir().join(file.print())
    }

    /// Directory of the segments of one UTC day.
    pub(crate) fn day_dir(&self, day: i64) -> PathBuf {
        self.segments_dir().join(print_day(day))
    }

    pub(crate) fn segment_file(&self, table: TableId, day: i64, id: SegmentId) -> PathBuf {
        self.day_dir(day).join(print_segment(table, id))
    }

    /// A temporary file that nobody else will ever pick.
    pub(crate) fn new_tmp_file(&self) -> PathBuf {
        self.tmp_dir()
            .join(uuid::Uuid::new_v4().simple().to_string())
    }
}

impl ManifestFile {
    pub(crate) fn version(self) -> Version {
        match self {
            Self::Edit(version) | Self::Checkpoint(version) => version,
        }
    }

    pub(crate) fn print(self) -> String {
        match self {
            Self::Edit(version) => format!("{:020}", version.0),
            Self::Checkpoint(version) => format!("{:020}.checkpoint", version.0),
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name.strip_suffix(".checkpoint") {
            Some(number) => parse_number(number).map(|n| Self::Checkpoint(Version(n))),
            None => parse_number(name).map(|n| Self::Edit(Version(n))),
        }
    }
}

impl WalFileName {
    pub(crate) fn print(self) -> String {
        format!("{:020}-{:032x}.wal", self.number, self.id)
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (number, id) = name.strip_suffix(".wal")?.split_once('-')?;
        // A WAL file's id has the same text form as a segment's.
        id.parse::<SegmentId>().ok()?;
        Some(Self {
            number: parse_number(number)?,
            id: u128::from_str_radix(id, 16).ok()?,
        })
    }
}

fn parse_number(text: &str) -> Option<u64> {
    let digits = text.len() == 20 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// File name of a segment inside its day's directory.
fn print_segment(table: TableId, id: SegmentId) -> String {
    format!("{table}-{id}.parquet")
}

/// Table and id of a segment's file name.
pub(crate) fn parse_segment(name: &str) -> Option<(TableId, SegmentId)> {
    let (table, id) = name.strip_suffix(".parquet")?.rsplit_once('-')?;
    let table = TableId::ALL.into_iter().find(|t| t.name() == table)?;
    Some((table, id.parse().ok()?))
}

/// `YYYY-MM-DD` of a day counted from 1970-01-01 (proleptic Gregorian calendar).
fn print_day(day: i64) -> String {
    // Civil-from-days: years start on 1 March, so that the leap day is the last of its year.
    let shifted = day.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 {
        month_index + 3
    } else {
        month_index - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day_of_month:02}")
}

/// Whether `name` looks like the directory of a day.
pub(crate) fn is_day_dir(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back_and_foreign_names_do_not() {
        let wal = WalFileName {
            number: 7,
            id: 0xdead_beef,
        };
        assert_eq!(WalFileName::parse(&wal.print()), Some(wal));
        for file in [
            ManifestFile::Edit(Version(12)),
            ManifestFile::Checkpoint(Version(u64::MAX)),
        ] {
            assert_eq!(ManifestFile::parse(&file.print()), Some(file));
        }
        let id = SegmentId::generate();
        for table in TableId::ALL {
            assert_eq!(parse_segment(&print_segment(table, id)), Some((table, id)));
        }
        for foreign in [
            "",
            ".nfs0001",
            "12",
            "../x",
            "+0000000000000000001",
            "x.parquet",
            "é.wal",
        ] {
            assert_eq!(WalFileName::parse(foreign), None);
            assert_eq!(ManifestFile::parse(foreign), None);
            assert_eq!(parse_segment(foreign), None);
        }
    }

    #[test]
    fn days_print_as_calendar_dates() {
        for (day, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_779, "2026-11-22"),
            (106_751, "2262-04-11"),
        ] {
            assert_eq!(print_day(day), text);
            assert!(is_day_dir(text));
        }
        assert!(!is_day_dir("1970-1-001"));
        assert!(!is_day_dir("tmp"));
    }
}
