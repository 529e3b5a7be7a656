//! What the demo prints: a title, questions with aligned answers, and lines to copy.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use super::Demo;
use super::traffic::Sent;

/// Wider cells are cut, so that a row stays a line.
const CELL_CHARS: usize = 70;

/// Standard output, with colours when somebody watches.
#[derive(Debug)]
pub(super) struct Screen {
    colours: bool,
}

#[derive(Debug, Clone, Copy)]
enum Style {
    Bold,
    Dim,
    Accent,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self {
            colours: io::stdout().is_terminal(),
        }
    }

    pub(super) fn title(&self, demo: &Demo) -> io::Result<()> {
        let name = self.styled(Style::Bold, "Cairn demo");
        let fate = if demo.keeps_data {
            "kept"
        } else {
            "removed at the end"
        };
        let data = format!("data in {} ({fate})", demo.data_dir.display());
        print(&format!(
            "\n{name}  a made-up shop sends logs and traces, Cairn keeps them and answers SQL\n{}\n",
            self.styled(Style::Dim, &data)
        ))
    }

    pub(super) fn stored(&self, sent: Sent, took: Duration) -> io::Result<()> {
        print(&format!(
            "\nThe last hour is in: {} log lines and {} spans over OTLP/HTTP, durable after {:.1} s.\n",
            sent.lines,
            sent.spans,
            took.as_secs_f64()
        ))
    }

    pub(super) fn answer(
        &self,
        words: &str,
        sql: &str,
        tsv: &str,
        took: Duration,
    ) -> io::Result<()> {
        let rows: Vec<Vec<String>> = tsv
            .lines()
            .map(|line| line.split('\t').map(cell).collect())
            .collect();
        let count = rows.len().saturating_sub(1);
        let mut text = self.question(words, sql);
        for (index, line) in aligned(&rows).iter().enumerate() {
            let line = if index == 0 {
                self.styled(Style::Bold, line)
            } else {
                line.clone()
            };
            text.push_str("  ");
            text.push_str(line.trim_end());
            text.push('\n');
        }
        let note = format!("  {count} rows in {} ms", took.as_millis());
        text.push_str(&self.styled(Style::Dim, &note));
        text.push('\n');
        print(&text)
    }

    pub(super) fn failure(&self, words: &str, sql: &str, answer: &str) -> io::Result<()> {
        print(&format!(
            "{}  {}\n",
            self.question(words, sql),
            answer.trim_end()
        ))
    }

    pub(super) fn invitation(&self, demo: &Demo) -> io::Result<()> {
        let Demo {
            clickhouse,
            otlp_http,
            otlp_grpc,
            ops,
            ..
        } = demo;
        let head = self.styled(Style::Bold, "Your turn");
        let next = if demo.once {
            String::new()
        } else {
            "\nThe shop stays open; a few visits arrive every second. Ctrl-C closes it.\n"
                .to_owned()
        };
        print(&format!(
            "\n{head}\n  \
             curl 'http://{clickhouse}/' -d 'SELECT count() FROM otel_traces'\n  \
             curl 'http://{clickhouse}/' -d 'SELECT Timestamp, Body FROM otel_logs ORDER BY Timestamp DESC LIMIT 5'\n  \
             curl 'http://{otlp_http}/v1/logs' -H 'Content-Type: application/json' \\\n       \
             -d '{{\"resourceLogs\":[{{\"scopeLogs\":[{{\"logRecords\":[{{\"body\":{{\"stringValue\":\"hello\"}}}}]}}]}}]}}'\n\n  \
             OTLP/HTTP http://{otlp_http} · OTLP/gRPC http://{otlp_grpc} · metrics http://{ops}/metrics\n{next}"
        ))
    }

    fn question(&self, words: &str, sql: &str) -> String {
        let mut text = format!("\n{}\n", self.styled(Style::Accent, words));
        for line in sql.lines() {
            text.push_str(&self.styled(Style::Dim, &format!("  {line}")));
            text.push('\n');
        }
        text.push('\n');
        text
    }

    fn styled(&self, style: Style, text: &str) -> String {
        if !self.colours {
            return text.to_owned();
        }
        let code = match style {
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Accent => "1;36",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn cell(text: &str) -> String {
    if text.chars().count() <= CELL_CHARS {
        return text.to_owned();
    }
    text.chars().take(CELL_CHARS - 1).chain(['…']).collect()
}

/// Columns as wide as their widest cell; numbers stand at the right.
fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let column = |index: usize| {
        rows.iter()
            .map(move |row| row.get(index).map_or("", String::as_str))
    };
    let widths: Vec<usize> = (0..columns)
        .map(|index| {
            column(index)
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let numeric: Vec<bool> = (0..columns)
        .map(|index| {
            column(index)
                .skip(1)
                .all(|cell| cell.parse::<f64>().is_ok())
        })
        .collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(widths.iter().zip(&numeric));
            let cells = cells.map(|(cell, (&width, &right))| {
                if right {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            });
            cells.collect::<Vec<_>>().join("  ")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stands_left_and_numbers_right() {
        let rows =
            [["name", "n"], ["a", "10"], ["long", "2"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(aligned(&rows), ["name   n", "a     10", "long   2"]);
    }

    #[test]
    fn long_cells_are_cut() {
        assert_eq!(cell(&"x".repeat(100)).chars().count(), CELL_CHARS);
        assert_eq!(cell("short"), "short");
    }
}
