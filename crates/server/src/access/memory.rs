//! Remembers for a while which passwords were right or wrong, so that hashing does not cost every request. Keeps only
//! digests under a key that dies with the process.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};

use super::limits::{MAX_REMEMBERED, REMEMBER_RIGHT, REMEMBER_WRONG};

/// Name and password under the process's key.
pub(super) type Seal = [u8; 32];

/// Outcomes of earlier checks.
#[derive(Debug)]
pub(super) struct Memory {
    key: [u8; 32],
    outcomes: Mutex<HashMap<Seal, Outcome>>,
}

#[derive(Debug, Clone, Copy)]
struct Outcome {
    right: bool,
    until: Instant,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self {
            key: rand::random(),
            outcomes: Mutex::new(HashMap::new()),
        }
    }

    /// The seal of a name and a password. It never leaves the process, so a keyed digest is enough.
    pub(super) fn seal(&self, name: &str, password: &str) -> Seal {
        let length = u64::try_from(name.len()).unwrap_or(u64::MAX);
        let mut digest = Sha256::new();
        digest.update(self.key);
        digest.update(length.to_le_bytes());
        digest.update(name.as_bytes());
        digest.update(password.as_bytes());
        digest.finalize().into()
    }

    /// Whether it was right or wrong a short while ago.
    pub(super) fn recall(&self, seal: &Seal, now: Instant) -> Option<bool> {
        let outcomes = self.outcomes.lock();
        let outcome = outcomes.get(seal).filter(|outcome| outcome.until > now)?;
        Some(outcome.right)
    }

    pub(super) fn note(&self, seal: Seal, right: bool, now: Instant) {
        let mut outcomes = self.outcomes.lock();
        if outcomes.len() >= MAX_REMEMBERED {
            outcomes.retain(|_, outcome| outcome.until > now);
        }
        if outcomes.len() >= MAX_REMEMBERED {
            // Guesses must not push out the passwords that are right.
            outcomes.retain(|_, outcome| outcome.right);
        }
        if outcomes.len() >= MAX_REMEMBERED {
            return;
        }
        let keep: Duration = if right {
            REMEMBER_RIGHT
        } else {
            REMEMBER_WRONG
        };
        outcomes.insert(
            seal,
            Outcome {
                right,
                until: now + keep,
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_forgotten_in_time_and_wrong_ones_first() {
        let memory = Memory::new();
        let now = Instant::now();
        let right = memory.seal("a", "bc");
        assert_ne!(right, memory.seal("ab", "c"));
        assert_eq!(memory.recall(&right, now), None);
        memory.note(right, true, now);
        for guess in 0..2 * MAX_REMEMBERED {
            memory.note(memory.seal("a", &guess.to_string()), false, now);
        }
        assert_eq!(memory.recall(&right, now), Some(true));
        assert!(memory.outcomes.lock().len() <= MAX_REMEMBERED);
        assert_eq!(memory.recall(&right, now + REMEMBER_RIGHT), None);
        let last = memory.seal("a", &(2 * MAX_REMEMBERED - 1).to_string());
        assert_eq!(memory.recall(&last, now), Some(false));
        assert_eq!(memory.recall(&last, now + REMEMBER_WRONG), None);
    }
}
