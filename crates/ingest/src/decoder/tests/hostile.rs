//! Bytes that mean harm: nothing panics, nothing grows beyond its bound, nothing takes quadratic
//! time.

use cairn_storage::{PayloadCompression, PayloadEncoding, RawRecord, Signal};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use proptest::prelude::*;
use prost::Message;

use super::generate::Random;
use super::json_text::{logs_json, traces_json};
use super::points::metrics_json;
use super::{decode, logs_request, protobuf, raw};
use crate::error::IngestError;
use crate::otlp::ProtoWriter;
use crate::test_rows::cell;

/// Decodes; what is accepted must be a sound batch that is not much larger than its source.
fn check_sound(record: &RawRecord) {
    if let Ok(decoded) = decode(record) {
        for batch in &decoded.batches {
            for column in batch.rows.columns() {
                column.to_data().validate_full().unwrap();
            }
            let held_bytes = batch.rows.get_array_memory_size();
            let allowed_bytes = 64 * 1024 + 256 * record.payload.len();
            assert!(held_bytes <= allowed_bytes, "{held_bytes} bytes");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_refused_or_read(bytes: Vec<u8>, json: bool, signal in 0..Signal::ALL.len()) {
        let encoding = if json { PayloadEncoding::Json } else { PayloadEncoding::Protobuf };
        let signal = Signal::ALL[signal];
        for compression in PayloadCompression::ALL {
            check_sound(&RawRecord { compression, ..raw(signal, encoding, bytes.clone()) });
        }
    }

    #[test]
    fn damaged_requests_are_refused_or_read(seed: u64, json: bool, damage in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6)) {
        let mut random = Random::new(seed);
        for signal in Signal::ALL {
            let style = random.clone();
            let mut bytes = match (signal, json) {
                (Signal::Logs, false) => random.logs().encode_to_vec(),
                (Signal::Traces, false) => random.traces().encode_to_vec(),
                (Signal::Metrics, false) => random.metrics().encode_to_vec(),
                (Signal::Logs, true) => logs_json(&random.logs(), style).into_bytes(),
                (Signal::Traces, true) => traces_json(&random.traces(), style).into_bytes(),
                (Signal::Metrics, true) => metrics_json(&random.metrics(), style).into_bytes(),
            };
            for (at, byte) in &damage {
                let length = bytes.len();
                if length > 0 {
                    bytes[at % length] = *byte;
                }
            }
            let encoding = if json { PayloadEncoding::Json } else { PayloadEncoding::Protobuf };
            check_sound(&raw(signal, encoding, bytes));
        }
    }
}

#[test]
fn a_request_cut_at_any_byte_is_malformed() {
    let mut random = Random::new(11);
    let whole = loop {
        let request = random.logs();
        if request.resource_logs.len() == 1 && request.encoded_len() > 500 {
            break request;
        }
    };
    let bytes = whole.encode_to_vec();
    for end in 1..bytes.len() {
        let result = decode(&protobuf(Signal::Logs, bytes[..end].to_vec()));
        assert!(matches!(result, Err(IngestError::Malformed(_))), "{end}");
    }
    let json = logs_json(&whole, Random::new(3));
    for end in 1..json.len() {
        let text = json.as_bytes()[..end].to_vec();
        let result = decode(&raw(Signal::Logs, PayloadEncoding::Json, text));
        assert!(matches!(result, Err(IngestError::Malformed(_))), "{end}");
    }
}

/// An encoded `AnyValue` of `levels` lists, each in the other.
fn nested_lists(levels: usize) -> Vec<u8> {
    // Lengths from the inside out, bytes from the outside in.
    let mut sizes = vec![0usize];
    for level in 0..2 * levels {
        sizes.push(sizes[level] + header(5, sizes[level]).len());
    }
    let mut bytes = Vec::new();
    for level in (0..2 * levels).rev() {
        let number = if level % 2 == 1 { 5 } else { 1 };
        bytes.extend(header(number, sizes[level]));
    }
    bytes
}

fn header(number: u32, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    prost::encoding::encode_key(
        number,
        prost::encoding::WireType::LengthDelimited,
        &mut bytes,
    );
    prost::encoding::encode_varint(u64::try_from(length).unwrap(), &mut bytes);
    bytes
}

/// A request whose only record has the encoded value as its body and as an attribute.
fn request_with_value(value: &[u8]) -> Vec<u8> {
    let mut writer = ProtoWriter::new(usize::MAX);
    writer.open(1);
    writer.open(2);
    writer.open(2);
    writer.bytes_field(5, value);
    writer.open(6);
    writer.bytes_field(1, b"k");
    writer.bytes_field(2, value);
    for _ in 0..4 {
        writer.close();
    }
    writer.into_bytes()
}

#[test]
fn nesting_is_kept_to_32_levels_and_cut_beyond() {
    for (levels, cut) in [(1, 0), (32, 0), (33, 1), (10_000, 1), (200_000, 1)] {
        let record = protobuf(Signal::Logs, request_with_value(&nested_lists(levels)));
        let decoded = decode(&record).unwrap();
        let kept = levels.min(32);
        // The innermost list holds an empty value, which prints like one that was cut.
        let expect = format!("{}null{}", "[".repeat(kept), "]".repeat(kept));
        let rows = &decoded.batches[0].rows;
        assert_eq!(cell(rows, "Body", 0), expect);
        assert_eq!(cell(rows, "LogAttributes", 0), format!("{{k={expect}}}"));
        assert_eq!(decoded.notes.cut_values, 2 * cut);
    }
}

#[test]
fn deep_json_is_malformed() {
    let nest = |open: &str, inner: &str, close: &str, levels: usize| {
        let value = format!("{}{inner}{}", open.repeat(levels), close.repeat(levels));
        let json = format!(
            r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{value}}}]}}]}}]}}"#
        );
        decode(&raw(Signal::Logs, PayloadEncoding::Json, json))
    };
    let list = (r#"{"arrayValue":{"values":["#, "{}", "]}}");
    assert!(nest(list.0, list.1, list.2, 32).is_ok());
    for levels in [100, 200_000] {
        assert!(matches!(
            nest(list.0, list.1, list.2, levels),
            Err(IngestError::Malformed(_))
        ));
        assert!(matches!(
            nest("[", "", "]", levels * 2),
            Err(IngestError::Malformed(_))
        ));
    }
}

