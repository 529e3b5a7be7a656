//! What the functions on arrays share.

use datafusion::error::DataFusionError;

use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::signature::Call;
use crate::limits::MAX_ARRAY_ELEMENTS;
use crate::types::Type;

pub(super) fn item_of<'a>(call: &'a Call<'_>, i: usize) -> Result<&'a Type> {
    if let Type::Array(item) = call.ty(i) {
        return Ok(item);
    }
    Err(call.illegal(i))
}

pub(super) fn array_of(item: &Type) -> Type {
    Type::Array(Box::new(item.clone()))
}

pub(super) fn too_many() -> DataFusionError {
    QueryError::new(
        ErrorCode::TooLargeArraySize,
        format!("the array would have more than {MAX_ARRAY_ELEMENTS} elements"),
    )
    .external()
}

pub(super) fn at(i: usize) -> u64 {
    u64::try_from(i).unwrap_or(u64::MAX)
}
