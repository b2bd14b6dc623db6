//! A Unix socket in a private directory, removed with its owner.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::SocketOptions;
use crate::plugin::Error;

/// The longest path that fits a socket's address on every Unix: macOS and the BSDs have room for 104
/// bytes, the closing zero included; Linux for four more.
const MAX_PATH_BYTES: usize = 103;

/// Where the socket goes if `TMPDIR` is empty, too long, or not there.
const SHORT_BASE: &str = "/tmp";

/// A bound socket and the file it is reached by.
pub(in crate::plugin) struct SocketFile {
    listener: UnixListener,
    // The socket goes before the directory that holds it: fields are dropped in order.
    path: TempPath,
    directory: Option<tempfile::TempDir>,
}

impl SocketFile {
    /// Listens in the directory that `options` name, else in a new private one.
    pub(super) fn bind(options: &SocketOptions) -> Result<Self, Error> {
        let group = options.group.as_deref().map(Group::find).transpose()?;
        if let Some(directory) = &options.directory {
            return Self::in_directory(directory, None, group.as_ref());
        }
        let mut preferred = std::env::temp_dir();
        if preferred.as_os_str().is_empty() {
            // An empty path would mean the current directory.
            preferred = PathBuf::from(SHORT_BASE);
        }
        Self::in_fresh_directory(&preferred, group.as_ref()).or_else(|error| {
            // A group that cannot be given fails in every directory, and this error explains it best.
            if matches!(error, Error::SocketGroup { .. }) {
                return Err(error);
            }
            Self::in_fresh_directory(Path::new(SHORT_BASE), group.as_ref())
        })
    }

    /// The socket's path. Text, as the handshake needs it.
    pub(super) fn path(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// The listener, and the files to be removed when dropped.
    pub(super) fn into_parts(self) -> (UnixListener, SocketFiles) {
        let files = SocketFiles {
            _path: self.path,
            _directory: self.directory,
        };
        (self.listener, files)
    }

    fn in_fresh_directory(base: &Path, group: Option<&Group>) -> Result<Self, Error> {
        let directory = tempfile::Builder::new()
            .prefix("plugin")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(base)
            .map_err(|source| failed(base, source))?;
        if let Some(group) = group {
            // The group has to reach the socket, and needs no list of the directory.
            group.give(directory.path(), 0o710)?;
        }
        let path = directory.path().to_owned();
        Self::in_directory(&path, Some(directory), group)
    }

    fn in_directory(path: &Path, directory: Option<tempfile::TempDir>, group: Option<&Group>) -> Result<Self, Error> {
        let (listener, path) = tempfile::Builder::new()
            .prefix("plugin")
            .make_in(path, listen)
            .map_err(|source| failed(path, source))?
            .into_parts();
        if let Some(group) = group {
            group.give(&path, 0o660)?;
        }
        Ok(Self {
            listener,
            path,
            directory,
        })
    }
}

/// The socket's file and its directory, removed when dropped.
pub(in crate::plugin) struct SocketFiles {
    _path: TempPath,
    _directory: Option<tempfile::TempDir>,
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    if path.as_os_str().len() > MAX_PATH_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::InvalidFilename,
            format!("the socket's path would be longer than {MAX_PATH_BYTES} bytes"),
        ));
    }
    // The path travels as text in the handshake.
    if path.to_str().is_none_or(|path| path.contains(['|', '\n'])) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidFilename,
            "the socket's path cannot be written in a handshake",
        ));
    }
    UnixListener::bind(path)
}

fn failed(directory: &Path, source: io::Error) -> Error {
    Error::UnixSocket {
        directory: PathBuf::from(directory),
        source,
    }
}

/// A group that may connect.
struct Group {
    named: String,
    id: u32,
}

impl Group {
    /// By number, else by name.
    fn find(named: &str) -> Result<Self, Error> {
        let id = match named.parse() {
            Ok(id) => id,
            Err(_) => id_of_group(named)
                .map_err(|error| refused(named, error.to_string()))?
                .ok_or_else(|| refused(named, "there is no such group".to_owned()))?,
        };
        Ok(Self {
            named: named.to_owned(),
            id,
        })
    }

    fn give(&self, path: &Path, mode: u32) -> Result<(), Error> {
        // The group is set first: the wider mode must never apply to another group.
        chown(path, None, Some(self.id))
            .and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)))
            .map_err(|error| refused(&self.named, error.to_string()))
    }
}

/// The number of the group of this name, by whatever the machine keeps groups in.
#[cfg(not(all(target_os = "linux", target_feature = "crt-static")))]
fn id_of_group(named: &str) -> io::Result<Option<u32>> {
    let group = nix::unistd::Group::from_name(named)?;
    Ok(group.map(|group| group.gid.as_raw()))
}

/// The number of the group of this name in `/etc/group`. A static binary asks nobody else: other databases of groups are
/// modules of the machine's C library, which cannot be loaded beside the one built in.
#[cfg(all(target_os = "linux", target_feature = "crt-static"))]
fn id_of_group(named: &str) -> io::Result<Option<u32>> {
    // A line is NAME:PASSWORD:NUMBER:MEMBERS.
    let groups = fs::read_to_string("/etc/group")?;
    let numbers = groups.lines().filter_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(named)).then(|| fields.nth(1)?.parse().ok())
    });
    Ok(numbers.flatten().next())
}

fn refused(group: &str, reason: String) -> Error {
    Error::SocketGroup {
        group: group.to_owned(),
        reason,
    }
}
