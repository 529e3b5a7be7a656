//! Conditions: comparisons, AND, OR, NOT, LIKE. What the scan can use stays in its native form.

use cairn_storage::CompareOp;

use super::constant::{Against, flipped};
use super::expression::is_null;
use super::function::arguments_of;
use super::tree::{Kind, Typed};
use super::typed::is_true;
use super::{Analyzer, Result};
use crate::error::{ErrorCode, QueryError};
use crate::functions;
use crate::types::{Type, Value, common_type};

impl Analyzer<'_> {
    /// `left op right`.
    pub(super) fn compare(&mut self, op: CompareOp, left: Typed, right: Typed) -> Result<Typed> {
        let name = compare_name(op);
        check_comparable(name, &left, &right)?;
        let left = self.parsed_as(left, &right)?;
        let right = self.parsed_as(right, &left)?;
        let native = match (left.value().is_some(), right.value().is_some()) {
            _ if [&left, &right]
                .iter()
                .any(|side| *side.ty.bare() == Type::Nothing) =>
            {
                None
            }
            (true, true) => None,
            (false, false) => native_columns(op, &left, &right),
            (false, true) => self.native_constant(op, &left, &right)?,
            (true, false) => self.native_constant(flipped(op), &right, &left)?,
        };
        match native {
            Some(native) => {
                let ty = comparison_type(&left, &right);
                Ok(native.relabel(ty))
            }
            None => self.function(name, vec![left, right]),
        }
    }

    /// A constant text beside something that is no text is read as that other type.
    fn parsed_as(&mut self, side: Typed, other: &Typed) -> Result<Typed> {
        let wanted = other.ty.bare();
        let reads = side.value().is_some_and(|value| value.as_text().is_some())
            && side.ty.bare().is_text()
            && (wanted.is_number()
                || wanted.is_time()
                || matches!(wanted, Type::Uuid | Type::Enum8(_)));
        if !reads {
            return Ok(side);
        }
        let wanted = wanted.clone();
        self.cast(side, &wanted).map_err(|error| {
            if wanted.is_number() {
                return QueryError::new(ErrorCode::TypeMismatch, error.message);
            }
            error
        })
    }

    fn native_constant(
        &mut self,
        op: CompareOp,
        column: &Typed,
        constant: &Typed,
    ) -> Result<Option<Typed>> {
        let Some(fit) = self.fit(&column.ty, constant)? else {
            return Ok(None);
        };
        Ok(Some(match fit.against(op) {
            Against::Compare(op, value) => {
                if let Some(seconds) = seconds_of(column)
                    && let Value::UInt(second) = value
                {
                    second_pre_image(op, seconds, second)
                } else {
                    with_constant(op, column.clone(), value)
                }
            }
            Against::Always(truth) => constant_unless_null(column, truth),
        }))
    }

    /// `and(…)`
    pub(super) fn conjunction(&mut self, parts: Vec<Typed>) -> Result<Typed> {
        let ty = logical_type("and", &parts)?;
        if let Some(parts) = without(&parts, true) {
            return Ok(match parts {
                None => Typed::constant(false_of(&ty), ty),
                Some(parts) => joined(parts, ty, true),
            });
        }
        Ok(joined(parts, ty, true))
    }

    /// `or(…)`
    pub(super) fn disjunction(&mut self, parts: Vec<Typed>) -> Result<Typed> {
        let ty = logical_type("or", &parts)?;
        let parts = equalities_as_lists(parts);
        if let Some(parts) = without(&parts, false) {
            return Ok(match parts {
                None => Typed::constant(true_of(&ty), ty),
                Some(parts) => joined(parts, ty, false),
            });
        }
        Ok(joined(parts, ty, false))
    }

    /// `not(x)`
    pub(super) fn negation(&mut self, part: Typed) -> Result<Typed> {
        let mut ty = logical_type("not", std::slice::from_ref(&part))?;
        if part.ty.is_low_cardinality() {
            ty = Type::LowCardinality(Box::new(ty));
        }
        if let Some(value) = part.value() {
            let value = if value.is_null() {
                Value::Null
            } else if is_true(value) {
                false_of(&ty)
            } else {
                true_of(&ty)
            };
            return Ok(Typed::constant(value, ty));
        }
        Ok(Typed {
            ty,
            kind: Kind::Not(Box::new(part)),
        })
    }

    /// LIKE and its relatives. Only a constant pattern has a native form.
    pub(super) fn like(&mut self, name: &str, value: Typed, pattern: Typed) -> Result<Typed> {
        let arguments = vec![value, pattern];
        let described = arguments_of(&arguments);
        let ty = functions::resolve(name, &described, &self.context.functions)?.ty;
        let [value, pattern] = arguments.as_slice() else {
            return self.function(name, arguments);
        };
        let Some(Value::String(pattern)) = pattern.value() else {
            return self.function(name, arguments);
        };
        if value.value().is_some() || !value.ty.bare().is_text() {
            return self.function(name, arguments);
        }
        let like = Typed {
            ty: ty.clone(),
            kind: Kind::Like {
                value: Box::new(value.clone()),
                pattern: pattern.clone(),
                ignore_case: name.to_ascii_lowercase().contains("ilike"),
            },
        };
        if name.starts_with("not") {
            return Ok(Typed {
                ty,
                kind: Kind::Not(Box::new(like)),
            });
        }
        Ok(like)
    }

    /// `a <=> b`: NULL equals NULL.
    pub(super) fn distinct_from(&mut self, name: &str, left: Typed, right: Typed) -> Result<Typed> {
        let same = if left.ty.is_nullable() || right.ty.is_nullable() {
            let both = self.conjunction(vec![is_null(left.clone()), is_null(right.clone())])?;
            let none_left = self.negation(is_null(left.clone()))?;
            let none_right = self.negation(is_null(right.clone()))?;
            let equal = self.compare(CompareOp::Equal, left, right)?;
            let equal = self.conjunction(vec![none_left, none_right, equal])?;
            self.disjunction(vec![both, equal])?
        } else {
            self.compare(CompareOp::Equal, left, right)?
        };
        let same = same.relabel(Type::UInt8);
        if name == "isDistinctFrom" {
            return self.negation(same);
        }
        Ok(same)
    }
}

