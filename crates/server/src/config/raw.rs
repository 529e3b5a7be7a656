//! Values as somebody wrote them, each with the place it came from; nothing is checked here.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::settings::{Key, Setting};
use crate::access::User;

/// Where a value was written. A later variant loses against an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag(&'static str),
    Environment(String),
    File { path: PathBuf, key: String },
}

/// A value as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawValue {
    pub(crate) text: String,
    pub(crate) origin: Origin,
}

/// The values of one source, or of all of them joined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RawConfig {
    values: BTreeMap<Key, RawValue>,
    /// Users, which only the file can have.
    pub(crate) users: Vec<User>,
}

impl RawConfig {
    pub(crate) fn set(&mut self, setting: &Setting, text: String, origin: Origin) {
        self.values.insert(setting.key, RawValue { text, origin });
    }

    pub(crate) fn get(&self, key: Key) -> Option<&RawValue> {
        self.values.get(&key)
    }

    /// Takes from `weaker` what is not set here.
    #[must_use]
    pub(crate) fn or(mut self, weaker: Self) -> Self {
        for (key, value) in weaker.values {
            self.values.entry(key).or_insert(value);
        }
        if self.users.is_empty() {
            self.users = weaker.users;
        }
        self
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "`--{name}`"),
            Self::Environment(name) => write!(f, "`{name}`"),
            Self::File { path, key } => write!(f, "`{key}` in `{}`", path.display()),
        }
    }
}
