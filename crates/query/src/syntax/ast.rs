//! The syntax tree: what was written, with operators already spelled as the functions they stand for.
//! It knows nothing of tables, types or which functions exist.

/// A statement with the clauses that may follow any statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parsed {
    /// What to do.
    pub(crate) statement: Statement,
    /// `FORMAT x`
    pub(crate) format: Option<String>,
    /// `SETTINGS a = 1` of the outermost level.
    pub(crate) settings: Vec<Setting>,
}

impl Parsed {
    /// The settings that hold for the whole statement: those behind it and those of its outermost SELECT.
    pub(crate) fn outer_settings(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        if let Statement::Query(query) = &self.statement
            && let Some(Arm::Select(select)) = query.arms.last()
        {
            settings.extend(select.settings.iter().cloned());
        }
        settings.extend(self.settings.iter().cloned());
        settings
    }
}

/// A name and its value as text (strings without quotes).
pub(crate) type Setting = (String, String);

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Statement {
    /// SELECT and its set operations.
    Query(Box<Query>),
    /// `SHOW [FULL] TABLES [FROM db] [[NOT] [I]LIKE 'x'] [LIMIT n]`
    ShowTables {
        /// The database; the current one when absent.
        database: Option<String>,
        /// Also return the engine.
        full: bool,
        /// Which names.
        filter: ShowFilter,
    },
    /// `SHOW DATABASES [[NOT] [I]LIKE 'x'] [LIMIT n]`
    ShowDatabases(ShowFilter),
    /// SHOW of what a system table has: the query over it.
    ShowRows(String),
    /// `SHOW CREATE DATABASE d`
    ShowCreateDatabase(String),
    /// `SHOW CREATE [TABLE] t`, `SHOW TABLE t`
    ShowCreate(TableName),
    /// `SHOW COLUMNS FROM t`
    ShowColumns(TableName),
    /// `DESCRIBE [TABLE] t | (query) | function(…)`
    Describe(Box<TableSource>),
    /// `EXISTS [TABLE] t`
    ExistsTable(TableName),
    /// `EXISTS DATABASE d`
    ExistsDatabase(String),
    /// `EXPLAIN [kind] query`
    Explain(ExplainKind, Box<Self>),
    /// CREATE, DROP, TRUNCATE
    Define(Definition),
    /// `USE db`
    Use(String),
    /// `SET a = 1, …`
    Set(Vec<Setting>),
    /// `KILL QUERY WHERE … [SYNC | ASYNC | TEST]`, as the query for the rows that name the victims.
    Kill(Box<Query>, KillSpeed),
}

/// The last word of KILL QUERY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KillSpeed {
    /// `ASYNC`, also without a word.
    Async,
    /// `SYNC`
    Sync,
    /// `TEST`
    Test,
}

/// What CREATE, DROP and their relatives are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Definition {
    /// Something that is always so.
    Nothing,
    /// `CREATE DATABASE [IF NOT EXISTS] d`
    CreateDatabase {
        /// Its name.
        name: String,
        /// It may exist.
        if_not_exists: bool,
    },
    /// `DROP DATABASE [IF EXISTS] d`
    DropDatabase {
        /// Its name.
        name: String,
        /// It may be missing.
        if_exists: bool,
    },
    /// `CREATE TABLE [IF NOT EXISTS] t (a T, …) …`
    CreateTable {
        /// Its name.
        name: TableName,
        /// Names of its columns.
        columns: Vec<String>,
        /// It may exist.
        if_not_exists: bool,
    },
    /// `CREATE MATERIALIZED VIEW IF NOT EXISTS v TO t …`
    CreateFeed {
        /// The table that it would fill.
        target: TableName,
    },
    /// `DROP TABLE [IF EXISTS] t`, `TRUNCATE TABLE [IF EXISTS] t`
    DropTable {
        /// Its name.
        name: TableName,
        /// It may be missing.
        if_exists: bool,
    },
}

/// What EXPLAIN shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExplainKind {
    /// The optimised plan.
    Plan,
    /// The syntax tree.
    Ast,
    /// The query printed again.
    Syntax,
    /// Operators as they run.
    Pipeline,
    /// The analysed tree.
    QueryTree,
    /// Rows that would be read per table.
    Estimate,
}

/// The filter of SHOW statements.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ShowFilter {
    /// `LIKE` pattern.
    pub(crate) pattern: Option<String>,
    /// `NOT LIKE`
    pub(crate) negated: bool,
    /// `ILIKE`
    pub(crate) ignore_case: bool,
    /// `LIMIT n`
    pub(crate) limit: Option<u64>,
}

