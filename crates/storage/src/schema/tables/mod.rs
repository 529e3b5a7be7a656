//! Our tables as data: one file a table. Names and types are those of ClickStack's store.

mod logs;
mod metrics;
mod traces;

use logs::LOGS;
use metrics::{EXPONENTIAL_HISTOGRAM, GAUGE, HISTOGRAM, SUM, SUMMARY};
use traces::TRACES;

use super::column::{Column, ColumnKind, NumberType};
use super::table::TableDef;
use crate::ids::TableId;

impl TableDef {
    /// The definition of `table`.
    #[must_use]
    pub fn of(table: TableId) -> &'static Self {
        match table {
            TableId::Logs => &LOGS,
            TableId::Traces => &TRACES,
            TableId::MetricsGauge => &GAUGE,
            TableId::MetricsSum => &SUM,
            TableId::MetricsHistogram => &HISTOGRAM,
            TableId::MetricsExponentialHistogram => &EXPONENTIAL_HISTOGRAM,
            TableId::MetricsSummary => &SUMMARY,
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
    fn every_table_starts_with_its_time_and_has_its_cluster_column() {
        for id in TableId::ALL {
            let table = TableDef::of(id);
            assert_eq!(table.id, id);
            let time = table.columns[0].kind;
            assert!(
                matches!(time, ColumnKind::Timestamp | ColumnKind::Seconds),
                "{id}"
            );
            assert!(table.time_position < table.columns.len(), "{id}");
            assert!(table.column(table.cluster_column).is_some(), "{id}");
        }
    }
}
