//! Aggregates: ClickHouse's names and types, computed by DataFusion's aggregates where they mean the same and by our own
//! otherwise. What differs afterwards (defaults instead of NULL) is put right by an expression over the result.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each aggregate is about a few of the many types; all others are refused alike"
)]

mod builtin;
mod curves;
mod exact;
mod extreme;
mod flatten;
mod floats;
mod fold;
mod frame;
mod gathered;
mod inner;
mod keyed;
mod list;
mod mapped;
mod moments;
mod name;
mod nested;
mod once;
mod quantile;
mod sums;
mod top;
mod uniq;

use std::sync::Arc;

use datafusion::common::utils::expr::COUNT_STAR_EXPANSION;
use datafusion::logical_expr::expr::{AggregateFunction, NullTreatment, WindowFunction};
use datafusion::logical_expr::{AggregateUDF, Case, Cast, Expr};

use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::Argument;
use crate::types::{Type, Value};

pub(crate) use name::{COMBINATORS, is_aggregate, names};
use name::{Combinator, ParsedName};

/// An aggregate that fits its arguments.
#[derive(Debug, Clone)]
pub(crate) struct ResolvedAggregate {
    /// Type of the result.
    pub(crate) ty: Type,
    /// The last argument is a condition (`-If`).
    pub(crate) takes_condition: bool,
    /// What DataFusion runs.
    function: Arc<AggregateUDF>,
    /// Types that the arguments are converted to first; none of them when empty.
    arguments: Vec<Type>,
    /// NULLs are skipped by asking DataFusion to.
    ignore_nulls: bool,
    /// What stands for no rows; NULL when absent.
    default: Option<Value>,
}

/// What one family decides: the function, what its arguments must become, its result, and what nothing gives.
struct Choice {
    function: Arc<AggregateUDF>,
    arguments: Vec<Type>,
    ty: Type,
    default: Value,
    ignore_nulls: bool,
}

impl ResolvedAggregate {
    /// The call over a window. Arguments as for [`Self::build`].
    pub(crate) fn over(&self, arguments: Vec<Expr>, condition: Option<Expr>) -> WindowFunction {
        let arguments = self.converted(arguments);
        frame::over(&self.function, arguments, condition, self.ignore_nulls)
    }

    /// The call. Arguments are values of the types it was resolved with, without the condition of `-If`.
    pub(crate) fn build(&self, arguments: Vec<Expr>, condition: Option<Expr>) -> Expr {
        Expr::AggregateFunction(AggregateFunction::new_udf(
            Arc::clone(&self.function),
            self.converted(arguments),
            false,
            condition.map(Box::new),
            Vec::new(),
            self.ignore_nulls.then_some(NullTreatment::IgnoreNulls),
        ))
    }

    fn converted(&self, arguments: Vec<Expr>) -> Vec<Expr> {
        let mut converted: Vec<Expr> = arguments
            .into_iter()
            .zip(&self.arguments)
            .map(|(argument, ty)| Expr::Cast(Cast::new(Box::new(argument), ty.arrow())))
            .collect();
        if converted.is_empty() {
            // `count()` counts rows; exactly this constant lets DataFusion answer it from statistics.
            converted.push(Expr::Literal(COUNT_STAR_EXPANSION, None));
        }
        converted
    }

    /// What becomes of the call's column: the result's type, and its default where there was nothing.
    pub(crate) fn finish(&self, column: Expr) -> Result<Expr> {
        let value = Expr::Cast(Cast::new(Box::new(column.clone()), self.ty.arrow()));
        let Some(default) = &self.default else {
            return Ok(value);
        };
        let default = Expr::Literal(default.to_scalar(&self.ty)?, None);
        let nothing = Expr::IsNull(Box::new(column));
        Ok(Expr::Case(Case::new(
            None,
            vec![(Box::new(nothing), Box::new(default))],
            Some(Box::new(value)),
        )))
    }
}

/// Finds the aggregate for these arguments.
///
/// # Errors
/// Unknown name, wrong number, types or parameters.
pub(crate) fn resolve(
    name: &str,
    parameters: &[Value],
    arguments: &[Argument],
) -> Result<ResolvedAggregate> {
    let parsed = name::parse(name).ok_or_else(|| unknown(name))?;
    let mut inner = parsed.combinators.as_slice();
    let (mut condition, mut or_null, mut or_default) = (false, false, false);
    while let [rest @ .., outermost] = inner {
        match outermost {
            Combinator::If if !condition => condition = true,
            Combinator::OrNull => or_null = true,
            Combinator::OrDefault => or_default = true,
            Combinator::If
            | Combinator::Array
            | Combinator::Distinct
            | Combinator::ForEach
            | Combinator::Map => break,
        }
        inner = rest;
    }
    let mut values = arguments;
    if condition {
        let Some((last, rest)) = arguments.split_last() else {
            return Err(wrong_count(name));
        };
        check_condition(name, last)?;
        values = rest;
    }
    let types: Vec<Type> = values
        .iter()
        .map(|argument| argument.ty.without_low_cardinality_deep())
        .collect();
    let nullable = types.iter().any(Type::is_nullable);
    let bare: Vec<Type> = types.iter().map(Type::not_nullable).collect();
    let (base, written) = merged(&parsed, inner, &bare);
    let choice = nested::choose(
        &Call {
            name,
            spelling: written,
            base,
            parameters,
        },
        inner_of(&parsed, inner, base),
        &bare,
    )?;
    let never_null = matches!(
        base,
        "count" | "uniq" | "uniqUpTo" | "sumMap" | "minMap" | "maxMap"
    ) || matches!(choice.ty, Type::Array(_) | Type::Map(..) | Type::Tuple(_));
    let to_null = or_null || nullable && !never_null && !or_default;
    Ok(ResolvedAggregate {
        ty: if to_null {
            choice.ty.nullable()
        } else {
            choice.ty
        },
        takes_condition: condition,
        function: choice.function,
        arguments: choice
            .arguments
            .into_iter()
            .zip(&types)
            .map(|(wanted, given)| {
                if given.is_nullable() {
                    wanted.nullable()
                } else {
                    wanted
                }
            })
            .collect(),
        ignore_nulls: choice.ignore_nulls,
        default: (!to_null).then_some(choice.default),
    })
}

