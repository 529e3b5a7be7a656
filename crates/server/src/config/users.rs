//! Users in the configuration file: `[users.NAME]`.

use std::path::Path;
use std::time::Duration;

use super::error::ConfigError;
use super::misspelt::nearest;
use super::units::{parse_duration, parse_size};
use crate::access::{StoredPassword, User, UserLimits};

/// The table of users.
pub(super) const USERS_KEY: &str = "users";

const KEYS: [&str; 7] = [
    "password_hash",
    "password_sha256_hex",
    "readonly",
    "max_concurrent_queries",
    "max_execution_time",
    "max_memory_usage",
    "max_result_rows",
];

/// The users of the table `value`.
pub(super) fn read_users(value: &toml::Value, path: &Path) -> Result<Vec<User>, ConfigError> {
    let Some(table) = value.as_table() else {
        return Err(ConfigError::WrongShape {
            path: path.to_owned(),
            key: USERS_KEY.to_owned(),
            found: value.type_str(),
        });
    };
    let read = |(name, value): (&String, &toml::Value)| {
        read_user(name, value).map_err(|problem| ConfigError::User {
            path: path.to_owned(),
            user: name.clone(),
            problem,
        })
    };
    table.iter().map(read).collect()
}

fn read_user(name: &str, value: &toml::Value) -> Result<User, String> {
    let table = value
        .as_table()
        .ok_or("not a table; write `password_hash = \"…\"` under `[users.NAME]`")?;
    if name.is_empty() || name.contains(|symbol: char| symbol == ':' || symbol.is_control()) {
        return Err("a name is not empty and has no `:` and no control character".to_owned());
    }
    if table.contains_key("password") {
        return Err(
            "`password` is plain text, which is refused; write `password_hash` with what \
                    `cairn hash-password` prints"
                .to_owned(),
        );
    }
    if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        let nearest = nearest(key, KEYS.iter().map(|key| (*key).to_owned()));
        return Err(format!("unknown key `{key}`; did you mean `{nearest}`?"));
    }
    let text = |key: &str| table.get(key).map(|value| text_of(key, value)).transpose();
    let password = match (text("password_hash")?, text("password_sha256_hex")?) {
        (Some(hash), None) => {
            StoredPassword::argon2(&hash).map_err(|error| format!("`password_hash` is {error}"))
        }
        (None, Some(digest)) => StoredPassword::sha256(&digest)
            .map_err(|error| format!("`password_sha256_hex` is {error}")),
        (Some(_), Some(_)) => {
            Err("write `password_hash` or `password_sha256_hex`, not both".to_owned())
        }
        (None, None) => Err(
            "no password; write `password_hash` with what `cairn hash-password` \
                             prints"
                .to_owned(),
        ),
    }?;
    let read_only = match table.get("readonly") {
        None => true,
        Some(value) => value
            .as_bool()
            .ok_or("`readonly` must be `true` or `false`")?,
    };
    let limits = UserLimits {
        concurrent_queries: count(table, "max_concurrent_queries")?,
        execution: text("max_execution_time")?
            .map(|text| {
                parse_duration(&text).map_err(|error| format!("`max_execution_time`: {error}"))
            })
            .transpose()?
            .filter(|time| *time > Duration::ZERO),
        memory_bytes: text("max_memory_usage")?
            .map(|text| parse_size(&text).map_err(|error| format!("`max_memory_usage`: {error}")))
            .transpose()?
            .filter(|bytes| *bytes > 0),
        result_rows: count(table, "max_result_rows")?,
    };
    Ok(User {
        name: name.to_owned(),
        password: Some(password),
        read_only,
        limits,
    })
}

/// Texts and whole numbers, as sizes may be written.
fn text_of(key: &str, value: &toml::Value) -> Result<String, String> {
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    let number = value.as_integer();
    number
        .map(|number| number.to_string())
        .ok_or_else(|| format!("`{key}` must be a text, not {}", value.type_str()))
}

/// A whole number above 0; 0 and a missing one are no bound.
fn count<T: TryFrom<i64> + PartialEq + Default>(
    table: &toml::Table,
    key: &str,
) -> Result<Option<T>, String> {
    let Some(value) = table.get(key) else {
        return Ok(None);
    };
    let number = value
        .as_integer()
        .and_then(|number| T::try_from(number).ok());
    let number = number.ok_or_else(|| format!("`{key}` must be a whole number"))?;
    Ok((number != T::default()).then_some(number))
}

#[cfg(test)]
mod tests {
    use super::super::file::from_text;
    use super::*;
    use crate::access::hash_password;

    fn users(text: &str) -> Result<Vec<User>, String> {
        from_text(text, Path::new("cairn.toml"))
            .map(|raw| raw.users)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn users_have_a_hash_a_profile_and_limits() {
        let hash = hash_password("pw").unwrap();
        let digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
        let text = format!(
            "data_dir = '/x'\n[users.grafana]\npassword_hash = '{hash}'\n\
             max_concurrent_queries = 4\nmax_execution_time = '30s'\nmax_memory_usage = '64MiB'\n\
             max_result_rows = 1000\n\
             [users.admin]\npassword_sha256_hex = '{digest}'\nreadonly = false\nmax_result_rows = 0"
        );
        let users = users(&text).unwrap();
        let [admin, grafana] = users.as_slice() else {
            panic!("{users:?}");
        };
        assert_eq!((admin.name.as_str(), admin.read_only), ("admin", false));
        assert_eq!(admin.limits, UserLimits::default());
        assert!(grafana.read_only);
        assert_eq!(
            grafana.limits,
            UserLimits {
                concurrent_queries: Some(4),
                execution: Some(Duration::from_secs(30)),
                memory_bytes: Some(64 << 20),
                result_rows: Some(1000),
            }
        );
    }

    #[test]
    fn mistakes_are_told_without_telling_the_password() {
        for (text, expected) in [
            ("password = 'hunter2'", "plain text"),
            ("password_hash = 'hunter2'", "cairn hash-password"),
            ("password_sha256_hex = 'hunter2'", "64 hex digits"),
            ("readonly = true", "no password"),
            ("pasword_hash = 'hunter2'", "did you mean `password_hash`"),
        ] {
            let error = users(&format!("[users.u]\n{text}")).unwrap_err();
            assert!(
                error.starts_with("`[users.u]` in `cairn.toml`: "),
                "{error}"
            );
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(users("users = 3").is_err());
        assert!(users("[users.'a:b']\npassword_hash = 'x'").is_err());
    }
}
