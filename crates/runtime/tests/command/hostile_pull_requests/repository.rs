//! A repository with a protected branch `main` and a pull request, and the gate as CI runs it.

use std::fs;
use std::path::PathBuf;

use tokenward_testbed::Ran;

use crate::policy::token;
use crate::repository;

pub(crate) struct Repository {
    repository: repository::Repository,
    pub(crate) top: PathBuf,
}

impl Repository {
    /// `main` with these files, and a branch `change` checked out.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let repository = repository::Repository::new();
        let top = repository.top();
        let it = Self { repository, top };
        it.commit(files);
        it.git(&["checkout", "-q", "-b", "change"]);
        it
    }

    /// `main` with the token `ci` of the lines `[get]/rest/a`, and a branch checked out.
    pub(crate) fn plain() -> Self {
        Self::new(&[("policies/ci.toml", &token("ci", "11", "", "[get]/rest/a"))])
    }

    pub(crate) fn write(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            self.repository.write(name, text);
        }
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.top.join(name)).unwrap();
    }

    pub(crate) fn commit(&self, files: &[(&str, &str)]) {
        self.write(files);
        self.repository.commit("change");
    }

    #[track_caller]
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.repository.git(arguments)
    }

    /// Changes files in the pull request, and asks the gate.
    pub(crate) fn proposes(&self, files: &[(&str, &str)]) -> Ran {
        self.commit(files);
        self.gate(&[])
    }

    /// As [`Self::proposes`], with an owner's approval.
    pub(crate) fn approved(&self, files: &[(&str, &str)]) -> Ran {
        self.commit(files);
        self.gate(&["--accept-reviews"])
    }

    /// The gate as the protected branch has it.
    pub(crate) fn gate(&self, more: &[&str]) -> Ran {
        self.tokenward(&[&["compile", "--check", "--no-new-access", "main"], more].concat())
    }

    pub(crate) fn tokenward(&self, arguments: &[&str]) -> Ran {
        self.repository.run(arguments)
    }
}
