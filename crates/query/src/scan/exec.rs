//! The scan operator: its partitions take units, newest first, from one queue and decode them where they are polled.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cairn_storage::{ScanPlan, ScanRequest, Top, UnitReader};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Statistics, internal_err};
use datafusion::error::Result as DfResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coop::make_cooperative;
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions, SchedulingType,
};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures::stream;

use super::columns::to_plan_types;
use super::keys::KeyScanExec;
use super::shared::ScanShared;
use crate::error::{QueryError, Result};

/// A scan of one stored table.
#[derive(Debug, Clone)]
pub(crate) struct SegmentScanExec {
    shared: Arc<ScanShared>,
    request: ScanRequest,
    plan: Arc<ScanPlan>,
    schema: SchemaRef,
    fetch: Option<usize>,
    properties: Arc<PlanProperties>,
    queue: Arc<Queue>,
}

/// Where the partitions of one scan meet.
#[derive(Debug, Default)]
struct Queue {
    next_unit: AtomicUsize,
    returned_rows: AtomicUsize,
}

impl SegmentScanExec {
    /// Plans the scan: from here on its units are fixed, nothing is read yet.
    pub(super) fn try_new(
        shared: Arc<ScanShared>,
        request: ScanRequest,
        schema: SchemaRef,
        fetch: Option<usize>,
    ) -> Result<Self> {
        let plan = Arc::new(shared.snapshot.scan(&request)?);
        let partitions = match plan.top() {
            Some(_) => 1,
            None => plan.units.len().clamp(1, shared.threads.max(1)),
        };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        )
        .with_scheduling_type(SchedulingType::Cooperative);
        Ok(Self {
            shared,
            request,
            plan,
            schema,
            fetch,
            properties: Arc::new(properties),
            queue: Arc::default(),
        })
    }

    /// What is asked of storage.
    pub(crate) fn request(&self) -> &ScanRequest {
        &self.request
    }

    /// The same scan, returning only rows that can be among the newest or oldest ones. None when it has a bound
    /// already or storage would not profit.
    pub(crate) fn with_top(&self, top: Top) -> Result<Option<Self>> {
        if self.request.top.is_some() || self.fetch.is_some() {
            return Ok(None);
        }
        let request = ScanRequest {
            top: Some(top),
            ..self.request.clone()
        };
        let shared = Arc::clone(&self.shared);
        let exec = Self::try_new(shared, request, Arc::clone(&self.schema), None)?;
        Ok(exec.plan.top().is_some().then_some(exec))
    }

    /// The keys of a map column instead of rows, in one partition when nobody adds up those of several. None when the
    /// scan returns only some of its rows.
    pub(crate) fn keys_of(
        &self,
        column: &str,
        schema: SchemaRef,
        only_part: bool,
    ) -> Option<KeyScanExec> {
        if self.plan.top().is_some() || self.fetch.is_some() {
            return None;
        }
        let partitions = match only_part {
            true => 1,
            false => self.properties.output_partitioning().partition_count(),
        };
        let rows = (Arc::clone(&self.shared), Arc::clone(&self.plan));
        Some(KeyScanExec::new(rows, column, schema, partitions))
    }

    fn batches(&self) -> Batches {
        Batches {
            exec: self.clone(),
            reader: None,
            winners: None,
            failed: false,
        }
    }
}

/// The batches of one partition.
struct Batches {
    exec: SegmentScanExec,
    reader: Option<UnitReader>,
    /// Rows of a top scan, once found.
    winners: Option<std::vec::IntoIter<RecordBatch>>,
    failed: bool,
}

impl Batches {
    fn read(&mut self) -> Result<Option<RecordBatch>> {
        self.exec.shared.cancel.check()?;
        if self.exec.plan.top().is_some() {
            return self.read_winner();
        }
        loop {
            let enough = self.exec.fetch.is_some_and(|fetch| {
                self.exec.queue.returned_rows.load(Ordering::Relaxed) >= fetch
            });
            if enough {
                return Ok(None);
            }
            if let Some(reader) = &mut self.reader {
                if let Some(batch) = reader.next() {
                    return self.hand_out(&batch?).map(Some);
                }
                self.reader = None;
                self.exec.shared.cancel.check()?;
            }
            let shared = &self.exec.shared;
            if !shared.limits.allow(&shared.progress)? {
                return Ok(None);
            }
            let next = self.exec.queue.next_unit.fetch_add(1, Ordering::Relaxed);
            let Some(unit) = self.exec.plan.units.get(next) else {
                return Ok(None);
            };
            shared.progress.add_read(unit.rows_at_most(), 0);
            if !shared.limits.stop_quietly {
                shared.limits.allow(&shared.progress)?;
            }
            self.reader = Some(unit.open()?);
        }
    }

