//! What users read of the provider, in their editor and on its pages.

mod descriptions;
mod examples;
mod generator;
mod pages;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use terraform_provider_heygen::provider::Environment;
use terraform_provider_heygen::terraform::proto;

use crate::support::in_process;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file's path within the repository.
fn relative(file: &Path) -> String {
    file.strip_prefix(root()).unwrap().display().to_string()
}

/// Every file in a folder and below it, in order of their paths; none where there is no such folder.
fn tree(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(tree(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The schemas as the provider sends them.
async fn schemas() -> proto::get_provider_schema::Response {
    let mut provider = in_process::provider(Environment::default());
    let request = proto::get_provider_schema::Request {};
    provider.get_provider_schema(request).await.unwrap().into_inner()
}
