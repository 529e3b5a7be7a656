//! An aggregate that runs inside another: making its accumulators, finishing its results.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::common::ScalarValue;
use datafusion::error::Result as DfResult;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, GroupsAccumulator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;

use super::Choice;
use crate::types::{Type, Value};

/// An aggregate with the types it takes and gives.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Inner {
    function: Arc<AggregateUDF>,
    fields: Vec<FieldRef>,
    ignore_nulls: bool,
    /// Type of its results after [`Inner::finish`].
    ty: Type,
    default: Option<ScalarValue>,
}

impl Inner {
    pub(super) fn of(choice: &Choice) -> Self {
        let field = |(i, ty): (usize, &Type)| -> FieldRef {
            Arc::new(Field::new(format!("{i}"), ty.arrow(), true))
        };
        Self {
            function: Arc::clone(&choice.function),
            fields: choice.arguments.iter().enumerate().map(field).collect(),
            ignore_nulls: choice.ignore_nulls,
            ty: choice.ty.clone(),
            default: match &choice.default {
                Value::Null => None,
                value => value.to_scalar(&choice.ty).ok(),
            },
        }
    }

    /// Physical type of the results.
    pub(super) fn result(&self) -> DataType {
        self.ty.arrow()
    }

    /// Physical types of the arguments.
    pub(super) fn arguments(&self) -> Vec<DataType> {
        let types = self.fields.iter().map(|field| field.data_type().clone());
        types.collect()
    }

    fn return_field(&self) -> DfResult<FieldRef> {
        self.function.return_field(&self.fields)
    }

    fn with_arguments<T>(&self, f: impl FnOnce(AccumulatorArgs<'_>) -> DfResult<T>) -> DfResult<T> {
        let schema = Schema::new(self.fields.clone());
        let column = |(i, field): (usize, &FieldRef)| -> Arc<dyn PhysicalExpr> {
            Arc::new(Column::new(field.name(), i))
        };
        let exprs: Vec<_> = self.fields.iter().enumerate().map(column).collect();
        f(AccumulatorArgs {
            return_field: self.return_field()?,
            schema: &schema,
            ignore_nulls: self.ignore_nulls,
            order_bys: &[],
            is_reversed: false,
            name: self.function.name(),
            is_distinct: false,
            exprs: &exprs,
            expr_fields: &self.fields,
        })
    }

    pub(super) fn accumulator(&self) -> DfResult<Box<dyn Accumulator>> {
        self.with_arguments(|arguments| self.function.accumulator(arguments))
    }

    pub(super) fn has_groups(&self) -> bool {
        self.with_arguments(|arguments| Ok(self.function.groups_accumulator_supported(arguments)))
            .unwrap_or(false)
    }

    pub(super) fn groups(&self) -> DfResult<Box<dyn GroupsAccumulator>> {
        self.with_arguments(|arguments| self.function.create_groups_accumulator(arguments))
    }

    pub(super) fn state_fields(&self) -> DfResult<Vec<FieldRef>> {
        self.function.state_fields(StateFieldsArgs {
            name: self.function.name(),
            input_fields: &self.fields,
            return_field: self.return_field()?,
            ordering_fields: &[],
            is_distinct: false,
        })
    }

    /// A result as its type, with the default for nothing.
    pub(super) fn finish(&self, result: &ScalarValue) -> DfResult<ScalarValue> {
        if result.is_null()
            && let Some(default) = &self.default
        {
            return Ok(default.clone());
        }
        result.cast_to(&self.result())
    }

    /// Results as their type, with the default for nothing.
    pub(super) fn finish_all(&self, results: &ArrayRef) -> DfResult<ArrayRef> {
        let results = cast(results, &self.result())?;
        let Some(default) = self.default.as_ref().filter(|_| results.null_count() > 0) else {
            return Ok(results);
        };
        let default = default.to_array()?;
        let order: Vec<(usize, usize)> = (0..results.len())
            .map(|row| {
                if results.is_valid(row) {
                    (0, row)
                } else {
                    (1, 0)
                }
            })
            .collect();
        let sources: [&dyn Array; 2] = [&results, &default];
        Ok(datafusion::arrow::compute::interleave(&sources, &order)?)
    }
}
