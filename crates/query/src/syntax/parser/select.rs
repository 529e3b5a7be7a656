//! SELECT, WITH and set operations.

use super::super::ast::{
    Arm, ArrayJoin, Expr, ExprKind, Query, QueryId, Select, SetOperator, With,
};
use super::super::lexer::TokenKind;
use super::{Parser, Result};
use crate::error::{ErrorCode, QueryError};
use crate::limits::{MAX_CTES, MAX_SET_ARMS};

impl Parser<'_> {
    /// A query with its set operations.
    pub(super) fn query(&mut self) -> Result<Query> {
        self.nested(|parser| {
            let mut query = Query {
                arms: vec![parser.arm()?],
                operators: Vec::new(),
                id: QueryId(parser.next_query),
            };
            parser.next_query = parser.next_query.map(|id| id + 1);
            while let Some(operator) = parser.set_operator() {
                parser.arms += 1;
                if parser.arms > MAX_SET_ARMS {
                    return Err(QueryError::new(
                        ErrorCode::TooBigAst,
                        format!("the query has more than {MAX_SET_ARMS} set operations"),
                    ));
                }
                query.operators.push(operator);
                query.arms.push(parser.arm()?);
            }
            Ok(query)
        })
    }

    fn set_operator(&mut self) -> Option<SetOperator> {
        let known: [(&[&str], SetOperator); 9] = [
            (&["UNION", "ALL"], SetOperator::UnionAll),
            (&["UNION", "DISTINCT"], SetOperator::UnionDistinct),
            (&["UNION"], SetOperator::Union),
            (&["EXCEPT", "DISTINCT"], SetOperator::ExceptDistinct),
            (&["EXCEPT", "ALL"], SetOperator::Except),
            (&["EXCEPT"], SetOperator::Except),
            (&["INTERSECT", "DISTINCT"], SetOperator::IntersectDistinct),
            (&["INTERSECT", "ALL"], SetOperator::Intersect),
            (&["INTERSECT"], SetOperator::Intersect),
        ];
        known
            .iter()
            .find(|(words, _)| self.words(words))
            .map(|(_, operator)| *operator)
    }

    fn arm(&mut self) -> Result<Arm> {
        if self.query_after_bracket(0) {
            self.expect_symbol("(")?;
            let query = self.query()?;
            self.expect_symbol(")")?;
            return Ok(Arm::Query(Box::new(query)));
        }
        Ok(Arm::Select(Box::new(self.select()?)))
    }

    fn select(&mut self) -> Result<Select> {
        let mut select = Select::default();
        if self.word("WITH") {
            select.with = self.with()?;
        }
        // `FROM t SELECT x` is allowed.
        if self.word("FROM") {
            select.from = Some(self.from()?);
        }
        self.expect_word("SELECT")?;
        self.select_list(&mut select)?;
        if select.from.is_none() && self.word("FROM") {
            select.from = Some(self.from()?);
        }
        self.array_join(&mut select)?;
        if self.word("PREWHERE") {
            select.prewhere = Some(self.item()?);
        }
        if self.word("WHERE") {
            select.filter = Some(self.item()?);
        }
        if self.words(&["GROUP", "BY"]) {
            select.group_by = Some(self.group_by(&mut select.totals)?);
        }
        select.totals |= self.words(&["WITH", "TOTALS"]);
        if self.word("HAVING") {
            select.having = Some(self.item()?);
        }
        if self.word("WINDOW") {
            select.windows = self.list(Self::named_window)?;
        }
        if self.word("QUALIFY") {
            select.qualify = Some(self.item()?);
        }
        if self.words(&["ORDER", "BY"]) {
            select.order_by = Some(self.order_by()?);
            if self.word("INTERPOLATE") {
                select.interpolate = Some(self.interpolate()?);
            }
        }
        self.limits(&mut select)?;
        if self.word("SETTINGS") {
            select.settings = self.settings()?;
        }
        Ok(select)
    }

    fn select_list(&mut self, select: &mut Select) -> Result<()> {
        if self.is_word("DISTINCT") && !self.symbol_at(1, ",") && !self.word_at(1, "FROM") {
            self.advance();
            select.distinct = true;
            if self.is_word("ON") && self.symbol_at(1, "(") {
                self.advance();
                self.advance();
                select.distinct = false;
                select.distinct_on = self.arguments(")")?;
            }
        }
        loop {
            select.items.push(self.item()?);
            // A comma before FROM is forgiven.
            if !self.symbol(",") || self.is_word("FROM") {
                return Ok(());
            }
        }
    }

    fn named_window(&mut self) -> Result<(String, super::super::ast::WindowSpec)> {
        let name = self.identifier()?;
        self.expect_word("AS")?;
        self.expect_symbol("(")?;
        let spec = self.nested(Self::window_spec)?;
        Ok((name, spec))
    }

    fn array_join(&mut self, select: &mut Select) -> Result<()> {
        let left = self.words(&["LEFT", "ARRAY", "JOIN"]);
        if left || self.words(&["ARRAY", "JOIN"]) {
            select.array_join = Some(ArrayJoin {
                left,
                items: self.list(Self::item)?,
            });
        }
        Ok(())
    }

    fn with(&mut self) -> Result<Vec<With>> {
        if self.is_word("RECURSIVE") {
            return Err(QueryError::new(
                ErrorCode::NotImplemented,
                "recursive WITH is not supported".to_owned(),
            ));
        }
        let mut items = Vec::new();
        loop {
            items.push(self.with_item()?);
            if items.len() > MAX_CTES {
                return Err(QueryError::new(
                    ErrorCode::TooBigAst,
                    format!("WITH has more than {MAX_CTES} items"),
                ));
            }
            if !self.symbol(",") {
                return Ok(items);
            }
        }
    }

    /// `name AS (query)` or `expression AS name`.
    fn with_item(&mut self) -> Result<With> {
        let is_name = matches!(self.kind(), TokenKind::Word(_) | TokenKind::Quoted(_));
        if is_name && self.word_at(1, "AS") && self.query_after_bracket(2) {
            let name = self.identifier()?;
            self.advance();
            self.expect_symbol("(")?;
            let query = self.query()?;
            self.expect_symbol(")")?;
            return Ok(With::Query(name, Box::new(query)));
        }
        let start = self.at;
        if self.is_symbol("{") {
            // `{name:Identifier} AS (query)`
            if let Ok(name) = self.identifier()
                && self.word("AS")
                && self.query_after_bracket(0)
            {
                self.expect_symbol("(")?;
                let query = self.query()?;
                self.expect_symbol(")")?;
                return Ok(With::Query(name, Box::new(query)));
            }
            self.at = start;
        }
        let expr: Expr = self.item()?;
        if expr.alias.is_none() && !matches!(expr.kind, ExprKind::Name(_)) {
            return self.fail("Expected AS and a name");
        }
        Ok(With::Expr(expr))
    }
}
