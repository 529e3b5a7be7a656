//! The optional TOML file as a source of settings: flat keys, one for each setting, and users.

use std::path::Path;

use super::error::ConfigError;
use super::misspelt::nearest;
use super::raw::{Origin, RawConfig};
use super::settings::{SETTINGS, Setting};
use super::users::{USERS_KEY, read_users};

/// Reads `path`.
pub(crate) fn from_path(path: &Path) -> Result<RawConfig, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::File {
        path: path.to_owned(),
        source,
    })?;
    from_text(&text, path)
}

/// The settings in `text`; `path` is for messages.
pub(crate) fn from_text(text: &str, path: &Path) -> Result<RawConfig, ConfigError> {
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| ConfigError::Toml {
            path: path.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        })?;
    let mut raw = RawConfig::default();
    for (key, value) in &table {
        if key == USERS_KEY {
            raw.users = read_users(value, path)?;
            continue;
        }
        let Some(setting) = SETTINGS.iter().find(|setting| setting.file_key() == *key) else {
            return Err(ConfigError::UnknownKey {
                path: path.to_owned(),
                key: key.clone(),
                nearest: nearest(
                    key,
                    SETTINGS
                        .iter()
                        .map(Setting::file_key)
                        .chain([USERS_KEY.to_owned()]),
                ),
            });
        };
        let text = match value {
            toml::Value::String(text) => text.clone(),
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Boolean(yes) => yes.to_string(),
            toml::Value::Datetime(_) | toml::Value::Array(_) | toml::Value::Table(_) => {
                return Err(ConfigError::WrongShape {
                    path: path.to_owned(),
                    key: key.clone(),
                    found: value.type_str(),
                });
            }
        };
        let origin = Origin::File {
            path: path.to_owned(),
            key: key.clone(),
        };
        raw.set(setting, text, origin);
    }
    Ok(raw)
}

#[cfg(test)]
mod tests {
    use super::super::settings::Key;
    use super::*;

    fn message(text: &str) -> String {
        from_text(text, Path::new("cairn.toml"))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn strings_numbers_and_booleans_are_values() {
        let raw = from_text(
            "data_dir = '/x'\nmax_disk_bytes = 123\nallow_anonymous = true",
            Path::new("cairn.toml"),
        )
        .unwrap();
        assert_eq!(raw.get(Key::DataDir).unwrap().text, "/x");
        assert_eq!(raw.get(Key::MaxDiskBytes).unwrap().text, "123");
        assert_eq!(raw.get(Key::AllowAnonymous).unwrap().text, "true");
    }

    #[test]
    fn a_misspelt_key_names_the_nearest_one() {
        assert_eq!(
            message("dta_dir = '/x'"),
            "`cairn.toml` has an unknown key `dta_dir`; did you mean `data_dir`?"
        );
    }

    #[test]
    fn what_is_not_a_plain_value_is_refused() {
        assert_eq!(
            message("data_dir = ['/x']"),
            "`data_dir` in `cairn.toml` is an array; write one plain value, for example `data_dir = \"…\"`"
        );
        assert!(message("data_dir = ").starts_with("`cairn.toml` is not valid TOML: "));
    }
}
