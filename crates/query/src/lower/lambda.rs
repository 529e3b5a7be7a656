//! Lambdas: the body becomes a physical expression of its own, run by the kernel of the function that takes it.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::Schema;
use datafusion::common::DFSchema;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::physical_expr::create_physical_expr;
use hashbrown::HashMap;

use super::{Lowering, Result, column_name};
use crate::analyze::{LambdaCall, Typed};
use crate::error::QueryError;
use crate::functions::{self, Body};
use crate::types::Type;

impl Lowering<'_> {
    pub(super) fn lambda(&self, ty: &Type, call: &LambdaCall) -> Result<Expr> {
        // Inside, every column is one of the body's own.
        let inside = Lowering {
            scans: self.scans,
            sources: self.sources,
            cancel: self.cancel,
            names: HashMap::new(),
        };
        let body = inside.value(&call.body)?;
        let own = call.parameters.iter().map(|(id, ty)| (id, ty));
        let outside = call.captures.iter().map(|(id, typed)| (id, &typed.ty));
        let fields: Vec<_> = own
            .chain(outside)
            .map(|(id, ty)| ty.field(&column_name(*id)))
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let names = DFSchema::try_from(Arc::clone(&schema))?;
        let planning = PhysicalPlanningContext::default();
        let body = create_physical_expr(&body, &names, &ExecutionProps::new(), &planning)?;
        let cancel = self.cancel.clone();
        let body: Arc<Body> = Arc::new(move |columns: Vec<ArrayRef>, rows: usize| {
            cancel.check().map_err(QueryError::external)?;
            let options = RecordBatchOptions::new().with_row_count(Some(rows));
            let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options)?;
            body.evaluate(&batch)?.into_array(rows)
        });
        let arrays = call.arguments.len();
        let resolved = match (call.name, ty) {
            ("arrayMap", Type::Array(item)) => functions::mapped(call.name, item, arrays, body),
            _ => functions::folded(ty, arrays.saturating_sub(1), body),
        };
        let mut arguments = self.values(&call.arguments)?;
        let outside: Vec<Typed> = call
            .captures
            .iter()
            .map(|(_, typed)| typed.clone())
            .collect();
        arguments.extend(self.values(&outside)?);
        // Two lambdas over the same columns are different functions.
        let own = call.parameters.first().map_or(0, |(id, _)| id.0);
        let name = format!("{}#{own}", call.name);
        Ok(functions::call(&resolved, &name, arguments))
    }
}
