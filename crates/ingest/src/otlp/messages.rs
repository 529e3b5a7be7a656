//! The messages of OTLP as data: what the JSON names and forms of each field are. Only the JSON
//! side needs this; the protobuf walk names its fields by number where it reads them.

/// A message: its name and the fields that Cairn reads. All others are ignored.
#[derive(Debug)]
pub(crate) struct MessageDef {
    /// Name for error messages.
    pub(crate) name: &'static str,
    fields: &'static [FieldDef],
}

/// A field of a message.
#[derive(Debug)]
pub(crate) struct FieldDef {
    /// Name in JSON, `camelCase`; the protobuf name is accepted too.
    pub(crate) name: &'static str,
    /// Number in protobuf.
    pub(crate) number: u32,
    /// Form of its value.
    pub(crate) kind: FieldKind,
}

/// Form of a field's value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FieldKind {
    /// string
    Text,
    /// bytes, base64 in JSON
    Base64,
    /// trace or span id: bytes, hex in JSON
    Hex,
    /// bool
    Bool,
    /// int64
    Int64,
    /// double
    Double,
    /// fixed64
    Fixed64,
    /// sfixed64
    SignedFixed64,
    /// fixed32
    Fixed32,
    /// uint32, uint64
    Unsigned,
    /// sint32
    Zigzag,
    /// enum, by name or number
    Enum(&'static [(&'static str, u64)]),
    /// a message
    Message(&'static MessageDef),
    /// a list of messages
    Repeated(&'static MessageDef),
    /// a list of numbers, each of the form of this field
    Numbers(&'static FieldDef),
}

impl MessageDef {
    /// The field that JSON calls `name`, in camel or snake case.
    pub(crate) fn field(&self, name: &[u8]) -> Option<&'static FieldDef> {
        self.fields.iter().find(|field| field.is_called(name))
    }
}

impl FieldDef {
    fn is_called(&self, name: &[u8]) -> bool {
        if self.name.as_bytes() == name {
            return true;
        }
        // `timeUnixNano` is `time_unix_nano` too: compare without building the other form.
        let mut given = name.iter();
        for byte in self.name.bytes() {
            if byte.is_ascii_uppercase() && given.next() != Some(&b'_') {
                return false;
            }
            if given.next() != Some(&byte.to_ascii_lowercase()) {
                return false;
            }
        }
        given.next().is_none()
    }
}

const fn field(name: &'static str, number: u32, kind: FieldKind) -> FieldDef {
    FieldDef { name, number, kind }
}

use FieldKind::{
    Base64, Bool, Double, Enum, Fixed32, Fixed64, Hex, Int64, Message, Numbers, Repeated,
    SignedFixed64, Text, Unsigned, Zigzag,
};

/// `ExportLogsServiceRequest`
pub(crate) static LOGS_REQUEST: MessageDef = MessageDef {
    name: "ExportLogsServiceRequest",
    fields: &[field("resourceLogs", 1, Repeated(&RESOURCE_LOGS))],
};

/// `ExportTraceServiceRequest`
pub(crate) static TRACES_REQUEST: MessageDef = MessageDef {
    name: "ExportTraceServiceRequest",
    fields: &[field("resourceSpans", 1, Repeated(&RESOURCE_SPANS))],
};

/// `ExportMetricsServiceRequest`
pub(crate) static METRICS_REQUEST: MessageDef = MessageDef {
    name: "ExportMetricsServiceRequest",
    fields: &[field("resourceMetrics", 1, Repeated(&RESOURCE_METRICS))],
};

static RESOURCE_LOGS: MessageDef = MessageDef {
    name: "ResourceLogs",
    fields: &[
        field("resource", 1, Message(&RESOURCE)),
        field("scopeLogs", 2, Repeated(&SCOPE_LOGS)),
        field("schemaUrl", 3, Text),
    ],
};

static RESOURCE_SPANS: MessageDef = MessageDef {
    name: "ResourceSpans",
    fields: &[
        field("resource", 1, Message(&RESOURCE)),
        field("scopeSpans", 2, Repeated(&SCOPE_SPANS)),
        field("schemaUrl", 3, Text),
    ],
};

static RESOURCE: MessageDef = MessageDef {
    name: "Resource",
    fields: &[field("attributes", 1, Repeated(&KEY_VALUE))],
};

static SCOPE_LOGS: MessageDef = MessageDef {
    name: "ScopeLogs",
    fields: &[
        field("scope", 1, Message(&SCOPE)),
        field("logRecords", 2, Repeated(&LOG_RECORD)),
        field("schemaUrl", 3, Text),
    ],
};

static SCOPE_SPANS: MessageDef = MessageDef {
    name: "ScopeSpans",
    fields: &[
        field("scope", 1, Message(&SCOPE)),
        field("spans", 2, Repeated(&SPAN)),
        field("schemaUrl", 3, Text),
    ],
};

static SCOPE: MessageDef = MessageDef {
    name: "InstrumentationScope",
    fields: &[
        field("name", 1, Text),
        field("version", 2, Text),
        field("attributes", 3, Repeated(&KEY_VALUE)),
        field("droppedAttributesCount", 4, Unsigned),
    ],
};

static LOG_RECORD: MessageDef = MessageDef {
    name: "LogRecord",
    fields: &[
        field("timeUnixNano", 1, Fixed64),
        field("severityNumber", 2, Enum(&SEVERITIES)),
        field("severityText", 3, Text),
        field("body", 5, Message(&ANY_VALUE)),
        field("attributes", 6, Repeated(&KEY_VALUE)),
        field("flags", 8, Fixed32),
        field("traceId", 9, Hex),
        field("spanId", 10, Hex),
        field("observedTimeUnixNano", 11, Fixed64),
        field("eventName", 12, Text),
    ],
};

static SPAN: MessageDef = MessageDef {
    name: "Span",
    fields: &[
        field("traceId", 1, Hex),
        field("spanId", 2, Hex),
        field("traceState", 3, Text),
        field("parentSpanId", 4, Hex),
        field("name", 5, Text),
        field("kind", 6, Enum(&SPAN_KINDS)),
        field("startTimeUnixNano", 7, Fixed64),
        field("endTimeUnixNano", 8, Fixed64),
        field("attributes", 9, Repeated(&KEY_VALUE)),
        field("events", 11, Repeated(&EVENT)),
        field("links", 13, Repeated(&LINK)),
        field("status", 15, Message(&STATUS)),
    ],
};

static EVENT: MessageDef = MessageDef {
    name: "Event",
    fields: &[
        field("timeUnixNano", 1, Fixed64),
        field("name", 2, Text),
        field("attributes", 3, Repeated(&KEY_VALUE)),
    ],
};

static LINK: MessageDef = MessageDef {
    name: "Link",
    fields: &[
        field("traceId", 1, Hex),
        field("spanId", 2, Hex),
        field("traceState", 3, Text),
        field("attributes", 4, Repeated(&KEY_VALUE)),
    ],
};

static STATUS: MessageDef = MessageDef {
    name: "Status",
    fields: &[
        field("message", 2, Text),
        field("code", 3, Enum(&STATUS_CODES)),
    ],
};

static RESOURCE_METRICS: MessageDef = MessageDef {
    name: "ResourceMetrics",
    fields: &[
        field("resource", 1, Message(&RESOURCE)),
        field("scopeMetrics", 2, Repeated(&SCOPE_METRICS)),
        field("schemaUrl", 3, Text),
    ],
};

static SCOPE_METRICS: MessageDef = MessageDef {
    name: "ScopeMetrics",
    fields: &[
        field("scope", 1, Message(&SCOPE)),
        field("metrics", 2, Repeated(&METRIC)),
        field("schemaUrl", 3, Text),
    ],
};

static METRIC: MessageDef = MessageDef {
    name: "Metric",
    fields: &[
        field("name", 1, Text),
        field("description", 2, Text),
        field("unit", 3, Text),
        field("gauge", 5, Message(&GAUGE)),
        field("sum", 7, Message(&SUM)),
        field("histogram", 9, Message(&HISTOGRAM)),
        field("exponentialHistogram", 10, Message(&EXPONENTIAL_HISTOGRAM)),
        field("summary", 11, Message(&SUMMARY)),
    ],
};

static GAUGE: MessageDef = MessageDef {
    name: "Gauge",
    fields: &[field("dataPoints", 1, Repeated(&NUMBER_POINT))],
};

static SUM: MessageDef = MessageDef {
    name: "Sum",
    fields: &[
        field("dataPoints", 1, Repeated(&NUMBER_POINT)),
        field("aggregationTemporality", 2, Enum(&TEMPORALITIES)),
        field("isMonotonic", 3, Bool),
    ],
};

static HISTOGRAM: MessageDef = MessageDef {
    name: "Histogram",
    fields: &[
        field("dataPoints", 1, Repeated(&HISTOGRAM_POINT)),
        field("aggregationTemporality", 2, Enum(&TEMPORALITIES)),
    ],
};

static EXPONENTIAL_HISTOGRAM: MessageDef = MessageDef {
    name: "ExponentialHistogram",
    fields: &[
        field("dataPoints", 1, Repeated(&EXPONENTIAL_POINT)),
        field("aggregationTemporality", 2, Enum(&TEMPORALITIES)),
    ],
};

static SUMMARY: MessageDef = MessageDef {
    name: "Summary",
    fields: &[field("dataPoints", 1, Repeated(&SUMMARY_POINT))],
};

static NUMBER_POINT: MessageDef = MessageDef {
    name: "NumberDataPoint",
    fields: &[
        field("startTimeUnixNano", 2, Fixed64),
        field("timeUnixNano", 3, Fixed64),
        field("asDouble", 4, Double),
        field("exemplars", 5, Repeated(&EXEMPLAR)),
        field("asInt", 6, SignedFixed64),
        field("attributes", 7, Repeated(&KEY_VALUE)),
        field("flags", 8, Unsigned),
    ],
};

static HISTOGRAM_POINT: MessageDef = MessageDef {
    name: "HistogramDataPoint",
    fields: &[
        field("startTimeUnixNano", 2, Fixed64),
        field("timeUnixNano", 3, Fixed64),
        field("count", 4, Fixed64),
        field("sum", 5, Double),
        field("bucketCounts", 6, Numbers(&BUCKET_COUNT)),
        field("explicitBounds", 7, Numbers(&EXPLICIT_BOUND)),
        field("exemplars", 8, Repeated(&EXEMPLAR)),
        field("attributes", 9, Repeated(&KEY_VALUE)),
        field("flags", 10, Unsigned),
        field("min", 11, Double),
        field("max", 12, Double),
    ],
};

static BUCKET_COUNT: FieldDef = field("bucketCounts", 6, Fixed64);
static EXPLICIT_BOUND: FieldDef = field("explicitBounds", 7, Double);

static EXPONENTIAL_POINT: MessageDef = MessageDef {
    name: "ExponentialHistogramDataPoint",
    fields: &[
        field("attributes", 1, Repeated(&KEY_VALUE)),
        field("startTimeUnixNano", 2, Fixed64),
        field("timeUnixNano", 3, Fixed64),
        field("count", 4, Fixed64),
        field("sum", 5, Double),
        field("scale", 6, Zigzag),
        field("zeroCount", 7, Fixed64),
        field("positive", 8, Message(&BUCKETS)),
        field("negative", 9, Message(&BUCKETS)),
        field("flags", 10, Unsigned),
        field("exemplars", 11, Repeated(&EXEMPLAR)),
        field("min", 12, Double),
        field("max", 13, Double),
    ],
};

static BUCKETS: MessageDef = MessageDef {
    name: "Buckets",
    fields: &[
        field("offset", 1, Zigzag),
        field("bucketCounts", 2, Numbers(&EXPONENTIAL_COUNT)),
    ],
};

static EXPONENTIAL_COUNT: FieldDef = field("bucketCounts", 2, Unsigned);

static SUMMARY_POINT: MessageDef = MessageDef {
    name: "SummaryDataPoint",
    fields: &[
        field("startTimeUnixNano", 2, Fixed64),
        field("timeUnixNano", 3, Fixed64),
        field("count", 4, Fixed64),
        field("sum", 5, Double),
        field("quantileValues", 6, Repeated(&QUANTILE)),
        field("attributes", 7, Repeated(&KEY_VALUE)),
        field("flags", 8, Unsigned),
    ],
};

static QUANTILE: MessageDef = MessageDef {
    name: "ValueAtQuantile",
    fields: &[field("quantile", 1, Double), field("value", 2, Double)],
};

static EXEMPLAR: MessageDef = MessageDef {
    name: "Exemplar",
    fields: &[
        field("timeUnixNano", 2, Fixed64),
        field("asDouble", 3, Double),
        field("spanId", 4, Hex),
        field("traceId", 5, Hex),
        field("asInt", 6, SignedFixed64),
        field("filteredAttributes", 7, Repeated(&KEY_VALUE)),
    ],
};

static KEY_VALUE: MessageDef = MessageDef {
    name: "KeyValue",
    fields: &[
        field("key", 1, Text),
        field("value", 2, Message(&ANY_VALUE)),
    ],
};

static ANY_VALUE: MessageDef = MessageDef {
    name: "AnyValue",
    fields: &[
        field("stringValue", 1, Text),
        field("boolValue", 2, Bool),
        field("intValue", 3, Int64),
        field("doubleValue", 4, Double),
        field("arrayValue", 5, Message(&ARRAY_VALUE)),
        field("kvlistValue", 6, Message(&KEY_VALUE_LIST)),
        field("bytesValue", 7, Base64),
    ],
};

static ARRAY_VALUE: MessageDef = MessageDef {
    name: "ArrayValue",
    fields: &[field("values", 1, Repeated(&ANY_VALUE))],
};

static KEY_VALUE_LIST: MessageDef = MessageDef {
    name: "KeyValueList",
    fields: &[field("values", 1, Repeated(&KEY_VALUE))],
};

static SPAN_KINDS: [(&str, u64); 6] = [
    ("SPAN_KIND_UNSPECIFIED", 0),
    ("SPAN_KIND_INTERNAL", 1),
    ("SPAN_KIND_SERVER", 2),
    ("SPAN_KIND_CLIENT", 3),
    ("SPAN_KIND_PRODUCER", 4),
    ("SPAN_KIND_CONSUMER", 5),
];

static STATUS_CODES: [(&str, u64); 3] = [
    ("STATUS_CODE_UNSET", 0),
    ("STATUS_CODE_OK", 1),
    ("STATUS_CODE_ERROR", 2),
];

static TEMPORALITIES: [(&str, u64); 3] = [
    ("AGGREGATION_TEMPORALITY_UNSPECIFIED", 0),
    ("AGGREGATION_TEMPORALITY_DELTA", 1),
    ("AGGREGATION_TEMPORALITY_CUMULATIVE", 2),
];

static SEVERITIES: [(&str, u64); 25] = [
    ("SEVERITY_NUMBER_UNSPECIFIED", 0),
    ("SEVERITY_NUMBER_TRACE", 1),
    ("SEVERITY_NUMBER_TRACE2", 2),
    ("SEVERITY_NUMBER_TRACE3", 3),
    ("SEVERITY_NUMBER_TRACE4", 4),
    ("SEVERITY_NUMBER_DEBUG", 5),
    ("SEVERITY_NUMBER_DEBUG2", 6),
    ("SEVERITY_NUMBER_DEBUG3", 7),
    ("SEVERITY_NUMBER_DEBUG4", 8),
    ("SEVERITY_NUMBER_INFO", 9),
    ("SEVERITY_NUMBER_INFO2", 10),
    ("SEVERITY_NUMBER_INFO3", 11),
    ("SEVERITY_NUMBER_INFO4", 12),
    ("SEVERITY_NUMBER_WARN", 13),
    ("SEVERITY_NUMBER_WARN2", 14),
    ("SEVERITY_NUMBER_WARN3", 15),
    ("SEVERITY_NUMBER_WARN4", 16),
    ("SEVERITY_NUMBER_ERROR", 17),
    ("SEVERITY_NUMBER_ERROR2", 18),
    ("SEVERITY_NUMBER_ERROR3", 19),
    ("SEVERITY_NUMBER_ERROR4", 20),
    ("SEVERITY_NUMBER_FATAL", 21),
    ("SEVERITY_NUMBER_FATAL2", 22),
    ("SEVERITY_NUMBER_FATAL3", 23),
    ("SEVERITY_NUMBER_FATAL4", 24),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_camel_and_snake_case() {
        let number = |name: &str| LOG_RECORD.field(name.as_bytes()).map(|field| field.number);
        assert_eq!(number("observedTimeUnixNano"), Some(11));
        assert_eq!(number("observed_time_unix_nano"), Some(11));
        assert_eq!(number("body"), Some(5));
        assert_eq!(number("observed_timeUnixNano"), None);
        assert_eq!(number("observedtimeunixnano"), None);
        assert_eq!(number("bod"), None);
        assert_eq!(number("bodyy"), None);
        assert_eq!(number(""), None);
    }
}
