//! Where the Unix socket is, and who can reach it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::support::host::Host;

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn the_socket_is_in_a_directory_of_its_own_that_only_we_can_enter() {
    let base = tempfile::tempdir().unwrap();
    let plugin = Host::new().env("TMPDIR", base.path()).start().await;
    let directory = plugin.handshake.address.path().parent().unwrap().to_owned();
    assert_eq!(directory.parent(), Some(base.path()));
    assert_eq!(mode(&directory), 0o700);
    plugin.shutdown().await;
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0, "left behind");
}

#[tokio::test]
async fn a_tmpdir_too_long_for_a_sockets_address_is_not_used() {
    let base = tempfile::tempdir().unwrap();
    let long = base.path().join("x".repeat(90));
    fs::create_dir(&long).unwrap();
    for tmpdir in [long.clone(), base.path().join("missing")] {
        let plugin = Host::new().env("TMPDIR", &tmpdir).start().await;
        let socket = plugin.handshake.address.path().to_owned();
        assert!(!socket.starts_with(&tmpdir));
        assert_eq!(mode(socket.parent().unwrap()), 0o700);
        plugin.shutdown().await;
        assert!(!socket.parent().unwrap().exists());
    }
    assert_eq!(fs::read_dir(&long).unwrap().count(), 0, "left behind");
}

#[tokio::test]
async fn an_empty_tmpdir_means_the_default_one() {
    let plugin = Host::new().env("TMPDIR", "").start().await;
    let socket = plugin.handshake.address.path();
    let directory = socket.parent().unwrap();
    assert_eq!(directory.parent(), Some(Path::new("/tmp")));
    plugin.shutdown().await;
}

#[tokio::test]
async fn the_hosts_socket_directory_holds_the_socket_itself() {
    let base = tempfile::tempdir().unwrap();
    let plugin = Host::new().env("PLUGIN_UNIX_SOCKET_DIR", base.path()).start().await;
    assert_eq!(plugin.handshake.address.path().parent(), Some(base.path()));
    plugin.shutdown().await;
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0, "left behind");
}

#[tokio::test]
async fn the_hosts_socket_group_may_connect() {
    // A group the test may give: its own, by number.
    let own = nix::unistd::getegid().as_raw();
    let plugin = Host::new()
        .env("PLUGIN_UNIX_SOCKET_GROUP", own.to_string())
        .start()
        .await;
    let socket = plugin.handshake.address.path();
    let directory = socket.parent().unwrap();
    assert_eq!(mode(socket), 0o660);
    assert_eq!(mode(directory), 0o710);
    for path in [socket, directory] {
        assert_eq!(fs::metadata(path).unwrap().gid(), own);
    }
    plugin.shutdown().await;
}

#[tokio::test]
async fn an_unknown_socket_group_ends_the_plugin_and_leaves_nothing_behind() {
    let base = tempfile::tempdir().unwrap();
    let ended = Host::new()
        .env("TMPDIR", base.path())
        .env("PLUGIN_UNIX_SOCKET_GROUP", "no-such-group-here")
        .spawn()
        .ended()
        .await;
    assert_eq!(ended.status.code(), Some(1));
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains("no-such-group-here"), "{}", ended.stderr);
    assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0, "left behind");
}
