//! The settings that change how values are printed, read once per answer.

use std::sync::Arc;

use cairn_query::Progress;
use chrono_tz::Tz;

/// Which switches of the output formats are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Switches(u32);

/// One switch. The names of the settings stand in [`SWITCHES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Switch {
    /// 64-bit integers as JSON strings.
    QuoteIntegers,
    /// 64-bit floats as JSON strings.
    QuoteFloats,
    /// Decimals as JSON strings.
    QuoteDecimals,
    /// nan and inf as JSON strings instead of null.
    QuoteDenormals,
    /// `/` as `\/` in JSON strings.
    EscapeSlashes,
    /// JSONEachRow as one array.
    ArrayOfRows,
    /// Named tuples as JSON objects.
    TuplesAsObjects,
    /// `statistics` at the end of JSON.
    Statistics,
    /// `1.50` instead of `1.5`.
    TrailingZeros,
    /// Tuples as several CSV columns.
    SplitTuples,
    /// An error after the first byte is told inside the format.
    ExceptionInFormat,
}

/// Setting, switch, default.
const SWITCHES: [(&str, Switch, bool); 11] = [
    (
        "output_format_json_quote_64bit_integers",
        Switch::QuoteIntegers,
        false,
    ),
    (
        "output_format_json_quote_64bit_floats",
        Switch::QuoteFloats,
        false,
    ),
    (
        "output_format_json_quote_decimals",
        Switch::QuoteDecimals,
        false,
    ),
    (
        "output_format_json_quote_denormals",
        Switch::QuoteDenormals,
        false,
    ),
    (
        "output_format_json_escape_forward_slashes",
        Switch::EscapeSlashes,
        true,
    ),
    (
        "output_format_json_array_of_rows",
        Switch::ArrayOfRows,
        false,
    ),
    (
        "output_format_json_named_tuples_as_objects",
        Switch::TuplesAsObjects,
        true,
    ),
    ("output_format_write_statistics", Switch::Statistics, true),
    (
        "output_format_decimal_trailing_zeros",
        Switch::TrailingZeros,
        false,
    ),
    (
        "output_format_csv_serialize_tuple_into_separate_columns",
        Switch::SplitTuples,
        true,
    ),
    (
        "http_write_exception_in_output_format",
        Switch::ExceptionInFormat,
        false,
    ),
];

impl Switches {
    /// Whether the switch is on.
    pub(crate) fn has(self, switch: Switch) -> bool {
        self.0 & (1 << (switch as u32)) != 0
    }

    fn set(&mut self, switch: Switch, on: bool) {
        let bit = 1 << (switch as u32);
        if on {
            self.0 |= bit;
        } else {
            self.0 &= !bit;
        }
    }
}

/// How times are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeFormat {
    /// `2024-02-29 01:02:03` in the column's zone.
    Simple,
    /// `2024-02-29T01:02:03Z`, always UTC.
    Iso,
    /// Seconds since 1970.
    UnixTimestamp,
}

/// Everything a format writer needs to know besides columns and rows.
#[derive(Debug, Clone)]
pub(crate) struct FormatSettings {
    /// On and off.
    pub switches: Switches,
    /// How times are printed.
    pub time_format: TimeFormat,
    /// Zone of times whose type names none.
    pub timezone: Tz,
    /// Between CSV fields.
    pub csv_delimiter: u8,
    /// Layout of Native blocks.
    pub protocol_version: u64,
    /// For formats that show it.
    pub progress: Arc<Progress>,
}

impl FormatSettings {
    /// The defaults, with times in `timezone`.
    pub(crate) fn new(timezone: Tz) -> Self {
        let mut switches = Switches(0);
        for (_, switch, on) in SWITCHES {
            switches.set(switch, on);
        }
        Self {
            switches,
            time_format: TimeFormat::Simple,
            timezone,
            csv_delimiter: b',',
            protocol_version: 0,
            progress: Arc::default(),
        }
    }

    /// Applies one setting; others than ours are ignored. The error is the text of a bad value.
    pub(crate) fn apply(&mut self, name: &str, value: &str) -> Result<(), String> {
        if let Some((_, switch, _)) = SWITCHES.iter().find(|(known, _, _)| *known == name) {
            let on = match value {
                "1" | "true" | "True" | "TRUE" => true,
                "0" | "false" | "False" | "FALSE" => false,
                other => return Err(other.to_owned()),
            };
            self.switches.set(*switch, on);
            return Ok(());
        }
        match name {
            "date_time_output_format" => {
                self.time_format = match value {
                    "simple" => TimeFormat::Simple,
                    "iso" => TimeFormat::Iso,
                    "unix_timestamp" => TimeFormat::UnixTimestamp,
                    other => return Err(other.to_owned()),
                };
            }
            "format_csv_delimiter" => match value.as_bytes() {
                [delimiter] => self.csv_delimiter = *delimiter,
                _ => return Err(value.to_owned()),
            },
            "session_timezone" if !value.is_empty() => {
                self.timezone = value.parse().map_err(|_| value.to_owned())?;
            }
            _ => {}
        }
        Ok(())
    }
}
