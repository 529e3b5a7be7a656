//! A running server: started on free ports and a folder of its own, asked over HTTP, stopped or
//! killed. It dies with the test.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::http::{self, Response};

/// Start, replay included, on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(120);
/// The server promises 10 s; the rest is for the machine.
const STOP_DEADLINE: Duration = Duration::from_secs(20);
/// Lines of log that wait for the test; the reader never stops the server by not reading.
const LOG_LINES: usize = 100_000;

/// A server and its folder.
#[derive(Debug)]
pub(crate) struct Cairn {
    process: Process,
    pub(crate) clickhouse: SocketAddr,
    pub(crate) otlp_grpc: SocketAddr,
    pub(crate) otlp_http: SocketAddr,
    pub(crate) ops: SocketAddr,
}

/// The server's process and what it logged.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    lines: Receiver<Value>,
    log: Arc<Mutex<String>>,
}

/// An empty folder for one server.
pub(crate) fn folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("cairn-test-")
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .expect("a temporary folder")
}

impl Process {
    /// Starts `cairn serve` and waits for nothing.
    pub(crate) fn spawn(data_dir: &Path, flags: &[&str]) -> Self {
        Self::spawn_on(["127.0.0.1:0"; 4], data_dir, flags)
    }

    /// The same on these addresses: SQL, OTLP over gRPC, OTLP over HTTP, probes.
    pub(crate) fn spawn_on(addresses: [&str; 4], data_dir: &Path, flags: &[&str]) -> Self {
        // Built by this package from the server's own `main.rs`, so that it is never stale.
        let mut command = Command::new(env!("CARGO_BIN_EXE_cairn-under-test"));
        command.arg("serve").arg("--data-dir").arg(data_dir);
        let ports = ["clickhouse", "otlp-grpc", "otlp-http", "ops"];
        for (port, address) in ports.into_iter().zip(addresses) {
            command.arg(format!("--{port}-addr")).arg(address);
        }
        command.args(["--log-format", "json", "--max-memory-bytes", "768MiB"]);
        command.args(flags);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let stderr = BufReader::new(child.stderr.take().expect("standard error is piped"));
        let (send, lines) = sync_channel(LOG_LINES);
        let log = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&log);
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let parsed = serde_json::from_str(&line).unwrap_or(Value::Null);
                let mut log = kept.lock().expect("the log");
                log.push_str(&line);
                log.push('\n');
                drop(log);
                let _full_or_gone = send.try_send(parsed);
            }
        });
        Self { child, lines, log }
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().expect("the log").clone()
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self, deadline: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + deadline;
        loop {
            if let Some(status) = self.child.try_wait().expect("the process can be asked") {
                return Some(status);
            }
            if Instant::now() >= until {
                return None;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    pub(crate) fn kill(&mut self) {
        let _already_gone = self.child.kill();
        self.child.wait().expect("the process ends");
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.child.id().to_string())
            .status()
            .expect("`kill` is there");
        assert!(status.success(), "the process takes a signal");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            println!("--- log of the server\n{}", self.log());
        }
    }
}

impl Cairn {
    /// Starts a server on `data_dir` and waits until it is ready.
    pub(crate) fn start(data_dir: &Path, flags: &[&str]) -> Self {
        Self::ready(Process::spawn(data_dir, flags))
    }

    /// Waits until a spawned process is ready.
    pub(crate) fn ready(process: Process) -> Self {
        let until = Instant::now() + START_DEADLINE;
        let mut ports: [Option<SocketAddr>; 4] = [None; 4];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = match process.lines.recv_timeout(left) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => panic!("not ready in time:\n{}", process.log()),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended:\n{}", process.log()),
            };
            match line["message"].as_str() {
                Some("listening") => {
                    let role = line["role"].as_str().unwrap_or("");
                    let known = ["clickhouse", "otlp_grpc", "otlp_http", "ops"];
                    let place = known
                        .iter()
                        .position(|name| *name == role)
                        .expect("a known role");
                    ports[place] = line["addr"].as_str().and_then(|addr| addr.parse().ok());
                }
                Some("ready") => break,
                _ => {}
            }
        }
        let [
            Some(clickhouse),
            Some(otlp_grpc),
            Some(otlp_http),
            Some(ops),
        ] = ports
        else {
            panic!("ports were not logged:\n{}", process.log());
        };
        Self {
            process,
            clickhouse,
            otlp_grpc,
            otlp_http,
            ops,
        }
    }

    /// The answer to a query, whatever it is.
    pub(crate) fn query(&self, sql: &str) -> Response {
        http::post(self.clickhouse, "/", &[], sql.as_bytes())
    }

    /// The rows of a query that must succeed.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Value> {
        let response = self.query(&format!("{sql} FORMAT JSONEachRow"));
        let text = response.text();
        assert!(response.status == 200 && response.complete, "{sql}\n{text}");
        let parse = |line| serde_json::from_str(line).expect("a JSON row");
        text.lines().map(parse).collect()
    }

    /// The only value of a query that must succeed, as TabSeparated text.
    pub(crate) fn value(&self, sql: &str) -> String {
        let response = self.query(sql);
        let text = response.text();
        assert!(response.status == 200 && response.complete, "{sql}\n{text}");
        text.trim_end_matches('\n').to_owned()
    }

    /// Sends OTLP/JSON that must be accepted in full.
    pub(crate) fn send_json(&self, path: &str, body: &Value) {
        let headers = [("Content-Type", "application/json")];
        let response = http::post(self.otlp_http, path, &headers, body.to_string().as_bytes());
        let text = response.text();
        assert_eq!(response.status, 200, "{text}");
        assert!(!text.contains("rejected"), "{text}");
    }

    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.process.kill();
    }

    /// SIGTERM, then a clean end in time.
    pub(crate) fn stop(mut self) {
        self.process.signal("TERM");
        let status = self.process.wait(STOP_DEADLINE).expect("it stops in time");
        assert!(status.success(), "{status}\n{}", self.log());
    }
}

/// Files below `folder` whose name ends in `suffix`.
pub(crate) fn files_below(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files_below(&path, suffix));
        } else if path.to_string_lossy().ends_with(suffix) {
            found.push(path);
        }
    }
    found.sort();
    found
}
