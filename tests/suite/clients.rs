//! The real ClickHouse clients, unmodified, against a real server: each installs a pinned client, asks about the same
//! few records and ends with an error at the first difference. Afterwards no query may be left running.

use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::http;
use crate::install::{installed, interop, python, run};
use crate::server::{Cairn, folder};

/// A query whose client has gone ends within this.
const QUIET_DEADLINE: Duration = Duration::from_secs(30);

/// A server that holds the records of `interop/dataset`.
struct Shop {
    cairn: Cairn,
    dir: TempDir,
    base_s: i64,
}

impl Shop {
    fn open() -> Self {
        let dir = folder();
        let cairn = Cairn::start(dir.path(), &[]);
        // Recent, so that no rule about age has a say.
        let base_s = cairn.value("SELECT toUnixTimestamp(now()) - 60");
        let base_s = base_s.parse().expect("seconds since 1970");
        for (file, path) in [("logs.json", "/v1/logs"), ("traces.json", "/v1/traces")] {
            let text = std::fs::read_to_string(interop("dataset").join(file)).expect("the records");
            let text = text.replace("{base_s}", &format!("{base_s}"));
            let body: Value = serde_json::from_str(&text).expect("the records are JSON");
            cairn.send_json(path, &body);
        }
        Self { cairn, dir, base_s }
    }

    /// Runs a client to its end and shows what it says about itself.
    fn serve(&self, command: &mut Command, need: &str) {
        command
            .env("CAIRN_HOST", self.cairn.clickhouse.ip().to_string())
            .env("CAIRN_PORT", self.cairn.clickhouse.port().to_string())
            .env("CAIRN_BASE_S", self.base_s.to_string())
            .env("CAIRN_DATA_DIR", self.dir.path());
        let output = run(command, need);
        let text = String::from_utf8_lossy(&output.stdout);
        print!("{text}");
        assert!(text.contains(": ok"), "{text}");
        self.wait_until_quiet();
    }

