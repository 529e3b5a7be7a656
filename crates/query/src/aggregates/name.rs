//! Names of aggregates: spellings, aliases and combinators.

/// A name taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ParsedName {
    /// The family that computes it.
    pub(super) base: &'static str,
    /// `-If`
    pub(super) condition: bool,
    /// `-OrNull`
    pub(super) or_null: bool,
    /// `-OrDefault`
    pub(super) or_default: bool,
}

/// Spelling and family.
const NAMES: [(&str, &str); 47] = [
    ("any", "any"),
    ("any_value", "any"),
    ("anyLast", "anyLast"),
    ("argMax", "argMax"),
    ("argMin", "argMin"),
    ("avg", "avg"),
    ("count", "count"),
    ("countDistinct", "uniq"),
    ("first_value", "any"),
    ("groupArray", "groupArray"),
    ("groupUniqArray", "groupUniqArray"),
    ("array_agg", "groupArray"),
    ("last_value", "anyLast"),
    ("max", "max"),
    ("median", "median"),
    ("medianExact", "median"),
    ("medianTDigest", "median"),
    ("min", "min"),
    ("quantile", "quantile"),
    ("quantileDD", "quantile"),
    ("quantileDeterministic", "quantile"),
    ("quantileExact", "quantile"),
    ("quantileGK", "quantile"),
    ("quantileTDigest", "quantile"),
    ("quantileTiming", "quantile"),
    ("quantiles", "quantiles"),
    ("quantilesExact", "quantiles"),
    ("quantilesTDigest", "quantiles"),
    ("quantilesTiming", "quantiles"),
    ("stddevPop", "stddevPop"),
    ("stddevSamp", "stddevSamp"),
    ("stddev_pop", "stddevPop"),
    ("stddev_samp", "stddevSamp"),
    ("sum", "sum"),
    ("topK", "topK"),
    ("uniq", "uniq"),
    ("uniqCombined", "uniq"),
    ("uniqCombined64", "uniq"),
    ("uniqExact", "uniq"),
    ("uniqHLL12", "uniq"),
    ("uniqTheta", "uniq"),
    ("varPop", "varPop"),
    ("varSamp", "varSamp"),
    ("var_pop", "varPop"),
    ("var_samp", "varSamp"),
    ("sumWithOverflow", "sum"),
    ("sumKahan", "sum"),
];

/// Names that may be written in any case.
const ANY_CASE: [&str; 14] = [
    "any_value",
    "avg",
    "count",
    "first_value",
    "last_value",
    "max",
    "median",
    "min",
    "stddev_pop",
    "stddev_samp",
    "sum",
    "var_pop",
    "var_samp",
    "array_agg",
];

/// Suffixes that change what an aggregate does.
pub(crate) const COMBINATORS: [&str; 3] = ["If", "OrDefault", "OrNull"];

/// Every spelling, and whether it may be written in any case.
pub(crate) fn names() -> impl Iterator<Item = (&'static str, bool)> {
    NAMES
        .iter()
        .map(|(name, _)| (*name, ANY_CASE.contains(name)))
}

/// Whether a call of this name is an aggregate.
pub(crate) fn is_aggregate(name: &str) -> bool {
    parse(name).is_some()
}

/// Takes a name apart; nothing when it is no aggregate.
pub(super) fn parse(name: &str) -> Option<ParsedName> {
    let mut parsed = ParsedName {
        base: "",
        condition: false,
        or_null: false,
        or_default: false,
    };
    let mut rest = name;
    loop {
        if let Some(base) = family(rest) {
            parsed.base = base;
            return Some(parsed);
        }
        if let Some(shorter) = rest.strip_suffix("If").filter(|_| !parsed.condition) {
            parsed.condition = true;
            rest = shorter;
        } else if let Some(shorter) = rest.strip_suffix("OrNull") {
            parsed.or_null = true;
            rest = shorter;
        } else if let Some(shorter) = rest.strip_suffix("OrDefault") {
            parsed.or_default = true;
            rest = shorter;
        } else {
            return None;
        }
    }
}

fn family(name: &str) -> Option<&'static str> {
    let exact = NAMES.iter().find(|(known, _)| *known == name);
    let any_case = || {
        let lower = name.to_ascii_lowercase();
        let known = ANY_CASE.contains(&lower.as_str());
        NAMES
            .iter()
            .find(|(spelling, _)| known && *spelling == lower)
    };
    exact.or_else(any_case).map(|(_, base)| *base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinators_come_off_in_any_order() {
        let parsed = parse("sumOrNullIf").expect("is known");
        assert!(parsed.condition && parsed.or_null && parsed.base == "sum");
        let parsed = parse("uniqExactIf").expect("is known");
        assert!(parsed.condition && parsed.base == "uniq");
        assert_eq!(parse("countIf").map(|p| p.base), Some("count"));
        assert_eq!(parse("COUNT").map(|p| p.base), Some("count"));
        assert_eq!(parse("countif"), None);
        assert_eq!(parse("If"), None);
        assert_eq!(parse("lower"), None);
    }
}
