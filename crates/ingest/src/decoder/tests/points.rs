//! Random metrics, and the same metrics as OTLP/JSON.

use std::fmt::Write;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary,
    SummaryDataPoint, exemplar, number_data_point,
};

use super::generate::Random;
use super::json_text::JsonText;

impl Random {
    pub(super) fn metrics(&mut self) -> ExportMetricsServiceRequest {
        ExportMetricsServiceRequest {
            resource_metrics: self.list(3, |random| ResourceMetrics {
                resource: random.resource(),
                scope_metrics: random.list(2, |random| ScopeMetrics {
                    scope: random.scope(),
                    metrics: random.list(5, Self::metric),
                    schema_url: random.text(),
                }),
                schema_url: random.text(),
            }),
        }
    }

    fn metric(&mut self) -> Metric {
        let aggregation_temporality = self.pick(&[0, 1, 2, 3, -1]);
        let data = match self.below(6) {
            0 => None,
            1 => Some(Data::Gauge(Gauge {
                data_points: self.list(3, Self::number_point),
            })),
            2 => Some(Data::Sum(Sum {
                data_points: self.list(3, Self::number_point),
                aggregation_temporality,
                is_monotonic: self.coin(),
            })),
            3 => Some(Data::Histogram(Histogram {
                data_points: self.list(3, Self::histogram_point),
                aggregation_temporality,
            })),
            4 => Some(Data::ExponentialHistogram(ExponentialHistogram {
                data_points: self.list(3, Self::exponential_point),
                aggregation_temporality,
            })),
            _ => Some(Data::Summary(Summary {
                data_points: self.list(3, Self::summary_point),
            })),
        };
        Metric {
            name: self.text(),
            description: self.text(),
            unit: self.text(),
            metadata: self.attributes(),
            data,
        }
    }

    /// Without -0, which the official encoder leaves out of fields that have no presence.
    fn unsigned_zero(&mut self) -> f64 {
        self.double() + 0.0
    }

    fn maybe_double(&mut self) -> Option<f64> {
        self.coin().then(|| self.double())
    }

    fn int(&mut self) -> i64 {
        self.pick(&[0, 7, -7, i64::MIN, i64::MAX])
    }

    fn exemplar(&mut self) -> Exemplar {
        Exemplar {
            filtered_attributes: self.attributes(),
            time_unix_nano: self.time(),
            span_id: self.id(8),
            trace_id: self.id(16),
            value: match self.below(3) {
                0 => None,
                1 => Some(exemplar::Value::AsDouble(self.double())),
                _ => Some(exemplar::Value::AsInt(self.int())),
            },
        }
    }

    fn number_point(&mut self) -> NumberDataPoint {
        NumberDataPoint {
            attributes: self.attributes(),
            start_time_unix_nano: self.time(),
            time_unix_nano: self.time(),
            exemplars: self.list(2, Self::exemplar),
            flags: self.pick(&[0, 1, u32::MAX]),
            value: match self.below(3) {
                0 => None,
                1 => Some(number_data_point::Value::AsDouble(self.double())),
                _ => Some(number_data_point::Value::AsInt(self.int())),
            },
        }
    }

    fn histogram_point(&mut self) -> HistogramDataPoint {
        HistogramDataPoint {
            attributes: self.attributes(),
            start_time_unix_nano: self.time(),
            time_unix_nano: self.time(),
            count: self.pick(&[0, 5, u64::MAX]),
            sum: self.maybe_double(),
            bucket_counts: self.list(4, |random| random.pick(&[0, 1, 300, u64::MAX])),
            explicit_bounds: self.list(3, Self::double),
            exemplars: self.list(2, Self::exemplar),
            flags: self.pick(&[0, 1]),
            min: self.maybe_double(),
            max: self.maybe_double(),
        }
    }

    fn buckets(&mut self) -> Option<Buckets> {
        self.coin().then(|| Buckets {
            offset: self.pick(&[0, 1, -1, i32::MIN, i32::MAX]),
            bucket_counts: self.list(4, |random| random.pick(&[0, 1, 300, u64::MAX])),
        })
    }

    fn exponential_point(&mut self) -> ExponentialHistogramDataPoint {
        ExponentialHistogramDataPoint {
            attributes: self.attributes(),
            start_time_unix_nano: self.time(),
            time_unix_nano: self.time(),
            count: self.pick(&[0, 5, u64::MAX]),
            sum: self.maybe_double(),
            scale: self.pick(&[0, 20, -10, i32::MIN, i32::MAX]),
            zero_count: self.pick(&[0, 2, u64::MAX]),
            positive: self.buckets(),
            negative: self.buckets(),
            flags: self.pick(&[0, 1]),
            exemplars: self.list(2, Self::exemplar),
            min: self.maybe_double(),
            max: self.maybe_double(),
            zero_threshold: self.double(),
        }
    }

    fn summary_point(&mut self) -> SummaryDataPoint {
        SummaryDataPoint {
            attributes: self.attributes(),
            start_time_unix_nano: self.time(),
            time_unix_nano: self.time(),
            count: self.pick(&[0, 5, u64::MAX]),
            sum: self.unsigned_zero(),
            quantile_values: self.list(3, |random| ValueAtQuantile {
                quantile: random.unsigned_zero(),
                value: random.unsigned_zero(),
            }),
            flags: self.pick(&[0, 1]),
        }
    }
}

