//! Users with passwords, as clients name them; senders with tokens; and a start that refuses to be open by accident.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::http;
use crate::install::run;
use crate::server::{Cairn, folder};

/// `base64("grafana:s3cret")` and `base64("grafana:wrong")`.
const RIGHT: &str = "Basic Z3JhZmFuYTpzM2NyZXQ=";
const WRONG: &str = "Basic Z3JhZmFuYTp3cm9uZw==";

/// The hash that the server's own command makes.
fn hash(password: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cairn-under-test"))
        .arg("hash-password")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut input = child.stdin.take().expect("standard input is piped");
    writeln!(input, "{password}").expect("the password is read");
    drop(input);
    let output = child.wait_with_output().expect("the command ends");
    assert!(output.status.success());
    let hash = String::from_utf8(output.stdout).expect("a hash");
    hash.trim_end().to_owned()
}

fn configuration(folder: &Path) -> PathBuf {
    let path = folder.join("cairn.toml");
    let text = format!(
        "[users.grafana]\npassword_hash = '{}'\nmax_concurrent_queries = 2\nmax_result_rows = 5\n\
         [users.writer]\npassword_hash = '{}'\nreadonly = false\n",
        hash("s3cret"),
        hash("other"),
    );
    std::fs::write(&path, text).expect("the folder can be written");
    path
}

#[test]
fn users_are_let_in_as_clickhouse_lets_them_in() {
    let dir = folder();
    let path = configuration(dir.path());
    let data = dir.path().join("data");
    let cairn = Cairn::start(&data, &["--config", path.to_str().expect("a path")]);
    let ask = |url: &str, headers: &[(&str, &str)]| {
        http::post(cairn.clickhouse, url, headers, b"SELECT currentUser()")
    };
    let named = [
        ("X-ClickHouse-User", "grafana"),
        ("X-ClickHouse-Key", "s3cret"),
    ];
    for (url, headers) in [
        ("/", &[("Authorization", RIGHT)][..]),
        ("/", &named),
        ("/?user=grafana&password=s3cret", &[]),
    ] {
        let response = ask(url, headers);
        assert_eq!(
            (response.status, response.text().trim_end()),
            (200, "grafana"),
            "{url}"
        );
    }
    let unknown = [("X-ClickHouse-User", "nobody"), ("X-ClickHouse-Key", "x")];
    let empty = [("X-ClickHouse-User", "grafana")];
    for (url, headers, status, code) in [
        ("/", &[][..], 401, "Code: 194."),
        ("/", &[("Authorization", WRONG)], 403, "Code: 516."),
        ("/", &unknown, 403, "Code: 516."),
        ("/", &empty, 403, "Code: 516."),
        ("/?user=grafana&password=", &[], 403, "Code: 516."),
        ("/?user=default&password=s3cret", &[], 401, "Code: 194."),
        (
            "/",
            &[("Authorization", "Bearer s3cret")],
            403,
            "Code: 516.",
        ),
    ] {
        let response = ask(url, headers);
        let text = response.text();
        assert_eq!(response.status, status, "{url} {headers:?}: {text}");
        assert!(
            text.starts_with(code) && !text.contains("version"),
            "{text}"
        );
        let challenge = response.header("WWW-Authenticate");
        assert_eq!(challenge.is_some(), status == 401, "{url} {headers:?}");
    }
    let ping = http::get(cairn.clickhouse, "/ping");
    assert_eq!((ping.status, ping.text().as_str()), (200, "Ok.\n"));
}

#[test]
fn a_user_is_bounded_by_his_profile() {
    let dir = folder();
    let path = configuration(dir.path());
    let data = dir.path().join("data");
    let cairn = Cairn::start(&data, &["--config", path.to_str().expect("a path")]);
    let ask = |user: &str, sql: &str| {
        let url = format!("/?{user}");
        http::post(cairn.clickhouse, &url, &[], sql.as_bytes())
    };
    let (reader, writer) = ("user=grafana&password=s3cret", "user=writer&password=other");
    let many = ask(reader, "SELECT number FROM system.numbers LIMIT 6");
    assert!(many.text().contains("Code: 396."), "{}", many.text());
    let more = "SELECT number FROM system.numbers LIMIT 6 SETTINGS max_result_rows = 100";
    assert!(ask(reader, more).text().contains("Code: 396."));
    assert_eq!(ask(writer, more).status, 200);
    let open = "SELECT 1 SETTINGS readonly = 0";
    assert!(ask(reader, open).text().contains("Code: 164."));
    assert_eq!(ask(writer, open).status, 200);
    let names = ask(writer, "SELECT name FROM system.users ORDER BY name");
    assert_eq!(names.text(), "grafana\nwriter\n");
}

