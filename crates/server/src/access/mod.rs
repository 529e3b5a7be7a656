//! Who may do what: users of SQL with their passwords and limits, and tokens of senders. Knows no protocol and reads no
//! configuration.

mod limits;
mod memory;
mod password;
mod tokens;
mod users;

pub use password::{PasswordError, StoredPassword, hash_password};
pub use tokens::{IngestTokens, StoredToken};
pub(crate) use users::{Caller, Denied, Users};
pub use users::{User, UserLimits};
