//! ClickHouse text to a syntax tree. Bounded in length, tokens, nesting and chains, so that whatever comes after may
//! recurse over the tree. Knows no tables, types or functions.

mod ast;
mod error;
mod insert;
mod lexer;
mod parser;
mod print;

pub(crate) use ast::{
    Apply, Arm, ArrayJoin, Call, Definition, ExplainKind, Expr, ExprKind, Frame, FrameBound,
    FrameUnit, From, GroupBy, Join, JoinKind, JoinOn, JoinStrictness, KeySets, KillSpeed, Literal,
    OrderBy, OrderKey, Parsed, Query, QueryId, Select, SetOperator, ShowFilter, Star, Statement,
    TableItem, TableName, TableSource, Window, WindowSpec, With,
};
pub use insert::{InsertColumns, InsertHead, InsertSource, parse_insert};
pub(crate) use parser::{parse, parse_expression, parse_query};
pub(crate) use print::{literal, quoted};
