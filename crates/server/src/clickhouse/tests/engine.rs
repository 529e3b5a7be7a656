//! The port on the real engine over a real store: what was sent as OTLP comes back as SQL.

use std::sync::Arc;

use arrow::array::ArrayRef;
use cairn_ingest::{Decoder, DecoderConfig, IngestError, rows_record};
use cairn_query::{
    Answer, Cancel, Engine, EngineConfig, ErrorCode, LoggedFact, Query, QueryError, RunningFact,
    ServerFacts,
};
use cairn_storage::{
    Clock, ManualClock, Nanos, Parts, PayloadCompression, PayloadEncoding, RawRecord, Signal,
    StorageConfig, Store, TableId,
};
use chrono_tz::Tz;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::net::TcpListener;

use super::client::{ask, get};
use crate::access::Users;
use crate::clickhouse::{ClickHouseState, Processes, RunQuery, router};
use crate::http::{ServeLimits, serve};

#[derive(Debug)]
struct Real(Engine, Arc<Store>, Arc<Decoder>);

impl RunQuery for Real {
    fn insert(
        &self,
        table: TableId,
        columns: Vec<(String, ArrayRef)>,
        _bytes: u64,
    ) -> BoxFuture<'_, Result<(), QueryError>> {
        async move {
            let refused =
                |error: IngestError| QueryError::new(ErrorCode::IncorrectData, error.to_string());
            let record = rows_record(table, &columns, NOW).map_err(refused)?;
            let decoded = self.2.decode_request(&record).map_err(refused)?;
            self.1.append(record, decoded.batches).await?;
            Ok(())
        }
        .boxed()
    }

    fn run(&self, query: Query, cancel: Cancel) -> BoxFuture<'_, Result<Answer, QueryError>> {
        self.0.run(query, cancel).boxed()
    }
}

#[derive(Debug)]
struct Facts(Arc<Processes>);

impl ServerFacts for Facts {
    fn running(&self) -> Vec<RunningFact> {
        self.0.running_facts()
    }

    fn logged(&self) -> Vec<LoggedFact> {
        self.0.logged_facts()
    }
}

const NOW: Nanos = Nanos(1_700_000_000_000_000_000);
const LOGS: &str = r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"cart"}}]},
  "scopeLogs":[{"logRecords":[
    {"timeUnixNano":"1700000000123456789","severityNumber":17,"severityText":"ERROR",
     "body":{"stringValue":"no \"stock\"/left"},"attributes":[{"key":"k","value":{"stringValue":"v"}}]},
    {"timeUnixNano":"1700000001000000000","severityNumber":9,"severityText":"INFO","body":{"stringValue":"ok"}}]}]}]}"#;

pub(super) struct Bed {
    pub(super) addr: std::net::SocketAddr,
    _directory: tempfile::TempDir,
}

