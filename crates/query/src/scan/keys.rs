//! The keys of a map column with their numbers of rows: what remains of a scan whose rows were only wanted for it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cairn_storage::{KeyRows, ScanPlan};
use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::internal_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result as DfResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coop::make_cooperative;
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions, SchedulingType,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures::stream;

use super::shared::ScanShared;
use crate::error::{QueryError, Result};

/// Returns one row per key and partition: the key and, where the schema has a second column, in how many rows it is.
#[derive(Debug, Clone)]
pub(crate) struct KeyScanExec {
    shared: Arc<ScanShared>,
    plan: Arc<ScanPlan>,
    column: String,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
    next_unit: Arc<AtomicUsize>,
}

impl KeyScanExec {
    pub(super) fn new(
        (shared, plan): (Arc<ScanShared>, Arc<ScanPlan>),
        column: &str,
        schema: SchemaRef,
        partitions: usize,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(partitions.max(1)),
            EmissionType::Final,
            Boundedness::Bounded,
        )
        .with_scheduling_type(SchedulingType::Cooperative);
        Self {
            shared,
            plan,
            column: column.to_owned(),
            schema,
            properties: Arc::new(properties),
            next_unit: Arc::default(),
        }
    }

    /// Counts units until none is left.
    fn count(&self) -> Result<KeyRows> {
        let mut all = KeyRows::new();
        loop {
            self.shared.cancel.check()?;
            if !self.shared.limits.allow(&self.shared.progress)? {
                return Ok(all);
            }
            let next = self.next_unit.fetch_add(1, Ordering::Relaxed);
            let Some(unit) = self.plan.units.get(next) else {
                return Ok(all);
            };
            self.shared.progress.add_read(unit.rows_at_most(), 0);
            for (key, rows) in unit.key_rows(&self.column)? {
                *all.entry(key).or_default() += rows;
            }
        }
    }

    fn batch(&self) -> DfResult<RecordBatch> {
        let counts = self.count().map_err(QueryError::external)?;
        let rows = counts
            .values()
            .map(|rows| i64::try_from(*rows).unwrap_or(i64::MAX));
        let columns: [ArrayRef; 2] = [
            Arc::new(StringArray::from_iter_values(counts.keys())),
            Arc::new(Int64Array::from_iter_values(rows)),
        ];
        let fields = self.schema.fields().iter();
        let columns = fields
            .zip(columns)
            .map(|(field, column)| cast(&column, field.data_type()))
            .collect::<std::result::Result<Vec<_>, _>>()?;
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

impl DisplayAs for KeyScanExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self
            .plan
            .units
            .iter()
            .filter(|unit| unit.is_exact())
            .count();
        write!(
            f,
            "KeyScanExec: keys of {}, units={}, of all rows={known}",
            self.column,
            self.plan.units.len()
        )
    }
}

impl ExecutionPlan for KeyScanExec {
    fn name(&self) -> &'static str {
        "KeyScanExec"
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
            next_unit: Arc::default(),
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
        let exec = self.clone();
        let batches = stream::iter(std::iter::once_with(move || exec.batch()));
        let stream = RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches);
        Ok(make_cooperative(Box::pin(stream)))
    }
}
