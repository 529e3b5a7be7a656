//! Conditions that name the ids they want: a row group whose id filter knows none of them has no matching row.

use super::condition::{Condition, Ordered, Test, TextTest};
use super::evaluate::id_bytes;
use crate::predicate::{CompareOp, ScanColumn};
use crate::schema::{ColumnKind, TableDef};

/// Bytes of a trace id.
const TRACE_ID_BYTES: usize = 16;

/// The column and the trace ids of which a row that meets `condition` has one; none when it may have another or none.
pub(super) fn wanted_ids(table: &TableDef, condition: &Condition) -> Option<(usize, Vec<Vec<u8>>)> {
    let Condition::Test(test) = condition else {
        return None;
    };
    let ScanColumn::Stored(name) = &test.column else {
        return None;
    };
    let column = table.index_of(name)?;
    if table.columns.get(column)?.kind != ColumnKind::TraceId {
        return None;
    }
    let Test::Text(TextTest::Ordered(ordered)) = &test.test else {
        return None;
    };
    let texts: Vec<&Vec<u8>> = match ordered {
        Ordered::Compare(CompareOp::Equal, text) => vec![text],
        Ordered::In(texts) => texts.iter().collect(),
        Ordered::Compare(..) => return None,
    };
    // The empty text stands for rows without an id, which the filter does not know.
    if texts.iter().any(|text| text.is_empty()) {
        return None;
    }
    // A text that is not an id in lower-case hex equals none.
    let ids = texts
        .iter()
        .filter_map(|text| id_bytes(text, TRACE_ID_BYTES));
    Some((column, ids.collect()))
}
