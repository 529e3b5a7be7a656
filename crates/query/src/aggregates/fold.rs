//! The frame of our own aggregates: one state per group, rows added one by one, states saved and merged between phases.
//! A fold decides what a state is; the frame knows DataFusion.

use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::mem::size_of;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result as DfResult;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};

/// How one aggregate works.
pub(super) trait Fold: Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// What is kept per group.
    type State: Default + Debug + Send + Sync;

    /// Types of the saved state.
    fn saved_types(&self) -> Vec<DataType>;

    /// Turns the arguments of a batch into what [`Self::add`] reads.
    fn prepare(&self, arguments: &[ArrayRef]) -> DfResult<Vec<ArrayRef>> {
        Ok(arguments.to_vec())
    }

    /// Adds a row, without NULLs unless [`Self::skips_nulls`] says no; answers by how many bytes the state grew.
    fn add(&self, state: &mut Self::State, prepared: &[ArrayRef], row: usize) -> DfResult<usize>;

    /// Whether rows with a NULL are left out.
    fn skips_nulls(&self) -> bool {
        true
    }

    /// One row per state.
    fn save(&self, states: Vec<Self::State>) -> DfResult<Vec<ArrayRef>>;

    /// Adds a saved state; answers by how many bytes the state grew.
    fn merge(&self, state: &mut Self::State, saved: &[ArrayRef], row: usize) -> DfResult<usize>;

    /// The results, one row per state.
    fn finish(&self, states: Vec<Self::State>) -> DfResult<ArrayRef>;
}

/// The fold as a function of DataFusion.
pub(super) fn aggregate<F: Fold>(name: &str, result: DataType, fold: F) -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(Own {
        name: name.to_owned(),
        result,
        fold,
        signature: Signature::variadic_any(Volatility::Immutable),
    }))
}

#[derive(Debug)]
struct Own<F> {
    name: String,
    result: DataType,
    fold: F,
    signature: Signature,
}

impl<F: Fold> PartialEq for Own<F> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.result == other.result && self.fold == other.fold
    }
}

impl<F: Fold> Eq for Own<F> {}

impl<F: Fold> Hash for Own<F> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.fold.hash(state);
    }
}

impl<F: Fold> AggregateUDFImpl for Own<F> {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DfResult<DataType> {
        Ok(self.result.clone())
    }

    fn accumulator(&self, _arguments: AccumulatorArgs<'_>) -> DfResult<Box<dyn Accumulator>> {
        Ok(Box::new(Whole(Groups::new(self.fold.clone()))))
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> DfResult<Vec<FieldRef>> {
        let types = self.fold.saved_types().into_iter().enumerate();
        let field = |(index, ty): (usize, DataType)| {
            let name = format_state_name(arguments.name, &index.to_string());
            Arc::new(Field::new(name, ty, true))
        };
        Ok(types.map(field).collect())
    }

    fn groups_accumulator_supported(&self, _arguments: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        _arguments: AccumulatorArgs<'_>,
    ) -> DfResult<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::new(self.fold.clone())))
    }

    fn order_sensitivity(&self) -> datafusion::logical_expr::utils::AggregateOrderSensitivity {
        datafusion::logical_expr::utils::AggregateOrderSensitivity::Insensitive
    }
}

/// States of all groups.
#[derive(Debug)]
struct Groups<F: Fold> {
    fold: F,
    states: Vec<F::State>,
    /// Bytes that the states hold beyond their own size.
    held_bytes: usize,
}

impl<F: Fold> Groups<F> {
    fn new(fold: F) -> Self {
        Self {
            fold,
            states: Vec::new(),
            held_bytes: 0,
        }
    }

    fn grow(&mut self, groups: usize) {
        if groups > self.states.len() {
            self.states.resize_with(groups, F::State::default);
        }
    }

    fn take(&mut self, emit: EmitTo) -> Vec<F::State> {
        let before = self.states.len().max(1);
        let taken = emit.take_needed(&mut self.states);
        // What is held is only known for all groups together.
        self.held_bytes = self.held_bytes / before * self.states.len();
        taken
    }
}

fn has_null(arrays: &[ArrayRef], row: usize) -> bool {
    arrays.iter().any(|array| array.is_null(row))
}

impl<F: Fold> GroupsAccumulator for Groups<F> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
    ) -> DfResult<()> {
        self.grow(groups);
        let prepared = self.fold.prepare(values)?;
        for (row, group) in group_indices.iter().enumerate() {
            let wanted = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if !wanted || self.fold.skips_nulls() && has_null(values, row) {
                continue;
            }
            if let Some(state) = self.states.get_mut(*group) {
                self.held_bytes += self.fold.add(state, &prepared, row)?;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit: EmitTo) -> DfResult<ArrayRef> {
        let states = self.take(emit);
        self.fold.finish(states)
    }

    fn state(&mut self, emit: EmitTo) -> DfResult<Vec<ArrayRef>> {
        let states = self.take(emit);
        self.fold.save(states)
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        groups: usize,
    ) -> DfResult<()> {
        self.grow(groups);
        for (row, group) in group_indices.iter().enumerate() {
            if let Some(state) = self.states.get_mut(*group) {
                self.held_bytes += self.fold.merge(state, values, row)?;
            }
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> DfResult<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |array| array.len());
        let mut single = Self::new(self.fold.clone());
        let groups: Vec<usize> = (0..rows).collect();
        single.update_batch(values, &groups, filter, rows)?;
        single.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.held_bytes + self.states.capacity() * size_of::<F::State>()
    }
}

/// The state of all rows together.
#[derive(Debug)]
struct Whole<F: Fold>(Groups<F>);

impl<F: Fold> Whole<F> {
    fn zeros(values: &[ArrayRef]) -> Vec<usize> {
        vec![0; values.first().map_or(0, |array| array.len())]
    }
}

impl<F: Fold> Accumulator for Whole<F> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        self.0.update_batch(values, &Self::zeros(values), None, 1)
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        self.0.grow(1);
        let result = self.0.evaluate(EmitTo::All)?;
        ScalarValue::try_from_array(&result, 0)
    }

    fn size(&self) -> usize {
        GroupsAccumulator::size(&self.0)
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        self.0.grow(1);
        let saved = GroupsAccumulator::state(&mut self.0, EmitTo::All)?;
        saved
            .iter()
            .map(|array| ScalarValue::try_from_array(array, 0))
            .collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        self.0.merge_batch(states, &Self::zeros(states), 1)
    }
}
