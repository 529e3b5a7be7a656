//! Our tables as data: one file a table. Names and types are those of ClickStack's store.

mod logs;
mod traces;

use logs::LOGS;
use traces::TRACES;

use super::column::{Column, ColumnKind};
use super::table::TableDef;
use crate::ids::TableId;

impl TableDef {
    /// The definition of `table`.
    #[must_use]
    pub fn of(table: TableId) -> &'static Self {
        match table {
            TableId::Logs => &LOGS,
            TableId::Traces => &TRACES,
        }
    }
}

const fn column(name: &'static str, kind: ColumnKind, doc: &'static str) -> Column {
    Column { name, kind, doc }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_starts_with_its_timestamp_and_has_its_cluster_column() {
        for id in TableId::ALL {
            let table = TableDef::of(id);
            assert_eq!(table.id, id);
            assert_eq!(table.index_of("Timestamp"), Some(0));
            assert!(table.column(table.cluster_column).is_some(), "{id}");
        }
    }
}
