//! LIKE and ILIKE. Patterns of literals and `%` become substring searches; `_` and ILIKE become regular expressions.

use memchr::memmem::Finder;

use super::{Form, regex};
use crate::error::{Error, Result};

/// One element of a pattern.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// `_`
    One,
    /// `%`
    Many,
}

/// `first%middle%…%last`, each possibly empty.
#[derive(Debug, Clone)]
pub(super) struct Pieces {
    first: Box<[u8]>,
    middle: Vec<Finder<'static>>,
    last: Box<[u8]>,
}

impl Pieces {
    pub(super) fn prefix(&self) -> &[u8] {
        &self.first
    }

    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        let Some(rest) = text.strip_prefix(&*self.first) else {
            return false;
        };
        let Some(mut rest) = rest.strip_suffix(&*self.last) else {
            return false;
        };
        // The leftmost place of each piece leaves the most room for the ones after it.
        for finder in &self.middle {
            let Some(at) = finder.find(rest) else {
                return false;
            };
            let end = at.saturating_add(finder.needle().len());
            rest = rest.get(end..).unwrap_or_default();
        }
        true
    }
}

pub(super) fn compile(pattern: &str) -> Result<Form> {
    let parts = parse(pattern)?;
    if parts.contains(&Part::One) {
        return Ok(Form::Regex(regex::build(&to_regex(&parts, false))?));
    }
    let mut pieces = pieces_of(parts);
    let Some(last) = pieces.pop() else {
        return Ok(Form::Equal(Box::default()));
    };
    let Some(first) = (!pieces.is_empty()).then(|| pieces.remove(0)) else {
        return Ok(Form::Equal(last.into_bytes().into()));
    };
    let middle: Vec<_> = pieces
        .into_iter()
        .filter(|piece| !piece.is_empty())
        .collect();
    Ok(
        match (first.is_empty(), middle.as_slice(), last.is_empty()) {
            (true, [], true) => Form::Everything,
            (false, [], true) => Form::Prefix(first.into_bytes().into()),
            (true, [], false) => Form::Suffix(last.into_bytes().into()),
            (true, [only], true) => Form::Contains(Box::new(Finder::new(only).into_owned())),
            _ => Form::Pieces(Box::new(Pieces {
                first: first.into_bytes().into(),
                middle: middle
                    .iter()
                    .map(|piece| Finder::new(piece).into_owned())
                    .collect(),
                last: last.into_bytes().into(),
            })),
        },
    )
}

pub(super) fn compile_ignoring_case(pattern: &str) -> Result<Form> {
    let parts = parse(pattern)?;
    if !parts.is_empty() && parts.iter().all(|part| *part == Part::Many) {
        return Ok(Form::Everything);
    }
    Ok(Form::Regex(regex::build(&to_regex(&parts, true))?))
}

fn parse(pattern: &str) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        let literal = match c {
            '%' => {
                parts.push(Part::Many);
                continue;
            }
            '_' => {
                parts.push(Part::One);
                continue;
            }
            '\\' => match chars.next() {
                Some(escaped @ ('%' | '_' | '\\')) => escaped,
                // A backslash before anything else stands for itself.
                Some(other) => {
                    push_literal(&mut parts, '\\');
                    other
                }
                None => {
                    return Err(Error::Invalid(format!(
                        "the pattern `{pattern}` ends with a lone `\\`; write `\\\\` for a backslash"
                    )));
                }
            },
            other => other,
        };
        push_literal(&mut parts, literal);
    }
    Ok(parts)
}

fn push_literal(parts: &mut Vec<Part>, c: char) {
    if let Some(Part::Literal(text)) = parts.last_mut() {
        text.push(c);
    } else {
        parts.push(Part::Literal(c.to_string()));
    }
}

/// The literals between the `%`: always one more than there are `%`.
fn pieces_of(parts: Vec<Part>) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for part in parts {
        match part {
            Part::Literal(text) => {
                if let Some(piece) = pieces.last_mut() {
                    piece.push_str(&text);
                }
            }
            Part::Many => pieces.push(String::new()),
            Part::One => {}
        }
    }
    pieces
}

fn to_regex(parts: &[Part], ignore_case: bool) -> String {
    let mut text = String::from(if ignore_case { "(?is)" } else { "(?s)" });
    // An unanchored search is much faster than one that has to match `.*` first.
    if parts.first() != Some(&Part::Many) {
        text.push_str("\\A");
    }
    let mut inner = parts;
    while let [Part::Many, rest @ ..] = inner {
        inner = rest;
    }
    let open_end = matches!(parts.last(), Some(Part::Many));
    while let [rest @ .., Part::Many] = inner {
        inner = rest;
    }
    for part in inner {
        match part {
            Part::Literal(literal) => text.push_str(&::regex::escape(literal)),
            Part::One => text.push('.'),
            Part::Many => text.push_str(".*"),
        }
    }
    if !open_end {
        text.push_str("\\z");
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::predicate::TextMatch;
    use crate::text_match::TextMatcher;

    fn like(pattern: &str, text: &str) -> bool {
        TextMatcher::compile(&TextMatch::Like(pattern.to_owned()))
            .unwrap()
            .is_match(text.as_bytes())
    }

    fn ilike(pattern: &str, text: &str) -> bool {
        TextMatcher::compile(&TextMatch::ILike(pattern.to_owned()))
            .unwrap()
            .is_match(text.as_bytes())
    }

    #[test]
    fn like_knows_its_wildcards_and_escapes() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("%", "", true),
            ("%%", "x", true),
            ("abc", "abc", true),
            ("ab", "abc", false),
            ("ab%", "abc", true),
            ("%bc", "abc", true),
            ("%b%", "abc", true),
            ("%b%", "ac", false),
            ("a%c", "ac", true),
            ("a%a", "a", false),
            ("a%b%c", "a-b-c", true),
            ("a%b%c", "a-c-b", false),
            ("%a%a%", "xa", false),
            ("%ab%b", "ab", false),
            ("a_c", "abc", true),
            ("a_c", "aéc", true),
            ("a_c", "ac", false),
            ("%_", "", false),
            ("a_c%", "a\nc\n", true),
            ("%x%y%", "x\ny", true),
            (r"100\%", "100%", true),
            (r"100\%", "100x", false),
            (r"a\_b", "a_b", true),
            (r"a\_b", "axb", false),
            (r"a\\b", r"a\b", true),
            (r"a\nb", r"a\nb", true),
        ] {
            assert_eq!(like(pattern, text), expected, "{text:?} LIKE {pattern:?}");
        }
    }

    #[test]
    fn ilike_folds_unicode() {
        for (pattern, text, expected) in [
            ("%ERROR%", "an error", true),
            ("straße", "STRAßE", true),
            ("%ÉCLAIR", "un éclair", true),
            ("a.c", "abc", false),
            ("%", "", true),
            ("", "", true),
            ("a%", "bA", false),
        ] {
            assert_eq!(ilike(pattern, text), expected, "{text:?} ILIKE {pattern:?}");
        }
    }

    #[test]
    fn a_pattern_with_a_lone_backslash_at_its_end_is_refused() {
        assert!(TextMatcher::compile(&TextMatch::Like("a\\".to_owned())).is_err());
    }
}