pub(super) fn metrics_json(request: &ExportMetricsServiceRequest, random: Random) -> String {
    let mut json = JsonText::new(random);
    json.object(|json| {
        json.list(
            "resourceMetrics",
            &request.resource_metrics,
            |json, item| {
                json.resource(item.resource.as_ref());
                json.list("scopeMetrics", &item.scope_metrics, |json, item| {
                    json.scope(item.scope.as_ref());
                    json.list("metrics", &item.metrics, JsonText::metric);
                    json.string("schemaUrl", &item.schema_url);
                });
                json.string("schemaUrl", &item.schema_url);
            },
        );
    });
    json.out
}

impl JsonText {
    fn metric(&mut self, metric: &Metric) {
        self.string("name", &metric.name);
        self.string("description", &metric.description);
        self.string("unit", &metric.unit);
        match &metric.data {
            None => {}
            Some(Data::Gauge(gauge)) => self.message("gauge", |json| {
                json.list("dataPoints", &gauge.data_points, Self::number_point);
            }),
            Some(Data::Sum(sum)) => self.message("sum", |json| {
                json.list("dataPoints", &sum.data_points, Self::number_point);
                json.temporality(sum.aggregation_temporality);
                json.name("isMonotonic");
                write!(json.out, "{},", sum.is_monotonic).unwrap();
            }),
            Some(Data::Histogram(histogram)) => self.message("histogram", |json| {
                json.temporality(histogram.aggregation_temporality);
                json.list("dataPoints", &histogram.data_points, Self::histogram_point);
            }),
            Some(Data::ExponentialHistogram(histogram)) => {
                self.message("exponentialHistogram", |json| {
                    json.temporality(histogram.aggregation_temporality);
                    json.list(
                        "dataPoints",
                        &histogram.data_points,
                        Self::exponential_point,
                    );
                });
            }
            Some(Data::Summary(summary)) => self.message("summary", |json| {
                json.list("dataPoints", &summary.data_points, Self::summary_point);
            }),
        }
    }

    fn temporality(&mut self, value: i32) {
        let names = [
            "AGGREGATION_TEMPORALITY_UNSPECIFIED",
            "AGGREGATION_TEMPORALITY_DELTA",
            "AGGREGATION_TEMPORALITY_CUMULATIVE",
        ];
        self.choice("aggregationTemporality", value, &names);
    }

    fn exemplar(&mut self, exemplar: &Exemplar) {
        self.list(
            "filteredAttributes",
            &exemplar.filtered_attributes,
            Self::pair,
        );
        self.number("timeUnixNano", exemplar.time_unix_nano);
        self.hex("spanId", &exemplar.span_id);
        self.hex("traceId", &exemplar.trace_id);
        match exemplar.value {
            None => {}
            Some(exemplar::Value::AsDouble(value)) => self.double("asDouble", value),
            Some(exemplar::Value::AsInt(value)) => self.number("asInt", value),
        }
    }

    fn number_point(&mut self, point: &NumberDataPoint) {
        self.attributes(&point.attributes);
        self.number("startTimeUnixNano", point.start_time_unix_nano);
        self.number("timeUnixNano", point.time_unix_nano);
        self.list("exemplars", &point.exemplars, Self::exemplar);
        self.number("flags", point.flags);
        match point.value {
            None => {}
            Some(number_data_point::Value::AsDouble(value)) => self.double("asDouble", value),
            Some(number_data_point::Value::AsInt(value)) => self.number("asInt", value),
        }
    }

    fn maybe_double(&mut self, name: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.double(name, value);
        }
    }

    fn counts(&mut self, counts: &[u64]) {
        self.numbers("bucketCounts", counts, |json, count| {
            let quote = if json.random.coin() { "\"" } else { "" };
            write!(json.out, "{quote}{count}{quote}").unwrap();
        });
    }

    fn histogram_point(&mut self, point: &HistogramDataPoint) {
        self.attributes(&point.attributes);
        self.number("startTimeUnixNano", point.start_time_unix_nano);
        self.number("timeUnixNano", point.time_unix_nano);
        self.number("count", point.count);
        self.maybe_double("sum", point.sum);
        self.counts(&point.bucket_counts);
        self.numbers("explicitBounds", &point.explicit_bounds, Self::plain_double);
        self.list("exemplars", &point.exemplars, Self::exemplar);
        self.number("flags", point.flags);
        self.maybe_double("min", point.min);
        self.maybe_double("max", point.max);
    }

    fn buckets(&mut self, name: &str, buckets: Option<&Buckets>) {
        if let Some(buckets) = buckets {
            self.message(name, |json| {
                json.number("offset", buckets.offset);
                json.counts(&buckets.bucket_counts);
            });
        }
    }

    fn exponential_point(&mut self, point: &ExponentialHistogramDataPoint) {
        self.attributes(&point.attributes);
        self.number("startTimeUnixNano", point.start_time_unix_nano);
        self.number("timeUnixNano", point.time_unix_nano);
        self.number("count", point.count);
        self.maybe_double("sum", point.sum);
        self.number("scale", point.scale);
        self.number("zeroCount", point.zero_count);
        self.buckets("positive", point.positive.as_ref());
        self.buckets("negative", point.negative.as_ref());
        self.number("flags", point.flags);
        self.list("exemplars", &point.exemplars, Self::exemplar);
        self.maybe_double("min", point.min);
        self.maybe_double("max", point.max);
        self.double("zeroThreshold", point.zero_threshold);
    }

    fn summary_point(&mut self, point: &SummaryDataPoint) {
        self.attributes(&point.attributes);
        self.number("startTimeUnixNano", point.start_time_unix_nano);
        self.number("timeUnixNano", point.time_unix_nano);
        self.number("count", point.count);
        self.double("sum", point.sum);
        self.list("quantileValues", &point.quantile_values, |json, value| {
            json.double("quantile", value.quantile);
            json.double("value", value.value);
        });
        self.number("flags", point.flags);
    }
}