#[test]
fn the_sql_port_is_never_open_to_the_network_by_accident() {
    let dir = folder();
    let start = |flags: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_cairn-under-test"))
            .args(["serve", "--clickhouse-addr", "0.0.0.0:0", "--data-dir"])
            .arg(dir.path().join("data"))
            .args(flags)
            .output()
            .expect("it ends")
    };
    let refused = start(&[]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{text}");
    for way in [
        "[users.NAME]",
        "hash-password",
        "127.0.0.1:8123",
        "--allow-anonymous",
    ] {
        assert!(text.contains(way), "{text}");
    }
    let path = dir.path().join("plain.toml");
    std::fs::write(&path, "[users.u]\npassword = 'hunter2'\n").expect("a file");
    let refused = start(&["--config", path.to_str().expect("a path")]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        text.contains("plain text") && !text.contains("hunter2"),
        "{text}"
    );
}

#[test]
fn senders_show_a_token_when_tokens_are_configured() {
    let dir = folder();
    let token = "0123456789abcdef0123456789abcdef";
    let cairn = Cairn::start(dir.path(), &["--ingest-tokens", token]);
    let body = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{
        "timeUnixNano": "1700000000000000000", "body": {"stringValue": "hello"}}]}]}]});
    let send = |authorization: &str| {
        let headers = [
            ("Content-Type", "application/json"),
            ("Authorization", authorization),
        ];
        let body = body.to_string();
        http::post(cairn.otlp_http, "/v1/logs", &headers, body.as_bytes())
    };
    assert_eq!(send(&format!("Bearer {token}")).status, 200);
    assert_eq!(send(token).status, 200);
    let refused = send("Bearer wrong");
    assert_eq!(refused.status, 401);
    assert!(refused.text().contains("\"code\":16"), "{}", refused.text());
    assert_eq!(cairn.value("SELECT count() FROM otel_logs"), "2");
    assert!(!cairn.log().contains(token));
}

const HTTPS: &str = r#"
import ssl, sys, urllib.request
trust = ssl.create_default_context(cafile=sys.argv[1])
def ask(port, path, body, kind):
    request = urllib.request.Request(f"https://localhost:{port}{path}", body, {"Content-Type": kind})
    with urllib.request.urlopen(request, context=trust, timeout=60) as answer:
        return answer.read().decode()
log = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"over TLS"}}]}]}]}'
print(ask(sys.argv[3], "/v1/logs", log, "application/json"))
print(ask(sys.argv[2], "/", b"SELECT Body FROM otel_logs", "text/plain"), end="")
"#;

#[test]
fn the_ports_speak_tls_with_certificates_from_files() {
    let dir = folder();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]);
    let made = made.expect("a certificate");
    let (certificate, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).expect("a file");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
    let text = |path: &Path| path.to_str().expect("a path").to_owned();
    let flags = ["--tls-cert", &text(&certificate), "--tls-key", &text(&key)];
    let cairn = Cairn::start(&dir.path().join("data"), &flags);
    let output = run(
        Command::new("python3")
            .args(["-c", HTTPS, &text(&certificate)])
            .args([cairn.clickhouse, cairn.otlp_http].map(|port| port.port().to_string())),
        "python3",
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout), "{}\nover TLS\n");
    let plain = http::request(cairn.clickhouse, "GET", "/ping", &[], b"");
    assert!(plain.is_err() || plain.is_ok_and(|answer| answer.status != 200));
    let probe = http::get(cairn.ops, "/readyz");
    assert_eq!(probe.status, 200, "probes stay plain unless told otherwise");
}
