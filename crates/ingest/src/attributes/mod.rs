//! OTLP attributes and values as text: key-value sets, resources and scopes. Knows nothing of logs,
//! spans or metrics.

mod envelope;
mod flatten;
mod resource;
mod set;
mod value;

pub(crate) use envelope::{Envelope, EnvelopeArrays, MessageNames, RecordSink, Shared};
pub(crate) use flatten::{flatten_json, flatten_map};
pub(crate) use set::AttributeSet;
pub(crate) use value::{AnyValue, append_text};
