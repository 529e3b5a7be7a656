//! WITH FILL of the outermost SELECT: which column is filled, from where to where, by which step.

use super::items::Item;
use super::scope::Scope;
use super::tree::{Fill, FillStep, Typed};
use super::{Analyzer, Result};
use crate::error::{ErrorCode, QueryError};
use crate::syntax::{Expr, OrderBy, OrderKey, Select};
use crate::types::{IntervalUnit, Type, Value};

impl<'q> Analyzer<'_> {
    /// What WITH FILL asks for. Positions are those of the items.
    pub(super) fn fill(
        &mut self,
        scope: &mut Scope<'q>,
        select: &Select,
        items: &[Item],
    ) -> Result<Option<Fill>> {
        let Some(OrderBy::Keys(keys)) = &select.order_by else {
            return Ok(None);
        };
        let Some(at) = keys.iter().position(|key| key.fill.is_some()) else {
            return Ok(None);
        };
        let (before, rest) = keys.split_at(at);
        let Some((key, behind)) = rest.split_first() else {
            return Ok(None);
        };
        if !self.is_outermost || behind.iter().any(|key| key.fill.is_some()) || select.ties {
            return Err(QueryError::new(
                ErrorCode::NotImplemented,
                "WITH FILL is implemented for one column of the outermost SELECT",
            ));
        }
        let mut prefix = Vec::new();
        for key in before {
            prefix.push(self.item_of(scope, &key.expr, items)?);
        }
        let column = self.item_of(scope, &key.expr, items)?;
        let Some(item) = items.get(column) else {
            return Ok(None);
        };
        let mut fill = self.fill_bounds(scope, key, column, &item.typed.ty)?;
        fill.prefix = prefix;
        fill.carried = carried(select, items, &fill)?;
        fill.offset = self
            .optional_count(select.offset.as_ref(), "OFFSET")?
            .unwrap_or(0);
        fill.limit = self.optional_count(select.limit.as_ref(), "LIMIT")?;
        Ok(Some(fill))
    }

    /// The item that a key of the order is.
    fn item_of(&mut self, scope: &mut Scope<'q>, expr: &Expr, items: &[Item]) -> Result<usize> {
        let typed = self.key(scope, expr, items)?;
        let found = items.iter().position(|item| item.typed == typed);
        found.ok_or_else(|| {
            QueryError::new(
                ErrorCode::NotImplemented,
                "keys of an order WITH FILL must be selected; add them to the list",
            )
        })
    }

    fn fill_bounds(
        &mut self,
        scope: &mut Scope<'q>,
        key: &OrderKey,
        column: usize,
        ty: &Type,
    ) -> Result<Fill> {
        let given = key.fill.clone().unwrap_or_default();
        let bare = ty.bare().clone();
        if !(bare.is_number() || bare.is_time()) || matches!(bare, Type::Decimal(..) | Type::Bool) {
            return Err(invalid(&format!(
                "Incompatible types of WITH FILL expression values with column type {ty}"
            )));
        }
        let mut bound = |expr: Option<Expr>| -> Result<Option<Value>> {
            let Some(expr) = expr else {
                return Ok(None);
            };
            let typed = self.expression(scope, &expr)?;
            if typed.value().is_none() {
                return Err(invalid("WITH FILL expression must be constant"));
            }
            let cast = self.cast(typed, &bare)?;
            Ok(cast.value().cloned())
        };
        let (from, to) = (bound(given.from)?, bound(given.to)?);
        let step = match given.step {
            Some(expr) => self.fill_step(scope, &expr, ty)?,
            None if key.descending => backwards(&one(ty)),
            None => one(ty),
        };
        let (zero, negative) = step.sign();
        if zero {
            return Err(invalid("WITH FILL STEP value cannot be zero"));
        }
        if negative != key.descending {
            return Err(invalid(
                "WITH FILL STEP value must have the direction of the order",
            ));
        }
        let staleness = match given.staleness {
            Some(expr) => Some(self.fill_step(scope, &expr, ty)?),
            None => None,
        };
        Ok(Fill {
            column,
            prefix: Vec::new(),
            descending: key.descending,
            from,
            to,
            step,
            staleness,
            carried: Vec::new(),
            offset: 0,
            limit: None,
        })
    }

