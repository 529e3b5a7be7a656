//! What names mean inside one SELECT.

use cairn_storage::ScanColumn;

use super::tree::{ColumnId, Kind, Typed};
use super::{Analyzer, Result};
use crate::error::{ErrorCode, QueryError};
use crate::syntax::{Expr, Query, WindowSpec};
use crate::types::Type;

/// What subqueries see of the queries around them.
#[derive(Debug, Clone, Default)]
pub(super) struct Inherited<'q> {
    /// `WITH name AS (query)`, with how many of the earlier ones each sees.
    pub(super) queries: Vec<(&'q str, &'q Query)>,
    /// `WITH expression AS name`
    pub(super) exprs: Vec<&'q Expr>,
}

/// The names of one SELECT.
#[derive(Debug, Default)]
pub(super) struct Scope<'q> {
    /// What WITH declares here and outside.
    pub(super) inherited: Inherited<'q>,
    /// Every alias with its expression.
    pub(super) aliases: Vec<(&'q str, &'q Expr)>,
    /// Tables, from left to right.
    pub(super) sources: Vec<Source>,
    /// Aliases that are being expanded: inside them their names mean columns.
    pub(super) expanding: Vec<&'q str>,
    /// Aliases already expanded, with how many expressions they came to: an alias means the same wherever it stands,
    /// also when it holds a query.
    pub(super) expanded: Vec<(&'q str, Typed, usize)>,
    /// Names of the lambdas around, innermost last. They hide aliases and columns.
    pub(super) parameters: Vec<(String, Typed)>,
    /// `WINDOW w AS (…)`
    pub(super) windows: &'q [(String, WindowSpec)],
    /// Inside the arguments of an aggregate.
    pub(super) in_aggregate: bool,
}

/// One table of FROM.
#[derive(Debug, Clone, Default)]
pub(super) struct Source {
    /// `AS alias`
    pub(super) alias: Option<String>,
    /// Database and table.
    pub(super) table: Option<(String, String)>,
    /// Its columns in order.
    pub(super) columns: Vec<SourceColumn>,
    /// Whether its rows are there: joins can leave them out.
    pub(super) presence: Presence,
}

/// Whether a table's rows are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Presence {
    /// They are.
    #[default]
    Always,
    /// Where there is none, its columns have the defaults of their types.
    OrDefault,
    /// Where there is none, its columns are NULL.
    OrNull,
    /// None is: all columns have the defaults of their types.
    NeverDefault,
    /// None is: all columns are NULL.
    NeverNull,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(super) struct SourceColumn {
    /// Its name.
    pub(super) name: String,
    /// Its type.
    pub(super) ty: Type,
    /// Where its values come from.
    pub(super) origin: Origin,
    /// Part of `*`.
    pub(super) in_star: bool,
}

/// Where values come from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// A column of a node.
    Id(ColumnId),
    /// A column of a scan, added when needed.
    Scan(usize, String),
    /// An expression over the other columns of the table.
    Computed(&'static str),
    /// What a join or ARRAY JOIN made of it.
    Typed(Box<Typed>),
}

/// A name that turned out to be a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// Position of the table.
    pub(super) source: usize,
    /// Position of the column in it.
    pub(super) column: usize,
    /// How many parts of the name it took.
    pub(super) parts: usize,
}

impl Source {
    /// Whether `qualifier` means this table.
    fn is_called(&self, qualifier: &[String]) -> bool {
        match qualifier {
            [name] => {
                self.alias.as_ref() == Some(name)
                    || self.table.as_ref().is_some_and(|(_, table)| table == name)
            }
            [database, name] => self
                .table
                .as_ref()
                .is_some_and(|(db, table)| db == database && table == name),
            _ => false,
        }
    }

