//! Selects the key that signs the compiled policy.

use std::path::Path;

use tokenward_compiler::artifact::{self, Signers};
use tokenward_compiler::ir::Program;
use tokenward_pdp::config::Config;

use super::super::failure::Failure;
use crate::authoring::keys::{ArtifactKey, KeyError};

/// Reads the key to sign with: the named one, otherwise the configuration's. `None` if neither is given and no
/// signature is required.
///
/// # Errors
/// A proxy with this configuration would refuse a policy that is signed with this key, or an unsigned one.
pub(super) fn key(named: Option<&Path>, config: &Config) -> Result<Option<ArtifactKey>, Failure> {
    let signers = config.artifact_signers();
    let Some(file) = named.or(config.keys.artifact.as_deref()) else {
        return match signers {
            Signers::Anyone => Ok(None),
            Signers::Keys(_) => Err(Failure::Usage(
                "a proxy with this configuration refuses a compiled policy that is not signed; specify an artifact key with `--sign` or `[keys] artifact_key` (create one with `tokenward keys new artifact`); nothing was written"
                    .to_owned(),
            )),
        };
    };
    let key = ArtifactKey::read(file).map_err(|error| match error {
        KeyError::Io { .. } | KeyError::NoRandomness => Failure::trouble(error),
        KeyError::Open { .. } | KeyError::NotAKey { .. } => Failure::Usage(error.to_string()),
    })?;
    match signers {
        Signers::Keys(public) if !public.contains(&key.public()) => Err(Failure::Usage(format!(
            "[keys] artifact_public_keys does not list the public key of `{}`, so a proxy would refuse the signed policy; add \"{}\"; nothing was written",
            file.display(),
            key.public()
        ))),
        Signers::Anyone | Signers::Keys(_) => Ok(Some(key)),
    }
}

/// Encodes the compiled policy, signed if there is a key.
pub(super) fn artifact(program: &Program, key: Option<&ArtifactKey>) -> Vec<u8> {
    match key {
        Some(key) => key.sign(program),
        None => artifact::encode(program),
    }
}

/// Formats the end of the output line, which reports the signature.
pub(super) fn shown(key: Option<&ArtifactKey>) -> String {
    key.map_or_else(
        || ", not signed".to_owned(),
        |key| format!(", signed with the key {}", hex::encode(key.public().id())),
    )
}
