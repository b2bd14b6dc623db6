//! Hostile input: decoders, RPCs, API answers, the credentials file and signatures are given arbitrary bytes, and good
//! bytes that were spoiled.
//!
//! These are fuzz targets in the form of property tests. cargo-fuzz needs a nightly compiler, which a fresh machine
//! does not have; proptest needs nothing, can make good input to spoil, and shrinks what it finds. In the normal tests
//! each target makes a bounded number of cases from a fixed seed, so that every run has the same. `make fuzz` makes
//! many more from fresh seeds. Inputs that have found something are kept in `corpus/`, and every target that reads
//! bytes is given all of them in every run.

mod answers;
mod credentials;
mod rpcs;
mod signatures;
mod values;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use axum::body::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;
use terraform_provider_heygen::provider::Environment;
use terraform_provider_heygen::terraform::proto::provider_client::ProviderClient;
use tokio::runtime::Runtime;
use tonic::transport::Channel;

use crate::support::http::{Server, response};
use crate::support::in_process;

/// How long a run is: this many cases from a fixed seed, or what `PROPTEST_CASES` says, from a fresh one.
fn cases(bounded: u32) -> ProptestConfig {
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_some() {
        return config;
    }
    ProptestConfig {
        cases: bounded,
        rng_seed: RngSeed::Fixed(20_261_124),
        ..config
    }
}

/// One runtime for all cases of a target: proptest itself is not asynchronous.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

/// The provider behind its real gRPC service, in this process.
fn served(environment: Environment) -> ProviderClient<Channel> {
    let _entered = RUNTIME.enter();
    in_process::provider(environment)
}

/// An answer that a hostile API gives to whatever it is asked.
#[derive(Clone, Debug)]
struct Canned {
    status: u16,
    body: Bytes,
}

/// Serves canned answers: the one numbered N below `/N/`. The URL ends before the number.
fn serve(canned: Vec<Canned>) -> String {
    let server = Server::answering(move |request| {
        let number: usize = request.path().split('/').nth(1).unwrap().parse().unwrap();
        let Canned { status, body } = &canned[number];
        response(*status, body)
    });
    server.url()
}

/// Everything that was worth keeping, by file name.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/hostile/corpus");
    let mut all = Vec::new();
    for folder in fs::read_dir(root).unwrap() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            all.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    assert!(all.len() >= 20, "the corpus is not here: {} files", all.len());
    all
}

/// One way to spoil good bytes.
#[derive(Clone, Debug)]
enum Spoil {
    Set(Index, u8),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index),
    Truncate(Index),
    /// A part once more, somewhere else.
    Repeat(Index, Index, usize),
}

/// A few of them after each other.
fn spoils() -> impl Strategy<Value = Vec<Spoil>> {
    // Headers that declare more than can follow, in MessagePack and in JSON.
    const TELLING: [&[u8]; 10] = [
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x0c",
        b"\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00",
        b"[[[[[[[[[[[[[[[[",
        b"{\"a\":",
        b"1e999999999",
        b"\"\\ud800\"",
    ];
    let index = any::<Index>;
    let spoil = prop_oneof![
        (index(), any::<u8>()).prop_map(|(at, byte)| Spoil::Set(at, byte)),
        (index(), 0..8u32).prop_map(|(at, bit)| Spoil::Flip(at, 1 << bit)),
        (index(), vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Spoil::Insert(at, bytes)),
        (index(), proptest::sample::select(&TELLING[..])).prop_map(|(at, bytes)| Spoil::Insert(at, bytes.to_vec())),
        index().prop_map(Spoil::Remove),
        index().prop_map(Spoil::Truncate),
        (index(), index(), 1..64usize).prop_map(|(from, to, length)| Spoil::Repeat(from, to, length)),
    ];
    vec(spoil, 0..4)
}

fn spoiled(mut bytes: Vec<u8>, spoils: &[Spoil]) -> Vec<u8> {
    for spoil in spoils {
        if bytes.is_empty() {
            break;
        }
        let at = |index: &Index| index.index(bytes.len());
        match spoil {
            Spoil::Set(index, byte) => {
                let at = at(index);
                bytes[at] = *byte;
            }
            Spoil::Flip(index, mask) => {
                let at = at(index);
                bytes[at] ^= mask;
            }
            Spoil::Insert(index, more) => {
                let at = at(index);
                bytes.splice(at..at, more.iter().copied());
            }
            Spoil::Remove(index) => {
                let at = at(index);
                bytes.remove(at);
            }
            Spoil::Truncate(index) => {
                let at = at(index);
                bytes.truncate(at);
            }
            Spoil::Repeat(from, to, length) => {
                let (from, to) = (at(from), at(to));
                let part = bytes[from..bytes.len().min(from + length)].to_vec();
                bytes.splice(to..to, part);
            }
        }
    }
    bytes
}
