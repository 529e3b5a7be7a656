//! Aggregates over window frames. Those that can take rows out of their state run in DataFusion's own way; all others are
//! computed anew for each frame.

use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::compute::filter;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion::common::ScalarValue;
use datafusion::error::Result as DfResult;
use datafusion::functions_window::nth_value::{first_value_udwf, last_value_udwf};
use datafusion::logical_expr::expr::{NullTreatment, WindowFunction};
use datafusion::logical_expr::function::{
    AccumulatorArgs, PartitionEvaluatorArgs, WindowUDFFieldArgs,
};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, Expr, PartitionEvaluator, Signature, Volatility, WindowUDF,
    WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;

/// Aggregates of DataFusion that can slide.
const SLIDING: [&str; 10] = [
    "avg",
    "count",
    "max",
    "min",
    "stddev",
    "stddev_pop",
    "sum",
    "var",
    "var_pop",
    "var_samp",
];

/// The call of an aggregate as a window function. Arguments are already converted.
pub(super) fn over(
    function: &Arc<AggregateUDF>,
    mut arguments: Vec<Expr>,
    condition: Option<Expr>,
    ignore_nulls: bool,
) -> WindowFunction {
    if SLIDING.contains(&function.name()) {
        let mut call = WindowFunction::new(Arc::clone(function), arguments);
        call.params.filter = condition.map(Box::new);
        return call;
    }
    let picked = match function.name() {
        "first_value" => Some(first_value_udwf()),
        "last_value" => Some(last_value_udwf()),
        _ => None,
    };
    if let (Some(picked), None) = (picked, &condition) {
        let mut call = WindowFunction::new(picked, arguments);
        call.params.null_treatment = ignore_nulls.then_some(NullTreatment::IgnoreNulls);
        return call;
    }
    let framed = Framed {
        function: Arc::clone(function),
        conditional: condition.is_some(),
        ignore_nulls,
        signature: Signature::variadic_any(Volatility::Immutable),
    };
    arguments.extend(condition);
    WindowFunction::new(Arc::new(WindowUDF::new_from_impl(framed)), arguments)
}

/// An aggregate that is computed anew for each frame.
#[derive(Debug)]
struct Framed {
    function: Arc<AggregateUDF>,
    /// The last argument says which rows count.
    conditional: bool,
    ignore_nulls: bool,
    signature: Signature,
}

impl PartialEq for Framed {
    fn eq(&self, other: &Self) -> bool {
        self.function == other.function
            && self.conditional == other.conditional
            && self.ignore_nulls == other.ignore_nulls
    }
}

impl Eq for Framed {}

impl Hash for Framed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.hash(state);
        self.conditional.hash(state);
    }
}

impl Framed {
    fn own_fields<'a>(&self, fields: &'a [FieldRef]) -> &'a [FieldRef] {
        let count = fields.len() - usize::from(self.conditional && !fields.is_empty());
        fields.get(..count).unwrap_or_default()
    }
}

impl WindowUDFImpl for Framed {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(
        &self,
        arguments: PartitionEvaluatorArgs<'_>,
    ) -> DfResult<Box<dyn PartitionEvaluator>> {
        let fields = self.own_fields(arguments.input_fields()).to_vec();
        let exprs = arguments.input_exprs();
        Ok(Box::new(Frames {
            function: Arc::clone(&self.function),
            exprs: exprs.get(..fields.len()).unwrap_or_default().to_vec(),
            result: self.function.return_field(&fields)?,
            fields,
            conditional: self.conditional,
            ignore_nulls: self.ignore_nulls,
            last: None,
        }))
    }

    fn field(&self, arguments: WindowUDFFieldArgs<'_>) -> DfResult<FieldRef> {
        let fields = self.own_fields(arguments.input_fields());
        let ty: DataType = self.function.return_field(fields)?.data_type().clone();
        Ok(Arc::new(Field::new(arguments.name(), ty, true)))
    }
}

/// One partition.
#[derive(Debug)]
struct Frames {
    function: Arc<AggregateUDF>,
    exprs: Vec<Arc<dyn PhysicalExpr>>,
    fields: Vec<FieldRef>,
    result: FieldRef,
    conditional: bool,
    ignore_nulls: bool,
    /// The frame before and its answer: many rows share one.
    last: Option<(Range<usize>, ScalarValue)>,
}

impl Frames {
    fn accumulator(&self) -> DfResult<Box<dyn Accumulator>> {
        self.function.accumulator(AccumulatorArgs {
            return_field: Arc::clone(&self.result),
            schema: &Schema::empty(),
            expr_fields: &self.fields,
            ignore_nulls: self.ignore_nulls,
            order_bys: &[],
            is_reversed: false,
            name: self.function.name(),
            is_distinct: false,
            exprs: &self.exprs,
        })
    }
}

impl PartitionEvaluator for Frames {
    fn uses_window_frame(&self) -> bool {
        true
    }

    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> DfResult<ScalarValue> {
        if let Some((known, answer)) = &self.last
            && known == range
        {
            return Ok(answer.clone());
        }
        let count = self.fields.len();
        let mut frame: Vec<ArrayRef> = values
            .iter()
            .take(count)
            .map(|array| array.slice(range.start, range.len()))
            .collect();
        if self.conditional
            && let Some(condition) = values.get(count)
        {
            let kept = condition.slice(range.start, range.len());
            for array in &mut frame {
                *array = filter(array, kept.as_boolean())?;
            }
        }
        let mut accumulator = self.accumulator()?;
        accumulator.update_batch(&frame)?;
        let answer = accumulator.evaluate()?;
        self.last = Some((range.clone(), answer.clone()));
        Ok(answer)
    }
}
