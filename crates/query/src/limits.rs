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
/// Longest text of a query; ClickHouse's default for `max_query_size`.
pub(crate) const MAX_QUERY_BYTES: usize = 256 * 1024;
/// Most tokens of a query; bounds the size of everything that is made from it.
pub(crate) const MAX_QUERY_TOKENS: usize = 20_000;
/// Deepest nesting of brackets, calls, subqueries and prefix operators; bounds the parser's stack.
pub(crate) const MAX_NESTING: usize = 50;
/// Longest chain of operators that nest to the left (`1 + 1 + …`); planning time grows with its square.
pub(crate) const MAX_CHAIN_LINKS: usize = 500;
/// Most links of all such chains together: the depth of a tree is at most this plus the nesting.
pub(crate) const MAX_TOTAL_CHAIN_LINKS: usize = 1_500;
/// Most operands of UNION, EXCEPT and INTERSECT in a query; each becomes a plan of its own.
pub(crate) const MAX_SET_ARMS: usize = 200;
/// Most joined tables of one FROM.
pub(crate) const MAX_JOINS: usize = 16;
/// Most items of one WITH.
pub(crate) const MAX_CTES: usize = 50;
/// Most items of one list, such as the right side of IN.
pub(crate) const MAX_LIST_ITEMS: usize = 10_000;
/// Most expressions after aliases were expanded; a chain of aliases can double at every step.
pub(crate) const MAX_EXPANDED_NODES: usize = 100_000;
/// Most keys of ROLLUP, CUBE and GROUPING SETS; CUBE doubles the groupings with each.
pub(crate) const MAX_GROUPING_SET_KEYS: usize = 10;
/// Longest set of `IN (query LIMIT n)` that becomes constants, and of one inside a lambda.
pub(crate) const MAX_SET_ROWS: usize = 1_000;
/// Most SELECTs after WITH was expanded, for the same reason.
pub(crate) const MAX_EXPANDED_SELECTS: usize = 500;
