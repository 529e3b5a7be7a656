//! Settings that take effect in the engine. Unknown ones are accepted and kept for whoever formats the answer.

use std::time::Duration;

use tokio::time::Instant;

use crate::answer::{Access, AnswerColumn, Ceiling, KillMode};
use crate::error::{ErrorCode, QueryError, Result};
use crate::scan::ReadLimits;

/// What a statement asks for besides its rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Effective {
    /// Columns of the answer; none for statements without rows.
    pub(super) columns: Vec<AnswerColumn>,
    /// `FORMAT x`
    pub(super) format: Option<String>,
    /// All settings in order, the statement's own last.
    pub(super) settings: Vec<(String, String)>,
    /// Whether the outermost SELECT has a LIMIT.
    pub(super) limited: bool,
    /// WITH FILL of the outermost SELECT.
    pub(super) fill: Option<crate::analyze::Fill>,
    /// Whether it reads stored tables.
    pub(super) reads_storage: bool,
    /// Bounds of its result.
    pub(super) limits: ResultLimits,
    /// Bounds of what its scans read.
    pub(super) read_limits: ReadLimits,
    /// `max_memory_usage`, 0 = only the pool's own bound.
    pub(super) memory_bytes: usize,
    /// `max_execution_time`
    pub(super) max_execution: Option<Duration>,
    /// What SET and USE change.
    pub(super) session: Vec<(String, String)>,
    /// KILL QUERY
    pub(super) kill: Option<KillMode>,
}

/// Bounds of a result, 0 = none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ResultLimits {
    /// `max_result_rows`
    pub(super) rows: u64,
    /// `max_result_bytes`
    pub(super) bytes: u64,
    /// `result_overflow_mode = 'break'`: end the result instead of failing.
    pub(super) stop_quietly: bool,
    /// `timeout_overflow_mode = 'break'`
    pub(super) time_out_quietly: bool,
}

impl Effective {
    /// Reads the settings that the engine honours.
    pub(super) fn new(settings: Vec<(String, String)>) -> Result<Self> {
        let limits = ResultLimits {
            rows: number(&settings, "max_result_rows")?,
            bytes: number(&settings, "max_result_bytes")?,
            stop_quietly: last(&settings, "result_overflow_mode") == Some("break"),
            time_out_quietly: last(&settings, "timeout_overflow_mode") == Some("break"),
        };
        let max_execution = match last(&settings, "max_execution_time") {
            Some(text) => seconds(text)?,
            None => None,
        };
        Ok(Self {
            read_limits: ReadLimits {
                rows: number(&settings, "max_rows_to_read")?,
                bytes: number(&settings, "max_bytes_to_read")?,
                stop_quietly: last(&settings, "read_overflow_mode") == Some("break"),
            },
            memory_bytes: usize::try_from(number(&settings, "max_memory_usage")?)
                .unwrap_or(usize::MAX),
            settings,
            limits,
            max_execution,
            ..Self::default()
        })
    }

    /// Takes no more than `ceiling`, whatever was asked for.
    pub(super) fn lower_to(&mut self, ceiling: Ceiling) {
        if let Some(rows) = ceiling.result_rows {
            self.limits.rows = lower(self.limits.rows, rows);
        }
        if let Some(bytes) = ceiling.memory_bytes {
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
            self.memory_bytes = lower(self.memory_bytes, bytes);
        }
        if let Some(execution) = ceiling.execution {
            let asked = self.max_execution.unwrap_or(execution);
            self.max_execution = Some(asked.min(execution));
        }
    }

    /// When the query must end: what it asks for, never later than the server's own bound.
    pub(super) fn deadline(&self, deadline: Instant, server: Duration) -> Instant {
        match self.max_execution {
            Some(asked) if asked < server => deadline - (server - asked),
            Some(_) | None => deadline,
        }
    }
}

/// Refuses changes of settings that `access` does not allow. `given` are the settings so far.
pub(super) fn check_changes(
    access: Access,
    given: &[(String, String)],
    changes: &[(String, String)],
) -> Result<()> {
    let refused = changes.iter().find(|(name, value)| match access {
        Access::Full => false,
        Access::ReadOnly => name == "readonly" && value != "2",
        Access::Frozen => last(given, name) != Some(value),
    });
    match refused {
        None => Ok(()),
        Some((name, _)) => Err(QueryError::new(
            ErrorCode::Readonly,
            format!("Cannot modify '{name}' setting in readonly mode"),
        )),
    }
}

