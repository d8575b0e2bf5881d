//! Failures of commands, and their exit codes.

use std::fmt::Display;

use tokenward_compiler::visible;
use tokenward_pdp::config::ConfigError;
use tokenward_pdp::request::RulesError;

use crate::authoring::edit::EditError;
use crate::git::GitError;
use crate::live::PolicyError;
use crate::serve::ServeError;

pub(super) const FINDINGS: u8 = 1;
pub(super) const USAGE: u8 = 2;
pub(super) const TROUBLE: u8 = 3;

/// Reason why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The policy has findings, already shown; the text adds a consequence, if there is one.
    Findings(String),
    /// The arguments or the configuration are wrong.
    Usage(String),
    /// A file, the network, the system, or Tokenward itself failed.
    Trouble(String),
    /// The reader of standard output has closed it, so there is nothing to report.
    NoReader,
}

impl Failure {
    pub(crate) fn trouble(error: impl Display) -> Self {
        Self::Trouble(error.to_string())
    }

    /// Gives the message.
    pub(super) fn message(&self) -> &str {
        match self {
            Self::Findings(message) | Self::Usage(message) | Self::Trouble(message) => message,
            Self::NoReader => "",
        }
    }

    /// The same failure without its message, which was shown.
    pub(super) fn without_message(self) -> Self {
        match self {
            Self::Findings(_) => Self::Findings(String::new()),
            Self::Usage(_) => Self::Usage(String::new()),
            Self::Trouble(_) => Self::Trouble(String::new()),
            Self::NoReader => Self::NoReader,
        }
    }

    /// Puts a text in front of the message.
    pub(super) fn after(self, before: &str) -> Self {
        match self {
            Self::Findings(message) => Self::Findings(format!("{before}{message}")),
            Self::Usage(message) => Self::Usage(format!("{before}{message}")),
            Self::Trouble(message) => Self::Trouble(format!("{before}{message}")),
            Self::NoReader => Self::NoReader,
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        match error {
            ConfigError::Unreadable { .. } => Self::trouble(error),
            ConfigError::Absent { .. } => Self::Usage(error.to_string()),
            ConfigError::Invalid(problems) => {
                let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
                Self::Usage(format!("the configuration has errors\n{}", lines.join("\n")))
            }
        }
    }
}

impl From<RulesError> for Failure {
    fn from(error: RulesError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        match error {
            GitError::NotARevision { .. } => Self::Usage(visible(&error.to_string())),
            // Any other error means that the question could not be answered.
            _ => Self::Trouble(visible(&error.to_string())),
        }
    }
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Io { .. }
            | EditError::NotKept { .. }
            | EditError::ReadDir(_)
            | EditError::Changed(_) => Self::trouble(error),
            EditError::HalfDone { .. } | EditError::Conflict(_) => Self::Findings(error.to_string()),
            EditError::NoDirectory(_)
            | EditError::NoSuchToken { .. }
            | EditError::Ambiguous(_)
            | EditError::Compiled(_)
            | EditError::Elsewhere { .. }
            | EditError::NotAPolicyFile(_)
            | EditError::NotForTokens(_)
            | EditError::NotSections(_)
            | EditError::NameTaken { .. }
            | EditError::NotALine(_) => Self::Usage(error.to_string()),
            EditError::NotToml(_) => Self::Findings(error.to_string()),
        }
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::Compile { .. }
            | PolicyError::Signature { .. }
            | PolicyError::NotInManifest { .. }
            | PolicyError::Seals { .. }
            | PolicyError::Ceiling { .. }
            | PolicyError::Bind(_) => Self::Findings(error.to_string()),
            PolicyError::Read(_) | PolicyError::ReadArtifact { .. } | PolicyError::Artifact { .. } => {
                Self::trouble(error)
            }
        }
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Policy(error) => error.into(),
            ServeError::Several(errors) => several(errors),
            ServeError::Rules(_) | ServeError::Upstream(_) | ServeError::Identity(_) => {
                Self::Usage(error.to_string())
            }
            _ => Self::trouble(error),
        }
    }
}

/// Joins the errors of a start. An error of the configuration decides the exit code, then one of the policy: starting again
/// cures neither.
fn several(errors: Vec<ServeError>) -> Failure {
    let failures: Vec<Failure> = errors.into_iter().map(Failure::from).collect();
    let lines: Vec<String> = failures
        .iter()
        .map(|failure| format!("- {}", failure.message()))
        .collect();
    let message = format!(
        "the proxy cannot start, for {} reasons\n{}",
        lines.len(),
        lines.join("\n")
    );
    let has = |is: fn(&Failure) -> bool| failures.iter().any(is);
    if has(|failure| matches!(failure, Failure::Usage(_))) {
        Failure::Usage(message)
    } else if has(|failure| matches!(failure, Failure::Findings(_))) {
        Failure::Findings(message)
    } else {
        Failure::Trouble(message)
    }
}
