//! Runs git so that neither the environment nor a repository's configuration can make it run another program.

use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::GitError;

/// Silence after which git is stopped. The longest silence, before the result of a merge base without git's index of
/// commits, takes a few seconds in the largest public repositories.
const PATIENCE: Duration = Duration::from_secs(120);
/// Maximum number of bytes of git's messages that are kept.
const MAX_SAID: usize = 4096;
/// Number of bytes that are read from git at once.
const CHUNK: usize = 64 << 10;

/// Settings that override those of the repository, whose settings could name commands.
///
/// Most of them belong to subcommands that no run uses. They are set nevertheless, since a subcommand may read them one
/// day.
const SETTINGS: &[&str] = &[
    // git must not search for a bare repository; every run names its directory.
    "safe.bareRepository=explicit",
    // Commands that git runs when it reads the index, the work tree or another repository.
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.alternateRefsCommand=false",
    "core.untrackedCache=false",
    "core.sshCommand=false",
    "core.gitProxy=false",
    "core.askPass=false",
    "core.editor=false",
    "sequence.editor=false",
    "core.pager=cat",
    "interactive.diffFilter=cat",
    "credential.helper=",
    "uploadpack.packObjectsHook=false",
    // git must not fetch from anywhere.
    "protocol.allow=never",
    "protocol.file.allow=never",
    "protocol.ext.allow=never",
    "protocol.http.allow=never",
    "protocol.https.allow=never",
    "protocol.ssh.allow=never",
    "protocol.git.allow=never",
    // Programs that check signatures must not run.
    "log.showSignature=false",
    "gpg.program=false",
    "gpg.ssh.program=false",
    "gpg.x509.program=false",
    // Attributes choose filters and text conversions.
    "core.attributesFile=/dev/null",
    // Indexes could name other parents or objects than the objects themselves do.
    "core.commitGraph=false",
    "core.multiPackIndex=false",
    "gc.auto=0",
    // Advice about the graft file would be taken for an error message.
    "advice.graftFileDeprecated=false",
];

/// The complete environment of every run; only PATH is inherited.
///
/// Variables such as `GIT_DIR`, which git sets in hooks, would redirect the query; `GIT_CONFIG_*` would add commands.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("LC_ALL", "C"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_SYSTEM", "/dev/null"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_GRAFT_FILE", "/dev/null"),
    ("GIT_ALLOW_PROTOCOL", ""),
    ("GIT_PROTOCOL_FROM_USER", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_LITERAL_PATHSPECS", "1"),
    ("GIT_ASKPASS", "false"),
    ("GIT_SSH_COMMAND", "false"),
    ("GIT_EDITOR", "false"),
    ("GIT_PAGER", "cat"),
    ("PAGER", "cat"),
];

/// Path of git, and the repository that it reads.
#[derive(Clone, Debug)]
pub(super) struct Runner {
    program: PathBuf,
    path: OsString,
    git_directory: PathBuf,
    top: PathBuf,
}

impl Runner {
    /// Creates a runner for the repository with this git directory and this work tree, both absolute.
    ///
    /// # Errors
    /// git is not installed.
    pub(super) fn new(git_directory: &Path, top: &Path) -> Result<Self, GitError> {
        let (program, path) = program(top)?;
        Ok(Self {
            program,
            path,
            git_directory: git_directory.to_owned(),
            top: top.to_owned(),
        })
    }

    /// Runs git and returns its output, at most `limit` bytes.
    ///
    /// # Errors
    /// git cannot be run, fails, is silent for too long, or its output exceeds the limit.
    pub(super) fn output(
        &self,
        verb: &'static str,
        arguments: &[&str],
        limit: u64,
    ) -> Result<Vec<u8>, GitError> {
        let answer = self.answer(verb, arguments, limit)?;
        if answer.succeeded {
            return Ok(answer.bytes);
        }
        Err(GitError::Failed {
            verb,
            said: answer.said,
        })
    }