/// `[db.]table`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableName {
    /// The database, if written.
    pub(crate) database: Option<String>,
    /// The table.
    pub(crate) table: String,
}

/// One SELECT, or several joined by set operations.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Query {
    /// At least one.
    pub(crate) arms: Vec<Arm>,
    /// Between neighbouring arms: one less than arms.
    pub(crate) operators: Vec<SetOperator>,
    /// Which query of the statement it is.
    pub(crate) id: QueryId,
}

/// The number of a query within its statement, the same however often the text is parsed; none for queries of our own.
/// Two queries that differ in nothing else are equal.
#[derive(Debug, Clone, Copy, Default, Eq)]
pub(crate) struct QueryId(pub(crate) Option<u32>);

impl PartialEq for QueryId {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

/// One operand of a set operation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Arm {
    /// A plain SELECT.
    Select(Box<Select>),
    /// A query in brackets.
    Query(Box<Query>),
}

/// How two arms are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetOperator {
    /// `UNION ALL`
    UnionAll,
    /// `UNION DISTINCT`
    UnionDistinct,
    /// Bare `UNION`: an error unless `union_default_mode` is set.
    Union,
    /// `EXCEPT`: repetitions stay.
    Except,
    /// `EXCEPT DISTINCT`
    ExceptDistinct,
    /// `INTERSECT`: repetitions stay.
    Intersect,
    /// `INTERSECT DISTINCT`
    IntersectDistinct,
}

/// One SELECT.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Select {
    /// `WITH …`
    pub(crate) with: Vec<With>,
    /// `DISTINCT`
    pub(crate) distinct: bool,
    /// `DISTINCT ON (…)`: the first row of each.
    pub(crate) distinct_on: Vec<Expr>,
    /// What to return.
    pub(crate) items: Vec<Expr>,
    /// `FROM …`
    pub(crate) from: Option<From>,
    /// `ARRAY JOIN …`
    pub(crate) array_join: Option<ArrayJoin>,
    /// `PREWHERE …`
    pub(crate) prewhere: Option<Expr>,
    /// `WHERE …`
    pub(crate) filter: Option<Expr>,
    /// `GROUP BY …`
    pub(crate) group_by: Option<GroupBy>,
    /// `WITH TOTALS`
    pub(crate) totals: bool,
    /// `HAVING …`
    pub(crate) having: Option<Expr>,
    /// `QUALIFY …`
    pub(crate) qualify: Option<Expr>,
    /// `WINDOW w AS (…)`
    pub(crate) windows: Vec<(String, WindowSpec)>,
    /// `ORDER BY …`
    pub(crate) order_by: Option<OrderBy>,
    /// `INTERPOLATE (…)`
    pub(crate) interpolate: Option<Vec<Interpolate>>,
    /// `LIMIT n BY …`
    pub(crate) limit_by: Option<LimitBy>,
    /// `LIMIT n`
    pub(crate) limit: Option<Expr>,
    /// `LIMIT n WITH TIES`
    pub(crate) ties: bool,
    /// `OFFSET n`
    pub(crate) offset: Option<Expr>,
    /// `SETTINGS …`
    pub(crate) settings: Vec<Setting>,
}

/// One item of WITH.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum With {
    /// `WITH expression AS name`; the name is the alias of the expression.
    Expr(Expr),
    /// `WITH name AS (query)`
    Query(String, Box<Query>),
}

/// `[LEFT] ARRAY JOIN a, b AS c`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ArrayJoin {
    /// Rows with empty arrays are kept.
    pub(crate) left: bool,
    /// The arrays, zipped.
    pub(crate) items: Vec<Expr>,
}

/// The FROM clause.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct From {
    /// The first table.
    pub(crate) first: TableItem,
    /// What is joined to it, from left to right.
    pub(crate) joins: Vec<Join>,
}

/// A table with its alias.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TableItem {
    /// Where rows come from.
    pub(crate) source: TableSource,
    /// `AS alias`
    pub(crate) alias: Option<String>,
    /// `FINAL`
    pub(crate) is_final: bool,
}

/// Where rows come from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TableSource {
    /// `[db.]table`, or the name of a WITH query.
    Table(TableName),
    /// `numbers(10)`
    Function {
        /// Its name.
        name: String,
        /// Its arguments.
        arguments: Vec<Expr>,
        /// The query of `view(SELECT …)`.
        query: Option<Box<Query>>,
    },
    /// `(SELECT …)`
    Query(Box<Query>),
}

