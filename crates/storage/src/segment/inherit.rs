//! How the columns of a merged segment lie in its file: decided before the first row from what its inputs are like.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use parquet::file::metadata::ParquetMetaData;

use super::columns::ColumnPlan;
use super::live::LiveSegment;
use super::maps::Promoted;
use super::meta::ColumnStats;
use super::promote::PromoteLimits;
use super::writer::{NewSegment, SegmentWriter};
use crate::error::Result;
use crate::io::Disk;
use crate::names::DataDir;
use crate::schema::TableDef;

/// Starts the file that the rows of `inputs` go to.
pub(crate) fn start_merged<'a>(
    disk: &'a dyn Disk,
    dirs: &DataDir,
    target: NewSegment,
    inputs: &[Arc<LiveSegment>],
) -> Result<SegmentWriter<'a>> {
    let plans = plans(target.table, inputs, target.sizes.promote)?;
    SegmentWriter::create(disk, dirs, target, plans)
}

/// What is known of a key.
#[derive(Debug, Default)]
struct KeyFacts {
    /// Rows that have it, as far as it is known.
    rows: u64,
    /// Whether an input has a column for it.
    promoted: bool,
    /// Whether the values repeat in such a column.
    dictionary: bool,
}

fn plans(
    table: &TableDef,
    inputs: &[Arc<LiveSegment>],
    limits: PromoteLimits,
) -> Result<Vec<ColumnPlan>> {
    let footers = inputs
        .iter()
        .map(|input| input.footer())
        .collect::<Result<Vec<_>>>()?;
    let plan_of = |(index, column): (usize, &crate::schema::Column)| {
        if !column.kind.is_map() {
            return ColumnPlan::default();
        }
        if footers.iter().all(|footer| footer.shape().is_sets(index)) {
            return ColumnPlan {
                sets: true,
                promoted: Vec::new(),
            };
        }
        let mut keys: BTreeMap<String, KeyFacts> = BTreeMap::new();
        for (input, footer) in inputs.iter().zip(&footers) {
            let counts = match input.meta().columns.get(column.name) {
                Some(ColumnStats::KeyRows(counts)) => Some(counts),
                Some(
                    ColumnStats::Keys(_)
                    | ColumnStats::Labels(_)
                    | ColumnStats::Numbers { .. }
                    | ColumnStats::Text { .. },
                )
                | None => None,
            };
            for (key, rows) in counts.into_iter().flatten() {
                keys.entry(key.clone()).or_default().rows += rows;
            }
            for (key, root) in footer.shape().promoted(index) {
                let facts = keys.entry(key.to_owned()).or_default();
                facts.promoted = true;
                facts.dictionary |= has_dictionary(footer.parquet(), footer.shape().name(root));
                if counts.is_none() {
                    // At least what makes a key worth a column; how much more is not known.
                    facts.rows = facts.rows.saturating_add(limits.min_rows);
                }
            }
        }
        ColumnPlan {
            sets: false,
            promoted: choose(keys, limits),
        }
    };
    Ok(table.columns.iter().enumerate().map(plan_of).collect())
}

/// Keys that had a column in an input keep it: those in the most rows when there are too many.
fn choose(keys: BTreeMap<String, KeyFacts>, limits: PromoteLimits) -> Vec<Promoted> {
    let mut chosen: Vec<(String, KeyFacts)> = keys
        .into_iter()
        .filter(|(_, facts)| facts.promoted && facts.rows >= limits.min_rows)
        .collect();
    chosen.sort_by_key(|(_, facts)| Reverse(facts.rows));
    chosen.truncate(limits.max_keys);
    chosen.sort_by(|(left, _), (right, _)| left.cmp(right));
    let promoted = chosen.into_iter().map(|(key, facts)| Promoted {
        key,
        dictionary: facts.dictionary,
    });
    promoted.collect()
}

fn has_dictionary(parquet: &ParquetMetaData, name: &str) -> bool {
    let groups = parquet.row_groups().iter();
    groups
        .flat_map(|group| group.columns())
        .filter(|chunk| {
            chunk
                .column_path()
                .parts()
                .first()
                .is_some_and(|root| root == name)
        })
        .any(|chunk| chunk.dictionary_page_offset().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_with_columns_keep_them_and_those_of_most_rows_win() {
        let facts = |rows, promoted| KeyFacts {
            rows,
            promoted,
            dictionary: rows > 100,
        };
        let keys = [
            ("z", facts(500, true)),
            ("common but never promoted", facts(9_000, false)),
            ("few", facts(70, true)),
            ("a", facts(80, true)),
            ("too few", facts(3, true)),
        ];
        let keys = keys.map(|(key, facts)| (key.to_owned(), facts));
        let limits = PromoteLimits {
            max_keys: 2,
            min_rows: 64,
            ..PromoteLimits::default()
        };
        let chosen = choose(keys.into_iter().collect(), limits);
        let chosen: Vec<_> = chosen
            .iter()
            .map(|p| (p.key.as_str(), p.dictionary))
            .collect();
        assert_eq!(chosen, [("a", false), ("z", true)]);
    }
}
