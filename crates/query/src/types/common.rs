//! Relations between types: what wraps what, and the least type that holds several.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each rule is about a few types; all others share the default"
)]

use super::Type;

impl Type {
    /// The type without `Nullable` and `LowCardinality` at the top.
    #[must_use]
    pub fn bare(&self) -> &Self {
        match self {
            Self::Nullable(inner) | Self::LowCardinality(inner) => inner.bare(),
            _ => self,
        }
    }

    /// Whether NULL is a value of it.
    #[must_use]
    pub fn is_nullable(&self) -> bool {
        match self {
            Self::Nullable(_) => true,
            Self::LowCardinality(inner) => inner.is_nullable(),
            _ => false,
        }
    }

    /// Whether it is `LowCardinality(…)`.
    #[must_use]
    pub fn is_low_cardinality(&self) -> bool {
        matches!(self, Self::LowCardinality(_))
    }

    /// The type without a `LowCardinality` at the top.
    #[must_use]
    pub fn without_low_cardinality(&self) -> Self {
        match self {
            Self::LowCardinality(inner) => (**inner).clone(),
            _ => self.clone(),
        }
    }

    /// The type without `LowCardinality` anywhere, as aggregates and arrays have it.
    #[must_use]
    pub fn without_low_cardinality_deep(&self) -> Self {
        match self {
            Self::LowCardinality(inner) => inner.without_low_cardinality_deep(),
            Self::Nullable(inner) => Self::Nullable(Box::new(inner.without_low_cardinality_deep())),
            Self::Array(item) => Self::Array(Box::new(item.without_low_cardinality_deep())),
            Self::Map(key, value) => Self::Map(
                Box::new(key.without_low_cardinality_deep()),
                Box::new(value.without_low_cardinality_deep()),
            ),
            Self::Tuple(items) => Self::Tuple(
                items
                    .iter()
                    .map(|(name, ty)| (name.clone(), ty.without_low_cardinality_deep()))
                    .collect(),
            ),
            _ => self.clone(),
        }
    }

    /// Whether `Nullable` of it exists.
    #[must_use]
    pub fn can_be_nullable(&self) -> bool {
        !matches!(
            self,
            Self::Array(_)
                | Self::Map(..)
                | Self::Tuple(_)
                | Self::Nullable(_)
                | Self::LowCardinality(_)
        )
    }

    /// `Nullable` of it where that exists, else itself. Goes inside `LowCardinality`.
    #[must_use]
    pub fn nullable(&self) -> Self {
        match self {
            Self::LowCardinality(inner) => Self::LowCardinality(Box::new(inner.nullable())),
            _ if self.can_be_nullable() => Self::Nullable(Box::new(self.clone())),
            _ => self.clone(),
        }
    }

    /// The type without `Nullable` at the top.
    #[must_use]
    pub fn not_nullable(&self) -> Self {
        match self {
            Self::LowCardinality(inner) => Self::LowCardinality(Box::new(inner.not_nullable())),
            Self::Nullable(inner) => (**inner).clone(),
            _ => self.clone(),
        }
    }

    /// Whether it is an unsigned integer; Bool counts.
    #[must_use]
    pub fn is_unsigned(&self) -> bool {
        matches!(
            self,
            Self::UInt8 | Self::UInt16 | Self::UInt32 | Self::UInt64 | Self::Bool
        )
    }

    /// Whether it is a signed integer.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        matches!(self, Self::Int8 | Self::Int16 | Self::Int32 | Self::Int64)
    }

    /// Whether it is an integer; Bool counts.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        self.is_unsigned() || self.is_signed()
    }

    /// Whether it is a floating point number.
    #[must_use]
    pub fn is_float(&self) -> bool {
        matches!(self, Self::Float32 | Self::Float64)
    }

    /// Whether arithmetic works on it: integers, floats, Decimal.
    #[must_use]
    pub fn is_number(&self) -> bool {
        self.is_integer() || self.is_float() || matches!(self, Self::Decimal(..))
    }

    /// Whether it is text.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self, Self::String | Self::FixedString(_))
    }

    /// Whether it is a day or a point in time.
    #[must_use]
    pub fn is_time(&self) -> bool {
        matches!(
            self,
            Self::Date | Self::Date32 | Self::DateTime(_) | Self::DateTime64(..)
        )
    }

    /// Bits of an integer or float; 0 for anything else.
    #[must_use]
    pub fn bits(&self) -> u32 {
        match self {
            Self::UInt8 | Self::Int8 | Self::Bool => 8,
            Self::UInt16 | Self::Int16 => 16,
            Self::UInt32 | Self::Int32 | Self::Float32 => 32,
            Self::UInt64 | Self::Int64 | Self::Float64 => 64,
            _ => 0,
        }
    }

    /// The integer type of `bits` (8 to 64, others round up, at most 64).
    #[must_use]
    pub fn integer(bits: u32, signed: bool) -> Self {
        match (bits, signed) {
            (0..=8, false) => Self::UInt8,
            (9..=16, false) => Self::UInt16,
            (17..=32, false) => Self::UInt32,
            (_, false) => Self::UInt64,
            (0..=8, true) => Self::Int8,
            (9..=16, true) => Self::Int16,
            (17..=32, true) => Self::Int32,
            (_, true) => Self::Int64,
        }
    }
}

