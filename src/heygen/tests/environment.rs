//! What the environment says about proxies and trust. Variables belong to a process, so each test starts itself again
//! in an environment of its own; the part that calls runs there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{env, iter};

use base64::prelude::{BASE64_STANDARD, Engine};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, NameConstraints, date_time_ymd,
    generate_simple_self_signed,
};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use serde_json::json;
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_rustls::TlsAcceptor;

use super::wire::{Server, answer, client, ok, read_request};
use super::{KEY, id, pem};
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
    let asked = format!("the proxy 127.0.0.1:{}", proxy.port);
    let says = format!(
        "the API could not be reached: {asked} answered 407: it wants a user name and a password, or others than those in \
         the proxy variable\n"
    );
    assert!(printed.contains(&says), "{printed}");
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
        (
            &*refusing,
            &*format!("the API could not be reached: the proxy {closed} could not be reached: connection refused\n"),
        ),
        (unusable, "HTTPS_PROXY does not hold the address of an http proxy"),
    ] {
        let shown = call_in(test, &base, &[("HTTPS_PROXY", proxy), ("ALL_PROXY", proxy)]).await;
        assert!(shown.contains(says), "{shown}");
        assert!(!shown.contains("hunter2") && !shown.contains("user:"), "{shown}");
    }
    assert!(!printed.contains("hunter2") && !printed.contains(KEY), "{printed}");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_as_the_one_that_did() {
    if called().await {
        return;
    }
    let test = "a_proxy_that_refuses_is_named_as_the_one_that_did";
    let hangs_up = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hanging_up = hangs_up.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = hangs_up.accept().await.unwrap();
            read_request(&mut stream).await;
            stream.shutdown().await.unwrap();
        }
    });
    let refusing = Server::start(iter::repeat(answer("502 Bad Gateway", "", "no such host")))
        .await
        .port;
    for (port, did) in [
        (refusing, "did not let the connection to api.example.invalid through"),
        (
            hanging_up,
            "broke the connection to api.example.invalid off: unexpected end of file",
        ),
    ] {
        let proxy = format!("http://user:hunter2@127.0.0.1:{port}");
        let printed = call_in(test, "https://api.example.invalid", &[("HTTPS_PROXY", &proxy)]).await;
        let says = format!("the API could not be reached: the proxy 127.0.0.1:{port} {did}\n");
        assert!(printed.contains(&says), "{printed}");
        assert!(!printed.contains("hunter2"), "{printed}");
    }
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
async fn variables_that_name_no_root_certificates_are_blamed_and_nothing_is_sent() {
    if called().await {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let (file, folder) = (NamedTempFile::new().unwrap(), tempfile::tempdir().unwrap());
    let printed = call_in(
        "variables_that_name_no_root_certificates_are_blamed_and_nothing_is_sent",
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
    let expected = format!(
        "\ndeleting webhook endpoint ep_1: there is nothing to check the API's certificate with: SSL_CERT_FILE names {}, \
         which holds no certificate in PEM, and SSL_CERT_DIR names {}, which has no file that holds a certificate in PEM\n",
        file.path().display(),
        folder.path().display()
    );
    assert!(printed.contains(&expected), "{printed}");
}

// Elsewhere the system itself verifies, and no variable says what it trusts.
#[cfg(not(any(windows, target_vendor = "apple")))]
#[tokio::test]
async fn empty_variables_leave_it_to_the_machine_what_is_trusted() {
    if called().await {
        return;
    }
    // A machine may have no certificates; what it has does not include this one.
    let own = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let server = TlsServer::start(&own.cert, &own.signing_key).await;
    let test = "empty_variables_leave_it_to_the_machine_what_is_trusted";
    let unset = call_in(test, &server.base, &[]).await;
    let empty = call_in(test, &server.base, &[("SSL_CERT_FILE", ""), ("SSL_CERT_DIR", "")]).await;
    assert_eq!(outcome(&empty), outcome(&unset));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), pem(&own.cert)).unwrap();
    let folder_alone = [("SSL_CERT_FILE", ""), ("SSL_CERT_DIR", folder.path().to_str().unwrap())];
    assert_eq!(outcome(&call_in(test, &server.base, &folder_alone).await), "deleted");
}

