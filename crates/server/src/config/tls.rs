//! The settings of TLS, checked together: a certificate needs its key, and the other way round.

use std::path::PathBuf;

use super::error::ConfigError;
use super::raw::RawConfig;
use super::settings::Key;

/// TLS as it was asked for. The files are read when the server starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsConfig {
    /// The server's certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Roots of the clients' certificates.
    pub client_roots: Option<PathBuf>,
    /// Which ports speak it.
    pub ports: TlsPorts,
}

/// Which ports speak TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TlsPorts(u8);

/// A port of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsPort {
    /// SQL over HTTP.
    Clickhouse,
    /// OTLP/gRPC.
    OtlpGrpc,
    /// OTLP/HTTP.
    OtlpHttp,
    /// Probes and metrics.
    Ops,
}

impl TlsPort {
    const ALL: [Self; 4] = [Self::Clickhouse, Self::OtlpGrpc, Self::OtlpHttp, Self::Ops];

    fn name(self) -> &'static str {
        match self {
            Self::Clickhouse => "clickhouse",
            Self::OtlpGrpc => "otlp-grpc",
            Self::OtlpHttp => "otlp-http",
            Self::Ops => "ops",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::Clickhouse => 1,
            Self::OtlpGrpc => 2,
            Self::OtlpHttp => 4,
            Self::Ops => 8,
        }
    }
}

impl TlsPorts {
    /// Whether `port` is among them.
    #[must_use]
    pub fn contains(self, port: TlsPort) -> bool {
        self.0 & port.bit() != 0
    }

    /// All but the one of probes.
    fn usual() -> Self {
        Self(TlsPort::Clickhouse.bit() | TlsPort::OtlpGrpc.bit() | TlsPort::OtlpHttp.bit())
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut ports = Self::default();
        for name in text.split(',').map(str::trim) {
            let known = TlsPort::ALL.into_iter().find(|port| port.name() == name);
            let port = known.ok_or_else(|| {
                format!("`{name}` is no port; write some of `clickhouse,otlp-grpc,otlp-http,ops`")
            })?;
            ports.0 |= port.bit();
        }
        Ok(ports)
    }
}

/// TLS, when there is a certificate.
pub(super) fn resolve_tls(raw: &RawConfig) -> Result<Option<TlsConfig>, ConfigError> {
    let path = |key: Key| {
        let value = raw.get(key)?;
        (value.text != "none").then(|| PathBuf::from(&value.text))
    };
    let refused = |key: Key, problem: &str| {
        let value = raw.get(key);
        ConfigError::Value {
            origin: value.map_or_else(String::new, |value| value.origin.to_string()),
            value: value.map_or_else(String::new, |value| value.text.clone()),
            problem: problem.to_owned(),
        }
    };
    let ports = match raw.get(Key::TlsPorts) {
        None => TlsPorts::usual(),
        Some(value) => {
            TlsPorts::parse(&value.text).map_err(|problem| refused(Key::TlsPorts, &problem))?
        }
    };
    match (path(Key::TlsCert), path(Key::TlsPrivate)) {
        (Some(certificate), Some(key)) => Ok(Some(TlsConfig {
            certificate,
            key,
            client_roots: path(Key::TlsClientCa),
            ports,
        })),
        (Some(_), None) => Err(refused(
            Key::TlsCert,
            "a certificate needs its key; name it with `--tls-key`",
        )),
        (None, Some(_)) => Err(refused(
            Key::TlsPrivate,
            "a key needs its certificate; name it with `--tls-cert`",
        )),
        (None, None) if path(Key::TlsClientCa).is_some() => Err(refused(
            Key::TlsClientCa,
            "clients can only show a certificate over TLS; name the server's with `--tls-cert` and `--tls-key`",
        )),
        (None, None) => Ok(None),
    }
}
