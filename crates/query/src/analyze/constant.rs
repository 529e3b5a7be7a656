//! Constants compared with columns: the constant becomes one of the column's type, so that the scan can use it.

use cairn_storage::CompareOp;

use super::tree::Typed;
use super::{Analyzer, Result};
use crate::types::{Type, Value};

/// Nanoseconds of one unit of each time type.
const NANOS_PER_SECOND: i128 = 1_000_000_000;
const SECONDS_PER_DAY: i128 = 86_400;

/// A constant as the type of the column it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fit {
    /// The very value.
    Exact(Value),
    /// It lies between this value and the next one.
    Above(Value),
    /// Every value of the type is larger.
    BelowAll,
    /// Every value of the type is smaller.
    AboveAll,
}

/// What a comparison with a constant comes to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Against {
    /// Compare with this value of the column's type.
    Compare(CompareOp, Value),
    /// The same for every row.
    Always(bool),
}

impl Fit {
    /// `column op constant`.
    pub(super) fn against(self, op: CompareOp) -> Against {
        use CompareOp::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        match (self, op) {
            (Self::Exact(value), op) => Against::Compare(op, value),
            (Self::Above(floor), Less | LessOrEqual) => Against::Compare(LessOrEqual, floor),
            (Self::Above(floor), Greater | GreaterOrEqual) => Against::Compare(Greater, floor),
            (Self::Above(_) | Self::BelowAll | Self::AboveAll, Equal) => Against::Always(false),
            (Self::Above(_) | Self::BelowAll | Self::AboveAll, NotEqual) => Against::Always(true),
            (Self::BelowAll, Greater | GreaterOrEqual) | (Self::AboveAll, Less | LessOrEqual) => {
                Against::Always(true)
            }
            (Self::BelowAll, Less | LessOrEqual) | (Self::AboveAll, Greater | GreaterOrEqual) => {
                Against::Always(false)
            }
        }
    }
}

/// The same comparison with its sides exchanged.
pub(super) fn flipped(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Equal | CompareOp::NotEqual => op,
        CompareOp::Less => CompareOp::Greater,
        CompareOp::LessOrEqual => CompareOp::GreaterOrEqual,
        CompareOp::Greater => CompareOp::Less,
        CompareOp::GreaterOrEqual => CompareOp::LessOrEqual,
    }
}

impl Analyzer<'_> {
    /// The constant as a value of `column`'s type; nothing when that type has no exact form of it that we know.
    pub(super) fn fit(&mut self, column: &Type, constant: &Typed) -> Result<Option<Fit>> {
        let Some(value) = constant.value() else {
            return Ok(None);
        };
        let column = column.bare();
        let from = constant.ty.bare();
        if column.is_text() && from.is_text() {
            return Ok(Some(Fit::Exact(value.clone())));
        }
        if column.is_float() || matches!(column, Type::Decimal(..) | Type::Enum8(_)) {
            return Ok(None);
        }
        if from.is_text() && (column.is_number() || column.is_time() || *column == Type::Uuid) {
            let parsed = self.cast(constant.clone(), column)?;
            return Ok(parsed.value().cloned().map(Fit::Exact));
        }
        if column.is_integer() || *column == Type::Bool {
            return Ok(integer_fit(column, value));
        }
        Ok(time_fit(column, from, value))
    }
}

fn integer_fit(column: &Type, value: &Value) -> Option<Fit> {
    let (floor, exact) = floor_of(value)?;
    let (least, most) = integer_range(column)?;
    Some(ranged(floor, exact, least, most, |floor| {
        if *column == Type::Bool {
            return Value::Bool(floor != 0);
        }
        integer_value(column, floor)
    }))
}

fn ranged(floor: i128, exact: bool, least: i128, most: i128, value: impl Fn(i128) -> Value) -> Fit {
    if floor < least {
        return Fit::BelowAll;
    }
    if floor > most || floor == most && !exact {
        return Fit::AboveAll;
    }
    if exact {
        Fit::Exact(value(floor))
    } else {
        Fit::Above(value(floor))
    }
}

/// The integer part, and whether nothing was cut.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the float has no fraction and is far inside the range of i128"
)]
fn floor_of(value: &Value) -> Option<(i128, bool)> {
    if let Value::Float(float) = value {
        let floor = float.floor();
        let inside = floor.is_finite() && floor.abs() < 1e30;
        return inside.then_some((floor as i128, floor == *float));
    }
    value.as_i128().map(|integer| (integer, true))
}

