//! Precedence, messages, help, and the generated page.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::*;

type Variables<'a> = &'a [(&'a str, &'a str)];

fn serve(flags: &[&str], variables: Variables<'_>) -> Result<Config, CommandError> {
    let arguments = ["cairn", "serve"].iter().chain(flags);
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (OsString::from(name), OsString::from(value)))
        .collect();
    let command = from_sources(arguments.map(OsString::from).collect(), &variables)?;
    let Command::Serve(config) = command else {
        panic!("{command:?}");
    };
    Ok(config)
}

fn message(flags: &[&str], variables: &[(&str, &str)]) -> String {
    serve(flags, variables).unwrap_err().to_string()
}

#[test]
fn nothing_has_to_be_configured() {
    let config = serve(&[], &[]).unwrap();
    assert_eq!(config.data_dir, Path::new("./cairn-data"));
    assert_eq!(config.listen.clickhouse.to_string(), "127.0.0.1:8123");
    assert_eq!(config.listen.otlp_grpc.to_string(), "127.0.0.1:4317");
    assert_eq!(config.listen.otlp_http.to_string(), "127.0.0.1:4318");
    assert_eq!(config.listen.ops.to_string(), "127.0.0.1:9363");
    assert!(config.normalize_logs);
    assert_eq!(config.max_disk_bytes, None);
    assert_eq!(config.ack_deadline, Duration::from_secs(5));
    assert_eq!(config.log.level, "info");
}

#[test]
fn a_flag_beats_the_environment_beats_the_file_beats_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cairn.toml");
    std::fs::write(&file, "memtable_age = '3m'\n").unwrap();
    let path = file.to_str().unwrap();
    let flag = ["--memtable-age", "1m"];
    let variable = ("CAIRN_MEMTABLE_AGE", "2m");
    let named = ["--config", path];
    let cases: [(&[&str], Variables<'_>, u64); 8] = [
        (&[], &[], 5),
        (&named, &[], 3),
        (&[], &[("CAIRN_CONFIG", path)], 3),
        (&[], &[variable], 2),
        (&named, &[variable], 2),
        (&flag, &[], 1),
        (&flag, &[variable, ("CAIRN_CONFIG", path)], 1),
        (
            &named,
            &[("CAIRN_CONFIG", "/nowhere"), ("CAIRN_MEMTABLE_AGE", "")],
            3,
        ),
    ];
    for (flags, variables, minutes) in cases {
        let config = serve(flags, variables).unwrap();
        assert_eq!(
            config.memtable_age,
            Duration::from_secs(minutes * 60),
            "{flags:?} {variables:?}"
        );
    }
}

#[test]
fn a_bad_value_names_its_place_and_the_way_out() {
    let cases: [(&[&str], &str); 8] = [
        (
            &["--max-memory-bytes", "2GX"],
            "`--max-memory-bytes` is `2GX`: not a size; write a whole number with a unit, such as `64MiB` or `2GiB`",
        ),
        (
            &["--max-memory-bytes=1MiB"],
            "`--max-memory-bytes` is `1MiB`: too small; write at least `256MiB`",
        ),
        (
            &["--ops-addr", "9363"],
            "`--ops-addr` is `9363`: not an address; write `HOST:PORT`, such as `127.0.0.1:8123`",
        ),
        (
            &["--logs-normalize", "on"],
            "`--logs-normalize` is `on`: write `clickstack` or `off`",
        ),
        (
            &["--memtable-age", "5"],
            "`--memtable-age` is `5`: write a duration from `1s` to `24h`",
        ),
        (
            &["--query-threads", "0"],
            "`--query-threads` is `0`: write a number from 1 to 64",
        ),
        (
            &["--log-format", "xml"],
            "`--log-format` is `xml`: write `text` or `json`",
        ),
        (
            &["--data-dir", ""],
            "`--data-dir` is ``: empty; write the path of a directory",
        ),
    ];
    for (flags, expected) in cases {
        assert_eq!(message(flags, &[]), expected);
    }
    assert_eq!(
        message(&[], &[("CAIRN_ACK_DEADLINE", "1h")]),
        "`CAIRN_ACK_DEADLINE` is `1h`: write a duration from `100ms` to `5m`"
    );
    let missing = message(&["--config", "/nowhere.toml"], &[]);
    assert!(missing.starts_with("cannot read the configuration file `/nowhere.toml`: "));
}

