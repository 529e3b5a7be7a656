//! Syntax tree to typed tree: scopes, aliases, canonical names, ClickHouse types, constants. Pure: it reads the catalog
//! and the functions, never data.

mod aggregate;
mod aliases;
mod array_join;
mod condition;
mod constant;
mod definition;
mod expression;
mod fill;
mod from;
mod function;
mod group;
mod in_set;
mod items;
mod join;
mod lambda;
mod mark;
mod names;
mod order;
mod parameter;
mod scope;
mod select;
mod set;
mod side;
mod statement;
mod table_filter;
mod table_function;
mod totals;
mod tree;
mod typed;
mod unfold;
mod window;
mod window_name;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use hashbrown::HashMap;

use crate::catalog::Moment;
use crate::error::{ErrorCode, QueryError};
use crate::functions;
use crate::limits::{MAX_EXPANDED_NODES, MAX_EXPANDED_SELECTS};
use crate::syntax::Parsed;
use crate::types::Value;

pub(crate) use tree::{
    AggregateCall, ColumnId, Fill, FillStep, GroupingSets, Joined, Kind, LambdaCall, Node,
    OutputColumn, Over, Scan, SortKey, Typed, TypedQuery, TypedStatement, Wanted, WindowCall,
};

type Result<T, E = QueryError> = std::result::Result<T, E>;

/// What a query may know besides its text.
#[derive(Debug, Clone)]
pub(crate) struct AnalyzeContext {
    /// What functions know.
    pub(crate) functions: functions::Context,
    /// The database of unqualified table names.
    pub(crate) database: String,
    /// What system tables tell.
    pub(crate) moment: Moment,
    /// What small subqueries answered.
    pub(crate) known: Arc<KnownRows>,
}

/// Rows of subqueries that ran already, by the number of the query.
pub(crate) type KnownRows = HashMap<u32, Vec<Vec<Value>>>;

/// What a statement turned out to be.
#[derive(Debug)]
pub(crate) enum Analyzed {
    /// It has rows.
    Query(Box<TypedStatement>),
    /// It changes the session and has none.
    Session {
        /// `SET a = 1`; `USE db` is the setting `database`.
        settings: Vec<(String, String)>,
    },
    /// EXPLAIN of what the optimiser makes of a query: one text column called `explain`.
    Explain(Box<TypedStatement>),
}

/// Analyses a statement.
pub(crate) fn analyze(parsed: &Parsed, context: &AnalyzeContext) -> Result<Analyzed> {
    let mut analyzer = Analyzer {
        context,
        scans: Vec::new(),
        next_id: 0,
        subqueries: 0,
        settings: context.moment.settings.clone(),
        wanted: Vec::new(),
        unknown: 0,
        is_outermost: false,
        fill: None,
        nodes: 0,
        selects: 0,
    };
    analyzer.statement(&parsed.statement)
}

/// State of the analysis of one statement.
#[derive(Debug)]
struct Analyzer<'c> {
    context: &'c AnalyzeContext,
    scans: Vec<Scan>,
    next_id: u32,
    subqueries: u32,
    /// Settings in force where the analysis stands: those of inner SELECTs come last.
    settings: Vec<(String, String)>,
    /// Subqueries whose rows are wanted before the statement can be planned.
    wanted: Vec<Wanted>,
    /// How many of them were met so far.
    unknown: usize,
    /// The SELECT that is analysed next is the outermost one.
    is_outermost: bool,
    /// WITH FILL of the outermost SELECT.
    fill: Option<Fill>,
    nodes: usize,
    selects: usize,
}

impl Analyzer<'_> {
    fn new_id(&mut self) -> ColumnId {
        let id = ColumnId(self.next_id);
        self.next_id += 1;
        id
    }

    /// A setting, the innermost one of its name.
    fn setting(&self, name: &str) -> Option<&str> {
        let known = self.settings.iter().rev().find(|(known, _)| known == name);
        known.map(|(_, value)| value.as_str())
    }

    /// Counts one expression; aliases and WITH can multiply a short text into a huge tree.
    fn count_node(&mut self) -> Result<()> {
        self.nodes += 1;
        if self.nodes > MAX_EXPANDED_NODES {
            return Err(QueryError::new(
                ErrorCode::TooBigAst,
                format!(
                    "the query has more than {MAX_EXPANDED_NODES} expressions after expanding aliases"
                ),
            ));
        }
        Ok(())
    }

    fn count_select(&mut self) -> Result<()> {
        self.selects += 1;
        if self.selects > MAX_EXPANDED_SELECTS {
            return Err(QueryError::new(
                ErrorCode::TooBigAst,
                format!(
                    "the query has more than {MAX_EXPANDED_SELECTS} subqueries after expanding WITH"
                ),
            ));
        }
        Ok(())
    }
}
