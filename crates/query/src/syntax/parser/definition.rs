//! CREATE, DROP and their relatives, as far as clients send them when they set themselves up: names and column names.
//! Types, keys, codecs, indexes and engines are passed over.

use super::super::ast::{Definition, Statement};
use super::super::lexer::TokenKind;
use super::{Parser, Result};
use crate::error::{ErrorCode, QueryError};

/// What begins a line of a column list and is no column.
const NO_COLUMNS: [&str; 5] = ["INDEX", "PROJECTION", "CONSTRAINT", "PRIMARY", "ORDER"];
/// What CREATE, DROP and SHOW of it need a right that nobody has.
const RIGHTS: [&str; 7] = [
    "USER", "ROLE", "QUOTA", "ROW", "SETTINGS", "PROFILE", "POLICY",
];

impl Parser<'_> {
    /// What follows CREATE.
    pub(super) fn create(&mut self) -> Result<Statement> {
        self.refuse_rights("CREATE")?;
        let replace = self.words(&["OR", "REPLACE"]);
        if self.word("DATABASE") {
            let if_not_exists = self.words(&["IF", "NOT", "EXISTS"]);
            let name = self.identifier()?;
            self.pass_over();
            return Ok(Statement::Define(Definition::CreateDatabase {
                name,
                if_not_exists,
            }));
        }
        if self.word("TABLE") {
            let if_not_exists = self.words(&["IF", "NOT", "EXISTS"]);
            let name = self.table_name()?;
            let columns = self.column_names()?;
            self.pass_over();
            return Ok(Statement::Define(Definition::CreateTable {
                name,
                columns,
                if_not_exists: if_not_exists && !replace,
            }));
        }
        if self.words(&["MATERIALIZED", "VIEW"]) {
            let if_not_exists = self.words(&["IF", "NOT", "EXISTS"]);
            self.table_name()?;
            let target = match self.word("TO") {
                true => Some(self.table_name()?),
                false => None,
            };
            self.pass_over();
            if let Some(target) = target.filter(|_| if_not_exists) {
                return Ok(Statement::Define(Definition::CreateFeed { target }));
            }
        }
        not_implemented("CREATE of anything but databases and tables")
    }

    /// What follows DROP or TRUNCATE.
    pub(super) fn drop(&mut self, verb: &'static str) -> Result<Statement> {
        self.refuse_rights(verb)?;
        if self.word("DATABASE") {
            let if_exists = self.words(&["IF", "EXISTS"]);
            let name = self.identifier()?;
            self.pass_over();
            return Ok(Statement::Define(Definition::DropDatabase {
                name,
                if_exists,
            }));
        }
        if !self.word("TABLE") && !self.word("VIEW") && verb == "DROP" {
            return not_implemented("DROP of anything but databases, tables and views");
        }
        let if_exists = self.words(&["IF", "EXISTS"]);
        let name = self.table_name()?;
        self.pass_over();
        Ok(Statement::Define(Definition::DropTable { name, if_exists }))
    }

    /// `SYSTEM FLUSH LOGS`: the query log is always up to date.
    pub(super) fn system(&mut self) -> Result<Statement> {
        if self.words(&["FLUSH", "LOGS"]) {
            self.pass_over();
            return Ok(Statement::Define(Definition::Nothing));
        }
        not_implemented("SYSTEM of anything but FLUSH LOGS")
    }

    fn refuse_rights(&mut self, verb: &str) -> Result<()> {
        if !self.is_any_word(&RIGHTS) {
            return Ok(());
        }
        let TokenKind::Word(what) = self.kind() else {
            return Ok(());
        };
        let what = what.to_ascii_uppercase();
        Err(QueryError::new(
            ErrorCode::AccessDenied,
            format!(
                "Not enough privileges. To execute this query, it's necessary to have the grant {verb} {what} ON *.*"
            ),
        ))
    }

    /// Names of the columns between brackets, if there are any.
    fn column_names(&mut self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        if self.words(&["ON", "CLUSTER"]) {
            return not_implemented("ON CLUSTER");
        }
        if !self.symbol("(") {
            return Ok(names);
        }
        loop {
            if !self.is_any_word(&NO_COLUMNS) {
                let mut name = self.identifier()?;
                while self.symbol(".") {
                    name.push('.');
                    name.push_str(&self.identifier()?);
                }
                names.push(name);
            }
            if self.end_of_item()? {
                return Ok(names);
            }
        }
    }

    /// Passes over the rest of an item of a list; true at the list's end.
    fn end_of_item(&mut self) -> Result<bool> {
        let mut depth = 0u32;
        loop {
            match self.kind() {
                TokenKind::End => return self.fail("Expected a closing bracket"),
                TokenKind::Symbol("(" | "[" | "{") => depth += 1,
                TokenKind::Symbol(")") if depth == 0 => {
                    self.advance();
                    return Ok(true);
                }
                TokenKind::Symbol(")" | "]" | "}") => depth = depth.saturating_sub(1),
                TokenKind::Symbol(",") if depth == 0 => {
                    self.advance();
                    return Ok(false);
                }
                TokenKind::Word(_)
                | TokenKind::Quoted(_)
                | TokenKind::Number(_)
                | TokenKind::String(_)
                | TokenKind::Symbol(_) => {}
            }
            self.advance();
        }
    }

    /// Everything up to the end of the statement.
    fn pass_over(&mut self) {
        while *self.kind() != TokenKind::End && !self.is_symbol(";") {
            self.advance();
        }
    }
}

fn not_implemented<T>(what: &str) -> Result<T> {
    Err(QueryError::new(
        ErrorCode::NotImplemented,
        format!("{what} is not implemented"),
    ))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn defined(text: &str) -> Definition {
        match parse(text, &[]).map(|parsed| parsed.statement) {
            Ok(Statement::Define(definition)) => definition,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn columns_are_named_and_everything_else_is_passed_over() {
        let text = "CREATE TABLE IF NOT EXISTS `default`.`otel_logs` (
            `Timestamp` DateTime64(9) CODEC(Delta(8), ZSTD(1)),
            LogAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
            Events Nested (Timestamp DateTime64(9), Name LowCardinality(String)) CODEC(ZSTD(1)),
            `Links.TraceId` Array(String),
            INDEX idx_body Body TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 8
            ) ENGINE = MergeTree() PARTITION BY toDate(Timestamp) ORDER BY (ServiceName, Timestamp)
            TTL toDateTime(Timestamp) + toIntervalDay(3) SETTINGS index_granularity=8192;";
        let Definition::CreateTable {
            name,
            columns,
            if_not_exists,
        } = defined(text)
        else {
            panic!("is a table");
        };
        assert_eq!((name.table.as_str(), if_not_exists), ("otel_logs", true));
        assert_eq!(
            columns,
            ["Timestamp", "LogAttributes", "Events", "Links.TraceId"]
        );
    }

    #[test]
    fn refusals_say_what_is_missing() {
        for (text, code) in [
            ("CREATE USER x", ErrorCode::AccessDenied),
            ("DROP ROLE x", ErrorCode::AccessDenied),
            ("CREATE VIEW v AS SELECT 1", ErrorCode::NotImplemented),
            (
                "CREATE MATERIALIZED VIEW v AS SELECT 1",
                ErrorCode::NotImplemented,
            ),
            ("SYSTEM SHUTDOWN", ErrorCode::NotImplemented),
            ("CREATE TABLE t (a UInt8", ErrorCode::SyntaxError),
        ] {
            let error = parse(text, &[]).expect_err(text);
            assert_eq!(error.code, code, "{text}: {}", error.message);
        }
    }
}
