//! The typed tree: relational nodes whose columns are numbers, and expressions that carry their ClickHouse type.
//! Lowering it needs no further decision about names, types or conversions.

use std::sync::Arc;

use cairn_storage::{CompareOp, ScanColumn, TableId};

use crate::aggregates::ResolvedAggregate;
use crate::functions::Resolved;
use crate::syntax::Frame;
use crate::types::{Type, Value};

/// A column of a node's output, unique within one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ColumnId(pub(crate) u32);

/// A statement ready to be lowered.
#[derive(Debug)]
pub(crate) struct TypedStatement {
    /// The query.
    pub(crate) query: TypedQuery,
    /// Subqueries to run first; with their rows the statement is to be analysed again.
    pub(crate) wanted: Vec<Wanted>,
    /// WITH FILL; its rows are cut after filling.
    pub(crate) fill: Option<Fill>,
    /// The row of WITH TOTALS, with the same columns.
    pub(crate) totals: Option<TypedQuery>,
    /// The scans that its nodes refer to by position.
    pub(crate) scans: Vec<Scan>,
}

/// A small subquery whose rows are wanted before planning.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The number of the query in the statement.
    pub(crate) id: u32,
    /// The query.
    pub(crate) statement: TypedStatement,
    /// Most rows that it may have.
    pub(crate) most: usize,
}

/// A query: where rows come from and which columns they have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TypedQuery {
    /// The outermost node.
    pub(crate) node: Node,
    /// What clients see, in order. An id may occur twice.
    pub(crate) output: Vec<OutputColumn>,
    /// The outermost SELECT has a LIMIT.
    pub(crate) limited: bool,
}

/// A column that clients see.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OutputColumn {
    /// Its name, not necessarily unique.
    pub(crate) name: String,
    /// Its type.
    pub(crate) ty: Type,
    /// Where its values come from.
    pub(crate) id: ColumnId,
}

/// A scan of a stored table. Columns are added as the query turns out to need them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scan {
    /// Which table.
    pub(crate) table: TableId,
    /// Every column that the query refers to.
    pub(crate) columns: Vec<(ColumnId, ScanColumn)>,
}

/// A relational operator.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// One row without columns.
    OneRow,
    /// Constants.
    Values {
        /// Columns with their types.
        columns: Vec<(ColumnId, Type)>,
        /// Rows.
        rows: Vec<Vec<Value>>,
    },
    /// `start, start + 1, …`
    Numbers {
        /// The only column, `UInt64`.
        id: ColumnId,
        /// The first number.
        start: u64,
        /// How many; without end when absent.
        count: Option<u64>,
    },
    /// Position in [`TypedStatement::scans`].
    Scan(usize),
    /// Only these columns.
    Project {
        /// Rows.
        input: Box<Self>,
        /// New columns.
        columns: Vec<(ColumnId, Typed)>,
    },
    /// Rows for which the condition is true.
    Filter {
        /// Rows.
        input: Box<Self>,
        /// The condition.
        condition: Typed,
    },
    /// Groups. Without keys there is exactly one row.
    Aggregate {
        /// Rows.
        input: Box<Self>,
        /// Keys.
        keys: Vec<(ColumnId, Typed)>,
        /// Aggregates.
        aggregates: Vec<(ColumnId, AggregateCall)>,
        /// Several groupings at once.
        sets: Option<GroupingSets>,
    },
    /// One more column for each window function.
    Window {
        /// Rows.
        input: Box<Self>,
        /// The functions.
        windows: Vec<(ColumnId, WindowCall)>,
    },
    /// One row per position of the arrays, which are as long as each other; every other column is repeated.
    ArrayJoin {
        /// Rows.
        input: Box<Self>,
        /// The items of each array.
        arrays: Vec<(ColumnId, Typed)>,
        /// Rows with empty arrays are kept, with NULLs.
        left: bool,
    },
    /// One row per item of the array; every other column is repeated. Rows with empty arrays vanish.
    Unnest {
        /// Rows.
        input: Box<Self>,
        /// The items.
        id: ColumnId,
        /// The array.
        array: Typed,
    },
    /// Whether each row's values are among those of a query: a Boolean column beside the others.
    Mark {
        /// Rows.
        input: Box<Self>,
        /// The new column.
        id: ColumnId,
        /// One expression per column of the query.
        values: Vec<Typed>,
        /// The set.
        query: Box<TypedQuery>,
    },
    /// Rows without repetitions.
    Distinct(Box<Self>),
    /// Rows in order.
    Sort {
        /// Rows.
        input: Box<Self>,
        /// Most significant first.
        keys: Vec<SortKey>,
    },
    /// At most `limit` rows per key after `offset`, in the order of the input.
    LimitBy {
        /// Rows.
        input: Box<Self>,
        /// The order of the rows inside a key.
        order: Vec<SortKey>,
        /// The keys.
        keys: Vec<Typed>,
        /// Rows to leave out.
        offset: u64,
        /// Rows to keep.
        limit: u64,
    },
    /// A slice of the rows.
    Limit {
        /// Rows.
        input: Box<Self>,
        /// Rows to leave out.
        offset: u64,
        /// Rows to keep.
        limit: Option<u64>,
    },
    /// All rows of all inputs. Each is a projection of the same columns under the same ids.
    Union(Vec<Self>),
    /// Pairs of rows.
    Join {
        /// Left rows.
        left: Box<Self>,
        /// Right rows.
        right: Box<Self>,
        /// Which rows are kept.
        kind: Joined,
        /// NULL equals NULL.
        null_equals_null: bool,
        /// Equal pairs: left expression, right expression.
        on: Vec<(Typed, Typed)>,
        /// The rest of the condition.
        filter: Option<Box<Typed>>,
    },
}