    fn read_winner(&mut self) -> Result<Option<RecordBatch>> {
        if self.winners.is_none() {
            let rows = self.exec.plan.estimate.rows;
            self.winners = Some(self.exec.plan.read_top()?.into_iter());
            self.exec.shared.progress.add_read(rows, 0);
        }
        match self.winners.as_mut().and_then(Iterator::next) {
            Some(batch) => self.hand_out(&batch).map(Some),
            None => Ok(None),
        }
    }

    fn hand_out(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let batch = to_plan_types(batch, &self.exec.schema)?;
        let queue = &self.exec.queue;
        let before = queue
            .returned_rows
            .fetch_add(batch.num_rows(), Ordering::Relaxed);
        let bytes = u64::try_from(batch.get_array_memory_size()).unwrap_or(u64::MAX);
        self.exec.shared.progress.add_read(0, bytes);
        Ok(match self.exec.fetch {
            Some(fetch) => {
                let left = fetch.saturating_sub(before).min(batch.num_rows());
                batch.slice(0, left)
            }
            None => batch,
        })
    }
}

impl Iterator for Batches {
    type Item = DfResult<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let batch = self.read().map_err(QueryError::external).transpose();
        self.failed = matches!(batch, Some(Err(_)));
        batch
    }
}

impl DisplayAs for SegmentScanExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SegmentScanExec: table={}", self.request.table)?;
        let names: Vec<_> = self
            .request
            .projection
            .iter()
            .map(ToString::to_string)
            .collect();
        write!(f, ", columns=[{}]", names.join(", "))?;
        write!(f, ", predicate={:?}", self.request.predicate)?;
        if let Some(top) = self.plan.top() {
            let which = if top.newest { "newest" } else { "oldest" };
            write!(f, ", {which}={}", top.count)?;
        }
        if let Some(fetch) = self.fetch {
            write!(f, ", fetch={fetch}")?;
        }
        write!(f, ", units={}", self.plan.units.len())
    }
}

impl ExecutionPlan for SegmentScanExec {
    fn name(&self) -> &'static str {
        "SegmentScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        if !children.is_empty() {
            return internal_err!("a scan has no children");
        }
        Ok(self)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        self.replace_children(children, options)
    }

    /// A fresh queue, so that a plan can run again.
    fn reset_state(self: Arc<Self>) -> DfResult<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self {
            queue: Arc::default(),
            ..(*self).clone()
        }))
    }

    fn execute(
        &self,
        partition: usize,
        _context: Arc<TaskContext>,
    ) -> DfResult<SendableRecordBatchStream> {
        if partition == 0 {
            self.shared.progress.add_total_rows(self.plan.estimate.rows);
        }
        let batches = stream::iter(self.batches());
        let stream = RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches);
        Ok(make_cooperative(Box::pin(stream)))
    }

    /// Exact when metadata alone tells how many rows there are: then `count()` reads nothing.
    fn statistics_from_inputs(
        &self,
        _inputs: &[Arc<Statistics>],
        args: &StatisticsArgs,
    ) -> DfResult<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema);
        if args.partition().is_none() && self.plan.top().is_none() {
            let number = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
            statistics.num_rows = match (self.plan.exact_rows(), self.fetch) {
                (Some(rows), None) => Precision::Exact(number(rows)),
                (_, fetch) => {
                    let most = number(self.plan.estimate.rows);
                    Precision::Inexact(fetch.map_or(most, |fetch| fetch.min(most)))
                }
            };
        }
        Ok(Arc::new(statistics))
    }

    fn supports_limit_pushdown(&self) -> bool {
        false
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        Some(Arc::new(Self {
            fetch: limit,
            queue: Arc::default(),
            ..self.clone()
        }))
    }

    fn fetch(&self) -> Option<usize> {
        self.fetch
    }
}
