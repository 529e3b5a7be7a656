//! Structured bodies: finds the fields of a body and merges them into the attributes.

use crate::attributes::{AnyValue, AttributeSet, flatten_json, flatten_map};
use crate::error::Result;
use crate::notes::Notes;

/// Merges the fields of a JSON object inside a text body, or of a map body. The body itself stays
/// as it is.
#[inline]
pub(super) fn merge_fields(
    set: &mut AttributeSet<'_>,
    body: AnyValue<'_>,
    notes: &mut Notes,
) -> Result<()> {
    match body {
        AnyValue::Text(text) => {
            if let Some(json) = json_span(text) {
                flatten_json(set, json, notes);
            }
        }
        AnyValue::Map(map) => flatten_map(set, map, notes)?,
        AnyValue::Empty
        | AnyValue::Bool(_)
        | AnyValue::Int(_)
        | AnyValue::Double(_)
        | AnyValue::List(_)
        | AnyValue::Bytes(_) => {}
    }
    Ok(())
}

/// From the first `{` to the last `}`, if an object may start there: most bodies have no brace at
/// all, and most braces in plain text are not followed by a quote.
#[inline]
fn json_span(text: &[u8]) -> Option<&[u8]> {
    let start = memchr::memchr(b'{', text)?;
    let tail = text.get(start..)?;
    let next = tail.iter().skip(1).find(|byte| !byte.is_ascii_whitespace());
    if !matches!(next, Some(b'"')) {
        return None;
    }
    let end = memchr::memrchr(b'}', tail)?;
    tail.get(..=end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_span_runs_from_the_first_to_the_last_brace() {
        let span = |text: &'static str| {
            json_span(text.as_bytes()).map(|json| std::str::from_utf8(json).unwrap())
        };
        assert_eq!(span(r#"got {"a":1} ok"#), Some(r#"{"a":1}"#));
        assert_eq!(span(r#"{ "a":{}} and {b} "#), Some(r#"{ "a":{}} and {b}"#));
        assert_eq!(span("plain text"), None);
        assert_eq!(span("{"), None);
        assert_eq!(span("{\"a\""), None);
        assert_eq!(span("} {"), None);
        assert_eq!(span("user {id} logged in"), None);
        assert_eq!(span("{}"), None);
    }
}
