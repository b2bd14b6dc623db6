//! The certificate that the fake shows when it is to be called over `https`.

use std::{io, path::Path, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

/// Serves HTTP/2 and HTTP/1.1 with a chain of certificates and its key, both PEM files.
pub fn with_files(certificate: &Path, key: &Path) -> io::Result<Arc<ServerConfig>> {
    let of = |file: &Path, error: &dyn std::fmt::Display| io::Error::other(format!("{}: {error}", file.display()));
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
    let chain = chain.map_err(|error| of(certificate, &error))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| of(key, &error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private));
    let mut config = config.map_err(|error| of(certificate, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
