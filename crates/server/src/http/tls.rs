//! TLS of a port: certificates from files, read again when they change. Speaks no HTTP.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

use super::limits::{MAX_CERTIFICATES, TLS_RELOAD};

/// Where the certificates of a server are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate and those between it and its root, as PEM.
    pub certificate: PathBuf,
    /// The key of the certificate, as PEM.
    pub key: PathBuf,
    /// Roots of which clients must show a certificate, as PEM; none lets everybody connect.
    pub client_roots: Option<PathBuf>,
}

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds no PEM of that kind.
    #[error("cannot read {what} from `{path}`: {reason}")]
    File {
        /// What was looked for.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Certificate and key do not fit, or are of an unknown kind.
    #[error("cannot use the certificate `{path}`: {source}")]
    Unusable {
        /// The certificate.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// The roots of clients cannot be used.
    #[error("cannot use the client roots `{path}`: {reason}")]
    Roots {
        /// The roots.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Size and time of a file: what changes when it is replaced.
type Stamp = Option<(u64, SystemTime)>;

/// TLS with the certificates that were read last.
pub(crate) struct Tls {
    files: TlsFiles,
    current: Mutex<Current>,
}

struct Current {
    acceptor: TlsAcceptor,
    stamps: Vec<Stamp>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files.
    pub(crate) fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let stamps = files.stamps();
        let acceptor = TlsAcceptor::from(Arc::new(files.read()?));
        Ok(Self {
            files,
            current: Mutex::new(Current { acceptor, stamps }),
        })
    }

    /// Shakes hands with a client.
    pub(super) async fn accept(&self, socket: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let acceptor = self.current.lock().acceptor.clone();
        acceptor.accept(socket).await
    }

    /// Reads the files again when they have changed; connections that are open keep what they have. Files that cannot
    /// be used change nothing, and are looked at again when they change.
    pub(crate) fn reload(&self) {
        let stamps = self.files.stamps();
        if self.current.lock().stamps == stamps {
            return;
        }
        let read = self.files.read();
        let mut current = self.current.lock();
        current.stamps = stamps;
        match read {
            Ok(config) => {
                current.acceptor = TlsAcceptor::from(Arc::new(config));
                tracing::info!(certificate = %self.files.certificate.display(), "read the certificates again");
            }
            Err(error) => {
                tracing::warn!(%error, "the certificates changed and cannot be used, going on with the ones before");
            }
        }
    }

    /// Looks at the files now and then, for ever.
    pub(crate) async fn watch(self: Arc<Self>) {
        loop {
            tokio::time::sleep(TLS_RELOAD).await;
            let tls = Arc::clone(&self);
            // The files may be on a slow volume.
            let _looked = tokio::task::spawn_blocking(move || tls.reload()).await;
        }
    }
}

impl TlsFiles {
    fn stamps(&self) -> Vec<Stamp> {
        let stamp = |path: &PathBuf| {
            let found = std::fs::metadata(path).ok()?;
            Some((found.len(), found.modified().ok()?))
        };
        let files = [
            Some(&self.certificate),
            Some(&self.key),
            self.client_roots.as_ref(),
        ];
        files.into_iter().flatten().map(stamp).collect()
    }

    fn read(&self) -> Result<ServerConfig, TlsError> {
        let unusable = |source| TlsError::Unusable {
            path: self.certificate.clone(),
            source,
        };
        let chain = certificates(&self.certificate)?;
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| TlsError::File {
            what: "a private key",
            path: self.key.clone(),
            reason: error.to_string(),
        })?;
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?;
        let builder = match &self.client_roots {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let wrong = |reason: String| TlsError::Roots {
                    path: path.clone(),
                    reason,
                };
                let mut roots = RootCertStore::empty();
                for root in certificates(path)? {
                    roots.add(root).map_err(|error| wrong(error.to_string()))?;
                }
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                        .build()
                        .map_err(|error| wrong(error.to_string()))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_single_cert(chain, key).map_err(unusable)?;
        // gRPC needs HTTP/2 and asks for it here.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |reason: String| TlsError::File {
        what: "certificates",
        path: path.to_owned(),
        reason,
    };
    let found = CertificateDer::pem_file_iter(path).map_err(|error| failed(error.to_string()))?;
    let found: Vec<_> = found
        .take(MAX_CERTIFICATES)
        .collect::<Result<_, _>>()
        .map_err(|error| failed(error.to_string()))?;
    if found.is_empty() {
        return Err(failed("there is no `BEGIN CERTIFICATE` in it".to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::Router;
    use axum::routing::get;
    use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
    use tempfile::TempDir;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::ClientConfig;
    use tokio_rustls::rustls::pki_types::ServerName;

    use super::super::limits::ServeLimits;
    use super::super::serve::serve_with;
    use super::*;

    type Root = CertifiedIssuer<'static, KeyPair>;

    fn root() -> Root {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    /// A certificate for `localhost` and its key.
    fn issued(root: &Root) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, root).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    struct Port {
        addr: SocketAddr,
        tls: Arc<Tls>,
        folder: TempDir,
    }

    fn write(folder: &TempDir, root: &Root) {
        let (certificate, key) = issued(root);
        std::fs::write(folder.path().join("cert.pem"), certificate).unwrap();
        std::fs::write(folder.path().join("key.pem"), key).unwrap();
    }

    async fn port(server_root: &Root, client_root: Option<&Root>) -> Port {
        let folder = tempfile::tempdir().unwrap();
        write(&folder, server_root);
        let client_roots = client_root.map(|root| {
            let path = folder.path().join("clients.pem");
            std::fs::write(&path, root.pem()).unwrap();
            path
        });
        let files = TlsFiles {
            certificate: folder.path().join("cert.pem"),
            key: folder.path().join("key.pem"),
            client_roots,
        };
        let tls = Arc::new(Tls::open(files).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(async || "hello"));
        tokio::spawn(serve_with(
            listener,
            Some(Arc::clone(&tls)),
            router,
            ServeLimits::default(),
            std::future::pending(),
        ));
        Port { addr, tls, folder }
    }

    /// What a client that trusts `root` gets, and the protocol that was agreed on.
    async fn ask(
        addr: SocketAddr,
        root: &Root,
        identity: Option<&Root>,
        protocols: &[&[u8]],
    ) -> io::Result<(String, Option<Vec<u8>>)> {
        let mut roots = RootCertStore::empty();
        roots.add(root.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some(root) => {
                let (certificate, key) = issued(root);
                let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let socket = TcpStream::connect(addr).await?;
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = TlsConnector::from(Arc::new(config))
            .connect(name, socket)
            .await?;
        let agreed = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        if agreed.as_deref() == Some(b"h2") {
            return Ok((String::new(), agreed));
        }
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok((String::from_utf8_lossy(&answer).into_owned(), agreed))
    }

    #[tokio::test]
    async fn a_client_that_trusts_the_root_gets_its_answer_over_tls() {
        let root = root();
        let port = port(&root, None).await;
        let (answer, _) = ask(port.addr, &root, None, &[]).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        assert!(answer.ends_with("hello"), "{answer}");
        let (_, agreed) = ask(port.addr, &root, None, &[b"h2", b"http/1.1"])
            .await
            .unwrap();
        assert_eq!(
            agreed.as_deref(),
            Some(&b"h2"[..]),
            "gRPC clients get HTTP/2"
        );
        assert!(ask(port.addr, &self::root(), None, &[]).await.is_err());
        let mut plain = TcpStream::connect(port.addr).await.unwrap();
        plain
            .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await
            .unwrap();
        let mut answer = Vec::new();
        let _reset = plain.read_to_end(&mut answer).await;
        assert!(!String::from_utf8_lossy(&answer).contains("hello"));
    }

    #[tokio::test]
    async fn clients_show_a_certificate_where_one_is_asked_for() {
        let (root, clients) = (root(), root());
        let port = port(&root, Some(&clients)).await;
        let (answer, _) = ask(port.addr, &root, Some(&clients), &[]).await.unwrap();
        assert!(answer.ends_with("hello"), "{answer}");
        assert!(ask(port.addr, &root, None, &[]).await.is_err());
        assert!(
            ask(port.addr, &root, Some(&self::root()), &[])
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn replaced_certificates_are_used_and_broken_ones_are_not() {
        let (first, second) = (root(), root());
        let port = port(&first, None).await;
        assert!(ask(port.addr, &first, None, &[]).await.is_ok());
        std::fs::write(port.folder.path().join("cert.pem"), "nothing").unwrap();
        port.tls.reload();
        assert!(ask(port.addr, &first, None, &[]).await.is_ok());
        write(&port.folder, &second);
        port.tls.reload();
        assert!(ask(port.addr, &second, None, &[]).await.is_ok());
        assert!(ask(port.addr, &first, None, &[]).await.is_err());
    }

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let files = |certificate: &str, key: &str| TlsFiles {
            certificate: folder.path().join(certificate),
            key: folder.path().join(key),
            client_roots: None,
        };
        let root = root();
        write(&folder, &root);
        std::fs::write(folder.path().join("empty.pem"), "").unwrap();
        std::fs::write(folder.path().join("other.pem"), issued(&root).1).unwrap();
        for (files, named) in [
            (files("missing.pem", "key.pem"), "missing.pem"),
            (files("empty.pem", "key.pem"), "BEGIN CERTIFICATE"),
            (files("cert.pem", "empty.pem"), "empty.pem"),
            (files("cert.pem", "other.pem"), "cert.pem"),
        ] {
            let error = Tls::open(files).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
