//! The OpenTelemetry SDKs of other languages send every signal with an ingest token; what they sent comes back through SQL.
//! Each is installed from its package registry at a pinned version. Python has a test of its own, field by field.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::install::{installed, interop, run};
use crate::server::{Cairn, folder};

/// Log records that each program sends.
const LOGS: &str = "600";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The built Go program; Go keeps what it built and notices changes itself.
pub(crate) fn go_sender() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-sender");
    let flags = ["build", "-mod=readonly", "-buildvcs=false", "-o"];
    let mut build = Command::new("go");
    build
        .args(flags)
        .arg(&home)
        .arg(".")
        .current_dir(interop("senders").join("go"));
    run(&mut build, "Go 1.26");
    home
}

#[test]
fn the_go_sdk_sends_every_signal() {
    let sender = go_sender();
    for protocol in ["grpc", "http"] {
        check(|cairn, service| {
            let port = if protocol == "grpc" {
                cairn.otlp_grpc
            } else {
                cairn.otlp_http
            };
            let mut command = Command::new(&sender);
            command.args([
                protocol,
                &format!("http://{port}"),
                service,
                TOKEN,
                LOGS,
                "0s",
            ]);
            (command, "Go 1.26")
        });
    }
}

#[test]
fn the_node_sdk_sends_every_signal() {
    let need = "Node.js 20 and npm";
    let source = interop("senders").join("node");
    let pinned = ["package.json", "package-lock.json"].map(|name| source.join(name));
    let home = installed("node-sender", &pinned, |home| {
        for file in &pinned {
            copy(file, home);
        }
        let install = ["ci", "--no-audit", "--no-fund", "--silent"];
        run(Command::new("npm").args(install).current_dir(home), need);
    });
    copy(&source.join("send.mjs"), &home);
    check(|cairn, service| {
        let mut command = Command::new("node");
        command.arg(home.join("send.mjs")).args(both(cairn));
        command.args([service, TOKEN, LOGS]);
        (command, need)
    });
}

#[test]
fn the_java_sdk_sends_every_signal() {
    let need = "a JDK 17 and Maven";
    let source = interop("senders").join("java");
    let pinned = ["pom.xml", "Send.java"].map(|name| source.join(name));
    let [pom, program] = &pinned;
    let home = installed("java-sender", &pinned, |home| {
        let mut fetch = Command::new("mvn");
        fetch.args(["-q", "-B", "-f"]).arg(pom);
        fetch.arg("dependency:copy-dependencies");
        fetch.arg(format!("-DoutputDirectory={}", home.join("lib").display()));
        run(&mut fetch, need);
        let mut compile = Command::new("javac");
        compile.arg("-d").arg(home.join("classes")).arg("-cp");
        compile.arg(home.join("lib").join("*")).arg(program);
        run(&mut compile, need);
    });
    let text = std::fs::read_to_string(pom).expect("the pinned versions");
    let version = text.split("<version>").nth(2).expect("a version");
    let version = version.split('<').next().expect("a version");
    check(|cairn, service| {
        let classes = format!("{0}/classes:{0}/lib/*", home.display());
        let mut command = Command::new("java");
        command.args(["-cp", &classes, "Send"]).args(both(cairn));
        command.args([service, TOKEN, LOGS, version]);
        (command, need)
    });
}

fn both(cairn: &Cairn) -> [String; 2] {
    [cairn.otlp_http, cairn.otlp_grpc].map(|port| format!("http://{port}"))
}

/// Runs a program against a server of its own and looks for everything it sent.
fn check(command: impl FnOnce(&Cairn, &str) -> (Command, &'static str)) {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &["--ingest-tokens", TOKEN]);
    let (mut command, need) = command(&cairn, "orders");
    let output = run(&mut command, need);
    let text = String::from_utf8_lossy(&output.stdout);
    print!("{text}");
    assert!(text.trim_end().ends_with(": ok"), "{text}");
    check_logs(&cairn);
    check_spans(&cairn);
    check_points(&cairn);
}

fn check_logs(cairn: &Cairn) {
    let all = "SELECT count(), uniqExact(Body), uniqExact(TraceId), min(toInt64(LogAttributes['order.id'])), \
               max(toInt64(LogAttributes['order.id'])) FROM otel_logs";
    assert_eq!(cairn.value(all), "600\t600\t1\t0\t599");
    let one = "SELECT SeverityText, SeverityNumber, ServiceName, Body, ScopeName, ScopeVersion, \
               LogAttributes, ResourceAttributes['host.name'] AS host, \
               abs(dateDiff('second', Timestamp, now())) < 600 AS recent \
               FROM otel_logs WHERE LogAttributes['order.id'] = '7'";
    assert_eq!(
        cairn.rows(one),
        [json!({
            "SeverityText": "error", "SeverityNumber": 17, "ServiceName": "orders",
            "Body": "order 7 failed", "ScopeName": "shop.orders", "ScopeVersion": "0.9.1",
            "LogAttributes": {"order.id": "7", "retryable": "false"},
            "host": "test-host", "recent": 1,
        })]
    );
}

fn check_spans(cairn: &Cairn) {
    let spans = "SELECT SpanName, SpanKind, StatusCode, StatusMessage, ServiceName, SpanAttributes, \
                 Events.Name, Events.Attributes, ParentSpanId = '' AS root FROM otel_traces ORDER BY root DESC";
    assert_eq!(
        cairn.rows(spans),
        [
            json!({
                "SpanName": "GET /orders/{id}", "SpanKind": "Server", "StatusCode": "Unset",
                "StatusMessage": "", "ServiceName": "orders",
                "SpanAttributes": {
                    "http.request.method": "GET", "http.response.status_code": "200",
                    "tags": "[\"a\",\"b\"]",
                },
                "Events.Name": ["queue.wait"], "Events.Attributes": [{"queue.depth": "3"}],
                "root": 1,
            }),
            json!({
                "SpanName": "SELECT orders", "SpanKind": "Client", "StatusCode": "Error",
                "StatusMessage": "connection reset", "ServiceName": "orders",
                "SpanAttributes": {}, "Events.Name": [], "Events.Attributes": [], "root": 0,
            }),
        ]
    );
    let joined = "SELECT count() FROM otel_logs WHERE TraceId IN (SELECT TraceId FROM otel_traces) \
                  AND SpanId IN (SELECT SpanId FROM otel_traces WHERE SpanKind = 'Server')";
    assert_eq!(cairn.value(joined), LOGS, "logs point at their span");
}

fn check_points(cairn: &Cairn) {
    for (sql, expected) in [
        (
            "SELECT MetricName, MetricUnit, Attributes, Value, AggregationTemporality, IsMonotonic \
             FROM otel_metrics_sum WHERE ServiceName = 'orders' AND MetricName LIKE 'orders.%'",
            "orders.placed\t{order}\t{'shop.region':'eu'}\t3\t2\ttrue",
        ),
        (
            "SELECT MetricName, Value FROM otel_metrics_gauge WHERE MetricName = 'queue.fill'",
            "queue.fill\t0.75",
        ),
        (
            "SELECT MetricName, MetricUnit, Count, Sum, BucketCounts, ExplicitBounds, Min, Max \
             FROM otel_metrics_histogram WHERE MetricName = 'orders.duration'",
            "orders.duration\tms\t3\t555\t[1,1,1]\t[10,100]\t5\t500",
        ),
    ] {
        assert_eq!(cairn.value(sql), expected);
    }
}

fn copy(file: &Path, folder: &Path) {
    let name = file.file_name().expect("a file has a name");
    std::fs::copy(file, folder.join(name)).expect("the target folder can be written");
}