/// The least type that holds the values of all of `types`; `None` when there is none.
#[must_use]
pub(crate) fn common_type(types: &[Type]) -> Option<Type> {
    if let [first, rest @ ..] = types
        && rest.iter().all(|ty| ty == first)
    {
        return Some(first.clone());
    }
    let has_null = types.iter().any(Type::is_nullable);
    let all_low = !types.is_empty() && types.iter().all(Type::is_low_cardinality);
    let bare: Vec<&Type> = types
        .iter()
        .map(Type::bare)
        .filter(|ty| **ty != Type::Nothing)
        .collect();
    let Some((first, rest)) = bare.split_first() else {
        let nothing = Type::Nothing;
        return Some(if has_null {
            nothing.nullable()
        } else {
            nothing
        });
    };
    let mut common = (*first).clone();
    if rest.iter().any(|ty| *ty != &common) {
        common = common_bare(&bare)?;
    }
    if has_null {
        // An array cannot be NULL, so NULL and an array have nothing in common.
        if !common.can_be_nullable() {
            return None;
        }
        common = common.nullable();
    }
    Some(if all_low {
        Type::LowCardinality(Box::new(common))
    } else {
        common
    })
}

fn common_bare(types: &[&Type]) -> Option<Type> {
    if types.iter().all(|ty| ty.is_number()) {
        return common_number(types);
    }
    if types.iter().all(|ty| ty.is_text()) {
        return Some(Type::String);
    }
    if types.iter().all(|ty| ty.is_time()) {
        return Some(common_time(types));
    }
    common_nested(types)
}

fn common_number(types: &[&Type]) -> Option<Type> {
    if types.iter().any(|ty| matches!(ty, Type::Decimal(..))) {
        return common_decimal(types);
    }
    let widest = |keep: fn(&Type) -> bool| {
        let bits = types.iter().filter(|ty| keep(ty)).map(|ty| ty.bits());
        bits.max().unwrap_or(0)
    };
    let floats = widest(Type::is_float);
    let signed = widest(Type::is_signed);
    let unsigned = widest(Type::is_unsigned);
    if floats > 0 {
        // A float holds an integer exactly only while its mantissa is wider.
        return match (floats, signed.max(unsigned)) {
            (32, 0..=16) => Some(Type::Float32),
            (_, 0..=32) => Some(Type::Float64),
            _ => None,
        };
    }
    if signed == 0 {
        return Some(Type::integer(unsigned, false));
    }
    let bits = if unsigned >= signed {
        unsigned * 2
    } else {
        signed
    };
    (bits <= 64).then(|| Type::integer(bits, true))
}

fn common_decimal(types: &[&Type]) -> Option<Type> {
    let mut whole = 0;
    let mut scale = 0;
    for ty in types {
        match ty {
            Type::Decimal(p, s) => {
                whole = whole.max(p.saturating_sub(*s));
                scale = scale.max(*s);
            }
            _ if ty.is_float() => return None,
            _ => {
                whole = whole.max(match ty.bits() {
                    8 => 3,
                    16 => 5,
                    32 => 10,
                    _ => 20,
                });
            }
        }
    }
    let precision = match whole.saturating_add(scale) {
        0..=9 => 9,
        10..=18 => 18,
        _ => 38,
    };
    Some(Type::Decimal(precision, scale))
}

