//! Native: blocks of columns, in the layout of version 0.

use cairn_query::{Type, Value};

use super::Result;
use super::binary::{Bytes, type_of};
use super::rows::{Rows, incorrect};

/// Rows of one block, so that a damaged count cannot take all memory.
const MAX_BLOCK_ROWS: usize = 1 << 20;
/// Columns of one block.
const MAX_BLOCK_COLUMNS: u64 = 4096;

/// Reads blocks until the data ends.
pub(super) fn read(data: &[u8], rows: &mut Rows) -> Result<()> {
    let mut bytes = Bytes::new(data);
    while !bytes.is_empty() {
        let (columns, count) = (bytes.varuint()?, bytes.varuint()?);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count > MAX_BLOCK_ROWS || columns > MAX_BLOCK_COLUMNS {
            return Err(incorrect(format!(
                "a Native block of {columns} columns and {count} rows is too large"
            )));
        }
        let mut block = Vec::new();
        for _ in 0..columns {
            let name = bytes.text()?;
            let ty = type_of(&bytes.text()?)?;
            let values = match count {
                0 => Vec::new(),
                _ => {
                    prefix(&ty, &mut bytes)?;
                    column(&ty, count, &mut bytes)?
                }
            };
            block.push((name, ty, values));
        }
        rows.push_columns(block, count)?;
    }
    Ok(())
}

/// What stands before all data of a column.
fn prefix(ty: &Type, bytes: &mut Bytes<'_>) -> Result<()> {
    if let Type::LowCardinality(_) = ty {
        return match bytes.u64()? {
            1 => Ok(()),
            other => Err(incorrect(format!("LowCardinality of version {other}"))),
        };
    }
    if let Type::Nullable(inner) | Type::Array(inner) = ty {
        return prefix(inner, bytes);
    }
    if let Type::Map(key, value) = ty {
        prefix(key, bytes)?;
        return prefix(value, bytes);
    }
    if let Type::Tuple(parts) = ty {
        return parts.iter().try_for_each(|(_, ty)| prefix(ty, bytes));
    }
    Ok(())
}

fn column(ty: &Type, count: usize, bytes: &mut Bytes<'_>) -> Result<Vec<Value>> {
    if let Type::LowCardinality(inner) = ty {
        return low_cardinality(inner, count, bytes);
    }
    if let Type::Nullable(inner) = ty {
        let nulls = bytes.take(count)?;
        let mut values = column(inner, count, bytes)?;
        for (value, null) in values.iter_mut().zip(nulls) {
            if *null != 0 {
                *value = Value::Null;
            }
        }
        return Ok(values);
    }
    if let Type::Array(item) = ty {
        let ends = ends(count, bytes)?;
        let mut items = column(item, ends.last().copied().unwrap_or(0), bytes)?.into_iter();
        return Ok(pieces(&ends, |length| {
            Value::Array(items.by_ref().take(length).collect())
        }));
    }
    if let Type::Map(key, item) = ty {
        let ends = ends(count, bytes)?;
        let total = ends.last().copied().unwrap_or(0);
        let keys = column(key, total, bytes)?;
        let items = column(item, total, bytes)?;
        let mut entries = keys.into_iter().zip(items);
        return Ok(pieces(&ends, |length| {
            Value::Map(entries.by_ref().take(length).collect())
        }));
    }
    if let Type::Tuple(parts) = ty {
        let mut rows = vec![Vec::new(); count];
        for (_, ty) in parts {
            for (row, value) in rows.iter_mut().zip(column(ty, count, bytes)?) {
                row.push(value);
            }
        }
        return Ok(rows.into_iter().map(Value::Tuple).collect());
    }
    (0..count).map(|_| bytes.scalar(ty)).collect()
}

/// Cumulative ends of lists, which may only grow and not beyond what is there.
fn ends(count: usize, bytes: &mut Bytes<'_>) -> Result<Vec<usize>> {
    let mut ends = Vec::new();
    let mut last = 0;
    for _ in 0..count {
        let end = usize::try_from(bytes.u64()?).unwrap_or(usize::MAX);
        if end < last {
            return Err(incorrect("the offsets of an array do not grow"));
        }
        last = end;
        ends.push(end);
    }
    match last <= bytes.left() {
        true => Ok(ends),
        false => Err(incorrect("an array is longer than its data")),
    }
}

fn pieces(ends: &[usize], mut piece: impl FnMut(usize) -> Value) -> Vec<Value> {
    let mut begin = 0;
    let each = ends.iter().map(|end| {
        let length = end - begin;
        begin = *end;
        piece(length)
    });
    each.collect()
}

fn low_cardinality(inner: &Type, count: usize, bytes: &mut Bytes<'_>) -> Result<Vec<Value>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let width = match bytes.u64()? & 0xff {
        0 => 1,
        1 => 2,
        2 => 4,
        3 => 8,
        other => return Err(incorrect(format!("LowCardinality indexes of kind {other}"))),
    };
    let nullable = matches!(inner, Type::Nullable(_));
    let keys = usize::try_from(bytes.u64()?).unwrap_or(usize::MAX);
    if keys > bytes.left() {
        return Err(incorrect(
            "a LowCardinality dictionary is longer than its data",
        ));
    }
    let mut keys = column(inner.bare(), keys, bytes)?;
    if nullable && let Some(first) = keys.first_mut() {
        *first = Value::Null;
    }
    if bytes.u64()? != u64::try_from(count).unwrap_or(u64::MAX) {
        return Err(incorrect("LowCardinality indexes are not one for each row"));
    }
    let mut values = Vec::new();
    for _ in 0..count {
        let mut index = [0; 8];
        index[..width].copy_from_slice(bytes.take(width)?);
        let index = usize::try_from(u64::from_le_bytes(index)).unwrap_or(usize::MAX);
        let value = keys.get(index);
        let value = value.ok_or_else(|| incorrect("a LowCardinality index has no key"))?;
        values.push(value.clone());
    }
    Ok(values)
}
