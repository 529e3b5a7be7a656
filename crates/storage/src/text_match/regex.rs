//! Regular expressions with RE2's meaning: `.` matches newlines, `\w \d \s \b` are ASCII, size is bounded.

use regex::bytes::{Regex, RegexBuilder};

use crate::error::{Error, Result};

/// Bytes that a compiled expression may take.
const MAX_REGEX_BYTES: usize = 1 << 20;

/// Compiles an expression as ClickHouse's `match` understands it.
///
/// # Errors
/// [`Error::Invalid`] when it is not well formed, too large, or uses look-around or back-references.
pub fn compile_regex(pattern: &str) -> Result<Regex> {
    build(&translate_regex(pattern))
}

pub(super) fn build(pattern: &str) -> Result<Regex> {
    RegexBuilder::new(pattern)
        .size_limit(MAX_REGEX_BYTES)
        .build()
        .map_err(|error| {
            // The parser's own message draws arrows over several lines; its last line says what is wrong.
            let text = error.to_string();
            let what = text
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ");
            Error::Invalid(format!(
                "cannot compile the regular expression `{pattern}`: {what}"
            ))
        })
}

/// Rewrites an expression of RE2 to the syntax of the `regex` crate with the same meaning.
#[must_use]
pub fn translate_regex(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len().saturating_add(8));
    out.push_str("(?s)");
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match (c, in_class) {
            ('\\', _) => match chars.next() {
                Some('Q') if !in_class => push_quoted(&mut out, &mut chars),
                Some(escaped) => push_escape(&mut out, escaped, in_class),
                None => out.push('\\'),
            },
            ('[', false) => {
                in_class = true;
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                // A bracket that comes first is a member.
                if chars.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            ('[', true) if chars.peek() == Some(&':') => {
                out.push('[');
                for inner in chars.by_ref() {
                    out.push(inner);
                    if inner == ']' {
                        break;
                    }
                }
            }
            // Set operations and nested classes exist only in the other syntax.
            ('[' | '&' | '~', true) => {
                out.push('\\');
                out.push(c);
            }
            ('-', true) if chars.peek() == Some(&'-') => out.push_str("\\-"),
            (']', true) => {
                in_class = false;
                out.push(']');
            }
            _ => out.push(c),
        }
    }
    out
}

fn push_escape(out: &mut String, escaped: char, in_class: bool) {
    let replacement = match escaped {
        'd' if in_class => "0-9",
        'w' if in_class => "0-9A-Za-z_",
        's' if in_class => "\\t\\n\\x0C\\r ",
        'd' => "[0-9]",
        'w' => "[0-9A-Za-z_]",
        's' => "[\\t\\n\\x0C\\r ]",
        'D' => "[^0-9]",
        'W' => "[^0-9A-Za-z_]",
        'S' => "[^\\t\\n\\x0C\\r ]",
        'b' if !in_class => "(?-u:\\b)",
        'B' if !in_class => "(?-u:\\B)",
        other => {
            out.push('\\');
            out.push(other);
            return;
        }
    };
    out.push_str(replacement);
}

/// `\Q…\E`: everything between is literal.
fn push_quoted(out: &mut String, chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    let mut literal = String::new();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.next_if_eq(&'E').is_some() {
            break;
        }
        literal.push(c);
    }
    out.push_str(&regex::escape(&literal));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_mean_what_re2_means() {
        for (pattern, text, expected) in [
            ("a.b", "a\nb", true),
            ("(?-s)a.b", "a\nb", false),
            (r"^\w+$", "é", false),
            (r"\d", "٣", false),
            (r"[\d]x", "3x", true),
            (r"[\W]", "a", false),
            (r"[^\w]", "é", true),
            (r"\berr\b", "an err!", true),
            (r"\bß", "xß", true),
            ("(?i)ÉC", "éc", true),
            ("[[]", "[", true),
            ("[a&&b]", "&", true),
            ("[a--z]", "-", true),
            ("[]a]", "]", true),
            ("[[:digit:]]+", "12", true),
            (r"\Qa.b\E+", "a.bb", true),
            (r"\Qa.b\E", "axb", false),
            (r"\x41", "A", true),
            (r"a|b$", "xb", true),
            (r"\s", "\u{a0}", false),
        ] {
            let regex = compile_regex(pattern).unwrap();
            assert_eq!(
                regex.is_match(text.as_bytes()),
                expected,
                "{text:?} match {pattern:?}"
            );
        }
    }

    #[test]
    fn malformed_and_huge_expressions_are_refused() {
        for pattern in [
            "(",
            "a{2,1}",
            r"(a)\1",
            "(?=x)",
            "(a{1000}){1000}",
            "[",
            "\\",
        ] {
            let error = compile_regex(pattern).unwrap_err();
            assert!(matches!(error, Error::Invalid(_)), "{pattern}");
            assert!(!error.to_string().contains('\n'), "{error}");
        }
    }
}
