//! Every bound: what passes it is refused or rejected, what meets it is not.

use std::io::Write;

use cairn_storage::{NANOS_PER_DAY, PayloadCompression, RawRecord, Signal};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};

use super::{Decoder, decode, logs_request, pair, protobuf, text, traces_request};
use crate::admit::Admission;
use crate::error::IngestError;
use crate::limits::{
    MAX_ATTRIBUTES_COUNT, MAX_BODY_BYTES, MAX_DAYS_PER_REQUEST, MAX_EVENTS_COUNT, MAX_KEY_BYTES,
    MAX_LABEL_BYTES, MAX_LINKS_COUNT, MAX_RECORDS_PER_REQUEST, MAX_REQUEST_BYTES, MAX_VALUE_BYTES,
};
use crate::otlp::ProtoWriter;

fn numbered(count: usize) -> Vec<KeyValue> {
    (0..count)
        .map(|number| pair(&format!("k{number:05}"), text("v")))
        .collect()
}

/// One record of two is rejected for `reason`.
fn check_rejected(bad: LogRecord, reason: &str) {
    let good = LogRecord::default();
    let decoded = decode(&protobuf(Signal::Logs, logs_request(vec![bad, good]))).unwrap();
    assert_eq!((decoded.accepted, decoded.rejected), (1, 1), "{reason}");
    assert_eq!(decoded.batches[0].rows.num_rows(), 1);
    assert!(
        decoded.message.starts_with("1 rejected: ") && decoded.message.contains(reason),
        "{}",
        decoded.message
    );
}

fn check_accepted(record: LogRecord) {
    let decoded = decode(&protobuf(Signal::Logs, logs_request(vec![record]))).unwrap();
    assert_eq!((decoded.accepted, decoded.rejected), (1, 0));
}

fn with_attributes(attributes: Vec<KeyValue>) -> LogRecord {
    LogRecord {
        attributes,
        ..LogRecord::default()
    }
}

#[test]
fn a_log_record_over_a_bound_is_rejected_alone() {
    check_accepted(with_attributes(numbered(MAX_ATTRIBUTES_COUNT)));
    check_rejected(
        with_attributes(numbered(MAX_ATTRIBUTES_COUNT + 1)),
        "4096 attributes",
    );
    let long_key = |bytes: usize| with_attributes(vec![pair(&"k".repeat(bytes), text(""))]);
    check_accepted(long_key(MAX_KEY_BYTES));
    check_rejected(long_key(MAX_KEY_BYTES + 1), "a key over 16384 bytes");
    check_rejected(
        with_attributes(vec![pair("k", text("v".repeat(MAX_VALUE_BYTES)))]),
        "a value over",
    );
    check_rejected(
        LogRecord {
            body: Some(AnyValue {
                value: Some(text("b".repeat(MAX_BODY_BYTES))),
            }),
            ..LogRecord::default()
        },
        "a body over",
    );
    check_rejected(
        LogRecord {
            event_name: "e".repeat(MAX_LABEL_BYTES + 1),
            ..LogRecord::default()
        },
        "a name over",
    );
}

#[test]
fn a_span_over_a_bound_is_rejected_alone() {
    let check = |bad: Span, reason: &str| {
        let request = traces_request(vec![bad, Span::default()]);
        let decoded = decode(&protobuf(Signal::Traces, request)).unwrap();
        assert_eq!((decoded.accepted, decoded.rejected), (1, 1), "{reason}");
        assert!(decoded.message.contains(reason), "{}", decoded.message);
    };
    let span = Span::default;
    check(
        Span {
            events: vec![Event::default(); MAX_EVENTS_COUNT + 1],
            ..span()
        },
        "10000 events",
    );
    check(
        Span {
            links: vec![Link::default(); MAX_LINKS_COUNT + 1],
            ..span()
        },
        "10000 links",
    );
    check(
        Span {
            name: "n".repeat(MAX_LABEL_BYTES + 1),
            ..span()
        },
        "a name over",
    );
    let event = Event {
        attributes: numbered(MAX_ATTRIBUTES_COUNT + 1),
        ..Event::default()
    };
    check(
        Span {
            events: vec![Event::default(), event, Event::default()],
            ..span()
        },
        "4096 attributes",
    );
    let link = Link {
        attributes: numbered(MAX_ATTRIBUTES_COUNT + 1),
        ..Link::default()
    };
    check(
        Span {
            links: vec![link],
            ..span()
        },
        "4096 attributes",
    );
}

