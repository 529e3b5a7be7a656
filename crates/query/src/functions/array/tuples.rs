//! Tuples: arithmetic part by part, joining, names.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, StructArray};
use datafusion::error::Result as DfResult;

use crate::error::{ErrorCode, Result};
use crate::functions::kernel::{Argument, Col, Kernel, Resolved};
use crate::functions::rows::arg;
use crate::functions::signature::{Call, Entry, MANY, raw};
use crate::types::{Type, Value, tuple_fields};

pub(super) static ENTRIES: &[Entry] = &[
    raw("tuplePlus", (2, 2), |call| by_part(call, "plus")),
    raw("vectorSum", (2, 2), |call| by_part(call, "plus")).any_case(),
    raw("tupleMinus", (2, 2), |call| by_part(call, "minus")),
    raw("vectorDifference", (2, 2), |call| by_part(call, "minus")).any_case(),
    raw("tupleMultiply", (2, 2), |call| by_part(call, "multiply")),
    raw("tupleDivide", (2, 2), |call| by_part(call, "divide")),
    raw("tupleIntDiv", (2, 2), |call| by_part(call, "intDiv")),
    raw("tupleModulo", (2, 2), |call| by_part(call, "modulo")),
    raw("tupleMultiplyByNumber", (2, 2), |call| {
        by_part(call, "multiply")
    }),
    raw("tupleDivideByNumber", (2, 2), |call| {
        by_part(call, "divide")
    }),
    raw("tupleNegate", (1, 1), |call| by_part(call, "negate")),
    raw("tupleConcat", (1, MANY), concat),
    raw("tupleNames", (1, 1), names),
];

type Fields = [(Option<String>, Type)];

fn fields<'a>(call: &'a Call<'_>, i: usize) -> Result<&'a Fields> {
    match call.ty(i) {
        Type::Tuple(fields) => Ok(fields),
        _ => Err(call.illegal(i)),
    }
}

/// A part of a tuple as a column, or the number that stands for all parts.
fn part(cols: &[Col], i: usize, nth: usize) -> DfResult<Col> {
    let col = arg(cols, i)?;
    let array: ArrayRef = match col.array.as_struct_opt() {
        Some(tuple) => tuple
            .columns()
            .get(nth)
            .map_or_else(|| Arc::clone(&col.array), Arc::clone),
        None => Arc::clone(&col.array),
    };
    Ok(Col {
        array,
        constant: col.constant,
    })
}

/// The function of each pair of parts, or of each part and a number.
fn by_part(call: &Call<'_>, name: &str) -> Result<Resolved> {
    let count = fields(call, 0)?.len();
    if let Type::Tuple(other) = call.ty(1)
        && other.len() != count
    {
        return Err(call.fail(
            ErrorCode::IllegalTypeOfArgument,
            "the tuples have other sizes",
        ));
    }
    let mut kernels: Vec<Kernel> = Vec::with_capacity(count);
    let mut types = Vec::with_capacity(count);
    for nth in 0..count {
        let argument = |arg: &Argument| {
            let ty = match &arg.ty {
                Type::Tuple(fields) => fields.get(nth).map_or(Type::Nothing, |f| f.1.clone()),
                other => other.clone(),
            };
            let constant = match &arg.constant {
                Some(Value::Tuple(values)) => values.get(nth).cloned(),
                other => other.clone(),
            };
            Argument { ty, constant }
        };
        let args: Vec<Argument> = call.args.iter().map(argument).collect();
        let resolved = crate::functions::resolve(name, &args, call.context)?;
        types.push((None, resolved.ty));
        kernels.push(resolved.kernel);
    }
    let arity = call.args.len();
    let physical = tuple_fields(&types);
    Ok(Resolved::new(Type::Tuple(types), move |cols, rows| {
        let mut columns = Vec::with_capacity(kernels.len());
        for (nth, kernel) in kernels.iter().enumerate() {
            let parts = (0..arity)
                .map(|i| part(cols, i, nth))
                .collect::<DfResult<Vec<_>>>()?;
            columns.push(kernel.run(&parts, rows)?);
        }
        if columns.is_empty() {
            return Ok(Arc::new(StructArray::new_empty_fields(rows, None)));
        }
        Ok(Arc::new(StructArray::try_new(
            physical.clone(),
            columns,
            None,
        )?))
    }))
}

fn concat(call: &Call<'_>) -> Result<Resolved> {
    let mut all = Vec::new();
    for i in 0..call.args.len() {
        all.extend(fields(call, i)?.iter().map(|(_, ty)| (None, ty.clone())));
    }
    let physical = tuple_fields(&all);
    Ok(Resolved::new(Type::Tuple(all), move |cols, rows| {
        let mut columns = Vec::new();
        for col in cols {
            let full = col.full(rows)?;
            columns.extend(full.as_struct().columns().iter().map(Arc::clone));
        }
        Ok(Arc::new(StructArray::try_new(
            physical.clone(),
            columns,
            None,
        )?))
    }))
}

fn names(call: &Call<'_>) -> Result<Resolved> {
    let name = |(i, field): (usize, &(Option<String>, Type))| {
        let name = field.0.clone();
        Value::String(name.unwrap_or_else(|| (i + 1).to_string()))
    };
    let names = fields(call, 0)?.iter().enumerate().map(name).collect();
    let ty = Type::Array(Box::new(Type::String));
    Ok(Resolved {
        kernel: Kernel::constant(&Value::Array(names), &ty)?,
        ty,
    })
}
