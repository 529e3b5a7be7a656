//! `docs/configuration.md`, written from the settings table.

use std::fmt::Write;

use super::env::CONFIG_VARIABLE;
use super::settings::SETTINGS;

const HEAD: &str = "\
# Configuration

Generated from the settings table of the server; a test keeps it true (`UPDATE=1 cargo test -p cairn-server`
writes it again).

Every setting can be written in four places. The first that has it wins:

1. a flag: `cairn serve --data-dir /var/lib/cairn`
2. an environment variable: `CAIRN_DATA_DIR=/var/lib/cairn` (an empty one counts as not set)
3. a TOML file named by `--config` or `";

const HEAD_END: &str = "`: `data_dir = \"/var/lib/cairn\"`
4. the default; nothing has to be configured

Sizes are whole numbers with B, KiB, MiB, GiB, TiB, KB, MB, GB or TB; without a unit they are bytes. Durations are
whole numbers with ms, s, m, h or d. A key of the file that names no setting is refused; a value that cannot be used
stops the start with a message that says where it was written and what to write instead.
";

const USERS: &str = "
## Users

Users of the SQL port are written in the file, each in a table of its own:

```toml
[users.grafana]
password_hash = \"$argon2id$v=19$m=19456,t=2,p=1$…\"   # printf %s \"$PASSWORD\" | cairn hash-password
readonly = true                  # the default; false also lets the user write
max_concurrent_queries = 8       # without these only the server's own bounds hold
max_execution_time = \"30s\"
max_memory_usage = \"256MiB\"
max_result_rows = 1000000
```

`password_sha256_hex` takes the digest that ClickHouse's own configuration has. A plain text `password` is refused, and
an empty password never lets anybody in. Settings of a query can lower a user's bounds but not raise them. When users are
configured, `default` without a password is no longer let in, unless `allow_anonymous` says so.
";

/// The page.
pub(crate) fn reference() -> String {
    let mut page = format!("{HEAD}{CONFIG_VARIABLE}{HEAD_END}");
    let mut group = "";
    for setting in sorted_by_group() {
        if setting.group != group {
            group = setting.group;
            append(&mut page, format_args!("\n## {group}\n"));
        }
        let (name, value) = (setting.name, setting.value_name);
        append(&mut page, format_args!("\n### `--{name} {value}`\n\n"));
        append(&mut page, format_args!("{}.", setting.short));
        if !setting.long.is_empty() {
            append(&mut page, format_args!(" {}", setting.long));
        }
        append(
            &mut page,
            format_args!(
                "\n\nEnvironment `{}` · file `{}` · default: {}\n",
                setting.env_name(),
                setting.file_key(),
                setting.default
            ),
        );
    }
    page.push_str(USERS);
    page
}

fn sorted_by_group() -> Vec<&'static super::settings::Setting> {
    let mut groups: Vec<&str> = SETTINGS.iter().map(|setting| setting.group).collect();
    groups.dedup();
    let mut sorted: Vec<_> = SETTINGS.iter().collect();
    sorted.sort_by_key(|setting| groups.iter().position(|group| *group == setting.group));
    sorted
}

fn append(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _written: std::fmt::Result = page.write_fmt(text);
}
