//! FROM: tables, subqueries and table functions as nodes with named columns, and joins of them.

use super::scope::{Inherited, Origin, Scope, Source, SourceColumn};
use super::tree::{Kind, Node, Scan, Typed};
use super::{Analyzer, Result};
use crate::catalog::{self, CatalogTable, ColumnDefault, TableKind};
use crate::error::{ErrorCode, QueryError};
use crate::syntax::{Expr, From, TableItem, TableName, TableSource, parse_query};
use crate::types::{Type, Value};

/// Table functions that leave the process.
const REFUSED: [&str; 22] = [
    "file",
    "url",
    "s3",
    "s3cluster",
    "gcs",
    "azureblobstorage",
    "hdfs",
    "remote",
    "remotesecure",
    "mysql",
    "postgresql",
    "mongodb",
    "redis",
    "sqlite",
    "jdbc",
    "odbc",
    "executable",
    "iceberg",
    "deltalake",
    "hudi",
    "urlcluster",
    "filecluster",
];

impl<'q> Analyzer<'_> {
    /// The rows of FROM; its tables become the scope's sources.
    pub(super) fn from(&mut self, scope: &mut Scope<'q>, from: Option<&'q From>) -> Result<Node> {
        let Some(from) = from else {
            return Ok(Node::OneRow);
        };
        let (mut node, source) = self.table_item(&scope.inherited.clone(), &from.first)?;
        scope.sources.push(source);
        for join in &from.joins {
            node = self.join(scope, node, join)?;
        }
        Ok(node)
    }

    pub(super) fn table_item(
        &mut self,
        inherited: &Inherited<'_>,
        item: &TableItem,
    ) -> Result<(Node, Source)> {
        let (node, mut source) = self.table_source(inherited, &item.source)?;
        source.alias.clone_from(&item.alias);
        Ok((node, source))
    }

    /// A table as rows and names.
    pub(super) fn table_source(
        &mut self,
        inherited: &Inherited<'_>,
        source: &TableSource,
    ) -> Result<(Node, Source)> {
        match source {
            TableSource::Query(query) => self.query_source(inherited, query),
            TableSource::Table(name) => self.named_table(inherited, name),
            TableSource::Function {
                query: Some(query), ..
            } => self.query_source(inherited, query),
            TableSource::Function {
                name, arguments, ..
            } => self.table_function(name, arguments),
        }
    }

    fn query_source(
        &mut self,
        inherited: &Inherited<'_>,
        query: &crate::syntax::Query,
    ) -> Result<(Node, Source)> {
        let query = self.subquery(query, inherited)?;
        let columns = query
            .output
            .into_iter()
            .map(|column| SourceColumn {
                name: column.name,
                ty: column.ty,
                origin: Origin::Id(column.id),
                in_star: true,
            })
            .collect();
        let source = Source {
            columns,
            ..Source::default()
        };
        Ok((query.node, source))
    }

    fn named_table(
        &mut self,
        inherited: &Inherited<'_>,
        name: &TableName,
    ) -> Result<(Node, Source)> {
        if name.database.is_none() {
            let queries = inherited.queries.iter().enumerate().rev();
            for (index, (known, query)) in queries {
                if *known == name.table {
                    // A query of WITH sees only the ones before it.
                    let mut before = inherited.clone();
                    before.queries.truncate(index);
                    let (node, mut source) = self.query_source(&before, query)?;
                    source.table = Some((String::new(), name.table.clone()));
                    return Ok((node, source));
                }
            }
        }
        self.plain_table(name)
    }

    /// A table of the catalog, with the filters that the client sends for it.
    pub(super) fn plain_table(&mut self, name: &TableName) -> Result<(Node, Source)> {
        let table = self.find_table(name)?;
        let (node, source) = self.catalog_table(table)?;
        let node = self.with_table_filters(node, &source, name)?;
        Ok((node, source))
    }

