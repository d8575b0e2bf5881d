//! Why there is no policy.

use std::path::PathBuf;

use tokenward_compiler::BindError;
use tokenward_compiler::artifact::{DecodeError, SignatureError};
use tokenward_compiler::source::ReadDirError;

/// There is no usable policy.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The directory cannot be read.
    #[error("cannot read the policies: {0}")]
    Read(#[from] ReadDirError),
    /// The policy has errors.
    #[error("the policy in {} does not compile; mend what follows\n{diagnostics}", directory.display())]
    Compile {
        /// Where it stands.
        directory: PathBuf,
        /// The diagnostics, rendered.
        diagnostics: String,
    },
    /// The artifact cannot be read.
    #[error("cannot read the compiled policy {}: {source}", path.display())]
    ReadArtifact {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The file is no artifact of this version.
    #[error("cannot use {}: {source}", path.display())]
    Artifact {
        /// The file.
        path: PathBuf,
        /// Why.
        source: DecodeError,
    },
    /// Nobody who is trusted vouches for the artifact.
    #[error("cannot use {}: {source}", path.display())]
    Signature {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SignatureError,
    },
    /// The artifact has tokens that may not be used in secure mode.
    #[error(
        "cannot use {} in secure mode, since {}; compile it again once the sources are right",
        path.display(), faults.join(", ")
    )]
    Seals {
        /// The file.
        path: PathBuf,
        /// The tokens, and what is wrong with each.
        faults: Vec<String>,
    },
    /// The policy cannot be bound to the public URL.
    #[error("the policy cannot be bound to the public URL: {0}")]
    Bind(#[from] BindError),
}
