//! The users of SQL: finding out who asks, and giving each his share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::{HASH_WAIT, HASHES_AT_ONCE, MAX_CREDENTIAL_BYTES, WAITING_HASHES};
use super::memory::Memory;
use super::password::{StoredPassword, hash_password};

/// The user of requests without credentials.
const DEFAULT_USER: &str = "default";

/// A configured user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// The password; none for the anonymous one.
    pub password: Option<StoredPassword>,
    /// Whether only reading is allowed.
    pub read_only: bool,
    /// The most a query, or all of them, may take.
    pub limits: UserLimits,
}

/// What a user may take; none where only the server's own bounds hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UserLimits {
    /// Queries that run at the same time.
    pub concurrent_queries: Option<usize>,
    /// Longest query.
    pub execution: Option<Duration>,
    /// Memory of one query.
    pub memory_bytes: Option<u64>,
    /// Rows of one result.
    pub result_rows: Option<u64>,
}

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// No such user, or another password: the same answer to both.
    Credentials,
    /// Too many passwords are being checked; later it may go.
    Busy,
}

/// All users.
#[derive(Debug)]
pub(crate) struct Users {
    by_name: BTreeMap<String, Arc<Entry>>,
    memory: Memory,
    hashing: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// What a wrong name is checked against, so that it takes as long as a wrong password.
    nobody: Option<StoredPassword>,
}

#[derive(Debug)]
struct Entry {
    user: User,
    queries: Option<Arc<Semaphore>>,
}

/// Somebody who was let in.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    entry: Arc<Entry>,
}

impl Users {
    /// These users; with `anonymous` also `default` without a password, unless it is among them.
    pub(crate) fn new(users: Vec<User>, anonymous: bool) -> Self {
        let mut by_name = BTreeMap::new();
        let needs_hashing = !users.is_empty();
        if anonymous {
            by_name.insert(DEFAULT_USER.to_owned(), Entry::new(User::anonymous()));
        }
        for user in users {
            by_name.insert(user.name.clone(), Entry::new(user));
        }
        let nobody = needs_hashing.then(|| {
            let random: u128 = rand::random();
            hash_password(&random.to_string())
                .and_then(|hash| StoredPassword::argon2(&hash))
                .ok()
        });
        Self {
            by_name,
            memory: Memory::new(),
            hashing: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
            waiting: AtomicUsize::new(0),
            nobody: nobody.flatten(),
        }
    }

    /// Names, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        self.by_name.keys().cloned().collect()
    }

    /// Lets the user in, or not. Hashing happens on threads that may block.
    pub(crate) async fn enter(&self, name: &str, password: &str) -> Result<Caller, Denied> {
        let entry = self.by_name.get(name);
        if let Some(entry) = entry
            && entry.user.password.is_none()
        {
            let empty = password.is_empty();
            return if empty {
                Ok(entry.turn())
            } else {
                Err(Denied::Credentials)
            };
        }
        // An empty password never fits a user who has one, whatever hash is stored.
        let somebody = entry.is_some() || self.nobody.is_some();
        let checkable = somebody
            && !password.is_empty()
            && password.len() <= MAX_CREDENTIAL_BYTES
            && name.len() <= MAX_CREDENTIAL_BYTES;
        if !checkable {
            return Err(Denied::Credentials);
        }
        let seal = self.memory.seal(name, password);
        let right = match self.memory.recall(&seal, Instant::now()) {
            Some(right) => right,
            None => {
                let stored = entry.and_then(|entry| entry.user.password.clone());
                let right = self.check(stored, password).await?;
                self.memory.note(seal, right, Instant::now());
                right
            }
        };
        match entry {
            Some(entry) if right => Ok(entry.turn()),
            _ => Err(Denied::Credentials),
        }
    }

    /// Whether the password is the stored one; as much work for a user who does not exist.
    async fn check(&self, stored: Option<StoredPassword>, password: &str) -> Result<bool, Denied> {
        let _waiting = Waiting::enter(&self.waiting)?;
        let turn = tokio::time::timeout(HASH_WAIT, Arc::clone(&self.hashing).acquire_owned());
        let Ok(Ok(turn)) = turn.await else {
            return Err(Denied::Busy);
        };
        let password = password.to_owned();
        let nobody = self.nobody.clone();
        let checked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let right = stored.as_ref().is_some_and(|stored| stored.is(&password));
            let dear = stored.as_ref().is_some_and(|stored| !stored.is_cheap());
            if !right && !dear {
                nobody.as_ref().map(|nobody| nobody.is(&password));
            }
            right
        });
        checked.await.map_err(|_| Denied::Busy)
    }
}