    /// The name that qualifies clashing columns.
    pub(super) fn label(&self) -> Option<&str> {
        self.alias
            .as_deref()
            .or_else(|| self.table.as_ref().map(|(_, table)| table.as_str()))
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

impl<'q> Scope<'q> {
    /// The expression of an alias, unless it is being expanded.
    pub(super) fn alias(&self, name: &str) -> Option<(&'q str, &'q Expr)> {
        if self.expanding.contains(&name) {
            return None;
        }
        self.aliases
            .iter()
            .find(|(alias, _)| *alias == name)
            .copied()
            .or_else(|| {
                self.inherited.exprs.iter().rev().find_map(|expr| {
                    let alias = expr.alias.as_deref()?;
                    (alias == name).then_some((alias, *expr))
                })
            })
    }

    /// The source of `t.*`.
    pub(super) fn source_called(&self, qualifier: &str) -> Option<usize> {
        let parts: Vec<String> = qualifier.split('.').map(str::to_owned).collect();
        self.sources
            .iter()
            .position(|source| source.is_called(&parts))
    }

    /// The column that a name means. Longer names win, so that `Events.Name` is the column before it is a part of one.
    pub(super) fn find(&self, parts: &[String]) -> Option<Found> {
        for taken in (1..=parts.len()).rev() {
            let name = parts.get(..taken).unwrap_or_default();
            if let Some(found) = self.find_exact(name) {
                return Some(found);
            }
        }
        None
    }

    fn find_exact(&self, parts: &[String]) -> Option<Found> {
        let whole = parts.join(".");
        let unqualified = self
            .sources
            .iter()
            .enumerate()
            .find_map(|(source, table)| Some((source, table.position(&whole)?)));
        let qualified = || {
            (1..parts.len().min(3)).find_map(|split| {
                let (qualifier, rest) = parts.split_at(split);
                let name = rest.join(".");
                self.sources
                    .iter()
                    .enumerate()
                    .filter(|(_, table)| table.is_called(qualifier))
                    .find_map(|(source, table)| Some((source, table.position(&name)?)))
            })
        };
        let (source, column) = unqualified.or_else(qualified)?;
        Some(Found {
            source,
            column,
            parts: parts.len(),
        })
    }

    /// The name of a column in results: qualified only when a table further left has the same.
    pub(super) fn column_name(&self, found: Found) -> String {
        let Some((source, column)) = self.sources.get(found.source).and_then(|source| {
            let column = source.columns.get(found.column)?;
            Some((source, column))
        }) else {
            return String::new();
        };
        let clashes = self
            .sources
            .iter()
            .take(found.source)
            .any(|other| other.position(&column.name).is_some());
        match source.label() {
            Some(label) if clashes => format!("{label}.{}", column.name),
            _ => column.name.clone(),
        }
    }
}

impl Analyzer<'_> {
    /// The id of a column of a scan.
    pub(super) fn scan_column(&mut self, scan: usize, column: ScanColumn) -> Result<ColumnId> {
        let fresh = ColumnId(self.next_id);
        let Some(scan) = self.scans.get_mut(scan) else {
            return Err(QueryError::new(
                ErrorCode::LogicalError,
                "a column refers to a scan that does not exist",
            ));
        };
        if let Some((id, _)) = scan.columns.iter().find(|(_, known)| *known == column) {
            return Ok(*id);
        }
        scan.columns.push((fresh, column));
        self.next_id += 1;
        Ok(fresh)
    }

    /// The column as an expression.
    pub(super) fn source_column(&mut self, scope: &mut Scope<'_>, found: Found) -> Result<Typed> {
        let Some((column, presence)) = scope.sources.get(found.source).and_then(|source| {
            let column = source.columns.get(found.column)?;
            Some((column.clone(), source.presence))
        }) else {
            return Err(QueryError::new(
                ErrorCode::LogicalError,
                "a name refers to a table that does not exist",
            ));
        };
        let typed = match column.origin {
            Origin::Id(id) => Typed::column(id, column.ty),
            Origin::Scan(scan, name) => {
                let id = self.scan_column(scan, ScanColumn::Stored(name))?;
                Typed::column(id, column.ty)
            }
            Origin::Computed(text) => {
                let mut only = scope.sources.get(found.source).cloned().unwrap_or_default();
                only.presence = Presence::Always;
                self.computed_column(text, only)?
            }
            Origin::Typed(typed) => return Ok(*typed),
        };
        Ok(present(typed, presence))
    }

    /// An ALIAS column: its expression sees nothing but its own table.
    fn computed_column(&mut self, text: &str, source: Source) -> Result<Typed> {
        let expr = crate::syntax::parse_expression(text)?;
        let mut scope = Scope {
            sources: vec![source],
            ..Scope::default()
        };
        self.expression(&mut scope, &expr)
    }
}

/// What a column is where its row may be absent.
pub(super) fn present(typed: Typed, presence: Presence) -> Typed {
    let ty = typed.ty.clone();
    match presence {
        Presence::Always => typed,
        Presence::OrDefault => or_default(typed, true),
        Presence::OrNull => typed.relabel(null_type(&ty)),
        Presence::NeverDefault => Typed::constant(ty.default_value(), ty),
        Presence::NeverNull => {
            let ty = null_type(&ty);
            Typed::constant(ty.default_value(), ty)
        }
    }
}

/// The type that can also be NULL, if there is one.
fn null_type(ty: &Type) -> Type {
    if matches!(ty, Type::Array(_) | Type::Map(..) | Type::Tuple(_)) {
        return ty.clone();
    }
    ty.nullable()
}

/// The default of its type where the row is absent.
pub(super) fn or_default(typed: Typed, may_be_absent: bool) -> Typed {
    if !may_be_absent || typed.ty.is_nullable() {
        return typed;
    }
    let ty = typed.ty.clone();
    let default = Typed::constant(ty.default_value(), ty.clone());
    Typed {
        ty,
        kind: Kind::Case {
            branches: vec![(
                Typed {
                    ty: Type::UInt8,
                    kind: Kind::IsNull(Box::new(typed.clone())),
                },
                default,
            )],
            otherwise: Box::new(typed),
        },
    }
}
