//! The `tokenward` binary as a child process on free ports, in a directory of its own.

use std::fs::File;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tokenward_testbed::{Invocation, Ran, Running, eventually, free_ports};

use crate::TestToken;

const STARTS: usize = 4;

/// What a proxy is started with.
#[derive(Clone, Debug)]
pub struct Setup {
    upstream: u16,
    policy: String,
    endpoints: String,
    product: String,
    context: String,
    sections: String,
    top: String,
    admin: String,
}

impl Setup {
    /// A proxy before the upstream at this port of 127.0.0.1: product `jira`, `/rest/*`, Basic and Bearer, no token.
    #[must_use]
    pub fn new(upstream: u16) -> Self {
        Self {
            upstream,
            policy: String::new(),
            endpoints: "/rest/*".to_owned(),
            product: "jira".to_owned(),
            context: String::new(),
            sections: String::new(),
            top: String::new(),
            admin: String::new(),
        }
    }

    /// Adds a token to the policy file.
    #[must_use]
    pub fn token(mut self, token: &TestToken) -> Self {
        self.policy.push_str(&token.entry());
        self
    }

    /// Serves these paths in place of `/rest/*`.
    #[must_use]
    pub fn endpoints(mut self, pattern: &str) -> Self {
        pattern.clone_into(&mut self.endpoints);
        self
    }

    /// Has another product behind it.
    #[must_use]
    pub fn product(mut self, name: &str) -> Self {
        name.clone_into(&mut self.product);
        self
    }

    /// Serves below this context path, `/ctx`, on both sides.
    #[must_use]
    pub fn context(mut self, path: &str) -> Self {
        path.clone_into(&mut self.context);
        self
    }

    /// Adds sections to the configuration: `[limits]…`. Those that are written already are `[server]`, `[admin]`, `[upstream]`,
    /// `[auth]`.
    #[must_use]
    pub fn section(mut self, toml: &str) -> Self {
        self.sections.push_str(toml);
        self.sections.push('\n');
        self
    }

    /// Adds keys of the section `[admin]`: `review = ["…"]`.
    #[must_use]
    pub fn admin(mut self, toml: &str) -> Self {
        self.admin.push_str(toml);
        self.admin.push('\n');
        self
    }

    /// Adds keys of no section: `mode = "secure"`.
    #[must_use]
    pub fn top(mut self, toml: &str) -> Self {
        self.top.push_str(toml);
        self.top.push('\n');
        self
    }

    /// Writes the configuration into this directory, with ports at which nobody listens, for commands alone.
    ///
    /// # Panics
    /// The directory cannot be written.
    pub fn write_configuration(&self, directory: &Path) {
        let (port, admin) = free_ports();
        let text = self.configuration(port, admin);
        std::fs::write(directory.join("tokenward.toml"), text).unwrap();
    }

    fn configuration(&self, listen: u16, admin: u16) -> String {
        let Self {
            upstream,
            endpoints,
            product,
            context,
            sections,
            top,
            admin: keys,
            ..
        } = self;
        format!(
            "{top}[server]\nlisten = \"127.0.0.1:{listen}\"\n\n[admin]\nlisten = \"127.0.0.1:{admin}\"\n{keys}\n\
             [upstream]\nurl = \"http://127.0.0.1:{upstream}{context}\"\npublic_url = \"http://127.0.0.1:{listen}{context}\"\n\
             product = \"{product}\"\nendpoints = [\"{endpoints}\"]\n\n[auth]\nmethods = \"both\"\nfailed_attempts = 0\n\n{sections}"
        )
    }
}

/// A running proxy; killed when dropped.
#[derive(Debug)]
pub struct Proxy {
    child: Running,
    port: u16,
    admin: u16,
    directory: tempfile::TempDir,
}

/// One call as `tokenward audit list --json` shows it.
#[derive(Clone, Debug)]
pub struct AuditRow(serde_json::Value);

impl AuditRow {
    /// A member as text, empty if it is absent or null; a member of a member as `outcome/status`.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        match self.0.pointer(&format!("/{name}")) {
            None | Some(serde_json::Value::Null) => String::new(),
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }
}