// Elsewhere the system itself verifies, and has words of its own.
#[cfg(not(any(windows, target_vendor = "apple")))]
#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_said_of_real_ones() {
    if called().await {
        return;
    }
    let test = "what_is_wrong_with_a_certificate_is_said_of_real_ones";
    let authority = |constraints| {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.name_constraints = constraints;
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (ca, narrow) = (
        authority(None),
        authority(Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("example.com".to_owned())],
            excluded_subtrees: Vec::new(),
        })),
    );
    let leaf = |names: &[&str], change: fn(&mut CertificateParams)| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        params
    };
    for (issuer, params, expected) in [
        (
            &ca,
            leaf(&["localhost"], |it| {
                it.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            }),
            "it is not meant for servers; its extended key usage must include serverAuth",
        ),
        (
            &ca,
            leaf(&["localhost"], |it| {
                let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
                extension.set_criticality(true);
                it.custom_extensions = vec![extension];
            }),
            "it has a critical extension that is not understood here; it has to be made without it",
        ),
        (
            &ca,
            leaf(&[], |it| it.distinguished_name.push(DnType::CommonName, "localhost")),
            "it has no subjectAltName, and a host name elsewhere in it does not count; make it with \
             subjectAltName=DNS:HOST, or IP:ADDRESS",
        ),
        (
            &ca,
            leaf(&["a.example", "127.0.0.1"], |_| ()),
            "it is for another host name (a.example, 127.0.0.1); check the host of base_url",
        ),
        (
            &ca,
            leaf(&["localhost"], |it| it.not_after = date_time_ymd(2001, 1, 1)),
            "it has expired; renew it, or set this machine's clock right",
        ),
        (
            &narrow,
            leaf(&["localhost"], |_| ()),
            "its CA may not sign for the names in it; use one of another CA",
        ),
    ] {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, issuer).unwrap();
        let server = TlsServer::start(&certificate, &key).await;
        assert_eq!(
            server.answers(test, issuer.as_ref()).await,
            format!("deleting webhook endpoint ep_1: the API's certificate is refused: localhost: {expected}")
        );
        assert_eq!(server.connections(), 1, "a certificate does not heal: it is tried once");
    }
}

// Elsewhere the system itself verifies, and no variable says what it trusts.
#[cfg(not(any(windows, target_vendor = "apple")))]
#[tokio::test]
async fn a_proxys_certificate_is_said_to_be_the_proxys() {
    if called().await {
        return;
    }
    let test = "a_proxys_certificate_is_said_to_be_the_proxys";
    let mut other = CertificateParams::new(["localhost".to_owned()]).unwrap();
    other.distinguished_name.push(DnType::CommonName, "another one");
    let other = other.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let proxy = |name: &str| generate_simple_self_signed([name.to_owned()]).unwrap();
    for (own, expected) in [
        (
            proxy("localhost"),
            "it is signed by nobody this machine trusts; add its CA to the system's store or name it in SSL_CERT_FILE",
        ),
        (
            proxy("proxy.example"),
            "it is for another host name (proxy.example); check the host of the proxy variable",
        ),
    ] {
        // Only where its issuer is trusted is its name looked at.
        let trusted = if expected.contains("another host") {
            &own.cert
        } else {
            &other
        };
        let server = TlsServer::start(&own.cert, &own.signing_key).await;
        let address = server.base.replace("https://", "https://user:hunter2@");
        let trusted = pem_file(trusted);
        let variables = [
            ("HTTPS_PROXY", &*address),
            ("SSL_CERT_FILE", trusted.path().to_str().unwrap()),
            (RETRIES, "2"),
        ];
        let printed = call_in(test, "https://api.example.invalid", &variables).await;
        let host = server.base.trim_start_matches("https://");
        assert_eq!(
            outcome(&printed),
            format!("deleting webhook endpoint ep_1: the certificate of the proxy is refused: {host}: {expected}")
        );
        assert!(!printed.contains("hunter2"), "{printed}");
        assert_eq!(server.connections(), 1, "a certificate does not heal: it is tried once");
    }
}