#[test]
fn records_of_a_resource_over_a_bound_are_rejected() {
    use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
    use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
    use opentelemetry_proto::tonic::resource::v1::Resource;
    use prost::Message;

    let resource_logs = |attributes| ResourceLogs {
        resource: Some(Resource {
            attributes,
            ..Resource::default()
        }),
        scope_logs: vec![ScopeLogs {
            log_records: vec![LogRecord::default(); 3],
            ..ScopeLogs::default()
        }],
        ..ResourceLogs::default()
    };
    let request = ExportLogsServiceRequest {
        resource_logs: vec![
            resource_logs(numbered(MAX_ATTRIBUTES_COUNT + 1)),
            resource_logs(numbered(2)),
            resource_logs(vec![pair(
                "service.name",
                text("s".repeat(MAX_LABEL_BYTES + 1)),
            )]),
        ],
    };
    let decoded = decode(&protobuf(Signal::Logs, request.encode_to_vec())).unwrap();
    assert_eq!((decoded.accepted, decoded.rejected), (3, 6));
}

#[test]
fn a_request_touches_a_bounded_number_of_days() {
    let on_day = |day: usize| LogRecord {
        time_unix_nano: (u64::try_from(day).unwrap() + 1) * NANOS_PER_DAY.unsigned_abs(),
        ..LogRecord::default()
    };
    let records = (0..MAX_DAYS_PER_REQUEST + 2).map(on_day).collect();
    let decoded = decode(&protobuf(Signal::Logs, logs_request(records))).unwrap();
    assert_eq!(decoded.rejected, 2);
    assert!(decoded.message.contains("400 distinct days"));
}

/// A request of `count` empty log records.
fn tiny_records(count: u64) -> Vec<u8> {
    let mut writer = ProtoWriter::new(usize::MAX);
    writer.open(1);
    writer.open(2);
    for _ in 0..count {
        writer.bytes_field(2, &[]);
    }
    writer.close();
    writer.close();
    writer.into_bytes()
}

#[test]
fn a_million_tiny_records_are_read_and_one_too_many_is_refused() {
    let decoded = decode(&protobuf(
        Signal::Logs,
        tiny_records(MAX_RECORDS_PER_REQUEST),
    ))
    .unwrap();
    assert_eq!(decoded.accepted, MAX_RECORDS_PER_REQUEST);
    assert!(decoded.batches[0].rows.get_array_memory_size() < 200_000_000);
    let refused = decode(&protobuf(
        Signal::Logs,
        tiny_records(MAX_RECORDS_PER_REQUEST + 1),
    ));
    assert!(matches!(
        refused,
        Err(IngestError::TooLarge {
            what: "records of one request",
            ..
        })
    ));
}

#[test]
fn bombs_stop_at_the_limit_of_a_request() {
    let zeros = vec![0; 1 << 20];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut zstd = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    for _ in 0..=MAX_REQUEST_BYTES >> 20 {
        for encoder in [&mut gzip as &mut dyn Write, &mut zlib, &mut zstd] {
            encoder.write_all(&zeros).unwrap();
        }
    }
    for (compression, payload) in [
        (PayloadCompression::Gzip, gzip.finish().unwrap()),
        (PayloadCompression::Deflate, zlib.finish().unwrap()),
        (PayloadCompression::Zstd, zstd.finish().unwrap()),
    ] {
        assert!(payload.len() < 1 << 20);
        let record = RawRecord {
            compression,
            ..protobuf(Signal::Logs, payload)
        };
        assert!(matches!(decode(&record), Err(IngestError::TooLarge { .. })));
        // With admission, it stops as soon as the bytes in flight are used up.
        let admission = Admission::new(8 << 20);
        let _other = admission.try_admit(1 << 20).unwrap();
        let mut permit = admission.try_admit(1_000).unwrap();
        let refused = Decoder::default().decode_admitted(&record, &mut permit);
        assert!(matches!(refused, Err(IngestError::Overloaded { .. })));
        assert!(permit.bytes() <= 7 << 20);
    }
}

#[test]
fn values_that_grow_as_text_cannot_pass_the_bound_of_columns() {
    use opentelemetry_proto::tonic::common::v1::ArrayValue;
    use opentelemetry_proto::tonic::common::v1::any_value::Value;

    // A control character is one byte on the wire and six in JSON.
    let list = Value::ArrayValue(ArrayValue {
        values: vec![AnyValue {
            value: Some(text("\u{1}".repeat(MAX_BODY_BYTES - 100))),
        }],
    });
    let record = LogRecord {
        body: Some(AnyValue { value: Some(list) }),
        ..LogRecord::default()
    };
    let refused = decode(&protobuf(Signal::Logs, logs_request(vec![record; 3])));
    assert!(matches!(
        refused,
        Err(IngestError::TooLarge {
            what: "decoded bytes of one request",
            ..
        })
    ));
}
