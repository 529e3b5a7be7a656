//! Every setting of the server, once: name, default, help. The command line, the environment, the
//! configuration file and `docs/configuration.md` are all made from this table.

/// One setting. Its flag is `--data-dir`, its variable `CAIRN_DATA_DIR`, its file key `data_dir`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Key {
    DataDir,
    ClickhouseAddr,
    OtlpGrpcAddr,
    OtlpHttpAddr,
    OpsAddr,
    AllowAnonymous,
    TlsCert,
    TlsPrivate,
    TlsClientCa,
    TlsPorts,
    IngestTokens,
    OtlpCorsOrigins,
    LogsNormalize,
    MaxMemoryBytes,
    MaxDiskBytes,
    MinFreeBytes,
    Retention,
    RetentionLogs,
    RetentionTraces,
    RetentionMetrics,
    MaxLogsBytes,
    MaxTracesBytes,
    MaxMetricsBytes,
    MaxRequestBytes,
    MemtableAge,
    MergeAfter,
    AckDeadline,
    MaxExecutionTime,
    QueryThreads,
    ShutdownDeadline,
    LogFormat,
    LogLevel,
}

/// What the table says about one setting.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) key: Key,
    /// In kebab case; the other spellings follow from it.
    pub(crate) name: &'static str,
    /// What stands for the value in the help: `DIR`, `ADDR`, `SIZE`, …
    pub(crate) value_name: &'static str,
    /// The default as a reader would write it.
    pub(crate) default: &'static str,
    /// The heading it stands under.
    pub(crate) group: &'static str,
    /// One sentence, for `-h`.
    pub(crate) short: &'static str,
    /// What else there is to know, for `--help` and the reference.
    pub(crate) long: &'static str,
}

const LISTEN: &str = "Listeners";
const STORAGE: &str = "Storage";
const INGEST: &str = "Ingest";
const QUERY: &str = "Queries";
const PROCESS: &str = "Process and logs";