/// One joined table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Join {
    /// Which rows survive.
    pub(crate) kind: JoinKind,
    /// How many matches count.
    pub(crate) strictness: JoinStrictness,
    /// The right side.
    pub(crate) table: TableItem,
    /// The condition.
    pub(crate) on: JoinOn,
}

/// Which rows survive a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinKind {
    /// `[INNER] JOIN`
    Inner,
    /// `LEFT JOIN`
    Left,
    /// `RIGHT JOIN`
    Right,
    /// `FULL JOIN`
    Full,
    /// `CROSS JOIN` and the comma.
    Cross,
}

/// How many matches of a row count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinStrictness {
    /// Every match.
    All,
    /// One match.
    Any,
    /// Only whether there is a match.
    Semi,
    /// Only rows without a match.
    Anti,
    /// The closest match.
    Asof,
}

/// The condition of a join.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum JoinOn {
    /// None (cross join).
    Nothing,
    /// `ON condition`
    Condition(Expr),
    /// `USING (a, b)`
    Using(Vec<String>),
}

/// The GROUP BY clause.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum GroupBy {
    /// `GROUP BY ALL`: every item without an aggregate.
    All,
    /// The keys.
    Keys {
        /// The expressions.
        keys: Vec<Expr>,
        /// Which of them are grouped by together.
        sets: KeySets,
    },
}

/// Which keys are grouped by together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeySets {
    /// All of them.
    Together,
    /// `ROLLUP(a, b)`, `WITH ROLLUP`: `(a, b)`, `(a)` and `()`.
    Rollup,
    /// `CUBE(a, b)`, `WITH CUBE`: every choice of them.
    Cube,
    /// `GROUPING SETS ((a, b), (a))`: the positions of each set.
    Sets(Vec<Vec<usize>>),
}

/// What fills a column of rows made by WITH FILL.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Interpolate {
    /// The column.
    pub(crate) column: String,
    /// `AS expression` over the row before; the value of that row when absent.
    pub(crate) value: Option<Expr>,
}

/// `WITH FILL [FROM a] [TO b] [STEP n] [STALENESS n]`
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Fill {
    /// Where filling begins; the first row otherwise.
    pub(crate) from: Option<Expr>,
    /// Where it ends, itself left out; the last row otherwise.
    pub(crate) to: Option<Expr>,
    /// A number or an interval; 1 otherwise.
    pub(crate) step: Option<Expr>,
    /// How far behind a row filling goes.
    pub(crate) staleness: Option<Expr>,
}

/// The ORDER BY clause.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OrderBy {
    /// `ORDER BY ALL`
    All {
        /// `DESC`
        descending: bool,
        /// `NULLS FIRST`
        nulls_first: bool,
    },
    /// The keys.
    Keys(Vec<OrderKey>),
}

/// One key of ORDER BY.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OrderKey {
    /// What to sort by.
    pub(crate) expr: Expr,
    /// `DESC`
    pub(crate) descending: bool,
    /// `NULLS FIRST`; otherwise NULL and NaN come last in both directions.
    pub(crate) nulls_first: bool,
    /// `WITH FILL`
    pub(crate) fill: Option<Fill>,
    /// `COLLATE 'x'`
    pub(crate) collate: bool,
}

/// `LIMIT n [OFFSET m] BY keys`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LimitBy {
    /// Rows per key.
    pub(crate) limit: Expr,
    /// Rows to leave out per key.
    pub(crate) offset: Option<Expr>,
    /// The keys.
    pub(crate) keys: Vec<Expr>,
}

/// An expression with its alias.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expr {
    /// What it is.
    pub(crate) kind: ExprKind,
    /// `AS alias`
    pub(crate) alias: Option<String>,
}

impl Expr {
    /// An expression without alias.
    pub(crate) fn new(kind: ExprKind) -> Self {
        Self { kind, alias: None }
    }

    /// A call of a function that an operator stands for.
    pub(crate) fn call(name: &str, arguments: Vec<Self>) -> Self {
        Self::new(ExprKind::Call(Box::new(Call::new(name, arguments))))
    }

    /// The name, if the expression is nothing but an unqualified one.
    pub(crate) fn plain_name(&self) -> Option<String> {
        if let ExprKind::Name(parts) = &self.kind
            && let [name] = parts.as_slice()
        {
            return Some(name.clone());
        }
        None
    }

    /// A text literal.
    pub(crate) fn text(text: &str) -> Self {
        Self::new(ExprKind::Literal(Literal::String(text.to_owned())))
    }
}

