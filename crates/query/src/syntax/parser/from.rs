//! FROM: tables, subqueries, table functions and joins.

use super::super::ast::{
    From, Join, JoinKind, JoinOn, JoinStrictness, TableItem, TableName, TableSource,
};
use super::super::lexer::TokenKind;
use super::{Parser, Result};
use crate::error::{ErrorCode, QueryError};
use crate::limits::MAX_JOINS;

impl Parser<'_> {
    /// What follows FROM.
    pub(super) fn from(&mut self) -> Result<From> {
        let first = self.table_item()?;
        let mut joins = Vec::new();
        while let Some(join) = self.join()? {
            joins.push(join);
            if joins.len() > MAX_JOINS {
                return Err(QueryError::new(
                    ErrorCode::TooBigAst,
                    format!("the query has more than {MAX_JOINS} joins"),
                ));
            }
        }
        Ok(From { first, joins })
    }

    fn table_item(&mut self) -> Result<TableItem> {
        let source = self.nested(Self::table_source)?;
        let mut is_final = self.word("FINAL");
        let alias = if self.word("AS") || self.is_bare_alias() {
            Some(self.identifier()?)
        } else {
            None
        };
        is_final |= self.word("FINAL");
        if self.word("SAMPLE") {
            return Err(QueryError::new(
                ErrorCode::SamplingNotSupported,
                "SAMPLE is not supported by these tables; filter by a hash instead".to_owned(),
            ));
        }
        Ok(TableItem {
            source,
            alias,
            is_final,
        })
    }

    /// A table, a table function or a query in brackets.
    pub(super) fn table_source(&mut self) -> Result<TableSource> {
        if self.query_after_bracket(0) {
            self.expect_symbol("(")?;
            let query = self.query()?;
            self.expect_symbol(")")?;
            return Ok(TableSource::Query(Box::new(query)));
        }
        if matches!(self.kind(), TokenKind::Word(_) | TokenKind::Quoted(_))
            && self.symbol_at(1, "(")
        {
            let name = self.identifier()?;
            self.expect_symbol("(")?;
            if self.is_any_word(&["SELECT", "WITH"]) {
                let query = self.query()?;
                self.expect_symbol(")")?;
                return Ok(TableSource::Function {
                    name,
                    arguments: Vec::new(),
                    query: Some(Box::new(query)),
                });
            }
            let arguments = self.arguments(")")?;
            return Ok(TableSource::Function {
                name,
                arguments,
                query: None,
            });
        }
        Ok(TableSource::Table(self.table_name()?))
    }

    /// `[db.]table`
    pub(super) fn table_name(&mut self) -> Result<TableName> {
        let first = self.identifier()?;
        if self.symbol(".") {
            let table = self.identifier()?;
            return Ok(TableName {
                database: Some(first),
                table,
            });
        }
        Ok(TableName {
            database: None,
            table: first,
        })
    }

    fn join(&mut self) -> Result<Option<Join>> {
        if self.symbol(",") {
            return Ok(Some(Join {
                kind: JoinKind::Cross,
                strictness: JoinStrictness::All,
                table: self.table_item()?,
                on: JoinOn::Nothing,
            }));
        }
        let start = self.at;
        self.word("GLOBAL");
        let mut strictness = self.strictness();
        let kind = self.join_kind();
        if strictness == JoinStrictness::All {
            strictness = self.strictness();
        }
        if !self.word("JOIN") {
            self.at = start;
            return Ok(None);
        }
        let table = self.table_item()?;
        let on = if kind == JoinKind::Cross {
            JoinOn::Nothing
        } else if self.word("ON") {
            JoinOn::Condition(self.expression()?)
        } else if self.word("USING") {
            if self.symbol("(") {
                let columns = self.list(Self::identifier)?;
                self.expect_symbol(")")?;
                JoinOn::Using(columns)
            } else {
                JoinOn::Using(self.list(Self::identifier)?)
            }
        } else {
            return self.fail("Expected ON or USING");
        };
        Ok(Some(Join {
            kind,
            strictness,
            table,
            on,
        }))
    }

    fn strictness(&mut self) -> JoinStrictness {
        let known = [
            ("ANY", JoinStrictness::Any),
            ("SEMI", JoinStrictness::Semi),
            ("ANTI", JoinStrictness::Anti),
            ("ASOF", JoinStrictness::Asof),
            ("ALL", JoinStrictness::All),
        ];
        for (word, strictness) in known {
            if self.word(word) {
                return strictness;
            }
        }
        JoinStrictness::All
    }

    fn join_kind(&mut self) -> JoinKind {
        let known = [
            ("INNER", JoinKind::Inner),
            ("LEFT", JoinKind::Left),
            ("RIGHT", JoinKind::Right),
            ("FULL", JoinKind::Full),
            ("CROSS", JoinKind::Cross),
        ];
        for (word, kind) in known {
            if self.word(word) {
                self.word("OUTER");
                return kind;
            }
        }
        JoinKind::Inner
    }
}
