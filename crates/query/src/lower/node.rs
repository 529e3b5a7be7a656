//! Relational nodes.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;
use datafusion::catalog::MemTable;
use datafusion::catalog::default_table_source::provider_as_source;
use datafusion::common::{
    Column, DFSchema, DFSchemaRef, JoinConstraint, JoinType, NullEquality, UnnestOptions,
};
use datafusion::error::DataFusionError;
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::expr::{Sort as SortExpr, WindowFunction};
use datafusion::logical_expr::{BinaryExpr, WindowFunctionDefinition};
use datafusion::logical_expr::{
    Distinct, EmptyRelation, Expr, ExprFunctionExt, Filter, Join, LogicalPlan, LogicalPlanBuilder,
    Operator, Projection, Sort, Union, Window,
};

use super::expression::literal;
use super::numbers::numbers_table;
use super::{Lowering, Result, column_name, scan_name};
use crate::analyze::{ColumnId, Node, SortKey, Typed, TypedQuery};
use crate::error::{ErrorCode, QueryError};
use crate::functions;
use crate::types::{Type, Value, values_to_array};

/// The column that a mark join adds.
const MARK: &str = "mark";

impl Lowering<'_> {
    pub(super) fn node(&self, node: &Node) -> Result<LogicalPlan> {
        match node {
            Node::OneRow => Ok(LogicalPlan::EmptyRelation(EmptyRelation {
                produce_one_row: true,
                schema: DFSchemaRef::new(DFSchema::empty()),
            })),
            Node::Values { columns, rows } => values(columns, rows),
            Node::Numbers { id, start, count } => self.numbers(*id, *start, *count),
            Node::Scan(index) => self.scan(*index),
            Node::Project { input, columns } => {
                let input = self.node(input)?;
                let exprs = columns
                    .iter()
                    .map(|(id, typed)| Ok(self.value(typed)?.alias(column_name(*id))))
                    .collect::<Result<_>>()?;
                self.project(input, exprs)
            }
            Node::Filter { input, condition } => self.filter(input, condition),
            Node::Aggregate {
                input,
                keys,
                aggregates,
                sets,
            } => self.aggregate(input, keys, aggregates, sets.as_ref()),
            Node::Window { input, windows } => self.windows(input, windows),
            Node::ArrayJoin {
                input,
                arrays,
                left,
            } => self.array_join(input, arrays, *left),
            Node::Mark {
                input,
                id,
                values,
                query,
            } => self.mark(input, *id, values, query),
            Node::Unnest { input, id, array } => self.unnest(input, *id, array),
            Node::Distinct(input) => {
                let input = self.node(input)?;
                Ok(LogicalPlan::Distinct(Distinct::All(Arc::new(input))))
            }
            Node::Sort { input, keys } => Ok(LogicalPlan::Sort(Sort {
                expr: self.sort_keys(keys)?,
                input: Arc::new(self.node(input)?),
                fetch: None,
            })),
            Node::LimitBy {
                input,
                order,
                keys,
                offset,
                limit,
            } => self.limit_by(input, order, keys, (*offset, *limit)),
            Node::Limit {
                input,
                offset,
                limit,
            } => {
                let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
                let plan = LogicalPlanBuilder::from(self.node(input)?);
                Ok(plan.limit(count(*offset), limit.map(count))?.build()?)
            }
            Node::Union(inputs) => {
                let plans = inputs.iter().map(|input| self.node(input).map(Arc::new));
                let plans = plans.collect::<Result<_>>()?;
                Ok(LogicalPlan::Union(Union::try_new_with_loose_types(plans)?))
            }
            Node::Join { .. } => self.join(node),
        }
    }

    fn filter(&self, input: &Node, condition: &Typed) -> Result<LogicalPlan> {
        let input = Arc::new(self.node(input)?);
        let condition = self.condition(condition)?;
        Ok(LogicalPlan::Filter(Filter::try_new(condition, input)?))
    }

    fn numbers(&self, id: ColumnId, start: u64, count: Option<u64>) -> Result<LogicalPlan> {
        let table = numbers_table(&column_name(id), start, count)?;
        let name = format!("n{}", id.0);
        let scan = LogicalPlanBuilder::scan(name.as_str(), provider_as_source(table), None)?;
        // Take the qualifier off again: every column but those of scans is unqualified.
        let column = Column::new(Some(name), column_name(id));
        let columns = vec![Expr::Column(column).alias(column_name(id))];
        self.project(scan.build()?, columns)
    }

    pub(super) fn project(&self, input: LogicalPlan, exprs: Vec<Expr>) -> Result<LogicalPlan> {
        let projection = Projection::try_new(exprs, Arc::new(input))?;
        Ok(LogicalPlan::Projection(projection))
    }

    fn scan(&self, index: usize) -> Result<LogicalPlan> {
        let Some(scan) = self.scans.get(index) else {
            return Err(QueryError::new(
                ErrorCode::LogicalError,
                "a node refers to a scan that does not exist",
            ));
        };
        let columns: Vec<_> = scan
            .columns
            .iter()
            .map(|(_, column)| column.clone())
            .collect();
        let source = self.sources.source(scan.table, &columns)?;
        Ok(LogicalPlanBuilder::scan(scan_name(index), source, None)?.build()?)
    }

    fn mark(
        &self,
        input: &Node,
        id: ColumnId,
        values: &[Typed],
        query: &TypedQuery,
    ) -> Result<LogicalPlan> {
        let left = self.node(input)?;
        let mut exprs: Vec<Expr> = left
            .schema()
            .columns()
            .into_iter()
            .map(Expr::Column)
            .collect();
        exprs.push(Expr::Column(Column::new_unqualified(MARK)).alias(column_name(id)));
        let mut pairs = Vec::new();
        for (value, column) in values.iter().zip(&query.output) {
            let column = Expr::Column(self.column(column.id));
            pairs.push((self.value(value)?, column));
        }
        let join = Join::try_new(
            Arc::new(left),
            Arc::new(self.query(query)?),
            pairs,
            None,
            JoinType::LeftMark,
            JoinConstraint::On,
            NullEquality::NullEqualsNothing,
            false,
        )?;
        self.project(LogicalPlan::Join(join), exprs)
    }

    /// The array becomes a column, and the column its items.
    fn unnest(&self, input: &Node, id: ColumnId, array: &Typed) -> Result<LogicalPlan> {
        self.array_join(input, &[(id, array.clone())], false)
    }

    /// The arrays become columns, and the columns their items.
    fn array_join(
        &self,
        input: &Node,
        arrays: &[(ColumnId, Typed)],
        left: bool,
    ) -> Result<LogicalPlan> {
        let mut exprs = Vec::new();
        for (id, array) in arrays {
            let mut expr = self.value(array)?;
            if left {
                // A row without array is kept, one with an empty array is not.
                expr = functions::null_if_empty(&array.ty, expr);
            }
            exprs.push(expr.alias(column_name(*id)));
        }
        let input = self.node(input)?;
        let mut all: Vec<Expr> = input
            .schema()
            .columns()
            .into_iter()
            .map(Expr::Column)
            .collect();
        all.extend(exprs);
        let plan = LogicalPlanBuilder::from(self.project(input, all)?);
        let options = UnnestOptions::new().with_preserve_nulls(left);
        let columns = arrays
            .iter()
            .map(|(id, _)| Column::new_unqualified(column_name(*id)))
            .collect();
        Ok(plan
            .unnest_columns_with_options(columns, options)?
            .build()?)
    }

    /// The input's columns and some more.
    pub(super) fn extend(
        &self,
        input: LogicalPlan,
        columns: &[(ColumnId, Typed)],
    ) -> Result<LogicalPlan> {
        let mut exprs: Vec<Expr> = input
            .schema()
            .columns()
            .into_iter()
            .map(Expr::Column)
            .collect();
        for (id, typed) in columns {
            exprs.push(self.value(typed)?.alias(column_name(*id)));
        }
        self.project(input, exprs)
    }

    pub(super) fn sort_keys(&self, keys: &[SortKey]) -> Result<Vec<SortExpr>> {
        keys.iter()
            .map(|key| {
                let expr = self.value(&key.expr)?;
                Ok(SortExpr::new(expr, !key.descending, key.nulls_first))
            })
            .collect()
    }

    fn limit_by(
        &self,
        input: &Node,
        order: &[SortKey],
        keys: &[Typed],
        (offset, limit): (u64, u64),
    ) -> Result<LogicalPlan> {
        let input = self.node(input)?;
        let columns = input.schema().columns();
        let row_number = Expr::from(WindowFunction::new(
            WindowFunctionDefinition::WindowUDF(row_number_udwf()),
            Vec::new(),
        ))
        .partition_by(self.values(keys)?)
        .order_by(self.sort_keys(order)?)
        .build()?;
        let number = Column::new_unqualified(row_number.schema_name().to_string());
        let plan = LogicalPlan::Window(Window::try_new(vec![row_number], Arc::new(input))?);
        let compare = |op, bound| {
            let bound = literal(&Value::UInt(bound), &Type::UInt64)?;
            let number = Expr::Column(number.clone());
            Ok::<_, QueryError>(Expr::BinaryExpr(BinaryExpr::new(
                Box::new(number),
                op,
                Box::new(bound),
            )))
        };
        let kept = compare(Operator::Gt, offset)?
            .and(compare(Operator::LtEq, offset.saturating_add(limit))?);
        let plan = LogicalPlan::Filter(Filter::try_new(kept, Arc::new(plan))?);
        self.project(plan, columns.into_iter().map(Expr::Column).collect())
    }
}

