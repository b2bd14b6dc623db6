//! A fake of HeyGen's webhook API to try the provider against.
//!
//! `cargo run --example fake-heygen -- --port 8080 --api-key KEY`, then point the provider's
//! `base_url` at the address it prints. Look at it and meddle with it under `/_control/`.

#[allow(
    dead_code,
    reason = "tests meddle through the handle, this program through the control path"
)]
pub mod fake;

use std::{io, io::Write as _, path::PathBuf};

use clap::Parser;

/// Serves a fake of HeyGen's webhook API on 127.0.0.1
#[derive(Parser)]
struct Arguments {
    /// The port to listen on; 0 takes any free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Decides ids, secrets and everything that is left to chance
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// What X-Api-Key must hold
    #[arg(long, default_value = "fake-api-key")]
    api_key: String,
    /// What Authorization: Bearer must hold
    #[arg(long, default_value = "fake-access-token")]
    access_token: String,
    /// Serves https, with this certificate and what leads to its authority (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The certificate's key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
}

fn main() -> io::Result<()> {
    let Arguments {
        port,
        seed,
        api_key,
        access_token,
        tls_certificate,
        tls_key,
    } = Arguments::parse();
    let files = tls_certificate.zip(tls_key);
    let tls = files.map(|(certificate, key)| fake::tls::with_files(&certificate, &key));
    let fake = fake::FakeHeygen::start_with(fake::Options {
        port,
        seed,
        api_key,
        access_token,
        tls: tls.transpose()?,
    })?;
    // Whoever started us waits for this line, through a pipe that may be buffered.
    writeln!(io::stdout(), "listening on {}", fake.base_url())?;
    io::stdout().flush()?;
    fake.serve();
    Ok(())
}
