//! The mapping of data points, field by field, against messages encoded by the official types.

use cairn_storage::{Nanos, TableDef, TableId};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary,
    SummaryDataPoint, exemplar, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use super::decode;
use crate::limits::{MAX_BUCKETS_COUNT, MAX_EXEMPLARS_COUNT, MAX_LABEL_BYTES};
use crate::notes::Tally;
use crate::test_rows::cell;

const NOW: Nanos = Nanos(1_700_000_000_000_000_000);
/// A second and a half after [`NOW`].
const LATER: u64 = 1_700_000_001_500_000_000;

fn pair(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            value: Some(Value::StringValue(value.to_owned())),
        }),
        ..KeyValue::default()
    }
}

fn request(metrics: Vec<Metric>) -> Vec<u8> {
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(Resource {
                attributes: vec![pair("service.name", "shop"), pair("host", "a")],
                ..Resource::default()
            }),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(InstrumentationScope {
                    name: "lib".to_owned(),
                    version: "1".to_owned(),
                    attributes: vec![pair("team", "x")],
                    dropped_attributes_count: 2,
                }),
                metrics,
                schema_url: "scope-url".to_owned(),
            }],
            schema_url: "resource-url".to_owned(),
        }],
    }
    .encode_to_vec()
}

fn metric(name: &str, data: Data) -> Metric {
    Metric {
        name: name.to_owned(),
        description: "what it is".to_owned(),
        unit: "ms".to_owned(),
        data: Some(data),
        ..Metric::default()
    }
}

/// The one batch that the metrics become, compared cell by cell.
fn check(table: TableId, metrics: Vec<Metric>, expect: &[(usize, &str, &str)]) -> Tally {
    let (batches, tally) = decode(&request(metrics), NOW).unwrap();
    let [batch] = batches.as_slice() else {
        panic!("{} batches", batches.len());
    };
    assert_eq!(batch.table, table);
    assert_eq!(batch.rows.schema(), TableDef::of(table).write_schema());
    for (row, column, value) in expect {
        assert_eq!(cell(&batch.rows, column, *row), *value, "{column}");
    }
    tally
}

fn number(value: Option<number_data_point::Value>) -> NumberDataPoint {
    NumberDataPoint {
        time_unix_nano: LATER,
        value,
        ..NumberDataPoint::default()
    }
}

fn gauge(data_points: Vec<NumberDataPoint>) -> Data {
    Data::Gauge(Gauge { data_points })
}

#[test]
fn a_gauge_carries_resource_scope_metric_and_point() {
    let point = NumberDataPoint {
        attributes: vec![pair("b", "2"), pair("a", "1")],
        start_time_unix_nano: 1_600_000_000_999_999_999,
        flags: 1,
        ..number(Some(number_data_point::Value::AsDouble(1.5)))
    };
    let tally = check(
        TableId::MetricsGauge,
        vec![metric("cpu", gauge(vec![point]))],
        &[
            (0, "ResourceAttributes", "{host=a, service.name=shop}"),
            (0, "ResourceSchemaUrl", "resource-url"),
            (0, "ScopeName", "lib"),
            (0, "ScopeVersion", "1"),
            (0, "ScopeAttributes", "{team=x}"),
            (0, "ScopeDroppedAttrCount", "2"),
            (0, "ScopeSchemaUrl", "scope-url"),
            (0, "ServiceName", "shop"),
            (0, "MetricName", "cpu"),
            (0, "MetricDescription", "what it is"),
            (0, "MetricUnit", "ms"),
            (0, "Attributes", "{a=1, b=2}"),
            (0, "StartTimeUnix", "1600000000000000000"),
            (0, "TimeUnix", "1700000001000000000"),
            (0, "Value", "1.5"),
            (0, "Flags", "1"),
            (0, "Exemplars.Value", "[]"),
        ],
    );
    assert_eq!((tally.accepted, tally.rejections.total()), (1, 0));
}

#[test]
fn values_may_be_whole_absent_or_not_finite() {
    use number_data_point::Value::{AsDouble, AsInt};
    let values = [
        Some(AsInt(-7)),
        None,
        Some(AsDouble(f64::NAN)),
        Some(AsDouble(f64::NEG_INFINITY)),
    ];
    let points = values.into_iter().map(number).collect();
    check(
        TableId::MetricsGauge,
        vec![metric("m", gauge(points))],
        &[
            (0, "Value", "-7.0"),
            (1, "Value", "0.0"),
            (2, "Value", "NaN"),
            (3, "Value", "-inf"),
            (0, "StartTimeUnix", "0"),
        ],
    );
}

