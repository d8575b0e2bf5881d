//! A repository with a protected branch `main` and a pull request, and the gate as CI runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

pub(crate) struct Repository {
    /// Kept for its end.
    #[expect(dead_code, reason = "removes the directory when it is dropped")]
    folder: TempDir,
    pub(crate) top: PathBuf,
}

/// What a command said and its exit code.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answer {
    /// Fails unless these findings, and no other errors, were reported with exit code 1.
    #[track_caller]
    pub(crate) fn finds(&self, codes: &[&str]) -> &Self {
        let mut found: Vec<&str> = self
            .err
            .lines()
            .filter_map(|line| line.strip_prefix("error[")?.split_once(']'))
            .map(|(code, _)| code)
            .collect();
        found.sort_unstable();
        let mut codes = codes.to_vec();
        codes.sort_unstable();
        assert_eq!(found, codes, "{}", self.err);
        assert_eq!(self.code, i32::from(!codes.is_empty()), "{}", self.err);
        self
    }

    /// Fails unless the exit code is 3 and the message has these texts.
    #[track_caller]
    pub(crate) fn refuses(&self, texts: &[&str]) {
        self.ends(3, texts);
    }

    /// Fails unless the exit code and the texts on standard error are these.
    #[track_caller]
    pub(crate) fn ends(&self, code: i32, texts: &[&str]) {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        for text in texts {
            assert!(self.err.contains(text), "{text:?} is not in {}", self.err);
        }
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.err.contains(text), "{text:?} is not in {}", self.err);
        self
    }
}

/// The token that most tests begin with.
pub(crate) const EXPIRES: &str = "expires = 2090-01-01T00:00:00Z";

pub(crate) fn token(name: &str, secret: &str, keys: &str, lines: &str) -> String {
    let user = if keys.contains("user") {
        ""
    } else {
        "user = \"svc\""
    };
    let expires = if keys.contains("expires") || keys.contains("lint_allow") {
        ""
    } else {
        EXPIRES
    };
    let lines = if lines.is_empty() {
        String::new()
    } else {
        format!("limit_to = '''\n{lines}\n'''\n")
    };
    format!(
        "[[token]]\nname = \"{name}\"\n{user}\nsecret_hash = \"{}\"\n{expires}\n{keys}\n{lines}",
        hash(secret)
    )
}

pub(crate) fn hash(secret: &str) -> String {
    format!("sha256:{}", secret.repeat(32))
}

impl Repository {
    /// `main` with these files, and a branch `change` checked out.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let top = folder.path().join("repository");
        fs::create_dir(&top).unwrap();
        let it = Self { folder, top };
        it.git(&["init", "-q", "-b", "main"]);
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
            let path = self.top.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.top.join(name)).unwrap();
    }

    pub(crate) fn commit(&self, files: &[(&str, &str)]) {
        self.write(files);
        self.git(&["add", "-A", "."]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "change"]);
    }

    #[track_caller]
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = git(&self.top, arguments);
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Changes files in the pull request, and asks the gate.
    #[track_caller]
    pub(crate) fn proposes(&self, files: &[(&str, &str)]) -> Answer {
        self.commit(files);
        self.gate(&[])
    }

    /// As [`Self::proposes`], with an owner's approval.
    pub(crate) fn approved(&self, files: &[(&str, &str)]) -> Answer {
        self.commit(files);
        self.gate(&["--accept-reviews"])
    }

    /// The gate as the protected branch has it.
    pub(crate) fn gate(&self, more: &[&str]) -> Answer {
        self.tokenward(&[&["compile", "--check", "--no-new-access", "main"], more].concat())
    }

    pub(crate) fn tokenward(&self, arguments: &[&str]) -> Answer {
        tokenward(&self.top, arguments, &[])
    }
}

pub(crate) fn tokenward(directory: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Answer {
    let output = Command::new(env!("CARGO_BIN_EXE_tokenward"))
        .args(arguments)
        .current_dir(directory)
        .env("NO_COLOR", "1")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("the binary starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Answer {
        code: output.status.code().expect("no signal ended it"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

pub(crate) fn git(directory: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
        .args(["-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always"])
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .expect("git starts")
}

/// A review, as `reviewed.toml` has it.
pub(crate) fn review(entry: &str) -> String {
    format!("[[reviewed]]\n{entry}\nwhy = \"…\"\n")
}
