//! What the registry knows of a function, and what a resolver is given.

use super::kernel::{Argument, Context, Resolved};
use crate::error::{ErrorCode, QueryError, Result};
use crate::types::{Type, Value};

/// How NULL and `LowCardinality` reach a resolver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// It sees bare types; the registry adds the wrappers, and a NULL argument makes the row NULL.
    Strict,
    /// It sees the types as they are.
    Raw,
}

/// A function of the registry.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) any_case: bool,
    pub(super) mode: Mode,
    /// Fewest and most arguments.
    count: (usize, usize),
    pub(super) resolve: fn(&Call<'_>) -> Result<Resolved>,
}

/// No upper bound of arguments.
pub(super) const MANY: usize = usize::MAX;

/// A function that gives NULL for NULL.
pub(super) const fn strict(
    name: &'static str,
    count: (usize, usize),
    resolve: fn(&Call<'_>) -> Result<Resolved>,
) -> Entry {
    Entry {
        name,
        any_case: false,
        mode: Mode::Strict,
        count,
        resolve,
    }
}

/// A function that treats NULL and `LowCardinality` itself.
pub(super) const fn raw(
    name: &'static str,
    count: (usize, usize),
    resolve: fn(&Call<'_>) -> Result<Resolved>,
) -> Entry {
    Entry {
        name,
        any_case: false,
        mode: Mode::Raw,
        count,
        resolve,
    }
}

impl Entry {
    /// The name may be written in any case.
    pub(super) const fn any_case(self) -> Self {
        Self {
            name: self.name,
            any_case: true,
            mode: self.mode,
            count: self.count,
            resolve: self.resolve,
        }
    }

    pub(super) fn check_count(&self, given: usize) -> Result<()> {
        let (least, most) = self.count;
        if (least..=most).contains(&given) {
            return Ok(());
        }
        let wanted = match (least, most) {
            (least, MANY) => format!("at least {least}"),
            (least, most) if least == most => format!("{least}"),
            (least, most) => format!("{least} to {most}"),
        };
        Err(QueryError::new(
            ErrorCode::NumberOfArgumentsDoesntMatch,
            format!(
                "Number of arguments for function {} doesn't match: passed {given}, should be {wanted}",
                self.name
            ),
        ))
    }
}

/// A call to resolve.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) name: &'static str,
    pub(super) args: &'a [Argument],
    pub(super) context: &'a Context,
}

impl Call<'_> {
    /// Type of argument `i`; `Nothing` beyond the last.
    pub(super) fn ty(&self, i: usize) -> &Type {
        self.args.get(i).map_or(&Type::Nothing, |arg| &arg.ty)
    }

    /// Value of argument `i` when it is a constant.
    pub(super) fn constant(&self, i: usize) -> Option<&Value> {
        self.args.get(i).and_then(|arg| arg.constant.as_ref())
    }

    /// Argument `i` as a constant text.
    pub(super) fn constant_text(&self, i: usize) -> Result<&str> {
        self.constant(i).and_then(Value::as_text).ok_or_else(|| {
            self.fail(
                ErrorCode::IllegalColumn,
                &format!("argument {} must be a constant string", i + 1),
            )
        })
    }

    /// Argument `i` as a constant text, `None` when it is absent.
    pub(super) fn optional_text(&self, i: usize) -> Result<Option<&str>> {
        if i < self.args.len() {
            return self.constant_text(i).map(Some);
        }
        Ok(None)
    }

    /// Argument `i` as a constant integer.
    pub(super) fn constant_integer(&self, i: usize) -> Result<i64> {
        self.constant(i)
            .and_then(Value::as_i128)
            .and_then(|v| i64::try_from(v).ok())
            .ok_or_else(|| {
                self.fail(
                    ErrorCode::IllegalColumn,
                    &format!("argument {} must be a constant integer", i + 1),
                )
            })
    }

    /// Requires text at each of `positions` that is given.
    pub(super) fn want_text(&self, positions: &[usize]) -> Result<()> {
        self.want(positions, Type::is_text)
    }

    /// Requires integers.
    pub(super) fn want_integer(&self, positions: &[usize]) -> Result<()> {
        self.want(positions, Type::is_integer)
    }

    /// Requires numbers.
    pub(super) fn want_number(&self, positions: &[usize]) -> Result<()> {
        self.want(positions, Type::is_number)
    }

    fn want(&self, positions: &[usize], fits: fn(&Type) -> bool) -> Result<()> {
        for &i in positions {
            if i < self.args.len() && !fits(self.ty(i)) {
                return Err(self.illegal(i));
            }
        }
        Ok(())
    }

    /// The error of a wrong type at position `i`.
    pub(super) fn illegal(&self, i: usize) -> QueryError {
        QueryError::new(
            ErrorCode::IllegalTypeOfArgument,
            format!(
                "Illegal type {} of argument {} of function {}",
                self.ty(i),
                i + 1,
                self.name
            ),
        )
    }

    /// An error of this function.
    pub(super) fn fail(&self, code: ErrorCode, what: &str) -> QueryError {
        QueryError::new(code, format!("Function {}: {what}", self.name))
    }
}
