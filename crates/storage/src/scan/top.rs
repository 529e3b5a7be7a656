//! The newest or oldest rows: first only times and conditions, unit by unit until no other unit can contribute, then the
//! whole rows of the winners.

use std::collections::{BTreeMap, BinaryHeap};

use arrow::array::RecordBatch;

use super::condition::{ColumnTest, Condition, Ordered, Test};
use super::plan::{ScanPlan, ScanUnit};
use super::request::Top;
use crate::error::Result;
use crate::predicate::{CompareOp, ScanColumn};

/// A row that may be among the winners: rank (smaller is better), unit, position.
type Candidate = (i64, usize, usize);

impl ScanPlan {
    /// The rows of [`ScanPlan::top`], in no particular order; all rows when there is no bound. Blocking.
    ///
    /// # Errors
    /// Of reading: [`crate::Error::Corrupt`] for a damaged segment.
    pub fn read_top(&self) -> Result<Vec<RecordBatch>> {
        let Some(top) = self.top() else {
            let mut batches = Vec::new();
            for unit in &self.units {
                for batch in unit.open()? {
                    batches.push(batch?);
                }
            }
            return Ok(batches);
        };
        let mut winners: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (_, unit, row) in self.candidates(top)? {
            winners.entry(unit).or_default().push(row);
        }
        let mut batches = Vec::new();
        for (unit, mut rows) in winners {
            rows.sort_unstable();
            if let Some(unit) = self.units.get(unit) {
                batches.extend(unit.fetch(&rows)?);
            }
        }
        Ok(batches)
    }

    fn candidates(&self, top: Top) -> Result<BinaryHeap<Candidate>> {
        let mut best: BinaryHeap<Candidate> = BinaryHeap::new();
        if top.count == 0 {
            return Ok(best);
        }
        for (number, unit) in self.units.iter().enumerate() {
            let worst = (best.len() >= top.count).then(|| best.peek().map(|(rank, ..)| *rank));
            let worst = worst.flatten();
            // Units are ordered by their best row: when this one cannot win, none after it can.
            if worst.is_some_and(|worst| best_rank(unit, top) >= worst) {
                break;
            }
            let better = worst.map(|worst| better_than(unit.time_column(), worst, top));
            for (row, time) in unit.times(better.as_ref())? {
                let candidate = (rank(time, top), number, row);
                if best.len() < top.count {
                    best.push(candidate);
                } else if let Some(mut worst) = best.peek_mut()
                    && candidate < *worst
                {
                    *worst = candidate;
                }
            }
        }
        Ok(best)
    }
}

/// Smaller is better. The complement turns the order of all numbers around.
fn rank(time: i64, top: Top) -> i64 {
    if top.newest { !time } else { time }
}

fn best_rank(unit: &ScanUnit, top: Top) -> i64 {
    let range = unit.time_range();
    rank(if top.newest { range.max.0 } else { range.min.0 }, top)
}

/// Rows that are better than the worst winner so far.
fn better_than(time_column: &str, worst: i64, top: Top) -> Condition {
    let (op, time) = if top.newest {
        (CompareOp::Greater, !worst)
    } else {
        (CompareOp::Less, worst)
    };
    Condition::Test(Box::new(ColumnTest {
        column: ScanColumn::stored(time_column),
        test: Test::Time(Ordered::Compare(op, time)),
    }))
}
