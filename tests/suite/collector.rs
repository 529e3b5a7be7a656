//! The real OpenTelemetry Collector stands between an SDK and the server: it relays every signal, and while the server is
//! killed and started again it keeps what it has, so that everything arrives.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::install::{installed, interop, run};
use crate::senders::go_sender;
use crate::server::{Cairn, Process, folder};

/// Log records that the SDK sends, a little over two seconds long.
const LOGS: u64 = 3_000;
const DEADLINE: Duration = Duration::from_secs(90);
const NEED: &str = "Go 1.26";

/// The Collector, built by its own builder out of the pinned modules.
fn build() -> PathBuf {
    let recipe = interop("collector").join("builder.yaml");
    let text = std::fs::read_to_string(&recipe).expect("the recipe");
    let version = text.split("version: ").nth(1).expect("a version");
    let version = version.split_whitespace().next().expect("a version");
    let home = installed("collector", std::slice::from_ref(&recipe), |home| {
        let builder = format!("go.opentelemetry.io/collector/cmd/builder@v{version}");
        let mut build = Command::new("go");
        build.args(["run", &builder, "--config"]).arg(&recipe);
        build.arg("--output-path").arg(home.join("dist"));
        run(build.current_dir(home), NEED);
    });
    home.join("dist").join("otelcol-test")
}

/// A running Collector. It dies with the test.
struct Collector {
    child: Child,
    grpc: SocketAddr,
}

impl Collector {
    fn start(program: &Path, cairn: &Cairn) -> Self {
        let [grpc, http] = [0, 1].map(|_| free_port());
        let child = Command::new(program)
            .arg("--config")
            .arg(interop("collector").join("config.yaml"))
            .env("TAKE_GRPC", grpc.to_string())
            .env("TAKE_HTTP", http.to_string())
            .env("CAIRN_GRPC", cairn.otlp_grpc.to_string())
            .env("CAIRN_HTTP", cairn.otlp_http.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the Collector starts");
        let collector = Self { child, grpc };
        let until = Instant::now() + DEADLINE;
        while TcpStream::connect(grpc).is_err() {
            assert!(Instant::now() < until, "the Collector does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        collector
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn free_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address")
}

#[test]
fn the_collector_relays_every_signal_across_a_killed_server() {
    let program = build();
    let sender = go_sender();
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    let ports = [
        cairn.clickhouse,
        cairn.otlp_grpc,
        cairn.otlp_http,
        cairn.ops,
    ];
    let ports = ports.map(|port| port.to_string());
    let collector = Collector::start(&program, &cairn);
    let endpoint = format!("http://{}", collector.grpc);
    let count = LOGS.to_string();
    let mut sending = Command::new(sender)
        .args(["grpc", &endpoint, "orders", "unused", &count, "700us"])
        .stdout(Stdio::null())
        .spawn()
        .expect("the sender starts");
    let arrived = |cairn: &Cairn| {
        let value = cairn.value("SELECT uniqExact(Body) FROM otel_logs");
        value.parse::<u64>().expect("a number")
    };
    wait(|| arrived(&cairn) >= 300, "the first records");
    cairn.kill();
    // While it is away the SDK goes on and the Collector holds what it gets.
    let ended = sending.wait().expect("the sender ends");
    assert!(ended.success(), "the SDK never notices");
    let addresses = ports.each_ref().map(String::as_str);
    let cairn = Cairn::ready(Process::spawn_on(addresses, dir.path(), &[]));
    wait(|| arrived(&cairn) == LOGS, "every record");
    let spans = "SELECT count(), uniqExact(SpanId) FROM otel_traces";
    wait(|| cairn.value(spans) == "2\t2", "both spans");
    let points = "SELECT count() FROM otel_metrics_histogram WHERE MetricName = 'orders.duration'";
    wait(|| cairn.value(points) == "1", "the metrics");
    let rows: u64 = cairn
        .value("SELECT count() FROM otel_logs")
        .parse()
        .expect("a number");
    // Twice can only be what was durable and not yet acknowledged at the kill: a batch or two in flight.
    let doubled = rows - LOGS;
    assert!(doubled <= 2_000, "{doubled} records came twice");
    println!(
        "opentelemetry-collector {} relayed {LOGS} records across a kill, {doubled} came twice: ok",
        version(&program)
    );
}

fn wait(mut done: impl FnMut() -> bool, what: &str) {
    let until = Instant::now() + DEADLINE;
    while !done() {
        assert!(Instant::now() < until, "waited too long for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn version(program: &Path) -> String {
    let output = run(Command::new(program).arg("--version"), NEED);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace()
        .last()
        .unwrap_or_default()
        .to_owned()
}