/// The value of a setting: the last one given counts.
pub(super) fn last<'a>(settings: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = settings.iter().rev().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

/// The smaller of two bounds, of which 0 is none.
fn lower<T: Ord + Default>(asked: T, ceiling: T) -> T {
    if asked == T::default() {
        ceiling
    } else {
        asked.min(ceiling)
    }
}

fn number(settings: &[(String, String)], name: &str) -> Result<u64> {
    let Some(text) = last(settings, name) else {
        return Ok(0);
    };
    text.parse().map_err(|_| bad_value(name, text))
}

/// Seconds with a fraction; 0 asks for no bound.
fn seconds(text: &str) -> Result<Option<Duration>> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| bad_value("max_execution_time", text))?;
    if seconds == 0.0 {
        return Ok(None);
    }
    let duration = Duration::try_from_secs_f64(seconds);
    duration
        .map(Some)
        .map_err(|_| bad_value("max_execution_time", text))
}

fn bad_value(name: &str, text: &str) -> QueryError {
    let code = match text.is_empty() {
        true => ErrorCode::AttemptToReadAfterEof,
        false => ErrorCode::CannotParseInputAssertionFailed,
    };
    QueryError::new(
        code,
        format!("Cannot parse value `{text}` of setting `{name}`"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn the_last_value_counts_and_unknown_settings_are_kept() {
        let settings = given(&[
            ("max_result_rows", "5"),
            ("hyperdx_user", "x"),
            ("max_result_rows", "7"),
        ]);
        let effective = Effective::new(settings.clone()).unwrap();
        assert_eq!(effective.limits.rows, 7);
        assert_eq!(effective.settings, settings);
    }

    #[test]
    fn read_only_access_freezes_settings() {
        let given = given(&[("max_threads", "2")]);
        for (access, name, value, allowed) in [
            (Access::Full, "readonly", "0", true),
            (Access::ReadOnly, "readonly", "0", false),
            (Access::ReadOnly, "max_threads", "3", true),
            (Access::Frozen, "max_threads", "3", false),
            (Access::Frozen, "max_threads", "2", true),
        ] {
            let changes = [(name.to_owned(), value.to_owned())];
            let outcome = check_changes(access, &given, &changes);
            assert_eq!(outcome.is_ok(), allowed, "{access:?} {name}={value}");
        }
    }

    #[test]
    fn settings_lower_a_ceiling_and_never_raise_it() {
        let ceiling = Ceiling {
            execution: Some(Duration::from_secs(5)),
            memory_bytes: Some(1_000),
            result_rows: Some(10),
        };
        let lowered = |pairs: &[(&str, &str)]| {
            let mut effective = Effective::new(given(pairs)).unwrap();
            effective.lower_to(ceiling);
            let seconds = effective.max_execution.unwrap().as_secs();
            (seconds, effective.memory_bytes, effective.limits.rows)
        };
        assert_eq!(lowered(&[]), (5, 1_000, 10));
        let more = [
            ("max_execution_time", "60"),
            ("max_memory_usage", "5000"),
            ("max_result_rows", "0"),
        ];
        assert_eq!(lowered(&more), (5, 1_000, 10));
        let less = [
            ("max_execution_time", "1"),
            ("max_memory_usage", "500"),
            ("max_result_rows", "3"),
        ];
        assert_eq!(lowered(&less), (1, 500, 3));
        assert_eq!(lowered(&[("max_execution_time", "0")]), (5, 1_000, 10));
    }

    #[test]
    fn a_query_can_only_shorten_its_time() {
        let server = Duration::from_secs(60);
        let end = Instant::now() + server;
        let asked = |text| Effective::new(given(&[("max_execution_time", text)])).unwrap();
        assert_eq!(
            asked("0.5").deadline(end, server),
            end - Duration::from_millis(59_500)
        );
        assert_eq!(asked("600").deadline(end, server), end);
        assert_eq!(asked("0").deadline(end, server), end);
        assert!(Effective::new(given(&[("max_execution_time", "abc")])).is_err());
    }
}