/// The table, in the order of the help.
pub(crate) const SETTINGS: [Setting; 32] = [
    Setting {
        key: Key::DataDir,
        name: "data-dir",
        value_name: "DIR",
        default: "./cairn-data",
        group: STORAGE,
        short: "Directory that holds the WAL, the Parquet segments and the manifest",
        long: "Created when missing. One process at a time may use it; a second one refuses to start.",
    },
    Setting {
        key: Key::MaxDiskBytes,
        name: "max-disk-bytes",
        value_name: "SIZE",
        default: "none",
        group: STORAGE,
        short: "Most bytes the data directory may take, for example 40GiB",
        long: "Everything counts: WAL, segments, manifest, temporary, quarantined and spilled files. Near it the \
               oldest segments are dropped. When that does not help, ingest answers `503` (retryable) \
               until there is space again. At least 64MiB. `none` leaves the size of the volume and \
               `--min-free-bytes`.",
    },
    Setting {
        key: Key::MinFreeBytes,
        name: "min-free-bytes",
        value_name: "SIZE",
        default: "5 % of the volume, from 256MiB to 2GiB, at most a quarter",
        group: STORAGE,
        short: "Bytes that stay free on the volume, whoever fills it",
        long: "Below it the oldest segments are dropped; below half of it ingest answers `503` (retryable). `0` \
               switches it off.",
    },
    Setting {
        key: Key::Retention,
        name: "retention",
        value_name: "DURATION",
        default: "none",
        group: STORAGE,
        short: "How long rows are kept, for example 30d",
        long: "A segment is dropped when its newest row is older. `none` keeps rows until space is short. A clock \
               that jumps ahead by more than an hour drops nothing for a day.",
    },
    Setting {
        key: Key::RetentionLogs,
        name: "retention-logs",
        value_name: "DURATION",
        default: "as --retention",
        group: STORAGE,
        short: "How long log records are kept",
        long: "",
    },
    Setting {
        key: Key::RetentionTraces,
        name: "retention-traces",
        value_name: "DURATION",
        default: "as --retention",
        group: STORAGE,
        short: "How long spans are kept",
        long: "",
    },
    Setting {
        key: Key::RetentionMetrics,
        name: "retention-metrics",
        value_name: "DURATION",
        default: "as --retention",
        group: STORAGE,
        short: "How long data points are kept",
        long: "",
    },
    Setting {
        key: Key::MaxLogsBytes,
        name: "max-logs-bytes",
        value_name: "SIZE",
        default: "none",
        group: STORAGE,
        short: "Most bytes of log segments; the oldest go",
        long: "",
    },
    Setting {
        key: Key::MaxTracesBytes,
        name: "max-traces-bytes",
        value_name: "SIZE",
        default: "none",
        group: STORAGE,
        short: "Most bytes of span segments; the oldest go",
        long: "",
    },
    Setting {
        key: Key::MaxMetricsBytes,
        name: "max-metrics-bytes",
        value_name: "SIZE",
        default: "none",
        group: STORAGE,
        short: "Most bytes of the segments of each metrics table; the oldest go",
        long: "",
    },
    Setting {
        key: Key::MemtableAge,
        name: "memtable-age",
        value_name: "DURATION",
        default: "5m",
        group: STORAGE,
        short: "Longest time rows stay in memory before they are written as a segment",
        long: "Rows are durable in the WAL and visible to queries from the start; this only decides how many \
               segments there are. At least 1s.",
    },
    Setting {
        key: Key::MergeAfter,
        name: "merge-after",
        value_name: "COUNT",
        default: "8",
        group: STORAGE,
        short: "Segments of a table and day that are merged into one as soon as there are so many",
        long: "Merging runs in the background at low priority. A row is written three times at most: when it is \
               flushed, with its neighbours in time, and into a sealed segment of the day. Fewer means fewer \
               files and more writing. From 2 to 64.",
    },
    Setting {
        key: Key::ClickhouseAddr,
        name: "clickhouse-addr",
        value_name: "ADDR",
        default: "127.0.0.1:8123",
        group: LISTEN,
        short: "Where ClickHouse SQL over HTTP is served",
        long: "Port 0 takes a free port; the chosen one is logged. An address that other machines reach needs \
               users, or `--allow-anonymous`.",
    },
    Setting {
        key: Key::OtlpGrpcAddr,
        name: "otlp-grpc-addr",
        value_name: "ADDR",
        default: "127.0.0.1:4317",
        group: LISTEN,
        short: "Where OTLP/gRPC is received (logs, traces, metrics)",
        long: "Port 0 takes a free port; the chosen one is logged.",
    },
    Setting {
        key: Key::OtlpHttpAddr,
        name: "otlp-http-addr",
        value_name: "ADDR",
        default: "127.0.0.1:4318",
        group: LISTEN,
        short: "Where OTLP/HTTP is received (`/v1/logs`, `/v1/traces`, `/v1/metrics`; protobuf and JSON)",
        long: "Port 0 takes a free port; the chosen one is logged.",
    },
    Setting {
        key: Key::OpsAddr,
        name: "ops-addr",
        value_name: "ADDR",
        default: "127.0.0.1:9363",
        group: LISTEN,
        short: "Where `/livez`, `/readyz` and `/metrics` (Prometheus text) are served",
        long: "Port 0 takes a free port; the chosen one is logged.",
    },
    Setting {
        key: Key::AllowAnonymous,
        name: "allow-anonymous",
        value_name: "BOOL",
        default: "false",
        group: LISTEN,
        short: "Let everybody who reaches the SQL port in as `default`, without a password",
        long: "Without users this is so on a loopback address. Elsewhere everybody who reaches the port could read \
               all telemetry, so it has to be said explicitly: use it only behind a network policy or a proxy \
               that authenticates. Better: configure users (below).",
    },
    Setting {
        key: Key::TlsCert,
        name: "tls-cert",
        value_name: "FILE",
        default: "none",
        group: LISTEN,
        short: "Certificate of the server as PEM, with those between it and its root; turns TLS on",
        long: "Needs `--tls-key`. The files are looked at every 10 seconds and read again when they change; connections \
               that are open go on.",
    },
    Setting {
        key: Key::TlsPrivate,
        name: "tls-key",
        value_name: "FILE",
        default: "none",
        group: LISTEN,
        short: "Key of the server's certificate as PEM",
        long: "",
    },
    Setting {
        key: Key::TlsClientCa,
        name: "tls-client-ca",
        value_name: "FILE",
        default: "none",
        group: LISTEN,
        short: "Roots as PEM of which every client must show a certificate",
        long: "Without it everybody may connect. It says who may connect, not who asks: users and tokens are still \
               asked for.",
    },
    Setting {
        key: Key::TlsPorts,
        name: "tls-ports",
        value_name: "LIST",
        default: "clickhouse,otlp-grpc,otlp-http",
        group: LISTEN,
        short: "Ports that speak TLS once there is a certificate, of `clickhouse`, `otlp-grpc`, `otlp-http` and `ops`",
        long: "A port speaks TLS or plain HTTP, never both. `cairn healthcheck` speaks plain HTTP only, so leave `ops` \
               out where it is used.",
    },
    Setting {
        key: Key::IngestTokens,
        name: "ingest-tokens",
        value_name: "LIST",
        default: "none",
        group: INGEST,
        short: "Tokens of which senders of telemetry must show one, separated by commas",
        long: "A sender shows it in the header `authorization`: alone, as `Bearer`, or as the password of `Basic`. \
               Each is a text of at least 16 characters, or `sha256:` and the digest of one in hex. Give them in the \
               environment or the file rather than in a flag, which other users of the machine can see. `none` asks \
               nobody.",
    },
    Setting {
        key: Key::OtlpCorsOrigins,
        name: "otlp-cors-origins",
        value_name: "LIST",
        default: "none",
        group: INGEST,
        short: "Web pages that may send telemetry over OTLP/HTTP, as origins separated by commas",
        long: "For SDKs in browsers: `https://shop.example.org`, or `*` for all pages. `none` lets no page.",
    },
    Setting {
        key: Key::LogsNormalize,
        name: "logs-normalize",
        value_name: "MODE",
        default: "clickstack",
        group: INGEST,
        short: "How log records are tidied before they are stored: `clickstack` or `off`",
        long: "`clickstack` merges JSON bodies into LogAttributes, infers a missing severity from attributes or \
               the body and writes SeverityText in lower case. `off` stores records as they came.",
    },
    Setting {
        key: Key::MaxRequestBytes,
        name: "max-request-bytes",
        value_name: "SIZE",
        default: "64MiB",
        group: INGEST,
        short: "Largest OTLP request, after decompression",
        long: "A larger one is refused with `413` / RESOURCE_EXHAUSTED. From 64KiB to 64MiB.",
    },
    Setting {
        key: Key::AckDeadline,
        name: "ack-deadline",
        value_name: "DURATION",
        default: "5s",
        group: INGEST,
        short: "Longest time a sender waits until its records are durable",
        long: "Then it gets `503` / UNAVAILABLE and retries; the outcome of that request is unknown.",
    },
    Setting {
        key: Key::MaxExecutionTime,
        name: "max-execution-time",
        value_name: "DURATION",
        default: "60s",
        group: QUERY,
        short: "Longest time a query may run",
        long: "A query can ask for less with the setting `max_execution_time`.",
    },
    Setting {
        key: Key::QueryThreads,
        name: "query-threads",
        value_name: "COUNT",
        default: "one for each core",
        group: QUERY,
        short: "Threads that run queries, apart from those that receive telemetry",
        long: "They run at a lower priority than ingest. From 1 to 64.",
    },
    Setting {
        key: Key::MaxMemoryBytes,
        name: "max-memory-bytes",
        value_name: "SIZE",
        default: "the container's limit, else a quarter of the machine (512MiB to 4GiB)",
        group: PROCESS,
        short: "Memory the process may plan with, for example 2GiB",
        long: "Memtables, requests in flight and queries get fixed shares of it. At least 256MiB.",
    },
    Setting {
        key: Key::ShutdownDeadline,
        name: "shutdown-deadline",
        value_name: "DURATION",
        default: "10s",
        group: PROCESS,
        short: "Longest time a stop may take after SIGTERM or Ctrl-C",
        long: "Requests in flight are acknowledged or refused and memtables are flushed as far as the time \
               allows; the WAL covers the rest. A second signal stops at once.",
    },
    Setting {
        key: Key::LogFormat,
        name: "log-format",
        value_name: "FORMAT",
        default: "text",
        group: PROCESS,
        short: "Form of our own log lines on standard error: `text` or `json`",
        long: "",
    },
    Setting {
        key: Key::LogLevel,
        name: "log-level",
        value_name: "LEVEL",
        default: "info",
        group: PROCESS,
        short: "error, warn, info, debug, trace or a filter such as `info,cairn_storage=debug`",
        long: "",
    },
];

impl Setting {
    /// `CAIRN_DATA_DIR` for `data-dir`.
    pub(crate) fn env_name(&self) -> String {
        format!("CAIRN_{}", self.name.replace('-', "_").to_ascii_uppercase())
    }

    /// `data_dir` for `data-dir`.
    pub(crate) fn file_key(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Whether the flag may stand alone, meaning `true`.
    pub(crate) fn is_switch(&self) -> bool {
        self.value_name == "BOOL"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_follows_from_the_name() {
        let setting = &SETTINGS[0];
        assert_eq!(setting.env_name(), "CAIRN_DATA_DIR");
        assert_eq!(setting.file_key(), "data_dir");
    }

    #[test]
    fn names_and_keys_stand_in_the_table_once() {
        for (index, setting) in SETTINGS.iter().enumerate() {
            for other in &SETTINGS[..index] {
                assert_ne!(setting.name, other.name);
                assert_ne!(setting.key, other.key);
            }
        }
    }
}