/// A place among those who wait for a hash.
#[derive(Debug)]
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(waiting: &'a AtomicUsize) -> Result<Self, Denied> {
        if waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_HASHES {
            waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Denied::Busy);
        }
        Ok(Self(waiting))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl User {
    fn anonymous() -> Self {
        Self {
            name: DEFAULT_USER.to_owned(),
            password: None,
            read_only: false,
            limits: UserLimits::default(),
        }
    }
}

impl Entry {
    fn new(user: User) -> Arc<Self> {
        let queries = user.limits.concurrent_queries;
        Arc::new(Self {
            queries: queries.map(|count| Arc::new(Semaphore::new(count))),
            user,
        })
    }

    fn turn(self: &Arc<Self>) -> Caller {
        Caller {
            entry: Arc::clone(self),
        }
    }
}

impl Caller {
    /// Who it is.
    pub(crate) fn user(&self) -> &User {
        &self.entry.user
    }

    /// A place for one more query, kept while it runs; none when the user's are all taken, and nothing to hold when
    /// they are not counted.
    pub(crate) fn query_place(&self) -> Option<Option<OwnedSemaphorePermit>> {
        let Some(queries) = &self.entry.queries else {
            return Some(None);
        };
        Arc::clone(queries).try_acquire_owned().ok().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, password: &str) -> User {
        let hash = hash_password(password).unwrap();
        User {
            name: name.to_owned(),
            password: Some(StoredPassword::argon2(&hash).unwrap()),
            read_only: true,
            limits: UserLimits {
                concurrent_queries: Some(1),
                ..UserLimits::default()
            },
        }
    }

    async fn enter(users: &Users, name: &str, password: &str) -> Result<String, Denied> {
        let turn = users.enter(name, password).await?;
        Ok(turn.user().name.clone())
    }

    #[tokio::test]
    async fn only_the_right_password_lets_a_user_in() {
        let users = Users::new(vec![user("grafana", "pw")], false);
        for _ in 0..2 {
            let entered = enter(&users, "grafana", "pw").await;
            assert_eq!(entered, Ok("grafana".to_owned()));
            for (name, password) in [
                ("grafana", ""),
                ("grafana", "PW"),
                ("Grafana", "pw"),
                ("default", ""),
                ("default", "pw"),
                ("", ""),
            ] {
                let entered = enter(&users, name, password).await;
                assert_eq!(entered, Err(Denied::Credentials), "{name} {password}");
            }
        }
        let long = "x".repeat(MAX_CREDENTIAL_BYTES + 1);
        assert_eq!(
            enter(&users, "grafana", &long).await,
            Err(Denied::Credentials)
        );
        assert_eq!(users.names(), ["grafana"]);
    }

    #[tokio::test]
    async fn without_users_or_when_allowed_default_needs_no_password() {
        for users in [
            Users::new(Vec::new(), true),
            Users::new(vec![user("grafana", "pw")], true),
        ] {
            assert_eq!(enter(&users, "default", "").await, Ok("default".to_owned()));
            assert_eq!(
                enter(&users, "default", "x").await,
                Err(Denied::Credentials)
            );
        }
        let named = Users::new(vec![user("default", "pw")], true);
        assert_eq!(enter(&named, "default", "").await, Err(Denied::Credentials));
        assert_eq!(
            enter(&named, "default", "pw").await,
            Ok("default".to_owned())
        );
    }

    #[tokio::test]
    async fn a_password_is_hashed_once_and_guesses_wait_in_a_bounded_line() {
        let users = Arc::new(Users::new(vec![user("grafana", "pw")], false));
        enter(&users, "grafana", "pw").await.unwrap();
        // Nobody can hash any more; who is known still comes in, others are told to come back.
        let all = u32::try_from(HASHES_AT_ONCE).unwrap();
        let held = Arc::clone(&users.hashing)
            .acquire_many_owned(all)
            .await
            .unwrap();
        assert!(enter(&users, "grafana", "pw").await.is_ok());
        users.waiting.store(WAITING_HASHES, Ordering::Relaxed);
        assert_eq!(enter(&users, "grafana", "no").await, Err(Denied::Busy));
        users.waiting.store(0, Ordering::Relaxed);
        drop(held);
        assert_eq!(
            enter(&users, "grafana", "no").await,
            Err(Denied::Credentials)
        );
    }

    #[tokio::test]
    async fn queries_of_a_user_are_counted() {
        let users = Users::new(vec![user("grafana", "pw")], true);
        let turn = users.enter("grafana", "pw").await.unwrap();
        let place = turn.query_place().unwrap();
        assert!(turn.query_place().is_none());
        drop(place);
        assert!(turn.query_place().is_some());
        let anonymous = users.enter("default", "").await.unwrap();
        assert!(anonymous.query_place().unwrap().is_none());
    }
}