    /// Runs git. A failure of git is one of the expected results.
    ///
    /// # Errors
    /// git cannot be run, is silent for too long, or its output exceeds the limit.
    pub(super) fn answer(
        &self,
        verb: &'static str,
        arguments: &[&str],
        limit: u64,
    ) -> Result<Answer, GitError> {
        let mut running = self.start(verb, arguments, Stdio::null())?;
        let bytes = running.read_to_end(limit)?;
        let (succeeded, said) = running.end()?;
        Ok(Answer {
            succeeded,
            bytes,
            said,
        })
    }

    /// Starts git with a pipe to its input.
    ///
    /// # Errors
    /// git cannot be run.
    pub(super) fn converse(
        &self,
        verb: &'static str,
        arguments: &[&str],
    ) -> Result<(ChildStdin, Running), GitError> {
        let mut running = self.start(verb, arguments, Stdio::piped())?;
        let stdin = running.child.stdin.take().ok_or_else(no_pipe)?;
        Ok((stdin, running))
    }

    fn start(&self, verb: &'static str, arguments: &[&str], stdin: Stdio) -> Result<Running, GitError> {
        let mut command = bare(&self.program, &self.path);
        command.envs(ENVIRONMENT.iter().copied());
        command.args(["--no-pager", "--no-replace-objects", "--no-optional-locks"]);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        let mut git_directory = OsString::from("--git-dir=");
        git_directory.push(&self.git_directory);
        let mut top = OsString::from("--work-tree=");
        top.push(&self.top);
        command.arg(git_directory).arg(top).arg(verb).args(arguments);
        command.current_dir(&self.top).stdin(stdin);
        Running::of(verb, &mut command)
    }
}

/// The directories that the user's and the system's own configuration declare safe, as `git config` reads them: it runs
/// no command. Repositories have no say in this, as in git itself.
pub(super) fn safe_directories(top: &Path) -> Result<Vec<String>, GitError> {
    let (program, path) = program(top)?;
    let mut directories = Vec::new();
    for level in ["--system", "--global"] {
        let mut command = bare(&program, &path);
        for name in ["HOME", "XDG_CONFIG_HOME"] {
            if let Some(value) = env::var_os(name) {
                command.env(name, value);
            }
        }
        command.args(["config", level, "-z", "--get-all", "safe.directory"]);
        command.current_dir("/").stdin(Stdio::null());
        let mut running = Running::of("config", &mut command)?;
        let bytes = running.read_to_end(1 << 20)?;
        // git fails if the setting, or the file, is missing.
        running.end()?;
        for value in String::from_utf8_lossy(&bytes).split_terminator('\0') {
            if value.is_empty() {
                // git-config(1): an empty value clears the list.
                directories.clear();
            } else {
                directories.push(value.to_owned());
            }
        }
    }
    Ok(directories)
}

/// Creates a git command with only PATH in its environment.
fn bare(program: &Path, path: &OsString) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", path);
    command
}

/// Finds git and the PATH that it gets. PATH keeps only absolute directories outside the work tree: the repository decides
/// what others contain, for example `node_modules/.bin`.
fn program(top: &Path) -> Result<(PathBuf, OsString), GitError> {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_within = |directory: &Path| {
        let resolved = directory.canonicalize();
        directory.starts_with(top) || resolved.is_ok_and(|resolved| resolved.starts_with(top))
    };
    let directories: Vec<PathBuf> = env::split_paths(&path)
        .filter(|directory| directory.is_absolute() && !is_within(directory))
        .collect();
    let program = directories
        .iter()
        .map(|directory| directory.join("git"))
        .find(|file| {
            file.metadata()
                .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
        });
    let path = env::join_paths(&directories).unwrap_or_default();
    Ok((program.ok_or(GitError::NotInstalled)?, path))
}

fn no_pipe() -> GitError {
    GitError::Run(io::Error::other("it has no pipe"))
}

/// Result of a run.
pub(super) struct Answer {
    pub(super) succeeded: bool,
    pub(super) bytes: Vec<u8>,
    /// Error messages of git.
    pub(super) said: String,
}

