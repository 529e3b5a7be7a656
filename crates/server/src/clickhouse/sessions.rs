//! Sessions of clients: settings and database that one request leaves for the next of the same name.
//! One request at a time, bounded in number and size, gone after a while without requests.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cairn_query::ErrorCode;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::exception::Exception;
use super::limits::{
    DEFAULT_SESSION_TIMEOUT, MAX_SESSION_SETTINGS, MAX_SESSION_TIMEOUT, MAX_SESSIONS,
};

/// What a request says about its session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SessionWish {
    /// `session_id`
    pub(super) id: String,
    /// `session_timeout`, as it came.
    pub(super) timeout: Option<String>,
    /// `session_check=1`: it must exist.
    pub(super) must_exist: bool,
    /// `close_session=1`: it ends with this request.
    pub(super) close: bool,
}

/// What a session remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Remembered {
    /// `SET a = 1`, in order.
    pub(super) settings: Vec<(String, String)>,
    /// `USE db`
    pub(super) database: Option<String>,
}

impl Remembered {
    fn change(&mut self, changes: &[(String, String)]) {
        for (name, value) in changes {
            if name == "database" {
                self.database = Some(value.clone());
                continue;
            }
            self.settings.retain(|(known, _)| known != name);
            if self.settings.len() < MAX_SESSION_SETTINGS {
                self.settings.push((name.clone(), value.clone()));
            }
        }
    }
}

/// User and name: nobody enters another one's session.
type Key = (String, String);

#[derive(Debug)]
enum Slot {
    /// A request holds it.
    Taken,
    /// It waits for its next request.
    Free {
        remembered: Remembered,
        until: Instant,
    },
}

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    slots: Mutex<HashMap<Key, Slot>>,
}

impl Sessions {
    /// The session for one request; it is given back when the lease is dropped.
    ///
    /// # Errors
    /// When it is in use, must exist and does not, or its timeout is no timeout.
    pub(super) fn enter(
        self: &Arc<Self>,
        user: &str,
        wish: &SessionWish,
        now: Instant,
    ) -> Result<Lease, Exception> {
        let timeout = timeout(wish.timeout.as_deref())?;
        let key = (user.to_owned(), wish.id.clone());
        let mut slots = self.slots.lock();
        let expired = |slot: &Slot| matches!(slot, Slot::Free { until, .. } if *until <= now);
        if slots.get(&key).is_some_and(expired) {
            slots.remove(&key);
        }
        if !slots.contains_key(&key) && slots.len() >= MAX_SESSIONS {
            slots.retain(|_, slot| !expired(slot));
            if slots.len() >= MAX_SESSIONS {
                return Err(Exception::new(
                    ErrorCode::TooManySimultaneousQueries,
                    format!("Too many sessions: {MAX_SESSIONS} are open; close some or wait"),
                ));
            }
        }
        let remembered = match slots.get_mut(&key) {
            Some(Slot::Taken) => {
                return Err(Exception::unauthenticated(
                    ErrorCode::SessionIsLocked,
                    format!("Session {} is locked by a concurrent client", wish.id),
                ));
            }
            Some(Slot::Free { remembered, .. }) => std::mem::take(remembered),
            None if wish.must_exist => {
                return Err(Exception::unauthenticated(
                    ErrorCode::SessionNotFound,
                    format!("Session {} not found", wish.id),
                ));
            }
            None => Remembered::default(),
        };
        slots.insert(key.clone(), Slot::Taken);
        Ok(Lease {
            sessions: Arc::clone(self),
            key,
            remembered,
            timeout,
            close: wish.close,
        })
    }
}

fn timeout(text: Option<&str>) -> Result<Duration, Exception> {
    let Some(text) = text else {
        return Ok(DEFAULT_SESSION_TIMEOUT);
    };
    let invalid =
        |message: String| Exception::unauthenticated(ErrorCode::InvalidSessionTimeout, message);
    let seconds: u64 = text
        .parse()
        .map_err(|_| invalid(format!("Invalid session timeout: '{text}'")))?;
    let timeout = Duration::from_secs(seconds);
    if timeout > MAX_SESSION_TIMEOUT {
        return Err(invalid(format!(
            "Session timeout '{seconds}' is larger than max_session_timeout: {}",
            MAX_SESSION_TIMEOUT.as_secs()
        )));
    }
    Ok(timeout)
}

