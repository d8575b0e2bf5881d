//! A program that has ended, and what tests expect of it.

use std::process::Output;

/// What `tokenward` reports first on standard error where it finds no configuration and assumes the defaults.
const ASSUMED: &str = "tokenward: no tokenward.toml in this directory, using the built-in defaults \
    (policies in `policies`, product `jira`, public URL http://127.0.0.1:8080)\n";

/// How a program ended.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// Its standard output.
    pub out: String,
    /// Its standard error, without the line in `assumed`.
    pub err: String,
    /// The line with which `tokenward` reported on standard error that it assumes the defaults; empty if it did not.
    pub assumed: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let mut ran = Self {
            code: output.status.code().expect("no signal ended it"),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
            assumed: String::new(),
        };
        // Reported once: a second one stays.
        if let Some(at) = ran.err.find(ASSUMED) {
            let end = at + ASSUMED.len();
            ran.assumed = ran.err.drain(at..end).collect();
        }
        assert!(
            !ran.err.contains("panicked") && !ran.err.contains("RUST_BACKTRACE"),
            "{}",
            ran.err
        );
        ran
    }

    /// Its standard output without the line end.
    ///
    /// # Panics
    /// It failed.
    #[must_use]
    #[track_caller]
    pub fn ok(&self) -> &str {
        self.ends(0, &[]);
        self.out.trim_end()
    }

    /// Its standard output as lines of JSON.
    ///
    /// # Panics
    /// It failed, or gave something else.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Vec<serde_json::Value> {
        let lines = self.ok().lines();
        lines
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }

    /// Expects this exit code, and these texts on standard error.
    ///
    /// # Panics
    /// They are others.
    #[track_caller]
    pub fn ends(&self, code: i32, texts: &[&str]) {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        for text in texts {
            self.says(text);
        }
    }

    /// Expects exit code 3, and these texts on standard error.
    ///
    /// # Panics
    /// They are others.
    #[track_caller]
    pub fn refuses(&self, texts: &[&str]) {
        self.ends(3, texts);
    }

    /// Expects this text on standard error.
    ///
    /// # Panics
    /// It is not there.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.err.contains(text), "{text:?} is not in {}", self.err);
        self
    }

    /// Expects errors of these codes and no others on standard error; exit code 1 if there are any, otherwise 0.
    ///
    /// # Panics
    /// They are others.
    #[track_caller]
    pub fn finds(&self, codes: &[&str]) -> &Self {
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

    /// The exit code, and standard output and error as one text.
    #[must_use]
    pub fn together(self) -> (i32, String) {
        (self.code, self.out + &self.err)
    }

    /// The exit code, standard output and standard error, to be taken apart.
    #[must_use]
    pub fn apart(self) -> (i32, String, String) {
        (self.code, self.out, self.err)
    }
}