/// A day has no number to be compared with.
fn check_comparable(name: &str, left: &Typed, right: &Typed) -> Result<()> {
    let day = |ty: &Type| matches!(ty, Type::Date | Type::Date32);
    let (a, b) = (left.ty.bare(), right.ty.bare());
    if day(a) && b.is_number() || day(b) && a.is_number() {
        return Err(QueryError::new(
            ErrorCode::IllegalTypeOfArgument,
            format!("Illegal types of arguments (`{a}`, `{b}`) of function `{name}`"),
        ));
    }
    Ok(())
}

/// `UInt8`, NULL where a side may be, and of few values where the only column is.
fn comparison_type(left: &Typed, right: &Typed) -> Type {
    let mut ty = Type::UInt8;
    if left.ty.is_nullable() || right.ty.is_nullable() {
        ty = ty.nullable();
    }
    let alone = |column: &Typed, constant: &Typed| {
        column.ty.is_low_cardinality() && constant.value().is_some()
    };
    if alone(left, right) || alone(right, left) {
        return Type::LowCardinality(Box::new(ty));
    }
    ty
}

pub(super) fn compare_name(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Equal => "equals",
        CompareOp::NotEqual => "notEquals",
        CompareOp::Less => "less",
        CompareOp::LessOrEqual => "lessOrEquals",
        CompareOp::Greater => "greater",
        CompareOp::GreaterOrEqual => "greaterOrEquals",
    }
}

/// Two columns of physical types that compare natively. Floats do not: NaN and -0 need care.
fn native_columns(op: CompareOp, left: &Typed, right: &Typed) -> Option<Typed> {
    let (a, b) = (left.ty.bare(), right.ty.bare());
    let flat = |ty: &Type| {
        ty.is_integer() || ty.is_text() || matches!(ty, Type::Bool | Type::Uuid | Type::Date)
    };
    let same_time = a.is_time() && a.arrow() == b.arrow() && a.time_step() == b.time_step();
    if a.is_integer() && b.is_integer() {
        let common = common_type(&[a.clone(), b.clone()])?;
        if !common.is_integer() {
            return None;
        }
        let wide = |side: &Typed| {
            let ty = if side.ty.is_nullable() {
                common.nullable()
            } else {
                common.clone()
            };
            side.clone().widen(ty)
        };
        return Some(comparison(op, wide(left), wide(right)));
    }
    let native =
        same_time || flat(a) && flat(b) && a.arrow() == b.arrow() && a.is_text() == b.is_text();
    native.then(|| comparison(op, left.clone(), right.clone()))
}

fn comparison(op: CompareOp, left: Typed, right: Typed) -> Typed {
    Typed {
        ty: Type::UInt8,
        kind: Kind::Compare {
            op,
            left: Box::new(left),
            right: Box::new(right),
        },
    }
}

fn with_constant(op: CompareOp, column: Typed, value: Value) -> Typed {
    let ty = column.ty.bare().clone();
    comparison(op, column, Typed::constant(value, ty))
}

/// A truth that holds for every value, but not for NULL.
fn constant_unless_null(column: &Typed, truth: bool) -> Typed {
    if !column.ty.is_nullable() {
        return Typed::flag(truth);
    }
    let ty = Type::UInt8.nullable();
    Typed {
        ty: ty.clone(),
        kind: Kind::Case {
            branches: vec![(
                is_null(column.clone()),
                Typed::constant(Value::Null, ty.clone()),
            )],
            otherwise: Box::new(Typed::flag(truth).relabel(ty)),
        },
    }
}

/// The finer time inside `toDateTime(time)`, with its ticks per second.
fn seconds_of(column: &Typed) -> Option<(&Typed, i64)> {
    let Kind::Call(call) = &column.kind else {
        return None;
    };
    let [inner] = call.arguments.as_slice() else {
        return None;
    };
    if let Type::DateTime64(precision, _) = &inner.ty
        && call.name == "toDateTime"
    {
        return Some((inner, 10_i64.pow(u32::from(*precision))));
    }
    None
}