    /// The table of the catalog, or the error of its absence.
    pub(super) fn find_table(&self, name: &TableName) -> Result<&'static CatalogTable> {
        let database = name.database.as_deref().unwrap_or(&self.context.database);
        if let Some(table) = catalog::table(database, &name.table) {
            return Ok(table);
        }
        if !catalog::database(database) {
            return Err(QueryError::new(
                ErrorCode::UnknownDatabase,
                format!("Database {database} does not exist"),
            ));
        }
        Err(QueryError::new(
            ErrorCode::UnknownTable,
            format!(
                "Unknown table expression identifier '{database}.{}'",
                name.table
            ),
        ))
    }

    fn catalog_table(&mut self, table: &CatalogTable) -> Result<(Node, Source)> {
        let (node, mut columns) = match table.kind {
            TableKind::Stored(id) => {
                let scan = self.scans.len();
                self.scans.push(Scan {
                    table: id,
                    columns: Vec::new(),
                });
                (Node::Scan(scan), scanned(table, scan))
            }
            TableKind::View(text) => {
                let query = parse_query(text)?;
                let (node, source) = self.query_source(&Inherited::default(), &query)?;
                (node, source.columns)
            }
            TableKind::Numbers => self.numbers(0, None),
            TableKind::System => self.process_table(table),
        };
        for (column, defined) in columns.iter_mut().zip(&table.columns) {
            column.ty.clone_from(&defined.ty);
        }
        let source = Source {
            table: Some((table.database.clone(), table.name.clone())),
            columns,
            ..Source::default()
        };
        Ok((node, source))
    }

    fn process_table(&mut self, table: &CatalogTable) -> (Node, Vec<SourceColumn>) {
        let (computed, stored): (Vec<_>, Vec<_>) = table
            .columns
            .iter()
            .partition(|column| column.default != ColumnDefault::None);
        let columns: Vec<(String, Type)> = stored
            .into_iter()
            .map(|column| (column.name.clone(), column.ty.clone()))
            .collect();
        let rows = catalog::rows(table, &self.context.moment);
        let (node, mut named) = self.constant_rows(&columns, rows);
        for column in computed {
            let (_, expression) = column.default.described();
            named.push(SourceColumn {
                name: column.name.clone(),
                ty: column.ty.clone(),
                origin: Origin::Computed(expression),
                in_star: false,
            });
        }
        (node, named)
    }

    /// Rows of constants.
    pub(super) fn constant_rows(
        &mut self,
        columns: &[(String, Type)],
        rows: Vec<Vec<Value>>,
    ) -> (Node, Vec<SourceColumn>) {
        let mut ids = Vec::new();
        let mut named = Vec::new();
        for (name, ty) in columns {
            let id = self.new_id();
            ids.push((id, ty.clone()));
            named.push(SourceColumn {
                name: name.clone(),
                ty: ty.clone(),
                origin: Origin::Id(id),
                in_star: true,
            });
        }
        (Node::Values { columns: ids, rows }, named)
    }

    fn numbers(&mut self, start: u64, count: Option<u64>) -> (Node, Vec<SourceColumn>) {
        let id = self.new_id();
        let column = SourceColumn {
            name: "number".to_owned(),
            ty: Type::UInt64,
            origin: Origin::Id(id),
            in_star: true,
        };
        (Node::Numbers { id, start, count }, vec![column])
    }

    fn table_function(&mut self, name: &str, arguments: &[Expr]) -> Result<(Node, Source)> {
        let lower = name.to_ascii_lowercase();
        if REFUSED.contains(&lower.as_str()) {
            return Err(QueryError::new(
                ErrorCode::AccessDenied,
                format!(
                    "Not enough privileges. To execute this query, it's necessary to have the grant READ ON {}",
                    name.to_ascii_uppercase()
                ),
            ));
        }
        let (node, columns) = match name {
            "numbers" | "numbers_mt" => {
                let mut bounds = Vec::new();
                for argument in arguments {
                    bounds.push(self.constant_count(argument, "numbers")?);
                }
                match bounds.as_slice() {
                    [] => self.numbers(0, None),
                    [count] => self.numbers(0, Some(*count)),
                    [start, count] => self.numbers(*start, Some(*count)),
                    _ => {
                        return Err(QueryError::new(
                            ErrorCode::NumberOfArgumentsDoesntMatch,
                            "Table function `numbers` takes a count, or a start and a count",
                        ));
                    }
                }
            }
            _ => return self.made_up_table(&lower, name, arguments),
        };
        let source = Source {
            columns,
            ..Source::default()
        };
        Ok((node, source))
    }

    /// A constant number without sign, as LIMIT wants it.
    pub(super) fn constant_count(&mut self, expr: &Expr, what: &str) -> Result<u64> {
        let typed = self.expression(&mut Scope::default(), expr)?;
        let count = typed
            .value()
            .filter(|_| typed.ty.bare().is_number())
            .and_then(|value| {
                if let Value::Float(float) = value
                    && float.fract() == 0.0
                {
                    return format!("{float:.0}").parse().ok();
                }
                u64::try_from(value.as_i128()?).ok()
            });
        count.ok_or_else(|| {
            QueryError::new(
                ErrorCode::BadArguments,
                format!("The value of {what} must be a constant number that is not negative"),
            )
        })
    }
}

/// The columns of a stored table.
fn scanned(table: &CatalogTable, scan: usize) -> Vec<SourceColumn> {
    table
        .columns
        .iter()
        .map(|column| SourceColumn {
            name: column.name.clone(),
            ty: column.ty.clone(),
            origin: match column.default {
                ColumnDefault::None => Origin::Scan(scan, column.name.clone()),
                ColumnDefault::Alias(text) | ColumnDefault::Materialized(text) => {
                    Origin::Computed(text)
                }
            },
            in_star: column.default == ColumnDefault::None,
        })
        .collect()
}

/// The parts of a conjunction.
pub(super) fn conjuncts(condition: Typed) -> Vec<Typed> {
    let Typed { ty, kind } = condition;
    if let Kind::And(parts) = kind {
        return parts.into_iter().flat_map(conjuncts).collect();
    }
    vec![Typed { ty, kind }]
}