impl Proxy {
    /// Starts it and waits until both listeners accept.
    ///
    /// # Panics
    /// It does not start; its log is in the message.
    #[must_use]
    pub fn start(setup: &Setup) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir(directory.path().join("policies")).unwrap();
        std::fs::write(directory.path().join("policies/tokens.toml"), &setup.policy).unwrap();
        Self::start_in(setup, directory)
    }

    /// Starts it again in the directory of one that was stopped: same policy, same audit.
    ///
    /// # Panics
    /// As [`Proxy::start`].
    #[must_use]
    pub fn start_in(setup: &Setup, directory: tempfile::TempDir) -> Self {
        for attempt in 1.. {
            let (port, admin) = free_ports();
            std::fs::write(
                directory.path().join("tokenward.toml"),
                setup.configuration(port, admin),
            )
            .unwrap();
            let log = File::create(directory.path().join("serve.log")).unwrap();
            let mut child = command(directory.path(), &["serve"]).start_with_log(log);
            let ended = eventually("the proxy listens or ends", || {
                let listening = [port, admin]
                    .iter()
                    .all(|at| TcpStream::connect((Ipv4Addr::LOCALHOST, *at)).is_ok());
                if listening {
                    Some(None)
                } else {
                    child.ended().map(Some)
                }
            });
            match ended {
                None => {
                    return Self {
                        child,
                        port,
                        admin,
                        directory,
                    };
                }
                // Between the choice of a free port and its use, somebody else may have taken it.
                Some(_) if attempt < STARTS => {}
                Some(status) => {
                    let log = std::fs::read_to_string(directory.path().join("serve.log")).unwrap_or_default();
                    panic!("tokenward serve ended with {status}:\n{log}");
                }
            }
        }
        unreachable!("the loop returns or panics")
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The port that clients call.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The admin listener's port.
    #[must_use]
    pub fn admin_port(&self) -> u16 {
        self.admin
    }

    /// The directory with the configuration, the policies and all that the proxy writes.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What it has written to its standard output and error.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory().join("serve.log")).unwrap_or_default()
    }

    /// Replaces the policy file the way careful editors do: written beside it, then renamed over it.
    ///
    /// # Panics
    /// The directory cannot be written.
    pub fn replace_policy(&self, tokens: &[&TestToken]) {
        self.replace_policy_text(&tokens.iter().map(|token| token.entry()).collect::<String>());
    }

    /// As [`Proxy::replace_policy`], with any text.
    ///
    /// # Panics
    /// The directory cannot be written.
    pub fn replace_policy_text(&self, text: &str) {
        let beside = self.directory().join("policies/.tokens.toml.new");
        std::fs::write(&beside, text).unwrap();
        std::fs::rename(&beside, self.directory().join("policies/tokens.toml")).unwrap();
    }

    /// A figure of `/proc/<pid>/status`, in KiB: `VmRSS`, `VmHWM`.
    ///
    /// # Panics
    /// The process is gone.
    #[must_use]
    pub fn memory_kib(&self, figure: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(figure))
            .expect("a figure of that name");
        line.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
    }

    /// Runs `tokenward` with these arguments and this proxy's configuration.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Ran {
        run(self.directory(), arguments)
    }

    /// Every call in the audit, oldest first, asked of the running proxy by the command.
    ///
    /// # Panics
    /// The command fails.
    #[must_use]
    pub fn audit(&self) -> Vec<AuditRow> {
        let mut rows = self.run(&["audit", "list", "--json", "--limit", "10000"]).json();
        rows.sort_by_key(|row| row.get("sequence").and_then(serde_json::Value::as_u64));
        rows.into_iter().map(AuditRow).collect()
    }

    /// Ends it without any chance to tidy up, and gives back its directory.
    ///
    /// # Panics
    /// It cannot be killed.
    pub fn kill(self) -> tempfile::TempDir {
        let Self {
            mut child, directory, ..
        } = self;
        child.kill();
        directory
    }

    /// Asks it to stop, waits for that, and gives back its directory.
    ///
    /// # Panics
    /// It does not stop, or not with success.
    pub fn stop(self) -> tempfile::TempDir {
        let Self {
            mut child, directory, ..
        } = self;
        child.stop();
        directory
    }
}

/// Runs `tokenward` with these arguments and the configuration of this directory, in it.
///
/// # Panics
/// It cannot be run, or a signal ended it.
#[must_use]
pub fn run(directory: &Path, arguments: &[&str]) -> Ran {
    command(directory, arguments).run()
}

/// `tokenward` with these arguments and the configuration of this directory, in it.
fn command(directory: &Path, arguments: &[&str]) -> Invocation {
    Invocation::new(binary(), directory)
        .arguments(arguments)
        .arguments(&[Path::new("--config"), &directory.join("tokenward.toml")])
}

/// The binary: `TOKENWARD_BIN`, or the one of this test's own target directory and profile, built now if it is not fresh.
///
/// # Panics
/// It cannot be built.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(path) = std::env::var_os("TOKENWARD_BIN") {
            return PathBuf::from(path);
        }
        let test = std::env::current_exe().expect("the path of the test itself");
        let profile = test.ancestors().nth(2).expect("a test lives in <profile>/deps");
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build.args([
            "build",
            "--quiet",
            "--package",
            "tokenward-runtime",
            "--bin",
            "tokenward",
        ]);
        if profile.ends_with("release") {
            build.arg("--release");
        }
        assert!(
            build.status().expect("cargo starts").success(),
            "tokenward does not build"
        );
        profile.join("tokenward")
    })
}
