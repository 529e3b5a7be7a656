//! Conditions on text, compiled once and applied to bytes: LIKE, ILIKE, regular expressions, tokens, prefixes.
//!
//! The one implementation of ClickHouse's text semantics: scans and SQL functions must never disagree.

mod like;
mod regex;
mod token;

pub use regex::{compile_regex, translate_regex};
pub use token::has_token;

use ::regex::bytes::Regex;
use memchr::memmem::Finder;

use crate::error::Result;
use crate::predicate::TextMatch;

/// A compiled [`TextMatch`].
#[derive(Debug, Clone)]
pub struct TextMatcher(Form);

#[derive(Debug, Clone)]
enum Form {
    Everything,
    Nothing,
    Equal(Box<[u8]>),
    Prefix(Box<[u8]>),
    Suffix(Box<[u8]>),
    Contains(Box<Finder<'static>>),
    /// Literals that follow each other with anything between: `a%b%c`.
    Pieces(Box<like::Pieces>),
    Regex(Regex),
    Token(Box<Finder<'static>>),
}

impl TextMatcher {
    /// Compiles a condition.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] when a pattern is not well formed or too large.
    pub fn compile(pattern: &TextMatch) -> Result<Self> {
        Ok(Self(match pattern {
            TextMatch::Like(text) => like::compile(text)?,
            TextMatch::ILike(text) => like::compile_ignoring_case(text)?,
            TextMatch::Regex(text) => Form::Regex(compile_regex(text)?),
            TextMatch::Token(text) => token::compile(text)?,
            TextMatch::Prefix(text) => Form::Prefix(text.as_bytes().into()),
        }))
    }

    /// Whether `text` meets the condition.
    #[must_use]
    pub fn is_match(&self, text: &[u8]) -> bool {
        match &self.0 {
            Form::Everything => true,
            Form::Nothing => false,
            Form::Equal(literal) => text == &**literal,
            Form::Prefix(literal) => text.starts_with(literal),
            Form::Suffix(literal) => text.ends_with(literal),
            Form::Contains(finder) => finder.find(text).is_some(),
            Form::Pieces(pieces) => pieces.is_match(text),
            Form::Regex(regex) => regex.is_match(text),
            Form::Token(finder) => token::found(finder, text),
        }
    }

    /// The text that every match begins with; empty when nothing is known.
    pub(crate) fn prefix(&self) -> &[u8] {
        match &self.0 {
            Form::Equal(literal) | Form::Prefix(literal) => literal,
            Form::Pieces(pieces) => pieces.prefix(),
            Form::Everything
            | Form::Nothing
            | Form::Suffix(_)
            | Form::Contains(_)
            | Form::Regex(_)
            | Form::Token(_) => &[],
        }
    }

    /// The literal of `LIKE '%literal%'`, which can be searched in many values at once.
    pub(crate) fn contained(&self) -> Option<&Finder<'static>> {
        match &self.0 {
            Form::Contains(finder) => Some(finder),
            Form::Everything
            | Form::Nothing
            | Form::Equal(_)
            | Form::Prefix(_)
            | Form::Suffix(_)
            | Form::Pieces(_)
            | Form::Regex(_)
            | Form::Token(_) => None,
        }
    }
}
