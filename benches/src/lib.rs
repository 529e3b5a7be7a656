//! Made-up telemetry for benchmarks: a shop of services, always the same for the same seed, written
//! as OTLP protobuf fast enough that making it costs little beside storing it.
//!
//! Batch `k` of a configuration is the same bytes on every machine and in any order of asking.

mod config;
mod fixture;
mod landscape;
mod logs;
mod points;
mod random;
mod spans;
mod template;
mod traces;
mod wire;

pub use config::{GeneratorConfig, Timeline};
pub use fixture::{Load, open_store, open_store_with, record_of};
pub use landscape::Landscape;
pub use logs::LogGenerator;
pub use points::PointGenerator;
pub use spans::SpanGenerator;
