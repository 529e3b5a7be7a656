//! Both encodings mean the same, and the same as a naive reading.

use cairn_storage::{PayloadEncoding, RawRecord, Signal};
use proptest::prelude::*;
use prost::Message;

use super::generate::Random;
use super::json_text::{logs_json, traces_json};
use super::points::metrics_json;
use super::{decode, model, protobuf, raw};
use crate::test_rows::{cell, rows};

/// Rows and counters of both encodings must agree.
fn check_same(
    signal: Signal,
    binary: Vec<u8>,
    json: String,
    options: u8,
) -> Result<(), TestCaseError> {
    let one = decode(&RawRecord {
        options,
        ..protobuf(signal, binary)
    })
    .map_err(|error| TestCaseError::fail(error.to_string()))?;
    let text = json.clone();
    let other = decode(&RawRecord {
        options,
        ..raw(signal, PayloadEncoding::Json, json)
    })
    .map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
    prop_assert_eq!(one.accepted, other.accepted);
    prop_assert_eq!(one.rejected, 0);
    prop_assert_eq!(one.notes, other.notes);
    prop_assert_eq!(one.batches.len(), other.batches.len());
    for (one, other) in one.batches.iter().zip(&other.batches) {
        prop_assert_eq!(rows(&one.rows), rows(&other.rows), "{}", text);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn logs_are_the_same_in_protobuf_and_json(seed: u64, options in 0u8..2) {
        let request = Random::new(seed).logs();
        let json = logs_json(&request, Random::new(seed.rotate_left(17)));
        check_same(Signal::Logs, request.encode_to_vec(), json, options)?;
    }

    #[test]
    fn spans_are_the_same_in_protobuf_and_json(seed: u64) {
        let request = Random::new(seed).traces();
        let json = traces_json(&request, Random::new(seed.rotate_left(17)));
        check_same(Signal::Traces, request.encode_to_vec(), json, 0)?;
    }

    #[test]
    fn points_are_the_same_in_protobuf_and_json(seed: u64) {
        let request = Random::new(seed).metrics();
        let json = metrics_json(&request, Random::new(seed.rotate_left(17)));
        check_same(Signal::Metrics, request.encode_to_vec(), json, 0)?;
    }

    #[test]
    fn logs_are_read_as_a_naive_reading_does(seed: u64) {
        let request = Random::new(seed).logs();
        let record = RawRecord { options: 0, ..protobuf(Signal::Logs, request.encode_to_vec()) };
        let decoded = decode(&record).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let expect = model::log_rows(&request, record.received_at.0);
        let found: Vec<[String; 7]> = decoded
            .batches
            .iter()
            .flat_map(|batch| (0..batch.rows.num_rows()).map(|row| {
                ["Timestamp", "TraceId", "SpanId", "ServiceName", "Body", "ResourceAttributes", "LogAttributes"]
                    .map(|column| cell(&batch.rows, column, row))
            }))
            .collect();
        prop_assert_eq!(found, expect);
    }
}