    fn wait_until_quiet(&self) {
        let until = Instant::now() + QUIET_DEADLINE;
        loop {
            let page = http::get(self.cairn.ops, "/metrics").text();
            if page.contains("cairn_queries_running 0\n") {
                return;
            }
            assert!(Instant::now() < until, "queries are left:\n{page}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn clickhouse_connect_works() {
    let script = interop("connect").join("clients.py");
    let need = "python3 with venv and pip";
    Shop::open().serve(Command::new(python("connect")).arg(script), need);
}

#[test]
fn the_node_client_works() {
    let need = "Node.js 20 and npm";
    let source = interop("node");
    let pinned = [
        source.join("package.json"),
        source.join("package-lock.json"),
    ];
    let home = installed("node-client", &pinned, |home| {
        for file in &pinned {
            copy(file, home);
        }
        let install = ["ci", "--no-audit", "--no-fund", "--silent"];
        run(Command::new("npm").args(install).current_dir(home), need);
    });
    copy(&source.join("clients.mjs"), &home);
    Shop::open().serve(Command::new("node").arg(home.join("clients.mjs")), need);
}

#[test]
fn clickhouse_go_and_the_queries_of_grafana_work() {
    let need = "Go 1.26";
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-client");
    // Go keeps what it built and notices changes itself.
    let mut build = Command::new("go");
    let flags = ["build", "-mod=readonly", "-buildvcs=false", "-o"];
    build
        .args(flags)
        .arg(&home)
        .arg(".")
        .current_dir(interop("go"));
    run(&mut build, need);
    Shop::open().serve(&mut Command::new(home), need);
}

#[test]
fn clickhouse_jdbc_works() {
    let need = "Java 17 and Maven";
    let pom = interop("java").join("pom.xml");
    let home = installed("java-client", std::slice::from_ref(&pom), |home| {
        let mut resolve = Command::new("mvn");
        resolve
            .args(["-q", "-B", "-f"])
            .arg(&pom)
            .arg("dependency:build-classpath")
            .arg(format!(
                "-Dmdep.outputFile={}",
                home.join("classpath").display()
            ))
            .arg("-Dmdep.includeScope=runtime");
        run(&mut resolve, need);
    });
    let classpath = std::fs::read_to_string(home.join("classpath")).expect("the class path");
    let mut java = Command::new("java");
    java.arg("-cp").arg(classpath.trim());
    java.arg(interop("java").join("Clients.java"));
    Shop::open().serve(&mut java, need);
}

#[test]
fn the_rust_client_works() {
    let need = "cargo";
    let source = interop("rust");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rust-client");
    // Cargo keeps what it built and notices changes itself. What this test's own cargo put into the environment
    // is about another workspace.
    let mut build = Command::new(env!("CARGO"));
    build
        .args(["build", "--locked", "--quiet", "--manifest-path"])
        .arg(source.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .env_remove("CARGO_BUILD_BUILD_DIR")
        .env_remove("CARGO_RESOLVER_FEATURE_UNIFICATION");
    run(&mut build, need);
    Shop::open().serve(&mut Command::new(target.join("debug/interop")), need);
}

/// Anybody can read what Cairn keeps: a sealed segment is a Parquet file.
#[test]
fn duckdb_and_pyarrow_read_a_segment_file() {
    let shop = Shop::open();
    // A clean stop seals what is in memory.
    let Shop { cairn, dir, base_s } = shop;
    cairn.stop();
    let mut read = Command::new(python("connect"));
    read.arg(interop("connect").join("segments.py"))
        .env("CAIRN_DATA_DIR", dir.path())
        .env("CAIRN_BASE_S", base_s.to_string());
    let output = run(&mut read, "python3 with venv and pip");
    let text = String::from_utf8_lossy(&output.stdout);
    print!("{text}");
    assert!(text.contains(": ok"), "{text}");
}

#[test]
fn curl_works() {
    let shop = Shop::open();
    let url = format!("http://{}/", shop.cairn.clickhouse);
    let ask = |arguments: &[&str]| {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error"]).args(arguments);
        let output = run(&mut curl, "curl");
        String::from_utf8(output.stdout).expect("text")
    };
    let version = ask(&["--version"]);
    let version: Vec<&str> = version.split(' ').take(2).collect();
    assert_eq!(ask(&[&format!("{url}ping")]), "Ok.\n");
    assert_eq!(ask(&[&format!("{url}?query=SELECT+1")]), "1\n");
    assert_eq!(ask(&["-d", "SELECT count() FROM otel_logs", &url]), "3\n");
    assert_eq!(
        ask(&[
            "-u",
            "default:",
            "--compressed",
            "-d",
            "SELECT ServiceName, count() AS c FROM otel_logs GROUP BY ServiceName ORDER BY c FORMAT CSV",
            &url
        ]),
        "\"cart\",1\n\"checkout\",2\n"
    );
    let parameter = format!("{url}?param_s=cart");
    assert_eq!(
        ask(&[
            "-d",
            "SELECT Body FROM otel_logs WHERE ServiceName = {s:String}",
            &parameter
        ]),
        "slow answer of the stock service\n"
    );
    let form = ask(&["-F", "query=SELECT {n:UInt8} + 1", "-F", "param_n=4", &url]);
    assert_eq!(form, "5\n");
    let error = ask(&[
        "-w",
        "%{http_code} %header{x-clickhouse-exception-code}",
        "-d",
        "SELEKT",
        &url,
    ]);
    assert!(
        error.starts_with("Code: 62.") && error.ends_with("400 62"),
        "{error}"
    );
    println!("{}: ok", version.join(" "));
}

/// The other Grafana plugin (Altinity's) asks by GET and reads `meta`, `data` and `rows` of JSON.
#[test]
fn the_json_questions_of_the_altinity_plugin_work() {
    let shop = Shop::open();
    let (from, to) = (shop.base_s - 60, shop.base_s + 60);
    let range = format!("Timestamp >= toDateTime({from}) AND Timestamp <= toDateTime({to})");
    let bucket = "(intDiv(toUInt32(Timestamp), 60) * 60) * 1000 AS t";
    let series =
        format!("SELECT {bucket}, count() c FROM default.otel_logs WHERE {range} GROUP BY t");
    let floats =
        "SELECT (intDiv(toFloat64(Timestamp) * 1000, (60 * 1000)) * (60 * 1000)) as t, count()";
    let keyed = format!(
        "SELECT {bucket}, ServiceName AS key, count() AS val FROM otel_logs WHERE {range} GROUP BY t, key ORDER BY t, key"
    );
    for (text, rows) in [
        ("SELECT timezone()".to_owned(), 1),
        ("SELECT name FROM system.databases ORDER BY name".to_owned(), 4),
        (
            "SELECT name FROM system.columns WHERE database = 'default' AND table = 'otel_logs' AND \
             substring(type,1,10) = 'DateTime64' ORDER BY name"
                .to_owned(),
            1,
        ),
        (format!("/* grafana */ {series} ORDER BY t"), 1),
        (format!("{floats} FROM otel_logs GROUP BY t ORDER BY t"), 1),
        (
            format!("SELECT t, groupArray((key, val)) AS groupArr FROM ({keyed}) GROUP BY t ORDER BY t"),
            1,
        ),
        (
            format!("SELECT t, c/((t - lagInFrame(t,1,0) OVER ())/1000) AS rate FROM ({series})"),
            1,
        ),
        (
            "(SELECT name, 'f' AS kind FROM system.functions LIMIT 3) UNION ALL \
             (SELECT name, 's' FROM system.settings LIMIT 2)"
                .to_owned(),
            5,
        ),
        (
            "SELECT FIRST_VALUE(Timestamp) OVER (ORDER BY Timestamp ROWS BETWEEN 10 PRECEDING AND CURRENT ROW) AS ts \
             FROM otel_logs"
                .to_owned(),
            3,
        ),
    ] {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--get", "--data-urlencode"])
            .arg(format!("query={text} FORMAT JSON"))
            .arg(format!("http://{}/", shop.cairn.clickhouse));
        let output = run(&mut curl, "curl");
        let answer: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{text}\n{}", String::from_utf8_lossy(&output.stdout)));
        assert_eq!(answer["rows"], rows, "{text}\n{answer}");
        assert!(answer["meta"].is_array() && answer["data"].is_array(), "{text}");
    }
}

fn copy(file: &Path, folder: &Path) {
    let name = file.file_name().expect("a file has a name");
    std::fs::copy(file, folder.join(name)).expect("the target folder can be written");
}
