//! Patterns: LIKE and RE2-style regular expressions compiled to Rust's engine, within bounds.

use regex::{Regex, RegexBuilder};

use crate::error::{ErrorCode, QueryError, Result};
use crate::limits::{MAX_REGEX_BYTES, MAX_REGEX_COMPILED_BYTES};

/// A regular expression as ClickHouse reads it: `.` matches newlines, `\w \d \s \b` are ASCII.
pub(crate) fn regex(pattern: &str) -> Result<Regex> {
    if pattern.len() > MAX_REGEX_BYTES {
        return Err(QueryError::new(
            ErrorCode::CannotCompileRegexp,
            format!("the regular expression is longer than {MAX_REGEX_BYTES} bytes"),
        ));
    }
    compile(&ascii_classes(pattern), pattern)
}

fn compile(translated: &str, shown: &str) -> Result<Regex> {
    RegexBuilder::new(translated)
        .dot_matches_new_line(true)
        .size_limit(MAX_REGEX_COMPILED_BYTES)
        .dfa_size_limit(MAX_REGEX_COMPILED_BYTES)
        .build()
        .map_err(|error| {
            let shown: String = shown.chars().take(200).collect();
            let last = error.to_string();
            let why = last
                .lines()
                .last()
                .unwrap_or("")
                .trim_start_matches("error: ")
                .to_owned();
            QueryError::new(
                ErrorCode::CannotCompileRegexp,
                format!("OptimizedRegularExpression: cannot compile re2: {shown}, error: {why}"),
            )
        })
}

/// Writes the classes that are Unicode in Rust and ASCII in RE2 out.
fn ascii_classes(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        if c != '\\' {
            in_class = match c {
                '[' => true,
                ']' => false,
                _ => in_class,
            };
            out.push(c);
            continue;
        }
        let Some(escaped) = chars.next() else {
            out.push('\\');
            break;
        };
        match (escaped, in_class) {
            ('w', true) => out.push_str("0-9A-Za-z_"),
            ('w', false) => out.push_str("[0-9A-Za-z_]"),
            ('W', false) => out.push_str("[^0-9A-Za-z_]"),
            ('d', true) => out.push_str("0-9"),
            ('d', false) => out.push_str("[0-9]"),
            ('D', false) => out.push_str("[^0-9]"),
            ('s', true) => out.push_str("\\t\\n\\f\\r "),
            ('s', false) => out.push_str("[\\t\\n\\f\\r ]"),
            ('S', false) => out.push_str("[^\\t\\n\\f\\r ]"),
            ('W', true) => out.push_str("[^0-9A-Za-z_]"),
            ('D', true) => out.push_str("[^0-9]"),
            ('S', true) => out.push_str("[^\\t\\n\\f\\r ]"),
            ('b', false) => out.push_str("(?-u:\\b)"),
            ('B', false) => out.push_str("\\B"),
            // RE2 allows any punctuation to be escaped, and quotes too.
            (other, _) if !other.is_ascii_alphanumeric() => {
                if "\\.+*?()|[]{}^$#&-~/ ".contains(other) {
                    out.push('\\');
                }
                out.push(other);
            }
            (other, _) => {
                out.push('\\');
                out.push(other);
            }
        }
    }
    out
}

/// The regular expression of a LIKE pattern: `%` any text, `_` one character, `\` escapes them.
pub(crate) fn like_to_regex(pattern: &str, ignore_case: bool) -> Result<Regex> {
    let mut out = String::from(if ignore_case { "(?i)^" } else { "^" });
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '\\' => match chars.next() {
                Some(escaped @ ('%' | '_' | '\\')) => {
                    out.push_str(&regex::escape(&escaped.to_string()));
                }
                Some(other) => {
                    out.push_str("\\\\");
                    out.push_str(&regex::escape(&other.to_string()));
                }
                None => out.push_str("\\\\"),
            },
            other => out.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    out.push('$');
    compile(&out, pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, text: &str, expected: bool) {
        assert_eq!(
            regex(pattern).unwrap().is_match(text),
            expected,
            "{pattern} on {text}"
        );
    }

    #[test]
    fn expressions_behave_as_in_re2() {
        check("a.b", "a\nb", true);
        check("^\\w+$", "é", false);
        check("[\\w-]+", "a-b", true);
        check("^\\d+$", "٣", false);
        check("(?i)ERROR", "an error", true);
        check("\\'x", "'x", true);
        assert_eq!(
            regex("(a").unwrap_err().code,
            ErrorCode::CannotCompileRegexp
        );
        assert_eq!(
            regex("(?=a)").unwrap_err().code,
            ErrorCode::CannotCompileRegexp
        );
        assert!(regex("(a{1000}){1000}").is_err());
    }

    #[test]
    fn like_escapes_and_crosses_lines() {
        let like =
            |pattern: &str, text: &str| like_to_regex(pattern, false).unwrap().is_match(text);
        assert!(like("a%b", "a\nxb"));
        assert!(like("a\\%b", "a%b"));
        assert!(!like("a\\%b", "axb"));
        assert!(like("_", "é"));
        assert!(!like("a", "A"));
        assert!(like_to_regex("É%", true).unwrap().is_match("éx"));
    }
}
