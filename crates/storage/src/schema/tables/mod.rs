//! Our tables as data: one file a table. Names and types are those of ClickStack's store.

mod logs;
mod traces;

pub(super) use logs::LOGS;
pub(super) use traces::TRACES;

use super::column::{Column, ColumnKind};

const fn column(name: &'static str, kind: ColumnKind, doc: &'static str) -> Column {
    Column { name, kind, doc }
}
