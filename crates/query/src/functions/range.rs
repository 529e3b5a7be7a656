//! Which part of a text or an array `substring`, `arraySlice` and their kin mean.

/// The range that a 1-based offset (negative: from the end) and a length (negative: up to that far from the end) mean.
pub(super) fn slice(total: i64, offset: i64, length: i64) -> (usize, usize) {
    if offset == 0 {
        return (0, 0);
    }
    let start = if offset > 0 {
        offset - 1
    } else {
        total.saturating_add(offset)
    };
    let end = if length < 0 {
        total.saturating_add(length)
    } else {
        start.saturating_add(length)
    };
    (
        to_usize(start.clamp(0, total)),
        to_usize(end.clamp(0, total)),
    )
}

pub(super) fn to_usize(n: i64) -> usize {
    usize::try_from(n).unwrap_or(0)
}
