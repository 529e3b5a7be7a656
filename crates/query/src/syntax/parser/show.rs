//! SHOW: statements of their own where the catalog answers, queries over system tables otherwise.

use super::super::ast::{ShowFilter, Statement};
use super::super::lexer::TokenKind;
use super::super::print::quoted;
use super::{Parser, Result};
use crate::error::{ErrorCode, QueryError};

impl Parser<'_> {
    pub(super) fn show(&mut self) -> Result<Statement> {
        let full = self.word("FULL");
        self.word("TEMPORARY");
        if self.word("TABLES") {
            let database = if self.word("FROM") || self.word("IN") {
                Some(self.identifier()?)
            } else {
                None
            };
            return Ok(Statement::ShowTables {
                database,
                full,
                filter: self.show_filter()?,
            });
        }
        if self.word("DATABASES") {
            return Ok(Statement::ShowDatabases(self.show_filter()?));
        }
        if self.word("COLUMNS") || self.word("FIELDS") {
            if !self.word("FROM") {
                self.expect_word("IN")?;
            }
            return Ok(Statement::ShowColumns(self.table_name()?));
        }
        if let Some(query) = self.show_rows()? {
            return Ok(Statement::ShowRows(query));
        }
        let created = self.word("CREATE");
        if created && self.word("DATABASE") {
            return Ok(Statement::ShowCreateDatabase(self.identifier()?));
        }
        if created || self.is_word("TABLE") {
            if !self.word("TABLE") {
                self.word("VIEW");
            }
            return Ok(Statement::ShowCreate(self.table_name()?));
        }
        if self.is_any_word(&["USERS", "ROLES", "ACCESS", "QUOTAS", "PROFILES", "POLICIES"]) {
            return Err(QueryError::new(
                ErrorCode::AccessDenied,
                "Not enough privileges. Users, roles and grants cannot be listed".to_owned(),
            ));
        }
        self.fail(
            "Expected one of: TABLES, DATABASES, COLUMNS, CREATE, INDEX, FUNCTIONS, SETTINGS, PROCESSLIST, ENGINES, \
             CLUSTERS, DICTIONARIES, GRANTS",
        )
    }

    /// What only shows rows of a system table.
    fn show_rows(&mut self) -> Result<Option<String>> {
        let plain = [
            ("PROCESSLIST", "system.processes ORDER BY elapsed DESC"),
            ("ENGINES", "system.table_engines ORDER BY name"),
        ];
        for (word, rows) in plain {
            if self.word(word) {
                return Ok(Some(format!("SELECT * FROM {rows}")));
            }
        }
        let filtered = [
            ("FUNCTIONS", "* FROM system.functions", "name"),
            (
                "CLUSTERS",
                "DISTINCT cluster FROM system.clusters",
                "cluster",
            ),
            ("DICTIONARIES", "name FROM system.dictionaries", "name"),
        ];
        for (word, rows, column) in filtered {
            if self.word(word) {
                return self.filtered_rows(rows, column).map(Some);
            }
        }
        let changed = self.words(&["CHANGED", "SETTINGS"]);
        if changed || self.word("SETTINGS") {
            let only = if changed { "changed" } else { "1" };
            let rows =
                format!("name, type, value FROM (SELECT * FROM system.settings WHERE {only})");
            return self.filtered_rows(&rows, "name").map(Some);
        }
        if self.word("SETTING") {
            let name = quoted(&self.identifier()?);
            return Ok(Some(format!(
                "SELECT value FROM system.settings WHERE name = {name}"
            )));
        }
        if self.word("GRANTS") {
            let grant = "concat('GRANT SELECT, SHOW ON *.* TO ', currentUser()) AS GRANTS";
            return Ok(Some(format!("SELECT {grant}")));
        }
        if self.is_any_word(&["INDEX", "INDEXES", "INDICES", "KEYS"]) {
            self.advance();
            return self.show_index().map(Some);
        }
        Ok(None)
    }

    fn filtered_rows(&mut self, rows: &str, column: &str) -> Result<String> {
        if self.word("FROM") || self.word("IN") {
            self.identifier()?;
        }
        let filter = self.show_filter()?;
        let mut text = format!("SELECT {rows}");
        if let Some(pattern) = &filter.pattern {
            let not = if filter.negated { "NOT " } else { "" };
            let like = if filter.ignore_case { "ILIKE" } else { "LIKE" };
            text.push_str(&format!(" WHERE {column} {not}{like} {}", quoted(pattern)));
        }
        text.push_str(&format!(" ORDER BY {column}"));
        if let Some(limit) = filter.limit {
            text.push_str(&format!(" LIMIT {limit}"));
        }
        Ok(text)
    }

    /// The sort key, in MySQL's words: a row per part of it.
    fn show_index(&mut self) -> Result<String> {
        if !self.word("FROM") {
            self.expect_word("IN")?;
        }
        let mut name = self.table_name()?;
        if self.word("FROM") || self.word("IN") {
            name.database = Some(self.identifier()?);
        }
        let database = match &name.database {
            Some(database) => quoted(database),
            None => "currentDatabase()".to_owned(),
        };
        let table = quoted(&name.table);
        Ok(format!(
            "SELECT {table} AS `table`, 1 AS non_unique, 'PRIMARY' AS key_name, toUInt64(part) AS seq_in_index, \
             '' AS column_name, 'A' AS collation, 0 AS cardinality, toNullable('') AS sub_part, \
             toNullable('') AS packed, toNullable('') AS null, 'PRIMARY' AS index_type, '' AS comment, \
             '' AS index_comment, 'YES' AS visible, parts[part] AS expression FROM \
             (SELECT parts, arrayJoin(arrayEnumerate(parts)) AS part FROM \
             (SELECT splitByString(', ', sorting_key) AS parts FROM system.tables \
             WHERE database = {database} AND name = {table} AND sorting_key != ''))"
        ))
    }

    fn show_filter(&mut self) -> Result<ShowFilter> {
        let mut filter = ShowFilter {
            negated: self.word("NOT"),
            ..ShowFilter::default()
        };
        if self.is_any_word(&["LIKE", "ILIKE"]) {
            filter.ignore_case = self.is_word("ILIKE");
            self.advance();
            let TokenKind::String(pattern) = self.kind().clone() else {
                return self.fail("Expected a pattern");
            };
            self.advance();
            filter.pattern = Some(pattern);
        } else if filter.negated {
            return self.fail("Expected LIKE");
        }
        if self.word("LIMIT") {
            filter.limit = Some(self.unsigned()?);
        }
        Ok(filter)
    }
}