/// The kinds of expressions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ExprKind {
    /// A constant.
    Literal(Literal),
    /// `a`, `t.a`, `db.t.a`, `Events.Name`: the parts as written.
    Name(Vec<String>),
    /// `{name:Type}` with its value, still escaped text.
    Parameter {
        /// The type's text.
        ty: String,
        /// The value's text.
        value: String,
    },
    /// `*` and `t.*`
    Star(Star),
    /// A function, an operator, CAST, CASE, an aggregate, a window function.
    Call(Box<Call>),
    /// `(x, y) -> body`
    Lambda {
        /// Names of the arguments.
        arguments: Vec<String>,
        /// The body.
        body: Box<Expr>,
    },
    /// `(a, b)` and `tuple` written with brackets.
    Tuple(Vec<Expr>),
    /// `[a, b]`
    Array(Vec<Expr>),
    /// `(SELECT …)`
    Subquery(Box<Query>),
}

/// A constant as written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    /// `NULL`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// An integer without sign.
    UInt(u64),
    /// A negative integer.
    Int(i64),
    /// A number with point or exponent, `inf`, `nan`, or too large for an integer.
    Float(f64),
    /// Text.
    String(String),
}

/// `*`, `t.*`, `* EXCEPT (a, b)`, `* REPLACE (x AS a)`
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Star {
    /// `t` of `t.*`
    pub(crate) qualifier: Option<String>,
    /// `COLUMNS('re')`: only columns whose name the pattern finds.
    pub(crate) pattern: Option<String>,
    /// `COLUMNS(a, b)`: only these.
    pub(crate) only: Option<Vec<Expr>>,
    /// Columns to leave out.
    pub(crate) except: Vec<String>,
    /// `EXCEPT('re')`: columns to leave out by pattern.
    pub(crate) except_pattern: Option<String>,
    /// Expressions to put in place of the columns their aliases name.
    pub(crate) replace: Vec<Expr>,
    /// `APPLY(f)`: functions to call with each column, one after the other.
    pub(crate) apply: Vec<Apply>,
}

/// `APPLY(f)`, `APPLY(quantile(0.5))`, `APPLY(x -> …)`
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Apply {
    /// A function by name, with parameters.
    Function(String, Option<Vec<Expr>>),
    /// A lambda of one argument.
    Lambda(String, Expr),
}

/// A call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    /// The function as written.
    pub(crate) name: String,
    /// `f(parameters)(arguments)`
    pub(crate) parameters: Option<Vec<Expr>>,
    /// The arguments.
    pub(crate) arguments: Vec<Expr>,
    /// `f(DISTINCT …)`
    pub(crate) distinct: bool,
    /// `FILTER (WHERE …)`
    pub(crate) filter: Option<Expr>,
    /// `OVER …`
    pub(crate) over: Option<Window>,
}

impl Call {
    /// A plain call.
    pub(crate) fn new(name: &str, arguments: Vec<Expr>) -> Self {
        Self {
            name: name.to_owned(),
            parameters: None,
            arguments,
            distinct: false,
            filter: None,
            over: None,
        }
    }
}

/// The window of a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Window {
    /// `OVER w`
    Named(String),
    /// `OVER (…)`
    Spec(WindowSpec),
}

/// `PARTITION BY … ORDER BY … ROWS …`
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct WindowSpec {
    /// The named window that this one goes on from.
    pub(crate) base: Option<String>,
    /// `PARTITION BY`
    pub(crate) partition_by: Vec<Expr>,
    /// `ORDER BY`
    pub(crate) order_by: Vec<OrderKey>,
    /// The frame.
    pub(crate) frame: Option<Frame>,
}

/// A window frame.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    /// What its bounds count.
    pub(crate) unit: FrameUnit,
    /// Where it begins.
    pub(crate) start: FrameBound,
    /// Where it ends.
    pub(crate) end: FrameBound,
}

/// One end of a window frame.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FrameBound {
    /// `UNBOUNDED PRECEDING`
    UnboundedPreceding,
    /// `n PRECEDING`
    Preceding(u64),
    /// `CURRENT ROW`
    CurrentRow,
    /// `n FOLLOWING`
    Following(u64),
    /// `UNBOUNDED FOLLOWING`
    UnboundedFollowing,
}

/// What the bounds of a frame count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameUnit {
    /// `ROWS`
    Rows,
    /// `RANGE`: values of the order's key.
    Range,
    /// `GROUPS`: rows with equal keys together.
    Groups,
}
