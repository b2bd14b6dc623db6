//! What the environment says about proxies and trust. Variables belong to a process, so each test starts itself again
//! in an environment of its own; the part that calls runs there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{env, iter};

use base64::prelude::{BASE64_STANDARD, Engine};
use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, KeyPair, generate_simple_self_signed};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_rustls::TlsAcceptor;

use super::wire::{Server, answer, client, ok, read_request};
use super::{KEY, id};
use crate::heygen::{Effect, Stop};

/// Where the call goes, in the process that makes it.
const BASE: &str = "HEYGEN_CLIENT_TEST_BASE";

/// How often it is repeated there, if not never.
const RETRIES: &str = "HEYGEN_CLIENT_TEST_RETRIES";

/// How long one attempt may take there.
const ATTEMPT: Duration = Duration::from_secs(4);

/// Runs `test` again, with `variables` alone, and answers what the call to `base` printed there.
async fn call_in(test: &str, base: &str, variables: &[(&str, &str)]) -> String {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", &format!("heygen::tests::environment::{test}")])
        .env_clear()
        .env(BASE, base)
        .envs(variables.iter().copied())
        .output()
        .await
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{printed}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(printed.contains("1 passed"), "{printed}");
    printed
}

/// The part that calls: whether this is the process for it.
async fn called() -> bool {
    let Ok(base) = env::var(BASE) else {
        return false;
    };
    let retries = env::var(RETRIES).map_or(0, |count| count.parse().unwrap());
    match client(&base, retries, ATTEMPT).delete(&id("ep_1"), &Stop::new()).await {
        Ok(()) => println!("deleted"),
        Err(failure) => {
            println!("{failure}\n{failure:?}");
            if failure.to_string().contains("could not be reached") {
                assert_eq!(failure.effect, Effect::None);
            }
        }
    }
    true
}

#[tokio::test]
async fn a_proxy_is_asked_for_a_tunnel_and_sees_no_key_and_its_password_is_not_shown() {
    if called().await {
        return;
    }
    let proxy = Server::start(iter::repeat(answer("407 Who Are You", "", ""))).await;
    let test = "a_proxy_is_asked_for_a_tunnel_and_sees_no_key_and_its_password_is_not_shown";
    let printed = call_in(
        test,
        "https://api.example.invalid",
        &[("HTTPS_PROXY", &format!("http://user:hunter2@127.0.0.1:{}", proxy.port))],
    )
    .await;
    assert!(
        printed.contains("the API could not be reached: api.example.invalid: "),
        "{printed}"
    );
    let heads = proxy.requests();
    assert_eq!(heads.len(), 1, "{heads:?}");
    assert!(
        heads[0].starts_with("CONNECT api.example.invalid:443 HTTP/1.1\r\n"),
        "{heads:?}"
    );
    assert!(heads[0].contains(&BASE64_STANDARD.encode("user:hunter2")), "{heads:?}");
    assert!(!heads[0].contains(KEY), "{heads:?}");

    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refusing = format!("http://user:hunter2@{closed}");
    let unusable = "http://user:hunter2@[not-a-host";
    // Loopback spelt so that it does not look like it, so that the proxy is asked.
    let base = format!("https://[::ffff:127.0.0.1]:{}", closed.port());
    for (proxy, says) in [
        (&*refusing, "could not be reached"),
        (unusable, "HTTPS_PROXY does not hold the address of an http proxy"),
    ] {
        let shown = call_in(test, &base, &[("HTTPS_PROXY", proxy), ("ALL_PROXY", proxy)]).await;
        assert!(shown.contains(says), "{shown}");
        assert!(!shown.contains("hunter2") && !shown.contains("user:"), "{shown}");
    }
    assert!(!printed.contains("hunter2") && !printed.contains(KEY), "{printed}");
}

#[tokio::test]
async fn no_proxy_comes_between_this_machine_and_itself() {
    if called().await {
        return;
    }
    let answers = || iter::repeat(ok(&json!({})));
    let (proxy, api) = (Server::start(answers()).await, Server::start(answers()).await);
    let proxied = format!("http://127.0.0.1:{}", proxy.port);
    let printed = call_in(
        "no_proxy_comes_between_this_machine_and_itself",
        &format!("http://127.0.0.1:{}", api.port),
        &[
            ("HTTP_PROXY", &proxied),
            ("http_proxy", &proxied),
            ("ALL_PROXY", &proxied),
        ],
    )
    .await;
    assert!(printed.contains("deleted"), "{printed}");
    assert_eq!((api.requests().len(), proxy.requests().len()), (1, 0));
}

