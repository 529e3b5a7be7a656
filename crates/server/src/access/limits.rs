//! Bounds of checking credentials, each with its reason.

use std::time::Duration;

/// Passwords that are hashed at the same time: each takes up to [`MAX_HASH_MEMORY_KIB`] and a core.
pub(super) const HASHES_AT_ONCE: usize = 2;

/// Requests that wait for their password to be hashed; more are refused at once, so that guessing cannot pile up work.
pub(super) const WAITING_HASHES: usize = 64;

/// Longest wait for a turn to hash.
pub(super) const HASH_WAIT: Duration = Duration::from_secs(5);

/// How long a password that was right is not hashed again.
pub(super) const REMEMBER_RIGHT: Duration = Duration::from_secs(300);

/// How long a password that was wrong is refused without hashing it again.
pub(super) const REMEMBER_WRONG: Duration = Duration::from_secs(30);

/// Outcomes remembered; the oldest go first.
pub(super) const MAX_REMEMBERED: usize = 4_096;

/// Bytes of a user's name or password; nobody types more.
pub(super) const MAX_CREDENTIAL_BYTES: usize = 1_024;

/// Memory that one stored hash may ask for.
pub(super) const MAX_HASH_MEMORY_KIB: u32 = 64 * 1_024;

/// Passes that one stored hash may ask for.
pub(super) const MAX_HASH_PASSES: u32 = 10;

/// Lanes that one stored hash may ask for.
pub(super) const MAX_HASH_LANES: u32 = 4;

/// Characters of a token: fewer can be guessed.
pub(super) const MIN_TOKEN_BYTES: usize = 16;
