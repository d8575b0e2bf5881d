//! Commands that root runs beside a proxy of another user: the proxy can still read what they wrote.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::tokenward::{BINARY, succeed};

/// A user and a group that need not exist.
const USER: u32 = 12_345;
const GROUP: u32 = 23_456;

const FILE: &str = "\
[[token]]
name = \"a\"
user = \"svc\"
secret_hash = \"sha256:abababababababababababababababababababababababababababababababab\"
expires = 2090-01-01T00:00:00Z
limit_to = '''
[get]/rest/a
'''
";

/// A directory with a policy file that belongs to [`USER`]; `None`, with a word about it, if root does not run the test.
fn of_another_user() -> Option<TempDir> {
    let directory = TempDir::new().unwrap();
    let policies = directory.path().join("policies");
    fs::create_dir(&policies).unwrap();
    let file = policies.join("ci.toml");
    fs::write(&file, FILE).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    if let Err(error) = chown(&file, Some(USER), Some(GROUP)) {
        eprintln!("cannot make a file of another user ({error}), so this is not tested");
        return None;
    }
    Some(directory)
}

fn attributes(path: &Path) -> (u32, u32, u32) {
    let metadata = fs::metadata(path).unwrap();
    (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777)
}

/// Runs the command as [`USER`]; `None`, with a word about it, if that user cannot run the binary.
fn as_user(directory: &Path, arguments: &[&str]) -> Option<Output> {
    let run = |arguments: &[&str]| {
        let mut command = Command::new(BINARY);
        command
            .args(arguments)
            .current_dir(directory)
            .uid(USER)
            .gid(GROUP)
            .output()
    };
    match run(&["--version"]) {
        Ok(ran) if ran.status.success() => Some(run(arguments).unwrap()),
        _ => {
            eprintln!("another user cannot run the binary, so this is not tested");
            None
        }
    }
}

#[test]
fn each_edit_keeps_owner_group_and_mode() {
    let Some(directory) = of_another_user() else {
        return;
    };
    let path = directory.path();
    let file = path.join("policies/ci.toml");
    let new = [
        "token",
        "new",
        "--name",
        "b",
        "--user",
        "svc",
        "--limit",
        "/rest/b",
        "--file",
        "policies/ci.toml",
    ];
    for arguments in [
        &new[..],
        &["token", "rotate", "b", "--overlap", "2h"],
        &["token", "set-limits", "a", "--limit", "[get]/rest/a"],
        &["token", "rename", "a", "c"],
        &["token", "revoke", "c"],
    ] {
        succeed(path, arguments);
        assert_eq!(attributes(&file), (USER, GROUP, 0o640), "{arguments:?}");
    }
}

#[test]
fn a_compiled_policy_keeps_owner_group_and_mode() {
    let Some(directory) = of_another_user() else {
        return;
    };
    let path = directory.path();
    let file = path.join("policy.twp");
    fs::write(&file, "before").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    chown(&file, Some(USER), Some(GROUP)).unwrap();
    succeed(path, &["compile", "-o", "policy.twp", "policies"]);
    assert_ne!(fs::read(&file).unwrap(), b"before");
    assert_eq!(attributes(&file), (USER, GROUP, 0o640));
}

#[test]
fn the_file_of_revocations_belongs_to_the_owner_of_the_audit() {
    let Some(directory) = of_another_user() else {
        return;
    };
    let path = directory.path();
    let store = path.join(".tokenward/audit");
    fs::create_dir_all(&store).unwrap();
    chown(&store, Some(USER), Some(GROUP)).unwrap();
    succeed(path, &["token", "revoke", "a"]);
    let revoked = path.join(".tokenward/audit.revoked");
    assert_eq!(attributes(&revoked), (USER, GROUP, 0o600));
}

#[test]
fn new_keys_belong_to_the_owner_of_their_directory() {
    let Some(directory) = of_another_user() else {
        return;
    };
    let path = directory.path();
    chown(path, Some(USER), Some(GROUP)).unwrap();
    succeed(path, &["audit", "keygen", "audit.key"]);
    succeed(path, &["keys", "new", "sealing", "sealing.key"]);
    for name in ["audit.key", "sealing.key"] {
        assert_eq!(attributes(&path.join(name)), (USER, GROUP, 0o600), "{name}");
    }
    assert_eq!(attributes(&path.join("audit.key.pub")).0, USER);
}

/// A user who cannot keep the owner writes nothing.
#[test]
fn an_owner_that_cannot_be_kept_is_an_error() {
    let Some(directory) = of_another_user() else {
        return;
    };
    let path = directory.path();
    let file = path.join("policies/ci.toml");
    chown(path.join("policies"), Some(USER), Some(GROUP)).unwrap();
    chown(&file, Some(0), Some(0)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let Some(ran) = as_user(path, &["token", "revoke", "a"]) else {
        return;
    };
    let told = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(3), "{told}");
    assert!(
        told.contains("cannot keep the owner and group 0:0") && told.contains("nothing was written"),
        "{told}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), FILE);
    assert_eq!(fs::read_dir(path.join("policies")).unwrap().count(), 1);
}