    /// A number or an interval as a step of the column's type.
    fn fill_step(&mut self, scope: &mut Scope<'q>, expr: &Expr, ty: &Type) -> Result<FillStep> {
        let typed: Typed = self.expression(scope, expr)?;
        let Some(value) = typed.value() else {
            return Err(invalid("WITH FILL STEP must be constant"));
        };
        let bare = ty.bare();
        if let Type::Interval(unit) = typed.ty.bare() {
            let count = value.as_i128().unwrap_or(0);
            return interval_step(*unit, count, bare);
        }
        if bare.is_float() {
            let step = crate::types::as_f64(value);
            return step
                .map(FillStep::Float)
                .ok_or_else(|| invalid("WITH FILL STEP must be a number"));
        }
        let Some(count) = value.as_i128() else {
            return Err(invalid("WITH FILL STEP must be a whole number"));
        };
        let second = 10_i128.pow(u32::from(bare.time_step()));
        Ok(FillStep::Whole(count.saturating_mul(second)))
    }
}

impl FillStep {
    /// Whether it is zero, and whether it goes down.
    fn sign(&self) -> (bool, bool) {
        match self {
            Self::Whole(step) => (*step == 0, *step < 0),
            Self::Float(step) => (*step == 0.0, *step < 0.0),
            Self::Months(step) => (*step == 0, *step < 0),
        }
    }
}

fn one(ty: &Type) -> FillStep {
    if ty.bare().is_float() {
        return FillStep::Float(1.0);
    }
    FillStep::Whole(10_i128.pow(u32::from(ty.bare().time_step())))
}

fn backwards(step: &FillStep) -> FillStep {
    match step {
        FillStep::Whole(step) => FillStep::Whole(-step),
        FillStep::Float(step) => FillStep::Float(-step),
        FillStep::Months(step) => FillStep::Months(-step),
    }
}

/// The step of an interval in units of a time type.
fn interval_step(unit: IntervalUnit, count: i128, ty: &Type) -> Result<FillStep> {
    let months = |each: i128| {
        let months = i64::try_from(count.saturating_mul(each)).unwrap_or(i64::MAX);
        Ok(FillStep::Months(months))
    };
    let nanos: i128 = match unit {
        IntervalUnit::Nanosecond => 1,
        IntervalUnit::Microsecond => 1_000,
        IntervalUnit::Millisecond => 1_000_000,
        IntervalUnit::Second => 1_000_000_000,
        IntervalUnit::Minute => 60 * 1_000_000_000,
        IntervalUnit::Hour => 3_600 * 1_000_000_000,
        IntervalUnit::Day => 86_400 * 1_000_000_000,
        IntervalUnit::Week => 7 * 86_400 * 1_000_000_000,
        IntervalUnit::Month => return months(1),
        IntervalUnit::Quarter => return months(3),
        IntervalUnit::Year => return months(12),
    };
    let unit_nanos: i128 = if matches!(ty, Type::Date | Type::Date32) {
        86_400 * 1_000_000_000
    } else if matches!(ty, Type::DateTime(_) | Type::DateTime64(..)) {
        10_i128.pow(u32::from(9_u8.saturating_sub(ty.time_step())))
    } else {
        return Err(invalid("WITH FILL STEP can be an interval for times only"));
    };
    let total = nanos.saturating_mul(count);
    if total % unit_nanos != 0 {
        return Err(invalid("WITH FILL STEP is finer than the column"));
    }
    Ok(FillStep::Whole(total / unit_nanos))
}

/// The columns that INTERPOLATE carries over from the row before.
fn carried(select: &Select, items: &[Item], fill: &Fill) -> Result<Vec<usize>> {
    let Some(interpolate) = &select.interpolate else {
        return Ok(Vec::new());
    };
    if interpolate.is_empty() {
        let keys = |at: &usize| *at == fill.column || fill.prefix.contains(at);
        return Ok((0..items.len()).filter(|at| !keys(at)).collect());
    }
    let mut carried = Vec::new();
    for wanted in interpolate {
        let plain = wanted.value.as_ref().map(Expr::plain_name);
        if plain.is_some_and(|name| name.as_ref() != Some(&wanted.column)) {
            return Err(QueryError::new(
                ErrorCode::NotImplemented,
                "INTERPOLATE can only carry a column over; expressions are not implemented",
            ));
        }
        let at = items.iter().position(|item| item.name == wanted.column);
        carried.push(at.ok_or_else(|| {
            QueryError::new(
                ErrorCode::UnknownIdentifier,
                format!("INTERPOLATE names no column of the list: {}", wanted.column),
            )
        })?);
    }
    Ok(carried)
}

fn invalid(what: &str) -> QueryError {
    QueryError::new(ErrorCode::InvalidWithFillExpression, what)
}