#[test]
fn a_json_body_that_would_grow_too_much_stays_a_plain_body() {
    // Each of many leaves repeats a long path.
    let path = "p".repeat(2_000);
    let leaves: Vec<String> = (0..1_000).map(|leaf| format!("\"{leaf}\":1")).collect();
    let body = format!("{{\"{path}\":{{{}}}}}", leaves.join(","));
    let decoded = decode(&protobuf(
        Signal::Logs,
        logs_request(vec![LogRecord {
            body: Some(opentelemetry_proto::tonic::common::v1::AnyValue {
                value: Some(super::text(body.clone())),
            }),
            ..LogRecord::default()
        }]),
    ))
    .unwrap();
    assert_eq!(decoded.notes.unmerged_bodies, 1);
    assert_eq!(cell(&decoded.batches[0].rows, "Body", 0), body);
    assert_eq!(cell(&decoded.batches[0].rows, "LogAttributes", 0), "{}");
}

#[test]
fn lone_surrogates_and_control_characters_are_data() {
    let json = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a\ud800\u0000\r\nb"},"attributes":[{"key":"\udc00","value":{"stringValue":"\u001b[0m"}}]}]}]}]}"#;
    let decoded = decode(&raw(Signal::Logs, PayloadEncoding::Json, json)).unwrap();
    let rows = &decoded.batches[0].rows;
    assert_eq!(cell(rows, "Body", 0), "a\u{fffd}\0\r\nb");
    assert_eq!(cell(rows, "LogAttributes", 0), "{\u{fffd}=\u{1b}[0m}");
}
