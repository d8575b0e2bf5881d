//! A git repository with a policy, and the command run in it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what fails here fails the test"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A folder with the repository `r` in it.
pub(crate) struct Repository {
    folder: TempDir,
}

impl Repository {
    /// One commit on `main`: the token `t` may read `/rest/a`.
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("r")).unwrap();
        let it = Self { folder };
        it.git(&["init", "-q", "-b", "main"]);
        it.write("policies/t.toml", &token("t", "11", "[get]/rest/a"));
        it.commit("One");
        it
    }

    /// The folder around the repository.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The work tree's top.
    pub(crate) fn top(&self) -> PathBuf {
        self.folder.path().join("r")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.top().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A file that can be run.
    pub(crate) fn script(&self, path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn commit(&self, subject: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-qm", subject]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// git in the work tree, which must succeed.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = git_in(&self.top(), arguments);
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The command in the work tree: its exit code and all that it wrote.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String) {
        tokenward(&self.top(), arguments, &[])
    }
}

/// git with nothing of the environment that could redirect it.
pub(crate) fn git_in(directory: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
        .args(["-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always"])
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .stdin(Stdio::null())
        .output()
        .expect("git starts")
}

/// The command with more environment: its exit code and all that it wrote.
pub(crate) fn tokenward(directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tokenward"))
        .args(arguments)
        .current_dir(directory)
        .env("HOME", directory)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("the command starts");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.code().expect("no signal ended it"), text)
}

/// A policy file with one token.
pub(crate) fn token(name: &str, secret: &str, lines: &str) -> String {
    let hash = secret.repeat(32);
    format!(
        "[[token]]\nname = \"{name}\"\nuser = \"u\"\nsecret_hash = \"sha256:{hash}\"\nexpires = 2099-01-01T00:00:00Z\nlimit_to = '''\n{lines}\n'''\n"
    )
}
