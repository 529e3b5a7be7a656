//! The environment as a source of settings: the only place of the server that reads it.

use std::ffi::OsString;
use std::path::PathBuf;

use super::error::ConfigError;
use super::misspelt::nearest;
use super::raw::{Origin, RawConfig};
use super::settings::{SETTINGS, Setting};

/// As many wrong letters still make a misspelt name; more make another name.
const MISSPELT_DISTANCE: usize = 3;

/// Names the configuration file, like `--config`.
pub(crate) const CONFIG_VARIABLE: &str = "CAIRN_CONFIG";

/// Variables of the process, for [`from_variables`].
pub(crate) fn process_variables() -> Vec<(OsString, OsString)> {
    std::env::vars_os().collect()
}

/// What the environment says.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    pub(crate) raw: RawConfig,
    /// The configuration file it names.
    pub(crate) file: Option<PathBuf>,
    /// Variables that look like misspelt settings. Not refused: Kubernetes and scripts set variables with
    /// our prefix too (`CAIRN_SERVICE_HOST`).
    pub(crate) warnings: Vec<String>,
}

/// The settings among `variables`. An empty variable means "not set": that is how manifests switch one off.
pub(crate) fn from_variables(
    variables: &[(OsString, OsString)],
) -> Result<Environment, ConfigError> {
    let mut found = Environment::default();
    for (name, value) in variables {
        let Some(name) = name.to_str().filter(|name| name.starts_with("CAIRN_")) else {
            continue;
        };
        if value.is_empty() {
            continue;
        }
        if name == CONFIG_VARIABLE {
            found.file = Some(PathBuf::from(value));
            continue;
        }
        let Some(setting) = SETTINGS.iter().find(|setting| setting.env_name() == name) else {
            found.warnings.extend(misspelt(name));
            continue;
        };
        let text = value.to_str().ok_or_else(|| ConfigError::NotText {
            name: name.to_owned(),
        })?;
        let origin = Origin::Environment(name.to_owned());
        found.raw.set(setting, text.to_owned(), origin);
    }
    Ok(found)
}

fn misspelt(name: &str) -> Option<String> {
    let nearest = nearest(name, SETTINGS.iter().map(Setting::env_name));
    (strsim::damerau_levenshtein(name, &nearest) <= MISSPELT_DISTANCE).then(|| {
        format!("the environment variable `{name}` is not known; did you mean `{nearest}`?")
    })
}

#[cfg(test)]
mod tests {
    use super::super::settings::Key;
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Environment {
        let variables: Vec<_> = pairs
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)))
            .collect();
        from_variables(&variables).unwrap()
    }

    #[test]
    fn settings_and_the_file_are_found_and_the_rest_is_left_alone() {
        let found = from(&[
            ("HOME", "/root"),
            ("CAIRN_DATA_DIR", "/data"),
            ("CAIRN_LOG_LEVEL", ""),
            ("CAIRN_CONFIG", "/etc/cairn.toml"),
            ("CAIRN_SERVICE_HOST", "10.0.0.1"),
        ]);
        assert_eq!(found.raw.get(Key::DataDir).unwrap().text, "/data");
        assert_eq!(found.raw.get(Key::LogLevel), None);
        assert_eq!(found.file, Some(PathBuf::from("/etc/cairn.toml")));
        assert_eq!(found.warnings, Vec::<String>::new());
    }

    #[test]
    fn a_misspelt_variable_is_warned_about() {
        assert_eq!(
            from(&[("CAIRN_DATADIR", "/data")]).warnings,
            [
                "the environment variable `CAIRN_DATADIR` is not known; did you mean `CAIRN_DATA_DIR`?"
            ]
        );
    }
}
