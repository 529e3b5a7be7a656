//! Export requests of log records.

use std::sync::Arc;

use crate::config::GeneratorConfig;
use crate::landscape::{INSTANCES, Landscape};
use crate::random::Random;
use crate::template::{Severity, Template, templates};
use crate::traces::Place;
use crate::wire::{
    Value, header_length, length_of, put_attribute, put_bytes, put_decimal, put_fixed32,
    put_fixed64, put_header, put_number, put_value,
};

/// Writes `ExportLogsServiceRequest`s. One per thread; all of one configuration agree.
#[derive(Debug)]
pub struct LogGenerator {
    config: GeneratorConfig,
    landscape: Arc<Landscape>,
    by_severity: [Vec<Template>; 4],
    /// `ScopeLogs.log_records` of each instance, filled while a batch is made.
    groups: Vec<Vec<u8>>,
    record: Vec<u8>,
    body: Vec<u8>,
}

impl LogGenerator {
    /// A generator of the logs of `config`.
    #[must_use]
    pub fn new(config: GeneratorConfig, landscape: Arc<Landscape>) -> Self {
        let mut by_severity: [Vec<Template>; 4] = Default::default();
        for template in templates() {
            by_severity[place_of(template.severity)].push(template);
        }
        let instances = usize::try_from(INSTANCES).unwrap_or(1);
        Self {
            groups: vec![Vec::new(); landscape.services.len() * instances],
            config,
            landscape,
            by_severity,
            record: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Replaces `out` by batch number `batch`.
    pub fn write_batch(&mut self, batch: u64, out: &mut Vec<u8>) {
        out.clear();
        let mut random = Random::new(self.config.seed, batch);
        for index in 0..self.config.batch_rows {
            let group = self.write_record(batch, index, &mut random);
            put_bytes(&mut self.groups[group], 2, &self.record);
        }
        for (group, records) in self.groups.iter_mut().enumerate() {
            if records.is_empty() {
                continue;
            }
            let instances = usize::try_from(INSTANCES).unwrap_or(1);
            let service = &self.landscape.services[group / instances];
            let resource = &service.resources[group % instances];
            write_group(resource, &service.scope, records, out);
            records.clear();
        }
    }

    /// Writes one record into `self.record`; returns the group it belongs to.
    fn write_record(&mut self, batch: u64, index: u64, random: &mut Random) -> usize {
        let position = batch * self.config.batch_rows + index;
        let place = Place::of_log(position, random.next());
        let seed = self.config.seed;
        let of_severity = &self.by_severity[place_of(severity(random, place.fails(seed)))];
        let template = &of_severity[random.index(of_severity.len())];

        let record = &mut self.record;
        record.clear();
        let time = self.config.timeline.at(position) + random.below(1_000_000);
        put_fixed64(record, 1, time);
        put_fixed64(record, 11, time + 50_000 + random.below(2_000_000));
        put_number(record, 2, template.severity.number());
        put_bytes(record, 3, template.severity.text().as_bytes());
        self.body.clear();
        template.render(&mut self.body, random, self.config.cardinality);
        put_value(record, 5, Value::Text(&self.body));
        for key in template.attributes {
            put_keyed(record, key, random, self.config.cardinality);
        }
        if self.config.marked {
            put_attribute(record, 6, "load.batch", Value::Int(batch));
            put_attribute(record, 6, "load.index", Value::Int(index));
        }
        // One record in eight is written outside any trace.
        if random.below(8) > 0 {
            put_fixed32(record, 8, 1);
            put_bytes(record, 9, &place.trace_id(seed));
            put_bytes(record, 10, &place.span_id(place.span, seed));
        }
        let service = place.service(seed, self.landscape.services.len());
        let instances = usize::try_from(INSTANCES).unwrap_or(1);
        service * instances + usize::try_from(place.trace % INSTANCES).unwrap_or(0)
    }
}

fn place_of(severity: Severity) -> usize {
    match severity {
        Severity::Debug => 0,
        Severity::Info => 1,
        Severity::Warn => 2,
        Severity::Error => 3,
    }
}

fn severity(random: &mut Random, failed: bool) -> Severity {
    match random.below(100) {
        _ if failed => Severity::Error,
        0..=1 => Severity::Error,
        2..=6 => Severity::Warn,
        7..=24 => Severity::Debug,
        _ => Severity::Info,
    }
}

/// `ResourceLogs` or `ResourceSpans` as field 1: the resource, then one scope with its records.
pub(crate) fn write_group(resource: &[u8], scope: &[u8], records: &[u8], out: &mut Vec<u8>) {
    let scoped = length_of(scope) + length_of(records);
    put_header(out, 1, length_of(resource) + header_length(scoped) + scoped);
    out.extend_from_slice(resource);
    put_header(out, 2, scoped);
    out.extend_from_slice(scope);
    out.extend_from_slice(records);
}

/// An attribute whose kind of value follows from its key, as field 6 of a log record.
fn put_keyed(out: &mut Vec<u8>, key: &str, random: &mut Random, cardinality: u64) {
    let mut text = Vec::new();
    let value = match key {
        "http.request.method" => Value::Text(["GET", "POST", "PUT"][random.index(3)].as_bytes()),
        "http.route" => Value::Text(ROUTES[random.index(ROUTES.len())].as_bytes()),
        "http.response.status_code" => {
            Value::Int([200, 200, 200, 201, 304, 404, 500][random.index(7)])
        }
        "duration_ms" | "amount" => Value::Double(cents(random)),
        "user.id" | "order.id" => Value::Int(random.below(cardinality)),
        "retry.count" => Value::Int(random.below(4)),
        "cache.hit" => Value::Int(random.below(2)),
        "payment.provider" => {
            Value::Text(["stripe", "adyen", "paypal"][random.index(3)].as_bytes())
        }
        "thread.name" => Value::Text(THREADS[random.index(THREADS.len())].as_bytes()),
        "code.function.name" => Value::Text(FUNCTIONS[random.index(FUNCTIONS.len())].as_bytes()),
        "exception.type" => Value::Text(EXCEPTIONS[random.index(EXCEPTIONS.len())].as_bytes()),
        _ => {
            text.extend_from_slice(key.as_bytes());
            text.push(b':');
            put_decimal(&mut text, random.below(cardinality));
            Value::Text(&text)
        }
    };
    put_attribute(out, 6, key, value);
}

fn cents(random: &mut Random) -> f64 {
    let number = u32::try_from(random.below(500_000)).unwrap_or(0);
    f64::from(number) / 100.0
}

const ROUTES: [&str; 6] = [
    "/api/v1/products/{id}",
    "/api/v1/cart",
    "/api/v1/checkout",
    "/api/v1/orders/{id}",
    "/api/v1/recommendations",
    "/healthz",
];
const THREADS: [&str; 5] = [
    "main",
    "worker-1",
    "worker-2",
    "http-nio-8080-exec-7",
    "kafka-poll",
];
const FUNCTIONS: [&str; 5] = [
    "Cache.lookup",
    "Pool.checkout",
    "Rates.refresh",
    "Mail.render",
    "Consumer.poll",
];
const EXCEPTIONS: [&str; 4] = [
    "java.lang.IllegalStateException",
    "java.net.SocketTimeoutException",
    "PaymentDeclined",
    "psycopg.OperationalError",
];

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
    use prost::Message;

    use super::*;

    fn batch(config: &GeneratorConfig, number: u64) -> Vec<u8> {
        let landscape = Arc::new(Landscape::new(config));
        let mut out = Vec::new();
        LogGenerator::new(config.clone(), landscape).write_batch(number, &mut out);
        out
    }

    #[test]
    fn batches_are_requests_that_others_can_read() {
        let config = GeneratorConfig {
            marked: true,
            ..GeneratorConfig::default()
        };
        let bytes = batch(&config, 3);
        let request = ExportLogsServiceRequest::decode(bytes.as_slice()).unwrap();
        let records: Vec<_> = request
            .resource_logs
            .iter()
            .flat_map(|group| &group.scope_logs)
            .flat_map(|scope| &scope.log_records)
            .collect();
        assert_eq!(records.len(), 1000);
        for group in &request.resource_logs {
            assert_eq!(group.resource.as_ref().unwrap().attributes.len(), 10);
        }
        let traced = records
            .iter()
            .filter(|record| record.trace_id.len() == 16)
            .count();
        assert!((800..950).contains(&traced), "{traced}");
        let size = bytes.len() / records.len();
        assert!((300..700).contains(&size), "{size} bytes a record");
        let mut indexes: Vec<i64> = records
            .iter()
            .map(|record| int(record, "load.index"))
            .collect();
        indexes.sort_unstable();
        assert!(indexes.into_iter().eq(0..1000));
    }

    fn int(record: &opentelemetry_proto::tonic::logs::v1::LogRecord, key: &str) -> i64 {
        use opentelemetry_proto::tonic::common::v1::any_value::Value::IntValue;
        let found = record
            .attributes
            .iter()
            .find(|attribute| attribute.key == key)
            .unwrap();
        match found.value.as_ref().unwrap().value {
            Some(IntValue(number)) => number,
            _ => panic!("not an integer"),
        }
    }

    #[test]
    fn a_batch_is_always_the_same_and_unlike_its_neighbour() {
        let config = GeneratorConfig::default();
        assert_eq!(batch(&config, 5), batch(&config, 5));
        assert_ne!(batch(&config, 5), batch(&config, 6));
        let first = batch(&config, 5);
        let other = GeneratorConfig { seed: 2, ..config };
        assert_ne!(first, batch(&other, 5));
    }
}
