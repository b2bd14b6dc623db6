//! What the environment says about proxies and trust. Variables belong to a process, so each test starts itself again
//! in an environment of its own; the part that calls runs there.

use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{env, io};

use base64::prelude::{BASE64_STANDARD, Engine};
use rcgen::{Certificate, CertifiedKey, generate_simple_self_signed};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tempfile::NamedTempFile;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_rustls::TlsAcceptor;

use super::wire::client;
use super::{KEY, id};
use crate::heygen::certificate::SYSTEM_VERIFIES;
use crate::heygen::{Effect, Stop};

/// Where the call goes, in the process that makes it.
const BASE: &str = "HEYGEN_CLIENT_TEST_BASE";

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
    match client(&base, 0, ATTEMPT).delete(&id("ep_1"), &Stop::new()).await {
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

/// Answers every connection with `answer`, and keeps the heads of the requests.
async fn listen(answer: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, heads) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let record = heads.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = read_head(&mut stream).await.unwrap();
            record.lock().unwrap().push(head);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (port, heads)
}

async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

#[tokio::test]
async fn a_proxy_is_asked_for_a_tunnel_and_sees_no_key_and_its_password_is_not_shown() {
    if called().await {
        return;
    }
    let (port, heads) = listen("HTTP/1.1 407 Who Are You\r\ncontent-length: 0\r\n\r\n").await;
    let test = "a_proxy_is_asked_for_a_tunnel_and_sees_no_key_and_its_password_is_not_shown";
    let printed = call_in(
        test,
        "https://api.example.invalid",
        &[("HTTPS_PROXY", &format!("http://user:hunter2@127.0.0.1:{port}"))],
    )
    .await;
    assert!(
        printed.contains("the API could not be reached: api.example.invalid: "),
        "{printed}"
    );
    let heads = heads.lock().unwrap().clone();
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
    // Loopback spelt so that it does not look like it: an unusable proxy is passed over, and the call goes straight there.
    let base = format!("https://[::ffff:127.0.0.1]:{}", closed.port());
    for proxy in [&*refusing, unusable] {
        let shown = call_in(test, &base, &[("HTTPS_PROXY", proxy), ("ALL_PROXY", proxy)]).await;
        assert!(shown.contains("could not be reached"), "{shown}");
        assert!(!shown.contains("hunter2") && !shown.contains("user:"), "{shown}");
    }
    assert!(!printed.contains("hunter2") && !printed.contains(KEY), "{printed}");
}

#[tokio::test]
async fn no_proxy_comes_between_this_machine_and_itself() {
    if called().await {
        return;
    }
    let (proxy, seen_by_proxy) = listen("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    let (api, seen_by_api) = listen("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    let proxy = format!("http://127.0.0.1:{proxy}");
    let printed = call_in(
        "no_proxy_comes_between_this_machine_and_itself",
        &format!("http://127.0.0.1:{api}"),
        &[("HTTP_PROXY", &proxy), ("http_proxy", &proxy), ("ALL_PROXY", &proxy)],
    )
    .await;
    assert!(printed.contains("deleted"), "{printed}");
    assert_eq!(seen_by_api.lock().unwrap().len(), 1);
    assert_eq!(seen_by_proxy.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn https_is_trusted_as_far_as_the_system_says() {
    if called().await {
        return;
    }
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            read_head(&mut stream).await.unwrap();
            let body = json!({}).to_string();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    let other = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let test = "https_is_trusted_as_far_as_the_system_says";
    // Where the system itself verifies, no variable adds to what it trusts, and a test must not change its store.
    let trusted_by_variable = if SYSTEM_VERIFIES {
        "invalid peer certificate"
    } else {
        "deleted"
    };
    for (trusted, shown) in [
        (pem(&cert), trusted_by_variable),
        (pem(&other.cert), "invalid peer certificate"),
    ] {
        let printed = call_in(test, &base, &[("SSL_CERT_FILE", trusted.path().to_str().unwrap())]).await;
        assert!(printed.contains(shown), "{printed}");
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
