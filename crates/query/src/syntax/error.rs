//! Syntax errors in the form that ClickHouse's clients know: position, line, column and the text there.

use crate::error::{ErrorCode, QueryError};

/// How much of the text after the position is shown.
const NEAR_CHARS: usize = 80;

/// A syntax error at byte `at` of `text`.
pub(super) fn syntax_error(text: &str, at: usize, what: &str) -> QueryError {
    let before = text.get(..at).unwrap_or(text);
    let rest = text.get(at..).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |last| last.chars().count())
        + 1;
    let near: String = rest.chars().take(NEAR_CHARS).collect();
    let place = if rest.trim_matches([';', ' ', '\n']).is_empty() {
        "end of query".to_owned()
    } else {
        let token: String = near
            .chars()
            .take_while(|c| !c.is_whitespace())
            .take(NEAR_CHARS / 2)
            .collect();
        token
    };
    QueryError::new(
        ErrorCode::SyntaxError,
        format!(
            "Syntax error: failed at position {} ({place}) (line {line}, col {column}): {near}. {what}",
            before.chars().count() + 1,
        ),
    )
}
