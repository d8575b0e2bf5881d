//! A program that runs beside a test.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _};
use std::process::{Child, ChildStdout, Command, ExitStatus};

use crate::{Ran, eventually};

/// A started program. It is killed when the value is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    errors: File,
}

impl Running {
    pub(crate) fn of(child: Child, errors: File) -> Self {
        Self { child, errors }
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The pipe with the standard output. Dropping it closes the pipe.
    ///
    /// # Panics
    /// It was taken before, or the output goes to a log.
    pub fn out(&mut self) -> BufReader<ChildStdout> {
        BufReader::new(self.child.stdout.take().expect("a pipe"))
    }

    /// How the program ended, if it has.
    ///
    /// # Panics
    /// The system does not say.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for the program's end. The output is what was not taken by [`Running::out`].
    ///
    /// # Panics
    /// As [`crate::Invocation::run`]; it does not end within [`crate::PATIENCE`].
    pub fn wait(&mut self) -> Ran {
        let status = eventually("the program ends", || self.ended());
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        if let Some(pipe) = self.child.stdout.as_mut() {
            pipe.read_to_end(&mut stdout).unwrap();
        }
        self.errors.rewind().unwrap();
        self.errors.read_to_end(&mut stderr).unwrap();
        Ran::of(std::process::Output {
            status,
            stdout,
            stderr,
        })
    }

    /// Ends the program without any chance to tidy up, and waits for its end.
    ///
    /// # Panics
    /// It cannot be killed.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the program to stop (SIGTERM), and waits for its end.
    ///
    /// # Panics
    /// It does not stop within [`crate::PATIENCE`], or not with success.
    pub fn stop(&mut self) {
        let asked = Command::new("kill")
            .args(["-TERM", &self.id().to_string()])
            .status()
            .unwrap();
        assert!(asked.success(), "kill -TERM");
        let status = eventually("the program stops", || self.ended());
        assert!(status.success(), "the program stopped with {status}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already ended is fine: the wait only collects it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