/// `toDateTime(time) op second` as a condition on the time itself, which the scan can use.
fn second_pre_image(op: CompareOp, (time, ticks): (&Typed, i64), second: u64) -> Typed {
    let at = |second: u64| {
        let second = i64::try_from(second).unwrap_or(i64::MAX);
        Value::Int(second.saturating_mul(ticks))
    };
    let from = |op, second| with_constant(op, time.clone(), at(second));
    match op {
        CompareOp::Less => from(CompareOp::Less, second),
        CompareOp::LessOrEqual => from(CompareOp::Less, second + 1),
        CompareOp::Greater => from(CompareOp::GreaterOrEqual, second + 1),
        CompareOp::GreaterOrEqual => from(CompareOp::GreaterOrEqual, second),
        CompareOp::Equal => joined(
            vec![
                from(CompareOp::GreaterOrEqual, second),
                from(CompareOp::Less, second + 1),
            ],
            Type::UInt8,
            true,
        ),
        CompareOp::NotEqual => joined(
            vec![
                from(CompareOp::Less, second),
                from(CompareOp::GreaterOrEqual, second + 1),
            ],
            Type::UInt8,
            false,
        ),
    }
}

fn logical_type(name: &str, parts: &[Typed]) -> Result<Type> {
    if name != "not" && parts.len() < 2 {
        return Err(QueryError::new(
            ErrorCode::TooFewArgumentsForFunction,
            format!("Number of arguments for function \"{name}\" should be at least 2"),
        ));
    }
    for part in parts {
        let bare = part.ty.bare();
        if !(bare.is_number() || matches!(bare, Type::Bool | Type::Nothing)) {
            return Err(QueryError::new(
                ErrorCode::IllegalTypeOfArgument,
                format!("Illegal type ({bare}) of argument of function {name}"),
            ));
        }
    }
    let flags = parts.iter().any(|part| *part.ty.bare() == Type::Bool);
    let ty = if flags { Type::Bool } else { Type::UInt8 };
    Ok(if parts.iter().any(|part| part.ty.is_nullable()) {
        ty.nullable()
    } else {
        ty
    })
}

/// `a = 1 OR a = 2` as `a IN (1, 2)`: one condition for the scan, and a flat plan for a long list.
fn equalities_as_lists(parts: Vec<Typed>) -> Vec<Typed> {
    let mut merged: Vec<Typed> = Vec::new();
    for part in parts {
        let Some((column, value)) = equality(&part) else {
            merged.push(part);
            continue;
        };
        // Only the last list is looked at: long conditions are about one column at a time.
        if let Some(Typed {
            kind: Kind::InList { value: known, list },
            ..
        }) = merged.last_mut()
            && **known == *column
        {
            list.push(value.clone());
            continue;
        }
        let before = merged.last().and_then(equality);
        if let Some((known, first)) = before
            && known == column
        {
            let list = vec![first.clone(), value.clone()];
            let kind = Kind::InList {
                value: Box::new(column.clone()),
                list,
            };
            let ty = part.ty.clone();
            merged.pop();
            merged.push(Typed { ty, kind });
            continue;
        }
        merged.push(part);
    }
    merged
}

/// Column and constant of `column = constant`.
fn equality(part: &Typed) -> Option<(&Typed, &Value)> {
    if let Kind::Compare {
        op: CompareOp::Equal,
        left,
        right,
    } = &part.kind
    {
        return Some((&**left, right.value()?)).filter(|(left, _)| left.value().is_none());
    }
    None
}

fn true_of(ty: &Type) -> Value {
    if *ty.bare() == Type::Bool {
        return Value::Bool(true);
    }
    Value::UInt(1)
}

fn false_of(ty: &Type) -> Value {
    if *ty.bare() == Type::Bool {
        return Value::Bool(false);
    }
    Value::UInt(0)
}

/// Drops constants that change nothing (`true` in AND). `Some(None)` when one constant decides alone; nothing when
/// there is nothing to drop.
#[expect(
    clippy::option_option,
    reason = "three outcomes: unchanged, shorter, decided"
)]
fn without(parts: &[Typed], neutral: bool) -> Option<Option<Vec<Typed>>> {
    let constant = |part: &Typed| part.value().filter(|value| !value.is_null()).map(is_true);
    if parts.iter().any(|part| constant(part) == Some(!neutral)) {
        return Some(None);
    }
    let kept: Vec<Typed> = parts
        .iter()
        .filter(|part| constant(part).is_none())
        .cloned()
        .collect();
    (kept.len() < parts.len()).then_some(Some(kept))
}

fn joined(mut parts: Vec<Typed>, ty: Type, all: bool) -> Typed {
    if parts.is_empty() {
        let value = if all { true_of(&ty) } else { false_of(&ty) };
        return Typed::constant(value, ty);
    }
    // A single number is not yet 0 or 1; AND and OR of one make it so.
    let kind = if all {
        Kind::And(std::mem::take(&mut parts))
    } else {
        Kind::Or(std::mem::take(&mut parts))
    };
    Typed { ty, kind }
}