// Elsewhere the system itself verifies, and no variable says what it trusts.
#[cfg(not(any(windows, target_vendor = "apple")))]
#[tokio::test]
async fn a_server_that_wants_a_certificate_of_its_clients_is_asked_once_and_did_nothing() {
    if called().await {
        return;
    }
    let test = "a_server_that_wants_a_certificate_of_its_clients_is_asked_once_and_did_nothing";
    let own = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let trusted = pem_file(&own.cert);
    let variables = [("SSL_CERT_FILE", trusted.path().to_str().unwrap()), (RETRIES, "2")];
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = TlsServer::asking_for_client_certificates(&own.cert, &own.signing_key, version);
        let server = TlsServer::serve(config).await;
        let printed = call_in(test, &server.base, &variables).await;
        assert_eq!(
            outcome(&printed),
            "deleting webhook endpoint ep_1: localhost wants a certificate of its clients, and the provider has none",
            "{version:?}"
        );
        assert!(printed.contains("effect: None"), "{printed}");
        assert_eq!(server.connections(), 1);
    }
    // Over HTTP/2 the end of the connection may overtake the alert.
    let mut config = TlsServer::asking_for_client_certificates(&own.cert, &own.signing_key, &rustls::version::TLS13);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let printed = call_in(test, &TlsServer::serve(config).await.base, &variables).await;
    let said = [
        "wants a certificate of its clients",
        "a certificate of the client was asked for",
    ];
    assert!(said.iter().any(|said| outcome(&printed).contains(said)), "{printed}");
}

// Elsewhere the system itself verifies, and no variable says what it trusts.
#[cfg(not(any(windows, target_vendor = "apple")))]
#[tokio::test]
async fn the_end_of_tls_is_told_in_words_and_tried_again() {
    if called().await {
        return;
    }
    let test = "the_end_of_tls_is_told_in_words_and_tried_again";
    let own = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let trusted = pem_file(&own.cert);
    // Both are alerts before anything else is said: handshake_failure, and internal_error.
    let alert = |number: u8| vec![0x15, 3, 3, 0, 2, 2, number];
    for (said, expected) in [
        (
            alert(40),
            "what answers there ended TLS: it shares no encryption with the provider, or wants a certificate of its clients",
        ),
        (alert(80), "what answers there ended TLS with the alert internal error"),
        (
            answer("400 Bad Request", "", "plain"),
            "what answers there does not speak TLS",
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                // The client's first message, so that closing does not reset the connection.
                let _ = stream.read(&mut [0; 4096]).await.unwrap();
                stream.write_all(&said).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        let variables = [("SSL_CERT_FILE", trusted.path().to_str().unwrap()), (RETRIES, "1")];
        let printed = call_in(test, &base, &variables).await;
        assert_eq!(
            outcome(&printed),
            format!(
                "deleting webhook endpoint ep_1: the API could not be reached: localhost: {expected} (after 2 attempts)"
            )
        );
    }
}

/// What became of the call: the line that says it.
fn outcome(printed: &str) -> &str {
    let says = |line: &&str| line.starts_with("deleted") || line.starts_with("deleting");
    printed.lines().find(says).unwrap_or(printed)
}

/// A server that confirms every deletion, to those who trust its certificate.
struct TlsServer {
    base: String,
    connections: Arc<AtomicUsize>,
}

impl TlsServer {
    async fn start(certificate: &Certificate, key: &KeyPair) -> Self {
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let key = ring::sign::any_supported_type(&key).unwrap();
        // Not checked, as `with_single_cert` would.
        let shown = CertifiedKey::new(vec![certificate.der().clone()], key);
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(shown)));
        Self::serve(config).await
    }

    /// What asks each client for a certificate that this same certificate has signed.
    fn asking_for_client_certificates(
        certificate: &Certificate,
        key: &KeyPair,
        version: &'static rustls::SupportedProtocolVersion,
    ) -> rustls::ServerConfig {
        let provider = Arc::new(ring::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate.der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap()
    }

    async fn serve(config: rustls::ServerConfig) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let mut stream = match acceptor.accept(stream).into_fallible().await {
                    Ok(stream) => stream,
                    // Held until the client hangs up: to close it before would take back what was said last.
                    Err((_, mut stream)) => {
                        tokio::spawn(async move { tokio::io::copy(&mut stream, &mut tokio::io::sink()).await });
                        continue;
                    }
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
        let trusted = pem_file(trusted);
        let variables = [("SSL_CERT_FILE", trusted.path().to_str().unwrap()), (RETRIES, "2")];
        let printed = call_in(test, &self.base, &variables).await;
        outcome(&printed).to_owned()
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
    let trusted = pem_file(&generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert);
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

fn pem_file(certificate: &Certificate) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(&file, pem(certificate)).unwrap();
    file
}
