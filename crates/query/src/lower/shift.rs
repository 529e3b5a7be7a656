//! `lag`, `lead` and their forms that stay inside the frame.

use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result as DfResult};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl,
};

/// The function that takes the value `offset` rows away, and the second argument where there is none.
pub(super) fn shifted(offset: i64, in_frame: bool) -> Arc<WindowUDF> {
    Arc::new(WindowUDF::new_from_impl(Shift {
        offset,
        in_frame,
        signature: Signature::any(2, Volatility::Immutable),
    }))
}

#[derive(Debug)]
struct Shift {
    offset: i64,
    in_frame: bool,
    signature: Signature,
}

impl PartialEq for Shift {
    fn eq(&self, other: &Self) -> bool {
        self.offset == other.offset && self.in_frame == other.in_frame
    }
}

impl Eq for Shift {}

impl Hash for Shift {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.offset.hash(state);
        self.in_frame.hash(state);
    }
}

impl WindowUDFImpl for Shift {
    fn name(&self) -> &str {
        "shift"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(
        &self,
        _arguments: PartitionEvaluatorArgs<'_>,
    ) -> DfResult<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Rows {
            offset: self.offset,
            in_frame: self.in_frame,
            row: 0,
        }))
    }

    fn field(&self, arguments: WindowUDFFieldArgs<'_>) -> DfResult<FieldRef> {
        let ty = arguments
            .get_input_field(0)
            .map_or(DataType::Null, |field| field.data_type().clone());
        Ok(Arc::new(Field::new(arguments.name(), ty, true)))
    }
}

/// One partition, asked for its rows in order.
#[derive(Debug)]
struct Rows {
    offset: i64,
    in_frame: bool,
    row: usize,
}

impl PartitionEvaluator for Rows {
    fn uses_window_frame(&self) -> bool {
        true
    }

    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> DfResult<ScalarValue> {
        let [value, default, ..] = values else {
            return Err(DataFusionError::Internal(
                "a shift has two arguments".to_owned(),
            ));
        };
        let row = self.row;
        self.row += 1;
        let found = i64::try_from(row)
            .ok()
            .and_then(|row| row.checked_add(self.offset))
            .and_then(|row| usize::try_from(row).ok())
            .filter(|row| {
                if self.in_frame {
                    range.contains(row)
                } else {
                    *row < value.len()
                }
            });
        match found {
            Some(found) => ScalarValue::try_from_array(value, found),
            None => ScalarValue::try_from_array(default, row),
        }
    }
}
