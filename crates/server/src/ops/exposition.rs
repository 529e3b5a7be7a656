//! Prometheus text, version 0.0.4: a writer for counters, gauges and histograms with labels.

use std::fmt::{Display, Write};

use cairn_query::FigureFact;

/// The page being written.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    text: String,
}

/// A label's name and value.
pub(super) type Label<'a> = (&'a str, &'a str);

impl Exposition {
    /// Begins a counter; its samples follow.
    pub(super) fn counter(&mut self, name: &str, help: &str) {
        self.head(name, help, "counter");
    }

    /// Begins a gauge; its samples follow.
    pub(super) fn gauge(&mut self, name: &str, help: &str) {
        self.head(name, help, "gauge");
    }

    /// One sample.
    pub(super) fn sample(&mut self, name: &str, labels: &[Label<'_>], value: impl Display) {
        self.text.push_str(name);
        if !labels.is_empty() {
            self.text.push('{');
            for (index, (label, value)) in labels.iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                let escaped = value
                    .replace('\\', "\\\\")
                    .replace('"', "\\\"")
                    .replace('\n', "\\n");
                self.append(format_args!("{comma}{label}=\"{escaped}\""));
            }
            self.text.push('}');
        }
        self.append(format_args!(" {value}\n"));
    }

    /// A counter without labels.
    pub(super) fn plain_counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.counter(name, help);
        self.sample(name, &[], value);
    }

    /// A gauge without labels.
    pub(super) fn plain_gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.gauge(name, help);
        self.sample(name, &[], value);
    }

    /// A histogram: `buckets` are upper bounds in seconds with cumulative counts.
    pub(super) fn histogram(
        &mut self,
        name: &str,
        help: &str,
        buckets: impl IntoIterator<Item = (f64, u64)>,
        count: u64,
        sum_seconds: f64,
    ) {
        self.head(name, help, "histogram");
        let bucket = format!("{name}_bucket");
        for (bound, count) in buckets {
            self.sample(&bucket, &[("le", &bound.to_string())], count);
        }
        self.sample(&bucket, &[("le", "+Inf")], count);
        self.sample(&format!("{name}_sum"), &[], sum_seconds);
        self.sample(&format!("{name}_count"), &[], count);
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        self.append(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn append(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _written: std::fmt::Result = self.text.write_fmt(text);
    }
}

/// The samples of a page as figures for SQL; buckets of histograms are left out.
pub(super) fn figures(page: &str) -> Vec<FigureFact> {
    let mut figures = Vec::new();
    let (mut help, mut is_counter) = ("", false);
    for line in page.lines() {
        if let Some(head) = line.strip_prefix("# HELP ") {
            help = head.split_once(' ').map_or("", |(_, help)| help);
        } else if let Some(head) = line.strip_prefix("# TYPE ") {
            is_counter = !head.ends_with(" gauge");
        } else if let Some((name, value)) = line.rsplit_once(' ')
            && let Ok(value) = value.parse()
            && !name.contains("_bucket{")
        {
            figures.push(FigureFact {
                name: name.to_owned(),
                description: help.to_owned(),
                value,
                is_counter,
            });
        }
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_figures_with_their_help() {
        let mut page = Exposition::default();
        page.counter("c_total", "How many.");
        page.sample("c_total", &[("a", "x y")], 3);
        page.plain_gauge("g", "How much.", 0.5);
        page.histogram("h_seconds", "How long.", [(0.5, 1)], 3, 4.5);
        let text = page.into_text();
        let figures = figures(&text);
        let shown = figures.iter().map(|figure| {
            let FigureFact {
                name,
                description,
                value,
                is_counter,
            } = figure;
            format!("{name} {value} {is_counter} {description}")
        });
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                "c_total{a=\"x y\"} 3 true How many.",
                "g 0.5 false How much.",
                "h_seconds_sum 4.5 true How long.",
                "h_seconds_count 3 true How long.",
            ]
        );
    }

    #[test]
    fn samples_are_written_as_prometheus_reads_them() {
        let mut page = Exposition::default();
        page.counter("c_total", "How many.");
        page.sample("c_total", &[("a", "x\"y"), ("b", "z")], 3);
        page.histogram("h_seconds", "How long.", [(0.5, 1), (1.0, 2)], 3, 4.5);
        assert_eq!(
            page.into_text(),
            "# HELP c_total How many.\n# TYPE c_total counter\nc_total{a=\"x\\\"y\",b=\"z\"} 3\n\
             # HELP h_seconds How long.\n# TYPE h_seconds histogram\n\
             h_seconds_bucket{le=\"0.5\"} 1\nh_seconds_bucket{le=\"1\"} 2\nh_seconds_bucket{le=\"+Inf\"} 3\n\
             h_seconds_sum 4.5\nh_seconds_count 3\n"
        );
    }
}
