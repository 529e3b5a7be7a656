//! GROUP BY, ORDER BY, LIMIT and SETTINGS.

use super::super::ast::{
    Expr, ExprKind, Fill, GroupBy, Interpolate, KeySets, LimitBy, OrderBy, OrderKey, Select,
    Setting,
};
use super::super::lexer::TokenKind;
use super::{Parser, Result};

impl Parser<'_> {
    /// What follows GROUP BY.
    pub(super) fn group_by(&mut self, totals: &mut bool) -> Result<GroupBy> {
        if self.is_word("ALL") && !self.symbol_at(1, ",") && !self.symbol_at(1, "(") {
            self.advance();
            return Ok(GroupBy::All);
        }
        if self.words(&["GROUPING", "SETS"]) {
            return self.grouping_sets();
        }
        for (word, sets) in [("ROLLUP", KeySets::Rollup), ("CUBE", KeySets::Cube)] {
            if self.is_word(word) && self.symbol_at(1, "(") {
                self.advance();
                self.advance();
                let keys = self.arguments(")")?;
                return Ok(GroupBy::Keys { keys, sets });
            }
        }
        let mut sets = KeySets::Together;
        let keys = self.list(Self::item)?;
        loop {
            if self.words(&["WITH", "TOTALS"]) {
                *totals = true;
            } else if self.words(&["WITH", "ROLLUP"]) {
                sets = KeySets::Rollup;
            } else if self.words(&["WITH", "CUBE"]) {
                sets = KeySets::Cube;
            } else {
                return Ok(GroupBy::Keys { keys, sets });
            }
        }
    }

    /// `((a, b), a, ())`: each key once, and the sets as positions.
    fn grouping_sets(&mut self) -> Result<GroupBy> {
        let mut keys: Vec<Expr> = Vec::new();
        let mut sets = Vec::new();
        self.expect_symbol("(")?;
        for set in self.arguments(")")? {
            let exprs = tuple_items(set);
            let mut positions = Vec::new();
            for expr in exprs {
                let known = keys.iter().position(|key| *key == expr);
                positions.push(known.unwrap_or(keys.len()));
                if known.is_none() {
                    keys.push(expr);
                }
            }
            sets.push(positions);
        }
        Ok(GroupBy::Keys {
            keys,
            sets: KeySets::Sets(sets),
        })
    }

    /// What follows INTERPOLATE: nothing, or `(a, b AS expression)`.
    pub(super) fn interpolate(&mut self) -> Result<Vec<Interpolate>> {
        let mut columns = Vec::new();
        if !self.symbol("(") {
            return Ok(columns);
        }
        while !self.symbol(")") {
            let column = self.identifier()?;
            let value = if self.word("AS") {
                Some(self.expression()?)
            } else {
                None
            };
            columns.push(Interpolate { column, value });
            if !self.symbol(",") && !self.is_symbol(")") {
                return self.fail("Expected `,` or `)`");
            }
        }
        Ok(columns)
    }

    /// What follows ORDER BY.
    pub(super) fn order_by(&mut self) -> Result<OrderBy> {
        if self.is_word("ALL") && !self.symbol_at(1, ",") && !self.symbol_at(1, "(") {
            self.advance();
            let (descending, nulls_first) = self.direction()?;
            return Ok(OrderBy::All {
                descending,
                nulls_first,
            });
        }
        Ok(OrderBy::Keys(self.list(Self::order_key)?))
    }

    /// One key with its direction.
    pub(super) fn order_key(&mut self) -> Result<OrderKey> {
        let mut expr = self.expression()?;
        if self.word("AS") {
            expr.alias = Some(self.identifier()?);
        }
        let (descending, nulls_first) = self.direction()?;
        let collate = self.word("COLLATE");
        if collate {
            let TokenKind::String(_) = self.kind() else {
                return self.fail("Expected the name of a collation");
            };
            self.advance();
        }
        let fill = if self.words(&["WITH", "FILL"]) {
            Some(self.fill()?)
        } else {
            None
        };
        Ok(OrderKey {
            expr,
            descending,
            nulls_first,
            fill,
            collate,
        })
    }

    fn fill(&mut self) -> Result<Fill> {
        let mut part = |word: &str| -> Result<Option<Expr>> {
            if self.word(word) {
                return self.expression().map(Some);
            }
            Ok(None)
        };
        Ok(Fill {
            from: part("FROM")?,
            to: part("TO")?,
            step: part("STEP")?,
            staleness: part("STALENESS")?,
        })
    }

    fn direction(&mut self) -> Result<(bool, bool)> {
        let descending = self.word("DESC") || self.word("DESCENDING");
        if !descending && !self.word("ASC") {
            self.word("ASCENDING");
        }
        let mut nulls_first = false;
        if self.word("NULLS") {
            nulls_first = self.word("FIRST");
            if !nulls_first {
                self.expect_word("LAST")?;
            }
        }
        Ok((descending, nulls_first))
    }

    /// Any of `LIMIT n`, `LIMIT m, n`, `LIMIT n OFFSET m`, the same with BY, and `OFFSET n`.
    pub(super) fn limits(&mut self, select: &mut Select) -> Result<()> {
        while self.word("LIMIT") {
            let first = self.expression()?;
            let (limit, offset) = if self.symbol(",") {
                (self.expression()?, Some(first))
            } else if self.word("OFFSET") {
                (first, Some(self.expression()?))
            } else {
                (first, None)
            };
            if self.word("BY") {
                select.limit_by = Some(self.limit_by(limit, offset)?);
                continue;
            }
            select.ties = self.words(&["WITH", "TIES"]);
            select.limit = Some(limit);
            select.offset = offset;
            break;
        }
        if self.word("OFFSET") {
            select.offset = Some(self.expression()?);
            let rows = self.word("ROWS") || self.word("ROW");
            if rows || self.is_word("FETCH") {
                self.fetch(select)?;
            }
        }
        if self.is_word("FETCH") {
            self.fetch(select)?;
        }
        Ok(())
    }

    fn fetch(&mut self, select: &mut Select) -> Result<()> {
        if !self.word("FETCH") {
            return Ok(());
        }
        if !self.word("FIRST") {
            self.expect_word("NEXT")?;
        }
        select.limit = Some(self.expression()?);
        if !self.word("ROWS") {
            self.expect_word("ROW")?;
        }
        if self.words(&["WITH", "TIES"]) {
            select.ties = true;
            return Ok(());
        }
        self.expect_word("ONLY")
    }

    fn limit_by(&mut self, limit: Expr, offset: Option<Expr>) -> Result<LimitBy> {
        Ok(LimitBy {
            limit,
            offset,
            keys: self.list(Self::item)?,
        })
    }

    /// What follows SETTINGS and SET.
    pub(super) fn settings(&mut self) -> Result<Vec<Setting>> {
        self.list(Self::setting)
    }

    fn setting(&mut self) -> Result<Setting> {
        let mut name = self.identifier()?;
        while self.symbol(".") {
            name.push('.');
            name.push_str(&self.identifier()?);
        }
        if !self.symbol("=") {
            // `SETTINGS some_switch` means true.
            return Ok((name, "1".to_owned()));
        }
        let start = self.offset();
        let value = match self.kind().clone() {
            TokenKind::String(text) => {
                self.advance();
                text
            }
            TokenKind::Word(word) => {
                self.advance();
                word
            }
            TokenKind::Quoted(_) | TokenKind::Number(_) | TokenKind::Symbol(_) | TokenKind::End => {
                // Numbers, maps and arrays as written.
                self.expression()?;
                let end = self.offset();
                self.text
                    .get(start..end)
                    .unwrap_or_default()
                    .trim()
                    .to_owned()
            }
        };
        Ok((name, value))
    }
}

/// The parts of a tuple, or the expression alone.
fn tuple_items(expr: Expr) -> Vec<Expr> {
    let Expr { kind, alias } = expr;
    if let (ExprKind::Tuple(items), None) = (&kind, &alias) {
        return items.clone();
    }
    vec![Expr { kind, alias }]
}
