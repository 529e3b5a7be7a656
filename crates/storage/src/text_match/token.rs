//! `hasToken`: a token is a maximal run of ASCII letters, digits and bytes ≥ 0x80.

use memchr::memmem::Finder;

use super::Form;
use crate::error::{Error, Result};

pub(super) fn compile(token: &str) -> Result<Form> {
    if token.is_empty() {
        return Ok(Form::Nothing);
    }
    if !token.bytes().all(is_token_byte) {
        return Err(Error::Invalid(format!(
            "`{token}` is not one token: it contains a separator; search for each token on its own"
        )));
    }
    Ok(Form::Token(Box::new(Finder::new(token).into_owned())))
}

/// Whether `text` contains `token` as a whole token. `token` must not contain a separator.
#[must_use]
pub fn has_token(text: &[u8], token: &[u8]) -> bool {
    !token.is_empty() && found(&Finder::new(token), text)
}

pub(super) fn found(finder: &Finder<'_>, text: &[u8]) -> bool {
    let len = finder.needle().len();
    finder.find_iter(text).any(|at| {
        let before = at.checked_sub(1).and_then(|i| text.get(i));
        let after = text.get(at.saturating_add(len));
        !before.is_some_and(|b| is_token_byte(*b)) && !after.is_some_and(|b| is_token_byte(*b))
    })
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_end_at_every_separator() {
        for (text, token, expected) in [
            ("an error here", "error", true),
            ("errors", "error", false),
            ("error", "error", true),
            ("errorerror error", "error", true),
            ("a_error_b", "error", true),
            ("Error", "error", false),
            ("éerror", "error", false),
            ("", "error", false),
        ] {
            assert_eq!(
                has_token(text.as_bytes(), token.as_bytes()),
                expected,
                "{text}"
            );
        }
        assert!(!has_token(b"x", b""));
    }

    #[test]
    fn a_token_with_a_separator_is_refused() {
        assert!(compile("a b").is_err());
        assert!(compile("a_b").is_err());
    }
}