fn integer_range(ty: &Type) -> Option<(i128, i128)> {
    if *ty == Type::Bool {
        return Some((0, 1));
    }
    if !ty.is_integer() {
        return None;
    }
    let bits = ty.bits();
    Some(if ty.is_signed() {
        (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)
    } else {
        (0, (1_i128 << bits) - 1)
    })
}

/// An integer in the variant that its type uses.
fn integer_value(ty: &Type, value: i128) -> Value {
    let unsigned = !ty.is_signed() && !matches!(ty, Type::Date32 | Type::DateTime64(..));
    match (u64::try_from(value), i64::try_from(value)) {
        (Ok(value), _) if unsigned => Value::UInt(value),
        (_, Ok(value)) => Value::Int(value),
        (Ok(value), Err(_)) => Value::UInt(value),
        (Err(_), Err(_)) => Value::Int(i64::MIN),
    }
}

/// Nanoseconds of one step, least and most steps of a time type.
fn time_steps(ty: &Type) -> Option<(i128, i128, i128)> {
    let range = |step, least, most| Some((step, least, most));
    let day = SECONDS_PER_DAY * NANOS_PER_SECOND;
    if *ty == Type::Date {
        return range(day, 0, i128::from(u16::MAX));
    }
    if *ty == Type::Date32 {
        return range(day, i128::from(i32::MIN), i128::from(i32::MAX));
    }
    if matches!(ty, Type::DateTime(_)) {
        return range(NANOS_PER_SECOND, 0, i128::from(u32::MAX));
    }
    if let Type::DateTime64(precision, _) = ty {
        let step = 10_i128.pow(u32::from(9_u8.saturating_sub(*precision)));
        return range(step, i128::from(i64::MIN), i128::from(i64::MAX));
    }
    None
}

fn time_fit(column: &Type, from: &Type, value: &Value) -> Option<Fit> {
    let (step, least, most) = time_steps(column)?;
    let (nanos, mut exact) = if let Some((from_step, _, _)) = time_steps(from) {
        // Days of a zone do not begin at multiples of 86 400 s; only UTC days may be converted here.
        let day = |ty: &Type| matches!(ty, Type::Date | Type::Date32);
        if day(from) != day(column) {
            return None;
        }
        (value.as_i128()?.checked_mul(from_step)?, true)
    } else if from.is_number() && matches!(column, Type::DateTime(_) | Type::DateTime64(..)) {
        let (seconds, exact) = floor_of(value)?;
        if !exact {
            return None;
        }
        (seconds.checked_mul(NANOS_PER_SECOND)?, true)
    } else {
        return None;
    };
    let floor = nanos.div_euclid(step);
    exact = exact && nanos.rem_euclid(step) == 0;
    Some(ranged(floor, exact, least, most, |floor| {
        integer_value(column, floor)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_outside_the_type_decide_for_every_row() {
        let fit = |value| integer_fit(&Type::UInt8, &value);
        assert_eq!(fit(Value::UInt(5)), Some(Fit::Exact(Value::UInt(5))));
        assert_eq!(fit(Value::UInt(300)), Some(Fit::AboveAll));
        assert_eq!(fit(Value::Int(-1)), Some(Fit::BelowAll));
        assert_eq!(fit(Value::Float(1.5)), Some(Fit::Above(Value::UInt(1))));
        assert_eq!(fit(Value::Float(2.0)), Some(Fit::Exact(Value::UInt(2))));
        assert_eq!(
            Fit::AboveAll.against(CompareOp::Less),
            Against::Always(true)
        );
        assert_eq!(
            Fit::Above(Value::UInt(1)).against(CompareOp::GreaterOrEqual),
            Against::Compare(CompareOp::Greater, Value::UInt(1))
        );
    }

    #[test]
    fn times_are_compared_as_instants() {
        let ticks = Type::DateTime64(9, None);
        let second = Type::DateTime(None);
        assert_eq!(
            time_fit(&ticks, &second, &Value::UInt(2)),
            Some(Fit::Exact(Value::Int(2_000_000_000)))
        );
        assert_eq!(
            time_fit(&second, &ticks, &Value::Int(2_500_000_000)),
            Some(Fit::Above(Value::UInt(2)))
        );
        assert_eq!(
            time_fit(&ticks, &Type::UInt8, &Value::UInt(1)),
            Some(Fit::Exact(Value::Int(1_000_000_000)))
        );
        assert_eq!(time_fit(&Type::Date, &Type::UInt8, &Value::UInt(1)), None);
    }
}
