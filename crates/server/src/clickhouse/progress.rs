//! What a response's head says about the query: the summary, and progress while the client waits
//! for the head.

use std::time::Duration;

use cairn_query::Progress;
use parking_lot::Mutex;

use super::limits::MAX_PROGRESS_HEADERS;

/// The value of `X-ClickHouse-Summary`.
pub(super) fn summary(progress: &Progress, elapsed: Duration) -> String {
    format!(
        "{{\"read_rows\":\"{}\",\"read_bytes\":\"{}\",\"written_rows\":\"{}\",\
         \"written_bytes\":\"{}\",\"total_rows_to_read\":\"{}\",\"result_rows\":\"{}\",\
         \"result_bytes\":\"{}\",\"elapsed_ns\":\"{}\",\"memory_usage\":\"{}\"}}",
        progress.read_rows(),
        progress.read_bytes(),
        progress.written_rows(),
        progress.written_bytes(),
        progress.total_rows_to_read(),
        progress.result_rows(),
        progress.result_bytes(),
        elapsed.as_nanos(),
        progress.memory_bytes(),
    )
}

/// One value of `X-ClickHouse-Progress`: like the summary, without zeros.
fn line(progress: &Progress, elapsed: Duration) -> String {
    let elapsed = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
    let figures = [
        ("read_rows", progress.read_rows()),
        ("read_bytes", progress.read_bytes()),
        ("written_rows", progress.written_rows()),
        ("written_bytes", progress.written_bytes()),
        ("total_rows_to_read", progress.total_rows_to_read()),
        ("result_rows", progress.result_rows()),
        ("result_bytes", progress.result_bytes()),
        ("elapsed_ns", elapsed),
        ("memory_usage", progress.memory_bytes()),
    ];
    let parts: Vec<String> = figures
        .into_iter()
        .filter(|(_, value)| *value > 0)
        .map(|(name, value)| format!("\"{name}\":\"{value}\""))
        .collect();
    format!("{{{}}}", parts.join(","))
}

/// Progress noted while there is no head yet. HTTP heads leave in one piece here, so the notes come
/// with it.
#[derive(Debug, Default)]
pub(super) struct ProgressNotes(Mutex<Vec<String>>);

impl ProgressNotes {
    /// Notes the progress every `interval`; never ends.
    pub(super) async fn keep(&self, progress: &Progress, interval: Duration) {
        let began = tokio::time::Instant::now();
        loop {
            tokio::time::sleep(interval).await;
            self.note(progress, began.elapsed());
        }
    }

    fn note(&self, progress: &Progress, elapsed: Duration) {
        let mut notes = self.0.lock();
        if notes.len() < MAX_PROGRESS_HEADERS {
            notes.push(line(progress, elapsed));
        }
    }

    /// What was noted so far.
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_has_every_figure_as_a_string() {
        assert_eq!(
            summary(&Progress::default(), Duration::from_nanos(7)),
            "{\"read_rows\":\"0\",\"read_bytes\":\"0\",\"written_rows\":\"0\",\"written_bytes\":\"0\",\
             \"total_rows_to_read\":\"0\",\"result_rows\":\"0\",\"result_bytes\":\"0\",\
             \"elapsed_ns\":\"7\",\"memory_usage\":\"0\"}"
        );
    }

    #[test]
    fn notes_leave_zeros_out_and_are_bounded() {
        let notes = ProgressNotes::default();
        let progress = Progress::default();
        progress.add_written(3, 0);
        for _ in 0..MAX_PROGRESS_HEADERS + 1 {
            notes.note(&progress, Duration::from_nanos(7));
        }
        let taken = notes.take();
        assert_eq!(taken.len(), MAX_PROGRESS_HEADERS);
        assert_eq!(taken[0], "{\"written_rows\":\"3\",\"elapsed_ns\":\"7\"}");
        assert!(notes.take().is_empty());
    }
}
