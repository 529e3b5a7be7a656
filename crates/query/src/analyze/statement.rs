//! Statements around queries: SHOW, DESCRIBE, EXISTS, EXPLAIN, USE and SET, answered from the catalog.

use super::scope::Inherited;
use super::tree::{Node, OutputColumn, Typed, TypedQuery, TypedStatement};
use super::{Analyzed, Analyzer, Result};
use crate::catalog::{self, CatalogTable, create_statement};
use crate::error::{ErrorCode, QueryError};
use crate::syntax::{
    ExplainKind, Query, ShowFilter, Statement, TableName, TableSource, parse_query,
};
use crate::types::{Type, Value};

fn text(value: impl Into<String>) -> Value {
    Value::String(value.into())
}

fn strings(names: &[&str]) -> Vec<(String, Type)> {
    names
        .iter()
        .map(|name| ((*name).to_owned(), Type::String))
        .collect()
}

impl Analyzer<'_> {
    /// Any statement.
    pub(super) fn statement(&mut self, statement: &Statement) -> Result<Analyzed> {
        match statement {
            Statement::Query(query) => {
                let statement = self.whole_query(query)?;
                Ok(Analyzed::Query(Box::new(statement)))
            }
            Statement::Kill(query, _) => {
                let statement = self.whole_query(query)?;
                Ok(Analyzed::Query(Box::new(statement)))
            }
            Statement::ShowTables {
                database,
                full,
                filter,
            } => self.show_tables(database.as_deref(), *full, filter),
            Statement::ShowDatabases(filter) => {
                let names = catalog::databases().map(str::to_owned).to_vec();
                let rows = self.filtered_names(names, filter)?;
                let rows = rows.into_iter().map(|name| vec![text(name)]).collect();
                self.rows(&strings(&["name"]), rows)
            }
            Statement::ShowRows(query) => {
                let query = parse_query(query)?;
                let statement = self.whole_query(&query)?;
                Ok(Analyzed::Query(Box::new(statement)))
            }
            Statement::ShowCreateDatabase(name) => self.show_create_database(name),
            Statement::ShowCreate(name) => {
                let table = self.find_table(name)?;
                let row = vec![text(create_statement(table, true))];
                self.rows(&strings(&["statement"]), vec![row])
            }
            Statement::ShowColumns(name) => self.show_columns(name),
            Statement::Describe(source) => self.describe(source),
            Statement::ExistsTable(name) => {
                let exists = match self.find_table(name) {
                    Ok(_) => true,
                    Err(error) if error.code == ErrorCode::UnknownTable => false,
                    Err(error) if error.code == ErrorCode::UnknownDatabase => false,
                    Err(error) => return Err(error),
                };
                self.flag(exists)
            }
            Statement::ExistsDatabase(name) => self.flag(catalog::database(name)),
            Statement::Explain(kind, inner) => self.explain(*kind, inner),
            Statement::Define(definition) => self.define(definition),
            Statement::Use(database) => {
                if !catalog::database(database) {
                    return Err(no_database(database));
                }
                Ok(Analyzed::Session {
                    settings: vec![("database".to_owned(), database.clone())],
                })
            }
            Statement::Set(settings) => Ok(Analyzed::Session {
                settings: settings.clone(),
            }),
        }
    }

    fn whole_query(&mut self, query: &Query) -> Result<TypedStatement> {
        self.is_outermost = query.operators.is_empty();
        let typed = self.subquery(query, &Inherited::default())?;
        self.is_outermost = false;
        let fill = self.fill.take();
        let totals = self.totals(query)?;
        Ok(TypedStatement {
            query: typed,
            totals,
            wanted: std::mem::take(&mut self.wanted),
            fill,
            scans: std::mem::take(&mut self.scans),
        })
    }

    /// An answer made of constants.
    fn rows(&mut self, columns: &[(String, Type)], rows: Vec<Vec<Value>>) -> Result<Analyzed> {
        let (node, named) = self.constant_rows(columns, rows);
        let Node::Values { columns: ids, .. } = &node else {
            return Err(QueryError::new(
                ErrorCode::LogicalError,
                "constant rows are not values",
            ));
        };
        let output = ids
            .iter()
            .zip(named)
            .map(|((id, ty), column)| OutputColumn {
                name: column.name,
                ty: ty.clone(),
                id: *id,
            })
            .collect();
        Ok(Analyzed::Query(Box::new(TypedStatement {
            query: TypedQuery {
                node,
                output,
                limited: false,
            },
            totals: None,
            wanted: Vec::new(),
            fill: None,
            scans: Vec::new(),
        })))
    }

    fn flag(&mut self, value: bool) -> Result<Analyzed> {
        let columns = [("result".to_owned(), Type::UInt8)];
        self.rows(&columns, vec![vec![Value::UInt(u64::from(value))]])
    }

    fn show_tables(
        &mut self,
        database: Option<&str>,
        full: bool,
        filter: &ShowFilter,
    ) -> Result<Analyzed> {
        let database = database.unwrap_or(&self.context.database).to_owned();
        if !catalog::database(&database) {
            return Err(no_database(&database));
        }
        let tables = catalog::tables();
        let here = tables.iter().filter(|table| table.database == database);
        let names = here.map(|table| table.name.clone()).collect();
        let mut rows = Vec::new();
        for name in self.filtered_names(names, filter)? {
            let engine = tables
                .iter()
                .find(|table| table.name == name)
                .map(|t| t.engine);
            let mut row = vec![text(name)];
            if full {
                row.push(text(engine.unwrap_or_default()));
            }
            rows.push(row);
        }
        let columns = if full {
            strings(&["name", "engine"])
        } else {
            strings(&["name"])
        };
        self.rows(&columns, rows)
    }

    fn show_create_database(&mut self, name: &str) -> Result<Analyzed> {
        if !catalog::database(name) {
            return Err(no_database(name));
        }
        let statement = format!("CREATE DATABASE {name}\nENGINE = Atomic");
        self.rows(&strings(&["statement"]), vec![vec![text(statement)]])
    }

    fn filtered_names(&mut self, names: Vec<String>, filter: &ShowFilter) -> Result<Vec<String>> {
        let mut kept = Vec::new();
        let function = if filter.ignore_case { "ilike" } else { "like" };
        for name in names {
            if let Some(pattern) = &filter.pattern {
                let arguments = vec![
                    Typed::literal(text(name.as_str())),
                    Typed::literal(text(pattern.as_str())),
                ];
                let matched = self.function(function, arguments)?;
                let matched = matched.value().is_some_and(super::typed::is_true);
                if matched == filter.negated {
                    continue;
                }
            }
            kept.push(name);
        }
        if let Some(limit) = filter.limit {
            kept.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        }
        Ok(kept)
    }

    fn show_columns(&mut self, name: &TableName) -> Result<Analyzed> {
        let table = self.find_table(name)?;
        let mut rows: Vec<Vec<Value>> = described(table)
            .into_iter()
            .map(|[name, ty, ..]| {
                vec![
                    text(name),
                    text(ty),
                    text("NO"),
                    text(""),
                    Value::Null,
                    text(""),
                ]
            })
            .collect();
        rows.sort_by(|a, b| {
            let name = |row: &[Value]| row.first().and_then(Value::as_text).map(str::to_owned);
            name(a).cmp(&name(b))
        });
        let mut columns = strings(&["field", "type", "null", "key", "default", "extra"]);
        if let Some((_, ty)) = columns.get_mut(4) {
            *ty = Type::String.nullable();
        }
        self.rows(&columns, rows)
    }

    fn describe(&mut self, source: &TableSource) -> Result<Analyzed> {
        let described: Vec<[String; 5]> = match source {
            TableSource::Table(name) => described(self.find_table(name)?),
            TableSource::Query(_) | TableSource::Function { .. } => {
                let (_, source) = self.table_source(&Inherited::default(), source)?;
                let plain = source.columns.into_iter().map(|column| {
                    [
                        column.name,
                        column.ty.to_string(),
                        String::new(),
                        String::new(),
                        String::new(),
                    ]
                });
                plain.collect()
            }
        };
        let rows = described
            .into_iter()
            .map(|[name, ty, kind, expression, comment]| {
                vec![
                    text(name),
                    text(ty),
                    text(kind),
                    text(expression),
                    text(comment),
                    text(""),
                    text(""),
                ]
            })
            .collect();
        let columns = strings(&[
            "name",
            "type",
            "default_type",
            "default_expression",
            "comment",
            "codec_expression",
            "ttl_expression",
        ]);
        self.rows(&columns, rows)
    }

    /// What each read table holds, from the metadata of its segments: an upper bound, whatever the condition is.
    fn estimate(&mut self, inner: &Statement) -> Result<Analyzed> {
        let Statement::Query(query) = inner else {
            return Err(QueryError::new(
                ErrorCode::NotImplemented,
                "EXPLAIN is implemented for queries only",
            ));
        };
        let statement = self.whole_query(query)?;
        let mut rows = Vec::new();
        let mut known = Vec::new();
        for scan in &statement.scans {
            if known.contains(&scan.table) {
                continue;
            }
            known.push(scan.table);
            let (mut parts, mut count, mut marks) = (0_u64, 0_u64, 0_u64);
            for meta in self.context.moment.snapshot.segments() {
                if meta.table == scan.table {
                    parts += 1;
                    count += meta.rows;
                    marks += u64::try_from(meta.row_groups.len()).unwrap_or(u64::MAX);
                }
            }
            let numbers = [parts, count, marks].map(Value::UInt);
            let mut row = vec![text("default"), text(scan.table.name())];
            row.extend(numbers);
            rows.push(row);
        }
        let mut columns = strings(&["database", "table"]);
        for name in ["parts", "rows", "marks"] {
            columns.push((name.to_owned(), Type::UInt64));
        }
        self.rows(&columns, rows)
    }

    fn explain(&mut self, kind: ExplainKind, inner: &Statement) -> Result<Analyzed> {
        let lines: Vec<String> = match kind {
            ExplainKind::Plan | ExplainKind::Pipeline => {
                let Statement::Query(query) = inner else {
                    return Err(QueryError::new(
                        ErrorCode::NotImplemented,
                        "EXPLAIN is implemented for queries only",
                    ));
                };
                let statement = self.whole_query(query)?;
                return Ok(Analyzed::Explain(Box::new(statement)));
            }
            ExplainKind::Ast => format!("{inner:#?}").lines().map(str::to_owned).collect(),
            ExplainKind::QueryTree => {
                let analyzed = self.statement(inner)?;
                format!("{analyzed:#?}")
                    .lines()
                    .map(str::to_owned)
                    .collect()
            }
            ExplainKind::Estimate => return self.estimate(inner),
            ExplainKind::Syntax => {
                return Err(QueryError::new(
                    ErrorCode::NotImplemented,
                    "EXPLAIN SYNTAX is not implemented; use EXPLAIN",
                ));
            }
        };
        let rows = lines.into_iter().map(|line| vec![text(line)]).collect();
        self.rows(&strings(&["explain"]), rows)
    }
}

fn no_database(name: &str) -> QueryError {
    QueryError::new(
        ErrorCode::UnknownDatabase,
        format!("Database {name} does not exist"),
    )
}

/// The columns of a table as DESCRIBE shows them: name, type, kind and expression of the default, comment.
fn described(table: &CatalogTable) -> Vec<[String; 5]> {
    table
        .columns
        .iter()
        .map(|column| {
            let (kind, expression) = column.default.described();
            [
                column.name.clone(),
                column.ty.to_string(),
                kind.to_owned(),
                expression.to_owned(),
                column.comment.to_owned(),
            ]
        })
        .collect()
}
