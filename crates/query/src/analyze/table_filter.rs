//! `additional_table_filters`: conditions by table name that a client sends beside its query. They hold for every scan
//! of the table, wherever it stands.

use super::scope::{Scope, Source};
use super::tree::{Node, Typed};
use super::{Analyzer, Result};
use crate::error::{ErrorCode, QueryError};
use crate::syntax::{TableName, parse_expression};
use crate::types::{Type, Value};

const SETTING: &str = "additional_table_filters";

impl Analyzer<'_> {
    /// The rows of `node` that the filters for its table let through. A filter names the table as the query does.
    pub(super) fn with_table_filters(
        &mut self,
        mut node: Node,
        source: &Source,
        name: &TableName,
    ) -> Result<Node> {
        let given = self.setting(SETTING).map(str::to_owned);
        let Some(text) = given.filter(|text| !text.trim().is_empty()) else {
            return Ok(node);
        };
        let database = name.database.as_deref().unwrap_or(&self.context.database);
        let full = format!("{database}.{}", name.table);
        let text_type = || Box::new(Type::String);
        let filters = self.literal(&text, &Type::Map(text_type(), text_type()));
        let filters = filters.map_err(|error| bad(&error.message))?;
        let Some(Value::Map(filters)) = filters.value().cloned() else {
            return Err(bad("it is not a map"));
        };
        for (table, condition) in filters {
            let table = table.as_text().unwrap_or_default();
            if table != full && (table != name.table || database != self.context.database) {
                continue;
            }
            let condition = parse_expression(condition.as_text().unwrap_or_default())?;
            let mut scope = Scope {
                sources: vec![source.clone()],
                ..Scope::default()
            };
            let condition: Typed = self.condition(&mut scope, &condition, SETTING)?;
            node = Node::Filter {
                input: Box::new(node),
                condition,
            };
        }
        Ok(node)
    }
}

fn bad(what: &str) -> QueryError {
    QueryError::new(
        ErrorCode::BadArguments,
        format!("The setting {SETTING} must be a map of table names to conditions: {what}"),
    )
}
