//! A program that is about to run.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Ran, Running};

/// A program with its directory, arguments and environment. Its standard input is empty.
#[derive(Debug)]
pub struct Invocation {
    command: Command,
}

impl Invocation {
    /// A program in a directory. The directory is `HOME` too, so that no settings of the person who runs the test count.
    #[must_use]
    pub fn new(program: impl AsRef<OsStr>, directory: impl AsRef<Path>) -> Self {
        let mut command = Command::new(program);
        command
            .current_dir(directory.as_ref())
            .env("HOME", directory.as_ref())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        Self { command }
    }

    /// Adds arguments.
    #[must_use]
    pub fn arguments(mut self, arguments: &[impl AsRef<OsStr>]) -> Self {
        self.command.args(arguments);
        self
    }

    /// Adds variables to the environment.
    #[must_use]
    pub fn environment(mut self, variables: &[(&str, &str)]) -> Self {
        self.command.envs(variables.iter().copied());
        self
    }

    /// Gives the program a text as its standard input.
    ///
    /// # Panics
    /// No temporary file can be written.
    #[must_use]
    pub fn input(mut self, text: &str) -> Self {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.rewind().unwrap();
        self.command.stdin(file);
        self
    }

    /// Removes all variables but `PATH`, so that nothing in the environment redirects the program.
    #[must_use]
    pub fn without_environment(mut self) -> Self {
        self.command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        self
    }

    /// Runs the program to its end.
    ///
    /// # Panics
    /// It does not start, a signal ended it, it wrote something that is not UTF-8, or it panicked.
    #[must_use]
    pub fn run(mut self) -> Ran {
        Ran::of(self.command.output().expect("the program starts"))
    }

    /// Starts the program beside the test. Its standard output is a pipe, its standard error a file.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start(mut self) -> Running {
        let errors = tempfile::tempfile().unwrap();
        self.command
            .stdout(Stdio::piped())
            .stderr(errors.try_clone().unwrap());
        Running::of(self.command.spawn().expect("the program starts"), errors)
    }

    /// Starts the program beside the test. Its standard output and error go to this file.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start_with_log(mut self, log: File) -> Running {
        self.command
            .stdout(log.try_clone().unwrap())
            .stderr(log.try_clone().unwrap());
        Running::of(self.command.spawn().expect("the program starts"), log)
    }
}