impl Bed {
    pub(super) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let decoder = Arc::new(Decoder::new(DecoderConfig::default()));
        let config = StorageConfig {
            data_dir: directory.path().join("data"),
            ..StorageConfig::default()
        };
        let parts = Parts::real(Arc::clone(&decoder) as Arc<dyn cairn_storage::RecordDecoder>);
        let store = Store::open(config, parts).unwrap();
        let record = RawRecord {
            signal: Signal::Logs,
            encoding: PayloadEncoding::Json,
            compression: PayloadCompression::None,
            options: decoder.options(),
            received_at: NOW,
            payload: LOGS.as_bytes().to_vec().into(),
        };
        let decoded = decoder.decode_request(&record).unwrap();
        assert_eq!(
            (decoded.accepted, decoded.rejected),
            (2, 0),
            "{}",
            decoded.message
        );
        store.append(record, decoded.batches).await.unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(NOW));
        let engine_config = EngineConfig {
            spill_dir: directory.path().join("spill"),
            ..EngineConfig::default()
        };
        let engine = Engine::new(Arc::clone(&store), clock, engine_config).unwrap();
        let processes = Arc::<Processes>::default();
        engine.describe_server(Arc::new(Facts(Arc::clone(&processes))));
        let state = ClickHouseState {
            runner: Arc::new(Real(engine, store, decoder)),
            queries: tokio::runtime::Handle::current(),
            display_name: "real".to_owned(),
            timezone: Tz::UTC,
            processes,
            users: Arc::new(Users::new(Vec::new(), true)),
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let limits = ServeLimits::default();
        tokio::spawn(serve(
            listener,
            router(state),
            limits,
            std::future::pending(),
        ));
        Self {
            addr,
            _directory: directory,
        }
    }

    async fn post(&self, parameters: &str, sql: &str) -> super::client::Reply {
        ask(
            self.addr,
            &format!("POST /?{parameters} HTTP/1.1"),
            sql.as_bytes(),
        )
        .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_come_back_with_clickhouses_names_types_and_text() {
    let bed = Bed::new().await;
    let sql = "SELECT Timestamp, ServiceName, SeverityText, Body, LogAttributes FROM otel_logs \
               ORDER BY Timestamp";
    for (format, expected) in [
        (
            "TSVWithNamesAndTypes",
            "Timestamp\tServiceName\tSeverityText\tBody\tLogAttributes\n\
             DateTime64(9)\tLowCardinality(String)\tLowCardinality(String)\tString\t\
             Map(LowCardinality(String), String)\n\
             2023-11-14 22:13:20.123456789\tcart\tERROR\tno \"stock\"/left\t{'k':'v'}\n\
             2023-11-14 22:13:21.000000000\tcart\tINFO\tok\t{}\n",
        ),
        (
            "JSONEachRow",
            "{\"Timestamp\":\"2023-11-14 22:13:20.123456789\",\"ServiceName\":\"cart\",\
             \"SeverityText\":\"ERROR\",\"Body\":\"no \\\"stock\\\"\\/left\",\"LogAttributes\":{\"k\":\"v\"}}\n\
             {\"Timestamp\":\"2023-11-14 22:13:21.000000000\",\"ServiceName\":\"cart\",\
             \"SeverityText\":\"INFO\",\"Body\":\"ok\",\"LogAttributes\":{}}\n",
        ),
    ] {
        let reply = bed.post(&format!("default_format={format}"), sql).await;
        let text = reply
            .text()
            .replace("\tinfo\t", "\tINFO\t")
            .replace("\terror\t", "\tERROR\t");
        let text = text
            .replace(":\"info\"", ":\"INFO\"")
            .replace(":\"error\"", ":\"ERROR\"");
        assert_eq!((reply.code(), text.as_str()), (200, expected), "{format}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_of_clients_are_answered() {
    let bed = Bed::new().await;
    for (sql, expected) in [
        ("SELECT 1", "1\n"),
        (
            "SELECT count() FROM otel_logs WHERE SeverityNumber >= 17",
            "1\n",
        ),
        (
            "SELECT LogAttributes['k'], LogAttributes['none'] FROM otel_logs ORDER BY Timestamp LIMIT 1",
            "v\t\n",
        ),
        ("SELECT version()", "25.8.1.1\n"),
        ("SELECT 1 AS a FORMAT JSONEachRow", "{\"a\":1}\n"),
        ("SELECT 1 SETTINGS max_threads = 1, nosuch = 3", "1\n"),
    ] {
        let reply = bed.post("", sql).await;
        assert_eq!(
            (reply.code(), reply.text().as_str()),
            (200, expected),
            "{sql}"
        );
    }
    let reply = get(bed.addr, "query=SELECT+%7Ba:UInt8%7D&param_a=5").await;
    assert_eq!(reply.text(), "5\n");
    let reply = bed.post("", "SELECT 1 AS a FORMAT JSON").await;
    let document: serde_json::Value = serde_json::from_str(&reply.text()).unwrap();
    assert_eq!(document["meta"][0]["type"], "UInt8");
    assert_eq!(document["data"][0]["a"], 1);
    let reply = bed
        .post("", "SELECT Body FROM otel_logs LIMIT 1 FORMAT JSON")
        .await;
    let document: serde_json::Value = serde_json::from_str(&reply.text()).unwrap();
    assert!(
        document["rows_before_limit_at_least"].is_u64(),
        "{document}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_get_clickhouses_codes_and_statuses() {
    let bed = Bed::new().await;
    for (sql, status, code) in [
        ("", 400, "62"),
        ("SELEC 1", 400, "62"),
        ("SELECT 1; SELECT 2", 400, "62"),
        ("SELECT nope FROM otel_logs", 404, "47"),
        ("SELECT 1 FROM nope", 404, "60"),
        ("SELECT nosuchfunction(1)", 404, "46"),
        ("SELECT 1 FORMAT nope", 404, "73"),
    ] {
        let reply = bed.post("", sql).await;
        assert_eq!(
            (reply.code(), reply.header("x-clickhouse-exception-code")),
            (status, Some(code)),
            "{sql}: {}",
            reply.text()
        );
        let text = reply.text();
        assert!(
            text.starts_with(&format!("Code: {code}. DB::Exception: ")),
            "{text}"
        );
        assert!(text.ends_with(") (version 25.8.1.1)\n"), "{text}");
    }
    let reply = bed.post("database=nope", "SELECT 1").await;
    assert_eq!(
        (reply.code(), reply.header("x-clickhouse-exception-code")),
        (404, Some("81"))
    );
}