/// Which rows a join keeps, and of which side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joined {
    /// Pairs that match.
    Inner,
    /// Also left rows without match, with NULLs.
    Left,
    /// Also right rows without match, with NULLs.
    Right,
    /// Also rows of both sides without match.
    Full,
    /// Left rows with a match, without columns of the right side.
    LeftSemi,
    /// Left rows without match.
    LeftAnti,
}

/// Several groupings of the same rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GroupingSets {
    /// Positions of the keys of each.
    pub(crate) sets: Vec<Vec<usize>>,
    /// A column with one bit for each key, the first key the highest: whether it is left out.
    pub(crate) id: ColumnId,
}

/// A key of an order. NULL and NaN come last unless `nulls_first`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SortKey {
    /// What to sort by.
    pub(crate) expr: Typed,
    /// From large to small.
    pub(crate) descending: bool,
    /// NULL and NaN in front.
    pub(crate) nulls_first: bool,
}

/// An aggregate.
#[derive(Debug, Clone)]
pub(crate) struct AggregateCall {
    /// Its name with combinators.
    pub(crate) name: String,
    /// How to compute it.
    pub(crate) resolved: Arc<ResolvedAggregate>,
    /// Its parameters, for comparison.
    pub(crate) parameters: Vec<Value>,
    /// Its arguments.
    pub(crate) arguments: Vec<Typed>,
}

impl PartialEq for AggregateCall {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.parameters == other.parameters
            && self.arguments == other.arguments
    }
}

/// An expression with its type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Typed {
    /// The ClickHouse type of its values.
    pub(crate) ty: Type,
    /// What it is.
    pub(crate) kind: Kind,
}

/// The kinds of typed expressions. Everything is in value form (conditions are `UInt8`); lowering picks the Boolean
/// form where a condition is wanted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// A column of the input.
    Column(ColumnId),
    /// A constant of the expression's type.
    Constant(Value),
    /// A function that `functions` resolved.
    Call(FunctionCall),
    /// All of them. Each is a number of any type.
    And(Vec<Typed>),
    /// Any of them.
    Or(Vec<Typed>),
    /// Not it.
    Not(Box<Typed>),
    /// Both sides have the same physical type.
    Compare {
        /// Operator.
        op: CompareOp,
        /// Left side.
        left: Box<Typed>,
        /// Right side.
        right: Box<Typed>,
    },
    /// `isNull`
    IsNull(Box<Typed>),
    /// `x IN (constants)`; the constants have the type of `x`.
    InList {
        /// Left side.
        value: Box<Typed>,
        /// The set, without NULL.
        list: Vec<Value>,
    },
    /// `x IN (SELECT …)`; both sides have the same physical types.
    InQuery {
        /// Left side: one expression per column of the query.
        values: Vec<Typed>,
        /// The set.
        query: Box<TypedQuery>,
    },
    /// `LIKE` and `ILIKE` with a constant pattern.
    Like {
        /// The text.
        value: Box<Typed>,
        /// The pattern.
        pattern: String,
        /// `ILIKE`
        ignore_case: bool,
    },
    /// `if`, `multiIf`, CASE: the first branch whose condition is true. All values have the expression's type.
    Case {
        /// Condition and value.
        branches: Vec<(Typed, Typed)>,
        /// The value when no condition is true.
        otherwise: Box<Typed>,
    },
    /// The same value in another physical type; never fails, never changes the value.
    Widen(Box<Typed>),
    /// The first column of the only row of a query, NULL without a row.
    Scalar(Box<TypedQuery>),
    /// `arrayMap` and `arrayFold`: a lambda over the items of arrays.
    Lambda(Box<LambdaCall>),
    /// A window function; only before the window node is built.
    Window(Box<WindowCall>),
    /// `grouping(a, b)`; only before the aggregation node is built.
    Grouping(Vec<Typed>),
    /// An aggregate; only before the aggregation node is built.
    Aggregate(Box<AggregateCall>),
    /// `arrayJoin`; only before the unnest node is built.
    ArrayJoin(Box<Typed>),
}

