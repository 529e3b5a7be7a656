//! Every bound of the query engine, with its reason and its unit in the name.

/// Longest text that one call of a function may make; `repeat` and padding could otherwise fill the memory.
pub(crate) const MAX_VALUE_BYTES: usize = 16 * 1024 * 1024;
/// Most elements of an array that one call of a function may make (`range`, `arrayWithConstant`).
pub(crate) const MAX_ARRAY_ELEMENTS: usize = 1_000_000;
/// Most bytes that one batch of an amplifying function may make: rows times length is bounded, not only the length.
pub(crate) const MAX_BATCH_BYTES: usize = 256 * 1024 * 1024;
/// Most elements that one batch of an amplifying function may make.
pub(crate) const MAX_BATCH_ELEMENTS: usize = 16_000_000;
/// Longest regular expression; the engine is linear, its compilation is not free.
pub(crate) const MAX_REGEX_BYTES: usize = 64 * 1024;
/// Memory of one compiled regular expression.
pub(crate) const MAX_REGEX_COMPILED_BYTES: usize = 10 * 1024 * 1024;
/// Deepest nesting of type names such as `Array(Array(…))`.
pub(crate) const MAX_TYPE_DEPTH: usize = 32;
/// Longest text of a type name.
pub(crate) const MAX_TYPE_BYTES: usize = 64 * 1024;
