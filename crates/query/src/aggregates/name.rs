//! Names of aggregates: spellings, aliases and combinators.

/// A name taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ParsedName {
    /// The spelling without combinators.
    pub(super) spelling: &'static str,
    /// The family that computes it.
    pub(super) base: &'static str,
    /// As written: the last one is the outermost.
    pub(super) combinators: Vec<Combinator>,
}

/// A suffix that changes what an aggregate does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Combinator {
    /// Over the items of arrays.
    Array,
    /// Each value once.
    Distinct,
    /// For each position of arrays.
    ForEach,
    /// Where a condition holds.
    If,
    /// For each key of maps.
    Map,
    /// The type's default for no rows.
    OrDefault,
    /// NULL for no rows.
    OrNull,
}

/// Spelling and family.
const NAMES: [(&str, &str); 113] = [
    ("any", "any"),
    ("any_value", "any"),
    ("any_respect_nulls", "firstWithNulls"),
    ("first_value", "any"),
    ("first_value_respect_nulls", "firstWithNulls"),
    ("anyLast", "anyLast"),
    ("last_value", "anyLast"),
    ("last_value_respect_nulls", "lastWithNulls"),
    ("anyLast_respect_nulls", "lastWithNulls"),
    ("anyHeavy", "anyHeavy"),
    ("argMax", "argMax"),
    ("argMin", "argMin"),
    ("avg", "avg"),
    ("avgWeighted", "avgWeighted"),
    ("boundingRatio", "boundingRatio"),
    ("corr", "corr"),
    ("corrStable", "corr"),
    ("count", "count"),
    ("countDistinct", "uniq"),
    ("covarPop", "covarPop"),
    ("covarPopStable", "covarPop"),
    ("covarSamp", "covarSamp"),
    ("covarSampStable", "covarSamp"),
    ("covar_pop", "covarPop"),
    ("covar_samp", "covarSamp"),
    ("deltaSum", "deltaSum"),
    ("deltaSumTimestamp", "deltaSumTimestamp"),
    ("entropy", "entropy"),
    ("groupArray", "groupArray"),
    ("array_agg", "groupArray"),
    ("groupArrayLast", "groupArrayLast"),
    ("groupArrayMovingAvg", "groupArrayMovingAvg"),
    ("groupArrayMovingSum", "groupArrayMovingSum"),
    ("groupArraySorted", "groupArraySorted"),
    ("groupBitAnd", "groupBitAnd"),
    ("BIT_AND", "groupBitAnd"),
    ("groupBitOr", "groupBitOr"),
    ("BIT_OR", "groupBitOr"),
    ("groupBitXor", "groupBitXor"),
    ("BIT_XOR", "groupBitXor"),
    ("groupBitmap", "uniq"),
    ("groupConcat", "groupConcat"),
    ("group_concat", "groupConcat"),
    ("groupUniqArray", "groupUniqArray"),
    ("histogram", "histogram"),
    ("intervalLengthSum", "intervalLengthSum"),
    ("kurtPop", "kurtPop"),
    ("kurtSamp", "kurtSamp"),
    ("largestTriangleThreeBuckets", "lttb"),
    ("lttb", "lttb"),
    ("max", "max"),
    ("maxIntersections", "maxIntersections"),
    ("maxIntersectionsPosition", "maxIntersectionsPosition"),
    ("maxMappedArrays", "maxMap"),
    ("median", "median"),
    ("medianExact", "quantileExact"),
    ("medianTDigest", "median"),
    ("medianTiming", "median"),
    ("min", "min"),
    ("minMappedArrays", "minMap"),
    ("quantile", "quantile"),
    ("quantileDD", "quantile"),
    ("quantileDeterministic", "quantile"),
    ("quantileExact", "quantileExact"),
    ("quantileExactExclusive", "quantileExact"),
    ("quantileExactHigh", "quantileExact"),
    ("quantileExactInclusive", "quantileExact"),
    ("quantileExactLow", "quantileExact"),
    ("quantileExactWeighted", "quantileExact"),
    ("quantileGK", "quantile"),
    ("quantileTDigest", "quantile"),
    ("quantileTiming", "quantile"),
    ("quantiles", "quantiles"),
    ("quantilesDeterministic", "quantiles"),
    ("quantilesExact", "quantileExact"),
    ("quantilesExactExclusive", "quantileExact"),
    ("quantilesExactHigh", "quantileExact"),
    ("quantilesExactInclusive", "quantileExact"),
    ("quantilesExactLow", "quantileExact"),
    ("quantilesExactWeighted", "quantileExact"),
    ("quantilesTDigest", "quantiles"),
    ("quantilesTiming", "quantiles"),
    ("rankCorr", "rankCorr"),
    ("retention", "retention"),
    ("simpleLinearRegression", "simpleLinearRegression"),
    ("singleValueOrNull", "singleValueOrNull"),
    ("skewPop", "skewPop"),
    ("skewSamp", "skewSamp"),
    ("stddev", "stddevSamp"),
    ("stddevPop", "stddevPop"),
    ("stddevPopStable", "stddevPop"),
    ("stddevSamp", "stddevSamp"),
    ("stddevSampStable", "stddevSamp"),
    ("stddev_pop", "stddevPop"),
    ("stddev_samp", "stddevSamp"),
    ("sum", "sum"),
    ("sumKahan", "sumKahan"),
    ("sumMappedArrays", "sumMap"),
    ("sumWithOverflow", "sumWithOverflow"),
    ("topK", "topK"),
    ("topKWeighted", "topK"),
    ("uniq", "uniq"),
    ("uniqCombined", "uniq"),
    ("uniqCombined64", "uniq"),
    ("uniqExact", "uniq"),
    ("uniqHLL12", "uniq"),
    ("uniqUpTo", "uniqUpTo"),
    ("varPop", "varPop"),
    ("varPopStable", "varPop"),
    ("varSamp", "varSamp"),
    ("varSampStable", "varSamp"),
    ("var_pop", "varPop"),
    ("var_samp", "varSamp"),
];

