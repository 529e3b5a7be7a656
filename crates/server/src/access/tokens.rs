//! Tokens of senders of telemetry: random texts, kept as their SHA-256 and compared in constant time.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use super::limits::MIN_TOKEN_BYTES;
use super::password::read_sha256;

/// A token that can be compared but not read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StoredToken([u8; 32]);

impl StoredToken {
    /// Reads a token as it stands, or `sha256:` and its digest in hex.
    ///
    /// # Errors
    /// What is wrong with it, for the person who wrote it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(digest) = text.strip_prefix("sha256:") {
            let digest = read_sha256(digest).ok_or("not `sha256:` and 64 hex digits")?;
            return Ok(Self(digest));
        }
        if text.len() < MIN_TOKEN_BYTES {
            return Err(format!(
                "a token has at least {MIN_TOKEN_BYTES} characters; make one with `openssl rand -hex 32`"
            ));
        }
        Ok(Self(Sha256::digest(text.as_bytes()).into()))
    }
}

impl fmt::Debug for StoredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredToken")
    }
}

/// The tokens that senders may show; none means that nobody is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IngestTokens(Vec<StoredToken>);

impl IngestTokens {
    /// These tokens and no others.
    #[must_use]
    pub fn new(tokens: Vec<StoredToken>) -> Self {
        Self(tokens)
    }

    /// Whether the value of an `authorization` header lets its sender in: the token itself, `Bearer` and the token, or
    /// `Basic` with the token as password.
    pub(crate) fn admit(&self, authorization: Option<&[u8]>) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let Some(value) = authorization.map(<[u8]>::trim_ascii) else {
            return false;
        };
        match scheme(value) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"bearer") => self.has(rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"basic") => STANDARD
                .decode(rest)
                .is_ok_and(|pair| self.has(password_of(&pair))),
            _ => self.has(value),
        }
    }

    /// Looks at every token whatever the outcome, so that time tells nothing.
    fn has(&self, token: &[u8]) -> bool {
        let digest = Sha256::digest(token);
        let compare = |found: Choice, known: &StoredToken| {
            found | digest.as_slice().ct_eq(known.0.as_slice())
        };
        bool::from(self.0.iter().fold(Choice::from(0), compare))
    }
}

fn scheme(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, rest) = value.split_at_checked(at)?;
    Some((scheme, rest.trim_ascii()))
}

fn password_of(pair: &[u8]) -> &[u8] {
    let after = pair.iter().position(|byte| *byte == b':');
    after.map_or(pair, |at| pair.get(at + 1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> IngestTokens {
        let plain = StoredToken::parse("0123456789abcdef").unwrap();
        let digest = "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
        IngestTokens::new(vec![plain, StoredToken::parse(digest).unwrap()])
    }

    #[test]
    fn a_token_may_come_alone_as_bearer_or_as_password() {
        let tokens = tokens();
        let basic = format!("Basic {}", STANDARD.encode("collector:0123456789abcdef"));
        let alone = format!("basic {}", STANDARD.encode("0123456789abcdef"));
        for (value, admitted) in [
            ("0123456789abcdef", true),
            ("Bearer 0123456789abcdef", true),
            ("bearer  0123456789abcdef ", true),
            (basic.as_str(), true),
            (alone.as_str(), true),
            ("Bearer secret", true),
            ("secret", true),
            ("Bearer 0123456789abcdeF", false),
            ("Bearer", false),
            ("Bearer ", false),
            ("Basic !!", false),
            ("Digest 0123456789abcdef", false),
            ("", false),
        ] {
            assert_eq!(tokens.admit(Some(value.as_bytes())), admitted, "{value}");
        }
        assert!(!tokens.admit(None));
        assert!(IngestTokens::default().admit(None));
    }

    #[test]
    fn short_tokens_are_refused() {
        assert!(StoredToken::parse("short").is_err());
        assert!(StoredToken::parse("").is_err());
        assert!(StoredToken::parse("sha256:12").is_err());
        assert_eq!(
            format!("{:?}", tokens()),
            "IngestTokens([StoredToken, StoredToken])"
        );
    }
}
