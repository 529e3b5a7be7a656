//! Which statement it is, and the clear refusals of those we do not do.

use super::super::ast::{Arm, ExplainKind, Expr, KillSpeed, Parsed, Statement, TableSource};
use super::super::lexer::TokenKind;
use super::{Parser, Result, parse_query};
use crate::error::{ErrorCode, QueryError};

/// Statements that exist in ClickHouse but not here.
const REFUSED: [&str; 17] = [
    "INSERT", "ALTER", "RENAME", "EXCHANGE", "OPTIMIZE", "ATTACH", "DETACH", "DELETE", "UPDATE",
    "BACKUP", "RESTORE", "BEGIN", "COMMIT", "ROLLBACK", "CHECK", "WATCH", "UNDROP",
];

impl Parser<'_> {
    /// The statement, its FORMAT and SETTINGS, and nothing after it.
    pub(super) fn only_statement(&mut self) -> Result<Parsed> {
        if *self.kind() == TokenKind::End || self.is_symbol(";") && self.tokens.len() == 2 {
            return Err(QueryError::new(
                ErrorCode::SyntaxError,
                "Empty query".to_owned(),
            ));
        }
        let mut parsed = Parsed {
            statement: self.statement()?,
            format: None,
            settings: Vec::new(),
        };
        loop {
            if self.word("FORMAT") {
                parsed.format = Some(self.identifier()?);
            } else if self.word("SETTINGS") {
                parsed.settings.append(&mut self.settings()?);
            } else if self.words_at(0, &["INTO", "OUTFILE"]) {
                return Err(QueryError::new(
                    ErrorCode::IntoOutfileNotAllowed,
                    "INTO OUTFILE is not allowed".to_owned(),
                ));
            } else {
                break;
            }
        }
        if self.symbol(";") {
            while self.symbol(";") {}
            if *self.kind() != TokenKind::End {
                return self.fail("Multi-statements are not allowed");
            }
        }
        if *self.kind() != TokenKind::End {
            return self.fail("Expected end of query");
        }
        Ok(parsed)
    }

    fn statement(&mut self) -> Result<Statement> {
        let TokenKind::Word(word) = self.kind() else {
            if self.query_after_bracket(0) {
                return Ok(Statement::Query(Box::new(self.query()?)));
            }
            return self.fail("Expected a statement");
        };
        let upper = word.to_ascii_uppercase();
        match upper.as_str() {
            "SELECT" | "WITH" | "FROM" => Ok(Statement::Query(Box::new(self.query()?))),
            "SHOW" => {
                self.advance();
                self.show()
            }
            "DESCRIBE" | "DESC" => {
                self.advance();
                self.describe()
            }
            "EXISTS" => {
                self.advance();
                self.exists()
            }
            "EXPLAIN" => {
                self.advance();
                self.nested(Self::explain)
            }
            "USE" => {
                self.advance();
                Ok(Statement::Use(self.identifier()?))
            }
            "SET" => {
                self.advance();
                Ok(Statement::Set(self.settings()?))
            }
            "KILL" => {
                self.advance();
                self.kill()
            }
            "CREATE" => {
                self.advance();
                self.create()
            }
            "DROP" => {
                self.advance();
                self.drop("DROP")
            }
            "TRUNCATE" => {
                self.advance();
                self.drop("TRUNCATE")
            }
            "SYSTEM" => {
                self.advance();
                self.system()
            }
            "GRANT" | "REVOKE" => Err(QueryError::new(
                ErrorCode::AccessDenied,
                "Not enough privileges. Rights are given in the configuration",
            )),
            word if REFUSED.contains(&word) => Err(QueryError::new(
                ErrorCode::NotImplemented,
                format!("{word} is not implemented; this port reads and takes INSERT"),
            )),
            _ => self.fail(
                "Expected one of: SELECT, WITH, INSERT, SHOW, DESCRIBE, EXISTS, EXPLAIN, USE, SET",
            ),
        }
    }

    /// The condition is about `system.processes`, and so is the query that it becomes.
    fn kill(&mut self) -> Result<Statement> {
        if !self.word("QUERY") {
            return Err(QueryError::new(
                ErrorCode::NotImplemented,
                "only KILL QUERY is implemented".to_owned(),
            ));
        }
        let mut query = parse_query(
            "SELECT 'waiting' AS kill_status, query_id, user, query FROM system.processes \
             WHERE query_id != queryID()",
        )?;
        self.expect_word("WHERE")?;
        let condition = self.expression()?;
        if let [Arm::Select(select)] = query.arms.as_mut_slice() {
            let own = select.filter.take();
            let arguments = own.into_iter().chain([condition]).collect();
            select.filter = Some(Expr::call("and", arguments));
        }
        let speeds = [
            ("SYNC", KillSpeed::Sync),
            ("ASYNC", KillSpeed::Async),
            ("TEST", KillSpeed::Test),
        ];
        let named = speeds.into_iter().find(|(word, _)| self.word(word));
        let speed = named.map_or(KillSpeed::Async, |(_, speed)| speed);
        Ok(Statement::Kill(Box::new(query), speed))
    }

    fn describe(&mut self) -> Result<Statement> {
        if self.is_word("TABLE") && !self.symbol_at(1, ".") && *self.kind_at(1) != TokenKind::End {
            self.advance();
        }
        let source: TableSource = self.nested(Self::table_source)?;
        Ok(Statement::Describe(Box::new(source)))
    }

    fn exists(&mut self) -> Result<Statement> {
        if self.word("DATABASE") {
            return Ok(Statement::ExistsDatabase(self.identifier()?));
        }
        if self.is_any_word(&["TABLE", "VIEW"]) && *self.kind_at(1) != TokenKind::End {
            self.advance();
        }
        Ok(Statement::ExistsTable(self.table_name()?))
    }

    fn explain(&mut self) -> Result<Statement> {
        let kinds = [
            ("PLAN", ExplainKind::Plan),
            ("AST", ExplainKind::Ast),
            ("SYNTAX", ExplainKind::Syntax),
            ("PIPELINE", ExplainKind::Pipeline),
            ("ESTIMATE", ExplainKind::Estimate),
        ];
        let mut kind = ExplainKind::Plan;
        if self.words(&["QUERY", "TREE"]) {
            kind = ExplainKind::QueryTree;
        }
        for (word, named) in kinds {
            if self.word(word) {
                kind = named;
            }
        }
        // `EXPLAIN indexes = 1 SELECT …`
        while self.symbol_at(1, "=") {
            self.settings()?;
        }
        Ok(Statement::Explain(kind, Box::new(self.statement()?)))
    }
}
