//! Export requests of metrics: each service reports the same few gauges, sums and histograms over and over.

use std::sync::Arc;

use crate::config::GeneratorConfig;
use crate::landscape::{INSTANCES, Landscape};
use crate::logs::write_group;
use crate::random::Random;
use crate::wire::{Value, put_attribute, put_bytes, put_fixed64, put_number};

/// Writes `ExportMetricsServiceRequest`s. One per thread; all of one configuration agree.
#[derive(Debug)]
pub struct PointGenerator {
    config: GeneratorConfig,
    landscape: Arc<Landscape>,
    /// `ScopeMetrics.metrics` of each instance, filled while a batch is made.
    groups: Vec<Vec<u8>>,
    point: Vec<u8>,
    metric: Vec<u8>,
}

/// Name, unit, and the field of `Metric` that says its kind.
const METRICS: [(&str, &str, u32); 6] = [
    ("process.memory.usage", "By", 5),
    ("process.cpu.utilization", "1", 5),
    ("http.server.active_requests", "{request}", 7),
    ("http.server.request.count", "{request}", 7),
    ("http.server.request.duration", "s", 9),
    ("db.client.operation.duration", "s", 9),
];

const BOUNDS: [f64; 8] = [0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

impl PointGenerator {
    /// A generator of the data points of `config`.
    #[must_use]
    pub fn new(config: GeneratorConfig, landscape: Arc<Landscape>) -> Self {
        let instances = usize::try_from(INSTANCES).unwrap_or(1);
        Self {
            groups: vec![Vec::new(); landscape.services.len() * instances],
            config,
            landscape,
            point: Vec::new(),
            metric: Vec::new(),
        }
    }

    /// Replaces `out` by batch number `batch`.
    pub fn write_batch(&mut self, batch: u64, out: &mut Vec<u8>) {
        out.clear();
        let mut random = Random::new(self.config.seed ^ 0x0e7a, batch);
        for index in 0..self.config.batch_rows {
            let position = batch * self.config.batch_rows + index;
            let kind = METRICS[random.index(METRICS.len())];
            self.write_metric(kind, position, &mut random);
            let group = random.index(self.groups.len());
            put_bytes(&mut self.groups[group], 2, &self.metric);
        }
        let instances = usize::try_from(INSTANCES).unwrap_or(1);
        for (group, metrics) in self.groups.iter_mut().enumerate() {
            if metrics.is_empty() {
                continue;
            }
            let service = &self.landscape.services[group / instances];
            let resource = &service.resources[group % instances];
            write_group(resource, &service.scope, metrics, out);
            metrics.clear();
        }
    }

    fn write_metric(&mut self, kind: (&str, &str, u32), position: u64, random: &mut Random) {
        let (name, unit, field) = kind;
        let at = self.config.timeline.at(position);
        let is_histogram = field == 9;
        let point = &mut self.point;
        point.clear();
        put_fixed64(point, 2, self.config.timeline.at(0));
        put_fixed64(point, 3, at);
        let attributes = if is_histogram { 9 } else { 7 };
        put_attribute(
            point,
            attributes,
            "http.route",
            Value::Text(b"/api/v1/products"),
        );
        put_attribute(point, attributes, "thread.id", Value::Int(random.below(64)));
        if is_histogram {
            put_fixed64(point, 4, position + 1);
            for _ in 0..=BOUNDS.len() {
                put_fixed64(point, 6, random.below(1_000));
            }
            for bound in BOUNDS {
                put_fixed64(point, 7, bound.to_bits());
            }
        } else {
            put_fixed64(point, 6, random.below(1_000_000));
        }
        let mut data = Vec::new();
        put_bytes(&mut data, 1, &self.point);
        if field != 5 {
            put_number(&mut data, 2, 2);
        }
        self.metric.clear();
        put_bytes(&mut self.metric, 1, name.as_bytes());
        put_bytes(&mut self.metric, 3, unit.as_bytes());
        put_bytes(&mut self.metric, field, &data);
    }
}
