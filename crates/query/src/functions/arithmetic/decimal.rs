//! Units of Decimals, and their quotients.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::datatypes::{DataType, Decimal128Type};
use datafusion::error::{DataFusionError, Result as DfResult};

use crate::error::{ErrorCode, QueryError};
use crate::functions::kernel::Col;
use crate::functions::rows::{arg, numbers};
use crate::functions::wrap::wrap;
use crate::types::Type;

/// Type of a quotient with a Decimal on a side and no float: the scale of the first Decimal.
pub(super) fn decimal_quotient(a: &Type, b: &Type) -> Option<Type> {
    if a.is_float() || b.is_float() {
        return None;
    }
    let precision = |ty: &Type| if let Type::Decimal(p, _) = ty { *p } else { 0 };
    let ((Type::Decimal(_, scale), _) | (_, Type::Decimal(_, scale))) = (a, b) else {
        return None;
    };
    Some(Type::Decimal(
        precision(a).max(precision(b)).max(18),
        *scale,
    ))
}

/// Units of a Decimal or an integer, and their scale.
pub(super) fn units(array: &ArrayRef) -> DfResult<(PrimitiveArray<Decimal128Type>, u32)> {
    let scale = if let DataType::Decimal128(_, scale) = array.data_type() {
        *scale
    } else {
        0
    };
    let array = if *array.data_type() == DataType::Boolean {
        wrap(array, &DataType::UInt8)?
    } else {
        Arc::clone(array)
    };
    let cast = datafusion::arrow::compute::cast(&array, &DataType::Decimal128(38, scale))?;
    let units = cast.as_primitive::<Decimal128Type>().clone();
    Ok((units, u32::try_from(scale).unwrap_or(0)))
}

fn overflow() -> DataFusionError {
    QueryError::new(ErrorCode::DecimalOverflow, "Decimal math overflow").external()
}

/// Units that the result type holds.
pub(super) fn fitting(units: Option<i128>, to: &DataType) -> DfResult<i128> {
    let narrow = matches!(to, DataType::Decimal128(precision, _) if *precision <= 18);
    units
        .filter(|units| !narrow || i64::try_from(*units).is_ok())
        .ok_or_else(overflow)
}

pub(super) fn by_zero() -> DataFusionError {
    QueryError::new(ErrorCode::IllegalDivision, "Division by zero").external()
}

pub(super) fn divide_decimals(cols: &[Col], rows: usize, to: &DataType) -> DfResult<ArrayRef> {
    let (left, right) = (arg(cols, 0)?, arg(cols, 1)?);
    let ((a, a_scale), (b, b_scale)) = (units(&left.array)?, units(&right.array)?);
    let DataType::Decimal128(_, scale) = to else {
        return Err(overflow());
    };
    let shift = (u32::try_from(*scale).unwrap_or(0) + b_scale).saturating_sub(a_scale);
    let answer = numbers::<Decimal128Type>(cols, rows, |row| {
        let (x, y) = (a.value(left.at(row)), b.value(right.at(row)));
        if y == 0 {
            return Err(by_zero());
        }
        let scaled = 10_i128.checked_pow(shift).and_then(|p| x.checked_mul(p));
        fitting(scaled.and_then(|scaled| scaled.checked_div(y)), to)
    })?;
    let typed = answer.as_primitive::<Decimal128Type>().clone();
    Ok(Arc::new(typed.with_data_type(to.clone())))
}
