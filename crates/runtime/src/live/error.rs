//! Reasons why a policy cannot be used.

use std::path::PathBuf;

use serde_json::Value;
use tokenward_compiler::BindError;
use tokenward_compiler::artifact::{DecodeError, SignatureError};
use tokenward_compiler::source::ReadDirError;

/// Reason why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The directory cannot be read.
    #[error("cannot read the policies: {0}")]
    Read(#[from] ReadDirError),
    /// The policy has errors.
    #[error("the policy in {} does not compile; fix these errors:\n{diagnostics}", directory.display())]
    Compile {
        /// Path of the policy directory.
        directory: PathBuf,
        /// Rendered diagnostics.
        diagnostics: String,
        /// The same diagnostics, for the log.
        faults: Vec<PolicyFault>,
    },
    /// The compiled policy cannot be read.
    #[error("cannot read the compiled policy {}: {source}", path.display())]
    ReadArtifact {
        /// Path of the file.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The file is not a compiled policy of this version.
    #[error("cannot use {}: {source}", path.display())]
    Artifact {
        /// Path of the file.
        path: PathBuf,
        /// Reason for the failure.
        source: DecodeError,
    },
    /// The compiled policy has no signature by a trusted key.
    #[error("cannot use {}: {source}", path.display())]
    Signature {
        /// Path of the file.
        path: PathBuf,
        /// Reason for the failure.
        source: SignatureError,
    },
    /// The fleet's manifest names another compiled policy.
    #[error("cannot use {}: it is not the compiled policy that the fleet's manifest names; restore it with a restart, which takes it from the fleet's source", path.display())]
    NotInManifest {
        /// Path of the file.
        path: PathBuf,
    },
    /// The compiled policy has tokens that may not be used in secure mode.
    #[error(
        "cannot use {} in secure mode, since {}; compile it again once the sources are right",
        path.display(), faults.join(", ")
    )]
    Seals {
        /// Path of the file.
        path: PathBuf,
        /// The tokens, with the problem of each.
        faults: Vec<String>,
    },
    /// The compiled policy has tokens that the configuration does not allow.
    #[error(
        "cannot use {}, since {}; change the tokens and compile the policy again, or change [tokens]",
        path.display(), excesses.join(", ")
    )]
    Ceiling {
        /// Path of the file.
        path: PathBuf,
        /// The tokens, with the problem of each.
        excesses: Vec<String>,
    },
    /// The policy cannot be bound to the public URL.
    #[error("the policy cannot be bound to the public URL: {0}")]
    Bind(#[from] BindError),
}

/// An error of a policy in one line, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFault {
    /// The code, such as `TW0107`.
    pub code: String,
    /// The place, `FILE:LINE:COLUMN`.
    pub place: String,
    /// The headline.
    pub error: String,
}

impl PolicyFault {
    /// Takes them from diagnostics as JSON lines, in which secrets are masked.
    pub(super) fn all(lines: &str) -> Vec<Self> {
        let rows = lines.lines().filter_map(|line| serde_json::from_str(line).ok());
        rows.map(|row: Value| {
            let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
            let number = |name: &str| row.get(name).and_then(Value::as_u64).unwrap_or_default();
            Self {
                code: text("code").to_owned(),
                place: format!("{}:{}:{}", text("file"), number("line"), number("column")),
                error: text("headline").to_owned(),
            }
        })
        .collect()
    }
}
