//! The certificates of authorities that a server's certificate is checked with, where the system does not check it
//! itself.
//!
//! What the environment names is read one by one, so that an empty variable counts as unset, and so that whoever has named
//! something without a certificate is told what.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use openssl_probe::ProbeResult;
use rustls::RootCertStore;
use rustls_native_certs::{CertificateResult, ErrorKind, load_certs_from_paths};

use super::Fault;

/// What the environment names, else what this machine has.
pub(super) fn load(variable: impl Fn(&str) -> Option<OsString>) -> Result<RootCertStore, Fault> {
    // It takes an empty variable for a file that is not there, and goes on to where systems keep their certificates.
    load_or_else(&named(variable), openssl_probe::probe)
}

fn load_or_else(named: &[Named], machine: impl FnOnce() -> ProbeResult) -> Result<RootCertStore, Fault> {
    let mut roots = RootCertStore::empty();
    let mut problems = Vec::new();
    for place in named {
        let loaded = place.load();
        let problem = place.problem_with(&loaded);
        if roots.add_parsable_certificates(loaded.certs).0 == 0 {
            problems.push(problem);
        }
    }
    if named.is_empty() {
        let ProbeResult { cert_file, cert_dir } = machine();
        let places = cert_file
            .map(Place::File)
            .into_iter()
            .chain(cert_dir.into_iter().map(Place::Folder));
        for place in places {
            roots.add_parsable_certificates(place.load().certs);
        }
    }
    if !roots.is_empty() {
        Ok(roots)
    } else if named.is_empty() {
        let reason = "No CA certificates were loaded from the system";
        Err(Fault::NoRootCertificates(reason.to_owned()))
    } else {
        Err(Fault::NoNamedRootCertificates(problems.join(", and ")))
    }
}

/// Where certificates are looked for.
enum Place {
    File(PathBuf),
    Folder(PathBuf),
}

/// A place that the environment names.
struct Named {
    variable: &'static str,
    place: Place,
}

fn named(variable: impl Fn(&str) -> Option<OsString>) -> Vec<Named> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let file = set("SSL_CERT_FILE").map(|path| Named {
        variable: "SSL_CERT_FILE",
        place: Place::File(path.into()),
    });
    let folders = set("SSL_CERT_DIR");
    let folders = folders.iter().flat_map(|folders| env::split_paths(folders));
    let folders = folders.filter(|path| !path.as_os_str().is_empty()).map(|path| Named {
        variable: "SSL_CERT_DIR",
        place: Place::Folder(path),
    });
    file.into_iter().chain(folders).collect()
}

impl Place {
    fn load(&self) -> CertificateResult {
        match self {
            Self::File(path) => load_certs_from_paths(Some(path), None),
            Self::Folder(path) => load_certs_from_paths(None, Some(path)),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Folder(path) => path,
        }
    }
}

impl Named {
    fn load(&self) -> CertificateResult {
        self.place.load()
    }

    /// Why it gives no certificate, if it gives none.
    fn problem_with(&self, loaded: &CertificateResult) -> String {
        let unreadable = loaded.errors.iter().find_map(|error| match &error.kind {
            ErrorKind::Io { inner, path } if path == self.place.path() => Some(inner.kind()),
            _ => None,
        });
        let why = match (unreadable, &self.place) {
            (Some(io::ErrorKind::NotFound), _) => "which does not exist".to_owned(),
            (Some(io::ErrorKind::PermissionDenied), _) => "which this user may not read".to_owned(),
            (Some(io::ErrorKind::IsADirectory), _) => "which is a folder and not a file".to_owned(),
            (Some(io::ErrorKind::NotADirectory), Place::Folder(_)) => "which is not a folder".to_owned(),
            (Some(kind), _) => format!("which cannot be read ({kind})"),
            (None, Place::File(_)) => "which holds no certificate in PEM".to_owned(),
            (None, Place::Folder(_)) => "which has no file that holds a certificate in PEM".to_owned(),
        };
        format!("{} names {}, {why}", self.variable, self.place.path().display())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::generate_simple_self_signed;

    use super::*;
    use crate::heygen::tests::pem;

    fn authority() -> String {
        pem(&generate_simple_self_signed([]).unwrap().cert)
    }

    fn nothing() -> ProbeResult {
        ProbeResult {
            cert_file: None,
            cert_dir: Vec::new(),
        }
    }

    /// What comes of these two variables, on a machine without certificates.
    fn loaded(file: &str, folders: &str) -> Result<usize, Fault> {
        let variables = named(|name| {
            Some(OsString::from(match name {
                "SSL_CERT_FILE" => file,
                _ => folders,
            }))
        });
        load_or_else(&variables, nothing).map(|roots| roots.len())
    }

    #[test]
    fn what_a_variable_names_in_vain_is_said_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        fs::write(path("garbage.pem"), "garbage").unwrap();
        fs::write(
            path("broken.pem"),
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        )
        .unwrap();
        fs::create_dir(path("empty")).unwrap();
        let (missing, empty, garbage, broken) =
            (path("missing"), path("empty"), path("garbage.pem"), path("broken.pem"));
        for (file, folders, expected) in [
            (
                &*missing,
                "",
                format!("SSL_CERT_FILE names {missing}, which does not exist"),
            ),
            (
                &empty,
                "",
                format!("SSL_CERT_FILE names {empty}, which is a folder and not a file"),
            ),
            (
                &garbage,
                "",
                format!("SSL_CERT_FILE names {garbage}, which holds no certificate in PEM"),
            ),
            (
                &broken,
                "",
                format!("SSL_CERT_FILE names {broken}, which holds no certificate in PEM"),
            ),
            (
                "",
                &missing,
                format!("SSL_CERT_DIR names {missing}, which does not exist"),
            ),
            (
                "",
                &garbage,
                format!("SSL_CERT_DIR names {garbage}, which is not a folder"),
            ),
            (
                &missing,
                &empty,
                format!(
                    "SSL_CERT_FILE names {missing}, which does not exist, and SSL_CERT_DIR names {empty}, which has no file \
                     that holds a certificate in PEM"
                ),
            ),
        ] {
            assert_eq!(loaded(file, folders), Err(Fault::NoNamedRootCertificates(expected)));
        }
    }

    #[test]
    fn one_place_that_has_certificates_is_enough() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        fs::write(&file, authority()).unwrap();
        let (file, folder) = (file.to_str().unwrap(), folder.path().to_str().unwrap());
        for (file, folders) in [
            (file, ""),
            (file, "/nowhere"),
            ("/nowhere", folder),
            ("", &format!("/nowhere:{folder}:")),
        ] {
            assert_eq!(loaded(file, folders), Ok(1), "{file:?}, {folders:?}");
        }
    }

    #[test]
    fn empty_variables_count_as_unset_and_leave_it_to_the_machine() {
        let none = "No CA certificates were loaded from the system".to_owned();
        for folders in ["", ":"] {
            assert_eq!(loaded("", folders), Err(Fault::NoRootCertificates(none.clone())));
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, authority()).unwrap();
        let machine = || ProbeResult {
            cert_file: Some(file.path().to_owned()),
            cert_dir: Vec::new(),
        };
        assert_eq!(load_or_else(&[], machine).unwrap().len(), 1);
    }
}
