//! Evaluates expressions of functions and constants, each call both on constants and on columns of several rows.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};

use crate::error::{ErrorCode, QueryError};
use crate::functions::convert::write_value;
use crate::functions::kernel::Col;
use crate::functions::{Argument, Context, resolve};
use crate::syntax::{Expr, ExprKind, Literal, parse_expression};
use crate::types::{Type, Value, values_to_array};

/// Type and text of a value, or the name of the error.
pub(super) type Evaluated = Result<(String, Option<String>), String>;

/// Rows of a column in the column runs.
const ROWS: usize = 3;

/// Functions that answer anew for each row or look at constness itself.
const CONSTANT_ONLY: [&str; 2] = ["throwIf", "isConstant"];

fn context() -> Context {
    Context {
        now_ns: 1_790_000_000_000_000_000,
        timezone: "UTC".to_owned(),
        server_timezone: "UTC".to_owned(),
        query_id: "q".to_owned(),
        database: "default".to_owned(),
        user: "default".to_owned(),
        host_name: "host".to_owned(),
        display_name: "host".to_owned(),
        uptime_s: 1,
    }
}

/// `UnknownIdentifier` as `UNKNOWN_IDENTIFIER`.
fn code_name(code: ErrorCode) -> String {
    let mut name = String::new();
    for c in format!("{code:?}").chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_uppercase());
    }
    name
}

pub(super) fn evaluate(text: &str) -> Evaluated {
    let value = parse_expression(text).and_then(|expr| value_of(&expr));
    let found = value.and_then(|value| Ok((value.ty.to_string(), text_of(&value)?)));
    found.map_err(|error| code_name(error.code))
}

fn text_of(value: &Argument) -> Result<Option<String>, QueryError> {
    let constant = value.constant.as_ref().unwrap();
    if constant.is_null() {
        return Ok(None);
    }
    let array = values_to_array(&value.ty, std::slice::from_ref(constant))?;
    let mut out = String::new();
    write_value(&mut out, &array, 0, &value.ty, chrono_tz::Tz::UTC)?;
    Ok(Some(out))
}

fn literal(literal: &Literal) -> Value {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(v) => Value::Bool(*v),
        Literal::UInt(v) => Value::UInt(*v),
        Literal::Int(v) => Value::Int(*v),
        Literal::Float(v) => Value::Float(*v),
        Literal::String(v) => Value::String(v.clone()),
    }
}

fn value_of(expr: &Expr) -> Result<Argument, QueryError> {
    match &expr.kind {
        ExprKind::Literal(l) => {
            let value = literal(l);
            Ok(Argument {
                ty: value.literal_type(),
                constant: Some(value),
            })
        }
        ExprKind::Call(call) => called(&call.name, &call.arguments),
        ExprKind::Tuple(items) => called("tuple", items),
        ExprKind::Array(items) => called("array", items),
        other => panic!("not an expression of functions: {other:?}"),
    }
}

fn called(name: &str, arguments: &[Expr]) -> Result<Argument, QueryError> {
    let args = arguments
        .iter()
        .map(value_of)
        .collect::<Result<Vec<_>, _>>()?;
    let resolved = resolve(name, &args, &context())?;
    let value = resolved.fold(&args)?;
    if resolved.is_pure() && !CONSTANT_ONLY.contains(&name) {
        on_columns(name, &args, &value);
    }
    Ok(Argument {
        ty: resolved.ty,
        constant: Some(value),
    })
}

/// The same call with the first argument, and with all of them, as columns must give the same value in every row.
fn on_columns(name: &str, args: &[Argument], expected: &Value) {
    for columns in [1, args.len()] {
        let mut unknown = args.to_vec();
        for arg in unknown.iter_mut().take(columns) {
            arg.constant = None;
        }
        // Many functions want constants in some places.
        let Ok(resolved) = resolve(name, &unknown, &context()) else {
            continue;
        };
        let cols: Vec<Col> = args
            .iter()
            .enumerate()
            .map(|(i, arg)| col(arg, i < columns))
            .collect();
        let answer = resolved.kernel.run(&cols, ROWS).unwrap();
        assert_eq!(answer.len(), ROWS, "{name} with {columns} columns");
        assert_eq!(
            *answer.data_type(),
            resolved.ty.arrow(),
            "{name} is {}",
            resolved.ty
        );
        for row in 0..ROWS {
            let found = Value::from_array(&answer, row, &resolved.ty).unwrap();
            let same = format!("{found:?}") == format!("{expected:?}");
            assert!(
                same,
                "{name} with {columns} columns: {found:?} instead of {expected:?}"
            );
        }
    }
}

fn col(arg: &Argument, column: bool) -> Col {
    let value = arg.constant.clone().unwrap();
    let count = if column { ROWS } else { 1 };
    let array: ArrayRef = values_to_array(&arg.ty, &vec![value; count]).unwrap();
    Col {
        array: Arc::clone(&array),
        constant: !column,
    }
}

/// Types that the fixtures use must print as they parse.
#[test]
fn types_of_answers_parse_back() {
    for text in ["Nullable(DateTime64(9, 'UTC'))", "Array(Nullable(UInt8))"] {
        assert_eq!(text.parse::<Type>().unwrap().to_string(), text);
    }
}