#[test]
fn sql_is_not_opened_to_the_network_by_accident() {
    let open = ["--clickhouse-addr", "0.0.0.0:8123"];
    let refusal = message(&open, &[]);
    assert!(refusal.contains("`0.0.0.0:8123`") && refusal.contains("--allow-anonymous"));
    let allowed = serve(&[open[0], open[1], "--allow-anonymous"], &[]).unwrap();
    assert_eq!(allowed.listen.clickhouse.to_string(), "0.0.0.0:8123");
    let by_variable = [
        ("CAIRN_ALLOW_ANONYMOUS", "true"),
        ("CAIRN_CLICKHOUSE_ADDR", ":0"),
    ];
    assert!(serve(&[], &by_variable).is_ok());
    assert!(serve(&["--allow-anonymous=false"], &by_variable).is_err());
    assert!(serve(&["--clickhouse-addr", "localhost:0"], &[]).is_ok());
}

#[test]
fn shares_of_memory_fit_into_the_whole() {
    for mib in [256, 512, 2_048, 65_536_u64] {
        let shares = MemoryShares::of(mib << 20);
        let planned = shares.memtables_bytes + shares.requests_bytes + shares.queries_bytes;
        assert!(planned < shares.total_bytes * 6 / 10, "{mib}");
        assert!(2 * shares.memtable_bytes <= shares.memtables_bytes, "{mib}");
    }
}

#[test]
fn demo_knows_whether_its_folder_was_named() {
    let demo = |flags: &[&str]| {
        let arguments = ["cairn", "demo"].iter().chain(flags);
        let command = from_sources(arguments.map(OsString::from).collect(), &[]).unwrap();
        let Command::Demo {
            keeps_data, once, ..
        } = command
        else {
            panic!("{command:?}");
        };
        (keeps_data, once)
    };
    assert_eq!(demo(&[]), (false, false));
    assert_eq!(demo(&["--data-dir", "/x", "--once"]), (true, true));
}

#[test]
fn help_shows_every_setting_with_its_variable_and_default() {
    let error = serve(&["--help"], &[]).unwrap_err().to_string();
    for setting in &settings::SETTINGS {
        assert!(
            error.contains(&format!("--{}", setting.name)),
            "{}",
            setting.name
        );
        assert!(error.contains(&setting.env_name()), "{}", setting.name);
    }
    cli::command().debug_assert();
}

/// `UPDATE=1` writes the page; without it the page has to be what the table says.
#[test]
fn the_configuration_page_is_generated_from_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let page = reference::reference();
    let updates = env::process_variables()
        .iter()
        .any(|(name, value)| name == "UPDATE" && value == "1");
    if updates {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, page, "run `UPDATE=1 cargo test -p cairn-server`");
}

#[test]
fn a_certificate_and_its_key_belong_together() {
    assert_eq!(serve(&[], &[]).unwrap().tls, None);
    let both = ["--tls-cert", "c.pem", "--tls-key", "k.pem"];
    let tls = serve(&both, &[]).unwrap().tls.unwrap();
    assert_eq!(tls.certificate, Path::new("c.pem"));
    assert!(tls.ports.contains(TlsPort::OtlpGrpc) && !tls.ports.contains(TlsPort::Ops));
    let with_ports = [&both[..], &["--tls-ports", "ops, clickhouse"]].concat();
    let ports = serve(&with_ports, &[]).unwrap().tls.unwrap().ports;
    assert!(ports.contains(TlsPort::Ops) && !ports.contains(TlsPort::OtlpHttp));
    for (flags, expected) in [
        (&["--tls-cert", "c.pem"][..], "--tls-key"),
        (&["--tls-key", "k.pem"], "--tls-cert"),
        (&["--tls-client-ca", "r.pem"], "--tls-cert"),
        (&["--tls-ports", "8123"], "`8123` is no port"),
    ] {
        let text = message(flags, &[]);
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn users_open_the_port_to_the_network_and_close_it_to_the_nameless() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cairn.toml");
    let hash = crate::access::hash_password("pw").unwrap();
    std::fs::write(&file, format!("[users.a]\npassword_hash = '{hash}'\n")).unwrap();
    let everywhere = ["--clickhouse-addr", "0.0.0.0:8123"];
    assert!(message(&everywhere, &[]).contains("cairn hash-password"));
    let named = [&everywhere[..], &["--config", file.to_str().unwrap()]].concat();
    let config = serve(&named, &[]).unwrap();
    assert_eq!((config.users.len(), config.anonymous), (1, false));
    let both = [&named[..], &["--allow-anonymous"]].concat();
    assert!(serve(&both, &[]).unwrap().anonymous);
}