/// `sumMap(keys, values)` is a function of its own, `sumMap(map)` is the sum for each key.
fn merged(
    parsed: &ParsedName,
    inner: &[Combinator],
    types: &[Type],
) -> (&'static str, &'static str) {
    let by_arrays = inner == [Combinator::Map] && !matches!(types, [Type::Map(..)]);
    match parsed.base {
        "sum" if by_arrays => ("sumMap", "sumMap"),
        "min" if by_arrays => ("minMap", "minMap"),
        "max" if by_arrays => ("maxMap", "maxMap"),
        base => (base, parsed.spelling),
    }
}

fn inner_of<'a>(
    parsed: &ParsedName,
    inner: &'a [Combinator],
    base: &'static str,
) -> &'a [Combinator] {
    if base == parsed.base { inner } else { &[] }
}

fn unknown(name: &str) -> QueryError {
    QueryError::new(
        ErrorCode::UnknownAggregateFunction,
        format!("Unknown aggregate function `{name}`"),
    )
}

/// What is asked for.
struct Call<'a> {
    /// The whole name, for messages.
    name: &'a str,
    /// The name without combinators.
    spelling: &'static str,
    base: &'static str,
    parameters: &'a [Value],
}

fn choose(call: &Call<'_>, types: &[Type]) -> Result<Choice> {
    let (name, parameters) = (call.spelling, call.parameters);
    match call.base {
        "uniq" | "uniqUpTo" => uniq::choose(name, parameters, types),
        "quantile" | "quantiles" | "median" => quantile::choose(name, parameters, types),
        "quantileExact" => exact::choose(name, parameters, types),
        "groupArray" | "groupUniqArray" | "groupArrayLast" | "groupArraySorted" => {
            list::choose(name, parameters, types)
        }
        "argMin" | "argMax" => extreme::choose(name, call.base, types),
        "topK" => top::choose(name, parameters, types),
        "sumMap" | "minMap" | "maxMap" => mapped::choose(call, types),
        "firstWithNulls"
        | "lastWithNulls"
        | "singleValueOrNull"
        | "anyHeavy"
        | "groupConcat"
        | "retention"
        | "groupArrayMovingSum"
        | "groupArrayMovingAvg" => gathered::choose(call, types),
        "avgWeighted"
        | "boundingRatio"
        | "deltaSum"
        | "deltaSumTimestamp"
        | "entropy"
        | "histogram"
        | "intervalLengthSum"
        | "kurtPop"
        | "kurtSamp"
        | "lttb"
        | "maxIntersections"
        | "maxIntersectionsPosition"
        | "rankCorr"
        | "simpleLinearRegression"
        | "skewPop"
        | "skewSamp" => floats::choose(call, types),
        "min" | "max" if matches!(types, [Type::Array(_) | Type::Tuple(_)]) => {
            extreme::of_itself(call.base, types)
        }
        _ => builtin::choose(name, call.base, types),
    }
}

fn check_condition(name: &str, condition: &Argument) -> Result<()> {
    let bare = condition.ty.bare();
    if bare.is_integer() || matches!(bare, Type::Bool | Type::Nothing) {
        return Ok(());
    }
    Err(QueryError::new(
        ErrorCode::IllegalTypeOfArgument,
        format!(
            "Illegal type {} of last argument for aggregate function {name}, must be UInt8",
            condition.ty
        ),
    ))
}

fn wrong_count(name: &str) -> QueryError {
    QueryError::new(
        ErrorCode::NumberOfArgumentsDoesntMatch,
        format!("Number of arguments for aggregate function {name} doesn't match"),
    )
}

fn illegal(name: &str, ty: &Type) -> QueryError {
    QueryError::new(
        ErrorCode::IllegalTypeOfArgument,
        format!("Illegal type {ty} of argument for aggregate function {name}"),
    )
}

/// The only argument.
fn single<'a>(name: &str, types: &'a [Type]) -> Result<&'a Type> {
    match types {
        [only] => Ok(only),
        _ => Err(wrong_count(name)),
    }
}