fn common_time(types: &[&Type]) -> Type {
    let mut scale = None;
    let mut second = false;
    let mut wide_day = false;
    let mut zone = None;
    for ty in types {
        match ty {
            Type::DateTime64(p, z) => {
                scale = scale.max(Some(*p));
                zone = zone.or_else(|| z.clone());
            }
            Type::DateTime(z) => {
                second = true;
                zone = zone.or_else(|| z.clone());
            }
            Type::Date32 => wide_day = true,
            _ => {}
        }
    }
    match scale {
        Some(p) => Type::DateTime64(p, zone),
        None if second && wide_day => Type::DateTime64(0, zone),
        None if second => Type::DateTime(zone),
        None if wide_day => Type::Date32,
        None => Type::Date,
    }
}

fn common_nested(types: &[&Type]) -> Option<Type> {
    let first = types.first()?;
    if let Type::Array(_) = first {
        let items = collect(types, |ty| match ty {
            Type::Array(item) => Some((**item).clone()),
            _ => None,
        })?;
        return common_type(&items).map(|item| Type::Array(Box::new(item)));
    }
    if let Type::Map(..) = first {
        let keys = collect(types, |ty| match ty {
            Type::Map(key, _) => Some((**key).clone()),
            _ => None,
        })?;
        let values = collect(types, |ty| match ty {
            Type::Map(_, value) => Some((**value).clone()),
            _ => None,
        })?;
        let (key, value) = (common_type(&keys)?, common_type(&values)?);
        return Some(Type::Map(Box::new(key), Box::new(value)));
    }
    if let Type::Tuple(fields) = first {
        return common_tuple(fields, types);
    }
    if let Type::Interval(unit) = first {
        let same = types.iter().all(|ty| **ty == Type::Interval(*unit));
        return same.then(|| (*first).clone());
    }
    // An Enum beside text is text.
    let texts = types
        .iter()
        .all(|ty| ty.is_text() || matches!(ty, Type::Enum8(_)));
    texts.then_some(Type::String)
}

fn collect(types: &[&Type], part: fn(&Type) -> Option<Type>) -> Option<Vec<Type>> {
    types.iter().map(|ty| part(ty)).collect()
}

fn common_tuple(fields: &[(Option<String>, Type)], types: &[&Type]) -> Option<Type> {
    let mut common = Vec::with_capacity(fields.len());
    for (i, (name, _)) in fields.iter().enumerate() {
        let mut column = Vec::with_capacity(types.len());
        let mut same_name = true;
        for ty in types {
            let Type::Tuple(other) = ty else { return None };
            if other.len() != fields.len() {
                return None;
            }
            let (other_name, item) = other.get(i)?;
            same_name &= other_name == name;
            column.push(item.clone());
        }
        let name = if same_name { name.clone() } else { None };
        common.push((name, common_type(&column)?));
    }
    Some(Type::Tuple(common))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(types: &[&str], expected: &str) {
        let parsed: Vec<Type> = types.iter().map(|ty| ty.parse().unwrap()).collect();
        let common = common_type(&parsed).map_or_else(|| "none".to_owned(), |ty| ty.to_string());
        assert_eq!(common, expected, "{types:?}");
    }

    #[test]
    fn numbers_widen_until_they_hold_both() {
        check(&["UInt8", "UInt16"], "UInt16");
        check(&["UInt8", "Int8"], "Int16");
        check(&["UInt32", "Int8"], "Int64");
        check(&["UInt64", "Int8"], "none");
        check(&["UInt8", "Float32"], "Float32");
        check(&["UInt32", "Float32"], "Float64");
        check(&["Int64", "Float64"], "none");
        check(&["UInt8", "Decimal(9, 2)"], "Decimal(9, 2)");
    }

    #[test]
    fn wrappers_follow_their_rules() {
        check(&["UInt8", "Nullable(Nothing)"], "Nullable(UInt8)");
        check(&["LowCardinality(String)", "String"], "String");
        check(
            &["LowCardinality(String)", "LowCardinality(Nullable(String))"],
            "LowCardinality(Nullable(String))",
        );
        check(&["Array(UInt8)", "Array(Nothing)"], "Array(UInt8)");
        check(&["Array(UInt8)", "Nullable(Nothing)"], "none");
        check(&["Nothing"], "Nothing");
        check(
            &["Tuple(UInt8, String)", "Tuple(Int8, String)"],
            "Tuple(Int16, String)",
        );
    }

    #[test]
    fn times_take_the_finest() {
        check(&["Date", "DateTime"], "DateTime");
        check(
            &["DateTime64(3)", "DateTime64(9, 'UTC')"],
            "DateTime64(9, 'UTC')",
        );
        check(&["Date", "Date32"], "Date32");
        check(&["Date", "String"], "none");
        check(&["Date", "UInt8"], "none");
    }
}
