//! What the server says of itself, random numbers, and functions that only pass or check.

use std::sync::Arc;

use datafusion::arrow::array::{FixedSizeBinaryArray, UInt8Array, UInt32Array, UInt64Array};

use super::kernel::{Col, Kernel, Resolved};
use super::rows::{arg, conditions};
use super::signature::{Call, Entry, MANY, raw, strict};
use crate::error::{ErrorCode, QueryError, Result};
use crate::types::{Type, Value};

/// The version of ClickHouse that we present; clients switch features by it.
pub(crate) const CLICKHOUSE_VERSION: &str = "25.8.1.1";
/// The protocol revision that goes with it.
const REVISION: u64 = 54_460;

pub(super) static ENTRIES: &[Entry] = &[
    strict("version", (0, 0), |_| text(CLICKHOUSE_VERSION)).any_case(),
    strict("revision", (0, 0), |_| number(REVISION, Type::UInt32)).any_case(),
    strict("timezone", (0, 0), |call| text(&call.context.timezone)).any_case(),
    strict("serverTimezone", (0, 0), |call| {
        text(&call.context.server_timezone)
    })
    .any_case(),
    strict("hostName", (0, 0), |call| text(&call.context.host_name)).any_case(),
    strict("FQDN", (0, 0), |call| text(&call.context.host_name)).any_case(),
    strict("fullHostName", (0, 0), |call| text(&call.context.host_name)),
    strict("displayName", (0, 0), |call| {
        text(&call.context.display_name)
    }),
    strict("currentDatabase", (0, 0), |call| {
        text(&call.context.database)
    })
    .any_case(),
    strict("DATABASE", (0, 0), |call| text(&call.context.database)).any_case(),
    strict("SCHEMA", (0, 0), |call| text(&call.context.database)).any_case(),
    strict("currentUser", (0, 0), |call| text(&call.context.user)).any_case(),
    strict("user", (0, 0), |call| text(&call.context.user)).any_case(),
    strict("queryID", (0, 0), |call| text(&call.context.query_id)).any_case(),
    strict("query_id", (0, 0), |call| text(&call.context.query_id)).any_case(),
    strict("initialQueryID", (0, 0), |call| {
        text(&call.context.query_id)
    })
    .any_case(),
    strict("uptime", (0, 0), |call| {
        number(call.context.uptime_s.into(), Type::UInt32)
    })
    .any_case(),
    strict("tcpPort", (0, 0), |_| number(9000, Type::UInt16)),
    raw("rand", (0, 1), |_| rand32()).any_case(),
    raw("rand32", (0, 1), |_| rand32()),
    raw("rand64", (0, 1), |_| rand64()),
    raw("generateUUIDv4", (0, 1), |_| uuid_v4()),
    raw("ignore", (0, MANY), |_| constant_byte(0)),
    raw("indexHint", (1, MANY), |_| constant_byte(1)),
    raw("throwIf", (1, 3), throw_if),
    raw("isConstant", (1, 1), |call| {
        number(u64::from(call.constant(0).is_some()), Type::UInt8)
    }),
];

fn text(value: &str) -> Result<Resolved> {
    constant(&Value::String(value.to_owned()), Type::String)
}

fn number(value: u64, ty: Type) -> Result<Resolved> {
    constant(&Value::UInt(value), ty)
}

fn constant(value: &Value, ty: Type) -> Result<Resolved> {
    Ok(Resolved {
        kernel: Kernel::constant(value, &ty)?,
        ty,
    })
}

fn constant_byte(value: u8) -> Result<Resolved> {
    Ok(Resolved::new(Type::UInt8, move |_, rows| {
        Ok(Arc::new(UInt8Array::from_value(value, rows)))
    }))
}

/// 64 random bits; the version and variant bits of a UUID are not among them.
fn random() -> u64 {
    let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
    (high << 32) ^ (low & 0xffff_ffff)
}

fn volatile(
    ty: Type,
    run: impl Fn(&[Col], usize) -> datafusion::error::Result<datafusion::arrow::array::ArrayRef>
    + Send
    + Sync
    + 'static,
) -> Result<Resolved> {
    Ok(Resolved {
        ty,
        kernel: Kernel::volatile(run),
    })
}

fn rand32() -> Result<Resolved> {
    volatile(Type::UInt32, |_, rows| {
        let values = (0..rows).map(|_| u32::try_from(random() & 0xffff_ffff).unwrap_or(0));
        Ok(Arc::new(values.collect::<UInt32Array>()))
    })
}

fn rand64() -> Result<Resolved> {
    volatile(Type::UInt64, |_, rows| {
        Ok(Arc::new(
            (0..rows).map(|_| random()).collect::<UInt64Array>(),
        ))
    })
}

fn uuid_v4() -> Result<Resolved> {
    volatile(Type::Uuid, |_, rows| {
        let ids = (0..rows).map(|_| Some(uuid::Uuid::new_v4().into_bytes()));
        let array = FixedSizeBinaryArray::try_from_sparse_iter_with_size(ids, 16)?;
        Ok(Arc::new(array))
    })
}

/// `throwIf(condition[, message])`
fn throw_if(call: &Call<'_>) -> Result<Resolved> {
    if !call.ty(0).bare().is_number() {
        return Err(call.illegal(0));
    }
    let shown = "Value passed to 'throwIf' function is non-zero";
    let message = call.optional_text(1)?.unwrap_or(shown).to_owned();
    Ok(Resolved {
        ty: Type::UInt8,
        kernel: Kernel::volatile(move |cols, rows| {
            if conditions(arg(cols, 0)?, rows)?.true_count() > 0 {
                let code = ErrorCode::FunctionThrowIfValueIsNonZero;
                return Err(QueryError::new(code, message.clone()).external());
            }
            Ok(Arc::new(UInt8Array::from_value(0, rows)))
        }),
    })
}
