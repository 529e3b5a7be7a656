//! Conversions between numbers that never fail: integers wrap, floats are cut, as the dialect wants.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, PrimitiveArray};
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::error::Result as DfResult;

use crate::error::{ErrorCode, QueryError};

macro_rules! to_all {
    ($array:expr, $to:expr) => {
        match $to {
            DataType::UInt8 => to_int!($array, UInt8Type, u8),
            DataType::UInt16 => to_int!($array, UInt16Type, u16),
            DataType::UInt32 => to_int!($array, UInt32Type, u32),
            DataType::UInt64 => to_int!($array, UInt64Type, u64),
            DataType::Int8 => to_int!($array, Int8Type, i8),
            DataType::Int16 => to_int!($array, Int16Type, i16),
            DataType::Int32 => to_int!($array, Int32Type, i32),
            DataType::Int64 => to_int!($array, Int64Type, i64),
            DataType::Float32 => to_int!($array, Float32Type, f32),
            DataType::Float64 => to_int!($array, Float64Type, f64),
            _ => return None,
        }
    };
}

macro_rules! to_int {
    ($array:expr, $arrow:ty, $native:ty) => {
        Arc::new($array.unary::<_, $arrow>(|v| v as $native)) as ArrayRef
    };
}

macro_rules! from {
    ($arrow:ty, $array:expr, $to:expr) => {{
        let typed = $array.as_primitive_opt::<$arrow>()?;
        to_all!(typed, $to)
    }};
}

/// The numbers of `array` as `to`. Integers wrap; floats lose their fraction and saturate; Bool is 0 or 1.
pub(super) fn wrap(array: &ArrayRef, to: &DataType) -> DfResult<ArrayRef> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    convert(array, to).ok_or_else(|| {
        let what = format!("cannot convert `{}` to `{to}`", array.data_type());
        QueryError::new(ErrorCode::CannotConvertType, what).external()
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "wrapping conversions between all number types are the purpose of this function"
)]
fn convert(array: &ArrayRef, to: &DataType) -> Option<ArrayRef> {
    Some(match array.data_type() {
        DataType::UInt8 => from!(UInt8Type, array, to),
        DataType::UInt16 => from!(UInt16Type, array, to),
        DataType::UInt32 => from!(UInt32Type, array, to),
        DataType::UInt64 => from!(UInt64Type, array, to),
        DataType::Int8 => from!(Int8Type, array, to),
        DataType::Int16 => from!(Int16Type, array, to),
        DataType::Int32 => from!(Int32Type, array, to),
        DataType::Int64 => from!(Int64Type, array, to),
        DataType::Float32 => {
            let typed = array.as_primitive_opt::<Float32Type>()?;
            float_to(&typed.unary::<_, Float64Type>(f64::from), to)?
        }
        DataType::Float64 => float_to(array.as_primitive_opt::<Float64Type>()?, to)?,
        DataType::Boolean => {
            let flags = array.as_boolean_opt()?;
            let bytes: PrimitiveArray<UInt8Type> = flags.iter().map(|v| v.map(u8::from)).collect();
            to_all!(&bytes, to)
        }
        DataType::Decimal128(_, scale) => {
            let typed = array.as_primitive_opt::<Decimal128Type>()?;
            let divisor = 10_f64.powi(i32::from(*scale));
            let floats: Float64Array = typed.unary(|v| v as f64 / divisor);
            float_to(&floats, to)?
        }
        _ => return None,
    })
}

/// Floats go through a 128-bit integer, so that they wrap like ClickHouse's conversions do on x86.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "cutting a float is what is asked for"
)]
fn float_to(array: &Float64Array, to: &DataType) -> Option<ArrayRef> {
    macro_rules! cut {
        ($arrow:ty, $native:ty) => {
            Arc::new(array.unary::<_, $arrow>(|v| (v as i128) as $native)) as ArrayRef
        };
    }
    Some(match to {
        DataType::UInt8 => cut!(UInt8Type, u8),
        DataType::UInt16 => cut!(UInt16Type, u16),
        DataType::UInt32 => cut!(UInt32Type, u32),
        DataType::UInt64 => cut!(UInt64Type, u64),
        DataType::Int8 => cut!(Int8Type, i8),
        DataType::Int16 => cut!(Int16Type, i16),
        DataType::Int32 => cut!(Int32Type, i32),
        DataType::Int64 => cut!(Int64Type, i64),
        DataType::Float32 => Arc::new(array.unary::<_, Float32Type>(|v| v as f32)),
        DataType::Float64 => Arc::new(array.clone()),
        _ => return None,
    })
}
