//! Whole requests through the façade.

mod bounds;
mod equality;
mod generate;
mod hostile;
mod json_text;
mod model;
mod points;

use bytes::Bytes;
use cairn_storage::{Nanos, PayloadCompression, PayloadEncoding, RawRecord, Signal};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

use super::{Decoded, Decoder, DecoderConfig, NORMALIZE_LOGS};
use crate::error::IngestError;

fn raw(signal: Signal, encoding: PayloadEncoding, payload: impl Into<Bytes>) -> RawRecord {
    RawRecord {
        signal,
        encoding,
        compression: PayloadCompression::None,
        options: NORMALIZE_LOGS,
        received_at: Nanos(1_700_000_000_000_000_000),
        payload: payload.into(),
    }
}

fn protobuf(signal: Signal, payload: impl Into<Bytes>) -> RawRecord {
    raw(signal, PayloadEncoding::Protobuf, payload)
}

fn decode(record: &RawRecord) -> Result<Decoded, IngestError> {
    Decoder::default().decode_request(record)
}

fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn text(value: impl Into<String>) -> Value {
    Value::StringValue(value.into())
}

/// A request with one resource, one scope and these records.
fn logs_request(log_records: Vec<LogRecord>) -> Vec<u8> {
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            scope_logs: vec![ScopeLogs {
                log_records,
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        }],
    }
    .encode_to_vec()
}

/// A request with one resource, one scope and these spans.
fn traces_request(spans: Vec<Span>) -> Vec<u8> {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
    .encode_to_vec()
}

#[test]
fn an_empty_request_is_accepted_in_every_encoding_of_otlp_and_compression() {
    for signal in Signal::ALL {
        // Rows are never empty: they say at least of which table they are.
        for encoding in [PayloadEncoding::Protobuf, PayloadEncoding::Json] {
            for compression in PayloadCompression::ALL {
                let record = RawRecord {
                    compression,
                    ..raw(signal, encoding, Bytes::new())
                };
                let decoded = decode(&record).unwrap();
                assert!(decoded.batches.is_empty());
                assert_eq!((decoded.accepted, decoded.rejected), (0, 0));
                assert_eq!(decoded.message, "");
            }
        }
    }
}

#[test]
fn replay_follows_the_record_and_not_the_configuration() {
    use cairn_storage::RecordDecoder;

    let plain = Decoder::new(DecoderConfig {
        normalize_logs: false,
        max_request_bytes: 10,
    });
    let normal = Decoder::default();
    assert_ne!(plain.options(), normal.options());
    let payload = logs_request(vec![LogRecord {
        body: Some(AnyValue {
            value: Some(text("an error")),
        }),
        ..LogRecord::default()
    }]);
    let severity = |decoder: &Decoder, options| {
        let record = RawRecord {
            options,
            ..protobuf(Signal::Logs, payload.clone())
        };
        let batches = decoder.decode(&record).unwrap();
        crate::test_rows::cell(&batches[0].rows, "SeverityText", 0)
    };
    for decoder in [&plain, &normal] {
        assert_eq!(severity(decoder, plain.options()), "");
        assert_eq!(severity(decoder, normal.options()), "error");
    }
    // The configured bound is for new requests only.
    assert!(matches!(
        plain.decode_request(&protobuf(Signal::Logs, payload.clone())),
        Err(IngestError::TooLarge { .. })
    ));
}

#[test]
fn malformed_requests_name_what_is_wrong() {
    let error = decode(&protobuf(Signal::Logs, vec![0x0a, 0x05, 0x00])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "malformed request: protobuf message `ExportLogsServiceRequest` ends in the middle of a field"
    );
    let error = decode(&raw(Signal::Traces, PayloadEncoding::Json, "{")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "malformed request: JSON at byte 1: a key in double quotes is expected"
    );
}