// Elsewhere the system itself verifies, and no variable says what it trusts.
#[cfg(not(any(windows, target_vendor = "apple")))]
#[tokio::test]
async fn https_is_trusted_as_far_as_the_system_says() {
    if called().await {
        return;
    }
    let own = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let mut other = CertificateParams::new(["localhost".to_owned()]).unwrap();
    other.distinguished_name.push(DnType::CommonName, "another one");
    let other = other.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let server = TlsServer::start(&own.cert, &own.signing_key).await;
    let test = "https_is_trusted_as_far_as_the_system_says";
    assert_eq!(server.answers(test, &own.cert).await, "deleted");
    assert_eq!(server.connections(), 1);
    assert_eq!(
        server.answers(test, &other).await,
        "deleting webhook endpoint ep_1: the API's certificate is refused: localhost: it is signed by nobody this machine \
         trusts; add its CA to the system's store or name it in SSL_CERT_FILE"
    );
    assert_eq!(server.connections(), 2, "a certificate does not heal: it is tried once");
}

// Elsewhere the system itself verifies, and no variable says what it trusts.
#[cfg(not(any(windows, target_vendor = "apple")))]
#[tokio::test]
async fn a_cas_certificate_cannot_identify_a_server_even_where_it_is_trusted() {
    if called().await {
        return;
    }
    let test = "a_cas_certificate_cannot_identify_a_server_even_where_it_is_trusted";
    // As plain `openssl req -x509` makes it, with the host's name where it used to stand, and where it belongs.
    for names in [vec![], vec!["localhost".to_owned()]] {
        let mut plain = CertificateParams::new(names).unwrap();
        plain.distinguished_name.push(DnType::CommonName, "localhost");
        plain.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = plain.self_signed(&key).unwrap();
        let server = TlsServer::start(&certificate, &key).await;
        assert_eq!(
            server.answers(test, &certificate).await,
            "deleting webhook endpoint ep_1: the API's certificate is refused: localhost: it is a CA's certificate and \
             cannot identify a server; use one that this CA signs, or make it with basicConstraints=CA:FALSE"
        );
        assert_eq!(server.connections(), 1);
    }
}

// Elsewhere the system itself verifies, and no variable says what it trusts.
#[cfg(not(any(windows, target_vendor = "apple")))]
#[tokio::test]
async fn a_machine_without_root_certificates_is_told_so_and_sends_nothing() {
    if called().await {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let (file, folder) = (NamedTempFile::new().unwrap(), tempfile::tempdir().unwrap());
    let printed = call_in(
        "a_machine_without_root_certificates_is_told_so_and_sends_nothing",
        &base,
        &[
            ("SSL_CERT_FILE", file.path().to_str().unwrap()),
            ("SSL_CERT_DIR", folder.path().to_str().unwrap()),
            (RETRIES, "2"),
        ],
    )
    .await;
    assert!(
        printed.contains("effect: None") && printed.contains("attempts: 1"),
        "{printed}"
    );
    let expected = "\ndeleting webhook endpoint ep_1: no certificates of authorities were found on this machine: ";
    assert!(printed.contains(expected), "{printed}");
}

/// A server that confirms every deletion, to those who trust its certificate.
struct TlsServer {
    base: String,
    connections: Arc<AtomicUsize>,
}

impl TlsServer {
    async fn start(certificate: &Certificate, key: &KeyPair) -> Self {
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                read_request(&mut stream).await;
                stream.write_all(&ok(&json!({}))).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        Self { base, connections }
    }

    /// What comes of a call, with attempts left, on a machine that trusts this certificate and no other.
    async fn answers(&self, test: &str, trusted: &Certificate) -> String {
        let trusted = pem(trusted);
        let variables = [("SSL_CERT_FILE", trusted.path().to_str().unwrap()), (RETRIES, "2")];
        let printed = call_in(test, &self.base, &variables).await;
        let outcome = |line: &&str| line.starts_with("deleted") || line.starts_with("deleting");
        printed.lines().find(outcome).unwrap_or(&printed).to_owned()
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_handshake_that_never_ends_proves_that_nothing_was_sent() {
    if called().await {
        return;
    }
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://localhost:{}", silent.local_addr().unwrap().port());
    let trusted = pem(&generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert);
    let variables = [("SSL_CERT_FILE", trusted.path().to_str().unwrap())];
    let printed = call_in(
        "a_handshake_that_never_ends_proves_that_nothing_was_sent",
        &base,
        &variables,
    )
    .await;
    assert!(printed.contains("could not be reached"), "{printed}");
    assert!(printed.contains("effect: None"), "{printed}");
}

fn pem(certificate: &Certificate) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    let text = BASE64_STANDARD.encode(certificate.der());
    std::fs::write(
        &file,
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"),
    )
    .unwrap();
    file
}
