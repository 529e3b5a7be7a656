//! Export requests of spans.

use std::sync::Arc;

use crate::config::GeneratorConfig;
use crate::landscape::{INSTANCES, Landscape};
use crate::logs::write_group;
use crate::random::Random;
use crate::traces::{MEAN_SPANS, Place};
use crate::wire::{Value, put_attribute, put_bytes, put_fixed64, put_number};

/// Writes `ExportTraceServiceRequest`s. One per thread; all of one configuration agree.
#[derive(Debug)]
pub struct SpanGenerator {
    config: GeneratorConfig,
    landscape: Arc<Landscape>,
    /// `ScopeSpans.spans` of each instance, filled while a batch is made.
    groups: Vec<Vec<u8>>,
    record: Vec<u8>,
    nested: Vec<u8>,
}

const OPERATIONS: [(&str, u64); 8] = [
    ("GET /api/v1/products/{id}", 2),
    ("POST /api/v1/checkout", 2),
    ("SELECT shop.products", 3),
    ("shop.payment.v1.Payment/Charge", 3),
    ("orders publish", 4),
    ("orders process", 5),
    ("price basket", 1),
    ("redis GET", 3),
];

impl SpanGenerator {
    /// A generator of the spans of `config`.
    #[must_use]
    pub fn new(config: GeneratorConfig, landscape: Arc<Landscape>) -> Self {
        let instances = usize::try_from(INSTANCES).unwrap_or(1);
        Self {
            groups: vec![Vec::new(); landscape.services.len() * instances],
            config,
            landscape,
            record: Vec::new(),
            nested: Vec::new(),
        }
    }

    /// Replaces `out` by batch number `batch`.
    pub fn write_batch(&mut self, batch: u64, out: &mut Vec<u8>) {
        out.clear();
        let mut random = Random::new(self.config.seed ^ 0x57a2, batch);
        let instances = usize::try_from(INSTANCES).unwrap_or(1);
        for index in 0..self.config.batch_rows {
            let position = batch * self.config.batch_rows + index;
            let place = Place::of_span(position);
            self.write_span(place, &mut random);
            if self.config.marked {
                put_attribute(&mut self.record, 9, "load.batch", Value::Int(batch));
                put_attribute(&mut self.record, 9, "load.index", Value::Int(index));
            }
            let service = place.service(self.config.seed, self.landscape.services.len());
            let instance = usize::try_from(place.trace % INSTANCES).unwrap_or(0);
            put_bytes(
                &mut self.groups[service * instances + instance],
                2,
                &self.record,
            );
        }
        for (group, spans) in self.groups.iter_mut().enumerate() {
            if spans.is_empty() {
                continue;
            }
            let service = &self.landscape.services[group / instances];
            let resource = &service.resources[group % instances];
            write_group(resource, &service.scope, spans, out);
            spans.clear();
        }
    }

    fn write_span(&mut self, place: Place, random: &mut Random) {
        let seed = self.config.seed;
        let moment = place.moment(seed);
        // Log records of a trace stand at the same part of the timeline.
        let start = self.config.timeline.at(place.trace * MEAN_SPANS) + moment.offset_ns;
        let end = start + moment.duration_ns;
        let (name, kind) = OPERATIONS[random.index(OPERATIONS.len())];
        let span = &mut self.record;
        span.clear();
        put_bytes(span, 1, &place.trace_id(seed));
        put_bytes(span, 2, &place.span_id(place.span, seed));
        if let Some(parent) = place.parent() {
            put_bytes(span, 4, &place.span_id(parent, seed));
        }
        put_bytes(span, 5, name.as_bytes());
        put_number(span, 6, if place.span == 0 { 2 } else { kind });
        put_fixed64(span, 7, start);
        put_fixed64(span, 8, end);
        put_attribute(span, 9, "thread.id", Value::Int(random.below(64)));
        put_attribute(
            span,
            9,
            "user.id",
            Value::Int(random.below(self.config.cardinality)),
        );
        put_attribute(span, 9, "rpc.system", Value::Text(b"grpc"));
        let status = if place.fails(seed) { 500 } else { 200 };
        put_attribute(span, 9, "http.response.status_code", Value::Int(status));
        put_attribute(
            span,
            9,
            "server.address",
            Value::Text(b"backend.shop.internal"),
        );
        if place.fails(seed) {
            self.write_failure(end);
        }
    }

    fn write_failure(&mut self, end: u64) {
        let event = &mut self.nested;
        event.clear();
        put_fixed64(event, 1, end.saturating_sub(1_000));
        put_bytes(event, 2, b"exception");
        put_attribute(event, 3, "exception.type", Value::Text(b"PaymentDeclined"));
        put_attribute(
            event,
            3,
            "exception.message",
            Value::Text(b"card refused by issuer"),
        );
        put_bytes(&mut self.record, 11, &self.nested);
        self.nested.clear();
        put_bytes(&mut self.nested, 2, b"card refused by issuer");
        put_number(&mut self.nested, 3, 2);
        put_bytes(&mut self.record, 15, &self.nested);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use prost::Message;

    use super::*;
    use crate::logs::LogGenerator;

    #[test]
    fn spans_form_trees_and_logs_point_into_them() {
        let config = GeneratorConfig {
            batch_rows: 480,
            ..GeneratorConfig::default()
        };
        let landscape = Arc::new(Landscape::new(&config));
        let mut bytes = Vec::new();
        SpanGenerator::new(config.clone(), Arc::clone(&landscape)).write_batch(0, &mut bytes);
        let request = ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap();
        let groups = request
            .resource_spans
            .iter()
            .flat_map(|group| &group.scope_spans);
        let spans: Vec<_> = groups.flat_map(|scope| &scope.spans).collect();
        assert_eq!(spans.len(), 480);
        let ids: HashSet<_> = spans.iter().map(|s| (&s.trace_id, &s.span_id)).collect();
        assert_eq!(ids.len(), 480, "ids are unique");
        let roots = spans
            .iter()
            .filter(|span| span.parent_span_id.is_empty())
            .count();
        assert_eq!(roots, 80, "one root a trace");
        for span in &spans {
            let parent = (&span.trace_id, &span.parent_span_id);
            assert!(span.parent_span_id.is_empty() || ids.contains(&parent));
            assert!(span.end_time_unix_nano > span.start_time_unix_nano);
        }

        LogGenerator::new(config, landscape).write_batch(0, &mut bytes);
        let logs = ExportLogsServiceRequest::decode(bytes.as_slice()).unwrap();
        let groups = logs
            .resource_logs
            .iter()
            .flat_map(|group| &group.scope_logs);
        for log in groups.flat_map(|scope| &scope.log_records) {
            assert!(log.trace_id.is_empty() || ids.contains(&(&log.trace_id, &log.span_id)));
        }
    }
}
