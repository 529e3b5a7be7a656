//! GROUP BY, ORDER BY, LIMIT and SETTINGS.

use super::super::ast::{Expr, GroupBy, LimitBy, OrderBy, OrderKey, Select, Setting};
use super::super::lexer::TokenKind;
use super::{Parser, Result};

impl Parser<'_> {
    /// What follows GROUP BY.
    pub(super) fn group_by(&mut self) -> Result<GroupBy> {
        if self.is_word("ALL") && !self.symbol_at(1, ",") && !self.symbol_at(1, "(") {
            self.advance();
            return Ok(GroupBy::All);
        }
        let mut modifier = None;
        let mut keys = Vec::new();
        if self.words_at(0, &["GROUPING", "SETS"]) {
            modifier = Some("GROUPING SETS");
            self.words(&["GROUPING", "SETS"]);
            keys.push(self.expression()?);
        } else if self.is_any_word(&["ROLLUP", "CUBE"]) && self.symbol_at(1, "(") {
            modifier = Some(if self.is_word("ROLLUP") {
                "ROLLUP"
            } else {
                "CUBE"
            });
            keys.push(self.expression()?);
        } else {
            keys = self.list(Self::item)?;
        }
        for (words, name) in [
            (["WITH", "TOTALS"], "WITH TOTALS"),
            (["WITH", "ROLLUP"], "WITH ROLLUP"),
            (["WITH", "CUBE"], "WITH CUBE"),
        ] {
            if self.words(&words) {
                modifier = Some(name);
            }
        }
        Ok(GroupBy::Keys { keys, modifier })
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
        if self.word("COLLATE") {
            return self.fail("COLLATE is not supported; strings sort by their bytes");
        }
        let fill = self.words(&["WITH", "FILL"]);
        if fill {
            for word in ["FROM", "TO", "STEP", "STALENESS"] {
                if self.word(word) {
                    self.expression()?;
                }
            }
        }
        Ok(OrderKey {
            expr,
            descending,
            nulls_first,
            fill,
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
            if self.words(&["WITH", "TIES"]) {
                return self.fail("LIMIT WITH TIES is not supported");
            }
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