#[test]
fn a_point_without_a_time_is_dated_by_its_arrival_and_far_ones_are_clamped() {
    let at = |time_unix_nano| NumberDataPoint {
        time_unix_nano,
        ..NumberDataPoint::default()
    };
    let tally = check(
        TableId::MetricsGauge,
        vec![metric("m", gauge(vec![at(0), at(u64::MAX)]))],
        &[
            (0, "TimeUnix", "1700000000000000000"),
            (1, "TimeUnix", "4294967295000000000"),
        ],
    );
    assert_eq!(
        (tally.notes.missing_times, tally.notes.clamped_times),
        (1, 1)
    );
}

#[test]
fn a_sum_has_its_temporality_wherever_it_stands() {
    let sum = |aggregation_temporality, is_monotonic| {
        Data::Sum(Sum {
            data_points: vec![number(None)],
            aggregation_temporality,
            is_monotonic,
        })
    };
    let metrics = vec![metric("a", sum(2, true)), metric("b", sum(1, false))];
    check(
        TableId::MetricsSum,
        metrics,
        &[
            (0, "AggregationTemporality", "2"),
            (0, "IsMonotonic", "true"),
            (1, "AggregationTemporality", "1"),
            (1, "IsMonotonic", "false"),
            (1, "MetricName", "b"),
        ],
    );
}

#[test]
fn exemplars_are_parallel_lists_and_keep_zero_ids() {
    let exemplars = vec![
        Exemplar {
            filtered_attributes: vec![pair("k", "v")],
            time_unix_nano: LATER,
            span_id: vec![0xab; 8],
            trace_id: vec![0xcd; 16],
            value: Some(exemplar::Value::AsDouble(0.5)),
        },
        Exemplar {
            value: Some(exemplar::Value::AsInt(3)),
            trace_id: vec![1; 3],
            ..Exemplar::default()
        },
    ];
    let point = NumberDataPoint {
        exemplars,
        ..number(None)
    };
    let zeros = "0".repeat(32);
    let tally = check(
        TableId::MetricsGauge,
        vec![metric("m", gauge(vec![point, number(None)]))],
        &[
            (0, "Exemplars.FilteredAttributes", "[{k=v}, {}]"),
            (
                0,
                "Exemplars.TimeUnix",
                "[1700000001000000000, 1700000001000000000]",
            ),
            (0, "Exemplars.Value", "[0.5, 3.0]"),
            (
                0,
                "Exemplars.SpanId",
                "[abababababababab, 0000000000000000]",
            ),
            (
                0,
                "Exemplars.TraceId",
                &format!("[{}, {zeros}]", "cd".repeat(16)),
            ),
            (1, "Exemplars.TraceId", "[]"),
        ],
    );
    assert_eq!(tally.notes.invalid_ids, 1);
}

#[test]
fn a_histogram_keeps_counts_bounds_and_extremes() {
    let point = HistogramDataPoint {
        time_unix_nano: LATER,
        count: u64::MAX,
        sum: Some(12.25),
        bucket_counts: vec![1, 0, u64::MAX],
        explicit_bounds: vec![0.5, f64::INFINITY],
        flags: 1,
        min: Some(-1.0),
        ..HistogramDataPoint::default()
    };
    let empty = HistogramDataPoint::default();
    let data = Data::Histogram(Histogram {
        data_points: vec![point, empty],
        aggregation_temporality: 1,
    });
    check(
        TableId::MetricsHistogram,
        vec![metric("h", data)],
        &[
            (0, "Count", "18446744073709551615"),
            (0, "Sum", "12.25"),
            (0, "BucketCounts", "[1, 0, 18446744073709551615]"),
            (0, "ExplicitBounds", "[0.5, inf]"),
            (0, "Flags", "1"),
            (0, "Min", "-1.0"),
            (0, "Max", "0.0"),
            (0, "AggregationTemporality", "1"),
            (1, "Count", "0"),
            (1, "BucketCounts", "[]"),
        ],
    );
}

