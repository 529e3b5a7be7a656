//! Passwords as they are kept: an Argon2 hash, or the SHA-256 that ClickHouse's own configuration has.

use std::fmt;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Argon2, Params};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::limits::{MAX_HASH_LANES, MAX_HASH_MEMORY_KIB, MAX_HASH_PASSES};

/// A password that can be checked but not read.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPassword(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Argon2(Box<PasswordHash>),
    Sha256([u8; 32]),
}

/// Why a stored password cannot be used, or a new one not be hashed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Not a hash.
    #[error("not an Argon2 hash; make one with `cairn hash-password`")]
    NotAHash,
    /// A hash that costs too much to check.
    #[error(
        "asks for more than {MAX_HASH_MEMORY_KIB} KiB, {MAX_HASH_PASSES} passes or {MAX_HASH_LANES} lanes; make a \
         cheaper one with `cairn hash-password`"
    )]
    TooDear,
    /// Not a SHA-256.
    #[error("not a SHA-256 as 64 hex digits")]
    NotSha256,
    /// The hash of nothing.
    #[error("the hash of the empty password, which never lets anybody in")]
    Empty,
    /// The hash function failed.
    #[error("cannot hash: {0}")]
    Hash(String),
}

impl StoredPassword {
    /// Reads `$argon2id$v=19$m=19456,t=2,p=1$…$…`.
    ///
    /// # Errors
    /// When it is none, or costs too much to check.
    pub fn argon2(text: &str) -> Result<Self, PasswordError> {
        let hash = PasswordHash::new(text).map_err(|_| PasswordError::NotAHash)?;
        let known = ["argon2id", "argon2i", "argon2d"].contains(&hash.algorithm.as_str());
        if !known || hash.salt.is_none() || hash.hash.is_none() {
            return Err(PasswordError::NotAHash);
        }
        let params = Params::try_from(&hash).map_err(|_| PasswordError::NotAHash)?;
        let dear = params.m_cost() > MAX_HASH_MEMORY_KIB
            || params.t_cost() > MAX_HASH_PASSES
            || params.p_cost() > MAX_HASH_LANES;
        if dear {
            return Err(PasswordError::TooDear);
        }
        Ok(Self(Kind::Argon2(Box::new(hash))))
    }

    /// Reads `password_sha256_hex` of ClickHouse's users.
    ///
    /// # Errors
    /// When it is none, or that of the empty password.
    pub fn sha256(text: &str) -> Result<Self, PasswordError> {
        let digest = read_sha256(text).ok_or(PasswordError::NotSha256)?;
        if digest == <[u8; 32]>::from(Sha256::digest(b"")) {
            return Err(PasswordError::Empty);
        }
        Ok(Self(Kind::Sha256(digest)))
    }

    /// Whether `password` is the one. Takes as long as the hash asks for.
    pub(super) fn is(&self, password: &str) -> bool {
        match &self.0 {
            Kind::Argon2(hash) => Argon2::default()
                .verify_password(password.as_bytes(), hash.as_ref())
                .is_ok(),
            Kind::Sha256(expected) => {
                let digest = Sha256::digest(password.as_bytes());
                bool::from(digest.as_slice().ct_eq(expected.as_slice()))
            }
        }
    }

    /// Whether checking is so cheap that a wrong password has to be made as dear as others.
    pub(super) fn is_cheap(&self) -> bool {
        matches!(self.0, Kind::Sha256(_))
    }
}

/// The digest of 64 hex digits.
pub(super) fn read_sha256(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != digest.len() || !rest.is_empty() {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(pairs) {
        let pair = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(digest)
}

/// The Argon2id hash of a new password, as the configuration wants it.
///
/// # Errors
/// For the empty password, or when the system has no random numbers.
pub fn hash_password(password: &str) -> Result<String, PasswordError> {
    if password.is_empty() {
        return Err(PasswordError::Empty);
    }
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash: PasswordHash| hash.to_string())
        .map_err(|error| PasswordError::Hash(error.to_string()))
}

// Not even a hash is printed.
impl fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredPassword")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_lets_its_password_in_and_no_other() {
        let text = hash_password("s3cret").unwrap();
        assert!(text.starts_with("$argon2id$v=19$"), "{text}");
        let stored = StoredPassword::argon2(&text).unwrap();
        assert!(stored.is("s3cret"));
        assert!(!stored.is("s3cret ") && !stored.is(""));
        assert_eq!(format!("{stored:?}"), "StoredPassword");
        assert_ne!(text, hash_password("s3cret").unwrap(), "salted");
    }

    #[test]
    fn clickhouse_digests_are_understood_in_either_case() {
        let lower = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
        for text in [lower.to_owned(), lower.to_uppercase()] {
            let stored = StoredPassword::sha256(&text).unwrap();
            assert!(stored.is("secret") && !stored.is("Secret"));
        }
    }

    #[test]
    fn what_cannot_be_a_hash_is_refused_with_what_to_do() {
        let dear = "$argon2id$v=19$m=1048576,t=2,p=1$c29tZXNhbHRzb21l$\
                    YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXowMTIzNDU";
        for (outcome, error) in [
            (StoredPassword::argon2("s3cret"), PasswordError::NotAHash),
            (StoredPassword::argon2(""), PasswordError::NotAHash),
            (
                StoredPassword::argon2("$argon2id$v=19$m=19456,t=2,p=1"),
                PasswordError::NotAHash,
            ),
            (StoredPassword::argon2(dear), PasswordError::TooDear),
            (StoredPassword::sha256("abc"), PasswordError::NotSha256),
            (
                StoredPassword::sha256(&"zz".repeat(32)),
                PasswordError::NotSha256,
            ),
            (
                StoredPassword::sha256(
                    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                ),
                PasswordError::Empty,
            ),
        ] {
            assert_eq!(outcome.unwrap_err(), error);
        }
        assert_eq!(hash_password(""), Err(PasswordError::Empty));
    }
}
