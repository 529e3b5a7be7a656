//! Table functions that make rows up or stand for a table: `values`, `generate_series`, `zeros`, `cluster`.

use super::scope::{Origin, Scope, Source, SourceColumn};
use super::tree::{Kind, Node, Typed};
use super::{Analyzer, Result};
use crate::catalog::CLUSTER;
use crate::error::{ErrorCode, QueryError};
use crate::syntax::{Expr, ExprKind, Literal, TableName};
use crate::types::{Type, Value, common_type};

impl Analyzer<'_> {
    /// The function `name`, `lower` in small letters.
    pub(super) fn made_up_table(
        &mut self,
        lower: &str,
        name: &str,
        arguments: &[Expr],
    ) -> Result<(Node, Source)> {
        let (node, columns) = match lower {
            "values" => self.values_function(arguments)?,
            "generate_series" | "generateseries" => self.series(arguments)?,
            "zeros" | "zeros_mt" => self.zeros(arguments)?,
            "cluster" | "clusterallreplicas" => return self.cluster(arguments),
            _ => {
                return Err(QueryError::new(
                    ErrorCode::UnknownFunction,
                    format!("Unknown table function {name}"),
                ));
            }
        };
        let source = Source {
            columns,
            ..Source::default()
        };
        Ok((node, source))
    }

    /// `values('a UInt8, b String', (1, 'x'), (2, 'y'))`, also without the structure.
    fn values_function(&mut self, arguments: &[Expr]) -> Result<(Node, Vec<SourceColumn>)> {
        let structure = arguments.split_first().and_then(|(first, rest)| {
            let ExprKind::Literal(Literal::String(text)) = &first.kind else {
                return None;
            };
            let Ok(Type::Tuple(columns)) = format!("Tuple({text})").parse() else {
                return None;
            };
            let named = columns
                .into_iter()
                .map(|(name, ty)| Some((name?, ty)))
                .collect::<Option<Vec<_>>>()?;
            Some((named, rest))
        });
        let (columns, rows) = match structure {
            Some((columns, rows)) => {
                let rows = self.constant_tuples(rows)?;
                (columns, rows)
            }
            None => {
                let rows = self.constant_tuples(arguments)?;
                (unnamed_columns(&rows)?, rows)
            }
        };
        let mut converted = Vec::with_capacity(rows.len());
        for row in rows {
            if row.len() != columns.len() {
                return Err(QueryError::new(
                    ErrorCode::BadArguments,
                    format!(
                        "Values table function requires all rows to have {} values, not {}",
                        columns.len(),
                        row.len()
                    ),
                ));
            }
            let mut values = Vec::with_capacity(row.len());
            for (typed, (_, ty)) in row.into_iter().zip(&columns) {
                values.push(self.constant_cast(typed, ty)?);
            }
            converted.push(values);
        }
        Ok(self.constant_rows(&columns, converted))
    }

    fn constant_cast(&mut self, typed: Typed, to: &Type) -> Result<Value> {
        if typed.value().is_some_and(Value::is_null) && to.is_nullable() {
            return Ok(Value::Null);
        }
        let cast = self.cast(typed, to)?;
        cast.value().cloned().ok_or_else(not_constant)
    }

    /// Constant rows; a value that is no tuple is a row of one.
    fn constant_tuples(&mut self, rows: &[Expr]) -> Result<Vec<Vec<Typed>>> {
        let mut tuples = Vec::with_capacity(rows.len());
        for row in rows {
            let typed = self.expression(&mut Scope::default(), row)?;
            let tuple = match (&typed.kind, &typed.ty) {
                (Kind::Constant(Value::Tuple(values)), Type::Tuple(types)) => values
                    .iter()
                    .zip(types)
                    .map(|(value, (_, ty))| Typed::constant(value.clone(), ty.clone()))
                    .collect(),
                (Kind::Constant(_), _) => vec![typed],
                _ => return Err(not_constant()),
            };
            tuples.push(tuple);
        }
        Ok(tuples)
    }

    /// `generate_series(first, last[, step])`
    fn series(&mut self, arguments: &[Expr]) -> Result<(Node, Vec<SourceColumn>)> {
        let mut bounds = Vec::new();
        for argument in arguments {
            bounds.push(self.constant_count(argument, "generate_series")?);
        }
        let (first, last, step) = match bounds.as_slice() {
            [first, last] => (*first, *last, 1),
            [first, last, step] if *step > 0 => (*first, *last, *step),
            _ => {
                return Err(QueryError::new(
                    ErrorCode::BadArguments,
                    "Table function generate_series takes a first and a last number and a step above 0",
                ));
            }
        };
        let count = match last.checked_sub(first) {
            Some(span) => (span / step).saturating_add(1),
            None => 0,
        };
        self.over_numbers("generate_series", Some(count), |analyzer, number| {
            let step = Typed::constant(Value::UInt(step), Type::UInt64);
            let first = Typed::constant(Value::UInt(first), Type::UInt64);
            let product = analyzer.function("multiply", vec![number, step])?;
            analyzer.function("plus", vec![first, product])
        })
    }

    fn zeros(&mut self, arguments: &[Expr]) -> Result<(Node, Vec<SourceColumn>)> {
        let count = match arguments {
            [] => None,
            [count] => Some(self.constant_count(count, "zeros")?),
            _ => {
                return Err(QueryError::new(
                    ErrorCode::NumberOfArgumentsDoesntMatch,
                    "Table function zeros takes a count",
                ));
            }
        };
        self.over_numbers("zero", count, |_, _| {
            Ok(Typed::constant(Value::UInt(0), Type::UInt8))
        })
    }

    /// One column made from the numbers 0, 1, …
    fn over_numbers(
        &mut self,
        name: &str,
        count: Option<u64>,
        make: impl FnOnce(&mut Self, Typed) -> Result<Typed>,
    ) -> Result<(Node, Vec<SourceColumn>)> {
        let (input, number) = (self.new_id(), self.new_id());
        let typed = make(self, Typed::column(input, Type::UInt64))?;
        let column = SourceColumn {
            name: name.to_owned(),
            ty: typed.ty.clone(),
            origin: Origin::Id(number),
            in_star: true,
        };
        let node = Node::Project {
            input: Box::new(Node::Numbers {
                id: input,
                start: 0,
                count,
            }),
            columns: vec![(number, typed)],
        };
        Ok((node, vec![column]))
    }

    /// `cluster('default', db.table)`: the table itself, because the cluster is this process.
    fn cluster(&mut self, arguments: &[Expr]) -> Result<(Node, Source)> {
        let mut parts = Vec::new();
        for argument in arguments {
            if let ExprKind::Name(names) = &argument.kind {
                parts.push(names.clone());
            } else if let ExprKind::Literal(Literal::String(text)) = &argument.kind {
                parts.push(vec![text.clone()]);
            } else {
                return Err(bad_cluster());
            }
        }
        let Some((cluster, rest)) = parts.split_first() else {
            return Err(bad_cluster());
        };
        if cluster.join(".") != CLUSTER {
            return Err(QueryError::new(
                ErrorCode::ClusterDoesntExist,
                format!("Requested cluster '{}' not found", cluster.join(".")),
            ));
        }
        let name = match rest.concat().as_slice() {
            [] => TableName {
                database: Some("system".to_owned()),
                table: "one".to_owned(),
            },
            [table] => TableName {
                database: None,
                table: table.clone(),
            },
            // A further argument would be the sharding key of an INSERT.
            [database, table, ..] => TableName {
                database: Some(database.clone()),
                table: table.clone(),
            },
        };
        self.plain_table(&name)
    }
}

fn bad_cluster() -> QueryError {
    QueryError::new(
        ErrorCode::BadArguments,
        "Table function cluster takes the name of a cluster and a table",
    )
}

fn not_constant() -> QueryError {
    QueryError::new(
        ErrorCode::BadArguments,
        "Values table function takes constants",
    )
}

/// `c1`, `c2`, … with the common types of their values.
fn unnamed_columns(rows: &[Vec<Typed>]) -> Result<Vec<(String, Type)>> {
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    if width == 0 {
        return Err(QueryError::new(
            ErrorCode::BadArguments,
            "Table function values needs rows",
        ));
    }
    (0..width)
        .map(|index| {
            let of_column = rows.iter().filter_map(|row| row.get(index));
            let types: Vec<Type> = of_column.map(|typed| typed.ty.clone()).collect();
            let ty =
                common_type(&types).ok_or_else(|| super::expression::no_common_type(&types))?;
            Ok((format!("c{}", index + 1), ty))
        })
        .collect()
}