/// Names that may be written in any case.
const ANY_CASE: [&str; 21] = [
    "any_value",
    "avg",
    "count",
    "first_value",
    "last_value",
    "max",
    "median",
    "min",
    "sum",
    "covar_pop",
    "covar_samp",
    "array_agg",
    "BIT_AND",
    "BIT_OR",
    "BIT_XOR",
    "group_concat",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "var_pop",
    "var_samp",
];

/// Suffixes that change what an aggregate does, as `system.aggregate_function_combinators` lists them.
pub(crate) const COMBINATORS: [&str; 7] = [
    "Array",
    "Distinct",
    "ForEach",
    "If",
    "Map",
    "OrDefault",
    "OrNull",
];

/// Most combinators of one name.
const MAX_COMBINATORS: usize = 6;

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
    let mut combinators = Vec::new();
    let mut rest = name;
    loop {
        if let Some((spelling, base)) = family(rest) {
            combinators.reverse();
            return Some(ParsedName {
                spelling,
                base,
                combinators,
            });
        }
        let (combinator, shorter) = suffix(rest)?;
        if combinators.len() == MAX_COMBINATORS {
            return None;
        }
        combinators.push(combinator);
        rest = shorter;
    }
}

fn suffix(name: &str) -> Option<(Combinator, &str)> {
    let all = [
        ("Array", Combinator::Array),
        ("Distinct", Combinator::Distinct),
        ("ForEach", Combinator::ForEach),
        ("If", Combinator::If),
        ("Map", Combinator::Map),
        ("OrDefault", Combinator::OrDefault),
        ("OrNull", Combinator::OrNull),
    ];
    all.into_iter()
        .find_map(|(suffix, combinator)| Some((combinator, name.strip_suffix(suffix)?)))
}

fn family(name: &str) -> Option<(&'static str, &'static str)> {
    let exact = NAMES.iter().find(|(known, _)| *known == name);
    let any_case = || {
        let known = |spelling: &str| ANY_CASE.contains(&spelling);
        NAMES
            .iter()
            .find(|(spelling, _)| known(spelling) && spelling.eq_ignore_ascii_case(name))
    };
    exact.or_else(any_case).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinators_come_off_in_any_order() {
        let check = |name: &str, base: &str, combinators: &[Combinator]| {
            let parsed = parse(name).expect("is known");
            assert_eq!(
                (parsed.base, parsed.combinators.as_slice()),
                (base, combinators)
            );
        };
        check("sumOrNullIf", "sum", &[Combinator::OrNull, Combinator::If]);
        check("uniqExactIf", "uniq", &[Combinator::If]);
        check("groupUniqArrayMap", "groupUniqArray", &[Combinator::Map]);
        check("COUNT", "count", &[]);
        check("Stddev_Pop", "stddevPop", &[]);
        assert_eq!(parse("countif"), None);
        assert_eq!(parse("If"), None);
        assert_eq!(parse("lower"), None);
    }
}
