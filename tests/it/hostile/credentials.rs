//! The credentials file: whatever is in it or in its place, configuring ends, and no error quotes it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use terraform_provider_heygen::provider::Environment;
use terraform_provider_heygen::terraform::proto;

use super::{RUNTIME, cases, corpus, served, spoiled, spoils};

const KEY: &str = "sk_never_to_be_shown_to_anybody";

/// The problem with a file, or nothing where it can be used.
fn problem_with(path: PathBuf) -> Option<String> {
    RUNTIME.block_on(async {
        let mut client = served(Environment {
            credentials_file: Some(path),
            ..Environment::default()
        });
        let request = proto::configure_provider::Request::default();
        let answer = tokio::time::timeout(Duration::from_secs(20), client.configure_provider(request)).await;
        let diagnostics = answer.expect("it hangs").unwrap().into_inner().diagnostics;
        let text = |d: &proto::Diagnostic| format!("{}: {}", d.summary, d.detail);
        let text = diagnostics.iter().map(text).collect::<Vec<_>>().join("\n");
        assert!(!text.contains("crashed") && !text.contains(KEY), "{text}");
        assert!(text.len() < 4096, "{} bytes of error", text.len());
        (!text.is_empty()).then_some(text)
    })
}

fn problem_with_content(content: &[u8]) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("credentials");
    fs::write(&path, content).unwrap();
    problem_with(path)
}

fn contents() -> impl Strategy<Value = Vec<u8>> {
    let good = proptest::sample::select(vec![
        KEY.to_owned(),
        json!({"api_key": KEY}).to_string(),
        json!({"oauth": {"access_token": KEY, "expires_at": 1}}).to_string(),
        json!({"api_key": KEY, "oauth": {"access_token": KEY}}).to_string(),
    ]);
    prop_oneof![
        2 => (good, spoils()).prop_map(|(good, spoils)| spoiled(good.into_bytes(), &spoils)),
        1 => vec(any::<u8>(), 0..2048),
        1 => any::<String>().prop_map(String::into_bytes),
    ]
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn whatever_the_file_holds_configuring_ends_and_quotes_nothing(content in contents()) {
        problem_with_content(&content);
    }
}

#[test]
fn the_corpus_as_a_credentials_file_is_used_or_refused() {
    for (_, content) in corpus() {
        problem_with_content(&content);
    }
}

#[test]
fn a_file_larger_than_any_credentials_is_not_used() {
    assert_eq!(problem_with_content(format!("{KEY}\n").as_bytes()), None);
    // The same key, with more blank lines around it than there is reason for.
    let padded = |length: usize| format!("{KEY}{}", "\n".repeat(length - KEY.len()));
    assert_eq!(problem_with_content(padded(64 * 1024).as_bytes()), None);
    for size in [64 * 1024 + 1, 32 << 20] {
        let problem = problem_with_content(padded(size).as_bytes()).expect("it was used");
        assert!(problem.contains("larger than any credentials"), "{problem}");
    }
}

#[test]
fn nested_json_is_refused_and_overflows_nothing() {
    for unit in ["{\"oauth\":", "{\"x\":["] {
        let problem = problem_with_content(unit.repeat(5_000).as_bytes()).expect("it was used");
        assert!(
            problem.contains("credential") || problem.contains("API key"),
            "{problem}"
        );
    }
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
    for path in [folder.path(), &pipe, &link, Path::new("/dev/zero")] {
        let problem = problem_with(path.to_owned()).expect("it was used");
        assert!(problem.contains("not a file"), "{problem}");
    }
}
