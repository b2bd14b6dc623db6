//! The fake over `https`: both versions of HTTP, and the faults that are below them.

use std::{fs, io, sync::Arc, time::Duration};

use reqwest::{Client, Version};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use super::client::ENDPOINTS;
use crate::fake_heygen::{self, Effect, FakeHeygen, Fault, Options, Route, Rule};
use crate::support::http::Identity;

/// A fake that shows this certificate, from files.
fn start(identity: &Identity) -> FakeHeygen {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    fs::write(&certificate, &identity.pem).unwrap();
    fs::write(&key, &identity.key_pem).unwrap();
    let tls = fake_heygen::tls::with_files(&certificate, &key).unwrap();
    FakeHeygen::start_with(Options {
        tls: Some(tls),
        ..Options::default()
    })
    .unwrap()
}

/// A client that trusts this certificate and no other, and speaks what is offered in `alpn`.
fn client(identity: &Identity, alpn: &[&str]) -> Client {
    let mut roots = rustls::RootCertStore::empty();
    let trusted = CertificateDer::from_pem_slice(identity.pem.as_bytes()).unwrap();
    roots.add(trusted).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .retry(reqwest::retry::never())
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap()
}

#[tokio::test]
async fn it_serves_https_in_both_versions_and_counts_its_connections() {
    let identity = Identity::of(&["127.0.0.1"]);
    let heygen = start(&identity);
    assert!(heygen.base_url().starts_with("https://127.0.0.1:"));
    let list = format!("{}{ENDPOINTS}", heygen.base_url());
    for (alpn, version) in [
        (&["h2", "http/1.1"][..], Version::HTTP_2),
        (&["http/1.1"], Version::HTTP_11),
        (&[], Version::HTTP_11),
    ] {
        let client = client(&identity, alpn);
        for _ in 0..3 {
            let request = client.get(&list).header("X-Api-Key", heygen.api_key());
            let answer = request.send().await.unwrap();
            assert_eq!((answer.status().as_u16(), answer.version()), (200, version));
            let dates = answer.headers().get_all("date").iter().count();
            assert_eq!((dates, answer.text().await.is_ok()), (1, true));
        }
    }
    let logged = heygen.requests();
    let seen: Vec<(u64, &str)> = logged.iter().map(|it| (it.connection, it.version.as_str())).collect();
    let on = |connection, version| [(connection, version); 3];
    assert_eq!(seen, [on(1, "HTTP/2.0"), on(2, "HTTP/1.1"), on(3, "HTTP/1.1")].concat());
}

#[tokio::test]
async fn a_reset_over_tls_is_a_reset_of_the_socket() {
    let identity = Identity::of(&["127.0.0.1"]);
    let heygen = start(&identity);
    let list = format!("{}{ENDPOINTS}", heygen.base_url());
    for alpn in ["h2", "http/1.1"] {
        heygen.inject(Rule::on(Route::List, Fault::Reset { effect: Effect::None }));
        let client = client(&identity, &[alpn]);
        let get = async || client.get(&list).header("X-Api-Key", heygen.api_key()).send().await;
        let error = get().await.unwrap_err();
        assert!(!error.is_connect() && !error.is_timeout(), "{alpn}: {error:?}");
        assert_eq!(
            reset_by(&error),
            Some(io::ErrorKind::ConnectionReset),
            "{alpn}: {error:?}"
        );
        assert_eq!(get().await.unwrap().status().as_u16(), 200);
    }
}

/// The socket's own error behind an error.
fn reset_by(error: &(dyn std::error::Error + 'static)) -> Option<io::ErrorKind> {
    let mut behind = Some(error);
    while let Some(error) = behind {
        if let Some(socket) = error.downcast_ref::<io::Error>() {
            return Some(socket.kind());
        }
        behind = error.source();
    }
    None
}

#[tokio::test]
async fn who_speaks_no_tls_is_not_answered_and_stops_nobody() {
    let identity = Identity::of(&["127.0.0.1"]);
    let heygen = start(&identity);
    let plain = heygen.base_url().replace("https", "http");
    assert!(
        client(&identity, &[])
            .get(format!("{plain}{ENDPOINTS}"))
            .send()
            .await
            .is_err()
    );
    let stranger = client(&Identity::of(&["127.0.0.1"]), &["h2"]);
    assert!(
        stranger
            .get(format!("{}{ENDPOINTS}", heygen.base_url()))
            .send()
            .await
            .is_err()
    );
    let unanswered = heygen.requests();
    assert!(unanswered.is_empty(), "{unanswered:?}");
    let trusting = client(&identity, &["h2"]);
    let refused = trusting.get(format!("{}{ENDPOINTS}", heygen.base_url())).send().await;
    assert_eq!(refused.unwrap().status().as_u16(), 401);
}