#[test]
fn an_exponential_histogram_keeps_both_sides() {
    let point = ExponentialHistogramDataPoint {
        time_unix_nano: LATER,
        count: 6,
        sum: Some(3.0),
        scale: -3,
        zero_count: 2,
        positive: Some(Buckets {
            offset: -5,
            bucket_counts: vec![1, 300, 0],
        }),
        negative: Some(Buckets {
            offset: 7,
            bucket_counts: vec![4],
        }),
        max: Some(9.0),
        ..ExponentialHistogramDataPoint::default()
    };
    let empty = ExponentialHistogramDataPoint::default();
    let data = Data::ExponentialHistogram(ExponentialHistogram {
        data_points: vec![point, empty],
        aggregation_temporality: 2,
    });
    check(
        TableId::MetricsExponentialHistogram,
        vec![metric("e", data)],
        &[
            (0, "Count", "6"),
            (0, "Scale", "-3"),
            (0, "ZeroCount", "2"),
            (0, "PositiveOffset", "-5"),
            (0, "PositiveBucketCounts", "[1, 300, 0]"),
            (0, "NegativeOffset", "7"),
            (0, "NegativeBucketCounts", "[4]"),
            (0, "Max", "9.0"),
            (0, "AggregationTemporality", "2"),
            (1, "PositiveOffset", "0"),
            (1, "PositiveBucketCounts", "[]"),
        ],
    );
}

#[test]
fn a_summary_keeps_its_quantiles() {
    let point = SummaryDataPoint {
        time_unix_nano: LATER,
        count: 10,
        sum: 5.5,
        quantile_values: vec![
            ValueAtQuantile {
                quantile: 0.5,
                value: 1.0,
            },
            ValueAtQuantile {
                quantile: 0.99,
                value: 4.0,
            },
        ],
        ..SummaryDataPoint::default()
    };
    let data = Data::Summary(Summary {
        data_points: vec![point],
    });
    check(
        TableId::MetricsSummary,
        vec![metric("s", data)],
        &[
            (0, "Count", "10"),
            (0, "Sum", "5.5"),
            (0, "ValueAtQuantiles.Quantile", "[0.5, 0.99]"),
            (0, "ValueAtQuantiles.Value", "[1.0, 4.0]"),
            (0, "Flags", "0"),
        ],
    );
}

#[test]
fn the_points_of_one_request_go_to_the_tables_of_their_kinds_with_their_own_resources() {
    let of_service = |service: &str, data: Data| ResourceMetrics {
        resource: Some(Resource {
            attributes: vec![pair("service.name", service)],
            ..Resource::default()
        }),
        scope_metrics: vec![ScopeMetrics {
            metrics: vec![metric(service, data)],
            ..ScopeMetrics::default()
        }],
        ..ResourceMetrics::default()
    };
    let sum = Data::Sum(Sum {
        data_points: vec![number(None)],
        ..Sum::default()
    });
    let request = ExportMetricsServiceRequest {
        resource_metrics: vec![
            of_service("one", gauge(vec![number(None)])),
            of_service("two", sum),
            of_service("three", gauge(vec![number(None), number(None)])),
            of_service("four", gauge(Vec::new())),
        ],
    };
    let (batches, tally) = decode(&request.encode_to_vec(), NOW).unwrap();
    let found: Vec<_> = batches
        .iter()
        .flat_map(|batch| {
            (0..batch.rows.num_rows()).map(|row| {
                let service = cell(&batch.rows, "ServiceName", row);
                assert_eq!(cell(&batch.rows, "MetricName", row), service);
                assert_eq!(
                    cell(&batch.rows, "ResourceAttributes", row),
                    format!("{{service.name={service}}}")
                );
                (batch.table, service)
            })
        })
        .collect();
    let expect = [
        (TableId::MetricsGauge, "one"),
        (TableId::MetricsGauge, "three"),
        (TableId::MetricsGauge, "three"),
        (TableId::MetricsSum, "two"),
    ];
    assert_eq!(found, expect.map(|(table, name)| (table, name.to_owned())));
    assert_eq!(tally.accepted, 4);
}

#[test]
fn points_that_pass_a_bound_are_rejected_alone() {
    let buckets = Data::Histogram(Histogram {
        data_points: vec![
            HistogramDataPoint {
                bucket_counts: vec![1; MAX_BUCKETS_COUNT + 1],
                ..HistogramDataPoint::default()
            },
            HistogramDataPoint {
                explicit_bounds: vec![1.0; MAX_BUCKETS_COUNT],
                ..HistogramDataPoint::default()
            },
        ],
        ..Histogram::default()
    });
    let crowded = NumberDataPoint {
        exemplars: vec![Exemplar::default(); MAX_EXEMPLARS_COUNT + 1],
        ..number(None)
    };
    let metrics = vec![
        metric("buckets", buckets),
        metric("exemplars", gauge(vec![crowded])),
        metric(
            &"n".repeat(MAX_LABEL_BYTES + 1),
            gauge(vec![number(None); 3]),
        ),
    ];
    let tally = check(
        TableId::MetricsHistogram,
        metrics,
        &[(0, "BucketCounts", "[]")],
    );
    assert_eq!((tally.accepted, tally.rejections.total()), (1, 5));
}
