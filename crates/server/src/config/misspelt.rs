//! What a misspelt name was meant to be.

/// The name most like `wrong`.
pub(crate) fn nearest(wrong: &str, names: impl Iterator<Item = String>) -> String {
    names
        .min_by_key(|name| strsim::damerau_levenshtein(wrong, name))
        .unwrap_or_default()
}
