//! A git repository for a test, and the command run in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokenward_testbed::{Invocation, Ran};

use crate::tokenward::run;

/// A repository without commits, on the branch `main`, in a folder of its own.
pub(crate) struct Repository {
    folder: TempDir,
}

impl Repository {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("repository")).unwrap();
        let it = Self { folder };
        it.git(&["init", "-q", "-b", "main"]);
        it
    }

    /// The folder around the repository.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The work tree's top.
    pub(crate) fn top(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.top().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Commits the whole work tree, changed or not, and returns the commit's id.
    pub(crate) fn commit(&self, subject: &str) -> String {
        self.git(&["add", "-A", "."]);
        self.git(&["commit", "-q", "--allow-empty", "-m", subject]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs git in the work tree, which must succeed.
    #[track_caller]
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git_succeeds(&self.top(), arguments)
    }

    /// Runs `tokenward` in the work tree.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        run(self.top(), arguments)
    }
}

/// Runs git with nothing of the environment that could redirect it.
pub(crate) fn git(directory: &Path, arguments: &[&str]) -> Ran {
    Invocation::new("git", directory)
        .arguments(&["-c", "user.name=t", "-c", "user.email=t@example.com"])
        .arguments(&["-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always"])
        .arguments(arguments)
        .without_environment()
        .environment(&[
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_SYSTEM", "/dev/null"),
        ])
        .run()
}

/// Runs git, which must succeed, and returns its standard output without the line end.
#[track_caller]
pub(crate) fn git_succeeds(directory: &Path, arguments: &[&str]) -> String {
    let ran = git(directory, arguments);
    assert_eq!(ran.code, 0, "git {arguments:?}: {}", ran.err);
    ran.out.trim().to_owned()
}

/// Writes a shell script that can be run.
pub(crate) fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