/// A resolved function with its arguments.
#[derive(Debug, Clone)]
pub(crate) struct FunctionCall {
    /// The name as resolved.
    pub(crate) name: String,
    /// Result type and kernel.
    pub(crate) resolved: Arc<Resolved>,
    /// Arguments in value form.
    pub(crate) arguments: Vec<Typed>,
}

impl PartialEq for FunctionCall {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.arguments == other.arguments
    }
}

/// A lambda with the arrays it runs over. Its body refers to nothing but its own columns.
#[derive(Debug, Clone)]
pub(crate) struct LambdaCall {
    /// `arrayMap` or `arrayFold`.
    pub(crate) name: &'static str,
    /// What was written; two lambdas are equal if this and what they use from outside is.
    pub(crate) text: String,
    /// Columns of the body: the items, or the answer before and the items.
    pub(crate) parameters: Vec<(ColumnId, Type)>,
    /// Columns of the body: what it uses from outside.
    pub(crate) captures: Vec<(ColumnId, Typed)>,
    /// The body.
    pub(crate) body: Typed,
    /// The arrays; of `arrayFold` also the start, last.
    pub(crate) arguments: Vec<Typed>,
}

impl PartialEq for LambdaCall {
    fn eq(&self, other: &Self) -> bool {
        let outside = |call: &'_ Self| -> Vec<Typed> {
            call.captures
                .iter()
                .map(|(_, typed)| typed.clone())
                .collect()
        };
        self.name == other.name
            && self.text == other.text
            && self.arguments == other.arguments
            && outside(self) == outside(other)
    }
}

/// A window function over its window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WindowCall {
    /// What is computed.
    pub(crate) function: Over,
    /// Its arguments.
    pub(crate) arguments: Vec<Typed>,
    /// Rows are looked at apart for each of these.
    pub(crate) partition: Vec<Typed>,
    /// The order inside a partition.
    pub(crate) order: Vec<SortKey>,
    /// Which rows around the current one; the default depends on the order.
    pub(crate) frame: Option<Frame>,
}

/// The functions that have a meaning over windows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Over {
    /// `row_number`
    RowNumber,
    /// `rank`
    Rank,
    /// `dense_rank`
    DenseRank,
    /// `percent_rank`
    PercentRank,
    /// `cume_dist`
    CumeDist,
    /// `ntile(n)`
    Ntile,
    /// `nth_value(x, n)`
    Nth,
    /// `lag`, `lead` and their forms inside the frame. The second argument stands where there is no row.
    Shift {
        /// Rows ahead, negative for rows before.
        offset: i64,
        /// Only rows of the frame.
        in_frame: bool,
    },
    /// An aggregate.
    Aggregate(Box<AggregateCall>),
}

/// Rows for missing values of a sorted column. Positions are those of the output.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fill {
    /// The filled column.
    pub(crate) column: usize,
    /// Columns sorted by before it: filling begins anew where one changes.
    pub(crate) prefix: Vec<usize>,
    /// From large to small.
    pub(crate) descending: bool,
    /// The first value; that of the first row when absent.
    pub(crate) from: Option<Value>,
    /// The value at which filling ends; that of the last row when absent.
    pub(crate) to: Option<Value>,
    /// From one value to the next.
    pub(crate) step: FillStep,
    /// How far behind a row filling goes.
    pub(crate) staleness: Option<FillStep>,
    /// Columns that keep the value of the row before; others get their defaults.
    pub(crate) carried: Vec<usize>,
    /// Rows to leave out of the result.
    pub(crate) offset: u64,
    /// Rows to keep.
    pub(crate) limit: Option<u64>,
}

/// A step of a filled column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FillStep {
    /// In units of the column.
    Whole(i128),
    /// Of a floating point column.
    Float(f64),
    /// Of a point in time, by the calendar.
    Months(i64),
}