/// A run in progress; git is killed when this value is dropped.
#[derive(Debug)]
pub(super) struct Running {
    verb: &'static str,
    child: Child,
    output: Chunks,
    messages: Receiver<String>,
}

impl Running {
    fn of(verb: &'static str, command: &mut Command) -> Result<Self, GitError> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => GitError::NotInstalled,
            _ => GitError::Run(error),
        })?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (Some(mut stdout), Some(mut stderr)) = (stdout, stderr) else {
            return Err(no_pipe());
        };
        let (sender, chunks) = sync_channel(4);
        let (told, messages) = sync_channel(1);
        let threads = [
            thread::Builder::new().spawn(move || forward(&mut stdout, &sender)),
            thread::Builder::new().spawn(move || {
                let _ = told.send(said(&mut stderr));
            }),
        ];
        let running = Self {
            verb,
            child,
            output: Chunks {
                chunks,
                current: Vec::new(),
                at: 0,
            },
            messages,
        };
        for thread in threads {
            thread.map_err(GitError::Run)?;
        }
        Ok(running)
    }

    /// Returns the rest of the output.
    pub(super) fn output(&mut self) -> &mut Chunks {
        &mut self.output
    }

    /// Interprets an error of reading the output.
    pub(super) fn broken(&self, error: io::Error) -> GitError {
        match error.kind() {
            io::ErrorKind::TimedOut => GitError::Slow {
                verb: self.verb,
                seconds: PATIENCE.as_secs(),
            },
            _ => GitError::Run(error),
        }
    }

    fn read_to_end(&mut self, limit: u64) -> Result<Vec<u8>, GitError> {
        let mut bytes = Vec::new();
        let read = (&mut self.output).take(limit + 1).read_to_end(&mut bytes);
        read.map_err(|error| self.broken(error))?;
        if bytes.len() as u64 > limit {
            return Err(GitError::TooMuch {
                verb: self.verb,
                limit,
            });
        }
        Ok(bytes)
    }

    /// Waits for the end of a run whose output was read. Returns whether the run succeeded, and its messages.
    ///
    /// # Errors
    /// git does not end, or the system does not give its exit status.
    pub(super) fn end(mut self) -> Result<(bool, String), GitError> {
        let said = self.messages.recv_timeout(PATIENCE);
        let said = said.map_err(|_| self.broken(io::ErrorKind::TimedOut.into()))?;
        let status = self.child.wait().map_err(GitError::Run)?;
        Ok((status.success(), said))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // If git has already ended, both calls do nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends output to the channel until its end, or until the receiver is dropped.
fn forward(from: &mut impl Read, to: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut chunk = vec![0; CHUNK];
        let read = from.read(&mut chunk).map(|length| {
            chunk.truncate(length);
            chunk
        });
        let is_last = read.as_ref().map_or(true, Vec::is_empty);
        if to.send(read).is_err() || is_last {
            return;
        }
    }
}

/// Reads the beginning of the messages. The rest is read and dropped, so that git does not block.
fn said(from: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = from.take(MAX_SAID as u64).read_to_end(&mut bytes);
    let _ = io::copy(from, &mut io::sink());
    String::from_utf8_lossy(&bytes).trim().replace('\n', "; ")
}

/// A run's output. Reading fails with [`io::ErrorKind::TimedOut`] after a long silence.
#[derive(Debug)]
pub(super) struct Chunks {
    chunks: Receiver<io::Result<Vec<u8>>>,
    current: Vec<u8>,
    at: usize,
}

impl BufRead for Chunks {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.current.len() {
            self.current = match self.chunks.recv_timeout(PATIENCE) {
                Ok(chunk) => chunk?,
                Err(RecvTimeoutError::Timeout) => return Err(io::ErrorKind::TimedOut.into()),
                // The sender ends after an empty chunk.
                Err(RecvTimeoutError::Disconnected) => Vec::new(),
            };
            self.at = 0;
        }
        Ok(self.current.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount;
    }
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let read = available.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}