/// Constants as rows.
fn values(columns: &[(ColumnId, Type)], rows: &[Vec<Value>]) -> Result<LogicalPlan> {
    let fields: Vec<_> = columns
        .iter()
        .map(|(id, ty)| ty.field(&column_name(*id)))
        .collect();
    if rows.is_empty() {
        let schema = Arc::new(DFSchema::try_from(Schema::new(fields))?);
        return Ok(LogicalPlan::EmptyRelation(EmptyRelation {
            produce_one_row: false,
            schema,
        }));
    }
    // A table and not an expression a value: the optimiser walks over every expression of a plan many times.
    let mut arrays = Vec::with_capacity(columns.len());
    for (index, (_, ty)) in columns.iter().enumerate() {
        let null = Value::Null;
        let column = rows.iter().map(|row| row.get(index).unwrap_or(&null));
        let column: Vec<Value> = column.cloned().collect();
        arrays.push(values_to_array(ty, &column)?);
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).map_err(DataFusionError::from)?;
    let table = Arc::new(MemTable::try_new(schema, vec![vec![batch]])?);
    let name = columns
        .first()
        .map_or_else(|| "v".to_owned(), |(id, _)| format!("v{}", id.0));
    let scan = LogicalPlanBuilder::scan(name.as_str(), provider_as_source(table), None)?.build()?;
    // Take the qualifier off again: every column but those of scans is unqualified.
    let exprs = columns.iter().map(|(id, _)| {
        let column = Column::new(Some(name.as_str()), column_name(*id));
        Expr::Column(column).alias(column_name(*id))
    });
    let projection = Projection::try_new(exprs.collect(), Arc::new(scan))?;
    Ok(LogicalPlan::Projection(projection))
}
