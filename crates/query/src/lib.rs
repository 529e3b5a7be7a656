//! ClickHouse SQL over DataFusion.

mod aggregates;
mod analyze;
mod answer;
mod catalog;
mod control;
mod engine;
mod error;
mod facts;
mod functions;
mod insert;
mod limits;
mod lower;
mod optimize;
mod scan;
mod session;
mod syntax;
mod types;

pub use answer::{
    Access, Answer, AnswerColumn, Ceiling, EngineConfig, EngineStats, KillMode, Query, Refusal,
};
pub use control::{Cancel, Progress};
pub use engine::Engine;
pub use error::{ErrorCode, QueryError, Result};
pub use facts::{
    DiskFact, FigureFact, FormatFact, LoggedFact, LoggedKind, RunningFact, SenderFact, ServerFacts,
    WorkFact,
};
pub use insert::{InsertTarget, column_of, insert_target, read_text, value_at};
pub use syntax::{InsertColumns, InsertHead, InsertSource, parse_insert};
pub use types::{IntervalUnit, Type, Value};
