//! How a resolved function runs: columns in, one array out, as a DataFusion scalar function.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result as DfResult};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    TypeSignature, Volatility,
};

use crate::error::{QueryError, Result};
use crate::types::{Type, Value, values_to_array};

/// An argument as the analyzer knows it.
#[derive(Debug, Clone)]
pub(crate) struct Argument {
    /// Its type.
    pub(crate) ty: Type,
    /// Its value, when it is a constant.
    pub(crate) constant: Option<Value>,
}

/// What is constant within a query and is not in its text.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// When the query began.
    pub(crate) now_ns: i64,
    /// Zone of times without one: the session's, else the server's.
    pub(crate) timezone: String,
    /// The server's zone.
    pub(crate) server_timezone: String,
    /// Id of the query.
    pub(crate) query_id: String,
    /// Database of the request.
    pub(crate) database: String,
    /// Who asks.
    pub(crate) user: String,
    /// What `hostName()` answers.
    pub(crate) host_name: String,
    /// What `displayName()` answers.
    pub(crate) display_name: String,
    /// Seconds since the process began.
    pub(crate) uptime_s: u32,
}

/// A function that fits its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    /// Type of the result.
    pub(crate) ty: Type,
    /// How to compute it.
    pub(crate) kernel: Kernel,
}

/// An argument while running: an array, or one row that stands for all.
#[derive(Debug, Clone)]
pub(crate) struct Col {
    /// Values: as many as rows, or one.
    pub(crate) array: ArrayRef,
    /// Whether the one value stands for all rows.
    pub(crate) constant: bool,
}

impl Col {
    /// Position in the array of a row.
    pub(crate) fn at(&self, row: usize) -> usize {
        if self.constant { 0 } else { row }
    }

    /// An array with one value per row.
    pub(crate) fn full(&self, rows: usize) -> DfResult<ArrayRef> {
        if self.constant {
            return ScalarValue::try_from_array(&self.array, 0)?.to_array_of_size(rows);
        }
        Ok(Arc::clone(&self.array))
    }
}

type Run = dyn Fn(&[Col], usize) -> DfResult<ArrayRef> + Send + Sync;

/// The code of a function. Given columns and a number of rows it answers one value per row.
#[derive(Clone)]
pub(crate) struct Kernel {
    run: Arc<Run>,
    /// Same arguments, same answer.
    pure: bool,
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel")
            .field("pure", &self.pure)
            .finish_non_exhaustive()
    }
}

impl Kernel {
    /// A kernel whose answer depends only on its arguments.
    pub(crate) fn pure(
        run: impl Fn(&[Col], usize) -> DfResult<ArrayRef> + Send + Sync + 'static,
    ) -> Self {
        Self {
            run: Arc::new(run),
            pure: true,
        }
    }

    /// A kernel that answers anew for each row, such as `rand`.
    pub(crate) fn volatile(
        run: impl Fn(&[Col], usize) -> DfResult<ArrayRef> + Send + Sync + 'static,
    ) -> Self {
        Self {
            run: Arc::new(run),
            pure: false,
        }
    }

    /// The same constant for every row.
    pub(crate) fn constant(value: &Value, ty: &Type) -> Result<Self> {
        let scalar = value.to_scalar(ty)?;
        Ok(Self::pure(move |_, rows| scalar.to_array_of_size(rows)))
    }

    /// Runs it; see [`Col`].
    pub(crate) fn run(&self, cols: &[Col], rows: usize) -> DfResult<ArrayRef> {
        (self.run)(cols, rows)
    }

    fn evaluate(&self, args: &[ColumnarValue], rows: usize) -> DfResult<ColumnarValue> {
        let all_constant = args
            .iter()
            .all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let cols = args.iter().map(col).collect::<DfResult<Vec<_>>>()?;
        if all_constant && self.pure {
            let one = self.run(&cols, 1)?;
            return ScalarValue::try_from_array(&one, 0).map(ColumnarValue::Scalar);
        }
        self.run(&cols, rows).map(ColumnarValue::Array)
    }
}

fn col(value: &ColumnarValue) -> DfResult<Col> {
    Ok(match value {
        ColumnarValue::Array(array) => Col {
            array: Arc::clone(array),
            constant: false,
        },
        ColumnarValue::Scalar(scalar) => Col {
            array: scalar.to_array()?,
            constant: true,
        },
    })
}

impl Resolved {
    /// A type with its pure kernel.
    pub(crate) fn new(
        ty: Type,
        run: impl Fn(&[Col], usize) -> DfResult<ArrayRef> + Send + Sync + 'static,
    ) -> Self {
        Self {
            ty,
            kernel: Kernel::pure(run),
        }
    }

    /// Whether equal arguments give equal answers, so that constants may be folded.
    pub(crate) fn is_pure(&self) -> bool {
        self.kernel.pure
    }

    /// The answer for constant arguments.
    ///
    /// # Errors
    /// What the function refuses.
    pub(crate) fn fold(&self, args: &[Argument]) -> Result<Value> {
        let mut cols = Vec::with_capacity(args.len());
        for arg in args {
            let value = arg.constant.as_ref().unwrap_or(&Value::Null);
            cols.push(Col {
                array: values_to_array(&arg.ty, std::slice::from_ref(value))?,
                constant: true,
            });
        }
        let answer = self.kernel.run(&cols, 1).map_err(QueryError::from)?;
        Value::from_array(&answer, 0, &self.ty)
    }
}

/// The call of a resolved function as a DataFusion expression. Arguments have the types it was resolved with.
pub(crate) fn call(resolved: &Resolved, name: &str, args: Vec<Expr>) -> Expr {
    let volatility = if resolved.kernel.pure {
        Volatility::Immutable
    } else {
        Volatility::Volatile
    };
    ScalarUDF::new_from_impl(Function {
        name: name.to_owned(),
        ty: resolved.ty.clone(),
        kernel: resolved.kernel.clone(),
        signature: Signature::one_of(
            vec![TypeSignature::VariadicAny, TypeSignature::Nullary],
            volatility,
        ),
    })
    .call(args)
}

struct Function {
    name: String,
    ty: Type,
    kernel: Kernel,
    signature: Signature,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.name, self.ty)
    }
}

// A kernel depends on the name, the types and constants of its arguments, and on what is constant within a query; the
// arguments themselves are compared by DataFusion.
impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.ty == other.ty
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.ty.hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> DfResult<DataType> {
        Ok(self.ty.arrow())
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs<'_>) -> DfResult<FieldRef> {
        Ok(Arc::new(Field::new(&self.name, self.ty.arrow(), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let value = self.kernel.evaluate(&args.args, args.number_rows)?;
        if value.data_type() == *args.return_field.data_type() {
            return Ok(value);
        }
        Err(DataFusionError::Internal(format!(
            "function `{}` answered {} instead of {}",
            self.name,
            value.data_type(),
            self.ty
        )))
    }
}