/// The right to use a session for one request.
#[derive(Debug)]
pub(super) struct Lease {
    sessions: Arc<Sessions>,
    key: Key,
    remembered: Remembered,
    timeout: Duration,
    close: bool,
}

impl Lease {
    pub(super) fn remembered(&self) -> &Remembered {
        &self.remembered
    }

    /// Remembers what SET and USE said.
    pub(super) fn change(&mut self, changes: &[(String, String)]) {
        self.remembered.change(changes);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut slots = self.sessions.slots.lock();
        if self.close {
            slots.remove(&self.key);
            return;
        }
        let free = Slot::Free {
            remembered: std::mem::take(&mut self.remembered),
            until: Instant::now() + self.timeout,
        };
        slots.insert(self.key.clone(), free);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(id: &str) -> SessionWish {
        SessionWish {
            id: id.to_owned(),
            ..SessionWish::default()
        }
    }

    fn pairs(name: &str, value: &str) -> [(String, String); 1] {
        [(name.to_owned(), value.to_owned())]
    }

    fn enter(sessions: &Arc<Sessions>, user: &str, wish: &SessionWish) -> Result<Lease, Exception> {
        sessions.enter(user, wish, Instant::now())
    }

    /// Enters when so much time has gone by.
    fn later(
        sessions: &Arc<Sessions>,
        wish: &SessionWish,
        seconds: u64,
    ) -> Result<Lease, Exception> {
        sessions.enter("u", wish, Instant::now() + Duration::from_secs(seconds))
    }

    fn code(outcome: Result<Lease, Exception>) -> u16 {
        outcome.map_or_else(|exception| exception.error.number, |_| 0)
    }

    #[tokio::test]
    async fn what_one_request_sets_the_next_one_has() {
        let sessions = Arc::<Sessions>::default();
        let mut lease = enter(&sessions, "u", &wish("s")).unwrap();
        lease.change(&pairs("max_threads", "3"));
        lease.change(&pairs("database", "system"));
        lease.change(&pairs("max_threads", "4"));
        drop(lease);
        let lease = enter(&sessions, "u", &wish("s")).unwrap();
        assert_eq!(lease.remembered().settings, pairs("max_threads", "4"));
        assert_eq!(lease.remembered().database.as_deref(), Some("system"));
        let other = enter(&sessions, "other", &wish("s")).unwrap();
        assert_eq!(*other.remembered(), Remembered::default());
    }

    #[tokio::test]
    async fn one_request_at_a_time_and_only_known_ones_when_asked() {
        let sessions = Arc::<Sessions>::default();
        let checked = SessionWish {
            must_exist: true,
            ..wish("s")
        };
        assert_eq!(code(enter(&sessions, "u", &checked)), 372);
        let lease = enter(&sessions, "u", &wish("s")).unwrap();
        assert_eq!(code(enter(&sessions, "u", &wish("s"))), 373);
        drop(lease);
        assert_eq!(code(enter(&sessions, "u", &checked)), 0);
        let closing = SessionWish {
            close: true,
            ..wish("s")
        };
        drop(enter(&sessions, "u", &closing).unwrap());
        assert_eq!(code(enter(&sessions, "u", &checked)), 372);
    }

    #[tokio::test]
    async fn sessions_end_after_their_timeout() {
        let sessions = Arc::<Sessions>::default();
        let short = SessionWish {
            timeout: Some("5".to_owned()),
            ..wish("s")
        };
        let checked = SessionWish {
            must_exist: true,
            ..short.clone()
        };
        drop(enter(&sessions, "u", &short).unwrap());
        drop(later(&sessions, &checked, 4).unwrap());
        assert_eq!(code(later(&sessions, &checked, 5)), 372);
        for bad in ["3601", "abc", "-1", ""] {
            let wish = SessionWish {
                timeout: Some(bad.to_owned()),
                ..wish("s")
            };
            assert_eq!(code(enter(&sessions, "u", &wish)), 374, "{bad}");
        }
    }

    #[tokio::test]
    async fn their_number_is_bounded_and_old_ones_make_room() {
        let sessions = Arc::<Sessions>::default();
        for number in 0..MAX_SESSIONS {
            drop(enter(&sessions, "u", &wish(&number.to_string())).unwrap());
        }
        assert_eq!(code(enter(&sessions, "u", &wish("one more"))), 202);
        assert_eq!(code(later(&sessions, &wish("one more"), 61)), 0);
    }
}
